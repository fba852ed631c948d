package scheduler_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tickler/api"
	"tickler/obligation"
	"tickler/scheduler"
	"tickler/store"
)

// crookedClock is the bubble's, with a wall that a test sets.
type crookedClock struct {
	start time.Time
	off   *atomic.Int64 // nanoseconds
}

func (c crookedClock) Now() time.Time         { return time.Now().Add(time.Duration(c.off.Load())) }
func (c crookedClock) Elapsed() time.Duration { return time.Since(c.start) }

// running is a branch whose daemon runs, in a bubble.
type running struct {
	*branch
	off  atomic.Int64
	stop func()
}

// runDaemon starts one on 23 November 2026, with a ledger imported.
func runDaemon(t *testing.T) *running {
	time.Sleep(time.Until(at("2026-11-23")))
	r := &running{branch: &branch{t: t, path: t.TempDir() + "/tickler.db"}}
	r.create()
	r.goTo("2026-11-23")
	r.cfg.Daemon = true
	r.open()
	r.restart()
	r.importFile(friday)
	r.pass(time.Minute)
	return r
}

// restart begins anew on the same store, as after a crash.
func (r *running) restart() {
	r.t.Helper()
	if r.stop != nil {
		r.stop()
	}
	r.cfg.Clock = crookedClock{time.Now(), &r.off}
	var err error
	if r.s, err = scheduler.New(r.cfg); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.s.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	}
}

func (r *running) end() {
	r.stop()
	r.st.Close()
}

func (r *running) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *running) step(d time.Duration) { r.off.Add(int64(d)) }

func (r *running) status() *api.StatusReply {
	r.t.Helper()
	st, err := r.s.Status(scheduler.As(context.Background(), scheduler.Actor{Owner: true, OSUser: "root"}))
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// actions counts the audit's records by action.
func (r *running) actions() map[string]int {
	out := map[string]int{}
	r.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanAudit(1, 0, func(rec store.Record) error { out[rec.Action]++; return nil })
	})
	return out
}

func (r *running) raised() int {
	n := 0
	for _, o := range r.all() {
		if o.State != obligation.Planned {
			n++
		}
	}
	return n
}

var root = scheduler.Actor{Owner: true, OSUser: "root"}

// A clock that jumps a month ahead raises nothing of that month until somebody
// says that it is right; the days that really pass go on meanwhile.
func TestAJumpAheadWaitsForAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runDaemon(t)
		defer r.end()
		before := r.raised()
		r.step(31 * 24 * time.Hour)
		// Before the loop looks, a request does not take the new day either.
		if _, err := r.s.Tick(context.Background(), root, api.TickRequest{}); err != nil {
			t.Fatal(err)
		}
		r.pass(time.Minute)
		if st := r.status(); st.Business != date("2026-11-23") || st.Healthy || !strings.Contains(strings.Join(st.Problems, "\n"), "clock confirm") {
			t.Errorf("after the jump: %s, healthy %v, %q", st.Business, st.Healthy, st.Problems)
		}
		if n := r.raised(); n != before {
			t.Errorf("%d duties were raised by the jump", n-before)
		}
		r.pass(25 * time.Hour)
		if st := r.status(); st.Business != date("2026-11-24") {
			t.Errorf("a day later the day is %s", st.Business)
		}
		r.restart()
		r.pass(time.Minute)
		if st := r.status(); st.Business != date("2026-11-24") || st.Healthy {
			t.Errorf("after a restart: %s, healthy %v", st.Business, st.Healthy)
		}
		if _, err := r.s.Clock(context.Background(), scheduler.Actor{OSUser: "nobody"}, api.ClockRequest{Confirm: true}); api.CodeOf(err) != api.NotAllowed {
			t.Errorf("a stranger confirmed it: %v", err)
		}
		reply, err := r.s.Clock(context.Background(), root, api.ClockRequest{Confirm: true})
		if err != nil {
			t.Fatal(err)
		}
		if reply.Today != date("2026-12-25") || r.raised() <= before {
			t.Errorf("confirmed: today %s, raised %d, before %d", reply.Today, r.raised(), before)
		}
		if st := r.status(); !st.Healthy {
			t.Errorf("after it was confirmed: %q", st.Problems)
		}
		if _, err := r.s.Clock(context.Background(), root, api.ClockRequest{Confirm: true}); api.CodeOf(err) != api.Usage {
			t.Errorf("confirmed twice: %v", err)
		}
		if a := r.actions(); a["clock.held"] != 1 || a["clock.confirmed"] != 1 || a["clock.released"] != 0 || a["clock.stepped"] == 0 {
			t.Errorf("audit: %v", a)
		}
	})
}

