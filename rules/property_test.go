package rules_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tickler"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
)

// everyKindOfRule is the shipped rulebook and rules that ask for the facts it
// does not ask for.
var everyKindOfRule = strings.NewReplacer("enable: [manual]", "enable: [manual, county, policy]", "\nrules:\n", `
rules:
- {id: x-unpaid, for: loan, every: month, when: loan.unpaid or loan.abnormal, due: on period.end}
- {id: x-not-unpaid, for: loan, when: not loan.unpaid and not loan.abnormal, due: 10 workdays before loan.maturity}
- {id: x-borrower, for: loan, every: quarter, when: borrower.mode == "key" or borrower.class != "normal", due: on period.end}
- {id: x-borrower-dated, for: loan, when: borrower.mode == "key" and borrower.balance > 150, due: on loan.maturity}
- {id: x-transferred, for: loan, when: not loan.transferred, due: on loan.maturity_landed, raise: on loan.disbursed}
- {id: x-officer, for: officer, every: month, due: on period.end}
- {id: x-branch, for: branch, every: week, due: on period.end, yields_to: x-branch-month}
- {id: x-branch-month, for: branch, every: month, due: on period.end}
- {id: x-thing, for: collateral, since: [collateral.inspected], when: collateral.abnormal or borrower.mode == "key", due: 6 months after since}
- {id: x-loan-since, for: loan, since: [inspection.onsite, loan.disbursed], except: [{if: loan.unpaid, why: 逾期}], due: 3 months after since}
- {id: x-counted-his, for: borrower, every: month, when: 'borrower.mode == "key" and count("dunning.done", period.start, period.end) == 0', due: on period.end}
- {id: x-counted, for: loan, every: month, when: 'count("dunning.done", period.start, period.end) == 0', due: on period.end}
`).Replace(string(tickler.Rulebook))

var firstDay = day("2026-06-01")

func dayNear(t *rapid.T, name string) calendar.Date {
	return firstDay.AddDays(rapid.IntRange(-200, 400).Draw(t, name))
}

// portfolio draws the facts of up to three loans of one borrower, one branch
// and two officers, as known on a day between June and December 2026.
func portfolio(t *rapid.T) *loan.Facts {
	f := onDay("2026-06-01")
	f.Today = firstDay.AddDays(rapid.IntRange(0, 200).Draw(t, "today"))
	officer := rapid.SampledFrom([]string{"S1", "S1", "S2"})
	for i := range rapid.IntRange(1, 3).Draw(t, "loans") {
		from := dayNear(t, "disbursed")
		l := lend(named(fmt.Sprint("L", i+1)), func(l *loan.Loan) {
			l.Disbursed, l.Maturity = from, from.AddDays(rapid.OneOf(rapid.IntRange(1, 500), rapid.Just(3000)).Draw(t, "term"))
			l.Class, l.Mode = rapid.SampledFrom(loan.Classes).Draw(t, "class"), rapid.SampledFrom([]loan.Mode{loan.Regular, loan.Key}).Draw(t, "mode")
			l.Officer = officer.Draw(t, "officer")
			if rapid.IntRange(0, 9).Draw(t, "no maturity") == 0 {
				l.Maturity = 0
			}
			l.Guarantors = rapid.SampledFrom([][]string{nil, {"甲"}, {"甲", "乙"}}).Draw(t, "guarantors")
			l.Interest.Every = rapid.SampledFrom([]loan.Settlement{"", loan.SettleMonthly, loan.SettleAtMaturity}).Draw(t, "settlement")
			l.FeeDates = []calendar.Date{dayNear(t, "fee")}
		})
		l.History[0].From = from
		for range rapid.IntRange(0, 2).Draw(t, "versions") {
			then(l, dayNear(t, "version").String(), func(l *loan.Loan) {
				switch rapid.IntRange(0, 6).Draw(t, "change") {
				case 0:
					settled(l)
				case 1:
					arrears(l)
				case 2:
					l.Class = rapid.SampledFrom(loan.Classes).Draw(t, "class")
				case 3:
					l.Mode = loan.Key
				case 4:
					l.Maturity = dayNear(t, "maturity")
				case 5:
					l.Officer = officer.Draw(t, "officer")
				case 6:
					l.Branch = "B2"
				}
			})
		}
		l.Confirmed = l.History[len(l.History)-1].From
		f.Loans = append(f.Loans, l)
	}
	f.Collaterals["K1"] = &loan.Collateral{ID: "K1", Loans: []string{"L1", "L2"}}
	if rapid.Bool().Draw(t, "inspected") {
		f.Collaterals["K1"].LastInspected = dayNear(t, "last inspected")
	}
	for range rapid.IntRange(0, 4).Draw(t, "events") {
		kind := rapid.SampledFrom([]string{"loan.transferred", "warning.opened", "warning.closed", "inspection.onsite", "dunning.done", "worklog.submitted"}).Draw(t, "event")
		happened(f, kind, rapid.SampledFrom([]string{"loan/L1", "loan/L1", "borrower/C1"}).Draw(t, "subject"), dayNear(t, "happened").String())
	}
	return f
}

