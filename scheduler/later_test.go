package scheduler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/store"
	"tickler/store/bolt"
)

// stopping is a backend whose process ends after so many changes.
type stopping struct {
	store.Backend
	left int
}

var errStopped = errors.New("stopped")

func (s *stopping) Update(ctx context.Context, fn func(store.Writer) error) error {
	if s.left == 0 {
		return errStopped
	}
	err := s.Backend.Update(ctx, fn)
	if err == nil {
		s.left--
	}
	return err
}

// A file too large for one transaction comes to the same as in one: the same
// obligations with the same dates, states and causes, and the same messages, each
// once; also where the process ends after any of its transactions, and goes on
// with the next scan.
func TestAnImportInPiecesComesToTheSame(t *testing.T) {
	first := calendar.MustDate(2026, 11, 23)
	now := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
	ctx, ops := context.Background(), Actor{OSUser: "ops", Owner: true}
	one, two := benchLedger(90, 3, first, false), benchLedger(100, 3, first+1, true)
	life := func(atOnce, stop int) (string, int) {
		path := filepath.Join(t.TempDir(), "tickler.db")
		if err := bolt.Create(path); err != nil {
			t.Fatal(err)
		}
		db, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := Init(ctx, store.New(db), InitOptions{GoLive: first.AddDays(-30), Now: now}); err != nil {
			t.Fatal(err)
		}
		backend := &stopping{db, stop}
		s, err := New(Config{Store: store.New(backend), Clock: benchClock{now}, planAtOnce: atOnce})
		if err != nil {
			t.Fatal(err)
		}
		scan := func() {
			if _, err := s.Tick(ctx, ops, api.TickRequest{}); err != nil {
				t.Fatal(err)
			}
		}
		for i, data := range [][]byte{one, two} {
			take := func() error {
				r, err := s.Import(ctx, ops, api.ImportRequest{Name: fmt.Sprint(i, ".csv")}, data)
				if waits := someWait(t, s.cfg.Store); err == nil && waits != (len(r.Warnings) > 0) {
					t.Errorf("stopped after %d: some wait: %v; the reply warns of %q", stop, waits, r.Warnings)
				}
				return err
			}
			err := take()
			if backend.left == 0 {
				backend.left = -1 // the daemon that is started then
				if err == nil {
					scan()
				} else { // the file was not taken
					err = take()
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			scan()
		}
		return planned(t, s.cfg.Store), stop - backend.left
	}
	want, _ := life(0, -1)
	_, pieces := life(30, 1000)
	if pieces < 10 {
		t.Fatalf("%d transactions: nothing was done in pieces", pieces)
	}
	for stop := range pieces {
		if got, _ := life(30, stop+1); got != want {
			t.Fatalf("stopped after %d transactions:\n%s", stop+1, firstDifference(got, want))
		}
	}
}

// someWait says that units are still to be planned.
func someWait(t *testing.T, st *store.Store) (some bool) {
	t.Helper()
	err := st.View(context.Background(), func(tx *store.Tx) error {
		return tx.Dirty(func(loan.Ref, string) bool { some = true; return false })
	})
	if err != nil {
		t.Fatal(err)
	}
	return some
}

// planned writes down every obligation and every message of a store.
func planned(t *testing.T, st *store.Store) string {
	t.Helper()
	if someWait(t, st) {
		t.Error("some are still to be planned")
	}
	var out []string
	err := st.View(context.Background(), func(tx *store.Tx) error {
		if err := tx.ScanPlans(func(p *store.Plan) error {
			for i := range p.Obligations {
				o := &p.Obligations[i]
				out = append(out, fmt.Sprintf("%s due %s raised %s %s was %s %s %q %q", o.Key, o.Due, o.RaisedOn, o.State, o.WasDue, o.Owner, o.Cause, o.Late))
			}
			return nil
		}); err != nil {
			return err
		}
		messages := map[string]int{}
		err := tx.ScanOutbox(func(m store.Message) error {
			messages[fmt.Sprintf("%s %s %s %s %s", m.Obligation, m.Kind, m.To, m.Role, m.Day)]++
			return nil
		})
		for _, m := range slices.Sorted(maps.Keys(messages)) {
			out = append(out, fmt.Sprintf("%d x %s", messages[m], m))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "\n")
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%s\nand not\n%s", a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}
