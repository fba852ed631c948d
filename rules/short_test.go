package rules_test

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"tickler"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
)

// everyWay has rules beside those for which the short way has cases of its own:
// cut periods, what a branch does otherwise, what is counted.
var everyWay = strings.NewReplacer("\nrules:\n", `
rules:
- {id: y-counted, for: borrower, every: month, when: 'count("dunning.done", period.start, period.end) == 0 and borrower.mode == "key"', due: on period.end}
- {id: y-within, for: loan, every: month, within: [2 months before loan.maturity, 10 days after loan.maturity], when: not loan.unpaid, due: 5 workdays before period.end}
- {id: y-within-week, for: loan, every: week, within: [on loan.disbursed, 1 month after loan.disbursed], due: on period.end}
- {id: y-within-half, for: loan, every: half_year, within: [on loan.disbursed, on loan.maturity], due: on period.end}
- {id: y-before-week, for: loan, every: week, due: 2 months before period.end, yields_to: y-within-week}
- {id: y-yields, for: loan, every: month, due: 2 workdays after period.end, yields_to: inspection-month}
- {id: y-yields-dated, for: loan, due: 1 month before loan.maturity, yields_to: maturity-check}
- {id: y-effective, for: loan, every: month, due: on period.end, effective_from: 2026-08-15, effective_to: 2026-12-15}
- {id: y-override, for: loan, every: month, when: not loan.unpaid, due: on period.end, overrides: [{branch: B2, why: 另有规定, when: loan.balance > 0, due: 3 workdays after period.end}]}
- {id: y-override-his, for: borrower, every: month, when: borrower.mode == "key", due: on period.end, overrides: [{branch: B2, why: 另有规定, when: borrower.mode == "regular"}]}
- {id: y-quota, for: borrower, every: month, needs: {count: worklog.submitted, at_least: 'borrower.mode == "key" ? 1 : 0'}, due: on period.end}
- {id: y-off, for: borrower, every: month, due: on period.end, overrides: [{branch: B2, why: 不执行, off: true}]}
- {id: y-number, for: loan, every: month, when: period.number > 3 and loan.class != "loss", due: on period.end}
- {id: y-fixed, for: loan, when: not loan.extended, due: 2 workdays after 2026-08-01}
- {id: y-fixed-his, for: borrower, due: 1 month after 2026-07-01}
- {id: y-sign, for: loan, every: month, due: on period.end, sign: [{if: loan.balance > 50, by: [supervisor]}, {by: [president]}]}
- {id: y-chain, for: loan, every: quarter, due: on period.end, sign: [supervisor, president]}
- {id: y-both, for: loan, every: quarter, due: on period.end, by: [officer, supervisor]}
- {id: y-start, for: loan, every: month, due: 3 workdays after period.start}
- {id: y-landed, for: loan, every: interest_date, when: interest.unpaid or loan.class == "loss", due: 2 days after interest.date_landed}
- {id: y-not-unpaid, for: loan, every: interest_date, when: not interest.unpaid, due: on interest.date, yields_to: interest-check}
- {id: y-next, for: loan, every: interest_date, due: 1 workday after interest.date_landed}
- {id: y-before-next, for: loan, every: interest_date, due: 2 months before interest.date_landed, yields_to: y-next}
- {id: y-far, for: loan, every: fee_date, due: 6 months after fee.date_landed, yields_to: fee-check}
- {id: y-his-end, for: borrower, every: month, except: [{if: borrower.class == "normal" and period.number != 12, why: 正常}], due: 1 month after period.end, sign: [supervisor]}
- {id: y-manager, for: borrower, every: quarter, due: on period.end, by: risk_manager}
- {id: y-matches, for: loan, every: quarter, when: loan.branch matches "^B1", due: on period.end}
- {id: y-dated-open, for: loan, when: 'loan.class matches "^l|^n"', due: on loan.maturity}
- {id: y-none, for: loan, due: 3 days before loan.maturity, landing: none, raise: 2 days before due}
`).Replace(everyKindOfRule)

