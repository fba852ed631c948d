package rules

import (
	"strconv"
	"strings"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

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
	due      *DateExpr     // the one of the rule's Dues that counts; nil: the first
	term     *term         // of a period that nothing cut
}

// limit is how the due day is counted.
func (o *occurrence) limit() *DateExpr {
	if o.due != nil {
		return o.due
	}
	return &o.rule.Due
}

// reach gives how far a due day can lie from its anchor, in days, generously:
// enough to pass over what is surely outside the window.
func reach(e *DateExpr) (back, ahead int) {
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
func (d *deriver) mayFall(o *occurrence) bool {
	if t := o.term; t != nil && o.due == nil {
		return t.early && (t.late || !o.paidOut.IsZero() && o.paidOut.AddDays(20) >= d.from)
	}
	back, ahead := reach(o.limit())
	latest := o.anchor.AddDays(ahead)
	if !o.paidOut.IsZero() && o.paidOut.AddDays(20) > latest {
		latest = o.paidOut.AddDays(20)
	}
	return latest >= d.from && o.anchor.AddDays(-back) <= d.window.To
}

// decide asks the rule's conditions, dates the duty and keeps it if it is due
// in the window. The environment is filled.
func (d *deriver) decide(o *occurrence) error {
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
	for i := range r.Except {
		x := &r.Except[i]
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
		Borrower: o.borrower, Branch: o.branch, Role: r.By, Owner: d.owner(o, r.By), Anchor: o.anchor,
	}
	if r.Above {
		if b := d.facts.Branches[o.branch]; b != nil && b.Parent != "" {
			duty.Branch = b.Parent
		}
	}
	if o.subject.Kind == loan.KindLoan {
		duty.Loan = o.subject.ID
	}
	if err := d.date(&duty, o, reason); err != nil {
		return err
	}
	if duty.Due < d.first(o.branch) || duty.Due > d.window.To {
		if d.yields {
			d.outside = append(d.outside, spot{r.ID, o.subject, o.anchor})
		}
		reason.Due = duty.Due
		return d.verdict(reason, obligation.Outside)
	}
	if r.Needs != nil {
		if met, err := d.quota(&duty, o); err != nil || !met {
			if err != nil {
				return err
			}
			return d.verdict(reason, obligation.WhenFalse)
		}
	}
	for _, c := range r.Sign {
		if c.If != nil {
			yes, err := c.If.bool(&d.machine, d.env)
			if err != nil {
				return err
			}
			reason.test("sign", c.If, yes, strings.Join(c.By, " → "), d.env)
			if !yes {
				continue
			}
		}
		duty.Sign = c.By
		break
	}
	reason.Due, reason.Raise, reason.Provisional = duty.Due, duty.Raise, duty.Provisional
	d.fanOut(&duty, o)
	return d.verdict(reason, obligation.Derived)
}

// owner is the person who performs a duty, where the facts name one.
func (d *deriver) owner(o *occurrence, role string) string {
	switch role {
	case "officer":
		return o.officer
	case "risk_manager":
		if o.borrower != "" && d.env.Borrower.ID == o.borrower {
			return d.env.Borrower.RiskManager
		}
	}
	return ""
}

func (d *deriver) keep(duty *obligation.Duty, r *Rule) {
	d.duties = append(d.duties, *duty)
	if d.yields {
		d.rules = append(d.rules, r)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// join puts two remarks together.
func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "；" + b
}

// first is the first day of a branch's duties.
func (d *deriver) first(branch string) calendar.Date {
	if len(d.window.Own) == 0 {
		return d.window.From
	}
	return d.window.first(branch)
}
