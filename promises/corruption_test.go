package promises

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// damageable is a branch with a good backup, and what a listing of it says.
type damageable struct {
	*branch
	good, older []byte // the database as it is, and as it was some changes before
	used        int    // bytes of it that hold something
	backup      string
	list        string
}

func newDamageable(t *testing.T) *damageable {
	t.Helper()
	d := &damageable{branch: peopled(t, 60)}
	d.older = d.bytes()
	d.must("tick")
	for i := range 6 { // pages that changed hands since
		d.must("record", "worklog.submitted", fmt.Sprintf("borrower/C%06d", i))
	}
	// The daemons that are tried here make none of their own.
	must(t, os.WriteFile(filepath.Join(d.data, "config.yaml"), []byte("backup: off\n"), 0o600))
	must(t, os.Mkdir(filepath.Join(d.data, "backups"), 0o700))
	d.must("backup", filepath.Join(d.data, "backups", "tickler-20261101T010000Z.db"))
	d.backup = filepath.Join(d.data, "backups", "tickler-20261101T010000Z.db")
	d.good = d.bytes()
	info, err := os.Stat(d.backup)
	must(t, err)
	d.used = int(info.Size())
	d.list = d.must("upcoming", "--all", "-o", "json")
	return d
}

func (d *damageable) db() string { return filepath.Join(d.data, "tickler.db") }

func (d *damageable) bytes() []byte {
	d.t.Helper()
	b, err := os.ReadFile(d.db())
	must(d.t, err)
	return b
}

// verdict is what became of one damaged file.
type verdict struct {
	found  bool // somebody said so
	wrong  bool // a listing succeeded and was another
	shock  string
	answer string
}

// try has the damaged file checked, listed and served.
func (d *damageable) try(file []byte, serve bool) (v verdict) {
	d.t.Helper()
	must(d.t, os.WriteFile(d.db(), file, 0o600))
	look := func(args ...string) result {
		c := d.command(args...)
		var out, errs bytes.Buffer
		c.Stdout, c.Stderr = &out, &errs
		timer := time.AfterFunc(30*time.Second, func() { c.Process.Kill() })
		if args[0] == "serve" {
			timer.Reset(1500 * time.Millisecond) // one that serves was content
		}
		err := c.Run()
		timer.Stop()
		if _, exited := err.(*exec.ExitError); err != nil && !exited {
			d.t.Fatal(err)
		}
		r := result{out.String(), errs.String(), c.ProcessState.ExitCode()}
		both := r.out + r.err
		switch {
		case strings.Contains(both, "goroutine ") || strings.Contains(both, "panic") || strings.Contains(both, "SIG"):
			v.shock = strings.Join(args, " ") + ": " + r.String()
		case r.code == 3 && !strings.Contains(both, d.backup):
			v.shock = strings.Join(args, " ") + " does not name the newest good backup: " + r.String()
		case r.code != 0 && r.code != 3 && !(args[0] == "serve" && r.code == -1):
			v.shock = strings.Join(args, " ") + ": " + r.String()
		}
		if r.code == 3 {
			v.found, v.answer = true, r.String()
		}
		return r
	}
	checked := look("check")
	listed := look("upcoming", "--all", "-o", "json")
	v.wrong = listed.code == 0 && listed.out != d.list
	if listed.code == 3 && checked.code == 0 {
		v.shock = "a listing found what check did not: " + listed.String()
	}
	if serve {
		if r := look("serve"); checked.code == 3 && r.code != 3 {
			v.shock = "the daemon began on what check refuses: " + r.String()
		}
	}
	return v
}

// held fails for what must never be.
func (v verdict) held(t *testing.T, what string) {
	t.Helper()
	if v.wrong {
		t.Errorf("%s: wrong data was served", what)
	}
	if v.shock != "" {
		t.Errorf("%s: %s", what, v.shock)
	}
}

const dbPage = 4096

func TestPromise07ABitThatFlippedIsFound(t *testing.T) {
	d, r := newDamageable(t), random(t)
	found, n := 0, times(16, 1000)
	for range n {
		at, bit := r.IntN(d.used), r.IntN(8)
		file := bytes.Clone(d.good)
		file[at] ^= 1 << bit
		v := d.try(file, r.IntN(20) == 0)
		v.held(t, fmt.Sprintf("bit %d of byte %d", bit, at))
		if v.found {
			found++
		}
	}
	t.Logf("%d flips, %d found, the others in free pages", n, found)
	if found < n/4 {
		t.Errorf("of %d flips %d were found: the harness hits nothing", n, found)
	}
}

