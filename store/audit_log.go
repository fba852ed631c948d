package store

import "encoding/binary"

// auditLog gathers what is new in the index of the audit trail. A scan appends
// three numbers a record, in ascending order.
type auditLog struct {
	cells map[string]*auditCell // by name
	buf   []byte
	ops   []postOp
}

type auditCell struct {
	key  string
	seqs []uint64
}

func (l *auditLog) add(class byte, name string, seq uint64) {
	l.buf = append(append(l.buf[:0], class), name...)
	if len(name) > maxAuditName {
		l.buf = append(l.buf[:0], auditName(class, name)...)
	}
	c := l.cells[string(l.buf)]
	if c == nil {
		if l.cells == nil {
			l.cells = map[string]*auditCell{}
		}
		c = &auditCell{key: cellKey(indexAudit, l.buf)}
		l.cells[string(l.buf)] = c
	}
	if n := len(c.seqs); n == 0 || c.seqs[n-1] != seq {
		c.seqs = append(c.seqs, seq)
	}
}

// of gives the changes of a cell. They are valid until the next call.
func (l *auditLog) of(c *auditCell) []postOp {
	b := make([]byte, 0, 8*len(c.seqs))
	for _, seq := range c.seqs {
		b = binary.BigEndian.AppendUint64(b, seq)
	}
	members := string(b)
	l.ops = l.ops[:0]
	for i := range c.seqs {
		l.ops = append(l.ops, postOp{member: members[8*i : 8*i+8]})
	}
	return l.ops
}
