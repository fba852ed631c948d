package scheduler

import (
	"context"
	"errors"

	"tickler/api"
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
}

// sight works out what a person sees.
func (s *Scheduler) sight(tx *store.Tx, p *person) (*sight, error) {
	if p.system || p.setup {
		return &sight{all: true}, nil
	}
	v := &sight{staff: p.Staff, branches: map[string]bool{}}
	if p.Branch == "" {
		v.all = p.is("ops") // a branch server's own
		return v, nil
	}
	branches, err := tx.Branches()
	if err != nil {
		return nil, err
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
	return v, nil
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
	return s.sight(tx, p)
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
	for id := range branches {
		if !v.branches[id] {
			return api.Errorf(api.NotAllowed, "", "this looks at every branch, and %s is not yours (超出查看范围)", id)
		}
	}
	if len(branches) == 0 {
		return api.Errorf(api.NotAllowed, "", "this looks at every branch, and the branches are not known (缺少机构资料)")
	}
	return nil
}

// known refuses a subject that is not in sight as one that is not there.
func (v *sight) known(tx *store.Tx, subject loan.Ref) error {
	unit, err := tx.UnitOf(subject)
	if err == nil {
		var seen bool
		if seen, err = v.subject(tx, unit); err != nil || seen {
			return err
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
	return s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		p, err := s.who(tx, actorOf(ctx))
		if err != nil {
			return err
		}
		if err := p.may(a); err != nil || !whole {
			return err
		}
		v, err := s.sight(tx, p)
		if err != nil {
			return err
		}
		return v.whole(tx)
	})
}

// branch says that a branch is in sight.
func (v *sight) branch(id string) bool { return v.all || v.branches[id] }

// sees says that an obligation is in sight.
func (v *sight) sees(o *obligation.Obligation) bool {
	return v.all || v.branches[o.Branch] || o.Owner != "" && o.Owner == v.staff
}

// subject says that a thing's facts are in sight: its branch is, or one of its
// loans is in the person's care.
func (v *sight) subject(tx *store.Tx, unit loan.Ref) (bool, error) {
	if v.all {
		return true, nil
	}
	switch unit.Kind {
	case loan.KindBranch:
		return v.branches[unit.ID], nil
	case loan.KindBorrower:
		d, err := tx.Dossier(unit.ID)
		if err != nil || d == nil {
			return false, err
		}
		if b := d.Borrower; b != nil && (v.branches[b.Branch] || b.Officer == v.staff || b.RiskManager == v.staff) {
			return true, nil
		}
		for _, f := range d.Loans {
			if n := len(f.History); n > 0 {
				if l := &f.History[n-1].Value; v.branches[l.Branch] || l.Officer == v.staff {
					return true, nil
				}
			}
		}
	case loan.KindOfficer:
		if unit.ID == v.staff {
			return true, nil
		}
		branch, err := branchOfSubject(tx, 1<<30, unit)
		return v.branches[branch], err
	case loan.KindGroup:
		groups, err := tx.Groups()
		if err != nil || groups[unit.ID] == nil {
			return false, err
		}
		for _, m := range groups[unit.ID].Members {
			if v.branches[m.Branch] {
				return true, nil
			}
		}
	}
	return false, nil
}
