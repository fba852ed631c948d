package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

var ctx = context.Background()

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const people = 240

// peopled makes a store with people of everything, in several commits.
func peopled(t testing.TB) string {
	t.Helper()
	path := created(t)
	db := opened(t, path)
	s := store.New(db)
	for round := range 4 {
		must(t, s.Update(ctx, func(tx *store.Tx) error {
			if err := tx.PutMeta(store.Meta{StoreID: "id", BusinessDate: calendar.Date(739000 + round)}); err != nil {
				return err
			}
			for i := range people / 4 {
				id := fmt.Sprintf("C%04d", i*4+round)
				if err := errors.Join(tx.PutDossier(dossier(id)), tx.PutPlan(plan(id)), tx.PutRow("t", id, id)); err != nil {
					return err
				}
				if _, err := tx.Audit(store.Record{Action: "test", Subject: id}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	must(t, db.Close())
	return path
}

func dossier(id string) *loan.Dossier {
	l := &loan.LoanFile{ID: "JJ" + id}
	l.History = l.History.Put(loan.Version[loan.Loan]{From: 739000, Value: loan.Loan{ID: l.ID, Borrower: id, Branch: "B1", Officer: "S1", Balance: 12345}})
	return &loan.Dossier{ID: id, Loans: []*loan.LoanFile{l}}
}

func plan(id string) *store.Plan {
	p := &store.Plan{Unit: loan.Ref{Kind: loan.KindBorrower, ID: id}, Next: 739100}
	for i := range 5 {
		o := obligation.Obligation{State: obligation.Planned}
		o.Rule, o.Subject, o.Branch, o.Due = "annual-review", loan.Ref{Kind: loan.KindLoan, ID: "JJ" + id}, "B1", calendar.Date(739000+i)
		p.Obligations = append(p.Obligations, o)
	}
	return p
}

func copied(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	to := filepath.Join(t.TempDir(), "copy.db")
	must(t, os.WriteFile(to, b, 0o600))
	return to
}

func TestOnlyCreateMakesAStore(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tickler.db")
	if _, err := Open(path, Options{}); !errors.Is(err, store.ErrNoStore) {
		t.Errorf("open what is missing: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("opening left %v", left)
	}
	must(t, os.WriteFile(path, nil, 0o600))
	if _, err := Open(path, Options{}); !errors.Is(err, store.ErrNoStore) {
		t.Errorf("open what is empty: %v", err)
	}
	if _, err := Open(dir, Options{}); err == nil {
		t.Error("a directory was opened")
	}
	must(t, Create(path))
	if err := Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create where there is one: %v", err)
	}
	opened(t, path)
	left, _ := filepath.Glob(filepath.Join(dir, "*.tmp"))
	if len(left) != 0 {
		t.Errorf("creating left %v", left)
	}
	if err := Create(filepath.Join(dir, "none", "tickler.db")); err == nil {
		t.Error("created in a directory that is not there")
	}
}

func TestASecondHolderIsRefused(t *testing.T) {
	path := created(t)
	db := opened(t, path)
	link := filepath.Join(t.TempDir(), "link.db")
	names := []string{path}
	if runtime.GOOS != "windows" {
		must(t, os.Symlink(path, link))
		hard := filepath.Join(filepath.Dir(path), "hard.db")
		must(t, os.Link(path, hard))
		names = append(names, link, hard)
	}
	for _, name := range names {
		for _, readOnly := range []bool{false, true} {
			start := time.Now()
			_, err := Open(name, Options{Timeout: 100 * time.Millisecond, ReadOnly: readOnly})
			if !errors.Is(err, store.ErrLocked) {
				t.Errorf("%s while it is held: %v", filepath.Base(name), err)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("that took %v", took)
			}
		}
	}
	if _, err := Check(ctx, path); !errors.Is(err, store.ErrLocked) {
		t.Errorf("check while it is held: %v", err)
	}
	must(t, db.Close())
	must(t, db.Close())
	if err := db.View(ctx, func(store.Reader) error { return nil }); err == nil {
		t.Error("a View of a closed store")
	}
	r1, err := Open(path, Options{ReadOnly: true})
	must(t, err)
	r2, err := Open(path, Options{ReadOnly: true})
	must(t, err)
	if err := r1.Update(ctx, func(store.Writer) error { return nil }); err == nil {
		t.Error("an Update of a store that is open for reading")
	}
	if _, err := Open(path, Options{Timeout: -1}); !errors.Is(err, store.ErrLocked) {
		t.Errorf("open to write while it is read: %v", err)
	}
	must(t, errors.Join(r1.Close(), r2.Close()))
	opened(t, path)
}

// TestHolder is the other process of TestAKilledHolderIsNoHolder.
func TestHolder(t *testing.T) {
	path := os.Getenv("TICKLER_TEST_HOLD")
	if path == "" {
		t.Skip("run by another test")
	}
	db, err := Open(path, Options{})
	must(t, err)
	fmt.Println("held")
	io.Copy(io.Discard, os.Stdin)
	db.Close()
}

func TestAKilledHolderIsNoHolder(t *testing.T) {
	path := created(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestHolder$", "-test.v")
	cmd.Env = append(os.Environ(), "TICKLER_TEST_HOLD="+path)
	in, err := cmd.StdinPipe()
	must(t, err)
	defer in.Close()
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	read := ""
	for b := make([]byte, 256); !strings.Contains(read, "held"); {
		n, err := out.Read(b)
		read += string(b[:n])
		must(t, err)
	}
	_, err = Open(path, Options{Timeout: 50 * time.Millisecond})
	if !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(cmd.Process.Pid)) {
		t.Errorf("open while process %d holds it: %v", cmd.Process.Pid, err)
	}
	must(t, cmd.Process.Kill())
	cmd.Wait()
	opened(t, path)
}

func TestAReplacedFileStopsItsHolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file cannot be replaced there")
	}
	for name, replace := range map[string]func(path string) error{
		"replaced": func(path string) error {
			b, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path+"2", b, 0o600), os.Rename(path+"2", path))
		},
		"removed": os.Remove,
		"moved":   func(path string) error { return os.Rename(path, path+".old") },
	} {
		t.Run(name, func(t *testing.T) {
			path := created(t)
			db := opened(t, path)
			s := store.New(db)
			must(t, s.Update(ctx, func(tx *store.Tx) error { return tx.PutRow("t", "1", 1) }))
			must(t, replace(path))
			if name == "replaced" {
				if _, err := Open(path, Options{Timeout: -1}); !errors.Is(err, store.ErrLocked) {
					t.Errorf("open the file put in its place: %v", err)
				}
			}
			if err := s.Err(); !errors.Is(err, store.ErrReplaced) {
				t.Errorf("Err gives %v", err)
			}
			err := s.Update(ctx, func(tx *store.Tx) error { return tx.PutRow("t", "2", 2) })
			if !errors.Is(err, store.ErrReplaced) {
				t.Errorf("Update gives %v", err)
			}
		})
	}
	path := created(t)
	db := opened(t, path)
	err := db.Update(ctx, func(w store.Writer) error {
		must(t, os.Rename(path, path+".old"))
		return w.Put("row", []byte("x"), store.SealRecord("row", []byte("x"), 1, nil))
	})
	if !errors.Is(err, store.ErrOutcomeUnknown) || !errors.Is(err, store.ErrReplaced) {
		t.Errorf("a file moved within an Update: %v", err)
	}
	if err := db.View(ctx, func(store.Reader) error { return nil }); !errors.Is(err, store.ErrOutcomeUnknown) {
		t.Errorf("a View after that: %v", err)
	}
}

func TestATruncatedFileIsRefused(t *testing.T) {
	path := peopled(t)
	whole, err := os.ReadFile(path)
	must(t, err)
	r := rand.New(rand.NewPCG(1, 1))
	lengths := []int{1, 16, 100, 4095, 4096, 4097, 8191, 8192, 12288, 16384, 32768}
	for range 60 {
		lengths = append(lengths, r.IntN(len(whole)))
	}
	to := filepath.Join(t.TempDir(), "cut.db")
	used := inUse(t, path)
	for _, n := range lengths {
		if n >= used {
			continue // what bbolt keeps for later is gone, and nothing else
		}
		must(t, os.WriteFile(to, whole[:n], 0o600))
		db, err := Open(to, Options{})
		if err == nil {
			db.Close()
		}
		plain(t, fmt.Sprintf("cut at %d", n), err)
		errs, err := Check(ctx, to)
		if len(errs) == 0 || err != nil {
			t.Errorf("check of a file cut at %d: %v, %v", n, errs, err)
		}
	}
	for name, content := range map[string][]byte{
		"text":   []byte(strings.Repeat("a ledger, not a store\n", 5000)),
		"zeros":  make([]byte, 1<<20),
		"random": func() []byte { b := make([]byte, 1<<20); rand.NewChaCha8([32]byte{}).Read(b); return b }(),
	} {
		must(t, os.WriteFile(to, content, 0o600))
		_, err := Open(to, Options{})
		plain(t, name, err)
	}
}

// inUse is how many bytes of a store's file mean something.
func inUse(t testing.TB, path string) int {
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	m, _, err := inspect(f, false)
	must(t, err)
	return int(m.pages) * m.pageSize
}

// plain says that the error is store.ErrCorrupt, in words a person can use.
func plain(t testing.TB, what string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("%s: %v, want ErrCorrupt", what, err)
	} else if s := err.Error(); strings.Contains(s, "goroutine") || strings.Contains(s, "\n") || len(s) > 400 {
		t.Errorf("%s: the message is not plain: %s", what, s)
	}
}

// everything reads all that peopled wrote, and says what is wrong; an error is
// a good answer, another value is not.
func everything(t testing.TB, what string, path string) (refused bool) {
	db, err := Open(path, Options{})
	if err != nil {
		if !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s: open: %v, want ErrCorrupt", what, err)
		}
		return true
	}
	defer db.Close()
	s := store.New(db)
	read := func(name string, fn func(tx *store.Tx) error) {
		if err := s.View(ctx, fn); err != nil {
			refused = true
			if !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s: %s: %v, want ErrCorrupt", what, name, err)
			}
		}
	}
	read("meta", func(tx *store.Tx) error {
		m, err := tx.Meta()
		if err == nil && m.BusinessDate != 739003 {
			t.Errorf("%s: business date %d", what, m.BusinessDate)
		}
		if errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: the head record is lost", what)
			return nil
		}
		return err
	})
	units := 0
	read("due", func(tx *store.Tx) error {
		return tx.Due("", 739000, 739000, func(loan.Ref) error { units++; return nil })
	})
	plans := 0
	read("plans", func(tx *store.Tx) error { return tx.ScanPlans(func(*store.Plan) error { plans++; return nil }) })
	if !refused && (units != people || plans != people) {
		t.Errorf("%s: %d units due and %d plans, want %d", what, units, plans, people)
	}
	for i := len(what) % 3; i < people; i += 3 {
		id := fmt.Sprintf("C%04d", i)
		read(id, func(tx *store.Tx) error {
			d, err := tx.Dossier(id)
			if err == nil && !reflect.DeepEqual(d, dossier(id)) {
				t.Errorf("%s: dossier %s is %+v", what, id, d)
			}
			p, perr := tx.Plan(plan(id).Unit)
			if perr == nil && !reflect.DeepEqual(p, plan(id)) {
				t.Errorf("%s: plan %s is %+v", what, id, p)
			}
			if d, err := tx.Dossier(id + "x"); d != nil {
				t.Errorf("%s: dossier %sx is %+v, %v", what, id, d, err)
			}
			return errors.Join(err, perr)
		})
	}
	if _, err := s.VerifyAudit(ctx); err != nil {
		refused = true
	}
	// And a change must not make it worse.
	err = s.Update(ctx, func(tx *store.Tx) error {
		for i := 0; i < people; i += 7 {
			id := fmt.Sprintf("C%04d", i)
			if err := errors.Join(tx.PutRow("t", id, "changed"), tx.PutPlan(&store.Plan{Unit: plan(id).Unit})); err != nil {
				return err
			}
		}
		return nil
	})
	return refused || err != nil
}

