package rules

import (
	"math"

	"tickler/calendar"
	"tickler/loan"
)

// An era is a stretch of days on which a subject's facts are the same, so that
// what is asked of them is asked once.

// lastDay and firstDay stand for no end and no beginning.
const (
	lastDay  = calendar.Date(math.MaxInt32)
	firstDay = calendar.Date(math.MinInt32)
)

// loanEra is one of a loan.
type loanEra struct {
	from, to calendar.Date // days whose own facts, or today's for those to come, are these
	asOf     calendar.Date // one of them, not after today
	loan     *loan.Loan
	seenTo   calendar.Date // a period that ends later does not see the loan
	rulings  []ruling
	days     []calendar.Date // of the loan's own schedule, once it was laid out
	laid     bool
}

// loanEras lays out the eras of a loan, today's first, as far back as a rule may
// ask.
func (d *deriver) loanEras(l *layout, f *loan.LoanFile) {
	d.loans = d.loans[:0]
	var in replies
	if since, _ := f.ArrearsSince(); !since.IsZero() {
		in = arrears
	}
	for asOf, to := d.today, lastDay; ; {
		d.loans = append(d.loans, loanEra{})
		e := &d.loans[len(d.loans)-1]
		d.loanEra(e, f, asOf)
		e.to = to
		d.fillLoanAlone(f, e.loan, asOf)
		e.rulings = l.rule(in | l.questions.answer(d.env))
		if e.from <= l.earliest {
			return
		}
		to = e.from - 1
		asOf = to
	}
}

// loanEra finds since when the facts of a loan are those of a day.
func (d *deriver) loanEra(e *loanEra, f *loan.LoanFile, asOf calendar.Date) {
	h := f.History
	i := len(h) - 1
	for i > 0 && h[i].From > asOf {
		i--
	}
	l := &h[i].Value
	e.loan, e.asOf, e.from, e.seenTo = l, asOf, firstDay, lastDay
	if i > 0 {
		e.from = h[i].From
	}
	if !l.Maturity.IsZero() {
		if landed := d.landed(l.Maturity); asOf > landed {
			e.from = max(e.from, landed+1)
		} else {
			e.seenTo = l.Maturity
		}
	}
	for _, events := range [...][]loan.Event{d.facts.Events, d.facts.Related} {
		for k := range events {
			if x := &events[k]; x.Happened > e.from && x.Happened <= asOf && (Warns(x.Kind) || x.Kind == "loan.transferred") {
				e.from = x.Happened
			}
		}
	}
}

// hisEra is one of a borrower: of the days that a period may end on.
type hisEra struct {
	from, to calendar.Date // ends of periods
	seen     bool          // such a period sees one of his loans

	// Where it does:
	env     borrowerEnv // his facts
	rulings []ruling
	of      bearer
}

// hisEraOf gives the place, among the eras so far, of the one that an end of a
// period lies in.
func (d *deriver) hisEraOf(l *layout, id string, end calendar.Date) int {
	for i := range d.his {
		if e := &d.his[i]; e.from <= end && end <= e.to {
			return i
		}
	}
	n := len(d.his)
	d.his = append(d.his, hisEra{})
	e := &d.his[n]
	asOf := min(end, d.today)
	if d.hisSpan(e, id, end, asOf); !e.seen {
		return n
	}
	d.fillBorrower(id, asOf, end)
	e.env, d.inEnv = d.env.Borrower, n
	e.rulings = l.rule(l.questions.answer(d.env))
	e.of = bearer{ref: loan.Ref{Kind: loan.KindBorrower, ID: id}, borrower: id,
		branch: e.env.Branch, officer: e.env.Officer, first: d.first(e.env.Branch)}
	return n
}

// hisSpan finds the ends of periods around one for which a borrower's facts are
// the same, and whether such a period sees him: up to today the facts of the day
// itself count, then today's.
func (d *deriver) hisSpan(e *hisEra, id string, end, asOf calendar.Date) {
	e.from, e.to = firstDay, lastDay
	edge := func(day calendar.Date) { // from which on something is different
		if day <= end {
			e.from = max(e.from, day)
		} else {
			e.to = min(e.to, day-1)
		}
	}
	edge(d.today)
	for _, f := range d.facts.Loans {
		l := f.History.At(asOf)
		if l == nil {
			continue
		}
		if end < d.today {
			for i := range f.History {
				edge(f.History[i].From)
			}
			if !l.Maturity.IsZero() {
				edge(d.landed(l.Maturity) + 1)
			}
		}
		if l.Borrower == id {
			e.seen = e.seen || d.seenInPeriod(l, end, asOf) && f.History.At(d.today).Open()
			edge(l.Disbursed)
			if !l.Maturity.IsZero() {
				edge(l.Maturity + 1)
			}
		}
	}
}
