package promises

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tickler/calendar"
)

// remindful is the rulebook with what the one shipped reminds of, and lets go up.
const remindful = rulebook + `defaults:
  remind: [5 workdays before due, 1 workday before due]
  escalate:
  - {after: 1 workday, to: supervisor}
  - {after: 5 workdays, to: president}
`

// A gap is a stretch of days on which nobody scanned. It ends with a working
// day, on which somebody does.
type gap struct{ from, to, last calendar.Date }

func gapOf(days int) gap {
	g := gap{from: today().AddDays(1), to: today().AddDays(days)}
	for {
		g.last = g.to.AddDays(1)
		if worked, err := calendar.Builtin().IsWorkday(g.last); worked || err != nil {
			return g
		}
		g.to = g.last
	}
}

// why is what an obligation raised behind the gap has to say.
func (g gap) why() string { return fmt.Sprintf("（%s 至 %s 未扫描）", g.from, g.to) }

func (b *branch) tickOn(days ...calendar.Date) {
	b.t.Helper()
	for _, d := range days {
		b.must("tick", "--on", d.String(), "--force")
	}
}

// goingOn are the days behind a gap on which both scan again.
func (g gap) goingOn() []calendar.Date {
	return []calendar.Date{g.last.AddDays(1), g.last.AddDays(2)}
}

// told is a message as the outbox shows it.
type told struct {
	Message          uint64
	Kind, Obligation string
	Stands           calendar.Date `json:"stands_for"`
	On               calendar.Date
	Late             string
	Role             string // of whom it goes to
}

// history is what can be seen of a branch from outside.
type history struct {
	duties map[string]duty
	raised map[string]int // id -> records of being raised
	outbox []told
}

func (b *branch) history() history {
	b.t.Helper()
	h := history{duties: map[string]duty{}, raised: map[string]int{}}
	for _, d := range b.duties() {
		h.duties[d.ID] = d
	}
	records := bufio.NewScanner(strings.NewReader(b.must("audit", "export")))
	records.Buffer(nil, 1<<20)
	for records.Scan() {
		var r struct{ Action, Subject string }
		must(b.t, json.Unmarshal(records.Bytes(), &r))
		if r.Action == "obligation.raised" {
			h.raised[r.Subject]++
		}
	}
	must(b.t, records.Err())
	var digests []struct {
		Role   string
		Groups []struct{ Items []told }
	}
	must(b.t, json.Unmarshal([]byte(b.must("outbox", "list", "-o", "json")), &digests))
	for _, d := range digests {
		for _, g := range d.Groups {
			for _, m := range g.Items {
				m.Role = d.Role
				h.outbox = append(h.outbox, m)
			}
		}
	}
	return h
}

// messages counts the messages of a kind by obligation and role, of the days
// from one to another.
func (h history) messages(kind string, from, to calendar.Date) map[string]int {
	n := map[string]int{}
	for _, m := range h.outbox {
		if m.Kind == kind && m.On >= from && m.On <= to {
			n[m.Obligation+" "+m.Role]++
		}
	}
	return n
}

// plain is a duty without what must differ: the moment, and that it came late.
func plain(d duty) string {
	d.RaisedAt, d.Late = nil, ""
	text, _ := json.Marshal(d)
	return string(text)
}

