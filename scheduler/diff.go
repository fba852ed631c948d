package scheduler

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// diffPage is how many units are looked at in one View.
const diffPage = 20

// viewer runs a closure that reads the store: a View of its own each time, or
// within a transaction that is at work.
type viewer func(fn func(*store.Tx) error) error

func (s *Scheduler) views(ctx context.Context) viewer {
	return func(fn func(*store.Tx) error) error { return s.cfg.Store.View(ctx, fn) }
}

func within(tx *store.Tx) viewer {
	return func(fn func(*store.Tx) error) error { return fn(tx) }
}

// underDocuments are what a plan is made under.
type underDocuments struct {
	book *rules.Book
	cal  *calendar.Calendar
}

// contrast holds what a run today would give under some documents against what
// it would give under others, unit by unit, page by page. It makes both plans
// as a change does, from the plan that stands, and writes nothing.
type contrast struct {
	view     *sight // whose lines are told; nil: all
	old, new underDocuments
	meta     store.Meta
	today    calendar.Date
	// each, where it is set, is told of the differences of a unit, within the
	// View of its page.
	each func(tx *store.Tx, ds []obligation.Difference) error

	open    int // under the old documents
	seen    int // of them, in sight
	dropped int // of the open ones
	moved   int // likewise
	failed  []string
}

