//go:build linux

package promises

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// officers are the OS users who act; any that every machine has.
const (
	officerUser    = "games" // S001
	supervisorUser = "man"   // S010
)

// in gives the branch to a subtest.
func (b *branch) in(t *testing.T) *branch {
	c := *b
	c.t = t
	return &c
}

// discard removes a branch before the test's end, where there are many.
func (b *branch) discard() { os.RemoveAll(b.dir) }

// mapped makes S001 and S010 known as OS users.
func (b *branch) mapped() *branch {
	b.t.Helper()
	b.must("user", "add", "S001", "--name", "甲", "--role", "officer", "--branch", "B01", "--os-user", officerUser)
	b.must("user", "add", "S010", "--name", "丁", "--role", "supervisor", "--branch", "B01", "--os-user", supervisorUser)
	return b
}

// onDesk gives the duties of an officer that are raised, of one rule.
func onDesk(list []duty, owner, rule string) (out []duty) {
	for _, d := range list {
		if d.Owner == owner && d.Rule == rule && d.State == "raised" {
			out = append(out, d)
		}
	}
	return out
}

// change is a command that changes the store, on a store made ready for it.
type change struct {
	name string
	on   *branch
	args []string
	as   string // OS user; "" is root
}

// changes are all ways in which a store changes, each on a store of its own.
func changes(t *testing.T) []change {
	t.Helper()
	base := peopled(t, 30).mapped()
	list := base.duties()
	report, notice := onDesk(list, "S001", "monthly-report")[0], onDesk(list, "S001", "maturity-notice")[0]
	proof := base.file("proof.txt", "面签回执")

	reloaded := base.copied()
	edited := strings.NewReplacer("due: 1 month before", "due: 2 months before", "篇三 二(三)", "篇三 二(三)1").Replace(rulebook)
	must(t, os.WriteFile(filepath.Join(reloaded.data, "rules.yaml"), []byte(edited), 0o600))
	asked := base.copied()
	asked.own(officerUser)
	asked.must("waive", report.ID, "--reason", "借款人已进入破产程序")
	asked.own(supervisorUser)
	owned := base.copied()
	owned.own(officerUser)

	return []change{
		{"raise", base, []string{"tick", "--on", today().AddDays(40).String(), "--force"}, ""},
		{"submit", owned, []string{"submit", report.ID, "--file", proof}, officerUser},
		{"ask for a waiver", owned, []string{"waive", report.ID, "--reason", "借款人已进入破产程序"}, officerUser},
		{"grant a waiver", asked, []string{"waive", report.ID}, supervisorUser},
		{"record what closes", base, []string{"record", "notice.maturity_sent", "loan/" + notice.Subject.ID, "--id", "E1", "--closes", notice.ID}, ""},
		{"record what opens", base, []string{"record", "worklog.submitted", "borrower/C000001", "--id", "E2"}, ""},
		{"import", base, []string{"import", base.file("more.csv", ledger(45, today(), 1))}, ""},
		{"reload", reloaded, []string{"tick"}, ""},
		{"activate", base, []string{"rules", "activate", base.file("edited.yaml", edited)}, ""},
	}
}

// Every write, sync, truncate and rename of every change is the last thing that
// a process does, once. Then the store opens and is sound, the change is there
// as a whole or not at all, it is there if it was acknowledged, and the same
// command again makes of it what it makes of a store that nothing happened to.
func TestPromise01AKillAtAnyCallLosesNothing(t *testing.T) {
	needRoot(t)
	t.Parallel()
	r := random(t)
	for _, c := range changes(t) {
		rng := rand.New(rand.NewPCG(r.Uint64(), 0))
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bad, n := c.killed(t, rng, times(6, 1<<20))
			for _, b := range bad {
				t.Error(b)
			}
			t.Logf("killed at %d calls", n)
		})
	}
}

// memory is a directory in memory with room, where there is one: what a killed
// process has written is there whether it was synced or not, on any disk.
func memory() string {
	const shm = "/dev/shm"
	var s unix.Statfs_t
	if unix.Statfs(shm, &s) != nil || s.Type != unix.TMPFS_MAGIC || s.Bavail*uint64(s.Bsize) < 2<<30 {
		return ""
	}
	return shm
}

// killed runs the change again and again, each time on a fresh copy and ended
// at another call, at most so many. It gives what was not as it should be.
func (c change) killed(t *testing.T, rng *rand.Rand, most int) (bad []string, points int) {
	t.Helper()
	base := c.on.in(t)
	base.as, base.scratch = "", memory()
	before := base.state()
	fresh := func() *branch { // a copy to work on as him who acts
		b := base.copied()
		if c.as != "" {
			b.own(c.as)
		}
		return b
	}
	read := func(b *branch) *state {
		b.as = "" // root may read all
		return b.state()
	}
	b := fresh()
	whole := b.trace(0, c.args...)
	after := read(b)
	if whole.code != 0 || before.told == after.told {
		t.Fatalf("%v without a kill: %s%q\nchanged: %t", c.args, whole.result, whole.calls, before.told != after.told)
	}
	after.whole(t)
	b.discard()
	for _, n := range places(whole.calls, rng, most) {
		b := fresh()
		r := b.trace(n, c.args...)
		if r.killed {
			points++
		}
		at := fmt.Sprintf("killed at call %d, %s: ", n, r.calls[len(r.calls)-1])
		now := read(b)
		b.must("check") // every record, page, index, and the audit chain
		switch {
		case now.told == after.told:
		case r.out != "":
			bad = append(bad, at+"acknowledged and not there: "+differs(now, after))
		case now.told != before.told:
			bad = append(bad, at+"half there: "+differs(now, after))
		}
		b.as = c.as
		again := b.run(c.args...)
		if now.told != after.told && again.code != 0 {
			bad = append(bad, at+"again: "+again.String())
		}
		if now = read(b); now.told != after.told {
			bad = append(bad, at+"again it is another: "+differs(now, after))
		}
		b.discard()
	}
	return bad, points
}

