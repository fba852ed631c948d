package scheduler_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
)

// A thousand times the rulebook's file is exchanged, for another good one or
// for a bad one, while scans run that look at it: each scan is under one
// rulebook, no duty is there or raised twice, and the good file counts in the end.
func TestAThousandReloadsDuringScans(t *testing.T) {
	const head = "version: 1\nrules:\n- {id: r, for: loan, name: 名, due: 1 month before loan.maturity, by: officer, closes_on: notice.maturity_sent}\n"
	const more = "- {id: m, for: loan, name: 月, every: month, due: 10 workdays after period.end, by: officer, closes_on: inspection.reported}\n"
	b := newBranchUnder(t, "2026-11-23", head)
	var rows []string
	for i := range 4 {
		rows = append(rows, row(fmt.Sprintf("借据号=JJ%d 客户号=C%d", i, i)))
	}
	b.ledger(rows...)
	bad := []string{head + "- {id: m, for: lone}\n", "", head + "\t", head[:40]}
	files := slices.Concat([]string{head}, bad, []string{head + more}, bad)
	scan := func() {
		if _, err := b.s.Tick(context.Background(), scheduler.Actor{OSUser: "ops", Owner: true}, api.TickRequest{}); err != nil {
			t.Error(err)
		}
	}
	stop := make(chan bool)
	var scans sync.WaitGroup
	scans.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				scan()
			}
		}
	})
	for i := range 1000 {
		next := b.cfg.RulesPath + ".new"
		if err := os.WriteFile(next, []byte(files[i%len(files)]), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, b.cfg.RulesPath); err != nil {
			t.Fatal(err)
		}
		scan() // which looks at it
	}
	close(stop)
	scans.Wait()
	b.rulebook(head + more)
	b.tick()
	kinds := map[string]int{}
	for id := range b.all() {
		kind, _, _ := strings.Cut(id, ":")
		kinds[kind]++
	}
	if kinds["r"] != 4 || kinds["m"] == 0 || kinds["m"]%4 != 0 {
		t.Errorf("duties: %v", kinds)
	}
	raised, books := map[string]bool{}, 0
	for _, rec := range b.records() {
		switch rec.Action {
		case "obligation.raised":
			if raised[rec.Subject] {
				t.Errorf("%s was raised twice", rec.Subject)
			}
			raised[rec.Subject] = true
		case "rulebook.activated":
			books++
		}
	}
	if books < 100 {
		t.Errorf("the scans saw %d rulebooks", books)
	}
	b.sound()
	var meta store.Meta
	err := b.st.View(context.Background(), func(tx *store.Tx) (err error) { meta, err = tx.Meta(); return err })
	if err != nil || meta.Rulebook != b.inForce() {
		t.Errorf("in force is %s, the store ran %s, %v", b.inForce(), meta.Rulebook, err)
	}
}
