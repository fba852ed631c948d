package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

func runStore(t *testing.T, open func(*testing.T) store.Backend) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) store.Backend){
		"MetaAndSequences":                     metaAndSequences,
		"APlanComesBackFieldByField":           planRoundTrip,
		"ADossierComesBackFieldByField":        dossierRoundTrip,
		"PostingsAgreeWithTheirPlans":          postings,
		"AnEditIsThePlanPutWhole":              edits,
		"AFullCellIsCutAndEmptied":             fullCell,
		"WhatIsUnchangedWritesNothing":         unchanged,
		"ADossierIsFoundByAllItHolds":          dossierIndexes,
		"EventsAreInOrderAndHaveOnePlace":      events,
		"TheAuditTrailShowsAnyTampering":       audit,
		"MessagesLeaveTheOutboxOnce":           outbox,
		"DocumentsRowsImportsAndMarksAreKept":  smallThings,
		"AFailedUpdateLeavesNoStringsBehind":   freshStrings,
		"ARecordUnderAnotherKeyIsDamage":       swapped,
		"AnUnknownOutcomeStopsTheStore":        unknownOutcome,
		"ANewerStoreIsRefused":                 newer,
		"TheIndexesCanBeMadeAgain":             reindex,
		"TheWholeStoreChecksCleanAfterAllThis": func(t *testing.T, open func(*testing.T) store.Backend) { clean(t, store.New(open(t))) },
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

func update(t testing.TB, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	must(t, s.Update(ctx, fn))
}

func view(t testing.TB, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	must(t, s.View(ctx, fn))
}

// clean fails the test where the store's own check finds anything.
func clean(t testing.TB, s *store.Store) {
	t.Helper()
	must(t, s.Check(ctx, func(err error) { t.Errorf("check: %v", err) }))
}

func day(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func borrower(id string) loan.Ref { return loan.Ref{Kind: loan.KindBorrower, ID: id} }

// fill sets every field to something that is not zero, and not the same
// anywhere, so that a field that is not kept is seen.
func fill(v reflect.Value, r *rand.Rand) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(r.Int64N(4e9)-1e9, r.Int64N(1e9)).UTC()))
		return
	case reflect.TypeFor[calendar.Date]():
		v.SetInt(int64(day("2020-01-01")) + r.Int64N(5000))
		return
	case reflect.TypeFor[loan.Kind]():
		v.SetString(string(loan.Kinds[r.IntN(len(loan.Kinds))]))
		return
	case reflect.TypeFor[obligation.State]():
		v.SetString(string(obligation.States[r.IntN(len(obligation.States))]))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("户%d", r.IntN(1000)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(r.Int64N(1<<30) - 1<<29)
	case reflect.Uint64:
		v.SetUint(r.Uint64())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), r)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), r)
		}
	case reflect.Slice:
		n := 1 + r.IntN(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(v.Index(i), r)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + r.IntN(3) {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(k, r)
			fill(e, r)
			v.SetMapIndex(k, e)
		}
	default:
		panic("storetest: how to fill a " + v.Type().String())
	}
}

// sparsely sets some of the fields back to zero.
func sparsely(v reflect.Value, r *rand.Rand) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			break
		}
		for i := range v.NumField() {
			sparsely(v.Field(i), r)
		}
		return
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Struct {
			for i := range v.Len() {
				sparsely(v.Index(i), r)
			}
			return
		}
	}
	if r.IntN(2) == 0 {
		v.SetZero()
	}
}

func planRoundTrip(t *testing.T, open func(*testing.T) store.Backend) {
	s := store.New(open(t))
	r := rand.New(rand.NewPCG(1, 2))
	occurrences := []string{"", "2026-12-31", "2026-11", "2026-13", "2026-Q4", "2026-H2", "2026", "2026-W47", "2026-11-A", "2026-11-B",
		"2026-Q", "0000", "9999-Q9", "2026-11-C", "2026-1-1", "loan.settled/loan%2FJJ1/2026-01-01", "17", "２０２６", "2026-02-30", "-026", "+026-Q1"}
	for i := range 200 {
		p := &store.Plan{}
		fill(reflect.ValueOf(p).Elem(), r)
		if i%4 != 0 {
			sparsely(reflect.ValueOf(p).Elem(), r)
		}
		p.Unit = loan.Ref{Kind: loan.KindBorrower, ID: fmt.Sprint("客户", i)}
		for k := range p.Obligations {
			o := &p.Obligations[k]
			o.Occurrence = occurrences[r.IntN(len(occurrences))]
			switch r.IntN(4) {
			case 0:
				o.Occurrence = o.Anchor.String()
			case 1:
				o.Borrower, o.Loan = p.Unit.ID, o.Subject.ID
			case 2:
				o.Rulebook, o.Calendar = p.Rulebook, p.Calendar
			}
			if r.IntN(10) == 0 {
				o.State, o.Subject.Kind = "a state to come", "a kind to come"
				o.Role = strings.Repeat("长", 200)
			}
		}
		update(t, s, func(tx *store.Tx) error { return tx.PutPlan(p) })
		view(t, s, func(tx *store.Tx) error {
			got, err := tx.Plan(p.Unit)
			must(t, err)
			if !reflect.DeepEqual(got, p) {
				t.Fatalf("plan %d:\n got %+v\nwant %+v", i, got, p)
			}
			parts(t, tx, p, r)
			return nil
		})
	}
	view(t, s, func(tx *store.Tx) error {
		n := 0
		must(t, tx.ScanPlans(func(*store.Plan) error { n++; return nil }))
		equal(t, "plans", n, 200)
		paged, last := 0, loan.Ref{}
		for {
			var err error
			last, err = tx.ScanPlansFrom(last, 7, func(*store.Plan) error { paged++; return nil })
			must(t, err)
			if last.IsZero() {
				break
			}
		}
		equal(t, "plans page by page", paged, 200)
		var want, glances []store.Glance
		must(t, tx.ScanPlans(func(p *store.Plan) error {
			for _, o := range p.Obligations {
				want = append(want, store.Glance{State: o.State, Due: o.Due, PeriodEnd: o.PeriodEnd, Loan: o.Loan, Raised: !o.RaisedAt.IsZero()})
			}
			return nil
		}))
		_, err := tx.GlanceFrom(loan.Ref{}, 1000, func(g *store.Glance) {
			glances = append(glances, store.Glance{State: g.State, Due: g.Due, PeriodEnd: g.PeriodEnd, Loan: g.Loan, Raised: g.Raised})
		}, func(*store.Plan) error { return nil })
		must(t, err)
		if !slices.Equal(glances, want) {
			t.Errorf("at a glance %+v, want %+v", glances, want)
		}
		if p, err := tx.Plan(borrower("nobody")); p != nil || err != nil {
			t.Errorf("a plan that was never put: %v, %v", p, err)
		}
		if _, err := tx.Plan(loan.Ref{Kind: loan.KindLoan, ID: "JJ1"}); err == nil {
			t.Error("a loan is no unit, and has a plan")
		}
		return nil
	})
	clean(t, s)
}

