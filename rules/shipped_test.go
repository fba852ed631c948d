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

// mustParse reads a rulebook that is right.
func mustParse(t testing.TB, text string) *rules.Book {
	t.Helper()
	b, err := rules.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
