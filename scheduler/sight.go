package scheduler

import (
	"context"
	"errors"
	"slices"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

type actorKey struct{}

// As says who asks, for what is read with the context. Without it the process
// itself does, and sees everything.
func As(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

func actorOf(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return Actor{System: true}
}

// sight is what a person sees: the branches that are his or below his, and
// what is his own. It is asked under every path; what is not seen answers as
// what is not there.
type sight struct {
	all      bool
	branches map[string]bool
	staff    string
	roles    []string
	deputies []*sight // of those whom he stands in for
}

// sight works out what a person sees on a day: what is his to see, and what is
// theirs for whom he stands in.
func (s *Scheduler) sight(tx *store.Tx, p *person, day calendar.Date) (*sight, error) {
	if p.system || p.setup {
		return &sight{all: true}, nil
	}
	branches, err := tx.Branches()
	if err != nil {
		return nil, err
	}
	v := sightOf(p, branches)
	ids, err := principals(tx, p.Staff, day)
	if err != nil || len(ids) == 0 || !p.performs() {
		return v, err
	}
	all, err := people(tx)
	if err != nil {
		return nil, err
	}
	p.standsFor = nil
	for _, id := range ids {
		x := all[id]
		if x == nil {
			x = &person{Staff: id, Roles: []string{"officer"}, Source: "ledger"} // whom only loans name
		}
		if !x.Disabled && x.performs() {
			p.standsFor = append(p.standsFor, x)
			v.deputies = append(v.deputies, sightOf(x, branches))
		}
	}
	return v, nil
}

func sightOf(p *person, branches map[string]*loan.Branch) *sight {
	v := &sight{staff: p.Staff, roles: p.Roles, branches: map[string]bool{}}
	if p.Branch == "" {
		v.all = p.is("ops") // a branch server's own
		return v
	}
	v.branches[p.Branch] = true
	for id := range branches {
		for at, depth := id, 0; at != "" && depth < 20; depth++ {
			if at == p.Branch {
				v.branches[id] = true
				break
			}
			b := branches[at]
			if b == nil {
				break
			}
			at = b.Parent
		}
	}
	return v
}

// as says that he, or somebody whom he stands in for, has a role where an
// obligation is.
func (v *sight) as(role string, o *obligation.Obligation) bool {
	return slices.Contains(v.roles, role) && v.home(o.Branch) || v.deputy(func(d *sight) bool { return d.as(role, o) })
}

// look gives the sight of who asks for something to be read.
func (s *Scheduler) look(ctx context.Context, tx *store.Tx) (*sight, error) {
	p, err := s.who(tx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	if err := p.may(actRead); err != nil {
		return nil, err
	}
	return s.sightNow(tx, p)
}

// sightNow is what a person sees today.
func (s *Scheduler) sightNow(tx *store.Tx, p *person) (*sight, error) {
	meta, err := tx.Meta()
	if err != nil {
		return nil, err
	}
	book, _ := s.inForce()
	return s.sight(tx, p, s.readingDay(&meta, book, 0))
}

// everything is the sight of the daemon's own work.
var everything = &sight{all: true}

// whole refuses a look at the whole portfolio to who does not see all of it.
func (v *sight) whole(tx *store.Tx) error {
	if v.all {
		return nil
	}
	branches, err := tx.Branches()
	if err != nil {
		return err
	}
	ids, err := tx.DueBranches() // some may be in no directory
	if err != nil {
		return err
	}
	for _, id := range append(ids, sortedKeys(branches)...) {
		if id != "" && !v.home(id) {
			return api.Errorf(api.NotAllowed, "", "this looks at every branch, and not all of them are yours (超出查看范围)")
		}
	}
	if len(ids)+len(branches) == 0 {
		return api.Errorf(api.NotAllowed, "", "this looks at every branch, and the branches are not known (缺少机构资料)")
	}
	return nil
}

// known refuses a subject that is not in sight as one that is not there.
func (v *sight) known(tx *store.Tx, subject loan.Ref) error {
	seen, err := v.subject(tx, subject)
	if err == nil {
		if seen {
			return nil
		}
		err = store.ErrNotFound
	}
	if errors.Is(err, store.ErrNotFound) {
		return api.Errorf(api.NotFound, "", "%s is not known", subject)
	}
	return err
}

// allowed says that who asks may do something that reads the whole portfolio,
// or, without whole, that he is somebody who may read.
func (s *Scheduler) allowed(ctx context.Context, a act, whole bool) error {
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		p, err := s.who(tx, actorOf(ctx))
		if err != nil {
			return err
		}
		if err := p.may(a); err != nil || !whole {
			return err
		}
		v, err := s.sightNow(tx, p)
		if err != nil {
			return err
		}
		return v.whole(tx)
	})
	return s.refused(ctx, actorOf(ctx), a, "", refine(err))
}

// admits refuses an act before any work is done for it: of who may not do it
// nothing is read, hashed or kept.
func (s *Scheduler) admits(ctx context.Context, actor Actor, a act, subject string) error {
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		p, err := s.who(tx, actor)
		if err != nil {
			return err
		}
		if _, err := s.sightNow(tx, p); err != nil { // and for whom he stands in
			return err
		}
		return p.may(a)
	})
	return s.refused(ctx, actor, a, subject, refine(err))
}

