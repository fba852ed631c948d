package scheduler

import (
	"cmp"
	"slices"
	"strings"

	"tickler/api"
	"tickler/calendar"
)

// gathered are the rows of a list as they come, block by block: a row has some
// 600 bytes, and is moved once, to its place in order.
type gathered struct {
	blocks [][]api.Obligation
	n      int
}

const rowBlock = 64 // rows

// next gives room for one more row, which is empty.
func (l *gathered) next() *api.Obligation {
	if last := len(l.blocks) - 1; last < 0 || len(l.blocks[last]) == rowBlock {
		l.blocks = append(l.blocks, make([]api.Obligation, 0, rowBlock))
	}
	last := &l.blocks[len(l.blocks)-1]
	*last = (*last)[:len(*last)+1]
	l.n++
	return &(*last)[len(*last)-1]
}

// placed is a row with what is compared before its id.
type placed struct {
	due   calendar.Date
	later bool  // it is not overdue
	rule  int32 // which one, in the order in which ids begin
	row   *api.Obligation
}

func (a placed) compare(b placed) int {
	if a.later != b.later {
		if b.later {
			return -1
		}
		return 1
	}
	if a.due != b.due {
		return cmp.Compare(a.due, b.due)
	}
	if a.rule != b.rule {
		return cmp.Compare(a.rule, b.rule)
	}
	return strings.Compare(a.row.ID, b.row.ID)
}

// inOrder gives the rows sorted for a list: overdue ones first, then by due day
// and id. An id begins with its rule, and is compared whole only with those of
// the same rule and day.
func (l *gathered) inOrder() []api.Obligation {
	beginnings := map[string]int32{}
	order := make([]placed, 0, l.n)
	for _, block := range l.blocks {
		for i := range block {
			row := &block[i]
			beginnings[ruleOfID(row.ID)] = 0
			order = append(order, placed{due: row.Due, later: !row.Overdue, row: row})
		}
	}
	for i, b := range sortedKeys(beginnings) {
		beginnings[b] = int32(i)
	}
	for i := range order {
		order[i].rule = beginnings[ruleOfID(order[i].row.ID)]
	}
	slices.SortFunc(order, placed.compare)
	out := make([]api.Obligation, len(order))
	for i, r := range order {
		out[i] = *r.row
	}
	return out
}

// ruleOfID is how an id begins: its rule, and the colon, before which "a" and
// "a-b" do not come in the order of their ids.
func ruleOfID(id string) string { return id[:strings.IndexByte(id, ':')+1] }