var flipSeed = flag.Uint64("flipseed", 2, "which bits TestAFlippedBitIsNeverServed flips")

// A flipped bit is found, or is where nothing is kept.
func TestAFlippedBitIsNeverServed(t *testing.T) {
	path := peopled(t)
	whole, err := os.ReadFile(path)
	must(t, err)
	used := inUse(t, path)
	live := livePages(t, path)
	r := rand.New(rand.NewPCG(2, *flipSeed))
	type flip struct{ at, bit int }
	var flips []flip
	for range 200 {
		flips = append(flips, flip{r.IntN(used), r.IntN(8)})
	}
	// The pages' own numbers and elements are few; each kind gets its share.
	for _, id := range live {
		flips = append(flips, flip{id*pageSize + r.IntN(pageHeader), r.IntN(8)})
		flips = append(flips, flip{id*pageSize + pageHeader + r.IntN(elementSize*4), r.IntN(8)})
	}
	for range 60 {
		flips = append(flips, flip{r.IntN(2)*pageSize + r.IntN(pageHeader+metaSize), r.IntN(8)})
	}
	if testing.Short() {
		flips = flips[:100]
	}
	to := filepath.Join(t.TempDir(), "flipped.db")
	refused := 0
	for _, f := range flips {
		b := slices.Clone(whole)
		b[f.at] ^= 1 << f.bit
		must(t, os.WriteFile(to, b, 0o600))
		what := fmt.Sprintf("bit %d of byte %d of page %d", f.bit, f.at%pageSize, f.at/pageSize)
		inLive := slices.Contains(live, f.at/pageSize)
		if everything(t, what, to) {
			refused++
		} else if inLive && f.at%pageSize < pageHeader {
			// Nothing that was read rests on that page; a check finds it.
			must(t, os.WriteFile(to, b, 0o600))
			if errs, err := Check(ctx, to); len(errs) == 0 || err != nil {
				t.Errorf("%s, of a page's head, is not found: %v", what, err)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d of %d flips were found", refused, len(flips))
}

// livePages lists the pages of the tree.
func livePages(t testing.TB, path string) (ids []int) {
	db, err := Open(path, Options{ReadOnly: true})
	must(t, err)
	defer db.Close()
	must(t, db.run(ctx, false, func(tx *tx) error {
		seen := newBitmap(tx.tree.count())
		tx.tree.all(true, func(id uint64) bool { ids = append(ids, int(id)); return seen.mark(id) }, func(page) bool { return true }, func(err error) { t.Error(err) })
		return nil
	}))
	return ids
}

func TestADamagedHeaderIsNotPassedOver(t *testing.T) {
	path := peopled(t)
	for page := range 2 {
		to := copied(t, path)
		f, err := os.OpenFile(to, os.O_RDWR, 0)
		must(t, err)
		_, err = f.WriteAt(make([]byte, pageSize), int64(page*pageSize))
		must(t, errors.Join(err, f.Close()))
		_, err = Open(to, Options{})
		plain(t, fmt.Sprintf("header %d is zero", page), err)
		db, err := Open(to, Options{OneHeader: true})
		must(t, err)
		must(t, store.New(db).Update(ctx, func(tx *store.Tx) error { return tx.PutRow("t", "new", 1) }))
		must(t, db.Close())
	}
}

func TestABackupIsWholeAndAnExactState(t *testing.T) {
	path := peopled(t)
	live := livePages(t, path)
	db := opened(t, path)
	s := store.New(db)
	dir := t.TempDir()
	stop, done := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for i := 0; err == nil; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			err = s.Update(ctx, func(tx *store.Tx) error {
				// Together or not at all.
				return errors.Join(tx.PutRow("t", "a", i), tx.PutRow("t", "b", i))
			})
		}
		done <- err
	}()
	for i := range 10 {
		to := filepath.Join(dir, fmt.Sprint("backup", i))
		must(t, s.Backup(ctx, to))
		if err := s.Backup(ctx, to); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a backup over another: %v", err)
		}
		restored := filepath.Join(dir, fmt.Sprint("restored", i))
		must(t, Restore(ctx, to, restored, nil))
		if err := Restore(ctx, to, restored, nil); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a restore over a store: %v", err)
		}
		errs, err := Check(ctx, restored)
		if len(errs) > 0 || err != nil {
			t.Errorf("the restored store: %v, %v", errs, err)
		}
		rs := store.New(opened(t, restored))
		must(t, rs.Check(ctx, func(err error) { t.Error(err) }))
		must(t, rs.View(ctx, func(tx *store.Tx) error {
			var a, b json.RawMessage
			aerr, berr := tx.Row("t", "a", &a), tx.Row("t", "b", &b)
			if string(a) != string(b) || !errors.Is(aerr, errors.Unwrap(berr)) && aerr != berr {
				t.Errorf("a is %s and b is %s; %v, %v", a, b, aerr, berr)
			}
			return nil
		}))
	}
	close(stop)
	must(t, <-done)

	c, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Backup(c, filepath.Join(dir, "cancelled")); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled backup: %v", err)
	}
	bad := copied(t, path)
	b, err := os.ReadFile(bad)
	must(t, err)
	for _, id := range live {
		b[id*pageSize+200] ^= 1
	}
	must(t, os.WriteFile(bad, b, 0o600))
	if err := Restore(ctx, bad, filepath.Join(dir, "bad"), nil); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("restore of a damaged backup: %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*.tmp"))
	_, err1 := os.Stat(filepath.Join(dir, "bad"))
	_, err2 := os.Stat(filepath.Join(dir, "cancelled"))
	if len(left) > 0 || err1 == nil || err2 == nil {
		t.Errorf("failed backups left %v, %v, %v", left, err1, err2)
	}
}

