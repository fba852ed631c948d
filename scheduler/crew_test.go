//go:build unix

package scheduler_test

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tickler/api"
	"tickler/store"
	"tickler/store/bolt"
)

// However many cores plan, what is kept is the same to the byte: facts, plans,
// indexes, the audit trail with its hashes, and the outbox.
func TestEveryNumberOfCoresKeepsTheSame(t *testing.T) {
	// Some of the subjects cannot be worked out: their maturity plus so many
	// days leaves the calendar.
	const failing = "\n- id: far\n  for: loan\n  when: add_workdays(loan.maturity, 22000) > loan.disbursed\n  due: 1 month before loan.maturity\n"
	life := func(cores int) (map[string]string, string) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		b := newBranchUnder(t, "2026-11-23", everySet)
		said := b.importFile(province(200, 0)).Plan
		out := []map[string]int{said}
		b.on("2026-11-24")
		b.goTo("2026-11-25")
		out = append(out, b.importFile(strings.ReplaceAll(province(210, 150), ",2026-11-23\n", ",2026-11-25\n")).Plan)
		b.tell("loan.extended loan/JJ0000007 2026-11-25 to=2030-01-31")
		b.under(strings.Replace(everySet, "raise: 10 workdays before due", "raise: 15 workdays before due", 1) + failing)
		for _, day := range []string{"2026-12-01", "2026-12-21", "2027-01-11"} {
			b.goTo(day)
			scan := b.tick()
			out = append(out, scan.Plan, scan.Told)
		}
		b.goTo("2027-01-12")
		last := b.importFile(strings.ReplaceAll(province(205, 20), ",2026-11-23\n", ",2027-01-12\n"), func(r *api.ImportRequest) { r.AllowGone = true })
		if failed := b.tick().Failed; len(failed) == 0 || len(failed) > 200 {
			t.Errorf("%d subjects failed: the rule that some fail says nothing", len(failed))
		}
		out = append(out, last.Plan)
		b.st.Close()
		said = map[string]int{}
		for _, m := range out {
			for k, n := range m {
				said[k] += n
			}
		}
		all := everything(t, b.path)
		delete(all, "meta meta") // the store's own name is drawn by lot
		return all, fmt.Sprint(said)
	}
	want, saidByOne := life(1)
	for _, cores := range []int{2, 5} {
		got, said := life(cores)
		if said != saidByOne {
			t.Errorf("%d cores count %s, one counts %s", cores, said, saidByOne)
		}
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if v := want[k]; got[k] != v {
				t.Errorf("%d cores: %q is %q, with one core %q", cores, k, got[k], v)
				break
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d cores keep %d records, one keeps %d", cores, len(got), len(want))
		}
	}
	t.Log(len(want), "records,", saidByOne)
}

// everything reads every record of a store that nobody holds.
func everything(t *testing.T, path string) map[string]string {
	t.Helper()
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	out := map[string]string{}
	err = db.View(context.Background(), func(r store.Reader) error {
		for _, bucket := range store.Buckets {
			err := r.Scan(bucket, nil, nil, func(k, v []byte) error { out[bucket+" "+string(k)] = string(v); return nil })
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
