package promises

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// storeOf makes a data directory of a backup by restoring it.
func (b *branch) storeOf(backup string) *branch {
	b.t.Helper()
	dir, err := os.MkdirTemp("", "tk")
	must(b.t, err)
	b.t.Cleanup(func() { os.RemoveAll(dir) })
	c := *b
	c.program, c.dir, c.data = program, dir, filepath.Join(dir, "data")
	c.must("restore", backup)
	return &c
}

// eventsOf lists the ids of the events that were recorded, in the audit's order.
func (b *branch) eventsOf() (ids []string) {
	b.t.Helper()
	for line := range strings.Lines(b.must("audit", "export", "-o", "json")) {
		var r struct{ Action, Subject string }
		must(b.t, json.Unmarshal([]byte(line), &r))
		if r.Action == "event.recorded" {
			ids = append(ids, r.Subject)
		}
	}
	return ids
}

// load records events one after another until it is told to stop, and notes
// each that was acknowledged.
type load struct {
	mu    sync.Mutex
	acked []string
	stop  atomic.Bool
	done  chan struct{}
}

func (b *branch) load() *load {
	l := &load{done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for i := 0; !l.stop.Load(); i++ {
			id := fmt.Sprintf("E%05d", i)
			c := b.command("record", "worklog.submitted", fmt.Sprintf("borrower/C%06d", i%20), "--id", id)
			if c.Run() != nil {
				continue
			}
			l.mu.Lock()
			l.acked = append(l.acked, id)
			l.mu.Unlock()
		}
	}()
	return l
}

func (l *load) so() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

func (l *load) end() []string {
	l.stop.Store(true)
	<-l.done
	return l.acked
}

func TestPromise08AHotBackupIsAPrefixOfWhatWasAcknowledged(t *testing.T) {
	b := peopled(t, 60)
	b.serve()
	l := b.load()
	n := times(4, 100)
	acked := make([][2]int, n) // acknowledged before the backup began, and when it had ended
	for i := range n {
		acked[i][0] = l.so()
		b.must("backup", filepath.Join(b.dir, fmt.Sprintf("hot%d.db", i)))
		acked[i][1] = l.so()
	}
	all := l.end()
	if len(all) == 0 {
		t.Fatal("nothing was recorded: there was no load")
	}
	for i := range n {
		file := filepath.Join(b.dir, fmt.Sprintf("hot%d.db", i))
		c := b.storeOf(file)
		c.sound()
		got := c.eventsOf()
		if len(got) > len(all) || !slices.Equal(got, all[:len(got)]) {
			t.Errorf("backup %d is no prefix: it has %v of %v", i, got, all)
		}
		// One more may have been committed and not acknowledged yet.
		if len(got) < acked[i][0] || len(got) > acked[i][1]+1 {
			t.Errorf("backup %d has %d events; %d were acknowledged before it and %d after", i, len(got), acked[i][0], acked[i][1])
		}
		must(t, os.RemoveAll(c.dir))
	}
	t.Logf("%d backups while %d events were recorded", n, len(all))
}

// damagedAt says what a name holds: "" for nothing or a good backup.
func (b *branch) damagedAt(file string) string {
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	dir, err := os.MkdirTemp(b.dir, "r")
	must(b.t, err)
	defer os.RemoveAll(dir)
	c := *b
	c.program, c.wrap, c.data = program, nil, filepath.Join(dir, "data")
	if r := c.run("restore", file); r.code != 0 {
		return r.String()
	}
	return ""
}

// leftovers are what is in a directory beside backups with their names.
func leftovers(t *testing.T, dir string) (out []string) {
	t.Helper()
	there, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range there {
		if strings.HasSuffix(e.Name(), ".tmp") {
			out = append(out, e.Name())
		}
	}
	return out
}

// killedBackups kills backups, at random moments and as soon as the final name
// is there, and gives how many were cut
// short and how often a bad file stood under the final name.
func killedBackups(t *testing.T, b *branch, n int) (cut, bad int) {
	t.Helper()
	r := random(t)
	dir := filepath.Join(b.dir, "out")
	must(t, os.MkdirAll(dir, 0o700))
	began := time.Now()
	must(t, b.command("backup", filepath.Join(dir, "whole.db")).Run())
	whole := time.Since(began)
	for i := range n {
		file := filepath.Join(dir, fmt.Sprintf("b%d.db", i))
		c := b.command("backup", file)
		must(t, c.Start())
		if i%2 == 0 {
			time.Sleep(time.Duration(r.Int64N(int64(whole))))
		} else { // as soon as the name is there
			for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(100 * time.Microsecond) {
				if _, err := os.Stat(file); err == nil {
					break
				}
			}
		}
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		if err := c.Wait(); err != nil {
			cut++
		}
		if why := b.damagedAt(file); why != "" {
			bad++
			t.Logf("killed backup %d: %s", i, why)
		}
	}
	return cut, bad
}

