package rules

import (
	"fmt"
	"slices"
	"sort"

	"github.com/expr-lang/expr/vm"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// Derivation is what a rulebook says of one unit of facts.
type Derivation struct {
	Duties []obligation.Duty
	// Next is the first day after today on which the answer may change though
	// no new fact is learnt: a maturity passes. Zero is never within the window.
	Next calendar.Date
	// Failed names the rules that could not be worked out, for which subject:
	// what they ask is unknown, not gone.
	Failed map[Attempt]error
}

// Attempt is a rule asked of a subject.
type Attempt struct {
	Subject loan.Ref
	Rule    string // "" is every rule: the subject's facts cannot be worked with
}

// Unknown says that it could not be worked out what a rule asks of a subject.
func (d *Derivation) Unknown(subject loan.Ref, rule string) bool {
	return d.Failed[Attempt{subject, rule}] != nil || d.Failed[Attempt{Subject: subject}] != nil
}

// Window is the stretch of due days that is planned, both ends included. A
// branch that went live on a day of its own has another first day: it counts
// for the duties of that branch, whoever's they are.
type Window struct {
	From, To calendar.Date
	Own      map[string]calendar.Date // branch -> its first day
}

// first is the first day of a branch's duties.
func (w Window) first(branch string) calendar.Date {
	if d, ok := w.Own[branch]; ok {
		return d
	}
	return w.From
}

// earliest is the first day of any branch.
func (w Window) earliest() calendar.Date {
	day := w.From
	for _, d := range w.Own {
		day = min(day, d)
	}
	return day
}

// Derive works out every duty of the facts' subjects whose due day is in the
// window. The unit says whose facts they are: a borrower's hold his loans and
// collateral, an officer's or a branch's the loans in their care.
//
// It is pure: the same arguments give the same answer, in the same order.
//
// It goes the long way: for one unit alone laying out the short one is not worth
// it. A Deriver gives the same.
func Derive(b *Book, cal *calendar.Calendar, f *loan.Facts, unit loan.Ref, w Window) Derivation {
	x := NewDeriver(b, cal, w)
	x.d.long = true
	return x.Derive(f, unit)
}

// Deriver derives one unit after the other under one rulebook, calendar and
// window: what does not depend on the unit is worked out once. It is not safe
// for concurrent use; goroutines that derive side by side have one each, which
// share nothing but the book and the calendar, and those do not change.
type Deriver struct{ d *deriver }

// NewDeriver gives a Deriver.
func NewDeriver(b *Book, cal *calendar.Calendar, w Window) *Deriver {
	return &Deriver{newDeriver(b, cal, nil, w)}
}

// Derive is the function Derive. The duties are valid until the next call.
func (x *Deriver) Derive(f *loan.Facts, unit loan.Ref) Derivation {
	d := x.d
	d.begin(f)
	d.unit(unit)
	d.yield()
	return Derivation{Duties: d.duties, Next: d.next, Failed: d.failed}
}

type deriver struct {
	book     *Book
	cal      *calendar.Calendar
	facts    *loan.Facts
	today    calendar.Date
	window   Window
	from     calendar.Date // the earliest first day of the window
	machine  vm.VM
	env      *env
	kinds    map[loan.Kind][]*Rule // in force, of the kinds that were met
	plans    map[*Rule]*rulePlan
	ofLoans  *layout // nil: not laid out yet
	ofHim    *layout // of borrowers
	periods  [calendar.Year + 1]*periodIndex
	names    []string // day - nameFrom -> as it is written, once it was
	nameFrom calendar.Date
	counting loan.Ref // whose events a condition counts
	round    int      // of units
	yields   bool     // a rule in force gives way to another

	schedules     map[loan.Schedule][]calendar.Date // -> interest dates around the window
	scheduleReach int                               // how many days around it; 0: not asked yet
	maturities    []calendar.Date                   // of the unit's loans that pay interest then

	calFirst, calLast calendar.Date // the calendar's range

	loans []loanEra // of the loan at hand, today's first
	his   []hisEra  // of the borrower at hand
	inEnv int       // the one of them whose facts the environment holds
	cut   datedDay  // of a period that was cut
	long  bool      // no short cuts: what the short way is held against

	// trace, where it is set, is told of every occurrence that was looked at.
	trace func(*Reason)
	only  func(*Rule, loan.Ref) bool // what to look at; nil is everything
	whole bool                       // a period sees a loan that matures in it, too
	blank Reason                     // what is written on where nobody asks

	duties  []obligation.Duty
	rules   []*Rule // of each duty
	outside []spot  // where there is a duty that is due outside the window
	next    calendar.Date
	failed  map[Attempt]error

	filled struct { // what the environment holds
		loan     *loan.Loan
		asOf     calendar.Date
		borrower string // of that loan, as of that day, for a period ending on end; "" for none
		end      calendar.Date
	}
	below    map[string]int              // branch -> branches right below it
	lastEnds map[loan.Kind]calendar.Date // of wakes.go
}

func newDeriver(b *Book, cal *calendar.Calendar, f *loan.Facts, w Window) *deriver {
	d := &deriver{book: b, cal: cal, window: w, from: w.earliest(), env: newEnv(cal), kinds: map[loan.Kind][]*Rule{}, plans: map[*Rule]*rulePlan{},
		schedules: map[loan.Schedule][]calendar.Date{}, lastEnds: map[loan.Kind]calendar.Date{}}
	d.calFirst, d.calLast = cal.Range()
	d.yields = slices.ContainsFunc(b.Rules, func(r *Rule) bool { return len(r.YieldsTo) > 0 && b.Active(r) })
	d.env.Count = d.count
	if f != nil {
		d.begin(f)
	}
	return d
}

// begin takes up the facts of a unit.
func (d *deriver) begin(f *loan.Facts) {
	d.facts, d.today = f, f.Today
	d.duties, d.rules, d.outside = d.duties[:0], d.rules[:0], d.outside[:0]
	d.next, d.failed, d.below, d.counting, d.maturities = 0, nil, nil, loan.Ref{}, d.maturities[:0]
	d.round++ // what was remembered of the unit before is void
	d.forget()
}

// forget says that the environment holds something else than a loan.
func (d *deriver) forget() { d.filled.loan, d.filled.borrower = nil, "" }

func (d *deriver) unit(u loan.Ref) {
	d.wakes(u)
	short := u.Kind == loan.KindBorrower && d.shortcuts()
	switch u.Kind {
	case loan.KindBorrower:
		for _, f := range d.facts.Loans {
			if l := f.History.At(d.today); l != nil && l.Borrower == u.ID {
				ref := loan.Ref{Kind: loan.KindLoan, ID: f.ID}
				if short && d.attempt(func() error { return d.shortLoan(f, l, ref) }) {
					continue
				}
				d.guard(ref, "", func() error { return d.loanRules(f, l, ref) })
			}
		}
		ids := make([]string, 0, len(d.facts.Collaterals))
		for id := range d.facts.Collaterals {
			ids = append(ids, id)
		}
		sort.Strings(ids)
		for _, id := range ids {
			ref := loan.Ref{Kind: loan.KindCollateral, ID: id}
			d.guard(ref, "", func() error { return d.collateralRules(d.facts.Collaterals[id], ref) })
		}
	}
	if !short || !d.attempt(func() error { return d.shortBorrower(u) }) {
		d.guard(u, "", func() error { return d.groupRules(u) })
	}
	d.eventRules(u)
}

// guard keeps the failure of one rule with one subject, a panic included, from
// the other rules and the other subjects.
func (d *deriver) guard(s loan.Ref, rule string, work func() error) {
	n, rules, outside := len(d.duties), len(d.rules), len(d.outside)
	fail := func(err error) {
		if rule != "" {
			err = fmt.Errorf("rule %s: %w", rule, err)
		}
		d.fail(Attempt{s, rule}, fmt.Errorf("derive %s: %w", s, err))
		d.duties, d.rules, d.outside = d.duties[:n], d.rules[:rules], d.outside[:outside]
	}
	defer func() {
		if p := recover(); p != nil {
			d.forget() // it may be half done
			fail(fmt.Errorf("%v", p))
		}
	}()
	if err := work(); err != nil {
		fail(err)
	}
}

func (d *deriver) fail(a Attempt, err error) {
	if d.failed == nil {
		d.failed = map[Attempt]error{}
	}
	d.failed[a] = err
}

// active gives the rules for a kind of subject that the branch follows.
func (d *deriver) active(kind loan.Kind, s loan.Ref) []*Rule {
	all, known := d.kinds[kind]
	if !known {
		for _, r := range d.book.Rules {
			if r.For == kind && len(r.On) == 0 && d.book.Active(r) {
				all = append(all, r)
			}
		}
		d.kinds[kind] = all
	}
	if d.only == nil {
		return all
	}
	var out []*Rule
	for _, r := range all {
		if d.only(r, s) {
			out = append(out, r)
		}
	}
	return out
}

// namesAround is how many days before and after the window are written once.
const namesAround = 400

// day writes a day, once.
func (d *deriver) day(day calendar.Date) string {
	if d.names == nil {
		d.nameFrom = d.from.AddDays(-namesAround)
		d.names = make([]string, min(max(0, int(d.window.To-d.from)), widest)+2*namesAround)
	}
	i := int(day) - int(d.nameFrom)
	if uint(i) >= uint(len(d.names)) {
		return day.String()
	}
	if d.names[i] == "" {
		d.names[i] = day.String()
	}
	return d.names[i]
}

// wake notes a later day on which the answer may change.
func (d *deriver) wake(day calendar.Date) {
	if day > d.today && (d.next.IsZero() || day < d.next) {
		d.next = day
	}
}
