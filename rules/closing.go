package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/vm"

	"tickler/loan"
	"tickler/obligation"
)

// Ambiguous says that an event fits several obligations of one rule, and the
// recorder has to name one.
type Ambiguous struct {
	Rule string
	Fits []obligation.Obligation
}

func (e *Ambiguous) Error() string {
	var lines []string
	for _, o := range e.Fits {
		lines = append(lines, fmt.Sprintf("  %s  due %s  %s", o.Key.Short(), o.Due, o.Key))
	}
	by := "--closes ID or --set 期间=OCCURRENCE"
	if slices.ContainsFunc(e.Fits, func(o obligation.Obligation) bool { return !o.Party.IsZero() }) {
		by = "--closes ID, --set 期间=OCCURRENCE or --set 对象=PARTY"
	}
	return fmt.Sprintf("the event fits %d obligations of rule %q; name one with %s:\n%s", len(e.Fits), e.Rule, by, strings.Join(lines, "\n"))
}

// Closings gives the obligations that an event discharges, of the open ones at
// hand: those it names; or, for each rule that names the event, that of its
// period and party, or the only one that fits. What is on a desk comes first:
// only an event that fits none of it closes what is still to come, and not one
// that begins duties of its own: a score of today is not next quarter's. An
// event that a ledger file showed closes all that name it. The error is an
// *Ambiguous or says what was named wrongly.
func Closings(b *Book, open []obligation.Obligation, e loan.Event) ([]obligation.Key, error) {
	if e.Withdrawn != nil {
		return nil, nil
	}
	if len(e.Closes) > 0 {
		return named(b, open, e)
	}
	var out []obligation.Key
	type group struct {
		rule string
		fits []obligation.Obligation
	}
	var onDesk, toCome []group
	for _, r := range b.Rules {
		if !r.closedBy(e) {
			continue
		}
		var raised, planned []obligation.Obligation
		for _, o := range open {
			if o.Rule != r.ID || o.State.Ended() || o.State == obligation.Submitted || !r.fits(&o, e) {
				continue
			}
			if r.countsFrom(&o, e) {
				continue
			}
			if recordsRow(e) && slices.Contains(r.ClosesOn, "ledger.recorded") && (e.Happened > o.Due || e.Happened < o.Anchor) {
				continue // a file of another day does not show that the entry was made on the day
			}
			if e.Period == "" && !e.Snapshot && r.afterPeriod() && e.Happened <= o.Anchor {
				continue // the period that it is about has not ended
			}
			if e.Snapshot {
				out = append(out, o.Key)
			} else if o.Raise <= e.Happened || e.Period != "" {
				raised = append(raised, o)
			} else {
				planned = append(planned, o)
			}
		}
		if err := r.stranger(open, e); err != nil {
			return nil, err
		}
		if raised != nil {
			onDesk = append(onDesk, group{r.ID, raised})
		} else if planned != nil {
			toCome = append(toCome, group{r.ID, planned})
		}
	}
	if onDesk == nil && !b.opens(e.Kind) {
		onDesk = toCome
	}
	for _, g := range onDesk {
		if len(g.fits) > 1 {
			return nil, &Ambiguous{Rule: g.rule, Fits: g.fits}
		}
		out = append(out, g.fits[0].Key)
	}
	return out, nil
}

// stranger refuses a party that none of the rule's obligations of the subject
// has ever had: a name was misspelt.
func (r *Rule) stranger(all []obligation.Obligation, e loan.Event) error {
	if e.Party == "" || len(r.Each) == 0 && len(r.Bys) < 2 {
		return nil
	}
	var parties []string
	for i := range all {
		o := &all[i]
		if o.Rule != r.ID || o.Subject != e.Subject || o.Party.IsZero() {
			continue
		}
		if r.named(o, e.Party) {
			return nil
		}
		if name := cmp.Or(o.PartyName, o.Party.ID); !slices.Contains(parties, name) {
			parties = append(parties, name)
		}
	}
	if parties == nil || e.Party == e.Subject.ID || e.Party == e.Subject.String() {
		return nil
	}
	return fmt.Errorf("%q is no party (没有这一方) of rule %q for %s; there is %s", e.Party, r.ID, e.Subject, strings.Join(parties, ", "))
}

// named says that a party of an obligation is meant by its number, its name or
// KIND/ID.
func (r *Rule) named(o *obligation.Obligation, party string) bool {
	return party == o.Party.ID || party == o.PartyName || party == o.Party.String()
}