// parts reads parts of a plan, each against the whole.
func parts(t *testing.T, tx *store.Tx, p *store.Plan, r *rand.Rand) {
	t.Helper()
	part := store.Part{Open: r.IntN(2) == 0}
	if n := len(p.Obligations); n > 0 && r.IntN(2) == 0 {
		a, b := p.Obligations[r.IntN(n)].Due, p.Obligations[r.IntN(n)].Due
		part.From, part.To = min(a, b), max(a, b)
	}
	owner := ""
	if n := len(p.Obligations); n > 0 && r.IntN(2) == 0 {
		owner = p.Obligations[r.IntN(n)].Owner
		part.Keep = func(o *obligation.Obligation) bool { return o.Owner == owner }
	}
	want := *p
	want.Obligations = nil
	for _, o := range p.Obligations {
		if part.Open && o.State.Ended() || o.Due < part.From || !part.To.IsZero() && o.Due > part.To || part.Keep != nil && o.Owner != owner {
			continue
		}
		want.Obligations = append(want.Obligations, o)
	}
	got, err := tx.PlanPart(p.Unit, part)
	must(t, err)
	if !reflect.DeepEqual(got, &want) {
		t.Fatalf("part %+v:\n got %+v\nwant %+v", part, got, &want)
	}
	var each []obligation.Obligation
	part.Each = func(_ *store.Tx, o *obligation.Obligation) error {
		each = append(each, *o)
		_, err := tx.BorrowerName(o.Borrower, o.Due) // another record is read meanwhile
		return err
	}
	got, err = tx.PlanPart(p.Unit, part)
	must(t, err)
	if !reflect.DeepEqual(each, want.Obligations) || len(got.Obligations) > 0 {
		t.Fatalf("part %+v one by one:\n got %+v\nwant %+v", part, each, want.Obligations)
	}
}

// edits works on a few obligations of a plan, and in a second store puts the
// same plan whole: both must hold the same bytes, indexes included.
func edits(t *testing.T, open func(*testing.T) store.Backend) {
	r := rand.New(rand.NewPCG(7, 8))
	edited, whole := store.New(open(t)), store.New(open(t))
	both := func(work func(s *store.Store)) { work(edited); work(whole) }
	for i := range 150 {
		unit := borrower(fmt.Sprint("C", i))
		p := randomPlan(r, unit)
		for k := range p.Obligations { // a text each, so that some plans have many
			o := &p.Obligations[k]
			o.Cause = []string{"", "展期", fmt.Sprint("原因", i, "/", k)}[r.IntN(3)]
			o.Late = []string{"", "停机补触发"}[r.IntN(2)]
		}
		if i%5 == 0 {
			for k := range 40 {
				o := obligation.Obligation{State: obligation.Planned, Cause: fmt.Sprint("原因", k)}
				o.Subject, o.Due = loan.Ref{Kind: loan.KindLoan, ID: fmt.Sprint("JJ", k)}, day("2026-03-01").AddDays(k)
				p.Obligations = append(p.Obligations, o)
			}
		}
		both(func(s *store.Store) {
			update(t, s, func(tx *store.Tx) error { return tx.PutPlan(p) })
		})
		today := day("2026-01-01").AddDays(r.IntN(60))
		picks := map[int]bool{}
		for k := range p.Obligations {
			picks[k] = r.IntN(4) == 0
		}
		act := r.IntN(6)
		work := func(o *obligation.Obligation) {
			switch act {
			case 0: // nothing becomes of it
			case 1:
				o.Due, o.State = o.Due.AddDays(1), obligation.Raised
			case 2:
				o.State, o.DoneOn, o.ClosedBy = obligation.Done, today, "事件"
			case 3:
				o.State, o.Late = obligation.Raised, "触发日已过"
			default:
				if o.State == obligation.Planned {
					o.State, o.RaisedOn, o.RaisedAt = obligation.Raised, today, time.Unix(1e9, 0).UTC()
				}
				o.Told, o.Nudge, o.Escalated = today, today.AddDays(3), append(slices.Clip(o.Escalated), "supervisor")
			}
		}
		update(t, edited, func(tx *store.Tx) error {
			at := -1
			e, err := tx.EditPlan(unit, func(*store.Glance) bool { at++; return picks[at] })
			must(t, err)
			for k := range e.Obligations {
				work(&e.Obligations[k])
			}
			return tx.PutEdit(e)
		})
		update(t, whole, func(tx *store.Tx) error {
			p, err := tx.Plan(unit)
			must(t, err)
			for k := range p.Obligations {
				if picks[k] {
					work(&p.Obligations[k])
				}
			}
			return tx.PutPlan(p)
		})
	}
	update(t, edited, func(tx *store.Tx) error {
		if e, err := tx.EditPlan(borrower("nobody"), func(*store.Glance) bool { return true }); e != nil || err != nil {
			t.Errorf("an edit of a plan that was never put: %v, %v", e, err)
		}
		return nil
	})
	equal(t, "what both stores hold", records(t, edited), records(t, whole))
	both(func(s *store.Store) { clean(t, s) })
}

