package store

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"time"

	"tickler/calendar"
)

// The binary records are made of
//
//	uint     uvarint
//	int      varint, zigzag
//	day      int: the difference from the record's last day but for the first
//	bool     within a bit mask, uint
//	time     int seconds since 1970 | uint nanoseconds; UTC
//	text     uint n: 0 is "", n <= texts seen so far is the n-th of them,
//	         n = seen+1 is a new one, and its length (uint) and bytes follow
//	name     uint: a number of the dict
//	list     uint count | the parts
//
// A list or map that is empty comes back nil.

// encoder appends the parts of one record.
type encoder struct {
	tx    *Tx
	b     []byte
	day0  calendar.Date
	texts []string
	index map[string]uint64 // text -> n, once there are many
	names *[256]namedNumber // of the dict, looked up last: see name
	err   error
}

// namedNumber is a name with its number, which it has for ever.
type namedNumber struct {
	name   string
	number uint32
}

func (e *encoder) reset(tx *Tx) {
	e.tx, e.b, e.day0, e.texts, e.err = tx, e.b[:0], 0, e.texts[:0], nil
	clear(e.index)
}

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)   { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) day(d calendar.Date) {
	e.int(int64(d) - int64(e.day0))
	e.day0 = d
}

func (e *encoder) time(t time.Time) {
	e.int(t.Unix())
	e.uint(uint64(t.Nanosecond()))
}

const manyTexts = 24

