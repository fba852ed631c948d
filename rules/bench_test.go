package rules_test

import (
	"testing"

	"tickler"
	"tickler/calendar"
	"tickler/loan"
	"tickler/rules"
)

// One borrower with one loan under the whole shipped rulebook, 400 days.
func BenchmarkDerive(b *testing.B) {
	book, err := rules.Parse("rules.yaml", tickler.Rulebook)
	if err != nil {
		b.Fatal(err)
	}
	row := loan.Loan{ID: "JJ1", Borrower: "C1", Branch: "B01", Officer: "S001", Amount: 1e8, Balance: 1e8, Class: loan.Normal, Mode: loan.Regular,
		Disbursed: calendar.MustDate(2025, 3, 31), Maturity: calendar.MustDate(2028, 3, 31)}
	facts := &loan.Facts{Today: calendar.MustDate(2026, 11, 23),
		Loans: []*loan.LoanFile{{ID: "JJ1", History: loan.History[loan.Loan]{{From: calendar.MustDate(2026, 11, 20), Value: row}}}}}
	w := rules.Window{From: calendar.MustDate(2026, 11, 1), To: calendar.MustDate(2027, 12, 31)}
	unit := loan.Ref{Kind: loan.KindBorrower, ID: "C1"}
	duties := 0
	d := rules.NewDeriver(book, calendar.Builtin(), w)
	b.ReportAllocs()
	for b.Loop() {
		duties = len(d.Derive(facts, unit).Duties)
	}
	b.ReportMetric(float64(duties), "duties")
}

// One shipped case, played and held against what it expects.
func BenchmarkRun(b *testing.B) {
	book, err := rules.Parse("rules.yaml", tickler.Rulebook)
	if err != nil {
		b.Fatal(err)
	}
	cases, err := rules.ShippedCases()
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		rules.Run(book, calendar.Builtin(), cases[i%len(cases)])
	}
}
