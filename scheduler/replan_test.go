package scheduler_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

// plans reads every plan, as it is kept.
func (b *branch) plans() map[loan.Ref]*store.Plan {
	b.t.Helper()
	out := map[loan.Ref]*store.Plan{}
	err := b.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanPlans(func(p *store.Plan) error { out[p.Unit] = p; return nil })
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// An edit of the rulebook that asks for the same leaves every plan as it is
// kept, the documents that made it included; one that moves a duty is written.
func TestAPlanThatComesOutAsItWasIsNotWritten(t *testing.T) {
	const today = "2026-11-23"
	b := newBranchUnder(t, today, everySet)
	b.importFile(friday)
	b.tick()
	before := b.plans()
	if len(before) < 4 {
		t.Fatalf("%d plans", len(before))
	}
	b.under(everySet + "\n# a remark\n")
	if after := b.plans(); !reflect.DeepEqual(after, before) {
		t.Error("a remark in the rulebook wrote plans anew")
	}
	const notice = "due: 1 month before loan.maturity"
	if !strings.Contains(everySet, notice) {
		t.Fatalf("no rule has %q", notice)
	}
	b.under(strings.ReplaceAll(everySet, notice, "due: 20 days before loan.maturity"))
	moved := 0
	for unit, p := range b.plans() {
		if reflect.DeepEqual(p, before[unit]) {
			continue
		}
		for _, o := range p.Obligations {
			if !o.WasDue.IsZero() && o.State != obligation.Cancelled {
				moved++
			}
		}
	}
	if moved == 0 {
		t.Error("an edit that moves a duty wrote nothing")
	}
}
