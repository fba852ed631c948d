package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/obligation"
)

// By is what figures are broken down by.
type By string

const (
	ByOfficer By = "officer" // the person who owes it (责任人), by number; "" where the facts name none
	ByBranch  By = "branch"  // 机构
	ByRule    By = "rule"    // 规则
	ByQuarter By = "quarter" // the civil quarter of the due day, 2026-Q4
	ByRole    By = "role"    // the role that owes it (岗位)
)

// Bys lists every By.
var Bys = []By{ByOfficer, ByBranch, ByRule, ByQuarter, ByRole}

// CheckBy refuses what is no By, and one given twice.
func CheckBy(list []By) error {
	for i, b := range list {
		if !slices.Contains(Bys, b) {
			return fmt.Errorf("%q: want officer, branch, rule, quarter or role", b)
		}
		if slices.Contains(list[:i], b) {
			return fmt.Errorf("%s is given twice", b)
		}
	}
	return nil
}

// key is where an obligation belongs.
func (b By) key(o *obligation.Obligation) string {
	switch b {
	case ByOfficer:
		return o.Owner
	case ByBranch:
		return o.Branch
	case ByRule:
		return o.Rule
	case ByQuarter:
		return calendar.PeriodOf(calendar.Quarter, o.Due, calendar.Fiscal{}).Label(calendar.Fiscal{})
	case ByRole:
		return o.Role
	}
	return ""
}

// Figures are sums over obligations that Finish completes.
type Figures[T any] interface {
	*T
	Count(o *obligation.Obligation, on calendar.Date, cal *calendar.Calendar) error
	Finish()
}

// Node holds the figures of a group and of the groups within it. The root is
// the total, and has neither By nor Key.
type Node[T any] struct {
	By     By         `json:"by,omitempty"`
	Key    string     `json:"key"` // number, rule id, 2026-Q4 or role; "" is not known
	Name   string     `json:"name,omitempty"`
	Sum    T          `json:"figures"`
	Groups []*Node[T] `json:"groups,omitempty"` // by key, the unknown one last

	at map[string]*Node[T]
}

// Count adds an obligation to the total and to the group of each level.
func Count[T any, F Figures[T]](n *Node[T], by []By, o *obligation.Obligation, on calendar.Date, cal *calendar.Calendar) error {
	for level := 0; ; level++ {
		if err := F(&n.Sum).Count(o, on, cal); err != nil {
			return fmt.Errorf("%s: %w", o.Key, err)
		}
		if level == len(by) {
			return nil
		}
		key := by[level].key(o)
		next := n.at[key]
		if next == nil {
			if n.at == nil {
				n.at = map[string]*Node[T]{}
			}
			next = &Node[T]{By: by[level], Key: key}
			n.at[key] = next
			n.Groups = append(n.Groups, next)
		}
		n = next
	}
}

// Finish completes the figures of a node and all below it, orders the groups,
// and names them; name may be nil.
func Finish[T any, F Figures[T]](n *Node[T], name func(By, string) string) {
	F(&n.Sum).Finish()
	if name != nil && n.By != "" {
		n.Name = name(n.By, n.Key)
	}
	slices.SortFunc(n.Groups, func(a, b *Node[T]) int {
		if (a.Key == "") != (b.Key == "") {
			return cmp.Compare(len(b.Key), len(a.Key))
		}
		return strings.Compare(a.Key, b.Key)
	})
	for _, g := range n.Groups {
		Finish[T, F](g, name)
	}
}
