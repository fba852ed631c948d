package rules_test

import (
	"slices"
	"testing"

	"tickler/calendar"
	"tickler/loan"
	"tickler/rules"
)

// The days are worked out by hand from the notices of 2025 and 2026; 2027 has
// no notice, so only 元旦, 2027-01-01, a Friday, is off there beside weekends.
func TestDaysOfTheManual(t *testing.T) {
	const today = "2026-11-23"
	for _, c := range []struct {
		why        string
		loan       *loan.LoanFile
		key        string
		raise, due string
	}{
		{"the example of the interface", lend(), "maturity-notice:2026-12-31", "2026-11-16", "2026-11-30"},
		{"31 March less a month is 28 February, a make-up Saturday; 10 workdays before are 9 to 13, 2 to 6 February", lend(matures("2026-03-31")), "maturity-notice:2026-03-31", "2026-02-09", "2026-02-28"},
		{"7 October is off: the day before the festival; the make-up 20 September counts, 25 September is off", lend(matures("2026-11-07")), "maturity-notice:2026-11-07", "2026-09-16", "2026-09-30"},
		{"18 February is off: 14 February, a make-up Saturday", lend(matures("2026-03-18")), "maturity-notice:2026-03-18", "2026-02-02", "2026-02-14"},
		{"a maturity on a day off is checked on the next working day", lend(matures("2026-10-01")), "maturity-check:2026-10-01", "2026-10-01", "2026-10-08"},
		{"unpaid: limits count from the maturity itself", lend(matures("2026-02-13")), "overdue-notice-borrower:2026-02-13", "2026-02-13", "2026-03-05"},
		{"across the make-up Saturday 9 May", lend(matures("2026-04-30")), "overdue-notice-borrower:2026-04-30", "2026-04-30", "2026-05-18"},
		{"a maturity in the festival", lend(matures("2026-10-01")), "overdue-notice-borrower:2026-10-01", "2026-10-01", "2026-10-20"},
		{"the dunning counts from the landed maturity, 8 October", lend(matures("2026-10-01")), "overdue-dun:2026-10-08", "2026-10-08", "2026-10-09"},
		{"a month after 31 January is 28 February, a make-up Saturday", lend(term("2026-01-31", "2027-01-31")), "first-inspection:2026-01-31", "2026-01-31", "2026-02-28"},
		{"5 October is off: 8 October", lend(term("2026-09-05", "2027-09-05")), "first-inspection:2026-09-05", "2026-09-05", "2026-10-08"},
		{"0 days after a payout on a Saturday", lend(term("2026-11-07", "2027-11-07")), "ledger-entry-disbursement:2026-11-07", "2026-11-07", "2026-11-09"},
		{"15 workdays after March", lend(is(loan.Key, loan.Normal)), "inspection-report-quarter:2026-Q1", "2026-04-01", "2026-04-22"},
		{"15 workdays after June", lend(is(loan.Key, loan.Normal)), "inspection-report-quarter:2026-Q2", "2026-07-01", "2026-07-21"},
		{"15 workdays after September", lend(is(loan.Key, loan.Normal)), "inspection-report-quarter:2026-Q3", "2026-10-01", "2026-10-27"},
		{"15 workdays after December: 4 to 8, 11 to 15, 18 to 22 January", lend(is(loan.Key, loan.Normal)), "inspection-report-quarter:2026-Q4", "2027-01-01", "2027-01-22"},
		{"20 workdays after December", lend(), "inspection-report-annual:2026", "2027-01-01", "2027-01-29"},
		{"10 workdays after September", lend(is(loan.Key, loan.Loss)), "inspection-report-month:2026-09", "2026-10-01", "2026-10-20"},
		{"within the period: its last working day", lend(is(loan.Key, loan.Loss)), "inspection-month:2026-10", "2026-10-01", "2026-10-30"},
		{"backward over the make-up Sunday 20 September; raised 10 workdays before that", lend(), "interest-reminder:2026-09-21", "2026-08-25", "2026-09-08"},
		{"backward over the make-up Saturday 28 February", lend(func(l *loan.Loan) { l.Interest.PayDate = day("2026-03-12") }), "interest-reminder:2026-03-12", "2026-02-06", "2026-02-27"},
		{"on a Monday: the day itself", lend(), "interest-check:2026-09-21", "2026-09-21", "2026-09-21"},
		{"21 June is off: 22 June", lend(), "interest-check:2026-06-21", "2026-06-21", "2026-06-22"},
	} {
		t.Run(c.key+" "+c.why, func(t *testing.T) {
			manual(t, onDay(today, c.loan), borrowerC1).dates(t, c.key, c.raise, c.due)
		})
	}
}

func TestProvisionalDatesAreMarked(t *testing.T) {
	p := manual(t, onDay("2026-11-23", lend()), borrowerC1)
	if !p["inspection-report-annual:2026"].Provisional {
		t.Error("2027 has no notice")
	}
	if p["maturity-notice:2026-12-31"].Provisional {
		t.Error("2026 has its notice")
	}
}

