package store

import (
	"bytes"
	"cmp"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
)

// cellsAtOnce is how many cells a merger takes at a time.
const cellsAtOnce = 64

// cellChange is a cell with what was gathered for it: numbers of audit records,
// or else as opsOf has it.
type cellChange struct {
	gatheredCell
	seqs []uint64
}

// flushPostings merges what was gathered, cell by cell. The chunks are made on
// every core, since nothing is written meanwhile, and are then put in the order of
// their keys.
func (tx *Tx) flushPostings() error {
	if len(tx.posts) == 0 && len(tx.places.cells) == 0 && len(tx.trail.posted) == 0 {
		return nil
	}
	shares := slices.Collect(slices.Chunk(tx.cellChanges(), cellsAtOnce))
	mergers, err := tx.mergers(len(shares))
	if err != nil {
		return err
	}
	made := make([][]held, len(shares))
	errs := make([]error, len(shares))
	var next atomic.Int64
	together(len(mergers), func(i int) {
		for n := int(next.Add(1)) - 1; n < len(shares); n = int(next.Add(1)) - 1 {
			made[n], errs[n] = mergers[i].share(shares[n])
		}
	})
	tx.w.flushing = true
	for n := range shares {
		if errs[n] != nil {
			return errs[n]
		}
		for _, h := range made[n] {
			if h.rec == nil {
				err = tx.w.w.Delete(bucketPost, h.key)
			} else {
				err = tx.w.w.Put(bucketPost, h.key, h.rec)
			}
			if err != nil {
				return err
			}
		}
	}
	tx.posts, tx.places, tx.trail, tx.fresh, tx.forks = nil, placeLog{}, auditLog{}, nil, nil
	tx.w.forget(bucketPost) // this was written past it
	tx.w.flushing = false
	return nil
}

// together does work on several cores. A panic in one of them goes on here.
func together(n int, work func(i int)) {
	if n == 1 {
		work(0)
		return
	}
	var wait sync.WaitGroup
	var fault atomic.Pointer[any]
	for i := range n {
		wait.Go(func() {
			defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
			defer func() {
				if p := recover(); p != nil {
					fault.Store(&p)
				}
			}()
			work(i)
		})
	}
	wait.Wait()
	if p := fault.Load(); p != nil {
		panic(*p)
	}
}

// cellChanges lists the cells that something was gathered for, by key.
func (tx *Tx) cellChanges() []cellChange {
	tx.arrangePosts()
	plain := slices.Sorted(maps.Keys(tx.posts))
	out := make([]cellChange, 0, len(plain)+len(tx.places.cells)+len(tx.trail.names))
	plainUpTo := func(key string) {
		for len(plain) > 0 && (key == "" || plain[0] < key) {
			out = append(out, cellChange{gatheredCell: gatheredCell{plain[0], -1}})
			plain = plain[1:]
		}
	}
	for _, at := range tx.places.sorted() {
		key := tx.places.cells[at].key
		plainUpTo(key)
		out = append(out, cellChange{gatheredCell: gatheredCell{key, int32(at)}})
	}
	plainUpTo("")
	tx.trail.each(func(key string, seqs []uint64) { // behind all others
		out = append(out, cellChange{gatheredCell{key, -1}, seqs})
	})
	return out
}

// mergers gives as many as there are cores and shares of work for, each with a
// reader of its own.
func (tx *Tx) mergers(shares int) ([]*merger, error) {
	n := min(runtime.GOMAXPROCS(0), shares)
	from, ok := tx.w.w.(Forker)
	if !ok || n < 2 {
		return []*merger{{tx: tx, r: tx.w.w, slab: &tx.w.slab}}, nil
	}
	for len(tx.slabs) < n {
		tx.slabs = append(tx.slabs, new(slab))
	}
	out := make([]*merger, n)
	for i := range out {
		out[i] = &merger{tx: tx, r: from.Fork(), slab: tx.slabs[i]}
	}
	return out, nil
}

// merger works out what changes make of the chunks of cells. It writes nothing.
type merger struct {
	tx    *Tx
	r     Reader
	slab  *slab
	index byte // of the cells at hand
	none  bool // there was none of the index before
	key   []byte
	chunk []byte
	ops   []postOp
	out   []string
	made  []held
}

// share gives the chunks to be put, and to be deleted, for some cells, by key.
func (m *merger) share(cells []cellChange) ([]held, error) {
	m.made = nil
	for _, c := range cells {
		if c.seqs != nil {
			m.ops = auditOps(m.ops[:0], c.seqs)
		} else if c.place >= 0 {
			m.ops = m.tx.places.ops(uint32(c.place), m.ops[:0])
		} else {
			m.ops = append(m.ops[:0], m.tx.posts[c.key]...)
		}
		if err := m.cell(c.key, m.ops); err != nil {
			return nil, err
		}
	}
	return m.made, nil
}

// cell merges sorted changes into the chunks of a cell.
func (m *merger) cell(name string, ops []postOp) error {
	cell := []byte(name)
	if m.index != cell[0] {
		m.index = cell[0]
		key, _, err := first(m.r, cell[:1], prefixEnd(cell[:1]))
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
			key, rec, err = m.r.Last(bucketPost, cell, end)
			if err == nil && key != nil && string(key[len(cell):]) > ops[0].member {
				last = false
				m.key = append(append(append(m.key[:0], cell...), ops[0].member...), 0)
				key, rec, err = m.r.Last(bucketPost, cell, m.key)
				if err == nil && key == nil {
					key, rec, err = first(m.r, cell, end)
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
				if next, _, err = first(m.r, append(bytes.Clone(key), 0), end); err != nil {
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
			m.made = append(m.made, held{key: key})
		}
		for parts := split(len(merged)); parts > 0; parts-- {
			part := merged[:len(merged)/parts]
			merged = merged[len(part):]
			m.key = append(append(m.key[:0], cell...), part[0]...)
			m.chunk = appendChunk(m.chunk[:0], part)
			rec := appendSealed(m.slab.take(len(m.chunk)+sealSize), bucketPost, m.key, postVersion, m.chunk)
			m.made = append(m.made, held{m.slab.keep(m.key), rec})
		}
	}
	return nil
}
