package report

import (
	"slices"
	"strings"
)

// staffed: a borrower has one officer (篇五 (一)二: exactly one, who answers for
// him first), every loan of his has one, and where set county is followed he
// has a risk manager (篇四 1).
func (a *Auditor) staffed(h *Holding) {
	sheet := h.Sheet != nil && h.Sheet.Officer != ""
	var officers []string
	for i := range h.Loans {
		if o := h.Loans[i].Officer; o != "" && !slices.Contains(officers, o) {
			officers = append(officers, o)
		}
	}
	switch {
	case !sheet && len(officers) == 0:
		a.borrower(h, CheckStaffed, NoOfficer, "", "")
	default:
		for i := range h.Loans {
			if h.Loans[i].Officer == "" {
				a.loan(h, &h.Loans[i], CheckStaffed, NoOfficer, h.officer())
			}
		}
		if !sheet && len(officers) > 1 {
			slices.Sort(officers)
			a.borrower(h, CheckStaffed, SeveralOfficers, strings.Join(officers, ", "), "")
		}
	}
	if slices.Contains(a.opt.Enabled, "county") {
		if h.Sheet != nil && h.Sheet.RiskManager != "" {
			a.seen[NoRiskManager] = true
		} else {
			a.borrower(h, CheckStaffed, NoRiskManager, "", "")
		}
	}
}

// custodian: a borrower's file has a keeper. 篇四 5
func (a *Auditor) custodian(h *Holding) {
	if h.Sheet != nil && h.Sheet.Custodian != "" {
		a.seen[NoCustodian] = true
		return
	}
	a.borrower(h, CheckCustodian, NoCustodian, "", "")
}