// One change to a copy leaves two headers that follow each other, whichever
// number the copied change had.
func TestACopyCanBeGoneOnWith(t *testing.T) {
	db := opened(t, created(t))
	s := store.New(db)
	dir := t.TempDir()
	for i := range 4 {
		must(t, s.Update(ctx, func(tx *store.Tx) error { return tx.PutRow("t", "a", i) }))
		to, restored := filepath.Join(dir, fmt.Sprint("backup", i)), filepath.Join(dir, fmt.Sprint("restored", i))
		must(t, s.Backup(ctx, to))
		for _, finish := range []func(*DB) error{nil, func(db *DB) error {
			return store.New(db).Update(ctx, func(tx *store.Tx) error { return tx.PutRow("t", "restored", i) })
		}} {
			must(t, Restore(ctx, to, restored, finish))
			again, err := Open(restored, Options{})
			must(t, err)
			must(t, store.New(again).Update(ctx, func(tx *store.Tx) error { return tx.PutRow("t", "a", -1) }))
			must(t, again.Close())
			if errs, err := Check(ctx, restored); len(errs) > 0 || err != nil {
				t.Errorf("copy %d after a change: %v, %v", i, errs, err)
			}
			must(t, os.Remove(restored))
		}
	}
}

// What a copy that was killed left is swept by the next; one at work is let be.
func TestTheNextBackupSweepsWhatAKilledOneLeft(t *testing.T) {
	db := opened(t, created(t))
	dir := t.TempDir()
	dead, working := filepath.Join(dir, ".tickler-copy-1.tmp"), filepath.Join(dir, ".tickler-copy-2.tmp")
	other := filepath.Join(dir, "notes.tmp")
	for _, name := range []string{dead, working, other} {
		must(t, os.WriteFile(name, []byte("x"), 0o600))
	}
	f, err := os.Open(working)
	must(t, err)
	defer f.Close()
	must(t, tryLock(f, true))
	must(t, db.Backup(ctx, filepath.Join(dir, "b")))
	for name, want := range map[string]bool{dead: false, working: true, other: true} {
		if _, err := os.Stat(name); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", name, err == nil, want)
		}
	}
}

