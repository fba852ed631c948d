package rules

import (
	"slices"

	"tickler/loan"
)

// Reach says which events of one unit count, or close, in another's.
type Reach struct {
	Below    []string // of a branch, for the branch above it
	Borrower []string // of a borrower and his loans, for the branch
	Officer  []string // of a loan, for the officer in whose care it is
}

// Reach gives what the rules in force ask of units other than their own.
func (b *Book) Reach() Reach {
	var r Reach
	for _, x := range b.Rules {
		if !b.Active(x) {
			continue
		}
		if n := x.Needs; n != nil {
			switch n.Cover {
			case "subordinate_branches":
				r.Below = append(r.Below, n.Count)
			case "loans":
				r.Officer = append(r.Officer, n.Count)
			}
		}
		if slices.ContainsFunc(x.Each, func(f Fan) bool { return f.Word == "borrower" && x.For != loan.KindBorrower }) {
			r.Borrower = append(r.Borrower, x.ClosesOn...)
		}
	}
	return r
}

// Overridden says that some branch does some rule otherwise, or the branch above
// does it for another subject than a branch, so that the tree of branches
// matters to everybody's duties.
func (b *Book) Overridden() bool {
	return slices.ContainsFunc(b.Rules, func(r *Rule) bool { return len(r.Overrides) > 0 || r.Above && !b.ofBranches(r) })
}

// ofBranches says that a rule's subjects are branches, whatever opens it.
func (b *Book) ofBranches(r *Rule) bool {
	if r.For != "" {
		return r.For == loan.KindBranch
	}
	return !slices.ContainsFunc(r.On, func(kind string) bool { return !slices.Equal(b.Events[kind].For, []loan.Kind{loan.KindBranch}) })
}

// Lacks names the day that an event must carry because a rule in force counts
// from it and from nothing else; nil where it carries enough.
func (b *Book) Lacks(e loan.Event) (*Rule, *Field) {
	for _, r := range b.Rules {
		if !b.Active(r) || !slices.Contains(r.On, e.Kind) {
			continue
		}
		if slices.ContainsFunc(r.Dues, func(x DateExpr) bool { return !eventDay(x.Anchor, &e).IsZero() }) {
			continue
		}
		name := r.Due.Anchor[len("event."):]
		if f := b.Events[e.Kind].field(name); f != nil {
			return r, f
		}
		return r, &Field{Name: name, Title: name, Type: DateField}
	}
	return nil, nil
}
