package store

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// buffer holds back the writes of a transaction and gives them to the backend
// in the order of their keys at its end: an import writes its keys as they come,
// and a B+tree takes a million keys in order ten times as fast as at random.
//
// What was held back is laid over what the backend has, and is seen at once.
type buffer struct {
	w    Writer
	pend map[string]*pending // by bucket
	none map[string]bool     // whether the backend holds nothing in a bucket, as far as that was looked at
	slab slab                // of the keys and records

	flushing bool // what was held back is being written
}

// pending are the writes that a bucket holds back, one a key.
type pending struct {
	list  []held
	index []uint32     // hash table: place in the list + 1, 0 is free; nil while the keys came in order
	seed  maphash.Seed // of the table
	order []uint32     // places in the order of the keys, as far as that was asked for; not while they came in order
}

// held is one write; a nil record is a deletion.
type held struct{ key, rec []byte }

func newBuffer(w Writer) *buffer {
	return &buffer{w: w, pend: map[string]*pending{}, none: map[string]bool{}}
}

// find gives where a key stands in the list.
func (p *pending) find(key []byte) (at int, there bool) {
	n := len(p.list)
	switch {
	case n == 0:
		return 0, false
	case p.index != nil:
		mask := uint64(len(p.index) - 1)
		for h := maphash.Bytes(p.seed, key) & mask; p.index[h] > 0; h = (h + 1) & mask {
			if at := int(p.index[h] - 1); bytes.Equal(p.list[at].key, key) {
				return at, true
			}
		}
		return n, false
	case bytes.Compare(key, p.list[n-1].key) > 0:
		return n, false
	}
	return slices.BinarySearchFunc(p.list, key, func(h held, key []byte) int { return bytes.Compare(h.key, key) })
}

// add appends a key that is not there. Once one comes out of order all of
// them are found by a table.
func (p *pending) add(h held) {
	n := len(p.list)
	ordered := p.index == nil && (n == 0 || bytes.Compare(h.key, p.list[n-1].key) > 0)
	p.list = append(p.list, h)
	switch {
	case ordered:
	case p.index == nil || 2*len(p.list) > len(p.index):
		p.rebuild()
	default:
		p.enter(n)
	}
}

func (p *pending) rebuild() {
	size := 64
	for size < 4*len(p.list) {
		size *= 2
	}
	p.index, p.seed = make([]uint32, size), maphash.MakeSeed()
	for at := range p.list {
		p.enter(at)
	}
}

func (p *pending) enter(at int) {
	mask := uint64(len(p.index) - 1)
	h := maphash.Bytes(p.seed, p.list[at].key) & mask
	for p.index[h] > 0 {
		h = (h + 1) & mask
	}
	p.index[h] = uint32(at + 1)
}

// arrange has the keys at hand in their order.
func (p *pending) arrange() {
	if p == nil || p.index == nil || len(p.order) == len(p.list) {
		return
	}
	p.order = slices.Grow(p.order[:0], len(p.list))
	for at := range p.list {
		p.order = append(p.order, uint32(at))
	}
	slices.SortFunc(p.order, func(a, b uint32) int { return bytes.Compare(p.list[a].key, p.list[b].key) })
}

// at gives the i-th write in the order of the keys, after arrange.
func (p *pending) at(i int) *held {
	if p.index != nil {
		i = int(p.order[i])
	}
	return &p.list[i]
}

