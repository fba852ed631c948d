package promises

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// nextSchema are the pieces of a version of tomorrow: its schema is one higher,
// and its migration writes every obligation anew, four plans a page.
var nextSchema = []string{
	"store/migrate.go", "const Schema = 1", "const Schema = 2",
	"store/migrate.go", "var migrations = []migration{}", `var migrations = []migration{func(tx *Tx, from []byte) ([]byte, error) {
	var keys [][]byte
	err := tx.r.Scan(bucketPlan, from, nil, func(key, _ []byte) error {
		keys = append(keys, append([]byte(nil), key...))
		if len(keys) > 4 {
			return errStop
		}
		return nil
	})
	if err != nil && err != errStop {
		return nil, err
	}
	var next []byte
	if len(keys) > 4 {
		keys, next = keys[:4], keys[4]
	}
	for _, key := range keys {
		unit, _ := parseRef(key)
		p, err := tx.Plan(unit)
		if err != nil {
			return nil, err
		}
		for i := range p.Obligations {
			p.Obligations[i].Late = "schema 2"
		}
		if err := tx.PutPlan(p); err != nil {
			return nil, err
		}
	}
	return next, nil
}}`,
}

func nextVersion(t *testing.T, more ...string) string {
	t.Helper()
	pieces := slices.Concat(nextSchema, more)
	return planted(t, pieces[0], pieces[1], pieces[2], pieces[3:]...)
}

var nextBuilt sync.Mutex

// nextProgram is nextVersion without a fault, built once.
func nextProgram(t *testing.T) string {
	t.Helper()
	nextBuilt.Lock()
	defer nextBuilt.Unlock()
	path := filepath.Join(filepath.Dir(program), "next")
	if _, err := os.Stat(path); err != nil {
		must(t, os.Link(nextVersion(t), path))
	}
	return path
}

// An upgrade is one store, and the two programs that meet it.
type upgrade struct {
	t      *testing.T
	base   *branch
	newer  string // program
	was    []byte // the database file
	before []duty
}

func newUpgrade(t *testing.T, newer string) *upgrade {
	u := &upgrade{t: t, base: peopled(t, 10), newer: newer}
	u.base.must("tick")
	u.before = u.base.duties()
	u.was = u.base.database()
	return u
}

func (b *branch) database() []byte {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.data, "tickler.db"))
	must(b.t, err)
	return text
}

// kept gives the copies that migrations made.
func (b *branch) kept() []string {
	names, _ := filepath.Glob(filepath.Join(b.data, "tickler.db.schema*"))
	return names
}

// migrations are the audit's records of them.
func (b *branch) migrations() (all []map[string]any) {
	b.t.Helper()
	for line := range strings.Lines(b.must("audit", "export")) {
		var r struct {
			Action string
			Detail map[string]any
		}
		if json.Unmarshal([]byte(line), &r) == nil && r.Action == "store.migrated" {
			all = append(all, r.Detail)
		}
	}
	return all
}

// half says that the store under the name is neither the old whole one nor the
// new whole one; program is the newer, which finishes what was begun.
func (u *upgrade) half(b *branch) string {
	old := bytes.Equal(b.database(), u.was)
	b.program = program
	if r := b.run("upcoming"); old != (r.code == 0) {
		return fmt.Sprintf("the file is the old one: %v; the older program: %s", old, r)
	} else if !old && !strings.Contains(r.err, "newer version") {
		return fmt.Sprintf("the older program says %s", r)
	}
	b.program = u.newer
	if r := b.run("tick"); r.code != 0 {
		return fmt.Sprintf("the second start: %s", r)
	}
	return u.whole(b)
}