func TestTheOfficersAndTheBranchesYear(t *testing.T) {
	f := onDay("2026-11-23", lend(term("2025-06-01", "2027-06-01")))
	p := manual(t, f, officerS1)
	// 31 December 2025 and 20 workdays; and two months, 28 February being a make-up Saturday.
	p.dates(t, "ledger-carry-forward:officer/S1:2025", "2026-01-01", "2026-01-29")
	p.dates(t, "fund-flow-sheet-annual:officer/S1:2025", "2026-01-01", "2026-02-28")
	manual(t, f, branchB1).dates(t, "overall-report-quarter:branch/B1:2026-Q3", "2026-10-01", "2026-10-27")
}

func TestADueDayBeforeThePayoutBecomesThePayout(t *testing.T) {
	// The notice of a loan of three weeks would be due before it is paid out.
	// The payout, 3 October, is off: 8 October.
	p := manual(t, onDay("2026-11-23", lend(term("2026-10-03", "2026-10-24"))), borrowerC1)
	p.dates(t, "maturity-notice:2026-10-24", "2026-09-17", "2026-10-08")
	// Ten workdays before 21 October are the 8th, a day before this payout.
	p = manual(t, onDay("2026-11-23", lend(term("2026-10-09", "2027-10-09"), func(l *loan.Loan) { l.Interest.Every = loan.SettleMonthly })), borrowerC1)
	p.dates(t, "interest-reminder:2026-10-21", "2026-09-18", "2026-10-09")
}

func TestLoansWithNothingLeftAreNotSeen(t *testing.T) {
	if p := manual(t, onDay("2026-11-23", lend(settled)), borrowerC1); len(p) > 0 {
		t.Errorf("%v", p)
	}
	// Settled in October: what September's end had asked for goes too.
	f := then(lend(is(loan.Key, loan.Normal)), "2026-10-12", settled)
	if p := manual(t, onDay("2026-11-23", f), borrowerC1); len(p) > 0 {
		t.Errorf("%v", p)
	}
	for _, unit := range []loan.Ref{officerS1, branchB1} {
		if p := manual(t, onDay("2026-11-23", f), unit); len(p) > 0 {
			t.Errorf("%s: %v", unit, p)
		}
	}
	// Interest left is enough.
	p := manual(t, onDay("2026-11-23", lend(func(l *loan.Loan) { l.Balance, l.Arrears = 0, 1 })), borrowerC1)
	p.some(t, "maturity-notice:2026-12-31")
}

func TestLoansAreSeenFromTheirPayout(t *testing.T) {
	p := manual(t, onDay("2026-11-23", lend(term("2026-06-30", "2027-12-31"), is(loan.Key, loan.Loss))), borrowerC1)
	p.occurrences(t, "inspection-month", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11", "2026-12",
		"2027-01", "2027-02", "2027-03", "2027-04", "2027-05", "2027-06", "2027-07", "2027-08", "2027-09", "2027-10", "2027-11", "2027-12")
	p = manual(t, onDay("2026-11-23", lend(term("2026-07-01", "2026-09-30"), is(loan.Key, loan.Loss))), borrowerC1)
	if p.of("inspection-month")[0] != "2026-07" {
		t.Error(p.of("inspection-month"))
	}
	// The interest date on the day of the payout counts, those before do not.
	p = manual(t, onDay("2026-11-23", lend(term("2026-09-21", "2027-03-31"))), borrowerC1)
	p.occurrences(t, "interest-check", "2026-09-21", "2026-12-21", "2027-03-21")
}

func TestPeriodsBehindTheMaturity(t *testing.T) {
	months := func(today, maturity string) []string {
		return manual(t, onDay(today, lend(matures(maturity), is(loan.Key, loan.Loss))), borrowerC1).of("inspection-month")
	}
	last := func(today, maturity, want string) {
		t.Helper()
		m := months(today, maturity)
		if got := m[len(m)-1]; got != want {
			t.Errorf("today %s, maturity %s: the last month is %s; want %s", today, maturity, got, want)
		}
	}
	last("2026-08-03", "2026-10-31", "2026-10") // ends on the maturity
	last("2026-08-03", "2026-10-30", "2026-09") // ends after it
	last("2026-10-30", "2026-10-30", "2026-09") // not yet unpaid on the maturity itself
	last("2026-10-31", "2026-10-30", "2027-12") // unpaid today: today stands for the days to come
	// 31 October is a Saturday; the loan is unpaid from 3 November.
	last("2026-11-02", "2026-10-31", "2026-10")
	last("2026-11-03", "2026-10-31", "2027-12")
	// Unpaid at the end of September and prolonged in October: September stays.
	f := then(lend(matures("2026-09-10"), is(loan.Key, loan.Loss)), "2026-10-12", matures("2027-01-31"))
	manual(t, onDay("2026-11-23", f), borrowerC1).some(t, "inspection-month:2026-09", "inspection-month:2027-01")
	manual(t, onDay("2026-11-23", f), borrowerC1).none(t, "inspection-month:2027-02")
}