// records gives all that a store holds, by bucket and key.
func records(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, s.Backend().View(ctx, func(r store.Reader) error {
		for _, bucket := range store.Buckets {
			if err := r.Scan(bucket, nil, nil, func(key, value []byte) error {
				out[bucket+"/"+string(key)] = string(value)
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	return out
}

func dossierRoundTrip(t *testing.T, open func(*testing.T) store.Backend) {
	s := store.New(open(t))
	r := rand.New(rand.NewPCG(3, 4))
	want := map[string]*loan.Dossier{}
	for i := range 100 {
		d := &loan.Dossier{}
		fill(reflect.ValueOf(d).Elem(), r)
		for _, l := range d.Loans {
			if i%3 != 0 {
				sparsely(reflect.ValueOf(&l.History).Elem(), r)
				sparsely(reflect.ValueOf(&l.Guarantors).Elem(), r)
			}
		}
		if i%5 == 0 {
			d.Borrower, d.Collaterals = nil, nil
		}
		d.ID = fmt.Sprint("客户/", i)
		for k, l := range d.Loans {
			l.ID = fmt.Sprint("JJ", i, "-", k)
		}
		for k, c := range d.Collaterals {
			c.ID = fmt.Sprint("DY", i, "-", k)
		}
		want[d.ID] = d
		update(t, s, func(tx *store.Tx) error { return tx.PutDossier(d) })
	}
	view(t, s, func(tx *store.Tx) error {
		for id, d := range want {
			got, err := tx.Dossier(id)
			must(t, err)
			if !reflect.DeepEqual(got, d) {
				a, _ := json.Marshal(got)
				b, _ := json.Marshal(d)
				t.Fatalf("dossier %s:\n got %s\nwant %s", id, a, b)
			}
			on, name := day("2026-01-01").AddDays(r.IntN(800)-400), ""
			if d.Borrower != nil {
				name = d.Borrower.Name
			}
			for _, l := range d.Loans {
				if v := l.History.At(on); name == "" && v != nil {
					name = v.BorrowerName
				}
			}
			if got, err := tx.BorrowerName(id, on); err != nil || got != name {
				t.Errorf("the name of %s on %s is %q, %v; want %q", id, on, got, err, name)
			}
		}
		var ids []string
		must(t, tx.ScanDossiers(func(d *loan.Dossier) error { ids = append(ids, d.ID); return nil }))
		equal(t, "dossiers", ids, slices.Sorted(maps.Keys(want)))
		for _, id := range []string{"", "nobody"} {
			if d, err := tx.Dossier(id); d != nil || err != nil {
				t.Errorf("a dossier that was never put: %v, %v", d, err)
			}
		}
		return nil
	})
	clean(t, s)
}

// naive is what the postings must say, from the plans themselves.
type naive map[loan.Ref]*store.Plan

func (n naive) due(branch string, from, to calendar.Date) map[string]int {
	out := map[string]int{}
	for unit, p := range n {
		days := map[calendar.Date]bool{}
		for _, o := range p.Obligations {
			if !o.State.Ended() && o.Due >= from && o.Due <= to && (branch == "" || o.Branch == branch) {
				days[o.Due] = true
			}
		}
		if len(days) > 0 {
			out[unit.String()] = len(days)
		}
	}
	return out
}

func (n naive) units(want func(*store.Plan) bool) []string {
	out := []string{}
	for unit, p := range n {
		if want(p) {
			out = append(out, unit.String())
		}
	}
	slices.Sort(out)
	return out
}

func (n naive) hold(t *testing.T, tx *store.Tx, r *rand.Rand) {
	t.Helper()
	base := day("2026-01-01")
	for range 12 {
		branch := []string{"", "B1", "B2", "支行"}[r.IntN(4)]
		from := base.AddDays(r.IntN(40))
		to := from.AddDays(r.IntN(20) - 2)
		got := map[string]int{}
		must(t, tx.Due(branch, from, to, func(u loan.Ref) error { got[u.String()]++; return nil }))
		equal(t, fmt.Sprintf("due in %q %s to %s", branch, from, to), got, n.due(branch, from, to))

		refs, err := tx.ToRaise(to)
		must(t, err)
		equal(t, fmt.Sprint("to raise by ", to), texts(t, refs), n.units(func(p *store.Plan) bool {
			return slices.ContainsFunc(p.Obligations, func(o obligation.Obligation) bool {
				return o.State == obligation.Planned && o.Raise <= to
			})
		}))
		refs, err = tx.ToNudge(to)
		must(t, err)
		equal(t, fmt.Sprint("to nudge by ", to), texts(t, refs), n.units(func(p *store.Plan) bool {
			return slices.ContainsFunc(p.Obligations, func(o obligation.Obligation) bool {
				return o.State == obligation.Raised && !o.Nudge.IsZero() && o.Nudge <= to
			})
		}))
		refs, err = tx.ToDerive(to)
		must(t, err)
		equal(t, fmt.Sprint("to derive by ", to), texts(t, refs), n.units(func(p *store.Plan) bool {
			return !p.Next.IsZero() && p.Next <= to
		}))
	}
	for _, p := range n {
		for _, o := range p.Obligations {
			short := o.Key.Short()[:4]
			refs, err := tx.UnitsByShort(short)
			must(t, err)
			equal(t, "units of "+short, texts(t, refs), n.units(func(p *store.Plan) bool {
				return slices.ContainsFunc(p.Obligations, func(o obligation.Obligation) bool {
					return obligation.ShortSubject(o.Subject) == short
				})
			}))
			return
		}
	}
}

func texts(t *testing.T, refs []loan.Ref) []string {
	out := []string{}
	for _, r := range refs {
		out = append(out, r.String())
	}
	slices.Sort(out)
	if len(slices.Compact(slices.Clone(out))) != len(out) {
		t.Errorf("a unit comes twice: %q", out)
	}
	return out
}

func randomPlan(r *rand.Rand, unit loan.Ref) *store.Plan {
	base := day("2026-01-01")
	p := &store.Plan{Unit: unit, Facts: r.Uint64N(5), Rulebook: "sha256:r", Calendar: "sha256:c"}
	if r.IntN(4) > 0 {
		p.Next = base.AddDays(r.IntN(40))
	}
	for range r.IntN(8) {
		o := obligation.Obligation{State: obligation.States[r.IntN(len(obligation.States))]}
		o.Rule = []string{"maturity-notice", "annual-review"}[r.IntN(2)]
		o.Subject = loan.Ref{Kind: loan.KindLoan, ID: fmt.Sprint("JJ", r.IntN(30))}
		o.Due = base.AddDays(r.IntN(40))
		o.Raise = o.Due.AddDays(-r.IntN(10))
		o.Occurrence = o.Due.String()
		if r.IntN(3) > 0 {
			o.Nudge = base.AddDays(r.IntN(40))
		}
		o.Branch = []string{"B1", "B2", "支行", ""}[r.IntN(4)]
		p.Obligations = append(p.Obligations, o)
	}
	return p
}

func postings(t *testing.T, open func(*testing.T) store.Backend) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 9))
		s := store.New(open(t))
		plans := naive{}
		for range 12 {
			next := maps.Clone(plans)
			wrong := errors.New("wrong")
			fail := r.IntN(4) == 0
			err := s.Update(ctx, func(tx *store.Tx) error {
				next = maps.Clone(plans)
				inOrder := r.IntN(2) == 0 // as an import puts them
				for i := range 1 + r.IntN(60) {
					kind := []loan.Kind{loan.KindBorrower, loan.KindBranch, loan.KindOfficer, loan.KindGroup}[r.IntN(4)]
					p := randomPlan(r, loan.Ref{Kind: kind, ID: fmt.Sprint("U", r.IntN(40))})
					if inOrder {
						p.Unit = borrower(fmt.Sprint("U", 100+i))
					}
					if err := tx.PutPlan(p); err != nil {
						return err
					}
					next[p.Unit] = p
					if r.IntN(10) == 0 {
						next.hold(t, tx, r) // what is not committed yet is found too
					}
				}
				if fail {
					return wrong
				}
				return nil
			})
			if fail != errors.Is(err, wrong) || !fail && err != nil {
				t.Fatalf("Update gives %v", err)
			}
			if !fail {
				plans = next
			}
			view(t, s, func(tx *store.Tx) error { plans.hold(t, tx, r); return nil })
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		clean(t, s)
	}
}

func fullCell(t *testing.T, open func(*testing.T) store.Backend) {
	s := store.New(open(t))
	r := rand.New(rand.NewPCG(5, 6))
	due := day("2026-03-31")
	plan := func(i int, state obligation.State) *store.Plan {
		o := obligation.Obligation{State: state}
		o.Subject = loan.Ref{Kind: loan.KindLoan, ID: "JJ"}
		o.Branch, o.Due, o.Raise = "B1", due, due
		return &store.Plan{Unit: borrower(fmt.Sprintf("C%05d", i)), Obligations: []obligation.Obligation{o}}
	}
	open1 := map[int]bool{}
	for round := range 12 {
		update(t, s, func(tx *store.Tx) error {
			for range 500 {
				i := r.IntN(3000)
				state := obligation.Planned
				if round > 5 && r.IntN(3) > 0 || round > 9 {
					state = obligation.Done
				}
				open1[i] = state == obligation.Planned
				if err := tx.PutPlan(plan(i, state)); err != nil {
					return err
				}
			}
			return nil
		})
		var want, got []string
		for i, o := range open1 {
			if o {
				want = append(want, fmt.Sprintf("borrower/C%05d", i))
			}
		}
		slices.Sort(want)
		view(t, s, func(tx *store.Tx) error {
			return tx.Due("B1", due, due, func(u loan.Ref) error { got = append(got, u.String()); return nil })
		})
		if !slices.Equal(got, want) {
			t.Fatalf("round %d: %d units due in order, want %d", round, len(got), len(want))
		}
	}
	update(t, s, func(tx *store.Tx) error {
		for i := range 3000 {
			if err := tx.PutPlan(plan(i, obligation.Done)); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(tx *store.Tx) error {
		return tx.Due("", 0, due, func(u loan.Ref) error { t.Errorf("%s is due", u); return nil })
	})
	clean(t, s)
}

// counting counts what is written.
type counting struct {
	store.Backend
	writes int
}

type countingWriter struct {
	store.Writer
	c *counting
}

func (c *counting) Update(ctx context.Context, fn func(store.Writer) error) error {
	return c.Backend.Update(ctx, func(w store.Writer) error { return fn(countingWriter{w, c}) })
}

func (w countingWriter) Put(bucket string, key, value []byte) error {
	w.c.writes++
	return w.Writer.Put(bucket, key, value)
}

func (w countingWriter) Delete(bucket string, key []byte) error {
	w.c.writes++
	return w.Writer.Delete(bucket, key)
}

func unchanged(t *testing.T, open func(*testing.T) store.Backend) {
	c := &counting{Backend: open(t)}
	s := store.New(c)
	r := rand.New(rand.NewPCG(7, 8))
	p, d := &store.Plan{}, &loan.Dossier{}
	fill(reflect.ValueOf(p).Elem(), r)
	fill(reflect.ValueOf(d).Elem(), r)
	p.Unit = borrower("C1")
	both := func(tx *store.Tx) error { return errors.Join(tx.PutPlan(p), tx.PutDossier(d)) }
	update(t, s, both)
	c.writes = 0
	update(t, s, both)
	equal(t, "writes of what is unchanged", c.writes, 0)
	update(t, store.New(c), both) // and where the strings are not known yet
	equal(t, "writes of what is unchanged", c.writes, 0)
	p.Facts++ // no posting changes with it
	update(t, s, both)
	equal(t, "writes of one field", c.writes, 1)
}

func dossierIndexes(t *testing.T, open func(*testing.T) store.Backend) {
	s := store.New(open(t))
	file := func(id, branch, officer string, guarantors ...string) *loan.LoanFile {
		l := &loan.LoanFile{ID: id}
		l.History = l.History.Put(loan.Version[loan.Loan]{From: day("2026-01-01"), Value: loan.Loan{ID: id, Branch: "OLD", Officer: "OLD"}})
		l.History = l.History.Put(loan.Version[loan.Loan]{From: day("2026-02-01"), Value: loan.Loan{ID: id, Branch: branch, Officer: officer, Guarantors: guarantors}})
		return l
	}
	c1 := &loan.Dossier{ID: "C1", Borrower: &loan.Borrower{ID: "C1", Branch: "B0", Officer: "S0", RiskManager: "R1"},
		Loans:       []*loan.LoanFile{file("L1", "B1", "S1", "张三"), file("L2", "B2", "S1")},
		Collaterals: []*loan.Collateral{{ID: "K1", Loans: []string{"L1", "L3"}}}}
	c2 := &loan.Dossier{ID: "C2", Loans: []*loan.LoanFile{file("L3", "B1", "S2", "张三")}}

	of := func(tx *store.Tx, scan func(string, func(*loan.Dossier) error) error, id string) string {
		var out []string
		must(t, scan(id, func(d *loan.Dossier) error { out = append(out, d.ID); return nil }))
		return strings.Join(out, " ")
	}
	// hold puts dossiers and looks at them, before they are committed and after.
	hold := func(put []*loan.Dossier, want map[string]string) {
		t.Helper()
		look := func(tx *store.Tx) error {
			for k, w := range want {
				kind, id, _ := strings.Cut(k, "/")
				got := ""
				switch kind {
				case "branch":
					got = of(tx, tx.DossiersOfBranch, id)
				case "officer":
					got = of(tx, tx.DossiersOfOfficer, id)
				case "secured":
					ids, err := tx.SecuredBy(id)
					must(t, err)
					got = strings.Join(ids, " ")
				default:
					u, err := tx.UnitOf(loan.Ref{Kind: loan.Kind(kind), ID: id})
					if got = u.ID; err != nil {
						got = "none"
						if !errors.Is(err, store.ErrNotFound) {
							t.Errorf("%s: %v", k, err)
						}
					}
				}
				equal(t, k, got, w)
			}
			return nil
		}
		update(t, s, func(tx *store.Tx) error {
			for _, d := range put {
				must(t, tx.PutDossier(d))
			}
			return look(tx)
		})
		view(t, s, look)
	}
	hold([]*loan.Dossier{c1, c2}, map[string]string{
		"branch/B0": "C1", "branch/B1": "C1 C2", "branch/B2": "C1", "branch/OLD": "", "branch/none": "",
		"officer/S0": "C1", "officer/S1": "C1", "officer/S2": "C2", "officer/R1": "C1",
		"secured/L1": "", "secured/L3": "C1", "secured/none": "",
		"loan/L1": "C1", "loan/L3": "C2", "loan/none": "none", "collateral/K1": "C1", "guarantor/张三": "C1", "guarantor/李四": "none",
		"borrower/whoever": "whoever", "group/G": "G",
	})
	// L2 and the collateral move to C2; its dossier is put first, then last.
	c2.Loans = append(c2.Loans, c1.Loans[1])
	c2.Collaterals, c1.Collaterals = c1.Collaterals, nil
	c1.Loans = c1.Loans[:1]
	c1.Borrower.Officer, c1.Borrower.RiskManager = "S9", "S2"
	hold([]*loan.Dossier{c2, c1}, map[string]string{"loan/L2": "C2", "collateral/K1": "C2", "branch/B2": "C2", "officer/S1": "C1 C2", "officer/S0": "", "officer/S9": "C1", "officer/R1": "", "officer/S2": "C1 C2", "secured/L1": "C2", "secured/L3": ""})
	c1.Loans, c2.Loans = c2.Loans[1:], c2.Loans[:1]
	hold([]*loan.Dossier{c2, c1}, map[string]string{"loan/L1": "none", "loan/L2": "C1", "loan/L3": "C2"})
	clean(t, s)
}

func events(t *testing.T, open func(*testing.T) store.Backend) {
	s := store.New(open(t))
	r := rand.New(rand.NewPCG(9, 9))
	c1, c10, b := borrower("C1"), borrower("C1\x00\x01"), loan.Ref{Kind: loan.KindBranch, ID: "C1"}
	make1 := func(id, d string) loan.Event {
		var e loan.Event
		fill(reflect.ValueOf(&e).Elem(), r)
		e.ID, e.Happened = id, day(d)
		return e
	}
	list := []loan.Event{make1("b", "2026-01-02"), make1("中", "2026-01-01"), make1("a", "2026-01-02"), make1("9", "2025-12-31")}
	other := make1("z", "2026-01-01")
	update(t, s, func(tx *store.Tx) error {
		for _, e := range list {
			must(t, tx.PutEvent(c1, e))
		}
		return errors.Join(tx.PutEvent(c10, other), tx.PutEvent(b, make1("y", "2026-01-01")))
	})
	of := func(u loan.Ref) []loan.Event {
		var out []loan.Event
		view(t, s, func(tx *store.Tx) (err error) { out, err = tx.EventsOf(u); return err })
		return out
	}
	if got, want := of(c1), []loan.Event{list[3], list[1], list[2], list[0]}; !reflect.DeepEqual(got, want) {
		t.Errorf("events:\n got %+v\nwant %+v", got, want)
	}
	if got := of(c10); !reflect.DeepEqual(got, []loan.Event{other}) {
		t.Errorf("events of another unit: %+v", got)
	}
	moved := list[0]
	moved.Happened = day("2020-02-29")
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.PutEvent(c10, moved), tx.DeleteEvent("a"), tx.DeleteEvent("never there"))
	})
	if got := of(c1); !reflect.DeepEqual(got, []loan.Event{list[3], list[1]}) {
		t.Errorf("events after one moved and one went: %+v", got)
	}
	view(t, s, func(tx *store.Tx) error {
		e, u, err := tx.Event("b")
		must(t, err)
		if u != c10 || !reflect.DeepEqual(*e, moved) {
			t.Errorf("event b is %+v of %v", e, u)
		}
		for _, id := range []string{"a", "", "nothing"} {
			if _, _, err := tx.Event(id); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("event %q: %v, want ErrNotFound", id, err)
			}
		}
		return nil
	})
	clean(t, s)
}

