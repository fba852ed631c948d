package rules_test

import (
	"testing"

	"tickler/calendar"
	"tickler/loan"
	"tickler/rules"
)

// A branch, an officer or a group is worked out anew when a maturity passes only
// where that can change what it has to do.
func TestWhoHasALongLoanSleepsThroughTheMaturitiesOfOthers(t *testing.T) {
	short := lend(named("L1"), term("2026-01-05", "2026-07-15"))
	long := lend(named("L2"), term("2026-01-05", "2036-01-05"))
	elsewhere := lend(named("L0"), term("2026-01-05", "2026-07-15"), func(l *loan.Loan) { l.Branch = "B2" })
	book := mustParse(t, everyKindOfRule)
	for _, c := range []struct {
		what  string
		unit  loan.Ref
		loans []*loan.LoanFile
		next  string
	}{
		{"a branch of a short loan", branchB1, []*loan.LoanFile{short}, "2026-07-16"},
		{"a branch with a long one too", branchB1, []*loan.LoanFile{short, long}, ""},
		{"the borrower himself", borrowerC1, []*loan.LoanFile{short, long}, "2026-07-16"},
		{"an officer with a long one", officerS1, []*loan.LoanFile{short, long}, ""},
		{"an officer whose first loan is another branch's", officerS1, []*loan.LoanFile{elsewhere, long}, "2026-07-16"},
	} {
		got := rules.Derive(book, calendar.Builtin(), onDay("2026-06-01", c.loans...), c.unit, year2026).Next
		if got.String() != c.next {
			t.Errorf("%s wakes on %q, want %q", c.what, got, c.next)
		}
	}
}