func TestALoanWithoutAMaturity(t *testing.T) {
	p := manual(t, onDay("2026-11-23", lend(matures(""))), borrowerC1)
	for _, rule := range []string{"maturity-notice", "maturity-check", "maturity-account-watch", "overdue-dun", "overdue-notice-borrower"} {
		p.occurrences(t, rule)
	}
	p.some(t, "inspection-half-year:2027-H2", "interest-check:2027-12-21", "first-inspection:2026-01-15")
}

func TestUnpaidBeginsAfterTheLandedMaturity(t *testing.T) {
	// 1 October is off until the 8th.
	for today, unpaid := range map[string]bool{"2026-10-01": false, "2026-10-08": false, "2026-10-09": true} {
		p := manual(t, onDay(today, lend(matures("2026-10-01"))), borrowerC1)
		if _, ok := p["overdue-notice-borrower:2026-10-01"]; ok != unpaid {
			t.Errorf("on %s: unpaid is %v", today, ok)
		}
	}
}

// The period's last day decides; today's facts stand for one to come.
func TestThePeriodsLastDayDecides(t *testing.T) {
	f := lend(is(loan.Regular, loan.Normal), term("2026-01-15", "2027-12-31"))
	then(f, "2026-06-30", is(loan.Regular, loan.SpecialMention))
	then(f, "2026-07-01", is(loan.Regular, loan.Normal))
	then(f, "2026-10-01", is(loan.Key, loan.Normal))
	p := manual(t, onDay("2026-11-23", f), borrowerC1)
	p.some(t, "inspection-report-quarter:2026-Q2") // special mention on 30 June
	p.none(t, "inspection-report-half-year:2026-H1")
	p.none(t, "inspection-report-quarter:2026-Q3") // regular and normal on 30 September
	p.some(t, "inspection-report-quarter:2026-Q4") // key today
	p.none(t, "inspection-report-half-year:2026-H2")
	p.none(t, "inspection-report-quarter:2026-Q1") // the earliest fact known: regular, normal
}

func TestADayBeforeTheFirstSnapshotHasTheEarliestFact(t *testing.T) {
	f := lend(is(loan.Key, loan.Normal), term("2024-01-15", "2027-12-31"))
	f.History[0].From = day("2026-11-20")
	manual(t, onDay("2026-11-23", f), borrowerC1).some(t, "inspection-report-quarter:2026-Q1", "inspection-report-quarter:2025-Q4")
}

// 篇三 二(七)1: newly paid out, normal, not unpaid, six months or less; or two
// months or less between the payout and the period's end.
func TestExemptionsOfTheReports(t *testing.T) {
	half := "inspection-report-half-year:2026-H2"
	annual := "inspection-report-annual:2026"
	quarter := "inspection-report-quarter:2026-Q4"
	refinanced := func(l *loan.Loan) { l.Origin = loan.OriginRefinanced }
	for _, c := range []struct {
		why  string
		loan *loan.LoanFile
		key  string
		want bool
	}{
		{"a term of exactly six months", lend(term("2026-07-15", "2027-01-15")), half, false},
		{"a term of six months and a day", lend(term("2026-07-15", "2027-01-16")), half, true},
		{"six months to the month's last day", lend(term("2026-08-31", "2027-02-28")), half, false},
		{"six months and a day over it", lend(term("2026-08-31", "2027-03-01")), half, true},
		{"six months, but refinanced", lend(term("2026-07-15", "2027-01-15"), refinanced), half, true},
		{"six months, but extended before", lend(term("2026-07-15", "2027-01-15"), func(l *loan.Loan) { l.Extensions = 1 }), half, true},
		{"six months, and annual", lend(term("2026-07-15", "2027-01-15")), annual, false},
		{"six months, special mention", lend(term("2026-07-15", "2027-01-15"), is(loan.Regular, loan.SpecialMention)), quarter, true},
		{"paid out exactly two months before the end", lend(term("2026-10-31", "2027-12-31")), half, false},
		{"paid out two months and a day before", lend(term("2026-10-30", "2027-12-31")), half, true},
		{"paid out exactly two months before, annual", lend(term("2026-10-31", "2027-12-31")), annual, false},
		{"paid out two months and a day before, annual", lend(term("2026-10-30", "2027-12-31")), annual, true},
		{"key: a term of exactly three months", lend(term("2026-10-15", "2027-01-15"), is(loan.Key, loan.Normal)), quarter, false},
		{"key: a term of three months and a day", lend(term("2026-10-15", "2027-01-16"), is(loan.Key, loan.Normal)), quarter, true},
		{"key: no annual report", lend(term("2026-10-15", "2027-12-31"), is(loan.Key, loan.Normal)), annual, false},
		{"key and loss: by the month", lend(term("2026-10-01", "2027-12-31"), is(loan.Key, loan.Loss)), "inspection-report-month:2026-12", true},
		{"31 December and two months is 28 February", lend(term("2026-12-31", "2027-12-31"), is(loan.Key, loan.Loss)), "inspection-report-month:2027-02", false},
		{"30 December too", lend(term("2026-12-30", "2027-12-31"), is(loan.Key, loan.Loss)), "inspection-report-month:2027-02", false},
		{"27 December: a day more", lend(term("2026-12-27", "2027-12-31"), is(loan.Key, loan.Loss)), "inspection-report-month:2027-02", true},
	} {
		t.Run(c.why, func(t *testing.T) {
			_, got := manual(t, onDay("2026-11-23", c.loan), borrowerC1)[c.key]
			if got != c.want {
				t.Errorf("%s derived: %v", c.key, got)
			}
		})
	}
	// Unpaid on the period's last day, the short loan is no longer exempt.
	f := lend(term("2026-03-30", "2026-06-29"))
	manual(t, onDay("2026-07-02", f), borrowerC1).some(t, "inspection-report-half-year:2026-H1")
}

