package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// Postings are sorted lists of members, one list a cell; layout.go names the
// cells. A list is cut into chunks of at most maxChunk members:
//
//	key    index 1 | cell 00 01 | first member
//	value  list of: uint bytes shared with the member before | uint length | the other bytes
//
// A chunk holds every member of its cell from its key's member up to the next
// chunk's. Changes are gathered in the transaction and merged in at its end,
// cell by cell, so that a million of them touch each chunk once.
const (
	indexDue       = 'd'
	indexRaise     = 'r'
	indexNudge     = 'u'
	indexNext      = 'n'
	indexShort     = 's'
	indexBranch    = 'b'
	indexOfficer   = 'o'
	indexGuarantor = 'g'
	indexSecured   = 'c'
	indexAudit     = 'z' // behind the others: it grows when they stand

	maxChunk    = 128
	maxMember   = 1 << 15 // bytes; a longer one could not be a key
	postVersion = 1
)

// posting is one member of one cell.
type posting struct {
	cell   string // index 1 | cell 00 01
	member string
}

func comparePostings(a, b posting) int {
	if c := strings.Compare(a.cell, b.cell); c != 0 {
		return c
	}
	return strings.Compare(a.member, b.member)
}

func cellKey(index byte, cell []byte) string {
	return string(appendText([]byte{index}, string(cell)))
}

// postOp is a change of one member of a cell.
type postOp struct {
	member string
	drop   bool
}

// postLog holds the changes not yet merged of the indexes but those of plans
// (post_plans.go): cell -> in the order they came.
type postLog map[string][]postOp

func (tx *Tx) post(p posting, drop bool) {
	if tx.posts == nil {
		tx.posts = postLog{}
	}
	tx.posts[p.cell] = append(tx.posts[p.cell], postOp{p.member, drop})
}

// repost turns the postings of old into those of new; both are sorted and
// without doubles.
func (tx *Tx) repost(old, new []posting) {
	for len(old) > 0 || len(new) > 0 {
		c := -1
		switch {
		case len(old) == 0:
			c = 1
		case len(new) > 0:
			c = comparePostings(old[0], new[0])
		}
		switch {
		case c < 0:
			tx.post(old[0], true)
			old = old[1:]
		case c > 0:
			tx.post(new[0], false)
			new = new[1:]
		default:
			old, new = old[1:], new[1:]
		}
	}
}

// flushPostings merges what was gathered, cell by cell in their order.
func (tx *Tx) flushPostings() error {
	if len(tx.posts) == 0 && len(tx.places.cells) == 0 && len(tx.trail.posted) == 0 {
		return nil
	}
	tx.w.flushing = true
	m := &merger{w: tx.w.w, slab: &tx.w.slab}
	plain := slices.Sorted(maps.Keys(tx.posts))
	plainUpTo := func(key string) error {
		for len(plain) > 0 && (key == "" || plain[0] < key) {
			if err := m.cell(plain[0], lastOps(tx.posts[plain[0]])); err != nil {
				return err
			}
			plain = plain[1:]
		}
		return nil
	}
	for _, at := range tx.places.sorted() {
		key := tx.places.cells[at].key
		if err := plainUpTo(key); err != nil {
			return err
		}
		if err := m.cell(key, tx.places.ops(at)); err != nil {
			return err
		}
	}
	if err := plainUpTo(""); err != nil {
		return err
	}
	var ops []postOp
	err := tx.trail.each(func(key string, seqs []uint64) error { // behind all others
		ops = auditOps(ops[:0], seqs)
		return m.cell(key, ops)
	})
	if err != nil {
		return err
	}
	tx.posts, tx.places, tx.trail, tx.fresh = nil, placeLog{}, auditLog{}, nil
	tx.w.forget(bucketPost) // the merger wrote past it
	tx.w.flushing = false
	return nil
}

// lastOps sorts changes of a cell by member. Of several changes of a member the
// last one counts.
func lastOps(ops []postOp) []postOp {
	slices.SortStableFunc(ops, func(a, b postOp) int { return strings.Compare(a.member, b.member) })
	last := ops[:0]
	for i, op := range ops {
		if i+1 == len(ops) || ops[i+1].member != op.member {
			last = append(last, op)
		}
	}
	return last
}

// merger merges changes into the chunks of cells. It writes past the buffer:
// the keys come in order already.
type merger struct {
	w     Writer
	slab  *slab
	index byte // of the cells at hand
	none  bool // there was none of the index before
	key   []byte
	chunk []byte
	out   []string
}