func audit(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	s := store.New(b)
	at := time.Date(2026, 3, 1, 8, 0, 0, 5, time.FixedZone("", 8*3600))
	for i := range 30 {
		update(t, s, func(tx *store.Tx) error {
			detail, err := store.AuditDetail(map[string]any{"n": i, "因": "<到期>"})
			must(t, err)
			seq, err := tx.Audit(store.Record{At: at, Business: day("2026-03-01"), Actor: "S1", Action: "obligation.raise", Subject: "loan/JJ1", Detail: detail})
			equal(t, "seq", seq, uint64(i+1))
			return err
		})
	}
	failed := errors.New("no")
	if err := s.Update(ctx, func(tx *store.Tx) error { tx.Audit(store.Record{Action: "x"}); return failed }); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	proof, err := s.VerifyAudit(ctx)
	must(t, err)
	view(t, s, func(tx *store.Tx) error {
		seq, h, err := tx.AuditHead()
		equal(t, "head", fmt.Sprint(seq, h, err), fmt.Sprint(proof.Head.Seq, proof.Head.Hash, nil))
		var got []uint64
		must(t, tx.ScanAudit(5, 8, func(r store.Record) error {
			got = append(got, r.Seq)
			if r.At != at.UTC() || r.Actor != "S1" || r.Hash == "" || !strings.Contains(string(r.Detail), `"n":`) {
				t.Errorf("record %+v", r)
			}
			return nil
		}))
		equal(t, "scan", got, []uint64{5, 6, 7, 8})
		return nil
	})
	equal(t, "count", proof.Count, 30)

	key := func(seq byte) []byte { return []byte{0, 0, 0, 0, 0, 0, 0, seq} }
	read := func(w store.Writer, seq byte) []byte {
		v, err := w.Get("audit", key(seq))
		must(t, err)
		return bytes.Clone(v[1 : len(v)-4])
	}
	write := func(w store.Writer, seq byte, payload []byte) {
		must(t, w.Put("audit", key(seq), store.SealRecord("audit", key(seq), 1, payload)))
	}
	for name, tamper := range map[string]struct {
		do  func(w store.Writer)
		bad uint64
	}{
		"a changed word":    {func(w store.Writer) { write(w, 7, bytes.Replace(read(w, 7), []byte("S1"), []byte("S2"), 1)) }, 7},
		"one removed":       {func(w store.Writer) { must(t, w.Delete("audit", key(9))) }, 9},
		"the first removed": {func(w store.Writer) { must(t, w.Delete("audit", key(1))) }, 1},
		"the last removed":  {func(w store.Writer) { must(t, w.Delete("audit", key(30))) }, 30},
		"two exchanged":     {func(w store.Writer) { a, b := read(w, 3), read(w, 4); write(w, 3, b); write(w, 4, a) }, 3},
		"one added":         {func(w store.Writer) { write(w, 31, read(w, 30)) }, 31},
		"a flipped bit": {func(w store.Writer) {
			v, err := w.Get("audit", key(12))
			must(t, err)
			v = bytes.Clone(v)
			v[40] ^= 4
			must(t, w.Put("audit", key(12), v))
		}, 12},
	} {
		var before []byte
		saved := map[string][]byte{}
		must(t, b.Update(ctx, func(w store.Writer) error {
			must(t, w.Scan("audit", nil, nil, func(k, v []byte) error { saved[string(k)] = bytes.Clone(v); return nil }))
			v, err := w.Get("meta", []byte("audit"))
			before = bytes.Clone(v)
			tamper.do(w)
			return err
		}))
		var bad *store.BadRecord
		_, err := s.VerifyAudit(ctx)
		if !errors.As(err, &bad) || bad.Seq != tamper.bad || !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s: %v, want record %d", name, err, tamper.bad)
		}
		must(t, b.Update(ctx, func(w store.Writer) error {
			must(t, w.Delete("audit", key(31)))
			for k, v := range saved {
				must(t, w.Put("audit", []byte(k), v))
			}
			return w.Put("meta", []byte("audit"), before)
		}))
		if _, err := s.VerifyAudit(ctx); err != nil {
			t.Fatalf("put back after %s: %v", name, err)
		}
	}
}