func TestPromise07AFileThatWasCutIsFound(t *testing.T) {
	d, r := newDamageable(t), random(t)
	for i := range times(5, 100) {
		n := 1 + r.IntN(d.used-1)
		if i == 0 {
			n = d.used - 1
		}
		// The file is longer than what it holds; that alone may go.
		v := d.try(d.good[:n], i%10 == 0)
		v.held(t, fmt.Sprintf("cut at %d", n))
		if !v.found && n < livePages(d.good)*dbPage {
			t.Errorf("cut at %d of %d pages: nobody said so", n, livePages(d.good))
		}
	}
}

// livePages is how many pages the newer header says there are.
func livePages(file []byte) int {
	pages := func(at int) (n, txid uint64) {
		return binary.NativeEndian.Uint64(file[at+16+40:]), binary.NativeEndian.Uint64(file[at+16+48:])
	}
	n0, t0 := pages(0)
	n1, t1 := pages(dbPage)
	if t1 > t0 {
		return int(n1)
	}
	return int(n0)
}

func TestPromise07HeadersEmptyAndMissingFiles(t *testing.T) {
	d := newDamageable(t)
	zero := func(from, to int) []byte {
		b := bytes.Clone(d.good)
		clear(b[from:to])
		return b
	}
	for what, file := range map[string][]byte{
		"the first header zeroed":  zero(0, dbPage),
		"the second header zeroed": zero(dbPage, 2*dbPage),
		"both headers zeroed":      zero(0, 2*dbPage),
		"an empty file":            {},
		"a file of zeros":          make([]byte, len(d.good)),
		"a text":                   []byte("hello\n"),
		"another database":         append(bytes.Clone(d.good[:2*dbPage]), make([]byte, 20*dbPage)...),
	} {
		v := d.try(file, true)
		v.held(t, what)
		if !v.found {
			t.Errorf("%s: nobody said so", what)
		}
	}
	must(t, os.Remove(d.db()))
	for _, args := range [][]string{{"check"}, {"upcoming"}, {"serve"}} {
		if r := d.run(args...); r.code != 10 || !strings.Contains(r.err, d.backup) {
			t.Errorf("%v without a file: %s", args, r)
		}
	}
	// A backup that is damaged as well is not the one to take.
	bad := filepath.Join(d.data, "backups", "tickler-20261102T010000Z.db")
	must(t, os.WriteFile(bad, d.good[:8*dbPage], 0o600))
	if v := d.try(nil, false); strings.Contains(v.answer, bad) || !strings.Contains(v.answer, d.backup) {
		t.Errorf("the newest backup is damaged: %s", v.answer)
	}
	// The way back that is told is one.
	must(t, os.Rename(d.db(), d.db()+".damaged"))
	d.must("restore", d.backup)
	if got := d.must("upcoming", "--all", "-o", "json"); got != d.list {
		t.Error("what was restored lists something else")
	}
}

func TestPromise07PagesOfAnOlderCopyAreFound(t *testing.T) {
	d, r := newDamageable(t), random(t)
	found, tried := 0, 0
	for range times(10, 300) {
		file := bytes.Clone(d.good)
		page := 2 + r.IntN(min(livePages(d.good), len(d.older)/dbPage)-2)
		at := page * dbPage
		if bytes.Equal(d.older[at:at+dbPage], file[at:at+dbPage]) {
			continue
		}
		tried++
		copy(file[at:at+dbPage], d.older[at:at+dbPage])
		v := d.try(file, false)
		v.held(t, fmt.Sprintf("page %d of an older copy", page))
		if v.found {
			found++
		}
	}
	t.Logf("%d pages exchanged, %d found", tried, found)
	if tried == 0 {
		t.Error("no page differs between the copies: the harness proves nothing")
	}
}

// A build that does not look at the records' checksums serves wrong data, and
// the listing shows it; the real one refuses the same file.
func TestPromise07ControlWithoutChecksums(t *testing.T) {
	d := newDamageable(t)
	file, name := bytes.Clone(d.good), []byte("客户")
	for at := 2 * dbPage; ; {
		i := bytes.Index(file[at:d.used], name)
		if i < 0 {
			break
		}
		at += i + len(name)
		if c := file[at]; c >= '0' && c <= '9' { // a borrower's name
			file[at] ^= 1
		}
	}
	if v := d.try(file, true); !v.found || v.wrong || v.shock != "" {
		t.Errorf("names that were changed: %+v", v)
	}
	d.program = planted(t, "store/seal.go", "if sealSum(bucket, key, body) != sum {", "if sealSum(bucket, key, body) != sum && version != version {")
	if v := d.try(file, false); !v.wrong {
		t.Errorf("a build without checksums was not found out: %+v", v)
	}
}
