package scheduler_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
)

// proveCopy is a scheduler.Prover in this process.
func proveCopy(ctx context.Context, file string) (*api.Copy, error) {
	db, err := bolt.OpenCopy(file)
	if err != nil {
		return nil, err
	}
	st := store.New(db)
	defer st.Close()
	r := &api.CheckReply{Records: map[string]int{}}
	if err := scheduler.CheckStore(ctx, st, r); err != nil {
		return nil, err
	}
	if len(r.Problems) > 0 {
		return nil, &store.Damage{Reason: r.Problems[0]}
	}
	return &api.Copy{File: file, Audit: r.Audit}, nil
}

func TestTheDaemonBacksUpByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(at("2026-11-23")))
		dir := t.TempDir()
		backups := filepath.Join(dir, "backups")
		b := &branch{t: t, path: filepath.Join(dir, "tickler.db")}
		b.create()
		b.goTo("2026-11-23")
		b.cfg = scheduler.Config{Daemon: true, Log: slog.New(slog.DiscardHandler), Prove: proveCopy,
			Backups: scheduler.BackupPlan{Dir: backups, At: "0 1 * * *", Keep: scheduler.Keep{Daily: 3, Weekly: 2}}}
		b.open()
		b.cfg.Clock = nil
		var err error
		if b.s, err = scheduler.New(b.cfg); err != nil {
			t.Fatal(err)
		}
		b.importFile(friday)
		// run lets the daemon work for a while, and gives the backups' names by their days in the branch's zone.
		run := func(d time.Duration, more func()) string {
			t.Helper()
			ctx, stop := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- b.s.Run(ctx) }()
			time.Sleep(d)
			synctest.Wait()
			if more != nil {
				more()
			}
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			var names []string
			there, _ := os.ReadDir(backups)
			for _, e := range there {
				made, err := time.Parse("tickler-20060102T150405Z.db", e.Name())
				if err != nil {
					t.Errorf("backup %q: %v", e.Name(), err)
				}
				names = append(names, made.In(time.FixedZone("CST", 8*3600)).Format("01-02T15"))
			}
			return strings.Join(names, " ")
		}
		unhealthy := func() {
			t.Helper()
			if ok, why := b.s.Healthy(context.Background()); ok || !strings.Contains(fmt.Sprint(why), "backup") {
				t.Errorf("with no backup possible: healthy %v, %v", ok, why)
			}
		}
		if got := run(12*time.Hour, nil); got != "" {
			t.Errorf("before its time a new store has the backups %s", got)
		}
		if got := run(24*time.Hour, nil); got != "11-24T01" {
			t.Errorf("after a day: %s", got)
		}
		if got := run(6*24*time.Hour, nil); got != "11-28T01 11-29T01 11-30T01" {
			t.Errorf("after a week: %s", got)
		}
		// Down for ten days: one makes up for them.
		time.Sleep(10 * 24 * time.Hour)
		if got := run(time.Minute, nil); got != "11-29T01 11-30T01 12-10T21" {
			t.Errorf("after ten days down: %s", got)
		}
		// Where none can be made the health says so, and says no more once one can.
		if err := os.Rename(backups, backups+".away"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(backups, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		run(24*time.Hour, func() {
			unhealthy()
			if err := os.Remove(backups); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(backups+".away", backups); err != nil {
				t.Fatal(err)
			}
			time.Sleep(11 * time.Minute)
			synctest.Wait()
			if ok, why := b.s.Healthy(context.Background()); !ok {
				t.Errorf("a backup could be made again: %v", why)
			}
		})
		records := 0
		err = b.st.View(context.Background(), func(tx *store.Tx) error {
			return tx.ScanAudit(1, 0, func(r store.Record) error {
				if r.Action == "store.backup" {
					records++
				}
				return nil
			})
		})
		if records != 9 || err != nil {
			t.Errorf("%d backups in the audit, %v; want 9", records, err)
		}
		b.st.Close()
	})
}