func outbox(t *testing.T, open func(*testing.T) store.Backend) {
	s := store.New(open(t))
	for i := range 3 {
		update(t, s, func(tx *store.Tx) error {
			id, err := tx.Enqueue(store.Message{Kind: "raised", To: fmt.Sprint("S", i), Day: day("2026-03-01"), On: day("2026-03-01").AddDays(i / 2)})
			equal(t, "id", id, uint64(i+1))
			return err
		})
	}
	list := func(scan func(*store.Tx, func(store.Message) error) error) (out []uint64) {
		view(t, s, func(tx *store.Tx) error {
			return scan(tx, func(m store.Message) error { out = append(out, m.ID); return nil })
		})
		return out
	}
	waiting := func(tx *store.Tx, fn func(store.Message) error) error { return tx.ScanOutbox(fn) }
	sent := func(tx *store.Tx, fn func(store.Message) error) error { return tx.ScanSent(0, fn) }
	update(t, s, func(tx *store.Tx) error {
		m, err := tx.Message(2)
		must(t, err)
		m.Tries, m.Error = 1, "timeout"
		must(t, tx.PutMessage(m))
		m.Ended = time.Unix(1e9, 0).UTC()
		return tx.PutMessage(m)
	})
	equal(t, "outbox", list(waiting), []uint64{1, 3})
	for _, c := range []struct {
		from, to string
		want     []uint64
	}{{"2026-02-28", "2026-03-02", []uint64{1, 3}}, {"2026-03-01", "2026-03-01", []uint64{1}}, {"2026-03-02", "2026-03-02", []uint64{3}}, {"2026-03-03", "2026-03-09", nil}, {"2026-02-01", "2026-02-28", nil}} {
		between := func(tx *store.Tx, fn func(store.Message) error) error {
			return tx.ScanOutboxOn(day(c.from), day(c.to), fn)
		}
		equal(t, "outbox of "+c.from+" to "+c.to, list(between), c.want)
	}
	equal(t, "sent", list(sent), []uint64{2})
	view(t, s, func(tx *store.Tx) error {
		m, err := tx.Message(2)
		equal(t, "sent message", fmt.Sprint(m.To, m.Tries, err), fmt.Sprint("S1", 1, nil))
		if _, err := tx.Message(9); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("message 9: %v", err)
		}
		return nil
	})
}

