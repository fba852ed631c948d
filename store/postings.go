package store

import (
	"bytes"
	"encoding/binary"
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
	tx.postsArranged = false
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
// in order. fn may call the store's methods that read. What the transaction
// gathered is laid over what is kept, and nothing is merged: chunks that are put
// between two plannings would be moved by all that the second one puts.
func (tx *Tx) members(from, to []byte, fn func(cell []byte, member string) error) error {
	if tx.forked {
		return errForked
	}
	if len(tx.trail.posted) > 0 && from[0] == indexAudit { // read by chunk, not by cell
		if err := tx.flushPostings(); err != nil {
			return err
		}
	}
	gathered := tx.gathered(from, to)
	emit := func(cell string, members []string) error {
		for _, m := range members {
			if err := fn([]byte(cell), m); err != nil {
				return err
			}
		}
		return nil
	}
	// upTo emits the cells that are not kept and come before one; "" is the end.
	upTo := func(cell string) error {
		for len(gathered) > 0 && (cell == "" || gathered[0].key < cell) {
			g := gathered[0]
			gathered = gathered[1:]
			if err := emit(g.key, merge(nil, nil, tx.opsOf(g))); err != nil {
				return err
			}
		}
		return nil
	}
	var changed []string // the members kept of a cell that has changes, so far
	whole := func() error {
		if changed == nil {
			return nil
		}
		g, members := gathered[0], changed
		gathered, changed = gathered[1:], nil
		return emit(g.key, merge(nil, members, tx.opsOf(g)))
	}
	err := tx.r.Scan(bucketPost, from, to, func(key, rec []byte) error {
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
		if changed != nil && gathered[0].key != string(cell) {
			if err := whole(); err != nil {
				return err
			}
		}
		if len(gathered) > 0 {
			if err := upTo(string(cell)); err != nil {
				return err
			}
			if len(gathered) > 0 && gathered[0].key == string(cell) {
				changed = append(changed, members...)
				return nil
			}
		}
		for _, m := range members {
			if err := fn(cell, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := whole(); err != nil {
		return err
	}
	return upTo("")
}

// gatheredCell is a cell with changes that are not merged.
type gatheredCell struct {
	key   string
	place int32 // its number among those of plans; -1 for another
}

// gathered lists the cells in [from, to) that have changes, by key.
func (tx *Tx) gathered(from, to []byte) []gatheredCell {
	if tx.w == nil {
		return nil
	}
	var out []gatheredCell
	add := func(key string, place int32) {
		if key >= string(from) && (to == nil || key < string(to)) {
			out = append(out, gatheredCell{key, place})
		}
	}
	for i := range tx.places.cells {
		add(tx.places.cells[i].key, int32(i))
	}
	for key := range tx.posts {
		add(key, -1)
	}
	slices.SortFunc(out, func(a, b gatheredCell) int { return strings.Compare(a.key, b.key) })
	return out
}

// opsOf gives the changes of a cell, sorted by member.
func (tx *Tx) opsOf(g gatheredCell) []postOp {
	if g.place >= 0 {
		return tx.places.ops(uint32(g.place), nil)
	}
	ops := lastOps(tx.posts[g.key])
	tx.posts[g.key] = ops
	return ops
}

// arrangePosts has the changes of every cell of dossiers in order.
func (tx *Tx) arrangePosts() {
	if tx.postsArranged {
		return
	}
	for cell, ops := range tx.posts {
		tx.posts[cell] = lastOps(ops)
	}
	tx.postsArranged = true
}

// membersOf is members for one cell of an index of dossiers.
func (tx *Tx) membersOf(cell []byte, fn func(cell []byte, member string) error) error {
	ops := tx.posts[string(cell)]
	if len(ops) > 0 && !tx.forked {
		ops = slices.Clone(tx.opsOf(gatheredCell{string(cell), -1}))
	}
	var kept []string
	fresh, err := tx.freshIndex(cell[0])
	if err != nil {
		return err
	}
	if !fresh {
		err := tx.r.Scan(bucketPost, cell, prefixEnd(cell), func(key, rec []byte) error {
			members, err := decodeChunk(key, cell, rec)
			kept = append(kept, members...)
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, m := range merge(nil, kept, ops) {
		if err := fn(cell, m); err != nil {
			return err
		}
	}
	return nil
}

// freshIndex says that the backend has nothing yet of an index.
func (tx *Tx) freshIndex(index byte) (bool, error) {
	if tx.w == nil && !tx.forked {
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
