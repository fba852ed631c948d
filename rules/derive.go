package rules

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

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
	// Failed names the subjects whose facts or conditions could not be worked
	// out; their duties are unknown, not gone.
	Failed map[loan.Ref]error
}

// Window is the stretch of due days that is planned, both ends included.
type Window struct{ From, To calendar.Date }

// Derive works out every duty of the facts' subjects whose due day is in the
// window. The unit says whose facts they are: a borrower's hold his loans and
// collateral, an officer's or a branch's the loans in their care.
//
// It is pure: the same arguments give the same answer, in the same order.
func Derive(b *Book, cal *calendar.Calendar, f *loan.Facts, unit loan.Ref, w Window) Derivation {
	d := newDeriver(b, cal, f, w)
	d.unit(unit)
	d.yield()
	return Derivation{Duties: d.duties, Next: d.next, Failed: d.failed}
}

type deriver struct {
	book    *Book
	cal     *calendar.Calendar
	facts   *loan.Facts
	today   calendar.Date
	window  Window
	machine vm.VM
	env     *env

	// trace, where it is set, is told of every occurrence that was looked at.
	trace func(*Reason)
	only  func(*Rule, loan.Ref) bool // what to look at; nil is everything

	duties  []obligation.Duty
	rules   []*Rule // of each duty
	outside []spot  // where there is a duty that is due outside the window
	next    calendar.Date
	failed  map[loan.Ref]error

	filled struct { // what the environment holds
		loan      *loan.Loan
		asOf, end calendar.Date
	}
	landings map[calendar.Date]calendar.Date // maturity -> landed
}

func newDeriver(b *Book, cal *calendar.Calendar, f *loan.Facts, w Window) *deriver {
	d := &deriver{book: b, cal: cal, facts: f, today: f.Today, window: w, env: newEnv(cal), landings: map[calendar.Date]calendar.Date{}}
	d.env.Count = func(string, Day, Day) int { return 0 }
	return d
}

// wakes notes the days on which facts at hand change their meaning by
// themselves: a maturity passes, a fact or an event of a day to come takes
// hold.
func (d *deriver) wakes() {
	for _, f := range d.facts.Loans {
		for i := range f.History {
			if v := &f.History[i]; v.From > d.today {
				d.wake(v.From)
			}
		}
		if l := f.History.At(d.today); l != nil && l.Open() && !l.Maturity.IsZero() {
			d.wake(d.landed(l.Maturity).AddDays(1))
		}
	}
	for i := range d.facts.Events {
		d.wake(d.facts.Events[i].Happened)
	}
	for _, c := range d.facts.Collaterals {
		d.wake(c.LastInspected)
	}
}

func (d *deriver) unit(u loan.Ref) {
	d.wakes()
	switch u.Kind {
	case loan.KindBorrower:
		for _, f := range d.facts.Loans {
			if l := f.History.At(d.today); l != nil && l.Borrower == u.ID {
				ref := loan.Ref{Kind: loan.KindLoan, ID: f.ID}
				d.guard(ref, func() error { return d.loanRules(f, l, ref) })
			}
		}
		ids := make([]string, 0, len(d.facts.Collaterals))
		for id := range d.facts.Collaterals {
			ids = append(ids, id)
		}
		sort.Strings(ids)
		for _, id := range ids {
			ref := loan.Ref{Kind: loan.KindCollateral, ID: id}
			d.guard(ref, func() error { return d.collateralRules(d.facts.Collaterals[id], ref) })
		}
	}
	d.guard(u, func() error { return d.groupRules(u) })
	d.eventRules(u)
}

// guard keeps one subject's failure, a panic included, from the others.
func (d *deriver) guard(s loan.Ref, work func() error) {
	n := len(d.duties)
	fail := func(err error) {
		if d.failed == nil {
			d.failed = map[loan.Ref]error{}
		}
		d.failed[s] = err
		d.duties, d.rules = d.duties[:n], d.rules[:n]
	}
	defer func() {
		if p := recover(); p != nil {
			fail(fmt.Errorf("derive %s: %v", s, p))
		}
	}()
	if err := work(); err != nil {
		fail(fmt.Errorf("derive %s: %w", s, err))
	}
}