// Admits says whether who asks may import at all, before a file is taken from
// him.
func (s *Scheduler) Admits(ctx context.Context) error {
	return s.admits(ctx, actorOf(ctx), actImport, "")
}

// Reads says whether who asks may read at all, before much is taken from him.
func (s *Scheduler) Reads(ctx context.Context) error { return s.allowed(ctx, actRead, false) }

// Watches says whether who asks may see figures that go over every branch.
func (s *Scheduler) Watches(ctx context.Context) error { return s.allowed(ctx, actTry, true) }

// branch says that a branch is in sight.
func (v *sight) branch(id string) bool {
	return v.home(id) || v.deputy(func(d *sight) bool { return d.home(id) })
}

// home says that a branch is his own or below it, without those for whom he
// stands in.
func (v *sight) home(id string) bool { return v.all || v.branches[id] }

func (v *sight) deputy(is func(*sight) bool) bool { return slices.ContainsFunc(v.deputies, is) }

// is says that a staff number is his, or that of one for whom he stands in.
func (v *sight) is(staff string) bool {
	return staff != "" && (staff == v.staff || v.deputy(func(d *sight) bool { return d.staff == staff }))
}

// sees says that an obligation is in sight.
func (v *sight) sees(o *obligation.Obligation) bool { return v.branch(o.Branch) || v.is(o.Owner) }

// loan says that a loan is in sight: its branch is, or its officer is he.
func (v *sight) loan(l *loan.Loan) bool { return v.branch(l.Branch) || v.is(l.Officer) }

// subject says that a thing's facts are in sight: its branch is, or it is in
// the person's care. Of a borrower who has loans in several branches each sees
// its own. ErrNotFound where there is no such thing.
func (v *sight) subject(tx *store.Tx, ref loan.Ref) (bool, error) {
	unit, err := tx.UnitOf(ref)
	if err != nil || v.all {
		return err == nil, err
	}
	switch ref.Kind {
	case loan.KindBranch:
		return v.branch(ref.ID), nil
	case loan.KindOfficer:
		if v.is(ref.ID) {
			return true, nil
		}
		branch, err := branchOfSubject(tx, 1<<30, ref)
		return v.branch(branch), err
	case loan.KindGroup:
		groups, err := tx.Groups()
		if err != nil || groups[ref.ID] == nil {
			return false, err
		}
		return slices.ContainsFunc(groups[ref.ID].Members, func(m loan.GroupMember) bool { return v.branch(m.Branch) }), nil
	case loan.KindGuarantor:
		ids, err := tx.GuaranteedBy(ref.ID)
		if err != nil {
			return false, err
		}
		for _, id := range ids {
			d, err := tx.Dossier(id)
			if err != nil {
				return false, err
			}
			if d != nil && v.someLoan(d, func(f *loan.LoanFile) bool {
				n := len(f.History)
				return slices.ContainsFunc(f.Guarantors, func(g loan.Guarantor) bool { return g.ID == ref.ID || g.Name == ref.ID }) || n > 0 && slices.Contains(f.History[n-1].Value.Guarantors, ref.ID)
			}) {
				return true, nil
			}
		}
		return false, nil
	}
	d, err := tx.Dossier(unit.ID)
	if err != nil || d == nil {
		return false, err
	}
	switch ref.Kind {
	case loan.KindLoan:
		return v.someLoan(d, func(f *loan.LoanFile) bool { return f.ID == ref.ID }), nil
	case loan.KindCollateral:
		return v.someLoan(d, func(f *loan.LoanFile) bool {
			return slices.ContainsFunc(d.Collaterals, func(c *loan.Collateral) bool { return c.ID == ref.ID && slices.Contains(c.Loans, f.ID) })
		}), nil
	}
	if b := d.Borrower; b != nil && (v.branch(b.Branch) || v.is(b.Officer) || v.is(b.RiskManager)) {
		return true, nil
	}
	return v.someLoan(d, func(*loan.LoanFile) bool { return true }), nil
}

// someLoan says that one of the loans of a dossier that are meant is in sight.
// A loan that names no branch is its borrower's.
func (v *sight) someLoan(d *loan.Dossier, meant func(*loan.LoanFile) bool) bool {
	return slices.ContainsFunc(d.Loans, func(f *loan.LoanFile) bool {
		n := len(f.History)
		if n == 0 || !meant(f) {
			return false
		}
		l := &f.History[n-1].Value
		return v.loan(l) || l.Branch == "" && d.Borrower != nil && v.branch(d.Borrower.Branch)
	})
}
