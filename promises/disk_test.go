package promises

import (
	"bytes"

	"encoding/json"
	"fmt"

	"os"

	"path/filepath"
	"slices"
	"strings"
	"sync"

	"testing"
)

// What a disk does to a program: a call that fails, once or from then on.
type diskFault struct {
	call  string // system call
	errno string
	n     int // which call of it, from 1, of a thread
	ever  bool
}

func (f diskFault) String() string {
	s := fmt.Sprintf("%s %s at call %d", f.call, f.errno, f.n)
	if f.ever {
		s += " and all after it"
	}
	return s
}

func (f diskFault) wrap(strace, log string) []string {
	when := fmt.Sprint(f.n)
	if f.ever {
		when += "+"
	}
	return []string{strace, "-f", "--seccomp-bpf", "-qq", "-o", log, "-e", "trace=" + f.call, "-e", "inject=" + f.call + ":error=" + f.errno + ":when=" + when}
}

// A diskOp is a command that changes the store: where it is tried, and how.
type diskOp struct {
	name string
	base *branch
	args []string
	// what the store shows before and after
	before, after string
}

const noStore = "no store"

// shows is all that one sees of a store, without the moments.
func (b *branch) shows() string {
	if _, err := os.Stat(filepath.Join(b.data, "tickler.db")); err != nil {
		return noStore
	}
	r := b.run("upcoming", "--all", "-o", "json")
	var list []duty
	if r.code != 0 || json.Unmarshal([]byte(r.out), &list) != nil {
		return r.String()
	}
	var s strings.Builder
	for _, d := range list {
		fmt.Fprintln(&s, d.ID, d.State, d.Owner, d.Due, d.Submitted, d.Done)
	}
	var st struct {
		Loans    int
		Rulebook struct{ Digest string }
	}
	if r = b.run("status", "-o", "json"); json.Unmarshal([]byte(r.out), &st) != nil {
		return r.String()
	}
	fmt.Fprintln(&s, st)
	return s.String()
}

// diskOps are the changes that faults are tried on.
func diskOps(t *testing.T) []*diskOp {
	t.Helper()
	base := peopled(t, 12)
	var duties []duty
	for _, d := range base.copied().duties() {
		if d.State == "raised" {
			duties = append(duties, d)
		}
	}
	notice := slices.IndexFunc(duties, func(d duty) bool { return d.Rule == "maturity-notice" })
	if notice < 0 {
		t.Fatal("no notice is to be sent")
	}
	other := base.file("other.yaml", strings.Replace(rulebook, "due: 2 workdays after event.date", "due: 3 workdays after event.date", 1))
	empty := *base
	empty.data = filepath.Join(base.dir, "empty")
	must(t, os.Mkdir(empty.data, 0o700))
	ops := []*diskOp{
		{name: "init", base: &empty, args: []string{"init"}},
		{name: "import", base: base, args: []string{"import", base.file("more.csv", ledger(20, today(), 0))}},
		{name: "tick", base: base, args: []string{"tick", "--on", today().AddDays(40).String(), "--force"}},
		{name: "record", base: base, args: []string{"record", "notice.maturity_sent", "loan/" + duties[notice].Subject.ID, "--id", "E1"}},
		{name: "activate", base: base, args: []string{"rules", "activate", other}},
	}
	if os.Geteuid() == 0 {
		// Root does no duties: the owner of the directory is S001 here.
		mine := slices.IndexFunc(duties, func(d duty) bool { return d.Owner == "S001" && d.Rule == "overdue-notice" })
		if mine < 0 {
			t.Fatal("S001 has nothing to do")
		}
		his := base.copied()
		his.must("user", "add", "S001", "--os-user", "nobody")
		his.own("nobody")
		paper := his.file("paper.txt", "签收\n")
		ops = append(ops, &diskOp{name: "submit", base: his, args: []string{"submit", duties[mine].ID, "--file", paper}})
	} else if os.Getenv("CI") != "" {
		t.Fatal("submit is tried as another user: run as root")
	}
	for _, o := range ops {
		b := o.base.copied()
		o.before = b.shows()
		b.must(o.args...)
		if o.after = b.shows(); o.after == o.before {
			t.Fatalf("%s shows nothing", o.name)
		}
	}
	return ops
}

// try runs a command with a fault and says what promise was broken; hit is
// false where the command never came to the call.
func (o *diskOp) try(t *testing.T, program string, f diskFault) (hit bool, problem string) {
	t.Helper()
	b := o.base.copied()
	defer os.RemoveAll(b.dir)
	log := filepath.Join(b.dir, "strace")
	faulty := *b
	faulty.program, faulty.wrap = program, f.wrap(tool(t, "strace"), log)
	r := faulty.run(o.args...)
	calls, err := os.ReadFile(log)
	must(t, err)
	if !bytes.Contains(calls, []byte("(INJECTED)")) {
		return false, ""
	}
	return true, o.judge(b, r, f.call, f)
}