// afterPeriod says that the duty is done once its period has ended.
func (r *Rule) afterPeriod() bool {
	return r.Period() && r.Due.Anchor == "period.end" && !r.Due.On && !r.Due.Before()
}

// opens says that a rule in force begins with the event.
func (b *Book) opens(kind string) bool {
	return slices.ContainsFunc(b.Rules, func(r *Rule) bool { return b.Active(r) && slices.Contains(r.On, kind) })
}

// named checks the obligations that an event names itself. Some may be another
// unit's.
func named(b *Book, open []obligation.Obligation, e loan.Event) ([]obligation.Key, error) {
	var out []obligation.Key
	for _, id := range e.Closes {
		i := slices.IndexFunc(open, func(o obligation.Obligation) bool { return o.Key.String() == id })
		if i < 0 {
			continue
		}
		if r := b.Rule(open[i].Rule); r == nil || !r.closedBy(e) {
			return nil, fmt.Errorf("obligation %q is not closed by %s", id, e.Kind)
		}
		if r := b.Rule(open[i].Rule); r.countsFrom(&open[i], e) {
			return nil, fmt.Errorf("obligation %q counts from %s: an event of that day or before does not close it", id, open[i].Anchor)
		}
		if another(&open[i], e.Subject) {
			return nil, fmt.Errorf("obligation %q is about %s; the event is recorded of %s", id, whom(&open[i], e.Subject), e.Subject)
		}
		out = append(out, open[i].Key)
	}
	return out, nil
}

// countsFrom says that an event is what an interval counts from, or was before
// that: closed by it, the next one would have the same name and never begin.
func (r *Rule) countsFrom(o *obligation.Obligation, e loan.Event) bool {
	return slices.Contains(r.Since, e.Kind) && e.Happened <= o.Anchor
}

// another says that an obligation is about, or owed to, another thing of the
// subject's own kind: a notice of one loan never does for the next. A log about
// the borrower may do for his loan.
func another(o *obligation.Obligation, subject loan.Ref) bool {
	return o.Subject != subject && o.Party != subject && whom(o, subject).Kind == subject.Kind
}

// whom is the thing of the subject's kind that an obligation concerns, or else
// its own subject.
func whom(o *obligation.Obligation, subject loan.Ref) loan.Ref {
	if o.Party.Kind == subject.Kind {
		return o.Party
	}
	return o.Subject
}

// closedBy says that an event of this kind, and with what it says, discharges
// the rule's obligations.
func (r *Rule) closedBy(e loan.Event) bool {
	if recordsRow(e) && slices.Contains(r.On, e.Kind) && slices.Contains(r.ClosesOn, "ledger.recorded") {
		return true // the row that shows the change is its entry in the ledger
	}
	if !slices.Contains(r.ClosesOn, e.Kind) {
		return false
	}
	c := r.CloseIf[e.Kind]
	if c == nil {
		return true
	}
	env := newEnv(nil)
	env.Event = eventEnv{ID: e.ID, Kind: e.Kind, Date: Day{e.Happened}, X: e.Fields}
	yes, err := c.bool(&vm.VM{}, env)
	return err == nil && yes
}

// recordsRow says that a ledger file showed the event, so that its row is in
// the ledger on that day.
func recordsRow(e loan.Event) bool {
	return e.Snapshot && (e.Kind == "ledger.recorded" || strings.HasPrefix(e.Kind, "loan."))
}

// fits says that an open obligation is about the event's subject, or owed to
// it, and of the period and the party that the event names, if it names one.
func (r *Rule) fits(o *obligation.Obligation, e loan.Event) bool {
	if o.Subject != e.Subject && o.Party != e.Subject {
		return false
	}
	if e.Period != "" && o.Occurrence != e.Period {
		return false
	}
	if e.Party == "" && !o.Party.IsZero() && o.Party != e.Subject && slices.ContainsFunc(r.Each, func(f Fan) bool { return f.Kind == r.For }) {
		return false // the subject has one of its own
	}
	if e.Party == "" || len(r.Each) == 0 && len(r.Bys) < 2 {
		return true
	}
	if o.Party.IsZero() {
		return e.Party == o.Subject.ID || e.Party == o.Subject.String()
	}
	return r.named(o, e.Party)
}