// failing has rules beside them that cannot be asked of some loans. Where one
// fails the loan goes the long way.
var failing = strings.NewReplacer("\nrules:\n", `
rules:
- {id: y-fails, for: loan, every: quarter, when: 'loan.mode == "key" and add_workdays(loan.disbursed, 30000) > period.end', due: on period.end}
- {id: y-fails-first, for: loan, every: quarter, when: 'add_workdays(loan.disbursed, 30000) > period.end and loan.mode == "key"', except: [{if: loan.class == "loss", why: 损失}], due: on period.end}
- {id: y-except-fails, for: loan, except: [{if: 'add_workdays(loan.disbursed, 30000) > loan.maturity and loan.class == "loss"', why: 不可能}, {if: loan.mode == "key", why: 重点}], due: on loan.maturity}
- {id: y-since-fails, for: loan, since: [loan.disbursed], when: loan.mode == "key", due: 0 days after since}
`).Replace(everyWay)

// elsewhere moves some of what a portfolio holds to other branches, borrowers
// and schedules.
func elsewhere(t *rapid.T, f *loan.Facts) {
	for _, file := range f.Loans {
		for i := range file.History {
			l := &file.History[i].Value
			switch rapid.IntRange(0, 9).Draw(t, "elsewhere") {
			case 0:
				l.Branch = "B2"
			case 1:
				l.Borrower = "C2"
			case 2:
				l.Interest = loan.Schedule{Every: loan.SettleMonthly, PayDay: rapid.IntRange(1, 31).Draw(t, "pay day")}
			case 3:
				l.Interest.PayDate = dayNear(t, "pay date")
			case 4:
				l.Origin = loan.OriginRefinanced
			case 5:
				l.Disbursed = dayNear(t, "paid out anew")
			}
		}
		if rapid.Bool().Draw(t, "confirmed since") {
			file.Confirmed = f.Today
		}
	}
	if rapid.Bool().Draw(t, "sheet") {
		f.Borrowers["C1"] = &loan.Borrower{ID: "C1", RiskManager: "S3", Mode: rapid.SampledFrom([]loan.Mode{"", loan.Key}).Draw(t, "his mode")}
	}
	if rapid.Bool().Draw(t, "group") {
		f.Groups["G1"] = &loan.Group{ID: "G1", Members: []loan.GroupMember{{Borrower: "C1", Branch: "B1"}, {Borrower: "C9", Branch: "B9", Lead: true}}}
	}
}

// A Deriver goes the short way, Derive the long one: they give the same duties
// in the same order, the same next day and the same failures.
func TestTheShortWayGivesWhatTheLongOneDoes(t *testing.T) {
	books := []*rules.Book{mustParse(t, everyWay), mustParse(t, everyKindOfRule), mustParse(t, failing)}
	duties, failed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SampledFrom(books).Draw(t, "book")
		w := rules.Window{From: firstDay.AddDays(rapid.IntRange(-60, 200).Draw(t, "from"))}
		w.To = w.From.AddDays(rapid.IntRange(0, 500).Draw(t, "days"))
		if rapid.Bool().Draw(t, "own") {
			w.Own = map[string]calendar.Date{"B2": firstDay.AddDays(rapid.IntRange(-60, 300).Draw(t, "its first day"))}
		}
		d := rules.NewDeriver(b, calendar.Builtin(), w)
		for range rapid.IntRange(1, 4).Draw(t, "units") {
			f := portfolio(t)
			elsewhere(t, f)
			got, want := d.Derive(f, borrowerC1), rules.Derive(b, calendar.Builtin(), f, borrowerC1, w)
			if !slices.EqualFunc(got.Duties, want.Duties, func(a, b obligation.Duty) bool { return reflect.DeepEqual(a, b) }) {
				t.Fatalf("window %v, today %s: not the same in the same order; - short, + long:\n%s", w, f.Today, difference(got.Duties, want.Duties))
			}
			if got.Next != want.Next {
				t.Fatalf("next %s, want %s", got.Next, want.Next)
			}
			for a, err := range want.Failed {
				if got.Failed[a] == nil || got.Failed[a].Error() != err.Error() {
					t.Fatalf("%v fails with %v, want %v", a, got.Failed[a], err)
				}
			}
			if len(got.Failed) != len(want.Failed) {
				t.Fatalf("failed %v, want %v", got.Failed, want.Failed)
			}
			duties, failed = duties+len(got.Duties), failed+len(got.Failed)
		}
	})
	if duties == 0 || failed == 0 {
		t.Errorf("%d duties and %d failures were compared", duties, failed)
	}
}