// whole says what is wrong with a migrated store.
func (u *upgrade) whole(b *branch) string {
	list := b.duties()
	if len(list) != len(u.before) {
		return fmt.Sprintf("%d duties are %d", len(u.before), len(list))
	}
	for i, d := range list {
		if d.Late != "schema 2" {
			return fmt.Sprintf("%s was not migrated: %+v", d.ID, d)
		}
		if was := u.before[i]; d.ID != was.ID || d.State != was.State || d.Due != was.Due {
			return fmt.Sprintf("%+v was %+v", d, was)
		}
	}
	for _, look := range [][]string{{"check"}, {"audit", "verify"}} {
		if r := b.run(look...); r.code != 0 {
			return fmt.Sprintf("%s: %s", look[0], r)
		}
	}
	kept := b.kept()
	if len(kept) != 1 {
		return fmt.Sprintf("kept: %v", kept)
	}
	text, err := os.ReadFile(kept[0])
	must(u.t, err)
	if !bytes.Equal(text, u.was) {
		return "what is kept is not what was"
	}
	if m := b.migrations(); len(m) != 1 || m[0]["from"] != 1.0 || m[0]["to"] != 2.0 ||
		m[0]["kept"] != filepath.Base(kept[0]) || m[0]["digest"] != fmt.Sprintf("sha256:%x", sha256.Sum256(u.was)) {
		return fmt.Sprintf("the audit says %v", m)
	}
	if left, _ := filepath.Glob(filepath.Join(b.data, "*.tmp")); len(left) > 0 {
		return fmt.Sprintf("%v is left", left)
	}
	return ""
}

// A store of an older schema is migrated by the first command, which keeps it as
// it was; a second one has nothing to do, and the older program lets it alone.
func TestPromise12AMigrationKeepsTheOldStore(t *testing.T) {
	t.Parallel()
	u := newUpgrade(t, nextProgram(t))
	b := u.base.copied()
	b.program = u.newer
	r := b.run("status", "-o", "json")
	if !strings.Contains(r.err, "tickler.db.schema1-") || r.code != 0 {
		t.Errorf("it does not say what it did: %s", r)
	}
	if problem := u.whole(b); problem != "" {
		t.Fatal(problem)
	}
	if r := b.run("status"); strings.Contains(r.err, "migrated") {
		t.Errorf("again: %s", r)
	}
	d := b.serve() // by a daemon all the same
	d.stop()

	// The older program does not touch it, whatever it is asked.
	if problem := refused(b, program, b.database()); problem != "" {
		t.Error(problem)
	}
	old := *b
	old.program = program
	// Back to the old version is the copy put in its place.
	must(t, os.Rename(old.kept()[0], filepath.Join(old.data, "tickler.db")))
	if list := old.duties(); len(list) != len(u.before) || list[0].Late == "schema 2" {
		t.Error("the copy is not the store as it was")
	}
	old.sound()
}

// refused says where an older program does not refuse a newer store.
func refused(b *branch, older string, was []byte) string {
	b.t.Helper()
	old := *b
	old.program = older
	for _, args := range [][]string{{"tick", "--on", today().AddDays(1).String()}, {"serve"}, {"upcoming"}, {"status"}, {"check"},
		{"record", "notice.maturity_sent", "loan/JJ000001"}, {"import", old.file("l.csv", ledger(11, today(), 0))}, {"init", "--branch", "B01"}} {
		old.wrap = []string{"timeout", "10"} // what is not refused may go on
		r := old.run(args...)
		if r.code != 1 || !strings.Contains(r.err, "newer version") || !strings.Contains(r.err, "schema 2, written by") || strings.Contains(r.err, "goroutine") {
			return fmt.Sprintf("%s: %s", args[0], r)
		}
	}
	if !bytes.Equal(old.database(), was) {
		return "the older program wrote to the newer store"
	}
	return ""
}

