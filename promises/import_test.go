//go:build linux

package promises

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// imported counts the records of a sound store: enough to tell a part of a file
// from all of it, and quick to read for 50 000 loans.
type imported struct {
	Loans, Borrowers, Obligations, Plans, Events, Audit int
}

func (b *branch) imported() imported {
	b.t.Helper()
	var check struct{ Records imported }
	must(b.t, json.Unmarshal([]byte(b.must("check", "-o", "json")), &check))
	return check.Records
}

// names is the digest of every obligation there is, by id.
func (b *branch) names() [32]byte {
	b.t.Helper()
	return sha256.Sum256([]byte(b.must("dump", "-o", "name")))
}

// importRows is how many loans the file of this promise has.
func importRows() int { return times(3000, 50_000) }

// empty is a branch without loans; a short rulebook keeps the quick form quick.
func empty(t *testing.T) *branch {
	b := newBranch(t)
	if !*full {
		book, _, _ := strings.Cut(rulebook, "- id: monthly-report")
		must(t, os.WriteFile(b.data+"/rules.yaml", []byte(book), 0o600))
	}
	b.scratch = memory()
	return b
}

// halfImports kills the import of a file at some calls and at some moments. It
// gives what was not all or nothing, and on which side of the commit the kills
// were.
func halfImports(t *testing.T, base *branch, rng *rand.Rand, calls, moments int) (bad []string, without, with int) {
	t.Helper()
	path := base.file("loans.csv", ledger(importRows(), today(), 0))
	before := base.imported()
	b := base.copied()
	began := time.Now()
	undisturbed := b.trace(0, "import", path)
	took := time.Since(began)
	after, names := b.imported(), b.names()
	if undisturbed.code != 0 || after.Loans != importRows() {
		t.Fatalf("%+v: %s", after, undisturbed)
	}
	b.discard()
	look := func(b *branch, at string, acked bool) {
		switch now := b.imported(); {
		case now == after:
			with++
		case now == before && !acked:
			without++
		default:
			bad = append(bad, fmt.Sprintf("%s: %+v", at, now))
		}
		if r := b.run("import", path); r.code != 0 || b.imported() != after || b.names() != names {
			bad = append(bad, fmt.Sprintf("%s: again: %+v, %s", at, b.imported(), r))
		}
		b.discard()
	}
	for _, n := range places(undisturbed.calls, rng, calls) {
		b := base.copied()
		r := b.trace(n, "import", path)
		look(b, fmt.Sprintf("killed at call %d, %s", n, r.calls[len(r.calls)-1]), r.out != "")
	}
	for range moments {
		b := base.copied()
		c := b.command("import", path)
		must(t, c.Start())
		after := time.Duration(rng.Int64N(int64(took)))
		time.Sleep(after)
		c.Process.Kill() // an error: it has ended
		look(b, "killed after "+after.String(), c.Wait() == nil)
	}
	t.Logf("%d rows, %d calls, import %s; killed: %d without the file, %d with it", importRows(), len(undisturbed.calls), took.Round(time.Millisecond), without, with)
	return bad, without, with
}

// An import that is killed, at a call or at any moment, took in all of its file
// or nothing of it; again, it takes in all.
func TestPromise11AKilledImportIsAllOrNothing(t *testing.T) {
	t.Parallel()
	bad, without, with := halfImports(t, empty(t), random(t), times(6, 60), times(2, 60))
	if len(bad) > 0 {
		t.Errorf("%d: %q", len(bad), bad[:min(len(bad), 10)])
	}
	if without == 0 || with == 0 {
		t.Errorf("the kills do not meet both sides of the commit: %d, %d", without, with)
	}
}

// A build that takes a file in by two transactions is found out.
func TestPromise11AnImportInTwoPartsIsFound(t *testing.T) {
	t.Parallel()
	b := empty(t)
	b.program = planted(t, "scheduler/imports.go", "	now := s.moment()\n	var reply *api.ImportReply\n", `	now := s.moment()
	var reply *api.ImportReply
	n := len(data) / 2
	for data[n-1] != '\n' {
		n--
	}
	half, err := ledger.Read(r.Name, data[:n], opt)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.begin(tx, actor, r.On, r.Force, now)
		if err != nil {
			return err
		}
		in := &intake{change: c, snap: half, cal: cal, lang: r.Lang, on: snap.DataDate, reply: &api.ImportReply{Events: map[string]int{}}}
		return in.take(true)
	}); err != nil && !errors.Is(err, errUnchanged) {
		return nil, err
	}
`)
	if bad, _, _ := halfImports(t, b, rand.New(rand.NewPCG(1, 1)), 4, 0); len(bad) == 0 {
		t.Error("not found")
	}
}

