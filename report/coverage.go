package report

import (
	"cmp"
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// Target is one obligation that asks for a number (two logs a month) or a
// share (40 % of the branches below), with how far it has come.
type Target struct {
	ID       string        `json:"id"`
	Subject  loan.Ref      `json:"subject"`
	Name     string        `json:"name"` // of the subject, where it is known
	Branch   string        `json:"branch"`
	Owner    string        `json:"owner"`
	Role     string        `json:"role"`
	Have     int           `json:"have"`
	Need     int           `json:"need"`
	Of       int           `json:"of"`      // all there are, of a coverage; 0 of a count
	Missing  int           `json:"missing"` // Need - Have, not below 0; 0 once it is done or waived
	Until    calendar.Date `json:"until"`   // the last day that is in time
	Standing Standing      `json:"standing"`
}

// Coverage is what one rule asks for in one period.
type Coverage struct {
	Rule       string   `json:"rule"`
	Name       string   `json:"name"`
	Clause     string   `json:"clause"`
	Occurrence string   `json:"occurrence"` // 2026-11, 2026
	Duties     int      `json:"duties"`     // = Met + Short + Missed + Waived
	Met        int      `json:"met"`        // done, in time or late
	Short      int      `json:"short"`      // still to be met
	Missed     int      `json:"missed"`     // short, and its last day has passed
	Waived     int      `json:"waived"`     // not in the sums that follow
	Have       int      `json:"have"`       // no duty counts for more than it needs
	Need       int      `json:"need"`
	Of         int      `json:"of"`
	Missing    int      `json:"missing"` // Need - Have
	Targets    []Target `json:"targets"` // by branch, then subject

	Until calendar.Date `json:"until"` // the last day that is in time, of the duty that has longest
}

// Progress gathers the obligations that have something to count.
type Progress struct {
	On       calendar.Date
	From, To calendar.Date // due days, both included; both zero: what runs on the day, and what is overdue

	at map[coverageKey]*Coverage
}

type coverageKey struct{ rule, occurrence string }

// Wanted says that an obligation belongs into the report: it has something to
// count, and falls due in the range. Without a range: its day of raising has
// come, and its last day has not passed or it is still overdue.
func (p *Progress) Wanted(o *obligation.Obligation) bool {
	if o.Progress.Need <= 0 || o.State == obligation.Cancelled {
		return false
	}
	if !p.From.IsZero() || !p.To.IsZero() {
		return o.Due >= p.From && (p.To.IsZero() || o.Due <= p.To)
	}
	return o.Raise <= p.On && (p.On <= LastDay(o) || StandingOf(o, p.On) == Overdue)
}

// Count adds an obligation that is Wanted. What it has is the plan's own count,
// as of the last scan; of one that was completed after the day it is at most
// one less than it needs, since the day of the last one is all that is kept.
func (p *Progress) Count(o *obligation.Obligation) *Target {
	t := Target{ID: o.Key.String(), Subject: o.Subject, Branch: o.Branch, Owner: o.Owner, Role: o.Role,
		Have: o.Progress.Have, Need: o.Progress.Need, Of: o.Progress.Of, Until: LastDay(o), Standing: StandingOf(o, p.On)}
	done := o.State == obligation.Done || o.State == obligation.Submitted
	met := t.Standing == DoneInTime || t.Standing == DoneLate
	if done && !met {
		t.Have = min(t.Have, t.Need-1)
	}
	if !met && t.Standing != Waived {
		t.Missing = max(t.Need-t.Have, 0)
	}
	k := coverageKey{o.Rule, o.Occurrence}
	c := p.at[k]
	if c == nil {
		if p.at == nil {
			p.at = map[coverageKey]*Coverage{}
		}
		c = &Coverage{Rule: o.Rule, Occurrence: o.Occurrence}
		p.at[k] = c
	}
	c.Duties++
	c.Until = max(c.Until, t.Until)
	switch {
	case t.Standing == Waived:
		c.Waived++
	case met:
		c.Met++
	case t.Standing == NotYetDue:
		c.Short++
	default:
		c.Missed++
	}
	if t.Standing != Waived {
		c.Have += t.Need - t.Missing
		c.Need += t.Need
		c.Of += t.Of
		c.Missing += t.Missing
	}
	c.Targets = append(c.Targets, t)
	return &c.Targets[len(c.Targets)-1]
}

// Report gives what was gathered, by rule and occurrence.
func (p *Progress) Report() []Coverage {
	out := make([]Coverage, 0, len(p.at))
	for _, c := range p.at {
		slices.SortFunc(c.Targets, func(a, b Target) int {
			return cmp.Or(strings.Compare(a.Branch, b.Branch), strings.Compare(a.ID, b.ID))
		})
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Coverage) int {
		return cmp.Or(strings.Compare(a.Rule, b.Rule), strings.Compare(a.Occurrence, b.Occurrence))
	})
	return out
}