// killed is a migration ended at a call of the system.
func (u *upgrade) killed(strace, call string, n int) (hit bool, problem string) {
	b := u.base.copied()
	defer os.RemoveAll(b.dir)
	log := filepath.Join(b.dir, "strace")
	b.program = u.newer
	b.wrap = []string{strace, "-f", "-qq", "-o", log, "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, n)}
	r := b.run("status")
	b.wrap = nil
	calls, _ := os.ReadFile(log)
	if !bytes.Contains(calls, []byte("killed by SIGKILL")) {
		return false, ""
	}
	if problem = u.half(b); problem != "" {
		problem = fmt.Sprintf("killed at %s %d: %s\n%s", call, n, problem, r)
	}
	return true, problem
}

var migrationCalls = []string{"pwrite64", "write", "fsync", "fdatasync", "ftruncate", "linkat", "renameat", "unlinkat", "openat"}

// Killed anywhere, a migration leaves the whole old store or the whole new one,
// and the next start finishes it.
func TestPromise12AKilledMigrationIsAllOrNothing(t *testing.T) {
	t.Parallel()
	strace := tool(t, "strace")
	r := random(t)
	u := newUpgrade(t, nextProgram(t))
	tried := map[string]int{}
	var mu sync.Mutex
	one := func(call string, n int) bool {
		hit, problem := u.killed(strace, call, n)
		mu.Lock()
		defer mu.Unlock()
		if problem != "" {
			t.Error(problem)
		}
		if hit {
			tried[call]++
		}
		return hit
	}
	if !*full {
		for _, call := range []string{"linkat", "renameat", "unlinkat", "fsync"} {
			one(call, 1)
		}
		for range 6 {
			one("pwrite64", 1+r.IntN(22))
		}
	} else {
		var wait sync.WaitGroup
		for _, call := range migrationCalls {
			wait.Go(func() {
				for n := 1; one(call, n); n++ {
				}
			})
		}
		wait.Wait()
	}
	t.Logf("%v", tried)
	if tried["pwrite64"] == 0 || tried["renameat"] == 0 || tried["linkat"] == 0 {
		t.Errorf("not all was tried: %v", tried)
	}
}

// Without room for the copy nothing changes.
func TestPromise12NoRoomForTheCopyChangesNothing(t *testing.T) {
	t.Parallel()
	u := newUpgrade(t, nextProgram(t))
	b := u.base.copied()
	b.program, b.wrap = u.newer, []string{tool(t, "prlimit"), "--fsize=65536", "--"}
	r := b.run("tick")
	if r.code != 1 || !strings.Contains(r.err, "stays as it was") {
		t.Errorf("it says %s", r)
	}
	b.wrap = nil
	if left, _ := filepath.Glob(filepath.Join(b.data, "*.tmp")); len(left) > 0 || len(b.kept()) > 0 {
		t.Errorf("left: %v %v", left, b.kept())
	}
	if !bytes.Equal(b.database(), u.was) {
		t.Error("the store was changed")
	}
	if problem := u.half(b); problem != "" {
		t.Error(problem)
	}
}

// The controls: versions whose migration keeps no copy, works on the store
// itself, or takes its name before it is whole; and one that does not look
// whose the store is.
func TestPromise12ControlsOfMigrations(t *testing.T) {
	t.Parallel()
	strace := tool(t, "strace")
	t.Run("no copy", func(t *testing.T) {
		u := newUpgrade(t, nextVersion(t, "store/bolt/upgrade.go", "os.Link(path, kept)", "error(nil)"))
		b := u.base.copied()
		b.program = u.newer
		b.must("status")
		if problem := u.whole(b); !strings.Contains(problem, "kept") {
			t.Errorf("a migration without a copy passes: %q", problem)
		}
	})
	t.Run("in place", func(t *testing.T) {
		u := newUpgrade(t, nextVersion(t, "store/bolt/upgrade.go", "return old.migrated(ctx, f, m)", "return old.migrated(ctx, f, m)\n\t})\n\told.bolt.Sync()\n\tif err == nil {\n\t\terr = store.New(old).Migrate(ctx, m)\n\t}\n\tos.Link(path, kept)\n\treturn kept, errors.Join(err, os.Remove(name))\n\t_, err = draft(path, \"*.tmp\", func(f *os.File) error {\n\t\treturn nil"))
		found := false
		for n := 1; n < 60 && !found; n++ {
			hit, problem := u.killed(strace, "fdatasync", n)
			found = problem != ""
			if !hit {
				break
			}
		}
		if !found {
			t.Error("a migration in several transactions on the store itself passes")
		}
	})
	t.Run("blind", func(t *testing.T) {
		u := newUpgrade(t, nextProgram(t))
		b := u.base.copied()
		b.program = u.newer
		b.must("status")
		u.was = b.database()
		blind := planted(t, "store/migrate.go", "case m.Schema > Schema:", "case m.Schema > Schema && m.Schema < 0:", "store/meta.go", "m.Schema > Schema", "m.Schema < 0")
		if problem := refused(b, blind, u.was); problem == "" {
			t.Error("a program that does not look whose the store is passes")
		}
	})
}
