package rules_test

import (
	"strings"
	"testing"

	"tickler/calendar"
	"tickler/rules"
)

// replayed is a small rulebook whose words no edit of the shipped one moves.
const replayed = `
version: 1
events:
  visit.made: {name: 走访, for: [loan, borrower], fields: {until: {name: 限期, type: date}}}
  visit.noted: {name: 记录, for: [loan, borrower]}
rules:
- {id: call, for: loan, due: 5 workdays before loan.maturity, closes_on: visit.made, sign: [supervisor]}
- {id: report, for: loan, every: month, when: loan.class != "normal", due: 10 workdays after period.end, closes_on: visit.noted}
- {id: note, on: visit.made, due: 2 workdays after event.date, closes_on: visit.noted}
- {id: pay, for: loan, due: on loan.maturity, closes_on: loan.settled}
- {id: dun, for: loan, when: loan.unpaid, due: 3 workdays after loan.maturity}
- {id: letter, for: loan, every: month, due: 10 workdays after period.end, yields_to: report}
- {id: county-call, set: county, for: loan, due: on loan.maturity}
- {id: each, for: loan, each: guarantor, due: on loan.maturity, closes_on: visit.noted}
`

// A case sees the states that the daemon would have.
func TestReplayGivesTheDaemonsStates(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"planned, then raised", `
  facts: {loan: {disbursed: 2026-01-05, maturity: 2026-06-10}}
  on: 2026-05-19
  expect: [{rule: call, due: 2026-06-03, raise: 2026-05-20, state: planned}]
  not: [call]`},
		{"raised on its day", `
  facts: {loan: {disbursed: 2026-01-05, maturity: 2026-06-10}}
  on: 2026-05-20
  expect: [{rule: call, state: raised, due: 2026-06-03, owner: S1, branch: B1, anchor: 2026-06-10}]`},
		{"an event submits what is to be signed", `
  facts: {loan: {disbursed: 2026-01-05, maturity: 2026-06-10}, events: [{visit.made: 2026-06-01}]}
  on: 2026-06-02
  expect: [{rule: call, state: submitted, due: 2026-06-03, sign: [supervisor]}, {rule: note, state: raised, occurrence: "1", due: 2026-06-03}]`},
		{"an event of the same day closes what another one opened", `
  facts: {loan: {disbursed: 2026-01-05, maturity: 2026-12-10}, events: [{visit.made: 2026-06-01}, {visit.noted: 2026-06-01}]}
  on: 2026-06-01
  expect: [{rule: note, state: done, due: 2026-06-03, done_on: 2026-06-01}]`},
		{"a withdrawn event opens nothing, and what it closed is open again", `
  facts:
    loan: {disbursed: 2026-01-05, maturity: 2026-06-10}
    events: [{event: visit.made, date: 2026-06-01, withdrawn: 2026-06-02}]
  on: 2026-06-02
  expect: [{rule: call, state: raised, due: 2026-06-03}]
  not: [note, {rule: note}]`},
		{"settled on the day of its file: the event closes first", `
  facts:
    loan: {disbursed: 2026-01-05, maturity: 2026-06-10}
    then: [{on: 2026-06-10, loan: {settled: true}}]
    events: [{loan.settled: 2026-06-10}]
  on: 2026-06-11
  expect: [{rule: pay, state: done, due: 2026-06-10}]
  not: [{rule: dun}]`},
		{"settled without an event: cancelled before its day, lapsed after", `
  facts:
    loan: {disbursed: 2026-01-05, maturity: 2026-06-10}
    then: [{on: 2026-06-12, loan: {settled: true}}]
  on: 2026-06-12
  expect: [{rule: pay, state: lapsed, due: 2026-06-10}, {rule: dun, state: cancelled, due: 2026-06-15}, {rule: dun, count: 0}]
  not: [pay, dun, {rule: dun}]`},
		{"a maturity that passes is noticed without a new fact", `
  facts: {loan: {disbursed: 2026-01-05, maturity: 2026-06-10}}
  on: 2026-07-20
  expect: [{rule: dun, state: raised, due: 2026-06-15}]`},
		{"the period's last day decides", `
  facts:
    loan: {disbursed: 2025-12-05, maturity: 2027-06-10}
    then: [{on: 2026-02-10, loan: {class: 关注}}, {on: 2026-03-10, loan: {class: 正常}}]
  on: 2026-03-11
  expect: [{rule: report, occurrence: 2026-02, due: 2026-03-13, state: raised}, {rule: report, occurrence: 2026-03, state: cancelled}]
  not: [{rule: report, occurrence: 2026-01}, {rule: letter, occurrence: 2026-02}]`},
		{"what gives way is there where the other is not", `
  facts: {loan: {disbursed: 2025-12-05, maturity: 2027-06-10}}
  on: 2026-02-11
  expect: [{rule: letter, occurrence: 2026-01, due: 2026-02-13}]`},
		{"a loan that another borrower takes over keeps its duties", `
  facts:
    loan: {disbursed: 2026-01-05, maturity: 2026-06-10}
    then: [{on: 2026-03-02, loan: {borrower: C2}}]
  on: 2026-06-10
  expect: [{rule: pay, count: 1}, {rule: pay, due: 2026-06-10, state: raised}]`},
		{"every set counts, unless the case names some", `
  facts: {loan: {disbursed: 2026-01-05, maturity: 2026-06-10}}
  on: 2026-06-10
  expect: [{rule: county-call, due: 2026-06-10}]`},
		{"only the sets that it names", `
  facts: {loan: {disbursed: 2026-01-05, maturity: 2026-06-10}}
  enable: [manual]
  on: 2026-06-10
  not: [{rule: county-call}]`},
		{"nothing due before go_live", `
  facts: {loan: {disbursed: 2026-01-05, maturity: 2026-06-10}}
  go_live: 2026-06-04
  on: 2026-06-10
  expect: [{rule: pay, due: 2026-06-10}]
  not: [{rule: call}]`},
		{"an event names the one of several that it closes", `
  facts:
    loan: {disbursed: 2026-01-05, maturity: 2026-06-10, guarantors: [甲, 乙]}
    events: [{event: visit.noted, date: 2026-06-10, 保证人: 甲}]
  on: 2026-06-10
  expect: [{rule: each, party: 甲, state: done, due: 2026-06-10}, {rule: each, party: guarantor/乙, state: raised, due: 2026-06-10}]`},
		{"or by its id", `
  facts:
    loan: {disbursed: 2026-01-05, maturity: 2026-06-10, guarantors: [甲, 乙]}
    events: [{event: visit.noted, date: 2026-06-10, closes: 'each:loan/JJ1:2026-06-10:guarantor/乙'}]
  on: 2026-06-10
  expect: [{rule: each, party: 乙, state: done, due: 2026-06-10}]`},
	} {
		if out := play(t, c.text); !out.OK {
			t.Errorf("%s: %+v", c.name, out.Differences)
		}
	}
}

// A case does not hold where the daemon would refuse its event.
func TestReplayRefusesWhatTheDaemonWould(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`
  facts: {loan: {disbursed: 2026-01-05, maturity: 2026-06-10, guarantors: [甲, 乙]}, events: [{visit.noted: 2026-06-10}]}
  on: 2026-06-10
  expect: [{rule: each, count: 2}]`, "the event fits 2 obligations of rule \"each\""},
		{`
  facts: {loan: {disbursed: 2026-01-05, maturity: 2026-06-10}, events: [{visit.made: 2026-06-01, closes: 'pay:loan/JJ1:2026-06-11'}]}
  on: 2026-06-10
  expect: [{rule: pay, count: 1}]`, "is not open on 2026-06-01"},
	} {
		out := play(t, c.text)
		if out.OK || len(out.Differences) == 0 || out.Differences[0].Kind != rules.Refused || !strings.Contains(out.Differences[0].Text, c.want) {
			t.Errorf("%+v; want %s", out.Differences, c.want)
		}
	}
}

func play(t *testing.T, text string) rules.Outcome {
	t.Helper()
	cases, err := rules.ReadCases("c.yaml", []byte("- name: x"+text+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return rules.Run(bookOf(t, replayed), calendar.Builtin(), cases[0])
}
