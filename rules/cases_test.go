package rules_test

import (
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
