package bolt

import (
	"bytes"
	"os"
	"runtime"
	"testing"

	"tickler/loan"
	"tickler/store"
	"tickler/store/storetest"
)

func TestScratchIsABackend(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Backend {
		c, err := opened(t, created(t)).Scratch(ctx, t.TempDir())
		must(t, err)
		t.Cleanup(func() { c.Close() })
		return c
	})
}

func TestScratchIsACopyThatLeavesNothing(t *testing.T) {
	path, dir := peopled(t), t.TempDir()
	before, err := os.ReadFile(path)
	must(t, err)
	db := opened(t, path)
	c, err := db.Scratch(ctx, dir)
	must(t, err)
	if left, _ := os.ReadDir(dir); len(left) > 0 && runtime.GOOS != "windows" {
		t.Errorf("the copy has a name: %v", left)
	}
	s := store.New(c)
	for range 3 {
		must(t, s.Update(ctx, func(tx *store.Tx) error {
			_, err := tx.Audit(store.Record{Action: "scratched"})
			return err
		}))
	}
	must(t, s.View(ctx, func(tx *store.Tx) error {
		n, _, err := tx.AuditHead()
		if n != people+3 {
			t.Errorf("%d audit records; want %d", n, people+3)
		}
		p, perr := tx.Plan(loan.Ref{Kind: loan.KindBorrower, ID: "C0007"})
		if p == nil || len(p.Obligations) != 5 {
			t.Errorf("plan %+v, %v", p, perr)
		}
		return err
	}))
	must(t, s.Err())
	must(t, s.Close())
	must(t, db.Close())
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the store is not what it was: %v", err)
	}
}
