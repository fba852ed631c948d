package store

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// placeLog gathers the changes of the indexes that find plans. A first import
// makes fifty of a loan: each is four bytes here, and names its cell and its
// unit by number.
type placeLog struct {
	cells []placeCell

	units   []string // 00 | key of each unit that was put, so that one of rank 0 is at hand
	ordered bool     // they came in ascending order

	branches map[string]*dayCells // of indexDue
	branch   string               // asked for last
	days     *dayCells            // its cells
	other    [256]*dayCells       // index -> its cells, where a day is all there is
	shorts   []uint32             // sum of a short name -> number of the cell + 1
}

// placeCell is a cell with its changes, in the order they came:
//
//	rank 1 bit | number of the unit 30 bits | drop 1 bit
type placeCell struct {
	key string
	ops []uint32
}

// dayCells gives the cells of the days of an index, or of a branch in it, by
// number + 1. Most days are near each other.
type dayCells struct {
	base calendar.Date
	near []uint32
	far  map[calendar.Date]uint32
}

const nearDays = 1024

func (c *dayCells) at(d calendar.Date) uint32 {
	if i := int64(d) - int64(c.base); i >= 0 && i < int64(len(c.near)) {
		return c.near[i]
	}
	return c.far[d]
}

func (c *dayCells) set(d calendar.Date, n uint32) {
	if c.near == nil {
		c.base, c.near, c.far = d-nearDays/4, make([]uint32, nearDays), map[calendar.Date]uint32{}
	}
	if i := int64(d) - int64(c.base); i >= 0 && i < nearDays {
		c.near[i] = n
		return
	}
	c.far[d] = n
}

func dayCell(index byte, d calendar.Date) string { return cellKey(index, appendDay(nil, d)) }

func shortCell(sum [2]byte) string {
	return cellKey(indexShort, hex.AppendEncode(nil, sum[:]))
}

// begin says whose postings come.
func (l *placeLog) begin(unit []byte) {
	u := string(append([]byte{0}, unit...))
	l.ordered = len(l.units) == 0 || l.ordered && u > l.units[len(l.units)-1]
	l.units = append(l.units, u)
}

func (l *placeLog) newCell(key string) uint32 {
	l.cells = append(l.cells, placeCell{key: key})
	return uint32(len(l.cells))
}

// due gives the number of the cell of a branch and a day.
func (l *placeLog) due(branch string, d calendar.Date) uint32 {
	if l.days == nil || branch != l.branch {
		if l.branches == nil {
			l.branches = map[string]*dayCells{}
		}
		if l.branches[branch] == nil {
			l.branches[branch] = &dayCells{}
		}
		l.branch, l.days = branch, l.branches[branch]
	}
	n := l.days.at(d)
	if n == 0 {
		n = l.newCell(dueCell(branch, d))
		l.days.set(d, n)
	}
	return n - 1
}

// day gives the number of the cell of a day.
func (l *placeLog) day(index byte, d calendar.Date) uint32 {
	c := l.other[index]
	if c == nil {
		c = &dayCells{}
		l.other[index] = c
	}
	n := c.at(d)
	if n == 0 {
		n = l.newCell(dayCell(index, d))
		c.set(d, n)
	}
	return n - 1
}

func (l *placeLog) short(subject loan.Ref) uint32 { return l.shortOf(obligation.ShortSum(subject)) }

func (l *placeLog) shortOf(sum [2]byte) uint32 {
	if l.shorts == nil {
		l.shorts = make([]uint32, 1<<16)
	}
	n := &l.shorts[uint(sum[0])<<8|uint(sum[1])]
	if *n == 0 {
		*n = l.newCell(shortCell(sum))
	}
	return *n - 1
}

// post notes a change of a cell: the unit that was begun last comes or goes.
func (l *placeLog) post(cell uint32, rank byte, drop bool) {
	op := uint32(rank)<<31 | uint32(len(l.units)-1)<<1
	if drop {
		op |= 1
	}
	c := &l.cells[cell]
	if n := len(c.ops); n > 0 && c.ops[n-1] == op {
		return
	}
	c.ops = append(c.ops, op)
}

// sorted gives the cells that have changes, by number, in the order of their
// keys.
func (l *placeLog) sorted() []uint32 {
	out := make([]uint32, len(l.cells))
	for i := range out {
		out[i] = uint32(i)
	}
	slices.SortFunc(out, func(a, b uint32) int { return strings.Compare(l.cells[a].key, l.cells[b].key) })
	return out
}

// ops gives the changes of a cell sorted by member, of several of a member the
// last one, in the room of out. Several may ask for different cells.
func (l *placeLog) ops(cell uint32, out []postOp) []postOp {
	c := &l.cells[cell]
	ranked := c.key[0] == indexDue
	if l.ordered { // then the numbers sort as the members do
		byMember := func(a, b uint32) int { return cmp.Compare(a>>1, b>>1) }
		if !slices.IsSortedFunc(c.ops, byMember) {
			slices.SortStableFunc(c.ops, byMember)
		}
	}
	for i, op := range c.ops {
		if l.ordered && i+1 < len(c.ops) && c.ops[i+1]>>1 == op>>1 {
			continue
		}
		unit := l.units[op&^(1<<31)>>1]
		switch {
		case !ranked:
			unit = unit[1:]
		case op>>31 == 1:
			unit = "\x01" + unit[1:]
		}
		out = append(out, postOp{unit, op&1 == 1})
	}
	if !l.ordered {
		out = lastOps(out)
	}
	return out
}