var units = []loan.Ref{borrowerC1, officerS1, branchB1}

func derive(t *rapid.T, b *rules.Book, f *loan.Facts, unit loan.Ref) rules.Derivation {
	d := rules.Derive(b, calendar.Builtin(), f, unit, year2026)
	for ref, err := range d.Failed {
		t.Fatalf("%s: %v", ref, err)
	}
	return d
}

func difference(a, b []obligation.Duty) string {
	text := func(ds []obligation.Duty) map[string]bool {
		out := map[string]bool{}
		for _, d := range ds {
			out[fmt.Sprintf("%+v", d)] = true
		}
		return out
	}
	var out []string
	x, y := text(a), text(b)
	for s := range x {
		if !y[s] {
			out = append(out, "- "+s)
		}
	}
	for s := range y {
		if !x[s] {
			out = append(out, "+ "+s)
		}
	}
	return strings.Join(out, "\n")
}

func TestDerivationsHold(t *testing.T) {
	book := mustParse(t, everyKindOfRule)
	rapid.Check(t, func(t *rapid.T) {
		f := portfolio(t)
		for _, unit := range units {
			d := derive(t, book, f, unit)
			seen := map[obligation.Key]bool{}
			for _, x := range d.Duties {
				if seen[x.Key] {
					t.Fatalf("%s twice", x.Key)
				}
				seen[x.Key] = true
				if x.Raise > x.Due || x.Raise.IsZero() {
					t.Fatalf("%s is raised on %s and due on %s", x.Key, x.Raise, x.Due)
				}
				if x.Due < year2026.From || x.Due > year2026.To {
					t.Fatalf("%s is due on %s, outside the window", x.Key, x.Due)
				}
				if back, err := obligation.ParseKey(x.Key.String()); err != nil || back != x.Key {
					t.Fatalf("%s reads back as %v, %v", x.Key, back, err)
				}
			}
			if !d.Next.IsZero() && d.Next <= f.Today {
				t.Fatalf("next is %s, today %s", d.Next, f.Today)
			}
			if again := derive(t, book, f, unit); !reflect.DeepEqual(d, again) {
				t.Fatalf("not the same twice:\n%s", difference(d.Duties, again.Duties))
			}
		}
	})
}

// The store derives a subject again on the day Next, and not before: until
// then the passing of days must change nothing.
func TestUntilNextNothingChangesByItself(t *testing.T) {
	book := mustParse(t, everyKindOfRule)
	rapid.Check(t, func(t *rapid.T) {
		f := portfolio(t)
		f.Groups["G1"] = &loan.Group{ID: "G1", Members: []loan.GroupMember{{Borrower: "C1", Branch: "B1", Lead: true}, {Borrower: "C9", Branch: "B9"}}}
		for _, unit := range append(slices.Clip(units), loan.Ref{Kind: loan.KindGroup, ID: "G1"}) {
			d := derive(t, book, f, unit)
			end := firstDay.AddDays(600)
			if !d.Next.IsZero() {
				end = min(end, d.Next.AddDays(-1))
			}
			span := int(end - f.Today)
			if span <= 0 {
				continue
			}
			days := []int{1, span}
			for range 4 {
				days = append(days, rapid.IntRange(1, span).Draw(t, "days on"))
			}
			for _, n := range days {
				later := *f
				later.Today = f.Today.AddDays(n)
				if l := derive(t, book, &later, unit); !reflect.DeepEqual(d.Duties, l.Duties) {
					t.Fatalf("%s: next is %s from %s, and on %s:\n%s", unit, d.Next, f.Today, later.Today, difference(d.Duties, l.Duties))
				}
			}
		}
	})
}