// A jump that is taken back by itself leaves no trace but the records.
func TestAJumpTakenBackIsForgotten(t *testing.T) {
	for _, restart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := runDaemon(t)
			defer r.end()
			r.step(365 * 24 * time.Hour)
			r.pass(time.Minute)
			r.step(-365 * 24 * time.Hour)
			if restart {
				r.restart()
			}
			r.pass(time.Minute)
			if st := r.status(); st.Business != date("2026-11-23") || !st.Healthy {
				t.Errorf("%s, healthy %v: %q", st.Business, st.Healthy, st.Problems)
			}
			if a := r.actions(); a["clock.held"] != 1 || a["clock.released"] != 1 {
				t.Errorf("audit: %v", a)
			}
		})
	}
}

// Absence is no jump: a daemon that was down for 400 days catches up.
func TestALongAbsenceIsNoJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runDaemon(t)
		r.stop()
		r.stop = nil
		time.Sleep(400 * 24 * time.Hour)
		r.restart()
		defer r.end()
		r.pass(time.Minute)
		if st := r.status(); st.Business != date("2027-12-28") || !st.Healthy {
			t.Errorf("%s, healthy %v: %q", st.Business, st.Healthy, st.Problems)
		}
	})
}

// However the clock is set, the day never goes back, the loop goes on, no duty
// is there twice, and a raised one was due to be raised by the time that
// really passed or was confirmed.
func TestSteppingTheClockNeitherStopsNorDoubles(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		r := runDaemon(t)
		defer r.end()
		steps := []time.Duration{time.Second, 15 * time.Minute, time.Hour, 24 * time.Hour, 31 * 24 * time.Hour, 365 * 24 * time.Hour}
		day := r.status().Business
		for i := range 100 {
			d := steps[rnd.IntN(len(steps))]
			if rnd.IntN(2) == 0 {
				d = -d
			}
			if i%2 == 1 {
				d = -time.Duration(r.off.Load()) // back to the truth
			}
			r.step(d)
			r.pass(time.Minute)
			st := r.status()
			if st.Business < day {
				t.Fatalf("step %d by %s: the day went back from %s to %s", i, d, day, st.Business)
			}
			if limit := date("2026-11-23") + 3; st.Business > limit {
				t.Fatalf("step %d by %s: the day is %s", i, d, st.Business)
			}
			day = st.Business
			for _, p := range st.Problems {
				if strings.Contains(p, "no scan") {
					t.Fatalf("step %d by %s: %s", i, d, p)
				}
			}
		}
		real := int(time.Since(at("2026-11-23")) / (24 * time.Hour))
		for id, o := range r.all() {
			if o.State == obligation.Planned && int(o.Raise-date("2026-11-23")) <= real {
				t.Errorf("%s of %s is not raised", id, o.Raise)
			}
		}
		seen := map[string]bool{}
		err := r.st.View(context.Background(), func(tx *store.Tx) error {
			return tx.ScanAudit(1, 0, func(rec store.Record) error {
				if rec.Action == "obligation.raised" {
					if seen[rec.Subject] {
						return fmt.Errorf("%s was raised twice", rec.Subject)
					}
					seen[rec.Subject] = true
				}
				return nil
			})
		})
		if err != nil {
			t.Error(err)
		}
	})
}
