package obligation_test

import (
	"testing"

	"tickler/obligation"
)

func TestPeriodsThatKeysName(t *testing.T) {
	for _, s := range []string{"", "2026", "2026-H1", "2026-H2", "2026-Q4", "2026-11", "2026-11-A", "2026-11-B", "2026-W01", "2026-W53", "2026-11-23", "2024-02-29"} {
		if !obligation.IsOccurrence(s) {
			t.Errorf("%q is none", s)
		}
	}
	for _, s := range []string{"October", "2026-W60", "2026-W00", "2026-Q5", "2026-Q0", "2026-H3", "2026-13", "2026-00", "2026-11-C", "2026-02-29", "26-11", "2026-11 ", "2026年11月"} {
		if obligation.IsOccurrence(s) {
			t.Errorf("%q is one", s)
		}
	}
}
