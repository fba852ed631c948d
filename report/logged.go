package report

import "strings"

// stageLog: an inspection or a work log of the borrower is recorded in the
// last year. One whose loans are all younger than a month is not expected to
// have any. 篇五 (二)一
func (a *Auditor) stageLog(h *Holding) {
	since := a.opt.On.AddYears(-1)
	for i := range h.Events {
		e := &h.Events[i]
		if (strings.HasPrefix(e.Kind, "inspection.") || strings.HasPrefix(e.Kind, "worklog.")) && e.Happened > since && e.Happened <= a.opt.On {
			a.seen[NoLog] = true
			return
		}
	}
	if h.oldest().Disbursed.AddMonths(1) <= a.opt.On {
		a.borrower(h, CheckStageLog, NoLog, "", "")
	}
}

// watchFacts: what the list of borrowers to watch is made from is known: the
// exposure (敞口), of which 0 is one, and the industry. 篇五 (四)四
func (a *Auditor) watchFacts(h *Holding) {
	exposure, industry := false, false
	if h.Sheet != nil {
		exposure = h.Sheet.Exposure != 0 || extra(h.Sheet.X, "敞口") != ""
		industry = h.Sheet.Industry != "" || extra(h.Sheet.X, "行业") != ""
	}
	for i := range h.Loans {
		exposure = exposure || extra(h.Loans[i].X, "敞口") != ""
		industry = industry || extra(h.Loans[i].X, "行业") != ""
	}
	for _, f := range []struct {
		known bool
		what  string
	}{{exposure, NoExposure}, {industry, NoIndustry}} {
		if f.known {
			a.seen[f.what] = true
		} else {
			a.borrower(h, CheckWatchFacts, f.what, "", "")
		}
	}
}
