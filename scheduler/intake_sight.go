package scheduler

import (
	"errors"
	"slices"

	"tickler/api"
	"tickler/loan"
	"tickler/store"
)

// own refuses a file that holds what is not its importer's: a loan, a borrower,
// a person or an office of another branch. Nobody takes these over, nor a place
// in the tree from which he would see more, by writing them into a file. What
// only hangs on another branch's loan is passed over as if there were no such
// loan.
func (in *intake) own() error {
	v := in.view
	if v.all {
		return nil
	}
	not := func(what, id string) error {
		return api.Errorf(api.NotAllowed, "nothing of it was taken", "%s holds %s %q, which is not %s's", in.snap.Name, what, id, in.person)
	}
	unseen := func(kind loan.Kind, id string) (bool, error) {
		seen, err := v.subject(in.tx, loan.Ref{Kind: kind, ID: id})
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		return !seen, err
	}
	for i := range in.snap.Loans.Len() {
		id := in.snap.Loans.ID(i)
		if no, err := unseen(loan.KindLoan, id); err != nil || no {
			return cmpErr(err, not("loan", id))
		}
	}
	for i := range in.snap.Borrowers {
		b := &in.snap.Borrowers[i]
		d, err := in.tx.Dossier(b.ID)
		if err != nil {
			return err
		}
		no := b.Branch != "" && !v.branch(b.Branch)
		if d != nil && !no {
			no, err = unseen(loan.KindBorrower, b.ID)
			no = no || d.Borrower != nil && d.Borrower.Branch != "" && !v.branch(d.Borrower.Branch)
		}
		if err != nil || no {
			return cmpErr(err, not("borrower", b.ID))
		}
	}
	all, err := people(in.tx)
	if err != nil {
		return err
	}
	for i := range in.snap.Staff {
		p := &in.snap.Staff[i]
		if was := all[p.ID]; !v.branch(p.Branch) || was != nil && !v.branch(was.Branch) {
			return not("staff", p.ID)
		}
		// Whom ops enters himself is refused likewise.
		if p.ID == in.person.Staff {
			return not("his own staff number", p.ID)
		}
	}
	branches, err := in.tx.Branches()
	if err != nil {
		return err
	}
	for i := range in.snap.Branches {
		b := &in.snap.Branches[i]
		was := branches[b.ID]
		switch {
		case was == nil && v.branch(b.Parent): // a new one, below
		case was != nil && v.branch(b.ID) && was.Parent == b.Parent:
		default:
			return not("branch", b.ID)
		}
	}
	for i := range in.snap.Groups {
		g := &in.snap.Groups[i]
		if no, err := unseen(loan.KindGroup, g.ID); err != nil || no && groupThere(in.tx, g.ID) || slices.ContainsFunc(g.Members, func(m loan.GroupMember) bool { return m.Branch != "" && !v.branch(m.Branch) }) {
			return cmpErr(err, not("group", g.ID))
		}
	}
	return in.passOver(unseen)
}

func groupThere(tx *store.Tx, id string) bool {
	groups, err := tx.Groups()
	return err != nil || groups[id] != nil
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// passOver leaves out the rows that hang on what is not in sight, with the
// warning of those that hang on nothing.
func (in *intake) passOver(unseen func(loan.Kind, string) (bool, error)) error {
	var failed error
	out := func(kind loan.Kind, id, warning string) bool {
		no, err := unseen(kind, id)
		if err != nil && failed == nil {
			failed = err
		}
		if no {
			in.warnings = append(in.warnings, warning)
		}
		return no
	}
	in.snap.Guarantors = slices.DeleteFunc(in.snap.Guarantors, func(g loan.Guarantor) bool {
		return out(loan.KindLoan, g.Loan, "保证人：借据 "+g.Loan+" 不在台账中")
	})
	in.snap.Collaterals = slices.DeleteFunc(in.snap.Collaterals, func(c loan.Collateral) bool {
		return len(c.Loans) > 0 && out(loan.KindLoan, c.Loans[0], "押品 "+c.ID+"：借据 "+c.Loans[0]+" 不在台账中")
	})
	in.snap.Events = slices.DeleteFunc(in.snap.Events, func(e loan.Event) bool {
		return out(e.Subject.Kind, e.Subject.ID, "事件 "+e.Kind+"："+e.Subject.String()+" 不在台账中")
	})
	return failed
}