func TestTransferredLoans(t *testing.T) {
	npl := lend(is(loan.Regular, loan.Doubtful), matures("2027-12-31"))
	p := manual(t, happened(onDay("2026-11-23", npl), "loan.transferred", "loan/L1", "2026-10-15"), borrowerC1)
	p.some(t, "npl-dunning:2026-09", "inspection-report-month:2026-09")
	p.none(t, "npl-dunning:2026-10", "inspection-report-month:2026-10", "npl-dunning:2026-12")
	p = manual(t, onDay("2026-11-23", lend(is(loan.Regular, loan.Doubtful), func(l *loan.Loan) { l.Status = "移交" })), borrowerC1)
	p.occurrences(t, "npl-dunning")
}

func TestInterestSchedules(t *testing.T) {
	on := func(s loan.Schedule) *loan.LoanFile {
		return lend(term("2026-01-31", "2026-12-31"), func(l *loan.Loan) { l.Interest = s })
	}
	for _, c := range []struct {
		why  string
		s    loan.Schedule
		want []string
	}{
		{"missing: quarterly, the day after the 20th", loan.Schedule{}, []string{"2026-03-21", "2026-06-21", "2026-09-21", "2026-12-21"}},
		{"at maturity", loan.Schedule{Every: loan.SettleAtMaturity}, []string{"2026-12-31"}},
		{"half-yearly", loan.Schedule{Every: loan.SettleHalfYearly}, []string{"2026-06-21", "2026-12-21"}},
		{"a date given", loan.Schedule{Every: loan.SettleQuarterly, PayDate: day("2026-05-31")}, []string{"2026-02-28", "2026-05-31", "2026-08-31", "2026-11-30"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			manual(t, onDay("2026-11-23", on(c.s)), borrowerC1).occurrences(t, "interest-check", c.want...)
		})
	}
	// A schedule changed in August holds from then on.
	f := then(on(loan.Schedule{}), "2026-08-01", func(l *loan.Loan) { l.Interest = loan.Schedule{Every: loan.SettleMonthly, PayDay: 5} })
	manual(t, onDay("2026-11-23", f), borrowerC1).occurrences(t, "interest-check", "2026-03-21", "2026-06-21", "2026-08-05", "2026-09-05", "2026-10-05", "2026-11-05", "2026-12-05")
}

// interest.unpaid: arrears known on or after the date and not cleared since.
func TestInterestInArrears(t *testing.T) {
	notices := func(f *loan.LoanFile) []string {
		return manual(t, onDay("2026-11-23", f), borrowerC1).of("interest-notice")
	}
	quarterly := func() *loan.LoanFile { return lend(matures("2027-12-31")) }
	clean := quarterly()
	same(t, notices(clean), nil)
	// First shown on 25 September: the date of the 21st, and no earlier one.
	late := then(quarterly(), "2026-09-25", arrears)
	same(t, notices(late), []string{"2026-09-21"})
	// Dated as the golden table has it.
	manual(t, onDay("2026-11-23", late), borrowerC1).dates(t, "interest-notice:2026-09-21", "2026-09-21", "2026-09-29")
	// Cleared on 20 October: none.
	same(t, notices(then(late, "2026-10-20", settledInterest)), nil)
	// In arrears since the first file: every date since go_live.
	same(t, notices(lend(matures("2027-12-31"), arrears)), []string{"2026-03-21", "2026-06-21", "2026-09-21"})
	// A date that no file has confirmed yet is not unpaid.
	unconfirmed := then(quarterly(), "2026-06-30", arrears)
	unconfirmed.Confirmed = day("2026-09-20")
	same(t, notices(unconfirmed), []string{"2026-06-21"})
}

func settledInterest(l *loan.Loan) { l.Arrears = 0 }