func TestAnUnrelatedLoanChangesNothing(t *testing.T) {
	book := mustParse(t, everyKindOfRule)
	rapid.Check(t, func(t *rapid.T) {
		f := portfolio(t)
		more := *f
		other := lend(named("L9"), of("C9"), cared("S9"), func(l *loan.Loan) {
			l.Branch = "B9"
			l.Maturity = dayNear(t, "maturity of the other")
			l.Mode, l.Class = loan.Key, loan.Loss
		})
		more.Loans = append(append([]*loan.LoanFile(nil), f.Loans...), other)
		for _, unit := range units {
			a, b := derive(t, book, f, unit), derive(t, book, &more, unit)
			if !reflect.DeepEqual(a.Duties, b.Duties) {
				t.Fatalf("%s:\n%s", unit, difference(a.Duties, b.Duties))
			}
		}
	})
}

// One Deriver for one unit after the other says of each what a new one says.
func TestADeriverRemembersNothingOfTheUnitBefore(t *testing.T) {
	b := mustParse(t, everyKindOfRule)
	w := rules.Window{From: firstDay, To: firstDay.AddDays(500)}
	rapid.Check(t, func(t *rapid.T) {
		d := rules.NewDeriver(b, calendar.Builtin(), w)
		for range rapid.IntRange(2, 4).Draw(t, "units") {
			f, u := portfolio(t), rapid.SampledFrom(units).Draw(t, "unit")
			got, want := d.Derive(f, u), rules.Derive(b, calendar.Builtin(), f, u, w)
			if !slices.EqualFunc(got.Duties, want.Duties, func(a, b obligation.Duty) bool { return reflect.DeepEqual(a, b) }) {
				t.Fatalf("%s, not the same in the same order:\n%s", u, difference(got.Duties, want.Duties))
			}
			if got.Next != want.Next || !reflect.DeepEqual(got.Failed, want.Failed) {
				t.Fatalf("%s: next %s, want %s; failed %v, want %v", u, got.Next, want.Next, got.Failed, want.Failed)
			}
		}
	})
}

// What is derived is what the reasons say, which are worked out without a
// short cut: period by period, each day counted anew, each condition asked.
func TestTheShortCutsLeadToWhatTheReasonsSay(t *testing.T) {
	b := mustParse(t, everyKindOfRule)
	w := rules.Window{From: firstDay, To: firstDay.AddDays(500)}
	rapid.Check(t, func(t *rapid.T) {
		f := portfolio(t)
		unit := borrowerC1
		derived, said := map[string]bool{}, map[string]bool{}
		line := func(rule string, s loan.Ref, occurrence string, due, raise calendar.Date) string {
			return fmt.Sprint(rule, " ", s, " ", occurrence, " due ", due, " raise ", raise)
		}
		subjects := []loan.Ref{unit}
		for _, l := range f.Loans {
			subjects = append(subjects, loan.Ref{Kind: loan.KindLoan, ID: l.ID})
		}
		for id := range f.Collaterals {
			subjects = append(subjects, loan.Ref{Kind: loan.KindCollateral, ID: id})
		}
		for _, d := range rules.Derive(b, calendar.Builtin(), f, unit, w).Duties {
			derived[line(d.Rule, d.Subject, d.Occurrence, d.Due, d.Raise)] = true
		}
		for _, s := range subjects {
			for _, r := range rules.Verdicts(b, calendar.Builtin(), f, unit, s, w) {
				if r.Outcome == obligation.Derived {
					said[line(r.Rule, r.Subject, r.Occurrence, r.Due, min(r.Raise, r.Due))] = true
				}
			}
		}
		for l := range derived {
			if !said[l] {
				t.Errorf("derived, and no reason says so: %s", l)
			}
		}
		for l := range said {
			if !derived[l] && !strings.Contains(l, "guarantor") { // of whom there may be none
				t.Errorf("a reason says so, and it is not derived: %s", l)
			}
		}
	})
}