// seek gives the first write at a key or after it, after arrange.
func (p *pending) seek(key []byte) int {
	if p == nil {
		return 0
	}
	low, high := 0, len(p.list)
	for low < high {
		if mid := int(uint(low+high) / 2); bytes.Compare(p.at(mid).key, key) < 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

func (p *pending) len() int {
	if p == nil {
		return 0
	}
	return len(p.list)
}

// blank says that the backend holds nothing in a bucket: the first import asks
// for a million keys, none of which is there.
func (b *buffer) blank(bucket string) (bool, error) {
	none, known := b.none[bucket]
	if !known {
		key, _, err := b.w.Last(bucket, nil, nil)
		if err != nil {
			return false, err
		}
		none = key == nil
		b.none[bucket] = none
	}
	return none, nil
}

func (b *buffer) Get(bucket string, key []byte) ([]byte, error) {
	if p := b.pend[bucket]; p != nil {
		if at, there := p.find(key); there {
			return p.list[at].rec, nil
		}
	}
	if none, err := b.blank(bucket); none || err != nil {
		return nil, err
	}
	return b.w.Get(bucket, key)
}

func (b *buffer) Scan(bucket string, from, to []byte, fn func(key, value []byte) error) error {
	none, err := b.blank(bucket)
	if err != nil {
		return err
	}
	r := Reader(b.w)
	if none {
		r = empty{}
	}
	return b.over(r, bucket, from, to, fn)
}

// over goes through what a reader has of a range with the writes laid over it.
// fn may write; what it writes to keys after its own is seen.
func (b *buffer) over(r Reader, bucket string, from, to []byte, fn func(key, value []byte) error) error {
	p := b.pend[bucket]
	p.arrange()
	i, n := p.seek(from), p.len()
	reseek := func(after []byte) {
		if p = b.pend[bucket]; p.len() != n || p != nil && p.index != nil && len(p.order) != n {
			p.arrange()
			i, n = p.seek(append(bytes.Clone(after), 0)), p.len()
		}
	}
	// upTo gives the writes before a key; nil is the end of the range.
	upTo := func(key []byte) error {
		for i < n {
			h := p.at(i)
			if key != nil && bytes.Compare(h.key, key) >= 0 || to != nil && bytes.Compare(h.key, to) >= 0 {
				return nil
			}
			i++
			if h.rec == nil {
				continue
			}
			if err := fn(h.key, h.rec); err != nil {
				return err
			}
			reseek(h.key)
		}
		return nil
	}
	err := r.Scan(bucket, from, to, func(key, value []byte) error {
		if err := upTo(key); err != nil {
			return err
		}
		if i < n && bytes.Equal(p.at(i).key, key) {
			value = p.at(i).rec
			i++
			if value == nil {
				return nil
			}
		}
		if err := fn(key, value); err != nil {
			return err
		}
		reseek(key)
		return nil
	})
	if err != nil {
		return err
	}
	return upTo(nil)
}

func (b *buffer) Last(bucket string, from, to []byte) (key, value []byte, err error) {
	return b.lastOver(b.w, bucket, from, to)
}

func (b *buffer) lastOver(r Reader, bucket string, from, to []byte) (key, value []byte, err error) {
	p := b.pend[bucket]
	p.arrange()
	i := p.len()
	if to != nil {
		i = p.seek(to)
	}
	for end := to; ; end = key {
		key, value, err = r.Last(bucket, from, end)
		if err != nil {
			return nil, nil, err
		}
		// The writes behind it come first.
		for i > 0 && bytes.Compare(p.at(i-1).key, from) >= 0 && (key == nil || bytes.Compare(p.at(i-1).key, key) >= 0) {
			i--
			if h := p.at(i); h.rec != nil {
				return h.key, h.rec, nil
			} else if key != nil && bytes.Equal(h.key, key) {
				value = nil // deleted
			}
		}
		if key == nil || value != nil {
			return key, value, nil
		}
		key = bytes.Clone(key)
	}
}

// put seals a record and holds it back.
func (b *buffer) put(bucket string, key []byte, version byte, payload []byte) {
	b.hold(bucket, key, appendSealed(b.slab.take(len(payload)+sealSize), bucket, key, version, payload))
}

// delete holds a deletion back.
func (b *buffer) delete(bucket string, key []byte) error {
	if b.pend[bucket].len() == 0 {
		if none, err := b.blank(bucket); none || err != nil {
			return err
		}
	}
	b.hold(bucket, key, nil)
	return nil
}

func (b *buffer) hold(bucket string, key, rec []byte) {
	p := b.pend[bucket]
	if p == nil {
		p = &pending{}
		b.pend[bucket] = p
	}
	if at, there := p.find(key); there {
		p.list[at].rec = rec
		return
	}
	p.add(held{b.slab.keep(key), rec})
}

// flush writes the buckets of the list.
func (b *buffer) flush(buckets []string) error {
	for _, bucket := range buckets {
		if err := b.flushBucket(bucket); err != nil {
			return err
		}
	}
	return nil
}

func (b *buffer) flushBucket(bucket string) error {
	p := b.pend[bucket]
	if p.len() == 0 {
		return nil
	}
	b.flushing = true
	p.arrange()
	for i := range p.len() {
		var err error
		if h := p.at(i); h.rec == nil {
			err = b.w.Delete(bucket, h.key)
		} else {
			err = b.w.Put(bucket, h.key, h.rec)
		}
		if err != nil {
			return err
		}
	}
	b.forget(bucket)
	b.flushing = false
	return nil
}

// forget drops what a bucket holds back, and what was seen of it.
func (b *buffer) forget(bucket string) {
	delete(b.none, bucket)
	delete(b.pend, bucket)
}

// empty is a Reader of nothing.
type empty struct{}

func (empty) Get(string, []byte) ([]byte, error)                               { return nil, nil }
func (empty) Scan(string, []byte, []byte, func(key, value []byte) error) error { return nil }
func (empty) Last(string, []byte, []byte) (key, value []byte, err error)       { return nil, nil, nil }
