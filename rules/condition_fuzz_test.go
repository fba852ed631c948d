package rules_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"tickler/calendar"
	"tickler/rules"
)

// A condition of any text is refused with its place, or it compiles; and then
// deriving under it gives the same twice, or says of which subject it failed.
func FuzzCondition(f *testing.F) {
	for _, s := range []string{
		`loan.class == "normal" and not loan.unpaid`, `loan.class == "nromal"`, `add_months(loan.disbursed, 2) >= period.end`, `count("worklog.submitted", period.start, period.end) < 2`,
		`loan.x["列名"] == "是"`, `loan.term_months <= 3 ? true : loan.amount > large_loan`, `1/0 == 1`, `loan.balance % 0 > 1`, `"a" matches "("`, `loan.class in ["normal", "loss"]`, `（loan.unpaid）`, `[1..1000000000] != nil`, `loan`,
	} {
		f.Add(s)
	}
	place := regexp.MustCompile(`^r\.yaml:[1-9][0-9]*(:[1-9][0-9]*)?: `)
	f.Fuzz(func(t *testing.T, when string) {
		text, err := yaml.Marshal(when)
		if err != nil {
			return
		}
		if strings.ContainsAny(strings.TrimSuffix(string(text), "\n"), "\n") {
			return // a block of lines; the place is then that of the block
		}
		book := fmt.Sprintf("version: 1\nenable: [manual]\nparams: {large_loan: 50000000}\nrules:\n- id: r\n  set: manual\n  name: 测试\n  clause: 测试\n  for: loan\n  every: quarter\n  when: %s  due: 5 workdays after period.end\n  by: officer\n", text)
		b, err := rules.Parse("r.yaml", []byte(book))
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if !place.MatchString(line) {
					t.Fatalf("no place: %q", line)
				}
			}
			return
		}
		run := func() (text string) {
			cases, err := rules.ReadCases("c.yaml", []byte("- name: x\n  facts:\n    loan: {disbursed: 2026-01-15, maturity: 2027-12-31, class: special_mention}\n    events: [{worklog.submitted: 2026-02-02}]\n  on: 2026-05-05\n  expect: [{rule: r, due: 2026-04-08}]\n"))
			if err != nil {
				t.Fatal(err)
			}
			result, err := json.Marshal(rules.Run(b, calendar.Builtin(), cases[0]))
			if err != nil {
				t.Fatal(err)
			}
			return string(result)
		}
		if first, second := run(), run(); first != second {
			t.Fatalf("%q derives\n%s\nand then\n%s", when, first, second)
		}
	})
}