// cell merges sorted changes into the chunks of a cell.
func (m *merger) cell(name string, ops []postOp) error {
	cell := []byte(name)
	if m.index != cell[0] {
		m.index = cell[0]
		key, _, err := first(m.w, cell[:1], prefixEnd(cell[:1]))
		if err != nil {
			return err
		}
		m.none = key == nil
	}
	end := prefixEnd(cell)
	for len(ops) > 0 {
		// The chunk of the first change: the last one not after it, or else
		// the first of the cell.
		var key, rec []byte
		var err error
		var next []byte // the key of the chunk after it
		last := true    // it is the last one of the cell
		if !m.none {
			key, rec, err = m.w.Last(bucketPost, cell, end)
			if err == nil && key != nil && string(key[len(cell):]) > ops[0].member {
				last = false
				m.key = append(append(append(m.key[:0], cell...), ops[0].member...), 0)
				key, rec, err = m.w.Last(bucketPost, cell, m.key)
				if err == nil && key == nil {
					key, rec, err = first(m.w, cell, end)
				}
			}
			if err != nil {
				return err
			}
		}
		var members []string
		if key != nil {
			key = bytes.Clone(key)
			if members, err = decodeChunk(key, cell, rec); err != nil {
				return err
			}
			if !last {
				if next, _, err = first(m.w, append(bytes.Clone(key), 0), end); err != nil {
					return err
				}
			}
		}
		n := len(ops)
		if next != nil {
			limit := string(next[len(cell):])
			n, _ = slices.BinarySearchFunc(ops, limit, func(op postOp, m string) int { return cmp.Compare(op.member, m) })
		}
		merged := merge(m.out[:0], members, ops[:n])
		m.out = merged
		ops = ops[n:]
		if slices.Equal(merged, members) {
			continue
		}
		if key != nil && (len(merged) == 0 || merged[0] != members[0]) {
			if err := m.w.Delete(bucketPost, key); err != nil {
				return err
			}
		}
		for parts := split(len(merged)); parts > 0; parts-- {
			part := merged[:len(merged)/parts]
			merged = merged[len(part):]
			m.key = append(append(m.key[:0], cell...), part[0]...)
			m.chunk = appendChunk(m.chunk[:0], part)
			rec := appendSealed(m.slab.take(len(m.chunk)+sealSize), bucketPost, m.key, postVersion, m.chunk)
			if err := m.w.Put(bucketPost, m.key, rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// merge appends to out what sorted changes make of sorted members.
func merge(out, members []string, ops []postOp) []string {
	for len(members) > 0 || len(ops) > 0 {
		if len(ops) == 0 || len(members) > 0 && members[0] < ops[0].member {
			out = append(out, members[0])
			members = members[1:]
			continue
		}
		if len(members) > 0 && members[0] == ops[0].member {
			members = members[1:]
		}
		if !ops[0].drop {
			out = append(out, ops[0].member)
		}
		ops = ops[1:]
	}
	return out
}

// split says into how many parts of even size so many members are cut, none
// above maxChunk. A chunk that overflows is cut in more parts than needed, so
// that they can grow.
func split(members int) int {
	if members == 0 {
		return 0
	}
	if members <= maxChunk {
		return 1
	}
	return (members + maxChunk*3/4 - 1) / (maxChunk * 3 / 4)
}

// first gives the first key of a range, a copy, and its record.
func first(r Reader, from, to []byte) (key, rec []byte, err error) {
	err = r.Scan(bucketPost, from, to, func(k, v []byte) error {
		key, rec = bytes.Clone(k), bytes.Clone(v)
		return errStop
	})
	if err == errStop {
		err = nil
	}
	return key, rec, err
}

func appendChunk(b []byte, members []string) []byte {
	prev := ""
	for _, m := range members {
		n := 0
		for n < len(prev) && n < len(m) && prev[n] == m[n] {
			n++
		}
		b = binary.AppendUvarint(b, uint64(n))
		b = binary.AppendUvarint(b, uint64(len(m)-n))
		b = append(b, m[n:]...)
		prev = m
	}
	return b
}

// decodeChunk gives a chunk's members, after a look that they are in order and
// begin with the key's. They are parts of one string.
func decodeChunk(key, cell, rec []byte) ([]string, error) {
	p, err := open(bucketPost, key, rec, postVersion)
	if err != nil {
		return nil, err
	}
	var ends [maxChunk]int     // of the members, laid end to end
	n, size, before := 0, 0, 0 // bytes of all, and of the member before
	for rest := p; len(rest) > 0; n++ {
		if n == maxChunk {
			return nil, damaged(bucketPost, key, "it has too many members")
		}
		shared, own, after := cutMember(rest)
		if after == nil || shared > uint64(before) || shared+uint64(len(own)) > maxMember {
			return nil, damaged(bucketPost, key, "%v", errBadRecord)
		}
		rest = after
		before = int(shared) + len(own)
		size += before
		ends[n] = size
	}
	text := make([]byte, 0, size)
	for rest, begin := p, 0; len(rest) > 0; {
		shared, own, after := cutMember(rest)
		from := len(text)
		text = append(append(text, text[begin:begin+int(shared)]...), own...)
		begin, rest = from, after
	}
	all, from := string(text), 0
	out := make([]string, n)
	for i := range out {
		out[i], from = all[from:ends[i]], ends[i]
		if i > 0 && out[i] <= out[i-1] {
			return nil, damaged(bucketPost, key, "its members are not in order")
		}
	}
	if len(out) == 0 || out[0] != string(key[len(cell):]) {
		return nil, damaged(bucketPost, key, "its members do not begin with its own")
	}
	return out, nil
}

// cutMember reads what appendChunk wrote of one member: how much it shares with
// the one before, and its own bytes. What follows is nil where there is no member.
func cutMember(p []byte) (shared uint64, own, after []byte) {
	shared, n := binary.Uvarint(p)
	if n <= 0 {
		return 0, nil, nil
	}
	p = p[n:]
	size, n := binary.Uvarint(p)
	if n <= 0 || size > uint64(len(p)-n) {
		return 0, nil, nil
	}
	return shared, p[n : n+int(size)], p[n+int(size):]
}

// members calls fn for the members of every cell in [from, to) of cell keys,
// in order. fn may call the store's methods that read.
func (tx *Tx) members(from, to []byte, fn func(cell []byte, member string) error) error {
	if tx.unmerged(from[0]) {
		if err := tx.flushPostings(); err != nil {
			return err
		}
	}
	return tx.r.Scan(bucketPost, from, to, func(key, rec []byte) error {
		if len(key) == 0 {
			return damaged(bucketPost, key, "it names no cell")
		}
		_, member, ok := cutText(key[1:])
		if !ok {
			return damaged(bucketPost, key, "it names no cell")
		}
		cell := key[:len(key)-len(member)]
		members, err := decodeChunk(key, cell, rec)
		if err != nil {
			return err
		}
		for _, m := range members {
			if err := fn(cell, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// unmerged says that the transaction changed something of the kind of an index:
// who plans officer by officer, and reads whose borrowers they are, need not
// have each merged before the next.
func (tx *Tx) unmerged(index byte) bool {
	switch index {
	case indexDue, indexRaise, indexNudge, indexNext, indexShort:
		return len(tx.places.cells) > 0
	case indexAudit:
		return len(tx.trail.posted) > 0
	}
	return len(tx.posts) > 0
}

// membersOf is members for one cell. Of an index of dossiers that is new in this
// transaction it gives what was gathered, and merges nothing: the cells of the
// plans stand before those of the officers, and each of them would move these.
func (tx *Tx) membersOf(cell []byte, fn func(cell []byte, member string) error) error {
	fresh, err := tx.freshIndex(cell[0])
	if err != nil {
		return err
	}
	if !fresh {
		return tx.members(cell, prefixEnd(cell), fn)
	}
	ops := lastOps(tx.posts[string(cell)])
	if len(ops) == 0 {
		return nil
	}
	tx.posts[string(cell)] = ops
	for _, op := range ops {
		if op.drop {
			continue
		}
		if err := fn(cell, op.member); err != nil {
			return err
		}
	}
	return nil
}

// freshIndex says that the backend has nothing yet of an index.
func (tx *Tx) freshIndex(index byte) (bool, error) {
	if tx.w == nil {
		return false, nil
	}
	fresh, known := tx.fresh[index]
	if !known {
		key, _, err := first(tx.w.w, []byte{index}, []byte{index + 1})
		if err != nil {
			return false, err
		}
		if tx.fresh == nil {
			tx.fresh = map[byte]bool{}
		}
		fresh = key == nil
		tx.fresh[index] = fresh
	}
	return fresh, nil
}

// cellMembers lists the members of one cell of an index of dossiers.
func (tx *Tx) cellMembers(index byte, cell string) ([]string, error) {
	var out []string
	err := tx.membersOf([]byte(cellKey(index, []byte(cell))), func(_ []byte, m string) error {
		out = append(out, m)
		return nil
	})
	return out, err
}
