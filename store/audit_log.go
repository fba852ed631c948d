package store

import (
	"encoding/binary"
	"slices"
	"strings"
)

// auditLog gathers what is new in the index of the audit trail. A scan appends
// two or three numbers a record, in ascending order.
type auditLog struct {
	cells  map[string]uint32 // class and name -> number of the cell
	names  []string          // by number
	posted []auditPost
	buf    []byte
}

// auditPost says that a record stands in a cell.
type auditPost struct {
	cell uint32
	seq  uint64
}

// add posts a record under a class and a name, which is the parts together.
func (l *auditLog) add(seq uint64, class byte, parts ...string) {
	l.buf = append(l.buf[:0], class)
	for _, p := range parts {
		l.buf = append(l.buf, p...)
	}
	if len(l.buf) > 1+maxAuditName {
		l.buf = append(l.buf[:0], auditName(class, string(l.buf[1:]))...)
	}
	cell, known := l.cells[string(l.buf)]
	if !known {
		if l.cells == nil {
			l.cells = map[string]uint32{}
		}
		cell = uint32(len(l.names))
		name := string(l.buf)
		l.cells[name] = cell
		l.names = append(l.names, name)
	}
	// A record names a thing twice at most by its subject and About, one after
	// the other.
	l.posted = append(l.posted, auditPost{cell, seq})
}

// each calls fn for every cell in the order of their keys, with its records in
// ascending order, each once.
func (l *auditLog) each(fn func(key string, seqs []uint64)) {
	// Sorted by counting: where the records of each cell begin, then each to
	// its place.
	begin := make([]uint32, len(l.names)+1)
	for _, p := range l.posted {
		begin[p.cell+1]++
	}
	for i := range l.names {
		begin[i+1] += begin[i]
	}
	seqs := make([]uint64, len(l.posted))
	next := slices.Clone(begin)
	for _, p := range l.posted {
		seqs[next[p.cell]] = p.seq
		next[p.cell]++
	}
	keys := make([]string, len(l.names))
	order := make([]uint32, len(l.names))
	for i, name := range l.names {
		order[i] = uint32(i)
		keys[i] = cellKey(indexAudit, []byte(name))
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(keys[a], keys[b]) })
	for _, i := range order {
		fn(keys[i], slices.Compact(seqs[begin[i]:begin[i+1]]))
	}
}

// auditOps gives the changes that post records, in the room of ops.
func auditOps(ops []postOp, seqs []uint64) []postOp {
	b := make([]byte, 0, 8*len(seqs))
	for _, seq := range seqs {
		b = binary.BigEndian.AppendUint64(b, seq)
	}
	members := string(b)
	for i := range seqs {
		ops = append(ops, postOp{member: members[8*i : 8*i+8]})
	}
	return ops
}
