package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tickler/calendar"
	"tickler/store"
	"tickler/store/bolt"
	"tickler/store/storetest"
)

var (
	auditSeed  = flag.Uint64("audit.seed", 20261123, "where the tampering tests begin")
	auditTries = flag.Int("audit.tamperings", 1500, "how many tamperings; the long form is 10000")
	auditClean = flag.Int("audit.clean", 150, "how many clean trails; the long form is 1000, each a file (-audit.files)")
	auditFiles = flag.Bool("audit.files", false, "keep the clean trails in files, closed and opened again")
)

var ctx = context.Background()

// grow writes a trail as a branch would: transactions of one record or a few,
// some of them taken back, days that go on or stay.
func grow(t testing.TB, s *store.Store, r *rand.Rand, records int) {
	t.Helper()
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var day calendar.Date
	no := errors.New("taken back")
	text := func(n int) string {
		letters := []rune("abcdefghij<>&\"\\\u2028\t借据号到期 é/:%")
		var b strings.Builder
		for range n {
			b.WriteRune(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	for n := 0; n < records; {
		group := min(1+r.IntN(6), records-n)
		fail := r.IntN(6) == 0
		at = at.Add(time.Duration(r.IntN(90000)) * time.Second)
		if n > 0 && (day.IsZero() || r.IntN(4) == 0) {
			day = max(day, calendar.MustDate(2026, 11, 1)).AddDays(r.IntN(5))
		}
		err := s.Update(ctx, func(tx *store.Tx) error {
			for range group {
				rec := store.Record{At: at, Business: day, OSUser: "ops", Rulebook: "sha256:a", Calendar: "sha256:b"}
				switch loan := fmt.Sprintf("JJ%d", r.IntN(20)); r.IntN(5) {
				case 0:
					rec.Action, rec.Subject = "obligation.raised", "maturity-notice:loan/"+loan+":2026-12-31"
				case 1:
					rec.Action, rec.Subject = "obligation.done", "overdue-notice-guarantor:loan/"+loan+":2026-12-31:guarantor/"+"张三"
				case 2:
					rec.Action, rec.Subject, rec.About = "event.recorded", fmt.Sprint(r.IntN(99)), []string{"loan/" + loan}
				case 3:
					rec.Action, rec.Subject = "ledger.imported", "借据台账 <"+text(r.IntN(400))+">.xlsx"
				default:
					rec.Action = "scan"
				}
				if r.IntN(2) == 0 {
					rec.Actor = fmt.Sprintf("S%03d", r.IntN(9))
				}
				if r.IntN(3) > 0 {
					var err error
					if rec.Detail, err = store.AuditDetail(map[string]any{text(3): text(r.IntN(30)), "n": r.Float64(), "due": day}); err != nil {
						return err
					}
				}
				if _, err := tx.Audit(rec); err != nil {
					return err
				}
			}
			if fail {
				return no
			}
			return nil
		})
		if err != nil && err != no {
			t.Fatal(err)
		}
		if err == nil {
			n += group
		}
	}
}

// No false alarm: what was written is found as it was written, its export as
// well, and again after the indexes were made anew.
func TestACleanTrailIsNeverCalledDamaged(t *testing.T) {
	t.Logf("%d trails from -audit.seed %d", *auditClean, *auditSeed)
	for i := range *auditClean {
		seed := *auditSeed + uint64(i)
		r := rand.New(rand.NewPCG(seed, 1))
		var s *store.Store
		path := filepath.Join(t.TempDir(), "tickler.db")
		reopen := func() {
			db, err := bolt.Open(path, bolt.Options{})
			if err != nil {
				t.Fatal(err)
			}
			s = store.New(db)
		}
		if *auditFiles {
			if err := bolt.Create(path); err != nil {
				t.Fatal(err)
			}
			reopen()
		} else {
			s = store.New(storetest.NewMemory())
		}
		n := r.IntN(150)
		grow(t, s, r, n)
		if *auditFiles {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			reopen()
		}
		if r.IntN(4) == 0 {
			if err := s.Update(ctx, func(tx *store.Tx) error { return tx.Reindex() }); err != nil {
				t.Fatal(err)
			}
		}
		var anchors []store.Anchor
		var export bytes.Buffer
		err := s.View(ctx, func(tx *store.Tx) error {
			seq, hash, err := tx.AuditHead()
			anchors = append(anchors, store.Anchor{Seq: seq, Hash: hash})
			if n > 0 {
				some, err := tx.AuditRecord(1 + r.Uint64N(uint64(n)))
				if err != nil {
					return err
				}
				anchors = append(anchors, store.Anchor{Seq: some.Seq, Hash: some.Hash})
			}
			return errors.Join(err, tx.AuditLines(1, seq, -1, func(_ uint64, line json.RawMessage) error {
				export.Write(append(line, '\n'))
				return nil
			}))
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, with := range [][]store.Anchor{nil, anchors} {
			proof, err := s.VerifyAudit(ctx, with...)
			if err != nil || proof.Count != uint64(n) || len(proof.Backward) > 0 || len(proof.Anchors) != len(with) {
				t.Fatalf("seed %d, %d records: %+v, %v", seed, n, proof, err)
			}
			proof, err = store.VerifyExport(bytes.NewReader(export.Bytes()), with...)
			if n > 0 && (err != nil || proof.Count != uint64(n) || proof.Head != anchors[0]) {
				t.Fatalf("seed %d, export of %d records: %+v, %v", seed, n, proof, err)
			}
		}
		if err := s.Check(ctx, func(err error) { t.Fatalf("seed %d: check: %v", seed, err) }); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}

// forger changes a trail with all that the program itself knows: the form of
// its records, their seals, and how they are chained.
type forger struct {
	store.Writer
	r    *rand.Rand
	last int // records
}

func (f *forger) key(i int) []byte { return store.AuditKey(uint64(i)) }

func (f *forger) raw(i int) []byte {
	v, err := f.Get("audit", f.key(i))
	if err != nil {
		panic(err)
	}
	return bytes.Clone(v)
}

func (f *forger) payload(i int) []byte { v := f.raw(i); return v[1 : len(v)-4] }

func (f *forger) seal(i int, payload []byte) {
	if err := f.Put("audit", f.key(i), store.SealRecord("audit", f.key(i), 1, payload)); err != nil {
		panic(err)
	}
}

func (f *forger) delete(i int) {
	if err := f.Delete("audit", f.key(i)); err != nil {
		panic(err)
	}
}

func (f *forger) record(i int) store.Record {
	var rec store.Record
	if err := json.Unmarshal(f.payload(i)[32:], &rec); err != nil {
		panic(err)
	}
	return rec
}

// keep seals a record with a hash of its own or another.
func (f *forger) keep(i int, rec store.Record, hash []byte) []byte {
	body, err := json.Marshal(rec)
	if err != nil {
		panic(err)
	}
	if hash == nil {
		prev := make([]byte, 32)
		if i > 1 {
			prev = f.payload(i - 1)[:32]
		}
		sum := store.AuditHash(prev, body)
		hash = sum[:]
	}
	f.seal(i, append(bytes.Clone(hash), body...))
	return hash
}

// chain chains again from a record to the end.
func (f *forger) chain(from int) {
	for i := from; i <= f.last; i++ {
		rec := f.record(i)
		rec.Seq, rec.Prev = uint64(i), strings.Repeat("0", 64)
		if i > 1 {
			rec.Prev = fmt.Sprintf("%x", f.payload(i - 1)[:32])
		}
		f.keep(i, rec, nil)
	}
}

func (f *forger) head(seq int, hash []byte) {
	v := append(f.key(seq), hash...)
	if err := f.Put("meta", []byte("audit"), store.SealRecord("meta", []byte("audit"), 1, v)); err != nil {
		panic(err)
	}
}

func (f *forger) rightHead() {
	if f.last == 0 {
		f.head(0, make([]byte, 32))
		return
	}
	f.head(f.last, f.payload(f.last)[:32])
}

func (f *forger) any() int { return 1 + f.r.IntN(f.last) }

func (f *forger) edited(i int) store.Record {
	rec := f.record(i)
	switch f.r.IntN(6) {
	case 0:
		rec.Detail = json.RawMessage(fmt.Sprintf(`{"why":"forged %d"}`, f.r.IntN(1000)))
	case 1:
		rec.Actor += "9"
	case 2:
		rec.OSUser = "root"
	case 3:
		rec.At = rec.At.Add(time.Second)
	case 4:
		rec.Action += "."
	default:
		rec.Rulebook = "sha256:c"
	}
	return rec
}

// insert makes room at i for a forged record and moves the rest up.
func (f *forger) insert(i int) {
	for j := f.last; j >= i; j-- {
		f.seal(j+1, f.payload(j))
	}
	rec := f.record(min(i, f.last))
	rec.Action, rec.Seq = "obligation.done", uint64(i)
	f.keep(i, rec, bytes.Repeat([]byte{7}, 32))
	f.last++
}

// remove takes i out and moves the rest down.
func (f *forger) remove(i int) {
	for j := i; j < f.last; j++ {
		f.seal(j, f.payload(j+1))
	}
	f.delete(f.last)
	f.last--
}

// tamperings, and whether the trail that is left is whole in itself.
var tamperings = []struct {
	name  string
	whole bool
	do    func(f *forger)
}{
	{"bytes flipped", false, func(f *forger) {
		i := f.any()
		v := f.raw(i)
		for _, at := range f.r.Perm(len(v))[:1+f.r.IntN(3)] {
			v[at] ^= byte(1 + f.r.IntN(255))
		}
		f.Put("audit", f.key(i), v)
	}},
	{"bytes of the head flipped", false, func(f *forger) {
		v, _ := f.Get("meta", []byte("audit"))
		v = bytes.Clone(v)
		v[f.r.IntN(len(v))] ^= byte(1 + f.r.IntN(255))
		f.Put("meta", []byte("audit"), v)
	}},
	{"a byte changed and sealed", false, func(f *forger) {
		i := f.any()
		v := f.payload(i)
		v[f.r.IntN(len(v))] ^= byte(1 + f.r.IntN(255))
		f.seal(i, v)
	}},
	{"another form", false, func(f *forger) {
		i := f.any()
		f.Put("audit", f.key(i), store.SealRecord("audit", f.key(i), byte(2+f.r.IntN(9)), f.payload(i)))
	}},
	{"cut short and sealed", false, func(f *forger) {
		i := f.any()
		v := f.payload(i)
		f.seal(i, v[:f.r.IntN(len(v))])
	}},
	{"edited and sealed", false, func(f *forger) { i := f.any(); f.keep(i, f.edited(i), f.payload(i)[:32]) }},
	{"edited, hashed and sealed", false, func(f *forger) { i := f.any(); f.keep(i, f.edited(i), nil) }},
	{"one dropped", false, func(f *forger) { f.delete(f.any()) }},
	{"one dropped and the rest moved", false, func(f *forger) { f.remove(f.any()) }},
	{"one dropped, the rest moved, the head too", false, func(f *forger) {
		f.remove(1 + f.r.IntN(f.last-1))
		f.rightHead()
	}},
	{"two swapped", false, func(f *forger) {
		i := 1 + f.r.IntN(f.last-1)
		j := i + 1 + f.r.IntN(f.last-i)
		a, b := f.payload(i), f.payload(j)
		f.seal(i, b)
		f.seal(j, a)
	}},
	{"two swapped as they are", false, func(f *forger) {
		i := 1 + f.r.IntN(f.last-1)
		a, b := f.raw(i), f.raw(i+1)
		f.Put("audit", f.key(i), b)
		f.Put("audit", f.key(i+1), a)
	}},
	{"one put over another", false, func(f *forger) {
		i := 1 + f.r.IntN(f.last-1)
		f.seal(i+1, f.payload(i))
	}},
	{"one doubled, the rest moved, the head too", false, func(f *forger) {
		i := f.any()
		for j := f.last; j >= i; j-- {
			f.seal(j+1, f.payload(j))
		}
		f.last++
		f.rightHead()
	}},
	{"one inserted", false, func(f *forger) { f.insert(f.any()) }},
	{"one put behind the head", false, func(f *forger) { f.seal(f.last+1+f.r.IntN(3), f.payload(f.any())) }},
	{"one put before the first", false, func(f *forger) { f.last++; f.seal(0, f.payload(1)); f.delete(1) }},
	{"the tail cut", false, func(f *forger) {
		for n := f.any(); f.last >= n; f.last-- {
			f.delete(f.last)
		}
	}},
	{"edited and chained to the end, not the head", false, func(f *forger) {
		i := f.any()
		f.keep(i, f.edited(i), nil)
		f.chain(i)
	}},
	{"edited and chained half way", false, func(f *forger) {
		i := 1 + f.r.IntN(f.last-1)
		f.keep(i, f.edited(i), nil)
		last := f.last
		f.last = i + f.r.IntN(last-i)
		f.chain(i)
		f.last = last
		f.rightHead()
	}},
	{"the head with another hash", false, func(f *forger) { f.head(f.last, bytes.Repeat([]byte{9}, 32)) }},
	{"the head with a higher number", false, func(f *forger) { f.head(f.last+1+f.r.IntN(5), f.payload(f.last)[:32]) }},
	{"the head with a lower number", false, func(f *forger) {
		n := f.r.IntN(f.last)
		hash := make([]byte, 32)
		if n > 0 {
			hash = f.payload(n)[:32]
		}
		f.head(n, hash)
	}},
	{"the head of another form", false, func(f *forger) {
		f.Put("meta", []byte("audit"), store.SealRecord("meta", []byte("audit"), 3, append(f.key(f.last), f.payload(f.last)[:32]...)))
	}},
	{"no head", false, func(f *forger) { f.Delete("meta", []byte("audit")) }},

	{"the tail cut and the head put back", true, func(f *forger) {
		for n := f.any(); f.last >= n; f.last-- {
			f.delete(f.last)
		}
		f.rightHead()
	}},
	{"edited and chained to the end", true, func(f *forger) {
		i := f.any()
		f.keep(i, f.edited(i), nil)
		f.chain(i)
		f.rightHead()
	}},
	{"one dropped and chained to the end", true, func(f *forger) {
		i := f.any()
		f.remove(i)
		f.chain(i)
		f.rightHead()
	}},
	{"one inserted and chained to the end", true, func(f *forger) {
		i := f.any()
		f.insert(i)
		f.chain(i)
		f.rightHead()
	}},
	{"two swapped and chained to the end", true, func(f *forger) {
		i := 1 + f.r.IntN(f.last-1)
		a, b := f.payload(i), f.payload(i+1)
		f.seal(i, b)
		f.seal(i+1, a)
		f.chain(i)
		f.rightHead()
	}},
}

// Whatever is changed is found by an anchor, and without one too unless what
// is left is whole in itself.
func TestEveryTamperingIsFound(t *testing.T) {
	t.Logf("%d tamperings from -audit.seed %d", *auditTries, *auditSeed)
	unseen := map[string]int{}
	var base *storetest.Memory
	var anchor store.Anchor
	var n int
	for i := range *auditTries {
		seed := *auditSeed + uint64(i)
		r := rand.New(rand.NewPCG(seed, 2))
		if i%50 == 0 {
			base = storetest.NewMemory()
			s := store.New(base)
			n = 2 + r.IntN(40)
			grow(t, s, r, n)
			err := s.View(ctx, func(tx *store.Tx) (err error) { anchor.Seq, anchor.Hash, err = tx.AuditHead(); return err })
			if err != nil {
				t.Fatal(err)
			}
		}
		x := tamperings[i%len(tamperings)]
		b := base.Clone()
		if err := b.Update(ctx, func(w store.Writer) error { x.do(&forger{w, r, n}); return nil }); err != nil {
			t.Fatal(err)
		}
		s := store.New(b)
		if _, err := s.VerifyAudit(ctx, anchor); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("-audit.seed %d: %s: with an anchor: %v", seed, x.name, err)
		}
		_, err := s.VerifyAudit(ctx)
		if err == nil {
			unseen[x.name]++
		} else if !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("-audit.seed %d: %s: %v", seed, x.name, err)
		}
		if err == nil && !x.whole {
			t.Errorf("-audit.seed %d: %s: not found without an anchor", seed, x.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unseen)) {
		t.Logf("without an anchor unseen: %s, %d times", name, unseen[name])
	}
}

// An export that was changed is found as its store would be.
func TestAChangedExportIsFound(t *testing.T) {
	s := store.New(storetest.NewMemory())
	r := rand.New(rand.NewPCG(*auditSeed, 3))
	grow(t, s, r, 30)
	var lines [][]byte
	var anchor store.Anchor
	err := s.View(ctx, func(tx *store.Tx) (err error) {
		anchor.Seq, anchor.Hash, _ = tx.AuditHead()
		return tx.AuditLines(1, 30, -1, func(_ uint64, l json.RawMessage) error { lines = append(lines, bytes.Clone(l)); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	join := func(l [][]byte) []byte { return bytes.Join(l, []byte("\n")) }
	check := func(what string, file []byte, want store.AuditFault, seq uint64, anchors ...store.Anchor) {
		t.Helper()
		var bad *store.BadRecord
		_, err := store.VerifyExport(bytes.NewReader(file), anchors...)
		if want == "" && err == nil {
			return
		}
		if !errors.As(err, &bad) || bad.Fault != want || bad.Seq != seq {
			t.Errorf("%s: %v, want %s of record %d", what, err, want, seq)
		}
	}
	check("as it is", join(lines), "", 0, anchor)
	check("a part of it", join(lines[9:20]), "", 0)
	check("a part with the anchor before it", join(lines[9:20]), "", 0, store.Anchor{Seq: 9, Hash: string(hashOf(lines[8]))})
	check("a part with another anchor before it", join(lines[9:20]), store.FaultOther, 9, store.Anchor{Seq: 9, Hash: string(hashOf(lines[7]))})
	check("a cut tail", join(lines[:20]), "", 0)
	check("a cut tail, with the anchor", join(lines[:20]), store.FaultCut, 21, anchor)
	check("a line dropped", join(slices.Delete(slices.Clone(lines), 4, 5)), store.FaultMissing, 5)
	check("two swapped", join([][]byte{lines[0], lines[2], lines[1]}), store.FaultMissing, 2)
	check("a line doubled", join([][]byte{lines[0], lines[0]}), store.FaultNumber, 2)
	check("an edit", bytes.Replace(join(lines), []byte(`"os_user":"ops"`), []byte(`"os_user":"opt"`), 1), store.FaultContent, 1)
	check("no record", []byte("seq,at\n1,2\n"), store.FaultUnreadable, 1)
	// Written anew by another program, with spaces and letters not escaped.
	var spaced bytes.Buffer
	for _, l := range lines {
		var v bytes.Buffer
		json.Indent(&v, l, "", " ")
		spaced.WriteString(strings.NewReplacer("\n", " ", `\u003c`, "<", `\u003e`, ">").Replace(v.String()) + "\n")
	}
	check("written anew", spaced.Bytes(), "", 0, anchor)
}

func hashOf(line []byte) []byte {
	rec, _, _, _ := store.ParseAuditLine(line)
	return []byte(rec.Hash)
}

// Records are found by what they are about, page by page, and the index is
// missed when it is not there.
func TestAuditRecordsAreFoundByTheirSubject(t *testing.T) {
	b := storetest.NewMemory()
	s := store.New(b)
	grow(t, s, rand.New(rand.NewPCG(*auditSeed, 4)), 400)
	read := func(n int, names ...store.AuditName) (out []uint64) {
		t.Helper()
		for after := uint64(0); ; {
			err := s.View(ctx, func(tx *store.Tx) (err error) {
				after, err = tx.AuditOf(names, after, n, func(r store.Record) error { out = append(out, r.Seq); return nil })
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if after == 0 {
				return out
			}
		}
	}
	scan := func(match func(store.Record) bool) (out []uint64) {
		s.View(ctx, func(tx *store.Tx) error {
			return tx.ScanAudit(1, 0, func(r store.Record) error {
				if match(r) {
					out = append(out, r.Seq)
				}
				return nil
			})
		})
		return out
	}
	for name, want := range map[store.AuditName][]uint64{
		store.AuditSubject("loan/JJ3"): scan(func(r store.Record) bool {
			return strings.Contains(r.Subject, "loan/JJ3:") || slices.Contains(r.About, "loan/JJ3")
		}),
		store.AuditSubject("guarantor/张三"): scan(func(r store.Record) bool { return strings.HasSuffix(r.Subject, "张三") }),
		store.AuditPerson("S004"):          scan(func(r store.Record) bool { return r.Actor == "S004" }),
		store.AuditUser("ops"):             scan(func(r store.Record) bool { return true }),
		store.AuditSubject("7"):            scan(func(r store.Record) bool { return r.Subject == "7" }),
	} {
		for _, n := range []int{1, 7, 1000} {
			if got := read(n, name); !slices.Equal(got, want) {
				t.Errorf("%s, %d a page: %v, want %v", name, n, got, want)
			}
		}
	}
	both := read(5, store.AuditPerson("S004"), store.AuditUser("ops"))
	if len(both) != 400 {
		t.Errorf("two names give %d records", len(both))
	}
	var key []byte
	err := b.Update(ctx, func(w store.Writer) error {
		w.Scan("post", []byte("z"), []byte("{"), func(k, _ []byte) error { key = bytes.Clone(k); return nil })
		return w.Delete("post", key)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.VerifyAudit(ctx); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("the index lacks an entry: %v", err)
	}
	if err := s.Update(ctx, func(tx *store.Tx) error { return tx.Reindex() }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.VerifyAudit(ctx); err != nil {
		t.Errorf("the index was made again: %v", err)
	}
}

// A long list of one person is verified in several Views.
func TestALongTrailIsVerifiedInPages(t *testing.T) {
	s := store.New(storetest.NewMemory())
	err := s.Update(ctx, func(tx *store.Tx) error {
		for i := range 10000 {
			if _, err := tx.Audit(store.Record{Action: "x", OSUser: "ops", Subject: fmt.Sprint("e", i%40)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	proof, err := s.VerifyAudit(ctx)
	if err != nil || proof.Count != 10000 {
		t.Errorf("%+v, %v", proof, err)
	}
}

// An exported file may hold anything; what is proved is a chain from its first
// record on.
func FuzzVerifyExport(f *testing.F) {
	s := store.New(storetest.NewMemory())
	grow(f, s, rand.New(rand.NewPCG(1, 5)), 3)
	var file []byte
	s.View(ctx, func(tx *store.Tx) error {
		return tx.AuditLines(1, 3, -1, func(_ uint64, l json.RawMessage) error { file = append(append(file, l...), '\n'); return nil })
	})
	f.Add(file)
	f.Add(bytes.ToUpper(file))
	f.Add([]byte(`{"seq":0,"prev":"","hash":""}`))
	f.Add([]byte(`{"seq":18446744073709551615,"prev":"` + strings.Repeat("0", 64) + `","hash":"` + strings.Repeat("0", 64) + `"}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		proof, err := store.VerifyExport(bytes.NewReader(file), store.Anchor{Seq: 3, Hash: strings.Repeat("0", 64)})
		if err == nil {
			t.Fatalf("an anchor that no record has was met: %+v", proof)
		}
	})
}
