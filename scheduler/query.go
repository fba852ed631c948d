package scheduler

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

// List gives obligations by due day, overdue ones first.
func (s *Scheduler) List(ctx context.Context, r api.ListRequest) (*api.ListReply, error) {
	book, cal := s.inForce()
	reply := &api.ListReply{Warnings: []string{}}
	var rows *gathered
	var subject loan.Ref
	if r.Subject != "" {
		var err error
		if subject, err = loan.ParseRef(r.Subject); err != nil {
			return nil, api.Errorf(api.Usage, "", "%v", err)
		}
	}
	if r.Rule != "" && book.Rule(r.Rule) == nil {
		return nil, api.Errorf(api.NotFound, "run \"tickler rules list\"", "no rule %q", r.Rule)
	}
	if !r.From.IsZero() && !r.To.IsZero() && r.From > r.To {
		return nil, api.Errorf(api.Usage, "", "--from %s is after --to %s", r.From, r.To)
	}
	for _, st := range r.States {
		if !slices.Contains(obligation.States, st) {
			return nil, api.Errorf(api.Usage, "", "unknown state %q; want planned, raised, submitted, done, waived, cancelled or lapsed", st)
		}
	}
	inForce := cal
	err := s.steady(ctx, func(pages viewer) error {
		cal = inForce
		var meta store.Meta
		var view *sight
		err := pages(func(tx *store.Tx) (err error) {
			if meta, err = tx.Meta(); err != nil {
				return err
			}
			view, err = s.look(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
		today := s.readingDay(&meta, book, r.On)
		var then *past
		if !r.At.IsZero() {
			if then, err = s.pastOf(pages, r.At, ""); err != nil {
				return err
			}
			today, cal = cmp.Or(r.On, r.At), then.cal
		}
		reply.Today = today
		wanted := func(o *obligation.Obligation) bool {
			switch {
			case !view.sees(o),
				r.Rule != "" && o.Rule != r.Rule,
				r.Branch != "" && o.Branch != r.Branch,
				r.Owner != "" && o.Owner != r.Owner,
				!subject.IsZero() && o.Subject != subject && !(subject.Kind == loan.KindBorrower && o.Borrower == subject.ID):
				return false
			}
			if len(r.States) > 0 {
				if !slices.Contains(r.States, o.State) {
					return false
				}
			} else if !r.All && o.State.Ended() {
				return false
			}
			if r.Overdue && o.Overdue(today) {
				return true
			}
			if r.Overdue && r.From.IsZero() && r.To.IsZero() {
				return false
			}
			return (r.From.IsZero() || o.Due >= r.From) && (r.To.IsZero() || o.Due <= r.To)
		}
		if !subject.IsZero() {
			if err := pages(func(tx *store.Tx) error { return view.known(tx, subject) }); err != nil {
				return err
			}
		}
		if then != nil {
			rows, err = s.listThen(pages, then, subject, today, wanted)
			return err
		}
		part := store.Part{Keep: wanted, Open: !r.All && len(r.States) == 0}
		if !r.Overdue {
			part.From, part.To = r.From, r.To
		}
		units, every, err := candidates(pages, r, subject, today)
		if err != nil {
			return err
		}
		each := plansAmong(units)
		if every {
			each = eachPart
		}
		rows, err = s.listed(pages, each, part, cal, today)
		return err
	})
	if err != nil {
		return nil, s.refused(ctx, actorOf(ctx), actRead, r.Subject, refine(err))
	}
	reply.Warnings = append(reply.Warnings, calendarWarnings(cal, reply.Today)...)
	reply.Obligations = rows.inOrder()
	return reply, nil
}

// listed makes the rows of a part of the plans that each goes through.
func (s *Scheduler) listed(view viewer, each eachOf, part store.Part, cal *calendar.Calendar, today calendar.Date) (*gathered, error) {
	rows, present := &gathered{}, s.presenter(cal, today)
	part.Each = func(tx *store.Tx, o *obligation.Obligation) error { return present.fill(tx, o, rows.next()) }
	return rows, each(view, part, func(*store.Tx, *store.Plan) error { return nil })
}

// listThen makes the rows of a list as it was known on a day. The indexes are of
// today: without a subject every plan is made again.
func (s *Scheduler) listThen(view viewer, then *past, subject loan.Ref, today calendar.Date, wanted func(*obligation.Obligation) bool) (*gathered, error) {
	rows, present := &gathered{}, s.presenter(then.cal, today)
	take := func(tx *store.Tx, p *store.Plan) error {
		obs, err := then.plan(tx, p)
		if err != nil {
			return err
		}
		for i := range obs {
			if wanted(&obs[i]) {
				if err := present.fill(tx, &obs[i], rows.next()); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if subject.IsZero() {
		return rows, eachPlan(view, take)
	}
	units, err := unitsAbout(view, subject)
	if err != nil {
		return nil, err
	}
	return rows, plansAmong(units)(view, store.Part{}, take)
}

// candidates lists the units whose plans may hold what is asked for, in the order
// of the store, so that each of its pages is read once; or says that it is every
// unit.
func candidates(view viewer, r api.ListRequest, subject loan.Ref, today calendar.Date) (units []loan.Ref, every bool, err error) {
	if !subject.IsZero() {
		units, err = unitsAbout(view, subject)
		return units, false, err
	}
	if r.All || slices.ContainsFunc(r.States, obligation.State.Ended) {
		return nil, true, nil
	}
	first, last := r.From, r.To
	if r.Overdue {
		first = 1
		if last.IsZero() {
			last = today
		}
	}
	if first.IsZero() {
		first = 1
	}
	if last.IsZero() {
		last = calendar.MustDate(9999, 12, 31)
	}
	err = view(func(tx *store.Tx) error {
		units = units[:0]
		return tx.Due(r.Branch, first, last, func(u loan.Ref) error {
			units = append(units, u)
			return nil
		})
	})
	slices.SortFunc(units, loan.Ref.Compare)
	return slices.Compact(units), false, err
}

// unitsAbout lists the units whose plans may hold a subject's obligations, in a
// View; NotFound where nobody knows it.
func unitsAbout(view viewer, subject loan.Ref) (units []loan.Ref, err error) {
	err = view(func(tx *store.Tx) error {
		unit, err := tx.UnitOf(subject)
		if errors.Is(err, store.ErrNotFound) {
			return api.Errorf(api.NotFound, "", "%s is not known", subject)
		}
		if err != nil {
			return err
		}
		if units, err = unitsOf(tx, subject); len(units) == 0 {
			units = []loan.Ref{unit}
		}
		return err
	})
	return units, err
}

var shortID = regexp.MustCompile(`^[0-9a-f]{4,8}$`)

// find gives the one obligation that an id, a unique prefix of one, or the
// hex digits of a list name, of those in sight.
func (s *Scheduler) find(tx *store.Tx, view *sight, id string) (*obligation.Obligation, error) {
	var found []obligation.Obligation
	search := func(unit loan.Ref, match func(*obligation.Obligation) bool) error {
		p, err := tx.Plan(unit)
		if err != nil || p == nil {
			return err
		}
		for i := range p.Obligations {
			if view.sees(&p.Obligations[i]) && match(&p.Obligations[i]) {
				found = append(found, p.Obligations[i])
			}
		}
		return nil
	}
	parts := strings.Split(id, ":")
	switch {
	case shortID.MatchString(id):
		units, err := tx.UnitsByShort(id[:4])
		if err != nil {
			return nil, err
		}
		for _, u := range units {
			if err := search(u, func(o *obligation.Obligation) bool { return strings.HasPrefix(o.Key.Short(), id) }); err != nil {
				return nil, err
			}
		}
	case len(parts) >= 3:
		k, err := obligation.ParseKey(strings.Join(parts[:3], ":"))
		if err != nil {
			return nil, api.Errorf(api.Usage, "", "%v", err)
		}
		exact := false
		match := func(o *obligation.Obligation) bool {
			full := o.Key.String()
			exact = exact || full == id
			return strings.HasPrefix(full, id)
		}
		units, err := unitsOf(tx, k.Subject)
		if err != nil {
			return nil, err
		}
		for _, u := range units {
			if err := search(u, match); err != nil {
				return nil, err
			}
		}
		if exact {
			found = slices.DeleteFunc(found, func(o obligation.Obligation) bool { return o.Key.String() != id })
		}
	case id != "":
		err := tx.ScanPlans(func(p *store.Plan) error {
			for i := range p.Obligations {
				if strings.HasPrefix(p.Obligations[i].Key.String(), id) && view.sees(&p.Obligations[i]) {
					found = append(found, p.Obligations[i])
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	switch len(found) {
	case 0:
		return nil, api.Errorf(api.NotFound, "run \"tickler upcoming --all\"", "no obligation %q", id)
	case 1:
		return &found[0], nil
	}
	var lines []string
	for i, o := range found {
		if i == 10 {
			lines = append(lines, "…")
			break
		}
		lines = append(lines, "  "+o.Key.String())
	}
	return nil, api.Errorf(api.Usage, "write more of the id", "%q is the beginning of %d obligations:\n%s", id, len(found), strings.Join(lines, "\n"))
}

// unitsOf lists the units whose plans may hold a subject's obligations. Those of
// a guarantor stand where he was known when they came about.
func unitsOf(tx *store.Tx, subject loan.Ref) ([]loan.Ref, error) {
	if subject.Kind == loan.KindGuarantor {
		return tx.UnitsByShort(obligation.ShortSubject(subject))
	}
	u, err := tx.UnitOf(subject)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return []loan.Ref{u}, err
}

// standsIn gives the unit whose plan holds an obligation.
func standsIn(tx *store.Tx, k obligation.Key) (loan.Ref, error) {
	units, err := unitsOf(tx, k.Subject)
	if err != nil {
		return loan.Ref{}, err
	}
	if len(units) == 1 {
		return units[0], nil
	}
	for _, u := range units {
		p, err := tx.Plan(u)
		if err != nil {
			return u, err
		}
		if p != nil && slices.ContainsFunc(p.Obligations, func(o obligation.Obligation) bool { return o.Key == k }) {
			return u, nil
		}
	}
	return loan.Ref{}, fmt.Errorf("obligation %q: %w", k, store.ErrNotFound)
}

// Show gives an obligation with the audit records about it.
func (s *Scheduler) Show(ctx context.Context, r api.ShowRequest) (*api.ShowReply, error) {
	book, cal := s.inForce()
	reply := &api.ShowReply{History: []api.Entry{}}
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		view, err := s.look(ctx, tx)
		if err != nil {
			return err
		}
		o, err := s.find(tx, view, r.ID)
		if err != nil {
			return err
		}
		today := s.readingDay(&meta, book, r.On)
		if !r.At.IsZero() {
			if o, err = s.asOf(tx, o, r.At); err != nil {
				return err
			}
			today = cmp.Or(r.On, r.At)
		}
		reply.Obligation, err = s.present(tx, cal, today, o, map[string]string{})
		if err != nil {
			return err
		}
		id := o.Key.String()
		if err := tx.Row(tableEvidence, id, &reply.Evidence); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		reply.History, err = history(tx, o, view)
		if !r.At.IsZero() {
			reply.History = slices.DeleteFunc(reply.History, func(e api.Entry) bool { return e.Business > r.At })
		}
		return err
	})
	if err != nil {
		return nil, s.refused(ctx, actorOf(ctx), actRead, r.ID, refine(err))
	}
	return reply, nil
}

// entry is a record for who does not see every branch: what it counted goes
// over all of them.
func (v *sight) entry(rec store.Record) api.Entry {
	if v.all || rec.Detail == nil {
		return entry(rec)
	}
	var detail map[string]json.RawMessage
	if json.Unmarshal(rec.Detail, &detail) == nil {
		delete(detail, "plan")
		delete(detail, "failed")
		delete(detail, "told")
		if rec.Detail, _ = json.Marshal(detail); len(detail) == 0 {
			rec.Detail = nil
		}
	}
	return entry(rec)
}

func entry(rec store.Record) api.Entry {
	e := api.Entry{Seq: rec.Seq, At: rec.At, Business: rec.Business, Actor: rec.Actor, OSUser: rec.OSUser, Action: rec.Action, Subject: rec.Subject, Hash: rec.Hash}
	if rec.Detail != nil {
		e.Detail = rec.Detail
	}
	return e
}
