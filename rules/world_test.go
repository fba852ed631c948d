package rules_test

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"

	"tickler"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
)

// day reads a date; "" is none.
func day(s string) calendar.Date {
	if s == "" {
		return 0
	}
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// lend gives loan L1 of borrower C1, officer S1, branch B1: 2026-01-15 to
// 2026-12-31, regular, normal, first known on 2026-01-15; and then changed.
func lend(changes ...func(*loan.Loan)) *loan.LoanFile {
	l := loan.Loan{
		ID: "L1", Borrower: "C1", BorrowerName: "某公司", Branch: "B1", Officer: "S1",
		Amount: 100_00, Balance: 100_00, Disbursed: day("2026-01-15"), Maturity: day("2026-12-31"),
		Class: loan.Normal, Mode: loan.Regular,
	}
	for _, change := range changes {
		change(&l)
	}
	return &loan.LoanFile{ID: l.ID, History: loan.History[loan.Loan]{{From: day("2026-01-15"), Value: l}}, Confirmed: day("2026-11-20")}
}

// then adds a version of the loan that holds from a day.
func then(f *loan.LoanFile, from string, changes ...func(*loan.Loan)) *loan.LoanFile {
	l := f.History[len(f.History)-1].Value
	for _, change := range changes {
		change(&l)
	}
	f.History = f.History.Put(loan.Version[loan.Loan]{From: day(from), Value: l})
	return f
}

func named(id string) func(*loan.Loan) { return func(l *loan.Loan) { l.ID = id } }
func of(borrower string) func(*loan.Loan) {
	return func(l *loan.Loan) { l.Borrower = borrower }
}
func term(from, to string) func(*loan.Loan) {
	return func(l *loan.Loan) { l.Disbursed, l.Maturity = day(from), day(to) }
}
func matures(on string) func(*loan.Loan) { return func(l *loan.Loan) { l.Maturity = day(on) } }
func is(mode loan.Mode, class loan.Class) func(*loan.Loan) {
	return func(l *loan.Loan) { l.Mode, l.Class = mode, class }
}
func settled(l *loan.Loan) { l.Balance, l.Arrears = 0, 0 }
func arrears(l *loan.Loan) { l.Arrears = 1_00 }
func cared(officer string) func(*loan.Loan) {
	return func(l *loan.Loan) { l.Officer = officer }
}

// onDay gives the facts of a day.
func onDay(today string, loans ...*loan.LoanFile) *loan.Facts {
	return &loan.Facts{
		Today: day(today), Loans: loans, Borrowers: map[string]*loan.Borrower{}, Collaterals: map[string]*loan.Collateral{},
		Groups: map[string]*loan.Group{}, Branches: map[string]*loan.Branch{}, Staff: map[string]*loan.Staff{},
	}
}

func happened(f *loan.Facts, kind, subject, on string) *loan.Facts {
	ref, err := loan.ParseRef(subject)
	if err != nil {
		panic(err)
	}
	f.Events = append(f.Events, loan.Event{ID: fmt.Sprint(len(f.Events) + 1), Kind: kind, Subject: ref, Happened: day(on)})
	return f
}

// year2026 is the window of the tables: due days from go_live, 2026-01-01, to
// the quarter's end after 400 days.
var year2026 = rules.Window{From: day("2026-01-01"), To: day("2027-12-31")}

var (
	borrowerC1 = loan.Ref{Kind: loan.KindBorrower, ID: "C1"}
	officerS1  = loan.Ref{Kind: loan.KindOfficer, ID: "S1"}
	branchB1   = loan.Ref{Kind: loan.KindBranch, ID: "B1"}
)

// plan is a derivation by the short form of its keys, without loan/L1.
type plan map[string]obligation.Duty

var books sync.Map // text -> *rules.Book

func bookOf(t testing.TB, text string) *rules.Book {
	if b, ok := books.Load(text); ok {
		return b.(*rules.Book)
	}
	b := mustParse(t, text)
	books.Store(text, b)
	return b
}

func deriveOf(t testing.TB, text string, f *loan.Facts, unit loan.Ref) plan {
	t.Helper()
	d := rules.Derive(bookOf(t, text), calendar.Builtin(), f, unit, year2026)
	for ref, err := range d.Failed {
		t.Errorf("%s: %v", ref, err)
	}
	p := plan{}
	for _, x := range d.Duties {
		key := strings.Replace(x.Key.String(), ":loan/L1:", ":", 1)
		if _, twice := p[key]; twice {
			t.Errorf("%s is derived twice", key)
		}
		if x.Raise > x.Due {
			t.Errorf("%s is raised on %s and due on %s", key, x.Raise, x.Due)
		}
		p[key] = x
	}
	return p
}

func manual(t testing.TB, f *loan.Facts, unit loan.Ref) plan {
	t.Helper()
	return deriveOf(t, string(tickler.Rulebook), f, unit)
}

// dates holds that the duty is there with its day of raising and due day.
func (p plan) dates(t testing.TB, key, raise, due string) {
	t.Helper()
	x, ok := p[key]
	if !ok {
		t.Errorf("%s is not derived; there are %s", key, strings.Join(p.of(key[:strings.Index(key, ":")]), ", "))
	} else if x.Raise != day(raise) || x.Due != day(due) {
		t.Errorf("%s is raised on %s and due on %s; want %s and %s", key, x.Raise, x.Due, raise, due)
	}
}

func (p plan) none(t testing.TB, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if x, ok := p[key]; ok {
			t.Errorf("%s is derived, due on %s", key, x.Due)
		}
	}
}

func (p plan) some(t testing.TB, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if _, ok := p[key]; !ok {
			t.Errorf("%s is not derived", key)
		}
	}
}

// of lists the occurrences of a rule in the order of their due days.
func (p plan) of(rule string) []string {
	var keys []string
	for k := range p {
		if strings.HasPrefix(k, rule+":") {
			keys = append(keys, k)
		}
	}
	sort.Slice(keys, func(i, j int) bool {
		if p[keys[i]].Due != p[keys[j]].Due {
			return p[keys[i]].Due < p[keys[j]].Due
		}
		return keys[i] < keys[j]
	})
	for i, k := range keys {
		keys[i] = strings.TrimPrefix(k, rule+":")
	}
	return keys
}

func (p plan) occurrences(t testing.TB, rule string, want ...string) {
	t.Helper()
	if got := p.of(rule); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s: derived for %s; want %s", rule, strings.Join(got, " "), strings.Join(want, " "))
	}
}
