package obligation_test

import (
	"fmt"
	"strings"
	"testing"

	"tickler/obligation"
)

// Two plans differ in what they ask for, not in what has gone away anyway.
func TestDiffTellsWhatTwoPlansAskFor(t *testing.T) {
	today := day("2026-11-23")
	one := func(name, due string, s obligation.State) obligation.Obligation {
		return obligation.Obligation{Duty: duty(name, "2026-11-01", due), State: s}
	}
	owned := one("owner", "2026-12-01", obligation.Raised)
	owned.Owner = "S9"
	signed := one("sign", "2026-12-01", obligation.Raised)
	signed.Sign = []string{"supervisor"}
	old := []obligation.Obligation{
		one("same", "2026-12-01", obligation.Raised),
		one("dropped", "2026-12-01", obligation.Planned),
		one("cancelled", "2026-12-01", obligation.Raised),
		one("earlier", "2026-12-01", obligation.Raised),
		one("missed", "2026-12-01", obligation.Raised),
		one("later", "2026-12-01", obligation.Planned),
		one("back", "2026-12-01", obligation.Cancelled),
		one("gone", "2026-12-01", obligation.Cancelled),
		one("done", "2026-11-02", obligation.Done),
		one("owner", "2026-12-01", obligation.Raised),
		one("sign", "2026-12-01", obligation.Raised),
		one("late", "2026-11-10", obligation.Raised),
	}
	now := []obligation.Obligation{
		one("same", "2026-12-01", obligation.Raised),
		one("cancelled", "2026-12-01", obligation.Cancelled),
		one("earlier", "2026-11-30", obligation.Raised),
		one("missed", "2026-11-20", obligation.Raised),
		one("later", "2026-12-02", obligation.Planned),
		one("back", "2026-12-01", obligation.Raised),
		one("gone", "2026-12-01", obligation.Cancelled),
		one("done", "2026-11-02", obligation.Done),
		owned,
		signed,
		one("late", "2026-11-09", obligation.Raised),
		one("new", "2026-11-20", obligation.Raised),
	}
	var got []string
	for _, d := range obligation.Diff(old, now, today) {
		line := fmt.Sprintf("%s %s", d.Obligation().Occurrence, d.Kind)
		if d.NewlyOverdue {
			line += " overdue"
		}
		for _, f := range d.Fields {
			line += fmt.Sprintf(" %s:%s>%s", f.Name, f.Old, f.New)
		}
		got = append(got, line)
	}
	want := []string{"dropped dropped", "cancelled dropped", "earlier earlier", "missed earlier overdue", "later later", "back added",
		"owner altered owner:S1>S9", "sign altered sign:>supervisor", "late earlier", "new added overdue"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if d := obligation.Diff(now, now, today); len(d) > 0 {
		t.Errorf("a plan differs from itself: %+v", d)
	}
}