// A store that is being made is there, or init makes it when it is asked again.
func TestPromise01AKilledInitIsMadeGood(t *testing.T) {
	t.Parallel()
	base := newBranch(t)
	base.scratch = memory()
	must(t, os.RemoveAll(base.data))
	must(t, os.Mkdir(base.data, 0o700))
	args := []string{"init", "--go-live", today().AddDays(-60).String()}
	b := base.copied()
	whole := b.trace(0, args...)
	if whole.code != 0 {
		t.Fatal(whole)
	}
	want := b.state()
	b.discard()
	for _, n := range places(whole.calls, random(t), times(7, 1<<20)) {
		b := base.copied()
		r := b.trace(n, args...)
		at := fmt.Sprintf("killed at call %d, %s", n, r.calls[len(r.calls)-1])
		if made := b.run("status"); made.code != 0 {
			if made.code != 10 { // no store
				t.Errorf("%s: %s", at, made)
			}
			if again := b.run(args...); again.code != 0 {
				t.Errorf("%s: there is no store, and init makes none: %s", at, again)
				continue
			}
		}
		b.sound()
		if now := b.state(); now.told != want.told {
			t.Errorf("%s: %s", at, differs(now, want))
		}
		b.must("import", b.file("loans.csv", ledger(3, today(), 0)))
		b.discard()
	}
}

// places are the calls to be killed at: all, or of many the end of the commit,
// the end of the command and some by chance. Where a run makes more calls than
// the one that was counted, the last place is one more than that had.
func places(calls []string, rng *rand.Rand, most int) []int {
	out := []int{len(calls) + 1}
	commit := 4 // the last page, a sync, the header, a sync
	var rest []int
	for n := len(calls); n > 0; n-- {
		if strings.HasSuffix(calls[n-1], " tickler.db") && commit > 0 {
			commit--
			out = append(out, n)
		} else {
			rest = append(rest, n)
		}
	}
	rng.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	out = append(out, rest[:max(0, min(len(rest), most-len(out)))]...)
	slices.Sort(out)
	return out
}

// Two builds that break the promise, and are found out.
func TestPromise01TheKillsFindPlantedFaults(t *testing.T) {
	needRoot(t)
	t.Parallel()
	base := peopled(t, 10)
	record := change{"", base, []string{"record", "worklog.submitted", "borrower/C000001", "--id", "E2"}, ""}
	for _, c := range []struct{ name, program, found string }{
		{"it answers before the commit", planted(t, "store/bolt/bolt.go", "	return db.commit(btx)\n",
			"	go func() { time.Sleep(200 * time.Millisecond); db.commit(btx) }()\n	return nil\n"), "acknowledged and not there"},
		{"the outbox is written in a second transaction", planted(t, "store/store.go", soleTransaction, twoTransactions), "half there"},
	} {
		b := *base
		b.program = c.program
		record.on = &b
		bad, n := record.killed(t, rand.New(rand.NewPCG(1, 1)), 6)
		if !slices.ContainsFunc(bad, func(s string) bool { return strings.Contains(s, c.found) }) {
			t.Errorf("%s: not found by %d kills: %q", c.name, n, bad)
		}
	}
}

const (
	soleTransaction = `func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	if p := s.broken.Load(); p != nil {
		return *p
	}
	if err := s.proved(ctx); err != nil {
		return err
	}
	var last *Tx
	var done time.Time // when all was ready to be committed; zero where it was not
	err := s.backend.Update(ctx, func(w Writer) error {
		buf := newBuffer(w)
`
	twoTransactions = `type lateWriter struct {
	Writer
	held [][2][]byte
}

func (l *lateWriter) Put(bucket string, k, v []byte) error {
	if bucket != bucketOutbox {
		return l.Writer.Put(bucket, k, v)
	}
	l.held = append(l.held, [2][]byte{append([]byte{}, k...), append([]byte{}, v...)})
	return nil
}

func (s *Store) Update(ctx context.Context, fn func(*Tx) error) (err error) {
	if p := s.broken.Load(); p != nil {
		return *p
	}
	if err := s.proved(ctx); err != nil {
		return err
	}
	var last *Tx
	var done time.Time // when all was ready to be committed; zero where it was not
	late := &lateWriter{}
	defer func() {
		if err != nil || late.held == nil {
			return
		}
		err = s.backend.Update(ctx, func(w Writer) error {
			for _, kv := range late.held {
				w.Put(bucketOutbox, kv[0], kv[1])
			}
			return nil
		})
	}()
	err = s.backend.Update(ctx, func(w Writer) error {
		late.Writer = w
		buf := newBuffer(late)
`
)