// active gives the rules for a kind of subject that the branch follows.
func (d *deriver) active(kind loan.Kind, s loan.Ref) []*Rule {
	var out []*Rule
	for _, r := range d.book.Rules {
		if r.For == kind && len(r.On) == 0 && d.book.Active(r) && (d.only == nil || d.only(r, s)) {
			out = append(out, r)
		}
	}
	return out
}

// landed gives the maturity, or the working day after it. A maturity outside
// the calendar stands for itself: it is only compared with today.
func (d *deriver) landed(m calendar.Date) calendar.Date {
	if m.IsZero() {
		return 0
	}
	if l, ok := d.landings[m]; ok {
		return l
	}
	r, err := d.cal.Land(m, calendar.Following)
	if err != nil {
		r.Date = m
	}
	d.landings[m] = r.Date
	return r.Date
}

// unpaid: a balance or interest left, and the landed maturity past.
func (d *deriver) unpaid(l *loan.Loan, asOf calendar.Date) bool {
	return l.Open() && !l.Maturity.IsZero() && asOf > d.landed(l.Maturity)
}

// seenInPeriod: something left, paid out by the period's end, and the period
// ends by the maturity or the loan was unpaid on its last day (today's facts
// stand for a day to come).
func (d *deriver) seenInPeriod(l *loan.Loan, end, asOf calendar.Date) bool {
	if !l.Open() || l.Disbursed > end {
		return false
	}
	return l.Maturity.IsZero() || end <= l.Maturity || d.unpaid(l, asOf)
}

// wake notes a later day on which the answer may change.
func (d *deriver) wake(day calendar.Date) {
	if day > d.today && (d.next.IsZero() || day < d.next) {
		d.next = day
	}
}

// occurrence is one time that a rule comes round for a subject.
type occurrence struct {
	rule    *Rule
	subject loan.Ref
	name    string        // its part of the key
	anchor  calendar.Date // what the limit counts from
	asOf    calendar.Date // the day whose facts decide
	period  *calendar.Period
	paidOut calendar.Date // the loan's payout; zero for other subjects

	loan     *loan.Loan // nil for other subjects
	file     *loan.LoanFile
	borrower string
	branch   string
	officer  string
	note     string        // what a reason says beside the arithmetic
	exact    calendar.Date // a due day that the facts fix; zero: count from the anchor
}