func TestPromise08AKilledBackupLeavesNothingUnderItsName(t *testing.T) {
	b := peopled(t, 400)
	cut, bad := killedBackups(t, b, times(4, 100))
	if cut == 0 {
		t.Error("no backup was cut short: the harness proves nothing")
	}
	if bad > 0 {
		t.Errorf("%d bad files under a final name", bad)
	}
	b.must("backup", filepath.Join(b.dir, "out", "last.db"))
	if left := leftovers(t, filepath.Join(b.dir, "out")); len(left) > 0 {
		t.Errorf("the next backup left %v", left)
	}
	b.sound()
}

// A disk without room, found before the copy and in the middle of it.
func TestPromise08ABackupWithoutRoomLeavesNothing(t *testing.T) {
	b := peopled(t, 400)
	limited := *b
	limited.wrap = []string{tool(t, "prlimit"), "--fsize=600000"}
	file := filepath.Join(b.dir, "limited.db")
	if r := limited.run("backup", file); r.code != 1 {
		t.Errorf("a backup that may not be so large: %s", r)
	}
	gone := func(file string) {
		t.Helper()
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s is there", file)
		}
		if left := leftovers(t, filepath.Dir(file)); len(left) > 0 {
			t.Errorf("it left %v", left)
		}
	}
	gone(file)
	needRoot(t)
	small := filepath.Join(b.dir, "small")
	must(t, os.Mkdir(small, 0o700))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", small).CombinedOutput(); err != nil {
		need(t, false, "tmpfs that can be mounted: "+string(out))
	}
	t.Cleanup(func() { exec.Command("umount", small).Run() })
	file = filepath.Join(small, "b.db")
	b.serve()
	if r := b.run("backup", file); r.code != 1 || !strings.Contains(r.err, "MiB") {
		t.Errorf("a backup to a small disk: %s", r)
	}
	gone(file)
	b.must("backup", filepath.Join(b.dir, "elsewhere.db"))
}

func TestPromise08ARestoredCopyDoublesNothing(t *testing.T) {
	b := peopled(t, 60)
	day := func(n int) string { return today().AddDays(n).String() }
	tick := func(c *branch, n int) { c.must("tick", "--on", day(n), "--force") }
	tick(b, 0)
	file := filepath.Join(b.dir, "old.db")
	b.must("backup", file)
	was := len(b.duties())
	for n := 1; n <= 3; n++ {
		tick(b, n)
	}
	ran := b.duties() // as if nothing had happened
	if len(ran) < was {
		t.Fatal("duties went away by themselves")
	}
	must(t, os.Rename(filepath.Join(b.data, "tickler.db"), filepath.Join(b.dir, "lost.db")))
	b.must("restore", file)
	if out := b.must("audit", "export", "-o", "json"); strings.Count(out, `"action":"store.restored"`) != 1 {
		t.Error("the audit does not say that it was restored")
	}
	tick(b, 3)
	for range 3 {
		tick(b, 3)
	}
	again := b.duties() // fails for a key that is there twice
	if len(again) != len(ran) {
		t.Errorf("%d duties, %d if it had run on", len(again), len(ran))
	}
	by := map[string]duty{}
	for _, d := range again {
		by[d.ID] = d
	}
	for _, d := range ran {
		g := by[d.ID]
		if g.Due != d.Due || g.State != d.State || g.Raise != d.Raise {
			t.Errorf("%s is due %s, raise %s, %s; it would have been %s, %s, %s", d.ID, g.Due, g.Raise, g.State, d.Due, d.Raise, d.State)
		}
	}
	// Nobody is told twice that something was raised.
	told := map[string]int{}
	for line := range strings.Lines(b.must("audit", "export", "-o", "json")) {
		var r struct{ Action, Subject string }
		must(t, json.Unmarshal([]byte(line), &r))
		if r.Action == "obligation.raised" {
			told[r.Subject]++
		}
	}
	for id, n := range told {
		if n != 1 {
			t.Errorf("%s was raised %d times", id, n)
		}
	}
	b.sound()
}

// A build that gives a copy its name before it is whole, and does not read it
// back, is found out by killing it.
func TestPromise08ControlNamedBeforeItIsWhole(t *testing.T) {
	b := peopled(t, 400)
	b.program = planted(t, "store/bolt/bolt.go", "	name, err := draft(path, pattern, write)\n",
		`	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return errors.Join(write(f), f.Close())
	}
	name := path
`)
	for range 5 {
		if _, bad := killedBackups(t, b, 4); bad > 0 {
			return
		}
		must(t, os.RemoveAll(filepath.Join(b.dir, "out")))
	}
	t.Error("a backup that is named before it is whole was not found out")
}
