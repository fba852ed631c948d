package rules_test

import (
	"errors"
	"strings"
	"testing"

	"tickler"
	"tickler/calendar"
	"tickler/rules"
)

// A case is read as strictly as a rulebook: every mistake at once, where it
// stands, with what was perhaps meant.
func TestMistakesOfCases(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "c.yaml: the file is empty"},
		{"name: x\n", "c.yaml:1:1: want a list of cases"},
		{"- {on: 2026-01-05, not: [maturity-notice]}\n", "c.yaml:1:3: a case without a name"},
		{"- {name: x, not: [maturity-notice]}\n", "c.yaml:1:3: case \"x\": no day"},
		{"- {name: x, on: 2026-01-05}\n", "c.yaml:1:3: case \"x\" expects nothing"},
		{"- {name: x, on: 2026-02-30, not: [a]}\n", "c.yaml:1:17: on: date \"2026-02-30\": no such day"},
		{"- {name: x, on: 2026-01-05, expcet: []}\n", "c.yaml:1:29: unknown key \"expcet\" in a case (没有这个键); did you mean \"expect\"?"},
		{"- {name: x, on: 2026-01-05, expect: [a]}\n", "c.yaml:1:38: expect: want a rule and its due day; write {rule: a, due: DATE}"},
		{"- {name: x, on: 2026-01-05, expect: [{rule: a}]}\n", "c.yaml:1:38: expect: rule a, and nothing about it"},
		{"- {name: x, on: 2026-01-05, expect: [{due: 2026-01-05}]}\n", "c.yaml:1:38: expect: no rule"},
		{"- {name: x, on: 2026-01-05, not: [a], enable: [town]}\n", "c.yaml:1:48: enable: unknown \"town\""},
		{"- {name: x, on: 2026-01-05, not: [a]}\n- {name: x, on: 2026-01-05, not: [a]}\n", "c.yaml:2:3: case \"x\" is there already, on line 1"},
		{"- &a {name: x, on: 2026-01-05, not: [b]}\n", "c.yaml:1:3: anchor &a"},
		{fact("loan: {disbursed: 2026-05-01, maturity: 2026-04-01}"), "c.yaml:3:10: loan JJ1: its maturity 2026-04-01 is before its payout"},
		{fact("loan: {disbursed: 2026-01-01, unpaid: true}"), "c.yaml:3:34: loan.unpaid is worked out, and cannot be given"},
		{fact("loan: {disbursed: 2026-01-01, abnormal: true}"), "c.yaml:3:34: loan.abnormal is worked out"},
		{fact("loan: {disbursed: 2026-01-01, class: nromal}"), "c.yaml:3:41: class: unknown \"nromal\""},
		{fact("loan: {disbursed: 2026-01-01, balance: 1e6}"), "c.yaml:3:43: balance: \"1e6\" is not an amount"},
		{fact("loan: {disbursed: 2026-01-01, term_months: 6, maturity: 2026-07-01}"), "c.yaml:3:10: loan JJ1: maturity and term_months both say when it ends"},
		{fact("loans: [{disbursed: 2026-01-01, id: A}, {disbursed: 2026-01-01, id: A}]"), "c.yaml:3:44: loan \"A\" is there already"},
		{fact("collateral: {loans: [JJ9]}"), "c.yaml:3:16: collateral YP1: there is no loan \"JJ9\""},
		{fact("loan: {disbursed: 2026-01-01}", "then: {on: 2026-12-31, loan: {class: loss}}"), "c.yaml:4:15: then: 2026-12-31 is after the day of the case"},
		{fact("loan: {disbursed: 2026-01-01}", "then: {on: 2026-01-01, loan: {class: loss}}"), "then: loan JJ1 is first known on 2026-01-01"},
		{fact("loan: {disbursed: 2026-01-01}", "then: {on: 2026-01-02, loan: {id: JJ2}}"), "then: there is no loan \"JJ2\"; did you mean \"JJ1\"?"},
		{fact("events: [{date: 2026-01-01}]"), "c.yaml:3:13: an event without its kind"},
		{fact("events: [{event: worklog.submitted}]"), "c.yaml:3:13: event worklog.submitted: no day"},
		{fact("events: [{worklog.submitted: 2027-01-01}]"), "c.yaml:3:13: event worklog.submitted: 2027-01-01 is after the day of the case"},
		{fact("events: [{worklog.submitted: 2026-01-01, subject: JJ1}]"), "want KIND/ID"},
	} {
		_, err := rules.ReadCases("c.yaml", []byte(c.text))
		var ps rules.Problems
		if !errors.As(err, &ps) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngives %v; want %s", c.text, err, c.want)
		}
	}
}

