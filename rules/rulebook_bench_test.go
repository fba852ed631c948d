package rules_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"tickler"
	"tickler/calendar"
	"tickler/loan"
	"tickler/rules"
)

// benchFacts is a borrower with one loan each, in the shape of a portfolio:
// 7 % in key mode, 5 % not normal, terms of up to 25 years, half of them of one.
func benchFacts(n int, today calendar.Date) (all []*loan.Facts) {
	r := rand.New(rand.NewPCG(6, 1))
	for i := range n {
		term := 1 + r.IntN(12)
		if r.IntN(2) == 0 {
			term = 13 + r.IntN(288)
		}
		row := loan.Loan{ID: fmt.Sprint("JJ", i), Borrower: fmt.Sprint("C", i), Branch: "B01", Officer: "S001",
			Amount: 1e8, Balance: 1e8, Class: loan.Normal, Mode: loan.Regular}
		row.Disbursed = today.AddMonths(-r.IntN(term)).AddDays(-r.IntN(27))
		row.Maturity = row.Disbursed.AddMonths(term)
		if r.IntN(100) < 7 {
			row.Mode = loan.Key
		}
		if r.IntN(100) < 5 {
			row.Class = loan.SpecialMention
		}
		all = append(all, &loan.Facts{Today: today, Loans: []*loan.LoanFile{{ID: row.ID, History: loan.History[loan.Loan]{{From: today - 3, Value: row}}}}})
	}
	return all
}

// A thousand loans under the whole shipped rulebook, 400 days, on every core:
// the time and the allocations of a loan and its borrower, the writing of their
// duties included. ns/rule-loan divides it by the rules for loans alone,
// ns/rule-asked by all that were asked, the borrower's too.
func BenchmarkRulebook(b *testing.B) {
	benchmarkRules(b, string(tickler.Rulebook))
}

// The same without the borrower's own rules.
func BenchmarkLoanRules(b *testing.B) {
	var kept []string
	for _, rule := range strings.SplitAfter(string(tickler.Rulebook), "\n\n") {
		if !strings.Contains(rule, "\n  for: borrower\n") {
			kept = append(kept, rule)
		}
	}
	benchmarkRules(b, strings.Join(kept, ""))
}

func benchmarkRules(b *testing.B, text string) {
	book, err := rules.Parse("rules.yaml", []byte(text))
	if err != nil {
		b.Fatal(err)
	}
	asked := map[loan.Kind]int{}
	for _, r := range book.Rules {
		if len(r.On) == 0 && book.Active(r) {
			asked[r.For]++
		}
	}
	today := calendar.MustDate(2026, 11, 23)
	all := benchFacts(1000, today)
	w := rules.Window{From: today, To: calendar.MustDate(2027, 12, 31)}
	duties := 0
	d := rules.NewDeriver(book, calendar.Builtin(), w)
	for _, f := range all {
		duties += len(d.Derive(f, loan.Ref{Kind: loan.KindBorrower, ID: f.Loans[0].History[0].Value.Borrower}).Duties)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		d := rules.NewDeriver(book, calendar.Builtin(), w)
		for i := 0; pb.Next(); i++ {
			f := all[i%len(all)]
			d.Derive(f, loan.Ref{Kind: loan.KindBorrower, ID: f.Loans[0].History[0].Value.Borrower})
		}
	})
	loans := asked[loan.KindLoan]
	each := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(each/float64(loans), "ns/rule-loan")
	b.ReportMetric(each/float64(loans+asked[loan.KindBorrower]), "ns/rule-asked")
	b.ReportMetric(float64(loans), "rules")
	b.ReportMetric(float64(duties)/float64(len(all)), "duties/loan")
}

// One condition of the shipped rulebook by the machine of the expression
// language alone: no dates, no facts to fetch.
func BenchmarkExprAlone(b *testing.B) {
	type loanEnv struct {
		Mode       string `expr:"mode"`
		Class      string `expr:"class"`
		Unpaid     bool   `expr:"unpaid"`
		FirstTime  bool   `expr:"first_time"`
		TermMonths int    `expr:"term_months"`
	}
	type env struct {
		Loan loanEnv `expr:"loan"`
	}
	prog, err := expr.Compile(`loan.mode == "key" and loan.class == "normal" and loan.first_time and not loan.unpaid and loan.term_months <= 3`, expr.Env(env{}), expr.AsBool())
	if err != nil {
		b.Fatal(err)
	}
	var e any = &env{loanEnv{"key", "normal", false, true, 3}}
	var m vm.VM
	b.ReportAllocs()
	for b.Loop() {
		if out, err := m.Run(prog, e); err != nil || out != true {
			b.Fatal(out, err)
		}
	}
}
