package rules_test

import (
	"bytes"
	"os"
	"testing"

	"tickler"
	"tickler/calendar"
	"tickler/rules"
)

// The shipped rulebook says what the shipped cases expect.
func TestShippedCasesHold(t *testing.T) {
	b := bookOf(t, string(tickler.Rulebook))
	cases, err := rules.ShippedCases()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if out := rules.Run(b, calendar.Builtin(), c); !out.OK {
			t.Errorf("%s (%s:%d)", out.Name, out.File, out.Line)
			for _, d := range out.Differences {
				t.Errorf("  line %d: %s: %s %s", d.Line, d.Kind, d.Want, d.Text)
				for _, o := range d.Got {
					t.Errorf("    there is %s: raise %s, due %s, %s, %s, progress %+v", o.Key, o.Raise, o.Due, o.State, o.Role, o.Progress)
				}
				for _, v := range d.Verdicts {
					t.Errorf("    %s of %s: %s %s", v.Subject, v.Occurrence, v.Outcome, v.Why)
				}
			}
		}
	}
}

// The example that the documentation shows holds.
func TestCasesOfTheDocumentationHold(t *testing.T) {
	for _, file := range []string{"../docs/cases.md", "../docs/cases.zh-CN.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ = bytes.Cut(text, []byte("```yaml\n"))
		text, _, _ = bytes.Cut(text, []byte("```\n"))
		cases, err := rules.ReadCases(file, text)
		if err != nil || len(cases) == 0 {
			t.Fatalf("%d cases, %v", len(cases), err)
		}
		for _, c := range cases {
			if out := rules.Run(bookOf(t, string(tickler.Rulebook)), calendar.Builtin(), c); !out.OK {
				t.Errorf("%s: %+v", file, out.Differences)
			}
		}
	}
}