func (d *deriver) loanRules(f *loan.LoanFile, now *loan.Loan, ref loan.Ref) error {
	base := occurrence{subject: ref, file: f, borrower: now.Borrower, branch: now.Branch, officer: now.Officer}
	for _, r := range d.active(loan.KindLoan, ref) {
		o := base
		o.rule = r
		var err error
		switch {
		case r.Period():
			err = d.loanPeriods(o)
		case r.Every == "interest_date":
			err = d.scheduled(o, func(l *loan.Loan, first, last calendar.Date) []calendar.Date {
				return l.Interest.Dates(l.Maturity, first, last)
			})
		case r.Every == "fee_date":
			err = d.scheduled(o, func(l *loan.Loan, first, last calendar.Date) []calendar.Date {
				var out []calendar.Date
				for _, day := range l.FeeDates {
					if day >= first && day <= last {
						out = append(out, day)
					}
				}
				return out
			})
		case len(r.Since) > 0:
			o.asOf, o.loan, o.paidOut = d.today, now, now.Disbursed
			err = d.interval(o, now.Disbursed, now.Open())
		default:
			err = d.dated(o, now)
		}
		if err != nil {
			return fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	return nil
}

// dated handles a rule that counts from one of the loan's own days, asked of
// the facts known today.
func (d *deriver) dated(o occurrence, l *loan.Loan) error {
	o.asOf, o.loan, o.paidOut = d.today, l, l.Disbursed
	o.anchor = d.loanAnchor(o.rule.Due, l)
	if o.anchor.IsZero() {
		return d.dismiss(o, obligation.NoAnchor, o.rule.Due.Anchor)
	}
	o.name = o.anchor.String()
	if !l.Open() || l.Disbursed > o.anchor {
		return d.dismiss(o, obligation.NotSeen, notSeen(l, o.anchor))
	}
	d.fillLoan(o.file, l, o.asOf, 0)
	return d.decide(o)
}

// unseen says why a period ending on end does not see a loan; "" if it does. A
// loan settled since is not seen either: what was coming is cancelled, what
// was missed lapses.
func (d *deriver) unseen(f *loan.LoanFile, l *loan.Loan, end, asOf calendar.Date) string {
	if now := f.History.At(d.today); !now.Open() {
		return notSeen(now, end)
	}
	if !d.seenInPeriod(l, end, asOf) {
		return notSeen(l, end)
	}
	return ""
}

func notSeen(l *loan.Loan, end calendar.Date) string {
	switch {
	case !l.Open():
		return "已结清"
	case l.Disbursed > end:
		return "发放日 " + l.Disbursed.String() + " 晚于 " + end.String()
	}
	return "到期日 " + l.Maturity.String() + " 早于期末，且未逾期"
}

func (d *deriver) loanAnchor(e DateExpr, l *loan.Loan) calendar.Date {
	switch e.Anchor {
	case "loan.disbursed":
		return l.Disbursed
	case "loan.maturity":
		return l.Maturity
	case "loan.maturity_landed":
		return d.landed(l.Maturity)
	case "loan.original_maturity":
		return l.OriginalMaturity
	case "date":
		return e.Date
	}
	return 0
}

// reach gives how far a due day can lie from its anchor, in days, generously:
// enough to pass over what is surely outside the window.
func reach(e DateExpr) (back, ahead int) {
	n := e.Limit.N
	if n < 0 {
		n = -n
	}
	switch e.Limit.Unit {
	case calendar.Workdays:
		n = n*2 + 15
	case calendar.Weeks:
		n *= 7
	case calendar.Months:
		n *= 31
	case calendar.Years:
		n *= 366
	}
	n += 20
	if e.Before() {
		return n, 20
	}
	return 20, n
}

// mayFall says whether a due day counted from the anchor can be in the window.
// A due day before the payout moves to the payout.
func (d *deriver) mayFall(o occurrence) bool {
	back, ahead := reach(o.rule.Due)
	latest := o.anchor.AddDays(ahead)
	if !o.paidOut.IsZero() && o.paidOut.AddDays(20) > latest {
		latest = o.paidOut.AddDays(20)
	}
	return latest >= d.window.From && o.anchor.AddDays(-back) <= d.window.To
}

// periods calls fn for each calendar period of the rule whose due day can be
// in the window.
func (d *deriver) periods(r *Rule, fn func(calendar.Period) error) error {
	back, ahead := reach(r.Due)
	first, last := d.window.From.AddDays(-ahead), d.window.To.AddDays(back)
	for p := calendar.PeriodOf(r.every, first, d.book.Fiscal); p.Start <= last; p = p.Next(d.book.Fiscal) {
		if err := fn(p); err != nil {
			return err
		}
	}
	return nil
}

func (d *deriver) loanPeriods(o occurrence) error {
	return d.periods(o.rule, func(p calendar.Period) error {
		o := o
		o.name = p.Label(d.book.Fiscal)
		// The period's last day decides; today's facts stand for one to come.
		o.asOf = min(p.End, d.today)
		l := o.file.History.At(o.asOf)
		if w := o.rule.Within; w != nil {
			first, err := d.edge(w.first, l)
			if err != nil {
				return err
			}
			last, err := d.edge(w.last, l)
			if err != nil {
				return err
			}
			if first.IsZero() || last.IsZero() || p.End < first || p.Start > last {
				return nil // most periods: not worth a verdict
			}
			p.End = min(p.End, last)
		}
		o.loan, o.paidOut, o.period, o.anchor = l, l.Disbursed, &p, p.End
		if o.rule.Due.Anchor == "period.start" {
			o.anchor = p.Start
		}
		if why := d.unseen(o.file, l, p.End, o.asOf); why != "" {
			return d.dismiss(o, obligation.NotSeen, why)
		}
		d.fillLoan(o.file, l, o.asOf, p.End)
		d.fillPeriod(p)
		return d.decide(o)
	})
}

// edge is an end of a rule's `within`; it never lands.
func (d *deriver) edge(e DateExpr, l *loan.Loan) (calendar.Date, error) {
	a := d.loanAnchor(e, l)
	if a.IsZero() || e.On {
		return a, nil
	}
	r, err := d.cal.Shift(a, e.Limit)
	if errors.Is(err, calendar.ErrBeyond) {
		return 0, nil
	}
	return r.Date, err
}

// scheduled handles the loan's own schedule: interest dates, fee dates. A date
// is the schedule's as known on that day, or today for one to come.
func (d *deriver) scheduled(o occurrence, dates func(l *loan.Loan, first, last calendar.Date) []calendar.Date) error {
	back, ahead := reach(o.rule.Due)
	first, last := d.window.From.AddDays(-ahead), d.window.To.AddDays(back)
	h := o.file.History
	for i := range h {
		if i > 0 && h[i].From > d.today {
			break
		}
		lo, hi := first, last
		if i > 0 {
			lo = max(lo, h[i].From)
		}
		if i+1 < len(h) && h[i+1].From <= d.today {
			hi = min(hi, h[i+1].From.AddDays(-1))
		}
		l := &h[i].Value
		for _, day := range dates(l, lo, hi) {
			o := o
			o.asOf, o.loan, o.paidOut = min(day, d.today), l, l.Disbursed
			o.name, o.anchor = day.String(), day
			if o.rule.Due.Anchor == "interest.date_landed" || o.rule.Due.Anchor == "fee.date_landed" {
				o.anchor = d.landed(day)
			}
			if why := d.unseen(o.file, l, day, o.asOf); why != "" {
				if err := d.dismiss(o, obligation.NotSeen, why); err != nil {
					return err
				}
				continue
			}
			d.fillLoan(o.file, l, o.asOf, day)
			landed := Day{d.landed(day)}
			d.env.Interest = interestEnv{Date: Day{day}, DateLanded: landed, Unpaid: d.interestUnpaid(o.file, day)}
			d.env.Fee = feeEnv{Date: Day{day}, DateLanded: landed}
			if err := d.decide(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// interestUnpaid: arrears known on or after the interest date and not cleared
// since. Arrears that began after a clean ledger belong to the last interest
// date before they showed, not to all the earlier ones.
func (d *deriver) interestUnpaid(f *loan.LoanFile, day calendar.Date) bool {
	since, known := f.ArrearsSince()
	if since.IsZero() || known < day {
		return false
	}
	if since == f.History[0].From || day >= since {
		return true
	}
	l := f.History.At(since)
	for _, later := range l.Interest.Dates(l.Maturity, day.AddDays(1), since) {
		if later > day {
			return false
		}
	}
	return true
}

// interval handles a `since` rule: counted from the last time, the next one
// begins when it is done.
func (d *deriver) interval(o occurrence, from calendar.Date, seen bool) error {
	var last calendar.Date
	var known bool
	for _, s := range o.rule.Since {
		switch s {
		case "loan.disbursed", "branch.opened":
			last = max(last, from)
			continue
		case "collateral.inspected":
			if c := d.facts.Collaterals[o.subject.ID]; c != nil && o.subject.Kind == loan.KindCollateral && c.LastInspected <= d.today {
				if c.LastInspected > 0 {
					known = true
				}
				last = max(last, c.LastInspected)
			}
		}
		for _, e := range d.facts.Events {
			if e.Kind == s && e.Subject == o.subject && e.Happened <= d.today {
				last, known = max(last, e.Happened), true
			}
		}
	}
	o.anchor = last
	o.name = last.String()
	if last.IsZero() {
		last = d.window.From
		o.anchor, o.name = last, last.String()
	}
	if !seen {
		return d.dismiss(o, obligation.NotSeen, "已结清")
	}
	if !known && last == from && slices.Contains(o.rule.Since, "loan.disbursed") {
		known = true // never yet: counted from the payout
	}
	// A due day before go_live becomes the next anniversary on or after it.
	for k := 1; ; k++ {
		l := o.rule.Due.Limit
		l.N *= k
		l.Landing = o.rule.landing()
		r, err := d.cal.Shift(last, l)
		if err != nil && !errors.Is(err, calendar.ErrBeyond) {
			return err
		}
		if err != nil {
			l.Landing = calendar.None
			if r, err = d.cal.Shift(last, l); err != nil {
				return err
			}
		}
		if r.Date >= d.window.From {
			if k > 1 {
				o.note = "上次日期不详"
			}
			o.exact = r.Date
			break
		}
		if k > 1000 {
			return fmt.Errorf("no anniversary of %s on or after %s", last, d.window.From)
		}
	}
	if !known {
		o.note = "上次日期不详"
	}
	return d.decide(o)
}

func (d *deriver) collateralRules(c *loan.Collateral, ref loan.Ref) error {
	rules := d.active(loan.KindCollateral, ref)
	if len(rules) == 0 {
		return nil
	}
	base := occurrence{subject: ref, asOf: d.today}
	e := collateralEnv{ID: c.ID, Name: c.Name, Type: c.Type, Value: c.Value.Yuan(), Valued: Day{c.Valued}, InsuredUntil: Day{c.InsuredUntil}, X: c.X}
	var from calendar.Date
	for _, f := range d.facts.Loans {
		l := f.History.At(d.today)
		if l == nil || !slices.Contains(c.Loans, f.ID) || !l.Open() {
			continue
		}
		e.MaxTermMonths = max(e.MaxTermMonths, l.TermMonths())
		e.Abnormal = e.Abnormal || d.abnormal(f, l, d.today)
		if from.IsZero() || l.Disbursed < from {
			from = l.Disbursed // the earliest payout: the strictest reading
			base.loan, base.file = l, f
			base.borrower, base.branch, base.officer = l.Borrower, l.Branch, l.Officer
		}
	}
	for _, r := range rules {
		o := base
		o.rule = r
		d.fillBorrower(o.borrower, d.today, 0)
		d.filled.loan = nil
		d.env.Collateral = e
		var err error
		if len(r.Since) > 0 {
			err = d.interval(o, from, !from.IsZero())
		} else {
			err = fmt.Errorf("a collateral rule counts since a last time")
		}
		if err != nil {
			return fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	return nil
}

// groupRules handles the rules of the unit itself: a borrower, an officer or a
// branch, seen as long as one of its loans is.
func (d *deriver) groupRules(u loan.Ref) error {
	for _, r := range d.active(u.Kind, u) {
		o := occurrence{rule: r, subject: u}
		if !r.Period() {
			continue
		}
		err := d.periods(r, func(p calendar.Period) error {
			o := o
			o.name, o.asOf, o.period, o.anchor = p.Label(d.book.Fiscal), min(p.End, d.today), &p, p.End
			if r.Due.Anchor == "period.start" {
				o.anchor = p.Start
			}
			if !d.mayFall(o) {
				return nil
			}
			if !d.fillGroup(&o, p.End) {
				return d.dismiss(o, obligation.NotSeen, "没有在管贷款")
			}
			d.fillPeriod(p)
			return d.decide(o)
		})
		if err != nil {
			return fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	return nil
}

// eventRules makes one duty for each event that a rule waits for. A settled
// loan has events too, so nothing is asked of its balance.
func (d *deriver) eventRules(u loan.Ref) {
	for _, r := range d.book.Rules {
		if len(r.On) == 0 || !d.book.Active(r) {
			continue
		}
		for _, e := range d.facts.Events {
			if !slices.Contains(r.On, e.Kind) || r.For != "" && r.For != e.Subject.Kind || e.Happened > d.today {
				continue
			}
			if d.only != nil && !d.only(r, e.Subject) {
				continue
			}
			o := occurrence{rule: r, subject: e.Subject, name: e.ID, anchor: e.Happened, asOf: min(e.Happened, d.today)}
			d.guard(e.Subject, func() error {
				d.locate(&o, u)
				d.env.Event = eventEnv{ID: e.ID, Kind: e.Kind, Date: Day{e.Happened}, X: e.Fields}
				if a := r.Due.Anchor; a != "event.date" && a != "date" {
					day, err := calendar.ParseDate(e.Fields[a[len("event."):]])
					if err != nil {
						return d.dismiss(o, obligation.NoAnchor, a)
					}
					o.anchor = day
				}
				return d.decide(o)
			})
		}
	}
}

// locate says whose an event's duty is.
func (d *deriver) locate(o *occurrence, u loan.Ref) {
	d.filled.loan = nil
	d.env.Loan, d.env.Borrower = loanEnv{}, borrowerEnv{} // of the occurrence before
	switch o.subject.Kind {
	case loan.KindLoan:
		for _, f := range d.facts.Loans {
			if f.ID == o.subject.ID {
				l := f.History.At(d.today)
				o.loan, o.file = l, f
				o.borrower, o.branch, o.officer = l.Borrower, l.Branch, l.Officer
				d.fillLoan(f, f.History.At(o.asOf), o.asOf, 0)
			}
		}
	case loan.KindCollateral:
		if c := d.facts.Collaterals[o.subject.ID]; c != nil {
			for _, f := range d.facts.Loans {
				if slices.Contains(c.Loans, f.ID) {
					l := f.History.At(d.today)
					o.borrower, o.branch, o.officer = l.Borrower, l.Branch, l.Officer
				}
			}
		}
	default:
		d.fillGroup(o, 0)
	}
	if u.Kind == loan.KindBorrower && o.borrower == "" {
		o.borrower = u.ID
	}
}

// decide asks the rule's conditions, dates the duty and keeps it if it is due
// in the window. The environment is filled.
func (d *deriver) decide(o occurrence) error {
	r := o.rule
	if !r.EffectiveFrom.IsZero() && o.anchor < r.EffectiveFrom || !r.EffectiveTo.IsZero() && o.anchor > r.EffectiveTo {
		return d.dismiss(o, obligation.NotEffective, "规则生效期 "+r.EffectiveFrom.String()+" 至 "+r.EffectiveTo.String())
	}
	if o.exact.IsZero() && !d.mayFall(o) {
		return d.dismiss(o, obligation.Outside, "")
	}
	reason := d.reason(o)
	if r.When != nil {
		yes, err := r.When.bool(&d.machine, d.env)
		if err != nil {
			return err
		}
		reason.test("when", r.When, yes, "", d.env)
		if !yes {
			return d.verdict(reason, obligation.WhenFalse)
		}
	}
	for _, x := range r.Except {
		yes, err := x.If.bool(&d.machine, d.env)
		if err != nil {
			return err
		}
		reason.test("except", x.If, yes, x.Why, d.env)
		if yes {
			return d.verdict(reason, obligation.Exempt)
		}
	}
	duty := obligation.Duty{
		Key:      obligation.Key{Rule: r.ID, Subject: o.subject, Occurrence: o.name},
		Borrower: o.borrower, Branch: o.branch, Role: r.By, Anchor: o.anchor,
	}
	if r.By == "officer" {
		duty.Owner = o.officer
	}
	if o.subject.Kind == loan.KindLoan {
		duty.Loan = o.subject.ID
	}
	if err := d.date(&duty, o, reason); err != nil {
		return err
	}
	if duty.Due < d.window.From || duty.Due > d.window.To {
		d.outside = append(d.outside, spot{r.ID, o.subject, o.anchor})
		reason.Due = duty.Due
		return d.verdict(reason, obligation.Outside)
	}
	if r.Needs != nil {
		need, err := r.Needs.AtLeast.number(&d.machine, d.env)
		if err != nil {
			return err
		}
		if need <= 0 {
			return d.verdict(reason, obligation.WhenFalse)
		}
		d.progress(&duty, o, need)
	}
	reason.Due, reason.Raise, reason.Provisional = duty.Due, duty.Raise, duty.Provisional
	if len(r.Each) == 0 {
		d.keep(duty, r)
		return d.verdict(reason, obligation.Derived)
	}
	for _, kind := range r.Each {
		if kind == r.For {
			d.keep(duty, r)
			continue
		}
		for _, g := range d.guarantors(o) {
			one := duty
			one.Party = loan.Ref{Kind: loan.KindGuarantor, ID: g.ID}
			one.PartyName = g.Name
			d.keep(one, r)
		}
	}
	return d.verdict(reason, obligation.Derived)
}

func (d *deriver) keep(duty obligation.Duty, r *Rule) {
	d.duties = append(d.duties, duty)
	d.rules = append(d.rules, r)
}

// guarantors of the loan, or of all the borrower's loans that are seen.
func (d *deriver) guarantors(o occurrence) []loan.Guarantor {
	if o.file != nil {
		return o.file.Parties(o.asOf)
	}
	var out []loan.Guarantor
	seen := map[string]bool{}
	for _, f := range d.facts.Loans {
		l := f.History.At(o.asOf)
		if l.Borrower != o.subject.ID || !d.seenInPeriod(l, o.anchor, o.asOf) {
			continue
		}
		for _, g := range f.Parties(o.asOf) {
			if !seen[g.ID] {
				seen[g.ID] = true
				out = append(out, g)
			}
		}
	}
	return out
}

// date works out the due day and the day of raising.
func (d *deriver) date(duty *obligation.Duty, o occurrence, reason *Reason) error {
	r := o.rule
	due, prov := o.exact, false
	if due.IsZero() {
		l := r.Due.Limit
		l.Landing = r.landing()
		if r.Due.On {
			l = calendar.Limit{N: 0, Unit: calendar.Days, Landing: l.Landing}
		}
		if l.Unit == calendar.Workdays {
			l.Landing = calendar.None // ends on a working day by itself; 0 is the day itself
		}
		res, err := d.cal.Shift(o.anchor, l)
		if err != nil {
			return fmt.Errorf("%s from %s: %w", r.Due.Text, o.anchor, err)
		}
		due, prov = res.Date, res.Provisional
		reason.step(d.cal, o.anchor, l, res)
	} else {
		prov = d.cal.Provisional(due)
		reason.note(o.anchor, due, r.Due.Text)
	}
	// The day is met on or after the payout, never before it.
	if !o.paidOut.IsZero() && due < o.paidOut {
		res, err := d.cal.Land(o.paidOut, calendar.Following)
		if err != nil {
			return err
		}
		reason.payout(due, o.paidOut, res)
		due, prov = res.Date, res.Provisional
	}
	raise, rprov, err := d.raise(o, due, reason)
	if err != nil {
		return err
	}
	duty.Due, duty.Raise, duty.Provisional = due, min(raise, due), prov || rprov
	if r.Due.OnPeriodEnd() {
		duty.PeriodEnd = o.period.End
	}
	return nil
}

// raise gives the day a duty comes onto someone's desk. Without a `raise` of
// its own: 10 working days before a `before` limit, the day after the period
// for a limit after it, the period's first day for `on period.end` and
// quotas, else the anchor's day, for `since` too.
func (d *deriver) raise(o occurrence, due calendar.Date, reason *Reason) (calendar.Date, bool, error) {
	r := o.rule
	back := func(from calendar.Date, l calendar.Limit) (calendar.Date, bool, error) {
		res, err := d.cal.Shift(from, l)
		if err != nil {
			return 0, false, fmt.Errorf("raise %s from %s: %w", l, from, err)
		}
		reason.raised(d.cal, from, l, res)
		return res.Date, res.Provisional, nil
	}
	if e := r.Raise; e != nil {
		from := d.raiseAnchor(o, e, due)
		if e.On {
			return from, false, nil
		}
		return back(from, e.Limit)
	}
	switch {
	case r.Needs != nil || r.Due.OnPeriodEnd():
		return o.period.Start, false, nil
	case r.Due.Before():
		return back(due, calendar.Limit{N: -10, Unit: calendar.Workdays})
	case o.period != nil && r.Due.Anchor == "period.end":
		return o.period.End.AddDays(1), false, nil
	}
	return o.anchor, false, nil
}

// raiseAnchor gives the day that a rule's own `raise` counts from; where the
// facts do not know it, that is the day which the limit counts from.
func (d *deriver) raiseAnchor(o occurrence, e *DateExpr, due calendar.Date) calendar.Date {
	var day calendar.Date
	group, field, _ := strings.Cut(e.Anchor, ".")
	switch {
	case e.Anchor == "due":
		day = due
	case e.Anchor == "date":
		day = e.Date
	case e.Anchor == "period.start":
		day = o.period.Start
	case e.Anchor == "period.end":
		day = o.period.End
	case e.Anchor == "interest.date", e.Anchor == "fee.date":
		day = d.env.Interest.Date.Date
	case e.Anchor == "interest.date_landed", e.Anchor == "fee.date_landed":
		day = d.env.Interest.DateLanded.Date
	case e.Anchor == "event.date":
		day = d.env.Event.Date.Date
	case group == "event":
		day, _ = calendar.ParseDate(d.env.Event.X[field])
	case group == "loan" && o.loan != nil:
		day = d.loanAnchor(*e, o.loan)
	}
	if day.IsZero() {
		return o.anchor
	}
	return day
}

// progress counts the quota's events in the period and closes the duty on the
// day that filled it.
func (d *deriver) progress(duty *obligation.Duty, o occurrence, need int) {
	p := o.period
	var days []loan.Event
	for _, e := range d.facts.Events {
		if e.Kind != o.rule.Needs.Count || !d.concerns(e.Subject, o.subject) {
			continue
		}
		if e.Period == o.name || e.Period == "" && e.Happened >= p.Start && e.Happened <= p.End {
			days = append(days, e)
		}
	}
	sort.SliceStable(days, func(i, j int) bool { return days[i].Happened < days[j].Happened })
	duty.Progress = obligation.Progress{Have: len(days), Need: need}
	if len(days) >= need {
		duty.Closed = &obligation.Closing{On: days[need-1].Happened, Event: days[need-1].ID}
	}
}

// concerns says that an event of one subject counts for another: a log about a
// loan is a log about its borrower.
func (d *deriver) concerns(of, subject loan.Ref) bool {
	if of == subject {
		return true
	}
	if of.Kind == loan.KindLoan && subject.Kind == loan.KindBorrower {
		for _, f := range d.facts.Loans {
			if f.ID == of.ID {
				l := f.History.At(d.today)
				return l != nil && l.Borrower == subject.ID
			}
		}
	}
	return false
}

// spot is where a rule makes a duty for a subject.
type spot struct {
	rule    string
	subject loan.Ref
	anchor  calendar.Date
}

// yield drops the duties of rules that give way to another one for the same
// subject and the same end of period.
func (d *deriver) yield() {
	var there map[spot]bool
	for i, r := range d.rules {
		if len(r.YieldsTo) == 0 {
			continue
		}
		if there == nil {
			there = map[spot]bool{}
			for _, x := range d.outside {
				there[x] = true
			}
			for _, x := range d.duties {
				there[spot{x.Rule, x.Subject, x.Anchor}] = true
			}
		}
		for _, id := range r.YieldsTo {
			if there[spot{id, d.duties[i].Subject, d.duties[i].Anchor}] {
				d.duties[i].Rule = "" // marked; removed below
			}
		}
	}
	if there == nil {
		return
	}
	kept := d.duties[:0]
	for _, x := range d.duties {
		if x.Rule != "" {
			kept = append(kept, x)
		}
	}
	d.duties = kept
}