func TestEachGuarantor(t *testing.T) {
	f := lend(matures("2026-10-01"), func(l *loan.Loan) { l.Guarantors = []string{"甲公司", "乙 先生"} })
	f.Guarantors = []loan.Guarantor{{Loan: "L1", ID: "91330000X", Name: "甲公司"}}
	p := manual(t, onDay("2026-11-23", f), borrowerC1)
	p.dates(t, "overdue-notice-guarantor:2026-10-01:guarantor/91330000X", "2026-10-01", "2026-10-20")
	p.dates(t, "overdue-notice-guarantor:2026-10-01:guarantor/乙 先生", "2026-10-01", "2026-10-20")
	p.occurrences(t, "overdue-notice-guarantor", "2026-10-01:guarantor/91330000X", "2026-10-01:guarantor/乙 先生")
	if x := p["overdue-notice-guarantor:2026-10-01:guarantor/91330000X"]; x.PartyName != "甲公司" || x.Loan != "L1" || x.Owner != "S1" {
		t.Errorf("%+v", x)
	}
	// The borrower himself and each guarantor of his loans, once.
	g := lend(named("L2"), func(l *loan.Loan) { l.Guarantors = []string{"甲公司", "丙"} })
	p = manual(t, onDay("2026-11-23", lend(func(l *loan.Loan) { l.Guarantors = []string{"甲公司"} }), g), borrowerC1)
	p.some(t, "rating-annual:borrower/C1:2026", "rating-annual:borrower/C1:2026:guarantor/甲公司", "rating-annual:borrower/C1:2026:guarantor/丙")
	// Without guarantors there is nobody to notify.
	manual(t, onDay("2026-11-23", lend(matures("2026-10-01"))), borrowerC1).occurrences(t, "overdue-notice-guarantor")
}

func TestWeeksBeforeTheMaturity(t *testing.T) {
	p := manual(t, onDay("2026-11-23", lend()), borrowerC1)
	p.occurrences(t, "maturity-account-watch", "2026-W49", "2026-W50", "2026-W51", "2026-W52", "2026-W53")
	p.dates(t, "maturity-account-watch:2026-W49", "2026-11-30", "2026-12-04")
	p.dates(t, "maturity-account-watch:2026-W53", "2026-12-28", "2026-12-31") // cut at the maturity
	// The week that only touches the month before.
	p = manual(t, onDay("2026-11-23", lend(matures("2026-12-29"))), borrowerC1)
	p.occurrences(t, "maturity-account-watch", "2026-W48", "2026-W49", "2026-W50", "2026-W51", "2026-W52", "2026-W53")
}

func TestQuotas(t *testing.T) {
	oct := "worklog-quota:borrower/C1:2026-10"
	f := onDay("2026-11-23", lend(is(loan.Key, loan.Normal)), lend(named("L2")))
	p := manual(t, f, borrowerC1)
	p.dates(t, oct, "2026-10-01", "2026-10-30")
	if x := p[oct]; x.Progress.Need != 2 || x.Progress.Have != 0 || x.Closed != nil || x.PeriodEnd != day("2026-10-31") {
		t.Errorf("%+v", x)
	}
	// A log about a loan is a log about its borrower; one outside the month is not counted.
	happened(f, "worklog.submitted", "loan/L2", "2026-10-31")
	happened(f, "worklog.submitted", "borrower/C1", "2026-11-01")
	if x := manual(t, f, borrowerC1)[oct]; x.Progress.Have != 1 || x.Closed != nil {
		t.Errorf("%+v", x)
	}
	// One written later for the month.
	happened(f, "worklog.submitted", "borrower/C1", "2026-11-03")
	f.Events[2].Period = "2026-10"
	if x := manual(t, f, borrowerC1)[oct]; x.Progress.Have != 2 || x.Closed == nil || x.Closed.On != day("2026-11-03") || x.Closed.Event != "3" {
		t.Errorf("%+v", x)
	}
	// Regular borrowers: one.
	if x := manual(t, onDay("2026-11-23", lend()), borrowerC1)[oct]; x.Progress.Need != 1 {
		t.Errorf("%+v", x)
	}
}