// fact is a case with these lines of facts.
func fact(lines ...string) string {
	return "- name: x\n  facts:\n   " + strings.Join(lines, "\n   ") + "\n  on: 2026-06-01\n  not: [a]\n"
}

// What only the rulebook knows is looked at with the rulebook.
func TestMistakesThatTheRulebookShows(t *testing.T) {
	b := bookOf(t, string(tickler.Rulebook))
	for _, c := range []struct{ text, want string }{
		{"- {name: x, on: 2026-01-05, not: [maturity-notise]}\n", "c.yaml:1:35: unknown rule \"maturity-notise\" (没有这条规则); did you mean \"maturity-notice\"?"},
		{"- {name: x, on: 2026-01-05, facts: {events: [{worklog.submited: 2026-01-02}]}, not: [worklog-entry]}\n", "c.yaml:1:47: unknown event \"worklog.submited\""},
		{"- {name: x, on: 2026-01-05, facts: {events: [{worklog.submitted: 2026-01-02}]}, not: [worklog-entry]}\n", "no subject; it is recorded of loan"},
		{"- {name: x, on: 2026-01-05, facts: {events: [{worklog.submitted: 2026-01-02, subject: branch/B1}]}, not: [worklog-entry]}\n", "is recorded of loan, borrower, guarantor or collateral, not of branch/B1"},
		{"- {name: x, on: 2026-01-05, facts: {events: [{worklog.submitted: 2026-01-02, subject: loan/JJ7}]}, not: [worklog-entry]}\n", "the facts do not hold loan/JJ7"},
		{"- {name: x, on: 2026-01-05, facts: {loan: {disbursed: 2026-01-04}, events: [{class.changed: 2026-01-05, to: 差}]}, not: [npl-plan]}\n", "event class.changed: to: \"差\" is not normal"},
	} {
		cases, err := rules.ReadCases("c.yaml", []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if ps := rules.CheckCases(b, cases); len(ps) == 0 || !strings.Contains(ps.Error(), c.want) {
			t.Errorf("%s\ngives %v; want %s", c.text, ps, c.want)
		}
		if out := rules.Run(b, calendar.Builtin(), cases[0]); out.OK {
			t.Errorf("%s\nholds", c.text)
		}
	}
}

// No text makes the reader or the replay fall over.
func FuzzReadCases(f *testing.F) {
	f.Add([]byte("- name: x\n  facts:\n    loan: {disbursed: 2026-01-15, maturity: 2026-12-31}\n    events: [{worklog.submitted: 2026-02-02}]\n  on: 2026-11-23\n  expect: [{rule: maturity-notice, due: 2026-11-30}]\n"))
	f.Add([]byte("- {name: x, on: 2026-01-05, facts: {then: {on: 2026-01-01, loan: {}}}, not: [a]}\n"))
	b, err := rules.Parse("rules.yaml", tickler.Rulebook)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		cases, err := rules.ReadCases("c.yaml", text)
		var ps rules.Problems
		if err != nil && !errors.As(err, &ps) {
			t.Fatalf("%v is no list of problems", err)
		}
		for i, c := range cases {
			if i < 3 && c.On.Year() < 2100 {
				rules.Run(b, calendar.Builtin(), c)
			}
		}
	})
}
