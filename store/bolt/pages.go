package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sort"
)

// The pages of a bbolt file, numbers in the byte order of the machine:
//
//	page     id 8 | flags 2 | count 2 | overflow 4 | elements | keys and values
//	branch   pos 4 | ksize 4 | child 8
//	leaf     flags 4 | pos 4 | ksize 4 | vsize 4
//
// pos counts from the element's own beginning. bbolt writes keys and values
// without a gap, in the order of the elements, so that each pos, size and
// count is determined by the others: one that was changed is found. A page
// that is too small for its content has overflow more of them behind it.
const (
	pageHeader  = 16
	elementSize = 16

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10

	maxDepth = 32 // of a tree; a deeper one goes in circles
)

var order = binary.NativeEndian

// A fault is what is wrong with a page. It becomes a store.Damage at the rim.
type fault struct {
	page   uint64
	reason string
}

func (f *fault) Error() string { return fmt.Sprintf("page %d %s", f.page, f.reason) }

// page is a page of the tree with its overflow.
type page struct {
	id   uint64
	b    []byte
	n    int
	leaf bool
}

func (p page) element(i int) []byte { return p.b[pageHeader+i*elementSize:][:elementSize] }

func (p page) sizes(i int) (pos, ksize, vsize uint32) {
	e := p.element(i)
	if p.leaf {
		return order.Uint32(e[4:]), order.Uint32(e[8:]), order.Uint32(e[12:])
	}
	return order.Uint32(e), order.Uint32(e[4:]), 0
}

func (p page) key(i int) []byte {
	pos, ksize, _ := p.sizes(i)
	at := pageHeader + i*elementSize + int(pos)
	return p.b[at : at+int(ksize) : at+int(ksize)]
}

func (p page) value(i int) []byte {
	pos, ksize, vsize := p.sizes(i)
	at := pageHeader + i*elementSize + int(pos) + int(ksize)
	return p.b[at : at+int(vsize) : at+int(vsize)]
}

// find gives the value of a key of a leaf. Where it finds none there may be one:
// a leaf's keys are known to be in order only where their records were proved.
func (p page) find(key []byte) (value []byte, ok bool) {
	i := sort.Search(p.n, func(i int) bool { return bytes.Compare(p.key(i), key) >= 0 })
	if i == p.n || !bytes.Equal(p.key(i), key) {
		return nil, false
	}
	return p.value(i), true
}

func (p page) child(i int) uint64 { return order.Uint64(p.element(i)[8:]) }

// pages reads the pages of a file, of which data is the part in use.
type pages struct {
	data []byte
	size int
}

func (f pages) count() uint64 { return uint64(len(f.data) / f.size) }

// read gives a page of a tree after a look at all of its numbers. The keys are
// in order where it is a branch; those of a leaf are proved by their records'
// checksums.
func (f pages) read(id uint64) (page, error) {
	if id < 2 || id >= f.count() {
		return page{}, &fault{id, "is outside the file"}
	}
	b := f.data[id*uint64(f.size):]
	if order.Uint64(b) != id {
		return page{}, &fault{id, "does not know its own number"}
	}
	flags, n, overflow := order.Uint16(b[8:]), int(order.Uint16(b[10:])), uint64(order.Uint32(b[12:]))
	if flags != flagBranch && flags != flagLeaf {
		return page{}, &fault{id, "is no page of the tree"}
	}
	if n == 0 {
		return page{}, &fault{id, "is empty"}
	}
	if overflow >= f.count()-id {
		return page{}, &fault{id, "reaches beyond the file"}
	}
	p := page{id: id, b: b[:(overflow+1)*uint64(f.size)], n: n, leaf: flags == flagLeaf}
	at := pageHeader + n*elementSize
	if at > len(p.b) {
		return page{}, &fault{id, "is too small for its elements"}
	}
	for i := range n {
		pos, ksize, vsize := p.sizes(i)
		if p.leaf && order.Uint32(p.element(i)) != 0 { // bbolt would give no value for it
			return page{}, &fault{id, "holds another tree"}
		}
		if int(pos) != at-pageHeader-i*elementSize || ksize == 0 {
			return page{}, &fault{id, "has an element out of place"}
		}
		at += int(ksize) + int(vsize)
		if at > len(p.b) {
			return page{}, &fault{id, "is too small for its elements"}
		}
	}
	if (at+f.size-1)/f.size != len(p.b)/f.size {
		return page{}, &fault{id, "is larger than its elements"}
	}
	if !p.leaf {
		if err := p.sorted(); err != nil {
			return page{}, err
		}
	}
	return p, nil
}

func (p page) sorted() error {
	before := p.key(0)
	for i := 1; i < p.n; i++ {
		key := p.key(i)
		if bytes.Compare(before, key) >= 0 {
			return &fault{p.id, "has its keys out of order"}
		}
		before = key
	}
	return nil
}

// within says whether a page's keys are in [low, high); high nil is no bound.
func (p page) within(low, high []byte) error {
	if bytes.Compare(p.key(0), low) < 0 || high != nil && bytes.Compare(p.key(p.n-1), high) >= 0 {
		return &fault{p.id, "holds keys that belong elsewhere"}
	}
	return nil
}