// caughtUp holds a branch that was down for a gap against its twin, which
// scanned every day, and gives what is wrong.
func (g gap) caughtUp(before, twin, down history) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	late := 0
	for id, want := range twin.duties {
		d, there := down.duties[id]
		if !there {
			say("%s is missing", id)
			continue
		}
		if a, b := plain(d), plain(want); a != b {
			say("%s\n%s, of the one that ran\n%s", id, a, b)
		}
		if down.raised[id] != twin.raised[id] || down.raised[id] > 1 {
			say("%s was raised %d times, of the one that ran %d times", id, down.raised[id], twin.raised[id])
		}
		if was := before.duties[id]; was.RaisedAt == nil && d.RaisedAt != nil && want.Raise < g.last.String() {
			late++
			if !strings.Contains(d.Late, g.why()) {
				say("%s, raised on %s for %s: late %q does not say %s", id, g.last, d.Raise, d.Late, g.why())
			}
		} else if d.RaisedAt != nil && d.Late != was.Late && want.Raise >= g.last.String() {
			say("%s, raised in time: late %q", id, d.Late)
		}
	}
	for id := range down.duties {
		if _, there := twin.duties[id]; !there {
			say("%s is too much", id)
		}
	}
	if g.to-g.from > 7 && late == 0 {
		say("nothing was raised late: the gap shows nothing")
	}
	// What happened is told, once; who is above learns of it, once.
	end := g.goingOn()[1]
	for _, kind := range []string{"raised", "escalate", "moved", "cancelled", "lapsed"} {
		a, b := down.messages(kind, g.from, end), twin.messages(kind, g.from, end)
		for what, n := range b {
			if a[what] != n {
				say("%s of %s was told %d times, of the one that ran %d times", kind, what, a[what], n)
			}
		}
		for what, n := range a {
			if b[what] == 0 || kind != "moved" && n > 1 {
				say("%s of %s was told %d times, of the one that ran %d times", kind, what, n, b[what])
			}
		}
	}
	// Reminders missed are one, on the day of the first scan; none of what was
	// only raised then, and none where the due day has passed.
	missed, now := twin.messages("remind", g.from, g.last), down.messages("remind", g.from, g.last)
	if g.to-g.from > 20 && (len(missed) == 0 || len(twin.messages("escalate", g.from, g.to)) == 0) {
		say("nobody was to be reminded: the gap shows nothing")
	}
	for what := range missed {
		id, _, _ := strings.Cut(what, " ")
		want := 1
		if before.duties[id].RaisedAt == nil && twin.duties[id].Raise < g.last.String() || twin.duties[id].Due < g.last.String() {
			want = 0
		}
		if now[what] != want {
			say("%s: reminded %d times behind the gap, want %d; due %s", what, now[what], want, twin.duties[id].Due)
		}
	}
	for what := range now {
		if missed[what] == 0 {
			say("%s: reminded, and nobody would have been", what)
		}
	}
	for _, m := range down.outbox {
		if m.Stands < g.last && m.On == g.last && !strings.Contains(m.Late, g.why()) {
			say("message %d (%s of %s) stands for %s and does not say that it is late: %q", m.Message, m.Kind, m.Obligation, m.Stands, m.Late)
		}
	}
	return wrong
}

// report gives the first complaints to the test.
func report(t *testing.T, what string, wrong []string) {
	t.Helper()
	slices.Sort(wrong)
	for i, w := range wrong {
		if i == 5 {
			t.Errorf("%s: … %d in all", what, len(wrong))
			return
		}
		t.Errorf("%s: %s", what, w)
	}
}

// gapDays are how long a branch is down.
func gapDays() []int {
	if *full {
		return []int{1, 3, 10, 31, 400}
	}
	return []int{1, 3, 10, 31}
}

// A world of twins: a branch, and what became of it where a scan ran every day,
// at the end of each gap and some days on.
type twins struct {
	base   *branch
	before history
	gaps   []gap
	ran    []history // of each gap, with the days it went on
}

func newTwins(t *testing.T, loans int, days ...int) *twins {
	t.Helper()
	base := newBranch(t)
	base.writeRules(remindful)
	base.must("import", base.file("staff.csv", staff), base.file("loans.csv", ledger(loans, today(), 0)))
	base.tickOn(today())
	w := &twins{base: base, before: base.copied().history()}
	twin := base.copied()
	day := today()
	for _, n := range days {
		g := gapOf(n)
		for ; day < g.last; day++ {
			twin.tickOn(day.AddDays(1))
		}
		c := twin.copied()
		c.tickOn(g.goingOn()...)
		w.gaps, w.ran = append(w.gaps, g), append(w.ran, c.history())
	}
	return w
}

// Down for a while, and then the same as if it had run: offline and as a daemon,
// in peace and killed in the middle of catching up.
func TestPromise03CatchUp(t *testing.T) {
	t.Parallel()
	w := newTwins(t, times(30, 150), gapDays()...)
	t.Run("down", func(t *testing.T) { t.Parallel(); w.down(t) })
	t.Run("killed", func(t *testing.T) { t.Parallel(); w.killed(t) })
	t.Run("daemon", func(t *testing.T) { t.Parallel(); w.daemon(t) })
	for name, fault := range lateFaults {
		t.Run("control: "+name, func(t *testing.T) {
			t.Parallel()
			b := w.copied(t)
			b.program = planted(t, "obligation/reconcile.go", fault.was, fault.is)
			g := w.gaps[3]
			b.tickOn(g.last)
			b.tickOn(g.goingOn()...)
			wrong := g.caughtUp(w.before, w.ran[3], b.history())
			if len(wrong) == 0 || !slices.ContainsFunc(wrong, func(s string) bool { return strings.Contains(s, fault.seen) }) {
				t.Errorf("the fault was not noticed: %q", wrong)
			}
		})
	}
}

