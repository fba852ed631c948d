package promises

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tickler/calendar"
)

const (
	maxJump   = 36 * time.Hour // a step further ahead is not believed
	goesOn    = time.Minute    // within which a scan follows a step
	longest   = 365 * 24 * time.Hour
	branchDay = 8 * time.Hour // Asia/Shanghai, east of UTC
)

// stuck is a rule that cannot be worked out for one loan, which every scan
// therefore tries again: so each has something to write, and can be seen.
const stuck = `- id: stuck
  set: manual
  name: 无法推算
  clause: 篇三 二(二)
  for: loan
  when: loan.id == "JJ000001" && date(loan.x["到期"]) > loan.disbursed
  due: on loan.maturity
`

// clocked is a branch for the clock: with something to do on every day.
func clocked(t *testing.T) *branch {
	t.Helper()
	b := newBranch(t)
	b.writeRules(strings.Replace(remindful, "defaults:", stuck+"defaults:", 1))
	b.must("import", b.file("staff.csv", staff), b.file("loans.csv", ledger(40, today(), 0)))
	return b
}

// dayUnder is the branch's day where the wall is so much ahead.
func dayUnder(offset time.Duration) calendar.Date {
	return calendar.DateIn(time.Now().Add(offset), time.FixedZone("Asia/Shanghai", int(branchDay.Seconds())))
}

// scans counts the scans that were committed.
func (b *branch) records() map[string]int {
	b.t.Helper()
	n := map[string]int{}
	s := bufio.NewScanner(strings.NewReader(b.must("audit", "export")))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var r struct{ Action string }
		must(b.t, json.Unmarshal(s.Bytes(), &r))
		n[r.Action]++
	}
	must(b.t, s.Err())
	return n
}

// A step moves the wall to an offset from the machine's. confirm says that
// somebody confirms it if it is held.
type step struct {
	to      time.Duration
	confirm bool
}

// randomSteps go from a second to a year, back and forth. Confirmed ones come
// last, since the day never comes back from them.
func randomSteps(r *rand.Rand, n int) []step {
	var steps []step
	at := time.Duration(0)
	for i := range n {
		by := time.Duration(math.Exp(r.Float64()*math.Log(longest.Seconds()))) * time.Second
		if r.IntN(2) == 0 {
			by = -by
		}
		if at+by > longest || at+by < -longest {
			by = -by
		}
		at += by
		steps = append(steps, step{at, i > n*3/4 && r.IntN(4) == 0})
	}
	return steps
}

// walk moves the wall of a running daemon and gives what is wrong with what it
// does. It knows, by itself, what is to be believed: the wall, unless it is
// further ahead of the time that passed than maxJump.
func (b *branch) walk(d *daemon, w *wall, steps []step, within time.Duration) (wrong []string) {
	b.t.Helper()
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	anchor, business := time.Duration(0), b.status().Business
	var slowest time.Duration
	for i, s := range steps {
		before := b.records()["scan"]
		wantFrom := dayUnder(s.to)
		w.set(s.to)
		began := time.Now()
		for b.records()["scan"] == before {
			if time.Since(began) > within {
				say("step %d to %s: no scan in %s", i, s.to, within)
				return wrong
			}
			time.Sleep(200 * time.Millisecond)
		}
		slowest = max(slowest, time.Since(began))
		want := dayUnder(s.to)
		ahead := s.to - anchor
		if ahead > maxJump {
			wantFrom, want = dayUnder(anchor), dayUnder(anchor)
		}
		held := ahead > maxJump && dayUnder(s.to) > max(business, want)
		st := b.status()
		if st.Business < business {
			say("step %d to %s: the business day went back from %s to %s", i, s.to, business, st.Business)
		}
		if st.Business < max(business, wantFrom) || st.Business > max(business, want) {
			say("step %d to %s: the business day is %s, want %s", i, s.to, st.Business, max(business, want))
		}
		if got := mentions(st.Problems, "clock confirm"); got != held {
			say("step %d to %s (%s ahead of what is believed): held %v, want %v: %q", i, s.to, ahead, got, held, st.Problems)
		}
		if back := dayUnder(s.to)+1 < business; back && !mentions(st.Problems, "set back") {
			say("step %d to %s: the clock is behind the business day, and nobody says so: %q", i, s.to, st.Problems)
		}
		business = max(business, st.Business)
		if held && s.confirm {
			if r := b.run("clock", "confirm"); r.code != 0 {
				say("step %d to %s: confirm: %s", i, s.to, r)
			}
			anchor, business = s.to, b.status().Business
			if business != dayUnder(s.to) {
				say("step %d to %s was confirmed, and the business day is %s", i, s.to, business)
			}
		}
	}
	b.t.Logf("%d steps, a scan followed within %s at the latest", len(steps), slowest.Round(time.Second/10))
	return wrong
}

func mentions(problems []string, what string) bool {
	return slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, what) })
}