func TestSince(t *testing.T) {
	thing := func(inspected string) *loan.Facts {
		f := onDay("2026-11-23", lend(term("2025-06-10", "2027-12-31")), lend(named("L2"), term("2024-10-05", "2028-12-31")))
		f.Collaterals["K1"] = &loan.Collateral{ID: "K1", Loans: []string{"L1", "L2"}, LastInspected: day(inspected)}
		return f
	}
	// Raised on the day that the year is counted from; 5 October is off: before it.
	p := manual(t, thing("2025-10-05"), borrowerC1)
	p.occurrences(t, "collateral-inspection", "collateral/K1:2025-10-05")
	p.dates(t, "collateral-inspection:collateral/K1:2025-10-05", "2025-10-05", "2026-09-30")
	// The next one starts when it is done.
	f := happened(thing("2025-10-05"), "collateral.inspected", "collateral/K1", "2026-09-29")
	p = manual(t, f, borrowerC1)
	p.dates(t, "collateral-inspection:collateral/K1:2026-09-29", "2026-09-29", "2027-09-29")
	if len(p.of("collateral-inspection")) != 1 {
		t.Error(p.of("collateral-inspection"))
	}
	// Never inspected: from the payout; due before go_live, so the next anniversary.
	manual(t, thing(""), borrowerC1).dates(t, "collateral-inspection:collateral/K1:2024-10-05", "2024-10-05", "2026-09-30")
	manual(t, thing("2020-03-01"), borrowerC1).dates(t, "collateral-inspection:collateral/K1:2024-10-05", "2024-10-05", "2026-09-30")
	// Loans of a year at most, all normal, are exempt; one open warning ends that.
	short := onDay("2026-11-23", lend(term("2026-01-15", "2027-01-15")))
	short.Collaterals["K1"] = &loan.Collateral{ID: "K1", Loans: []string{"L1"}}
	manual(t, short, borrowerC1).occurrences(t, "collateral-inspection")
	manual(t, happened(short, "warning.opened", "loan/L1", "2026-11-01"), borrowerC1).some(t, "collateral-inspection:collateral/K1:2026-01-15")
	manual(t, happened(short, "warning.closed", "loan/L1", "2026-11-10"), borrowerC1).occurrences(t, "collateral-inspection")
}

func TestEvents(t *testing.T) {
	f := onDay("2026-11-23", lend())
	for _, on := range []string{"2026-02-13", "2026-09-30"} {
		happened(f, "inspection.onsite", "loan/L1", on)
	}
	happened(f, "worklog.submitted", "loan/L1", "2026-02-14")
	happened(f, "incident.known", "borrower/C1", "2026-10-03")
	p := manual(t, f, borrowerC1)
	p.dates(t, "worklog-entry:1", "2026-02-13", "2026-02-24")
	p.dates(t, "worklog-entry:2", "2026-09-30", "2026-10-09")
	p.dates(t, "worklog-review:3", "2026-02-14", "2026-02-25")
	p.dates(t, "incident-report:borrower/C1:4", "2026-10-03", "2026-10-08")
	if x := p["incident-report:borrower/C1:4"]; x.Owner != "S1" || x.Branch != "B1" || x.Borrower != "C1" {
		t.Errorf("%+v", x)
	}
	// A settled loan has events too.
	f.Loans[0] = then(f.Loans[0], "2026-10-12", settled)
	manual(t, f, borrowerC1).some(t, "worklog-entry:2", "incident-report:borrower/C1:4")
	if x := manual(t, f, borrowerC1)["incident-report:borrower/C1:4"]; x.Owner != "S1" {
		t.Errorf("nobody has it: %+v", x)
	}
}

// A borrower, an officer or a branch is seen as long as one of its loans is.
func TestUnitsAreSeenAsLongAsOneLoanIs(t *testing.T) {
	f := onDay("2026-11-23", lend(term("2026-02-10", "2026-10-30")), lend(named("L2"), term("2026-05-10", "2027-02-28"), cared("S2")))
	then(f.Loans[0], "2026-10-30", settled)
	manual(t, f, borrowerC1).occurrences(t, "worklog-quota", "borrower/C1:2026-05", "borrower/C1:2026-06", "borrower/C1:2026-07", "borrower/C1:2026-08",
		"borrower/C1:2026-09", "borrower/C1:2026-10", "borrower/C1:2026-11", "borrower/C1:2026-12", "borrower/C1:2027-01", "borrower/C1:2027-02")
	manual(t, f, officerS1).occurrences(t, "ledger-carry-forward")
	manual(t, f, loan.Ref{Kind: loan.KindOfficer, ID: "S2"}).occurrences(t, "ledger-carry-forward", "officer/S2:2026")
	manual(t, f, branchB1).occurrences(t, "overall-report-quarter", "branch/B1:2026-Q2", "branch/B1:2026-Q3", "branch/B1:2026-Q4")
}

func TestWhoseItIs(t *testing.T) {
	f := onDay("2026-11-23", lend(func(l *loan.Loan) { l.Disbursed = day("2026-03-01") }), lend(named("L2"), cared("S2")))
	owner := func() string { return manual(t, f, borrowerC1)["worklog-quota:borrower/C1:2026-11"].Owner }
	if owner() != "S2" {
		t.Errorf("%s; want the officer of the oldest open loan", owner())
	}
	f.Borrowers["C1"] = &loan.Borrower{ID: "C1", Officer: "S9"}
	if owner() != "S9" {
		t.Errorf("%s; want the officer of the customer sheet", owner())
	}
	p := manual(t, f, borrowerC1)
	if x := p["maturity-notice:2026-12-31"]; x.Owner != "S1" || x.Role != "officer" {
		t.Errorf("%+v; want the loan's own officer", x)
	}
	if x := manual(t, f, branchB1)["overall-report-quarter:branch/B1:2026-Q4"]; x.Owner != "" || x.Role != "supervisor" {
		t.Errorf("%+v; want the role alone", x)
	}
}