// One rule on one loan allocates nothing: not its conditions, its days, nor the
// duties, whose place is used again.
func TestALoanUnderTheWholeRulebookAllocatesNothing(t *testing.T) {
	today := day("2026-11-23")
	book := mustParse(t, string(tickler.Rulebook))
	d := rules.NewDeriver(book, calendar.Builtin(), rules.Window{From: today, To: day("2027-12-31")})
	all := benchFacts(500, today)
	duties := 0
	derive := func() {
		for _, f := range all {
			duties += len(d.Derive(f, loan.Ref{Kind: loan.KindBorrower, ID: f.Loans[0].History[0].Value.Borrower}).Duties)
		}
	}
	derive() // lays out, and works the days out
	if n := testing.AllocsPerRun(5, derive); n != 0 {
		t.Errorf("%v allocations for %d loans", n, len(all))
	}
	if duties == 0 {
		t.Error("nothing was derived")
	}
}

// Derivers of one book that work side by side share nothing that changes: the
// race detector sees what they do, and each gives what it gives alone.
func TestDeriversWorkSideBySide(t *testing.T) {
	today := day("2026-11-23")
	book := mustParse(t, everyWay)
	w := rules.Window{From: today, To: day("2027-12-31")}
	all := benchFacts(50, today)
	unit := func(f *loan.Facts) loan.Ref {
		return loan.Ref{Kind: loan.KindBorrower, ID: f.Loans[0].History[0].Value.Borrower}
	}
	var want [][]obligation.Duty
	for _, f := range all {
		want = append(want, rules.Derive(book, calendar.Builtin(), f, unit(f), w).Duties)
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			d := rules.NewDeriver(book, calendar.Builtin(), w)
			for i, f := range all {
				if got := d.Derive(f, unit(f)).Duties; !slices.EqualFunc(got, want[i], func(a, b obligation.Duty) bool { return reflect.DeepEqual(a, b) }) {
					t.Errorf("%s: not the same:\n%s", unit(f), difference(got, want[i]))
				}
			}
		})
	}
	both.Wait()
}

// A schedule is laid out as far around the window as a rule counts from it, a
// branch's own rule included.
func TestAScheduleReachesAsFarAsItsRules(t *testing.T) {
	const head = "version: 1\nrules:\n- {id: z, for: loan, due: on loan.maturity}\n- {id: a, for: loan, every: interest_date, due: "
	for _, c := range []struct {
		rule string
		own  string // the rule of branch B1
		due  []string
	}{
		{rule: "5 months before interest.date", due: []string{"2026-07-20", "2026-08-20"}}, // of 20 December, of 20 January
		{rule: "on interest.date", own: "5 months before interest.date", due: []string{"2026-07-20", "2026-08-20"}},
		{rule: "5 months after interest.date", due: []string{"2026-07-20", "2026-08-20"}}, // of 20 February, of 20 March
	} {
		text := head + c.rule
		if c.own != "" {
			text += ", overrides: [{branch: B1, why: 另有规定, due: " + c.own + "}]"
		}
		l := lend(term("2025-01-15", "2028-01-15"), func(l *loan.Loan) { l.Interest = loan.Schedule{Every: loan.SettleMonthly, PayDay: 20} })
		w := rules.Window{From: day("2026-07-15"), To: day("2026-09-15")}
		for way, d := range map[string]rules.Derivation{
			"short": rules.NewDeriver(bookOf(t, text+"}"), calendar.Builtin(), w).Derive(onDay("2026-07-15", l), borrowerC1),
			"long":  rules.Derive(bookOf(t, text+"}"), calendar.Builtin(), onDay("2026-07-15", l), borrowerC1, w),
		} {
			var due []string
			for _, x := range d.Duties {
				due = append(due, x.Due.String())
			}
			if !slices.Equal(due, c.due) {
				t.Errorf("%s, the %s way: due %v, want %v", c.rule, way, due, c.due)
			}
		}
	}
}
