package scheduler

import (
	"errors"
	"testing"
	"time"

	"tickler/loan"
)

// A scan is tried again without the unit at which the program failed, and gives
// up where there are too many of them.
func TestAScanGoesOnWithoutTheUnitThatFailed(t *testing.T) {
	faulty := map[loan.Ref]bool{borrowerUnit("C1"): true, borrowerUnit("C2"): true}
	tries := 0
	scan := func(skip map[loan.Ref]error) error {
		tries++
		for u := range faulty {
			if skip[u] == nil {
				return &unitFault{u, errors.New("planted")}
			}
		}
		return nil
	}
	if err := without(scan); err != nil || tries != 3 {
		t.Errorf("%v after %d tries", err, tries)
	}
	for _, id := range []string{"A", "B", "C", "D", "E", "F", "G", "H", "I"} {
		faulty[borrowerUnit(id)] = true
	}
	tries = 0
	if err := without(scan); err == nil || tries != maxFaults+1 {
		t.Errorf("%v after %d tries", err, tries)
	}
}

// Two of the schedule's intervals, and a pause is not a stop.
func TestPatienceFollowsTheSchedule(t *testing.T) {
	for _, c := range []struct{ schedule, last, want string }{
		{"* * * * *", "2026-11-23 12:00:05", "2m0s"},
		{"@every 5s", "2026-11-23 12:00:05", "10s"},
		{"0 8 * * *", "2026-11-23 08:00:05", "48h0m0s"},
		{"0 8 * * 1-5", "2026-11-20 08:00:00", "96h0m0s"}, // a Friday: the second scan after it is on Tuesday
	} {
		sched, err := ParseSchedule(c.schedule)
		if err != nil {
			t.Fatal(err)
		}
		last, err := time.Parse(time.DateTime, c.last)
		if err != nil {
			t.Fatal(err)
		}
		if got := patience(sched, last).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.schedule, got, c.want)
		}
	}
}
