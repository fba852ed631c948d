package rules_test

import (
	"testing"

	"tickler"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
)

// A loan of five months between two half-years' ends is seen by none of them.
// If it is new, it is waived; if it pays off an earlier loan, it is not.
func TestAShortLoanIsAskedAboutBeyondItsMaturity(t *testing.T) {
	refinanced := func(l *loan.Loan) { l.Origin = loan.OriginRefinanced }
	for _, c := range []struct {
		loan *loan.LoanFile
		want obligation.Outcome // of the half-year's report
	}{
		{lend(term("2026-07-20", "2026-12-15")), obligation.Exempt},
		{lend(term("2026-07-20", "2026-12-15"), refinanced), obligation.Derived},
		{lend(term("2026-07-20", "2026-12-15"), is(loan.Key, loan.Normal)), obligation.WhenFalse},
		{lend(term("2026-07-20", "2026-12-31")), ""}, // the period sees it
	} {
		b := bookOf(t, string(tickler.Rulebook))
		f := onDay("2026-11-23", c.loan)
		unit, subject := loan.Ref{Kind: loan.KindBorrower, ID: "C1"}, loan.Ref{Kind: loan.KindLoan, ID: "L1"}
		w := rules.Window{From: day("2026-07-01"), To: day("2027-12-31")}
		var got obligation.Outcome
		for _, r := range rules.Beyond(b, calendar.Builtin(), f, unit, subject, w) {
			if r.Rule == "inspection-report-half-year" {
				got = r.Outcome
			}
		}
		if l := c.loan.History[0].Value; got != c.want {
			t.Errorf("%s to %s, %s: %q, want %q", l.Disbursed, l.Maturity, l.Origin, got, c.want)
		}
		for _, r := range rules.Verdicts(b, calendar.Builtin(), f, unit, subject, w) {
			if r.Rule == "inspection-report-half-year" && r.Occurrence == "2026-H2" && c.want != "" && r.Outcome != obligation.NotSeen {
				t.Errorf("the half-year sees it: %s", r.Outcome)
			}
		}
	}
}