// A bad row keeps the whole file out, and is named; so it does at the very end.
func TestPromise11ABadRowKeepsTheFileOut(t *testing.T) {
	t.Parallel()
	b := empty(t)
	lines := strings.SplitAfter(ledger(importRows(), today(), 0), "\n") // the head, the rows, and "" behind the last
	last := len(lines) - 2
	before := b.state()
	for name, spoil := range map[string]func(string) string{
		"a day that is none": func(s string) string { return strings.Replace(s, today().String(), "2026-02-30", 1) },
		"a loan twice":       func(string) string { return lines[1] },
		"no number":          func(s string) string { return s[strings.Index(s, ","):] },
		"words for a sum":    func(s string) string { return strings.Replace(s, "1000000", "一百万元整吧", 1) },
	} {
		for _, at := range []int{last, last - 1} {
			bad := slices.Clone(lines)
			bad[at] = spoil(bad[at])
			r := b.run("import", b.file("bad.csv", strings.Join(bad, "")))
			if r.code == 0 || !strings.Contains(r.err, fmt.Sprint(at+1)) {
				t.Errorf("%s in line %d: %s", name, at+1, r)
			}
			if now := b.state(); now.told != before.told {
				t.Errorf("%s in line %d: something was taken: %s", name, at+1, differs(now, before))
			}
		}
	}
}

// The same file again changes nothing.
func TestPromise11TheSameFileTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	b := empty(t)
	path := b.file("loans.csv", ledger(times(300, 3000), today(), 0))
	b.must("import", path)
	before := b.state()
	for range 2 {
		b.must("import", path)
	}
	if r := b.run("import", "--dry-run", "--exit-code", path); r.code != 0 {
		t.Errorf("something would change: %s", r)
	}
	if now := b.state(); now.told != before.told {
		t.Errorf("it changed: %s", differs(now, before))
	}
}

// Two imports at once come one after the other, each all or nothing: of two
// branches both are there; of one branch the later one, whole. That holds with
// a daemon and without.
func TestPromise11TwoImportsAtOnce(t *testing.T) {
	t.Parallel()
	base := empty(t)
	n := importRows() / 3
	elsewhere := strings.NewReplacer(",B01,", ",B02,", "JJ", "KK", ",C", ",D", ",S0", ",T0").Replace
	for _, served := range []bool{false, true} {
		for round := range times(1, 10) {
			b := base.copied()
			files := []string{b.file("one.csv", ledger(n, today(), 1)), b.file("two.csv", ledger(n, today(), 2)), b.file("other.csv", elsewhere(ledger(n, today(), 1)))}
			var d *daemon
			if served {
				d = b.serve()
			}
			results := make([]result, len(files))
			var all sync.WaitGroup
			for i, f := range files {
				all.Add(1)
				go func() {
					defer all.Done()
					results[i] = b.run("import", f)
				}()
			}
			all.Wait()
			if d != nil {
				d.stop()
			}
			what := fmt.Sprintf("daemon %t, round %d", served, round)
			in := 0
			for i, r := range results {
				switch {
				case r.code == 0:
					in++
				case served || r.code != 11: // 11: another process holds the store
					t.Errorf("%s: %s: %s", what, files[i], r)
				}
			}
			if in == 0 {
				t.Errorf("%s: none was taken", what)
			}
			s := b.state()
			s.whole(t)
			var newest string
			for _, e := range s.audit {
				if e.Action == "ledger.imported" {
					in--
					if e.Subject != "other.csv" {
						newest = e.Subject
					}
				}
			}
			want := 0
			if results[0].code == 0 || results[1].code == 0 {
				want += n
				if r := b.run("import", "--dry-run", "--exit-code", b.dir+"/"+newest); r.code != 0 {
					t.Errorf("%s: %s came last and is not wholly there: %s", what, newest, r)
				}
			}
			if results[2].code == 0 {
				want += n
			}
			if i := b.imported(); i.Loans != want || in != 0 {
				t.Errorf("%s: %+v; want %d loans; records of imports missing: %d", what, i, want, in)
			}
			b.discard()
		}
	}
}