func TestCheckNamesTheDamagedRecord(t *testing.T) {
	path := peopled(t)
	errs, err := Check(ctx, path)
	if len(errs) > 0 || err != nil {
		t.Fatalf("a sound store: %v, %v", errs, err)
	}
	b, err := os.ReadFile(path)
	must(t, err)
	at := -1
	for _, id := range livePages(t, path) { // the record, not an old copy of it
		page := b[id*pageSize : (id+1)*pageSize]
		if i := strings.Index(string(page), "dossier\x00C0100"); i > 0 && order.Uint16(page[8:]) == flagLeaf {
			at = id*pageSize + i + len("dossier\x00C0100") + 3
		}
	}
	b[at] ^= 0x10
	must(t, os.WriteFile(path, b, 0o600))
	errs, err = Check(ctx, path)
	if len(errs) != 1 || err != nil || !strings.Contains(errs[0].Error(), `dossier of borrower "C0100"`) {
		t.Errorf("check: %v, %v; want one error that names C0100", errs, err)
	}
}

func TestAnUpdateGivesUpWaiting(t *testing.T) {
	db := opened(t, created(t))
	c, cancel := context.WithCancel(ctx)
	must(t, db.Update(ctx, func(store.Writer) error {
		done := make(chan error)
		go func() { done <- db.Update(c, func(store.Writer) error { return nil }) }()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("a second Update gives %v", err)
		}
		return nil
	}))
	var kept store.Reader
	must(t, db.View(ctx, func(r store.Reader) error { kept = r; return nil }))
	if _, err := kept.Get("row", []byte("x")); err == nil {
		t.Error("a transaction was used after its end")
	}
}
