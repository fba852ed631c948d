package rules_test

import (
	"testing"

	"tickler"
	"tickler/rules"
)

func TestTheShippedRulebookReads(t *testing.T) {
	b, err := rules.Parse("rules.yaml", tickler.Rulebook)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range b.Rules {
		if r.Clause == "" || r.Name == r.ID {
			t.Errorf("rule %s has no clause or no name", r.ID)
		}
	}
}
