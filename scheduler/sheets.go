package scheduler

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sort"

	"tickler/api"
	"tickler/ledger"
	"tickler/loan"
	"tickler/rules"
	"tickler/store"
)

// takeSheets keeps what the other sheets of the file say.
func (in *intake) takeSheets() error {
	for i := range in.snap.Borrowers {
		b := in.snap.Borrowers[i]
		d, err := in.dossier(b.ID)
		if err != nil {
			return err
		}
		for _, row := range []*loan.Borrower{d.Borrower, &b} {
			if row != nil && row.RiskManager != "" && (d.Borrower == nil || d.Borrower.RiskManager != b.RiskManager) {
				in.plan(officerUnit(row.RiskManager))
			}
		}
		d.Borrower = &b
		in.touched[b.ID] = true
		if err := in.settle(); err != nil {
			return err
		}
	}
	byLoan := map[string][]loan.Guarantor{}
	for _, g := range in.snap.Guarantors {
		byLoan[g.Loan] = append(byLoan[g.Loan], g)
	}
	for _, id := range sortedKeys(byLoan) {
		gs := byLoan[id]
		d, f, err := in.loanFile(id)
		if err != nil {
			return err
		}
		if f == nil {
			in.warnings = append(in.warnings, fmt.Sprintf("保证人：借据 %s 不在台账中", id))
			continue
		}
		sort.Slice(gs, func(i, j int) bool { return gs[i].ID < gs[j].ID })
		f.Guarantors = gs
		in.touched[d.ID] = true
		if err := in.settle(); err != nil {
			return err
		}
	}
	for i := range in.snap.Collaterals {
		c := in.snap.Collaterals[i]
		if len(c.Loans) == 0 {
			continue
		}
		d, f, err := in.loanFile(c.Loans[0])
		if err != nil {
			return err
		}
		if f == nil {
			in.warnings = append(in.warnings, fmt.Sprintf("押品 %s：借据 %s 不在台账中", c.ID, c.Loans[0]))
			continue
		}
		if err := in.collateralHere(d, c.ID); err != nil {
			return err
		}
		at := slices.IndexFunc(d.Collaterals, func(x *loan.Collateral) bool { return x.ID == c.ID })
		if at >= 0 {
			d.Collaterals[at] = &c
		} else {
			d.Collaterals = append(d.Collaterals, &c)
		}
		in.touched[d.ID] = true
		if err := in.settle(); err != nil {
			return err
		}
	}
	if err := in.takeBranches(); err != nil {
		return err
	}
	for i := range in.snap.Staff {
		if err := in.tx.PutStaff(&in.snap.Staff[i]); err != nil {
			return err
		}
		if p, err := in.tx.Plan(officerUnit(in.snap.Staff[i].ID)); err != nil {
			return err
		} else if p != nil {
			in.plan(p.Unit)
		}
	}
	return in.takeGroups()
}

// takeBranches keeps the tree of branches. Whom it was and is below plans
// anew, and everybody where some branch has rules of its own.
func (in *intake) takeBranches() error {
	if len(in.snap.Branches) == 0 {
		return nil
	}
	known, err := in.tx.Branches()
	if err != nil {
		return err
	}
	grown := false
	for i := range in.snap.Branches {
		b := &in.snap.Branches[i]
		was := known[b.ID]
		if err := in.tx.PutBranch(b); err != nil {
			return err
		}
		in.plan(branchUnit(b.ID))
		for _, row := range []*loan.Branch{was, b} {
			if row != nil && row.Parent != "" {
				in.plan(branchUnit(row.Parent))
			}
		}
		grown = grown || was == nil && b.Parent != "" || was != nil && was.Parent != b.Parent
	}
	in.directory.branches = nil
	if grown && in.book.Overridden() {
		return in.everyUnit(within(in.tx))
	}
	return nil
}

// takeGroups keeps the groups. Who was or is a member plans anew.
func (in *intake) takeGroups() error {
	if len(in.snap.Groups) == 0 {
		return nil
	}
	known, err := in.tx.Groups()
	if err != nil {
		return err
	}
	for i := range in.snap.Groups {
		g := &in.snap.Groups[i]
		if was := known[g.ID]; was != nil && reflect.DeepEqual(was, g) {
			continue
		}
		for _, row := range []*loan.Group{known[g.ID], g} {
			if row == nil {
				continue
			}
			for _, m := range row.Members {
				in.plan(borrowerUnit(m.Borrower))
			}
		}
		in.plan(groupUnit(g.ID))
		if err := in.tx.PutGroup(g); err != nil {
			return err
		}
	}
	in.directory.groups = nil
	return nil
}

// loanFile finds a loan, those of the file among them; nil where nobody has it.
func (in *intake) loanFile(id string) (*loan.Dossier, *loan.LoanFile, error) {
	owner, err := in.tx.LoanOwner(id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	d, err := in.dossier(owner)
	if err != nil {
		return nil, nil, err
	}
	return d, fileOf(d, id), nil
}

// takeEvents keeps the events of an 事件 sheet.
func (in *intake) takeEvents() error {
	for i, e := range in.snap.Events {
		at := in.snap.EventAt[i]
		bad := func(column, cell, hint, format string, args ...any) error {
			at.Column, at.Cell = column, cell
			text := fmt.Sprintf(format, args...)
			at.Want, at.Hint = ledger.Text{ZH: text, EN: text}, ledger.Text{ZH: hint, EN: hint}
			return api.Errorf(api.BadFile, "nothing of the file was taken (文件未导入)", "%s", at.In(in.lang))
		}
		kind := in.book.Events[e.Kind]
		if kind == nil {
			return bad("事件", e.Kind, "declare it under events in rules.yaml, or mend the sheet", "unknown event (没有声明的事件)")
		}
		if !slices.Contains(kind.For, e.Subject.Kind) {
			return bad("对象", e.Subject.String(), "mend the sheet", "%s is recorded of %s", e.Kind, kindList(kind.For))
		}
		if e.Happened > in.today {
			return bad("日期", e.Happened.String(), "write it down when it has happened", "this is after today, %s", in.today)
		}
		unit, err := in.tx.UnitOf(e.Subject)
		if errors.Is(err, store.ErrNotFound) {
			in.warnings = append(in.warnings, fmt.Sprintf("事件 %s：%s 不在台账中", e.Kind, e.Subject))
			continue
		}
		if err != nil {
			return err
		}
		written, _, err := kind.Note(e.Fields)
		if err != nil {
			return bad("", "", "mend the sheet; \"tickler rules events "+e.Kind+"\" shows the fields", "%v", err)
		}
		if named, err := in.occurrence(e.Period); err != nil {
			return err
		} else if !named {
			return bad("期间", e.Period, periodHint, "this is no period")
		}
		e.Fields, e.Party = written, written[rules.FieldParty]
		if rule, f := in.book.Lacks(e); rule != nil {
			return bad(f.Title, "", "fill it in", "rule %q counts from this day of %s, which is not given", rule.ID, e.Kind)
		}
		if err := in.keepEvent(unit, e); err != nil {
			return err
		}
	}
	return nil
}

const periodHint = "write 2026, 2026-H1, 2026-Q4, 2026-11, 2026-11-A, 2026-W47 or a day"