// tree is one state of the tree, as it was committed.
type tree struct {
	pages
	root  uint64
	depth int             // pages from the root to a leaf, both counted
	seen  map[uint64]page // the branches read in this transaction
	last  [2]page         // the leaves read last, the latest first: two buckets are often read side by side

	// The way walked last: its leaf and the keys that belong there. The tree
	// does not change, so that who walks to a key among them goes the same way.
	way       page
	low, high []byte
}

func newTree(f pages, root uint64) (*tree, error) {
	t := &tree{pages: f, root: root, seen: map[uint64]page{}}
	for id := root; ; t.depth++ {
		p, err := t.get(id)
		if err != nil {
			return nil, err
		}
		if t.depth == maxDepth {
			return nil, &fault{id, "is its own descendant"}
		}
		if !bytes.Equal(p.key(0), firstKey) {
			return nil, &fault{id, "does not begin with the first key"}
		}
		if p.leaf {
			t.depth++
			break
		}
		id = p.child(0)
	}
	_, _, p, err := t.walk(lastKey, false)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(p.key(p.n-1), lastKey) {
		return nil, &fault{p.id, "does not end with the last key"}
	}
	return t, nil
}

// fork gives the same tree to another reader.
func (t *tree) fork() *tree {
	return &tree{pages: t.pages, root: t.root, depth: t.depth, seen: map[uint64]page{}}
}

func (t *tree) get(id uint64) (page, error) {
	for _, p := range t.last {
		if p.id == id {
			return p, nil
		}
	}
	if p, ok := t.seen[id]; ok {
		return p, nil
	}
	p, err := t.read(id)
	switch {
	case err != nil:
		return page{}, err
	case p.leaf:
		t.last[0], t.last[1] = p, t.last[0]
	default:
		t.seen[id] = p
	}
	return p, nil
}

// walk checks the way from the root to the leaf that holds the key, or where
// below is set, to the leaf that holds the keys just below it. It gives the
// leaf and the range of keys that belong there; high nil is the end.
func (t *tree) walk(key []byte, below bool) (low, high []byte, leaf page, err error) {
	if t.known(key, below) {
		return t.low, t.high, t.way, nil
	}
	id := t.root
	for level := 1; ; level++ {
		p, err := t.get(id)
		if err != nil {
			return nil, nil, page{}, err
		}
		if err := p.within(low, high); err != nil {
			return nil, nil, page{}, err
		}
		if p.leaf != (level == t.depth) {
			return nil, nil, page{}, &fault{id, "is on the wrong level"}
		}
		if p.leaf {
			t.way, t.low, t.high = p, low, high
			return low, high, p, nil
		}
		// The last element not above the key.
		i := sort.Search(p.n, func(i int) bool {
			c := bytes.Compare(p.key(i), key)
			return c > 0 || below && c == 0
		}) - 1
		i = max(i, 0)
		low = p.key(i)
		if i+1 < p.n {
			high = p.key(i + 1)
		}
		id = p.child(i)
	}
}

// known says that the way to a key is the one walked last.
func (t *tree) known(key []byte, below bool) bool {
	if t.low == nil {
		return false
	}
	if below { // the keys just below the first of a leaf are in the one before
		return bytes.Compare(key, t.low) > 0 && (t.high == nil || bytes.Compare(key, t.high) <= 0)
	}
	return bytes.Compare(key, t.low) >= 0 && (t.high == nil || bytes.Compare(key, t.high) < 0)
}

// all walks the whole tree and calls report for what is wrong with it. It
// reads the branches, and the leaves too where leaves is set. mark is called
// for each page of it, and says false where the page was marked before. visit
// is called for each leaf that was read, and ends the walk by saying false.
func (t *tree) all(leaves bool, mark func(id uint64) bool, visit func(leaf page) bool, report func(error)) {
	ended := false
	var down func(id uint64, level int, low, high []byte)
	down = func(id uint64, level int, low, high []byte) {
		if ended {
			return
		}
		if !mark(id) {
			report(&fault{id, "is used twice"})
			return
		}
		if level == t.depth && !leaves {
			if id < 2 || id >= t.count() {
				report(&fault{id, "is outside the file"})
			}
			return
		}
		p, err := t.read(id)
		if err == nil {
			err = p.within(low, high)
		}
		if err == nil && p.leaf {
			err = p.sorted()
		}
		if err == nil && p.leaf != (level == t.depth) {
			err = &fault{id, "is on the wrong level"}
		}
		if err != nil {
			report(err)
			return
		}
		for o := 1; o < len(p.b)/t.size; o++ {
			if !mark(id + uint64(o)) {
				report(&fault{id + uint64(o), "is used twice"})
			}
		}
		if p.leaf {
			ended = !visit(p)
			return
		}
		for i := range p.n {
			h := high
			if i+1 < p.n {
				h = p.key(i + 1)
			}
			down(p.child(i), level+1, p.key(i), h)
		}
	}
	down(t.root, 1, nil, nil)
}

// bitmap marks pages.
type bitmap []uint64

func newBitmap(n uint64) bitmap { return make(bitmap, n/64+1) }

func (m bitmap) has(id uint64) bool { return id/64 < uint64(len(m)) && m[id/64]&(1<<(id%64)) != 0 }

// mark marks a page and says whether it was not marked.
func (m bitmap) mark(id uint64) bool {
	if id/64 >= uint64(len(m)) || m.has(id) {
		return false
	}
	m[id/64] |= 1 << (id % 64)
	return true
}