func metaAndSequences(t *testing.T, open func(*testing.T) store.Backend) {
	s := store.New(open(t))
	view(t, s, func(tx *store.Tx) error {
		if _, err := tx.Meta(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("meta of an empty store: %v, want ErrNotFound", err)
		}
		return nil
	})
	want := store.Meta{Schema: store.Schema, StoreID: "x", Created: time.Unix(1e9, 7).UTC(), GoLive: day("2026-01-01"),
		GoLiveBranch: map[string]calendar.Date{"B1": day("2026-02-01")}, Rulebook: "sha256:a", Clean: true}
	update(t, s, func(tx *store.Tx) error { return tx.PutMeta(want) })
	for i := range 3 {
		update(t, s, func(tx *store.Tx) error {
			n, err := tx.Sequence("event")
			equal(t, "sequence", n, uint64(i+1))
			return err
		})
	}
	view(t, s, func(tx *store.Tx) error {
		m, err := tx.Meta()
		must(t, err)
		if !reflect.DeepEqual(m, want) || m.GoLiveOf("B1") != day("2026-02-01") || m.GoLiveOf("B2") != m.GoLive {
			t.Errorf("meta %+v, want %+v", m, want)
		}
		if _, err := tx.Sequence("event"); err == nil {
			t.Error("a View gave out a number")
		}
		return nil
	})
}