func (e *encoder) text(s string) {
	if s == "" {
		e.uint(0)
		return
	}
	if len(e.texts) < manyTexts {
		for i, t := range e.texts {
			if t == s {
				e.uint(uint64(i + 1))
				return
			}
		}
	} else if n, ok := e.index[s]; ok {
		e.uint(n)
		return
	}
	e.learn(s)
	e.uint(uint64(len(e.texts)))
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

// learn gives a new text the next number.
func (e *encoder) learn(s string) {
	e.texts = append(e.texts, s)
	switch n := len(e.texts); {
	case n < manyTexts:
	case n > manyTexts:
		e.index[s] = uint64(n)
	default:
		if e.index == nil {
			e.index = map[string]uint64{}
		}
		for i, t := range e.texts {
			e.index[t] = uint64(i + 1)
		}
	}
}

// name writes a string of few values. One too long for the dict is written as
// number 0 within a text: 0 | text; the empty name is 0 and an empty text.
func (e *encoder) name(s string) {
	if len(s) > maxDictString || s == "" {
		e.uint(0)
		e.text(s)
		return
	}
	if e.names == nil {
		e.names = new([256]namedNumber)
	}
	// The same few names come again and again: each has a place, where
	// another one of the same looks may stand.
	last := &e.names[byte(len(s)*31+int(s[0])+int(s[len(s)-1])*7+int(s[len(s)/2])*13)]
	if last.name == s {
		e.uint(uint64(last.number))
		return
	}
	n, err := e.tx.number(s)
	switch {
	case err == nil:
		*last = namedNumber{s, n}
	case e.err == nil:
		e.err = err
	}
	e.uint(uint64(n))
}

var errBadRecord = errors.New("the record does not make sense")

// decoder reads what an encoder wrote. After a mistake every part is zero and
// err is set; nothing panics, and nothing is allocated that the record's own
// length does not account for.
type decoder struct {
	tx    *Tx
	s     string // the record, and the fence behind it; texts are parts of it
	pos   int
	day0  calendar.Date
	texts []string
	list  string   // of roles, cut last
	cut   []string // into these
	err   error
}

// fence stands behind a record, and begins no number: whoever reads on to it
// need not ask before where the record ends.
const fence = 0x80

func fenced(payload []byte) string {
	var b strings.Builder
	b.Grow(len(payload) + 1)
	b.Write(payload)
	b.WriteByte(fence)
	return b.String()
}

// left is how many bytes of the record were not read yet.
func (d *decoder) left() int { return len(d.s) - 1 - d.pos }

func newDecoder(tx *Tx, payload []byte) *decoder {
	return &decoder{tx: tx, s: fenced(payload)}
}

// borrowDecoder is newDecoder for records that are read by the thousand: it
// takes one that was given back, with the room that it has.
func (tx *Tx) borrowDecoder(payload []byte) *decoder {
	n := len(tx.spare)
	if n == 0 {
		return newDecoder(tx, payload)
	}
	d := tx.spare[n-1]
	tx.spare = tx.spare[:n-1]
	d.s, d.pos, d.day0, d.texts, d.err = fenced(payload), 0, 0, d.texts[:0], nil
	return d
}

func (tx *Tx) giveBack(d *decoder) { tx.spare = append(tx.spare, d) }

func (d *decoder) fail() {
	if d.err == nil {
		d.err = errBadRecord
	}
	d.pos = len(d.s) - 1
}

// uint reads what encoding/binary calls a uvarint. Nearly all take one byte, and
// the compiler puts that much where it is called: look with -gcflags=-m before
// you add to it.
func (d *decoder) uint() uint64 {
	if c := d.s[d.pos]; c < 0x80 {
		d.pos++
		return uint64(c)
	}
	return d.longUint()
}

func (d *decoder) longUint() uint64 {
	var v uint64
	for shift, pos := 0, d.pos; pos < len(d.s)-1 && shift < 64; shift, pos = shift+7, pos+1 {
		c := uint64(d.s[pos])
		if c < 0x80 {
			if shift == 63 && c > 1 {
				break // more than 64 bits
			}
			d.pos = pos + 1
			return v | c<<shift
		}
		v |= c & 0x7f << shift
	}
	d.fail()
	return 0
}

func (d *decoder) int() int64 {
	u := d.uint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) day() calendar.Date {
	v := int64(d.day0) + d.int()
	if v < math.MinInt32 || v > math.MaxInt32 {
		d.fail()
		return 0
	}
	d.day0 = calendar.Date(v)
	return d.day0
}

func (d *decoder) time() time.Time {
	sec, nsec := d.int(), d.uint()
	if nsec >= 1e9 || d.err != nil {
		d.fail()
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

func (d *decoder) text() string {
	n := d.uint()
	switch {
	case n == 0:
		return ""
	case n <= uint64(len(d.texts)):
		return d.texts[n-1]
	case n > uint64(len(d.texts))+1:
		d.fail()
		return ""
	}
	size := d.uint()
	if size == 0 || size > uint64(d.left()) {
		d.fail()
		return ""
	}
	s := d.s[d.pos : d.pos+int(size)]
	d.pos += int(size)
	d.texts = append(d.texts, s)
	return s
}

func (d *decoder) name() string {
	n := d.uint()
	if n == 0 {
		return d.text()
	}
	s, ok, err := d.tx.lookup(n)
	if err != nil && d.err == nil {
		d.err = err
	}
	if !ok {
		d.fail()
	}
	return s
}

// count reads the length of a list whose parts take at least so many bytes
// each, so that a list is never allocated that the record cannot hold.
func (d *decoder) count(least int) int {
	n := d.uint()
	if n > uint64(d.left()/least) {
		d.fail()
		return 0
	}
	return int(n)
}

// end gives the first mistake; bytes left over are one.
func (d *decoder) end() error {
	if d.err == nil && d.left() != 0 {
		d.err = errBadRecord
	}
	return d.err
}

// decodeError says where a mistake was; an error of the database itself, and
// one that has its own name, stay as they are.
func decodeError(bucket string, key []byte, err error) error {
	if errors.Is(err, errBadRecord) {
		return damaged(bucket, key, "%v", err)
	}
	return err
}

// bits packs and unpacks a mask of booleans.
type bits uint64

func (m *bits) set(i uint, on bool) {
	if on {
		*m |= 1 << i
	}
}

func (m bits) has(i uint) bool { return m&(1<<i) != 0 }