// run walks over every unit that a changed rulebook would plan anew.
func (k *contrast) run(s *Scheduler, view viewer) error {
	units := k.side(s, k.new)
	if err := units.everyUnit(view); err != nil {
		return err
	}
	err := view(func(tx *store.Tx) error {
		return tx.Dirty(func(u loan.Ref, _ string) bool { units.plan(u); return true })
	})
	if err != nil {
		return err
	}
	for page := range slices.Chunk(units.order, diffPage) {
		old, new := k.side(s, k.old), k.side(s, k.new)
		err := view(func(tx *store.Tx) error {
			old.tx, new.tx = tx, tx
			for _, u := range page {
				if err := k.unit(old, new, u); err != nil {
					return fmt.Errorf("compare %s: %w", u, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// side is a change that is never begun: it reckons under some documents.
func (k *contrast) side(s *Scheduler, d underDocuments) *change {
	c := &change{s: s, book: d.book, cal: d.cal, meta: k.meta, today: k.today, now: s.moment(), replan: map[loan.Ref]bool{}, directory: directory{reach: d.book.Reach()}}
	c.meta.WindowEnd = max(c.meta.WindowEnd, windowEnd(k.today))
	return c
}

func (k *contrast) unit(old, new *change, u loan.Ref) error {
	facts, err := old.facts(u)
	if err != nil {
		return err
	}
	plan, err := old.tx.Plan(u)
	if err != nil {
		return err
	}
	var stands []obligation.Obligation
	if plan != nil {
		stands = plan.Obligations
	}
	before, _, _ := old.reckon(u, stands, facts)
	// A rulebook may ask of other units than the one before it does.
	if facts, err = new.facts(u); err != nil {
		return err
	}
	after, _, d := new.reckon(u, stands, facts)
	for i := range before {
		if !before[i].State.Ended() {
			k.open++
			if k.view != nil && k.view.sees(&before[i]) {
				k.seen++
			}
		}
	}
	var failed []string
	for a, err := range d.Failed {
		if k.view != nil {
			if seen, _ := k.view.subject(new.tx, a.Subject); !seen {
				continue
			}
		}
		failed = append(failed, err.Error())
	}
	sort.Strings(failed)
	k.failed = append(k.failed, failed...)
	ds := obligation.Diff(before, after, k.today)
	for i := range ds {
		if ds[i].Old == nil || ds[i].Old.State.Ended() {
			continue
		}
		switch ds[i].Kind {
		case obligation.Dropped:
			k.dropped++
		case obligation.Earlier, obligation.Later:
			k.moved++
		}
	}
	if k.each == nil || len(ds) == 0 {
		return nil
	}
	return k.each(old.tx, ds)
}

// Diff says what other documents would change if they came into force now.
func (s *Scheduler) Diff(ctx context.Context, r api.DiffRequest) (*api.DiffReply, error) {
	var meta store.Meta
	var force, old, new underDocuments
	var view *sight
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) (err error) {
		if view, err = s.look(ctx, tx); err != nil {
			return err
		}
		if meta, err = tx.Meta(); err != nil {
			return err
		}
		if force, err = s.ranLast(tx, &meta); err != nil {
			return err
		}
		old, new = force, force
		if r.Old != nil {
			if old.book, err = s.bookOf(tx, *r.Old); err != nil {
				return err
			}
		}
		if r.New != nil {
			if new.book, err = s.bookOf(tx, *r.New); err != nil {
				return err
			}
		}
		if r.Calendar != nil {
			if new.cal, err = calendar.Load("calendar", r.Calendar); err != nil {
				return api.Errorf(api.BadFile, "", "%v", err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.refused(ctx, actorOf(ctx), actRead, "", refine(err))
	}
	today := s.readingDay(&meta, new.book, r.On)
	if today < meta.BusinessDate {
		return nil, api.Errorf(api.Usage, "today never goes back", "--on %s is before the store's business date %s", r.On, meta.BusinessDate)
	}
	if err := s.inCalendar(today); err != nil {
		return nil, err
	}
	k := &contrast{old: old, new: new, meta: meta, today: today, view: view}
	reply, err := s.diff(k, s.views(ctx), true)
	if err != nil {
		return nil, refine(err)
	}
	// A calendar is the State Council's to change, and is never held.
	reply.Held = reply.Old == force.book.Digest() && reply.Old != reply.New && s.cfg.Hold.exceeded(k)
	return reply, nil
}

// diff runs a contrast and counts it, with a line for each change if asked.
func (s *Scheduler) diff(k *contrast, view viewer, lines bool) (*api.DiffReply, error) {
	reply := &api.DiffReply{Today: k.today, Old: k.old.book.Digest(), New: k.new.book.Digest(), OldCalendar: k.old.cal.Version(), NewCalendar: k.new.cal.Version(),
		ByRule: []api.DiffTotal{}, ByOwner: []api.DiffTotal{}, Changes: []api.DiffLine{}, Failed: []string{}}
	rule := func(id string) *rules.Rule {
		return cmp.Or(k.new.book.Rule(id), k.old.book.Rule(id))
	}
	byRule, byOwner, names := map[string]*api.DiffTotal{}, map[string]*api.DiffTotal{}, map[string]string{}
	var staff map[string]*loan.Staff
	k.each = func(tx *store.Tx, ds []obligation.Difference) error {
		for i := range ds {
			d := &ds[i]
			o := d.Obligation()
			if k.view != nil && !k.view.sees(o) {
				continue
			}
			count(&reply.Total, d)
			if byRule[o.Rule] == nil {
				byRule[o.Rule] = &api.DiffTotal{ID: o.Rule}
				if r := rule(o.Rule); r != nil {
					byRule[o.Rule].Name = r.Name
				}
			}
			count(&byRule[o.Rule].DiffCount, d)
			if byOwner[o.Owner] == nil {
				byOwner[o.Owner] = &api.DiffTotal{ID: o.Owner}
			}
			count(&byOwner[o.Owner].DiffCount, d)
			if !lines {
				continue
			}
			l, err := diffLine(tx, k.today, d, rule(o.Rule), names)
			if err != nil {
				return err
			}
			reply.Changes = append(reply.Changes, l)
		}
		return nil
	}
	if err := k.run(s, view); err != nil {
		return nil, err
	}
	if err := view(func(tx *store.Tx) (err error) { staff, err = tx.Staff(); return err }); err != nil {
		return nil, err
	}
	reply.Open = k.open
	if k.view != nil && !k.view.all {
		reply.Open = k.seen
	}
	reply.Failed = append(reply.Failed, k.failed...)
	for id, t := range byOwner {
		if p := staff[id]; p != nil {
			t.Name = p.Name
		}
	}
	reply.ByRule, reply.ByOwner = totals(byRule), totals(byOwner)
	sort.SliceStable(reply.Changes, func(i, j int) bool {
		a, b := &reply.Changes[i], &reply.Changes[j]
		return cmp.Or(
			cmp.Compare(slices.Index(obligation.DifferenceKinds, a.Kind), slices.Index(obligation.DifferenceKinds, b.Kind)),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(cmp.Or(a.NewDue, a.OldDue), cmp.Or(b.NewDue, b.OldDue)),
			cmp.Compare(a.ID, b.ID)) < 0
	})
	return reply, nil
}

func count(n *api.DiffCount, d *obligation.Difference) {
	switch d.Kind {
	case obligation.Added:
		n.Added++
	case obligation.Dropped:
		n.Dropped++
	case obligation.Earlier:
		n.Earlier++
	case obligation.Later:
		n.Later++
	case obligation.Altered:
		n.Altered++
	}
	if d.NewlyOverdue {
		n.NewlyOverdue++
	}
}

// totals lists them, the one with the most changes first.
func totals(m map[string]*api.DiffTotal) []api.DiffTotal {
	out := make([]api.DiffTotal, 0, len(m))
	for _, t := range m {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b api.DiffTotal) int {
		return cmp.Or(cmp.Compare(b.Changes(), a.Changes()), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// diffLine gives a change the form that scripts see. names are the borrowers'.
func diffLine(tx *store.Tx, today calendar.Date, d *obligation.Difference, r *rules.Rule, names map[string]string) (api.DiffLine, error) {
	o := d.Obligation()
	l := api.DiffLine{Kind: d.Kind, NewlyOverdue: d.NewlyOverdue, ID: o.Key.String(), Short: o.Key.Short(), Rule: o.Rule, Subject: o.Subject,
		Loan: o.Loan, Branch: o.Branch, Owner: o.Owner, Role: o.Role, Fields: append([]obligation.Field{}, d.Fields...)}
	if r != nil {
		l.Name, l.Clause = r.Name, r.Clause
	}
	if !o.Party.IsZero() {
		l.Party = &obligation.Party{Kind: o.Party.Kind, ID: o.Party.ID, Name: o.PartyName}
	}
	if o.Borrower != "" {
		name, known := names[o.Borrower]
		if !known {
			var err error
			if name, err = tx.BorrowerName(o.Borrower, today); err != nil {
				return l, err
			}
			names[o.Borrower] = name
		}
		l.Borrower = &api.Named{ID: o.Borrower, Name: name}
	}
	if d.Old != nil {
		l.OldState = d.Old.State
		if d.Kind != obligation.Added {
			l.OldDue = d.Old.Due
		}
	}
	if d.New != nil {
		l.NewState = d.New.State
		if d.Kind != obligation.Dropped {
			l.NewDue = d.New.Due
		}
	}
	return l, nil
}

// ranLast gives the documents that the store ran last: what is in force. Before
// the first run that is what the files hold.
func (s *Scheduler) ranLast(tx *store.Tx, meta *store.Meta) (d underDocuments, err error) {
	d.book, d.cal = s.inForce()
	if meta.Rulebook != "" {
		if d.book, err = s.bookIn(tx, meta.Rulebook); err != nil {
			return d, err
		}
	}
	if meta.Calendar != "" {
		d.cal, err = s.calendarIn(tx, meta.Calendar)
	}
	return d, err
}

// bookOf gives the rulebook that a request names.
func (s *Scheduler) bookOf(tx *store.Tx, b api.Book) (*rules.Book, error) {
	if b.Digest == "" {
		book, err := rules.Parse(cmp.Or(b.Name, "rules.yaml"), b.Text)
		if err != nil {
			return nil, api.Errorf(api.BadFile, "\"tickler rules check\" lists the mistakes", "%v", err)
		}
		return book, nil
	}
	prefix := "sha256:" + strings.TrimPrefix(b.Digest, "sha256:")
	var found []string
	note := func(digest string) {
		if strings.HasPrefix(digest, prefix) && !slices.Contains(found, digest) {
			found = append(found, digest)
		}
	}
	err := tx.Activations(func(a store.Activation) error {
		if a.Kind == kindRulebook {
			note(a.Digest)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	held, err := holds(tx)
	if err != nil {
		return nil, err
	}
	for _, h := range held {
		note(h.Digest)
	}
	switch len(found) {
	case 0:
		return nil, api.Errorf(api.NotFound, "\"tickler rules history\" lists those that the store kept", "no file and no rulebook %q", b.Digest)
	case 1:
		return s.bookIn(tx, found[0])
	}
	return nil, api.Errorf(api.Usage, "write more of the digest", "%q is the beginning of %d rulebooks:\n  %s", b.Digest, len(found), strings.Join(found, "\n  "))
}

// IsDigest says that a word can be the beginning of a digest.
func IsDigest(s string) bool { return digestPrefix.MatchString(s) }

var digestPrefix = regexp.MustCompile(`^(sha256:)?[0-9a-f]{4,64}$`)