// lateFaults are builds that catch up wrongly, and how that shows.
var lateFaults = map[string]struct{ was, is, seen string }{
	"raises on the very day alone": {"if o.State == Planned && o.Raise <= c.Today {", "if o.State == Planned && o.Raise == c.Today {", "was raised 0 times, of the one that ran 1 times"},
	"stamps the due day anew":      {"o.State, o.RaisedAt, o.RaisedOn = Raised, c.Now, c.Today", "o.State, o.RaisedAt, o.RaisedOn, o.Due = Raised, c.Now, c.Today, c.Today", ", of the one that ran"},
	"does not say that it is late": {"			o.Late = c.Late\n", "			o.Late = \"\"\n", "does not say （"},
}

func (w *twins) copied(t *testing.T) *branch {
	t.Helper()
	base := *w.base
	base.t = t
	return base.copied()
}

func (w *twins) down(t *testing.T) {
	for i, g := range w.gaps {
		b := w.copied(t)
		b.tickOn(g.last)
		b.tickOn(g.goingOn()...)
		report(t, fmt.Sprintf("down %s to %s", g.from, g.to), g.caughtUp(w.before, w.ran[i], b.history()))
		b.sound()
	}
}

// killed ends the catching up at a system call of those that it makes.
func (w *twins) killed(t *testing.T) {
	strace, r := tool(t, "strace"), random(t)
	killed := 0
	for range times(3, 200) {
		i := r.IntN(len(w.gaps))
		g, b := w.gaps[i], w.copied(t)
		call := []string{"pwrite64", "fdatasync", "flock"}[r.IntN(3)]
		n := 1 + r.IntN(map[string]int{"pwrite64": 14, "fdatasync": 2, "flock": 3}[call])
		hit := *b
		hit.wrap = []string{strace, "-f", "-o", "/dev/null", "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, n)}
		if hit.run("tick", "--on", g.last.String(), "--force").code != 0 {
			killed++
		}
		b.tickOn(g.last)
		b.tickOn(g.goingOn()...)
		report(t, fmt.Sprintf("down %s to %s, killed at %s %d", g.from, g.to, call, n), g.caughtUp(w.before, w.ran[i], b.history()))
		b.sound()
	}
	t.Logf("%d kills in mid catch-up", killed)
	if killed == 0 {
		t.Error("no kill came in the middle")
	}
}

// daemon starts a daemon under a clock that is further; before that it is
// started and killed five times in its first moments.
func (w *twins) daemon(t *testing.T) {
	needClockstep(t)
	r := random(t)
	for i, g := range w.gaps {
		if !*full && i != 3 {
			continue
		}
		for n := range times(2, 20) {
			b, wall := w.copied(t), newWall(t)
			wall.set(time.Duration(g.last-today()) * 24 * time.Hour)
			u := b.under(wall)
			if n > 0 {
				kills(u, r)
			}
			d := u.serve()
			b.reaches(d, g.last)
			d.stop()
			b.tickOn(g.goingOn()...)
			report(t, fmt.Sprintf("down %s to %s, run %d", g.from, g.to, n), g.caughtUp(w.before, w.ran[i], b.history()))
			b.sound()
		}
	}
}

// kills starts a daemon and ends it in its first moments, five times.
func kills(b *branch, r *rand.Rand) {
	for range 5 {
		d := b.start()
		time.Sleep(time.Duration(r.IntN(150)) * time.Millisecond)
		d.kill()
	}
}

// reaches waits until the daemon has scanned on a day.
func (b *branch) reaches(d *daemon, day calendar.Date) {
	b.t.Helper()
	for until := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if s := b.status(); s.Business == day && s.LastTick != nil {
			return
		}
		if time.Now().After(until) {
			b.t.Fatalf("the daemon does not reach %s: %s", day, d.log)
		}
	}
}
