package ledger

import "hash/maphash"

// seen are the ids that the rows of one kind gave so far, and where. It holds a
// million of them in 50 MB without a pointer among them.
type seen struct {
	seed   maphash.Seed
	table  []uint32 // 1 + number of an id, in the place of its hash or behind it; 0 is free; a power of two long
	text   []byte   // the ids, one after the other
	end    []uint32 // of each within text; a file has no more bytes than that
	at     []seenAt
	sheets []string
}

type seenAt struct{ sheet, row uint32 }

// put notes an id. Where a row gave it already, first is that row's place.
func (s *seen) put(id string, here at) (first at, twice bool) {
	if s.table == nil {
		s.seed, s.table = maphash.MakeSeed(), make([]uint32, 1<<10)
	}
	if len(s.end) >= len(s.table)/2 {
		s.table = make([]uint32, 2*len(s.table))
		for n := range s.end {
			i := s.place(s.id(n))
			s.table[i] = uint32(n + 1)
		}
	}
	i := s.place(id)
	if n := s.table[i]; n > 0 {
		a := s.at[n-1]
		return at{s.sheets[a.sheet], int(a.row)}, true
	}
	if n := len(s.sheets); n == 0 || s.sheets[n-1] != here.sheet {
		s.sheets = append(s.sheets, here.sheet)
	}
	s.text = append(s.text, id...)
	s.end = append(s.end, uint32(len(s.text)))
	s.at = append(s.at, seenAt{uint32(len(s.sheets) - 1), uint32(here.row)})
	s.table[i] = uint32(len(s.end))
	return at{}, false
}

// place is where an id stands in the table, or would.
func (s *seen) place(id string) uint64 {
	mask := uint64(len(s.table) - 1)
	i := maphash.String(s.seed, id) & mask
	for ; s.table[i] > 0; i = (i + 1) & mask {
		if s.id(int(s.table[i]-1)) == id {
			break
		}
	}
	return i
}

func (s *seen) id(n int) string {
	from := uint32(0)
	if n > 0 {
		from = s.end[n-1]
	}
	return string(s.text[from:s.end[n]])
}