func smallThings(t *testing.T, open func(*testing.T) store.Backend) {
	s := store.New(open(t))
	text := []byte(strings.Repeat("rules: 到期通知\n", 500))
	a1 := store.Activation{Kind: "rulebook", Digest: "d1", At: time.Unix(2e9, 0).UTC(), By: "S1"}
	a0 := store.Activation{Kind: "calendar", Digest: "d0", At: time.Unix(1e9, 0).UTC()}
	update(t, s, func(tx *store.Tx) error {
		must(t, tx.PutBook("sha256:r", text))
		must(t, tx.PutBook("sha256:r", text))
		must(t, tx.PutCalendar("sha256:r", nil))
		must(t, tx.PutActivation(a1))
		must(t, tx.PutActivation(a0))
		must(t, tx.PutBranch(&loan.Branch{ID: "B1", Name: "城关支行"}))
		must(t, tx.PutStaff(&loan.Staff{ID: "S1", Name: "张三"}))
		must(t, tx.PutGroup(&loan.Group{ID: "G1", Members: []loan.GroupMember{{Borrower: "C1", Lead: true}}}))
		must(t, tx.PutRow("user", "S1", "hello"))
		must(t, tx.PutRow("users", "S2", "other table"))
		must(t, tx.PutImport(store.Import{Digest: "x", DataDate: day("2026-03-02")}))
		must(t, tx.PutImport(store.Import{Digest: "y", DataDate: day("2026-03-01")}))
		must(t, tx.SetLastDataDate("B1", day("2026-03-02")))
		must(t, tx.SetLastDataDate("", day("2026-03-03")))
		must(t, tx.MarkDirty(borrower("C2"), "导入"))
		must(t, tx.MarkDirty(borrower("C1"), ""))
		must(t, tx.MarkDirty(borrower("C1"), ""))
		must(t, tx.MarkDirty(borrower("C3"), ""))
		return tx.ClearDirty(borrower("C3"))
	})
	view(t, s, func(tx *store.Tx) error {
		b, err := tx.Book("sha256:r")
		if err != nil || !bytes.Equal(b, text) {
			t.Errorf("book of %d bytes, %v", len(b), err)
		}
		b, err = tx.CalendarText("sha256:r")
		if err != nil || len(b) != 0 {
			t.Errorf("an empty calendar is %q, %v", b, err)
		}
		if _, err := tx.Book("sha256:none"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a book never put: %v", err)
		}
		var acts []store.Activation
		must(t, tx.Activations(func(a store.Activation) error { acts = append(acts, a); return nil }))
		equal(t, "activations", acts, []store.Activation{a0, a1})
		branches, err := tx.Branches()
		equal(t, "branches", fmt.Sprint(branches["B1"].Name, " ", len(branches), err), "城关支行 1 <nil>")
		staff, err := tx.Staff()
		equal(t, "staff", fmt.Sprint(staff["S1"].Name, " ", len(staff), err), "张三 1 <nil>")
		groups, err := tx.Groups()
		equal(t, "groups", fmt.Sprint(groups["G1"].Members, len(groups), err), "[{C1  true}] 1 <nil>")
		n := 0
		must(t, tx.Rows("user", func(id string, row json.RawMessage) error {
			n++
			equal(t, "row", id+string(row), `S1"hello"`)
			return nil
		}))
		equal(t, "rows", n, 1)
		if err := tx.Row("user", "S2", new(string)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a row never put: %v", err)
		}
		var imports []string
		must(t, tx.Imports(func(im store.Import) error { imports = append(imports, im.Digest); return nil }))
		equal(t, "imports", imports, []string{"y", "x"})
		of, err := tx.ImportsOf(day("2026-03-02"))
		equal(t, "imports of a day", fmt.Sprint(len(of), err), "1 <nil>")
		for branch, want := range map[string]string{"B1": "2026-03-02", "": "2026-03-03", "B2": ""} {
			d, err := tx.LastDataDate(branch)
			equal(t, "data date of "+branch, fmt.Sprint(d, err), want+" <nil>")
		}
		var dirty []string
		must(t, tx.Dirty(func(u loan.Ref, why string) bool { dirty = append(dirty, u.String()+why); return true }))
		equal(t, "dirty", dirty, []string{"borrower/C1", "borrower/C2导入"})
		must(t, tx.Dirty(func(loan.Ref, string) bool { dirty = dirty[:1]; return false }))
		equal(t, "the first that is dirty", dirty, []string{"borrower/C1"})
		if err := tx.MarkDirty(borrower("C9"), ""); err == nil {
			t.Error("a View wrote a mark")
		}
		return nil
	})
	clean(t, s)
}

