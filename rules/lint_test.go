package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"tickler"
	"tickler/rules"
)

func TestTheShippedRulebookOnlyHasFiguresOfTheBanksOwn(t *testing.T) {
	for _, sets := range []string{"[manual]", "[manual, county, policy]"} {
		text := strings.Replace(string(tickler.Rulebook), "enable: [manual]", "enable: "+sets, 1)
		for _, p := range rules.Lint(mustParse(t, text)) {
			if !strings.Contains(p.Text, "the bank's own") {
				t.Errorf("%s", p)
			}
		}
	}
}

// lintOf gives the findings as line:text up to the gloss, without the file.
func lintOf(t *testing.T, text string) []string {
	t.Helper()
	var out []string
	for _, p := range rules.Lint(mustParse(t, text)) {
		said, _, _ := strings.Cut(p.Text, " (")
		out = append(out, fmt.Sprintf("%d:%s", p.Line, said))
	}
	return out
}

func TestLintFindings(t *testing.T) {
	const head = "version: 1\nrules:\n- {id: r, for: loan, name: 名, clause: 某条, closes_on: inspection.onsite, "
	report := func(rest string) string {
		return "version: 1\nrules:\n- {id: r, for: loan, name: 名, clause: 某条, closes_on: inspection.reported, every: month, due: on period.end, " + rest
	}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing to say", head + "due: on loan.maturity}", nil},
		{"a figure of the bank's own", head + "stated: false, due: on loan.maturity}", []string{"3:the figure is the bank's own, the manual gives none"}},
		{"no clause, no name, no closing", "version: 1\nrules:\n- {id: r, for: loan, due: on loan.maturity}", []string{"3:no clause", "3:no name", "3:nothing closes it but a person's word"}},
		{"a quota closes itself", "version: 1\nrules:\n- {id: r, for: loan, name: 名, clause: 某条, every: month, due: on period.end, needs: {count: dunning.done, at_least: 1}}", nil},
		{"a set that is not enabled", head + "set: county, stated: false, due: on loan.maturity}", nil},
		{"exempts a class that the condition excludes", head + `due: on loan.maturity, when: 'loan.class == "normal"', except: [{if: 'loan.class == "loss" and loan.unpaid', why: 损失}]}`, []string{"3:except: this exemption is never reached: where it holds, `when` does not"}},
		{"exempts by a number that the condition excludes", head + `due: on loan.maturity, when: 'loan.term_months > 12', except: [{if: 'loan.term_months <= 6', why: 短期}]}`, []string{"3:except: this exemption is never reached: where it holds, `when` does not"}},
		{"the numbers overlap", head + `due: on loan.maturity, when: 'loan.term_months > 5', except: [{if: 'loan.term_months <= 6', why: 短期}]}`, nil},
		{"exempts everything", head + `due: on loan.maturity, when: 'loan.class in ["loss"]', except: [{if: 'loan.class != "normal"', why: 不良}]}`, []string{"3:except: this exemption takes every case; the rule asks for nothing"}},
		{"a normal loan may be abnormal", head + `due: on loan.maturity, when: 'loan.class == "normal"', except: [{if: loan.abnormal, why: 预警}]}`, nil},
		{"a loan that is not normal is abnormal", head + `due: on loan.maturity, when: 'loan.class == "loss"', except: [{if: not loan.abnormal, why: 正常}]}`, []string{"3:except: this exemption is never reached: where it holds, `when` does not"}},
		{"never holds", head + `due: on loan.maturity, when: 'loan.mode == "key" and loan.mode == "regular"'}`, []string{"3:when: the condition never holds"}},
		{"dates and counts are not guessed at", head + `due: on loan.maturity, when: 'count("dunning.done", loan.disbursed, loan.maturity) > 1 and loan.maturity > add_months(loan.disbursed, 3)'}`, nil},
		{"a param is not guessed at", "version: 1\nparams: {large_loan: 5}\nrules:\n- {id: r, for: loan, name: 名, clause: 某条, closes_on: inspection.onsite, due: on loan.maturity, when: loan.balance > large_loan}", nil},
		{"an event that the condition excludes", "version: 1\nrules:\n- {id: r, name: 名, clause: 某条, on: [inspection.onsite, inspection.first], when: 'event.kind == \"inspection.first\"', due: 2 workdays after event.date, closes_on: worklog.submitted}",
			[]string{"3:on: the condition never holds for inspection.onsite"}},
		{"an event of somebody else", "version: 1\nrules:\n- {id: r, name: 名, clause: 某条, for: borrower, on: [statements.received, branch.reported], due: 2 workdays after event.date, closes_on: accounts.entered}",
			[]string{"3:on: branch.reported is never recorded of a borrower, nor of anything of his"}},
		{"a day that is not declared", "version: 1\nrules:\n- {id: r, name: 名, clause: 某条, on: incident.known, due: on event.until, closes_on: incident.reported}",
			[]string{"3:due \"on event.until\": incident.known does not declare the day \"until\""}},
		{"an event that nothing uses", "version: 1\nevents:\n  audit.asked: {for: branch}\nrules:\n- {id: r, for: loan, name: 名, clause: 某条, due: on loan.maturity, closes_on: inspection.onsite}",
			[]string{"3:event audit.asked opens, closes and counts nothing"}},
		{"gives way to a looser one", "version: 1\nrules:\n- {id: r, for: loan, name: 名, clause: 某条, every: quarter, due: 10 workdays after period.end, yields_to: q, closes_on: keyfile.updated}\n- {id: q, for: loan, name: 名, clause: 某条, every: quarter, due: 15 workdays after period.end, closes_on: keyfile.updated}",
			[]string{"3:yields_to: q is the looser one: for 2026-03-31 it is due on 2026-04-22, this one on 2026-04-15"}},
		{"gives way to a stricter one", "version: 1\nrules:\n- {id: r, for: loan, name: 名, clause: 某条, every: quarter, due: 15 workdays after period.end, yields_to: q, closes_on: keyfile.updated}\n- {id: q, for: loan, name: 名, clause: 某条, every: quarter, due: 10 workdays after period.end, closes_on: keyfile.updated}", nil},
		{"reports leave cells open", report(`when: 'loan.mode == "regular" and loan.class != "loss" or loan.mode == "key" and loan.class == "normal"'}`), []string{
			"3:no inspection report within the year for loans of mode regular and class loss",
			"3:no inspection report within the year for loans of mode key and class special_mention, substandard, doubtful, loss",
		}},
		{"transferred loans need no report", report(`when: not loan.transferred}`), nil},
		{"a report exempted in a whole cell", report(`except: [{if: 'loan.mode == "key"', why: 重点}]}`), []string{
			"3:no inspection report within the year for loans of mode key and class normal, special_mention, substandard, doubtful, loss",
		}},
		{"closed by what happens to others", "version: 1\nrules:\n- {id: r, for: loan, name: 名, clause: 某条, closes_on: branch.reported, due: on loan.maturity}", []string{"3:closes_on: none of these is ever recorded of a loan, which it may be about"}},
		{"raised after due", head + `due: 1 month before loan.maturity, raise: 10 workdays before loan.maturity}`, []string{"3:raise: from 2026-01-01 the duty would be raised on 2025-12-18, after its due day 2025-12-01"}},
		{"raised after the period for a duty within it", head + `every: month, due: on period.end, raise: 1 day after period.end}`, []string{"3:raise: from 2026-01-31 the duty would be raised on 2026-02-01, after its due day 2026-01-30"}},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, lintOf(t, c.text), c.want) })
	}
}

// same compares line by line and prints both where they differ.
func same(t *testing.T, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}