// judge looks at what a command said and at what is there.
func (o *diskOp) judge(b *branch, r result, call string, what any) string {
	bad := func(format string, args ...any) string {
		return fmt.Sprintf("%s, %v: %s\n%.2000s", o.name, what, fmt.Sprintf(format, args...), r)
	}
	if r.code != 0 && r.code != 1 {
		return bad("exit status %d", r.code)
	}
	if strings.Contains(r.err, "goroutine ") || strings.Contains(r.err, "panic") {
		return bad("a stack trace")
	}
	if r.code != 0 && strings.TrimSpace(r.err) == "" && call != "write" { // which may be stderr itself
		return bad("it failed without a word")
	}
	if r.code == 0 && strings.Contains(call, "sync") {
		return bad("done, it says, though the disk did not say that it is kept")
	}
	there := b.shows()
	unknown := strings.Contains(strings.ToLower(r.err), "outcome") && strings.Contains(r.err, "unknown")
	stands := strings.Contains(r.err, "what the command changed stands") || strings.Contains(r.err, "what was in force before stays") // a scan, with a rulebook it could not read
	switch {
	case there != o.before && there != o.after:
		return bad("half of it is there:\n%s", there)
	case (r.code == 0 || stands) && there != o.after:
		return bad("done, it says, and it is not there")
	case r.code == 1 && r.err != "" && !unknown && !stands && there != o.before:
		return bad("failed, it says, and it is there")
	}
	if there == noStore {
		if again := b.run(o.args...); again.code != 0 {
			return bad("it cannot be done again: %s", again)
		}
	} else {
		looker := *b
		if b.as != "" { // who does duties may not look at all
			looker.own("root")
		}
		for _, look := range [][]string{{"check"}, {"audit", "verify"}} {
			if c := looker.run(look...); c.code != 0 {
				return bad("%s: %s", look[0], c)
			}
		}
		if b.as != "" {
			b.own(b.as)
		}
		if there == o.before {
			if again := b.run(o.args...); again.code != 0 {
				return bad("it cannot be done again: %s", again)
			}
		}
	}
	if again := b.shows(); again != o.after {
		return bad("done again, it shows\n%s\ninstead of\n%s", again, o.after)
	}
	if left, _ := filepath.Glob(filepath.Join(b.data, "*.tmp")); len(left) > 0 {
		return bad("%v is left", left)
	}
	return ""
}

var diskCalls = []string{"pwrite64", "fdatasync", "fsync", "ftruncate", "renameat", "openat", "write"}

// Whatever call of the disk fails, once or from then on: no command says "done"
// of what is not there, none says "failed" of what is, and nothing is damaged.
func TestPromise10NoFailingDiskIsTakenForDone(t *testing.T) {
	t.Parallel()
	tool(t, "strace")
	r := random(t)
	ops := diskOps(t)
	type job struct {
		o *diskOp
		f diskFault
	}
	var jobs []job
	for _, o := range ops {
		for _, call := range diskCalls {
			for _, errno := range []string{"EIO", "ENOSPC", "EDQUOT"} {
				for _, ever := range []bool{false, true} {
					jobs = append(jobs, job{o, diskFault{call, errno, 0, ever}})
				}
			}
		}
	}
	if !*full {
		r.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
		jobs = jobs[:14]
	}
	first := make([]int, len(jobs))
	for i := range first {
		if first[i] = 1; !*full {
			first[i] += r.IntN(4)
		}
	}
	var mu sync.Mutex
	tried, problems, next := map[string]int{}, 0, 0
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for {
				mu.Lock()
				if next == len(jobs) || problems > 20 {
					mu.Unlock()
					return
				}
				j, f := jobs[next], jobs[next].f
				f.n = first[next]
				next++
				mu.Unlock()
				for hit := true; hit; f.n++ { // every call that there is; in the quick form one
					var problem string
					hit, problem = j.o.try(t, program, f)
					mu.Lock()
					if hit {
						tried[f.call+" "+f.errno]++
					}
					if problem != "" {
						problems++
						t.Error(problem)
					}
					mu.Unlock()
					if !*full {
						break
					}
				}
			}
		})
	}
	wait.Wait()
	t.Logf("%v", tried)
	if len(tried) == 0 {
		t.Error("no fault was met")
	}
}

// The control: a build that takes no notice of a failed sync.
func TestPromise10AnIgnoredSyncIsFound(t *testing.T) {
	t.Parallel()
	tool(t, "strace")
	deaf := planted(t, "store/bolt/bolt.go", "err = btx.Commit()", `if err = btx.Commit(); err != nil && err.Error() == "input/output error" { err = nil }`)
	o := diskOps(t)[3]
	f := diskFault{"fdatasync", "EIO", 1, true}
	hit, problem := o.try(t, deaf, f)
	if !hit || !strings.Contains(problem, "done, it says") {
		t.Errorf("a build that ignores failed syncs passes: %v %q", hit, problem)
	}
	if hit, problem = o.try(t, program, f); !hit || problem != "" {
		t.Errorf("the build itself: %v %q", hit, problem)
	}
}