const ruleHead = "version: 1\nrules:\n"

func TestYieldsTo(t *testing.T) {
	book := ruleHead + `
- {id: half, for: loan, every: half_year, when: loan.class == "normal", due: 15 workdays after period.end}
- {id: year, for: loan, every: year, yields_to: half, due: 20 workdays after period.end}
`
	p := deriveOf(t, book, onDay("2026-11-23", lend(term("2025-01-15", "2027-12-31"))), borrowerC1)
	p.some(t, "half:2026-H1", "half:2026-H2")
	// 2025's half-year report was due on 22 January 2026, in the window.
	p.occurrences(t, "year")
	f := lend(term("2025-01-15", "2027-12-31"), is(loan.Regular, loan.Loss))
	deriveOf(t, book, onDay("2026-11-23", f), borrowerC1).occurrences(t, "year", "2025", "2026")
	// Due before the window, it is there all the same.
	d := rules.Derive(mustParse(t, book), calendar.Builtin(), onDay("2026-11-23", lend(term("2025-01-15", "2027-12-31"))), borrowerC1, rules.Window{From: day("2026-01-25"), To: day("2026-12-31")})
	for _, x := range d.Duties {
		if x.Rule == "year" {
			t.Errorf("%s did not yield", x.Key)
		}
	}
}

func TestEffectiveDays(t *testing.T) {
	book := ruleHead + `
- {id: from, for: loan, every: month, effective_from: 2026-10-31, due: on period.end}
- {id: to, for: loan, every: month, effective_to: 2026-02-28, due: on period.end}
- {id: at, for: loan, effective_from: 2026-12-31, effective_to: 2026-12-31, due: on loan.maturity}
- {id: past, for: loan, effective_to: 2026-12-30, due: on loan.maturity}
`
	p := deriveOf(t, book, onDay("2026-11-23", lend()), borrowerC1)
	p.occurrences(t, "from", "2026-10", "2026-11", "2026-12")
	p.occurrences(t, "to", "2026-01", "2026-02")
	p.occurrences(t, "at", "2026-12-31")
	p.occurrences(t, "past")
}

func TestLandings(t *testing.T) {
	// 31 October 2026 is a Saturday at a month's end, 1 October begins a festival.
	for _, c := range [][3]string{
		{"due: on loan.maturity", "2026-10-31", "2026-11-02"},
		{"due: on loan.maturity, landing: preceding", "2026-10-31", "2026-10-30"},
		{"due: on loan.maturity, landing: modified_following", "2026-10-31", "2026-10-30"},
		{"due: on loan.maturity, landing: none", "2026-10-31", "2026-10-31"},
		{"due: 1 month after loan.maturity", "2026-09-01", "2026-10-08"},
		{"due: 1 month before loan.maturity", "2026-11-01", "2026-09-30"},
		{"due: 1 month before loan.maturity, landing: following", "2026-11-01", "2026-10-08"},
		{"due: 1 week before loan.maturity", "2026-10-10", "2026-09-30"},
		{"due: 3 days after loan.maturity", "2026-09-30", "2026-10-08"},
		{"due: 0 days after loan.maturity", "2026-10-03", "2026-10-08"},
		{"due: 0 workdays after loan.maturity", "2026-10-03", "2026-10-03"},
		{"due: 0 days before loan.maturity", "2026-10-03", "2026-09-30"},
		{"due: 1 workday before loan.maturity", "2026-10-10", "2026-10-09"},
		{"due: 1 workday after loan.maturity", "2026-10-09", "2026-10-10"},
	} {
		p := deriveOf(t, ruleHead+"- {id: r, for: loan, raise: on due, "+c[0]+"}\n", onDay("2026-08-03", lend(matures(c[1]))), borrowerC1)
		if x := p["r:"+c[1]]; x.Due != day(c[2]) || x.Raise != x.Due {
			t.Errorf("%s, maturity %s: due on %s, raised on %s; want %s", c[0], c[1], x.Due, x.Raise, c[2])
		}
	}
}

