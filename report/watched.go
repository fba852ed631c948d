package report

import (
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// loanFacts: a loan has a maturity, is not both an NPL and managed the regular
// way, and its mode and class were written, not assumed.
func (a *Auditor) loanFacts(h *Holding) {
	for i := range h.Loans {
		l := &h.Loans[i]
		if l.Maturity.IsZero() {
			a.loan(h, l, CheckMaturity, NoMaturity, "")
		}
		if l.Class.NPL() && l.Mode == loan.Regular {
			a.loan(h, l, CheckNPLMode, NPLRegular, string(l.Class))
		}
		for _, f := range []struct{ column, what string }{{loan.ColumnMode, ModeAssumed}, {loan.ColumnClass, ClassAssumed}} {
			if l.X[f.column] == loan.Assumed {
				a.loan(h, l, CheckAssumed, f.what, "")
			} else {
				a.seen[f.what] = true
			}
		}
	}
}

// Watch says whether any rule asks for inspection reports of a loan.
type Watch struct {
	State Watching
	Why   string // the exemption, or what each rule makes of the loan; in Chinese
}

// Watching is what the report rules together make of a loan.
type Watching string

const (
	Reported Watching = "reported" // one of them gives a duty
	Excused  Watching = "excused"  // none does, and an exemption of one holds: the manual waives it
	Unseen   Watching = "unseen"   // none does, and none waives it
)

// WatchOf sums up what the report rules make of a loan that has no duty from
// the day on. verdicts are on its periods, past and to come; beyond are on
// those that end after its maturity and so never see it, as if they did.
//
// A period to come decides. Where none sees the loan, because it matures
// before their ends, the rules that would have it are looked for beyond: a
// waiver there holds (a new loan of a few months needs no report at all), and
// a duty there is no gap if an earlier period already had one.
func WatchOf(verdicts, beyond []*obligation.Reason, on calendar.Date) Watch {
	coming := func(v *obligation.Reason) bool { return v.Period == nil || v.Period.End >= on }
	past := func(v *obligation.Reason) bool { return !coming(v) }
	anyhow := func(*obligation.Reason) bool { return true }
	if w, ok := settled(verdicts, coming); ok {
		return w
	}
	if w, ok := settled(beyond, anyhow); ok && w.State == Excused {
		return w
	} else if ok || !slices.ContainsFunc(verdicts, func(v *obligation.Reason) bool { return coming(v) && v.Outcome == obligation.WhenFalse }) {
		if w, ok := settled(verdicts, past); ok {
			return w
		}
	}
	for _, v := range beyond {
		if v.Outcome == obligation.Derived || v.Outcome == obligation.Outside {
			return Watch{Unseen, v.Rule + "：期末 " + v.Period.End.String() + " 在到期日之后"}
		}
	}
	var rules []string
	for _, v := range verdicts {
		if !slices.Contains(rules, v.Rule) {
			rules = append(rules, v.Rule)
		}
	}
	if len(rules) == 0 {
		return Watch{Unseen, "没有以 inspection.reported 办结的规则"}
	}
	return Watch{Unseen, "条件均不成立：" + strings.Join(rules, "、")}
}

// settled looks for a duty among verdicts, or else for an exemption.
func settled(verdicts []*obligation.Reason, of func(*obligation.Reason) bool) (Watch, bool) {
	why := ""
	for _, v := range verdicts {
		switch {
		case !of(v):
		case v.Outcome == obligation.Derived, v.Outcome == obligation.Outside && !v.Due.IsZero():
			return Watch{State: Reported}, true
		case v.Outcome == obligation.Exempt && why == "":
			why = v.Rule
			for _, t := range v.Tests {
				if t.Kind == "except" && t.Holds {
					why += "：" + t.Why
				}
			}
		}
	}
	return Watch{Excused, why}, why != ""
}

// reports: every open loan has a rule that asks for inspection reports, or
// waives them. 篇三 二(七)
func (a *Auditor) reports(h *Holding) {
	for i := range h.Loans {
		l := &h.Loans[i]
		switch {
		case l.Watch.State == Unseen:
			a.loan(h, l, CheckReports, NoReportRule, l.Watch.Why)
		case l.Watch.State == Excused && l.Maturity.IsZero():
			// It passes for a loan of 0 months, for ever.
			a.loan(h, l, CheckReports, NoReportRule, "没有到期日，被当作短期贷款豁免（"+l.Watch.Why+"）")
		case l.Watch.State == Excused:
			f := a.ofLoan(h, l, ExemptFromReport, l.Watch.Why)
			f.Note = true
			a.notes[CheckReports] = append(a.notes[CheckReports], f)
		}
	}
}