// The clock is set back and forth under running daemons: each scans on, never
// goes back a day, and has in the end what one has whose clock was left alone.
func TestPromise04ClockSteps(t *testing.T) {
	t.Parallel()
	needClockstep(t)
	r := random(t)
	for i := range 3 {
		steps := randomSteps(r, times(3, 100))
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			b, w := clocked(t), newWall(t)
			untroubled := b.copied()
			d := b.under(w).serve()
			d.scanned(t)
			report(t, "steps", b.walk(d, w, steps, goesOn))
			business := b.status().Business
			if code := d.stop(); code != 0 {
				t.Errorf("the daemon ended with %d: %s", code, d.log)
			}
			untroubled.tickOn(business)
			report(t, "in the end", b.history().sameDuties(untroubled.history()))
			b.sound()
		})
	}
}

// sameDuties holds the duties of two branches against each other: none missing,
// none more, none raised twice.
func (h history) sameDuties(of history) (wrong []string) {
	for id, want := range of.duties {
		d, there := h.duties[id]
		if !there {
			wrong = append(wrong, id+" is missing")
		} else if a, b := plain(d), plain(want); a != b {
			wrong = append(wrong, fmt.Sprintf("%s\n%s, want\n%s", id, a, b))
		}
	}
	for id := range h.duties {
		if _, there := of.duties[id]; !there {
			wrong = append(wrong, id+" is too much")
		}
	}
	for id, n := range h.raised {
		if n > 1 {
			wrong = append(wrong, fmt.Sprintf("%s was raised %d times", id, n))
		}
	}
	told := map[string]int{}
	for _, m := range h.outbox {
		if key := m.Obligation + " " + m.Kind + " " + m.Role; m.Kind == "raised" || m.Kind == "escalate" {
			if told[key]++; told[key] > 1 {
				wrong = append(wrong, key+" was told twice")
			}
		}
	}
	return wrong
}

// A jump of more than 36 hours waits, over a restart too, until somebody
// confirms it or the clock comes back; then it is as after a long absence.
func TestPromise04JumpWaits(t *testing.T) {
	t.Parallel()
	needClockstep(t)
	b, w := clocked(t), newWall(t)
	untroubled := b.copied()
	u := b.under(w)
	d := u.serve()
	d.scanned(t)
	jump := 40 * 24 * time.Hour
	report(t, "ahead, and back by itself", b.walk(d, w, []step{{to: jump}, {to: 0}}, goesOn))
	if st := b.status(); mentions(st.Problems, "clock") {
		t.Errorf("the clock is right again, and %q", st.Problems)
	}
	raised := b.records()["obligation.raised"]
	report(t, "ahead once more", b.walk(d, w, []step{{to: jump}}, goesOn))
	d.kill()
	d = u.serve()
	d.scanned(t)
	if st := b.status(); !mentions(st.Problems, "clock confirm") || st.Business > dayUnder(0) {
		t.Errorf("restarted under a clock that is held: business day %s, %q", st.Business, st.Problems)
	}
	if now := b.records()["obligation.raised"]; now != raised {
		t.Errorf("%d duties were raised of the days that are held", now-raised)
	}
	b.must("clock", "status")
	b.must("clock", "confirm")
	if st := b.status(); st.Business != dayUnder(jump) || mentions(st.Problems, "clock") {
		t.Errorf("confirmed: business day %s, %q", st.Business, st.Problems)
	}
	d.stop()
	records := b.records()
	for _, action := range []string{"clock.stepped", "clock.held", "clock.released", "clock.confirmed"} {
		if records[action] == 0 {
			t.Errorf("the audit has no %s: %v", action, records)
		}
	}
	untroubled.tickOn(dayUnder(jump))
	report(t, "in the end", b.history().sameDuties(untroubled.history()))
	b.sound()
}

// Controls: a loop that sleeps by the wall, and a clock that is always believed.
func TestPromise04ControlsAreCaught(t *testing.T) {
	t.Parallel()
	needClockstep(t)
	for name, fault := range map[string]struct {
		file, was, is, seen string
		steps               []step
	}{
		"sleeps by the wall": {"scheduler/run.go", "		case <-ticker.C:\n", `		case <-func() chan bool {
			due := make(chan bool)
			go func() {
				for s.now().Before(next) {
					time.Sleep(50 * time.Millisecond)
				}
				close(due)
			}()
			return due
		}():
`, "no scan in", []step{{to: -24 * time.Hour}}},
		"believes every clock": {"scheduler/clock.go", "maxJump = 36 * time.Hour", "maxJump = 360000 * time.Hour", "the business day is", []step{{to: 31 * 24 * time.Hour}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, w := clocked(t), newWall(t)
			b.program = planted(t, fault.file, fault.was, fault.is)
			d := b.under(w).serve()
			d.scanned(t)
			wrong := b.walk(d, w, fault.steps, 25*time.Second)
			if len(wrong) == 0 || !strings.Contains(wrong[0], fault.seen) {
				t.Errorf("the fault was not noticed: %q", wrong)
			}
		})
	}
}