func freshStrings(t *testing.T, open func(*testing.T) store.Backend) {
	s := store.New(open(t))
	plan := func(id, rule string) *store.Plan {
		o := obligation.Obligation{State: obligation.Planned}
		o.Rule, o.Subject = rule, loan.Ref{Kind: loan.KindLoan, ID: id}
		return &store.Plan{Unit: borrower(id), Obligations: []obligation.Obligation{o}}
	}
	update(t, s, func(tx *store.Tx) error { return tx.PutPlan(plan("C0", "rule-0")) })
	for i := range 6 {
		wrong := errors.New("wrong")
		err := s.Update(ctx, func(tx *store.Tx) error {
			must(t, tx.PutPlan(plan("CX", fmt.Sprint("lost-", i))))
			return wrong
		})
		if !errors.Is(err, wrong) {
			t.Fatal(err)
		}
		update(t, s, func(tx *store.Tx) error {
			return tx.PutPlan(plan(fmt.Sprint("C", i), fmt.Sprint("rule-", i)))
		})
		for _, s := range []*store.Store{s, store.New(s.Backend())} { // as it is, and freshly read
			view(t, s, func(tx *store.Tx) error {
				for k := range i + 1 {
					p, err := tx.Plan(borrower(fmt.Sprint("C", k)))
					must(t, err)
					equal(t, "rule", p.Obligations[0].Rule, fmt.Sprint("rule-", k))
				}
				return nil
			})
		}
	}
	clean(t, s)
}

func swapped(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	s := store.New(b)
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(tx.PutDossier(&loan.Dossier{ID: "C1"}), tx.PutDossier(&loan.Dossier{ID: "C2", Borrower: &loan.Borrower{Name: "乙"}}))
	})
	must(t, b.Update(ctx, func(w store.Writer) error {
		v, err := w.Get("dossier", []byte("C2"))
		must(t, err)
		return w.Put("dossier", []byte("C1"), bytes.Clone(v))
	}))
	err := s.View(ctx, func(tx *store.Tx) error { _, err := tx.Dossier("C1"); return err })
	var d *store.Damage
	if !errors.Is(err, store.ErrCorrupt) || !errors.As(err, &d) || string(d.Key) != "C1" {
		t.Errorf("a record put under another key: %v, want ErrCorrupt that names C1", err)
	}
	found := 0
	must(t, s.Check(ctx, func(error) { found++ }))
	if found == 0 {
		t.Error("check finds nothing")
	}
}

// failing is a backend whose next commit fails after it happened.
type failing struct {
	store.Backend
	fail bool
}

func (f *failing) Update(ctx context.Context, fn func(store.Writer) error) error {
	err := f.Backend.Update(ctx, fn)
	if f.fail && err == nil {
		return fmt.Errorf("%w: input/output error", store.ErrOutcomeUnknown)
	}
	return err
}

func unknownOutcome(t *testing.T, open func(*testing.T) store.Backend) {
	f := &failing{Backend: open(t)}
	s := store.New(f)
	update(t, s, func(tx *store.Tx) error { return tx.PutRow("t", "1", 1) })
	f.fail = true
	err := s.Update(ctx, func(tx *store.Tx) error { return tx.PutRow("t", "2", 2) })
	if !errors.Is(err, store.ErrOutcomeUnknown) {
		t.Fatalf("Update gives %v", err)
	}
	f.fail = false
	none := func(tx *store.Tx) error { t.Error("a stopped store ran fn"); return nil }
	for what, err := range map[string]error{"View": s.View(ctx, none), "Update": s.Update(ctx, none), "Err": s.Err()} {
		if !errors.Is(err, store.ErrOutcomeUnknown) {
			t.Errorf("%s after it gives %v", what, err)
		}
	}
	view(t, store.New(f), func(tx *store.Tx) error { var n int; return tx.Row("t", "2", &n) }) // reopened
}

func newer(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	m, _ := json.Marshal(store.Meta{Schema: store.Schema + 1})
	must(t, b.Update(ctx, func(w store.Writer) error {
		return w.Put("meta", []byte("meta"), store.SealRecord("meta", []byte("meta"), 1, m))
	}))
	s := store.New(b)
	none := func(tx *store.Tx) error { t.Error("fn ran on a newer store"); return nil }
	for _, err := range []error{s.View(ctx, none), s.Update(ctx, none)} {
		if !errors.Is(err, store.ErrNewer) {
			t.Errorf("a newer store gives %v, want ErrNewer", err)
		}
	}
}

func reindex(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	s := store.New(b)
	r := rand.New(rand.NewPCG(11, 12))
	plans := naive{}
	update(t, s, func(tx *store.Tx) error {
		for i := range 300 {
			p := randomPlan(r, borrower(fmt.Sprint("C", i)))
			plans[p.Unit] = p
			must(t, tx.PutPlan(p))
			must(t, tx.PutDossier(&loan.Dossier{ID: p.Unit.ID, Loans: []*loan.LoanFile{{ID: fmt.Sprint("L", i)}}}))
		}
		return nil
	})
	must(t, b.Update(ctx, func(w store.Writer) error { // every third index record is lost
		n := 0
		for _, bucket := range []string{"post", "owner"} {
			must(t, w.Scan(bucket, nil, nil, func(k, _ []byte) error {
				if n++; n%3 == 0 {
					return w.Delete(bucket, bytes.Clone(k))
				}
				return nil
			}))
		}
		return nil
	}))
	found := 0
	must(t, s.Check(ctx, func(error) { found++ }))
	if found == 0 {
		t.Error("check finds nothing")
	}
	update(t, s, func(tx *store.Tx) error { return tx.Reindex() })
	view(t, s, func(tx *store.Tx) error { plans.hold(t, tx, r); return nil })
	clean(t, s)
}