func TestDaysOfRaising(t *testing.T) {
	for _, c := range [][3]string{
		{"due: 10 workdays after loan.maturity", "r:2026-10-01", "2026-10-01"},
		{"due: on loan.maturity", "r:2026-10-01", "2026-10-01"},
		{"due: 1 month before loan.maturity", "r:2026-10-01", "2026-08-18"}, // 1 September; ten back: 31, 28 to 24, 21 to 18 August
		{"every: month, due: 10 workdays after period.end", "r:2026-03", "2026-04-01"},
		{"every: month, due: 10 workdays after period.start", "r:2026-03", "2026-03-01"},
		{"every: month, due: on period.end", "r:2026-03", "2026-03-01"},
		{"every: month, due: 3 workdays before period.end", "r:2026-03", "2026-03-12"}, // 26 March; ten back: 25 to 23, 20 to 16, 13, 12
		{"every: month, needs: {count: dunning.done, at_least: 1}, due: 5 workdays after period.end", "r:2026-03", "2026-03-01"},
		{"every: interest_date, due: 5 workdays after interest.date", "r:2026-06-21", "2026-06-21"},
		{"every: interest_date, due: 5 workdays after interest.date_landed", "r:2026-06-21", "2026-06-22"},
		{"every: interest_date, due: 5 workdays after interest.date_landed, raise: on interest.date", "r:2026-06-21", "2026-06-21"},
		{"due: 10 workdays after loan.maturity, raise: on loan.maturity_landed", "r:2026-10-01", "2026-10-08"},
		{"due: on loan.maturity, raise: 1 month before due", "r:2026-10-01", "2026-09-08"},
		{"due: on loan.maturity, raise: 30 workdays after loan.maturity", "r:2026-10-01", "2026-10-08"}, // never after due
	} {
		p := deriveOf(t, ruleHead+"- {id: r, for: loan, "+c[0]+"}\n", onDay("2026-08-03", lend(matures("2026-10-01"))), borrowerC1)
		if x, ok := p[c[1]]; !ok || x.Raise != day(c[2]) {
			t.Errorf("%s: raised on %s, due on %s; want %s", c[0], x.Raise, x.Due, c[2])
		}
	}
	book := ruleHead + "- {id: r, on: incident.known, due: on event.until, raise: on event.date}\n"
	f := happened(onDay("2026-11-23", lend()), "incident.known", "loan/L1", "2026-11-02")
	f.Events[0].Fields = map[string]string{"until": "2026-11-28"}
	deriveOf(t, book, f, borrowerC1).dates(t, "r:1", "2026-11-02", "2026-11-30")
}

func TestWindowEdges(t *testing.T) {
	book := mustParse(t, ruleHead+"- {id: r, for: loan, every: month, due: 10 workdays after period.end}\n")
	count := func(from, to string) int {
		d := rules.Derive(book, calendar.Builtin(), onDay("2026-11-23", lend()), borrowerC1, rules.Window{From: day(from), To: day(to)})
		return len(d.Duties)
	}
	// September is due on 20 October.
	for _, c := range []struct {
		from, to string
		want     int
	}{
		{"2026-10-20", "2026-10-20", 1}, {"2026-10-21", "2026-11-12", 0}, {"2026-10-01", "2026-10-19", 0}, {"2026-10-20", "2026-11-13", 2},
	} {
		if got := count(c.from, c.to); got != c.want {
			t.Errorf("%s to %s: %d duties, want %d", c.from, c.to, got, c.want)
		}
	}
}

// A loan older than the calendar is no error: nothing of it is dated.
func TestLoansOlderThanTheCalendar(t *testing.T) {
	manual(t, onDay("2026-11-23", lend(term("1987-05-05", "1990-05-05"))), borrowerC1).occurrences(t, "maturity-notice")
}

// A name of one subject never holds the facts of another.
func TestAnEventOfABorrowerHasNoLoansFacts(t *testing.T) {
	book := ruleHead + `
- {id: any, for: loan, due: on loan.maturity}
- {id: r, on: incident.known, when: loan.class == "normal", due: 1 workday after event.date}
`
	f := happened(onDay("2026-11-23", lend()), "incident.known", "borrower/C1", "2026-11-02")
	deriveOf(t, book, f, borrowerC1).occurrences(t, "r")
}

// One that fails is reported, the rest go on: other subjects, and the other
// rules of the same one, but for those that would give way to it.
func TestAFailingConditionStopsOneRuleOfOneSubjectOnly(t *testing.T) {
	book := mustParse(t, ruleHead+`
- {id: r, for: loan, when: 'date(loan.x["到期"]) > loan.disbursed', due: on loan.maturity}
- {id: other, for: loan, due: on loan.maturity}
- {id: weaker, for: loan, due: on loan.maturity, yields_to: [r]}
`)
	good := lend(named("L2"), func(l *loan.Loan) { l.X = map[string]string{"到期": "2026-12-31"} })
	d := rules.Derive(book, calendar.Builtin(), onDay("2026-11-23", lend(), good), borrowerC1, year2026)
	var got []string
	for _, x := range d.Duties {
		got = append(got, x.Rule+" "+x.Loan)
	}
	if want := []string{"other L1", "r L2", "other L2"}; !slices.Equal(got, want) {
		t.Errorf("duties %v, want %v", got, want)
	}
	bad, sound := loan.Ref{Kind: loan.KindLoan, ID: "L1"}, loan.Ref{Kind: loan.KindLoan, ID: "L2"}
	if len(d.Failed) != 2 || !d.Unknown(bad, "r") || !d.Unknown(bad, "weaker") || d.Unknown(bad, "other") || d.Unknown(sound, "r") {
		t.Errorf("failed: %v", d.Failed)
	}
}
