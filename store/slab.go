package store

// slab gives out bytes that live as long as a transaction: many records in one
// allocation, which the garbage collector does not look into.
type slab struct {
	block []byte // what is left of the newest block
	size  int    // of the next one
	total int    // bytes of all
}

const (
	slabLeast = 4 << 10 // bytes of the first block: most transactions are small
	slabMost  = 1 << 20
)

// take gives room for n bytes, of length 0.
func (s *slab) take(n int) []byte {
	if n > len(s.block) {
		if n > slabMost/4 {
			s.total += n
			return make([]byte, 0, n)
		}
		s.size = min(max(2*s.size, slabLeast), slabMost)
		for s.size < n {
			s.size *= 2
		}
		s.block = make([]byte, s.size)
		s.total += s.size
	}
	b := s.block[:0:n]
	s.block = s.block[n:]
	return b
}

// keep gives a copy.
func (s *slab) keep(b []byte) []byte { return append(s.take(len(b)), b...) }
