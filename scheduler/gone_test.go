package scheduler_test

import (
	"slices"
	"strings"
	"testing"

	"tickler/api"
)

// Loans that go from one borrower to another, before or behind him in the
// store, are not taken for gone, nor counted with whom they left.
func TestLoansThatChangedHandsAreNotGone(t *testing.T) {
	b := newBranchUnder(t, "2026-11-20", everySet)
	b.ledger(row("借据号=JJ1 客户号=C5"), row("借据号=JJ2 客户号=C5"), row("借据号=JJ3 客户号=C1"))
	b.goTo("2026-11-23")
	file := header + row("借据号=JJ1 客户号=C1") + ",2026-11-23\n" + row("借据号=JJ2 客户号=C9") + ",2026-11-23\n"
	if _, err := b.tryImport(file); err == nil || !strings.Contains(err.Error(), "1 of 2 open loans of its branches are not in it (JJ3)") {
		t.Fatalf("got %v", err)
	}
	r := b.importFile(file, func(r *api.ImportRequest) { r.AllowGone = true })
	if !slices.Equal(r.Gone, []string{"JJ3"}) || r.New != 0 || r.Changed != 2 {
		t.Fatalf("got %+v", r)
	}
	if again := b.importFile(file); !again.Same {
		t.Fatalf("the same file again: %+v", again)
	}
}
