package store

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tickler/loan"
	"tickler/obligation"
)

// fuzzTx is a transaction with a few names in its dict and nothing else.
func fuzzTx() *Tx {
	d := newDict()
	for i, s := range []string{"officer", "maturity-notice", "B1", "sha256:00"} {
		d.byID = append(d.byID, s)
		d.byStr[s] = uint32(i + 1)
	}
	return &Tx{store: New(nil), r: empty{}, dict: d}
}

// The codecs are handed anything: what they make of it must be refused, or be
// written again just as it was read; it never panics.

func FuzzPlan(f *testing.F) {
	tx := fuzzTx()
	p := &Plan{Unit: loan.Ref{Kind: loan.KindBorrower, ID: "C1"}, Facts: 7, Next: 739000, Rulebook: "sha256:00"}
	for i, occurrence := range []string{"", "2026-12-31", "2026-11", "2026-Q4", "2026-W47", "2026-11-B", "event/17"} {
		o := obligation.Obligation{State: obligation.States[i], RaisedAt: time.Unix(1e9, 5), Cause: "展期"}
		o.Rule, o.Subject, o.Occurrence, o.Branch = "maturity-notice", loan.Ref{Kind: loan.KindLoan, ID: "JJ1"}, occurrence, "B1"
		o.Closed = &obligation.Closing{On: 739001, Event: "9"}
		o.Party = loan.Ref{Kind: loan.KindGuarantor, ID: "张三"}
		p.Obligations = append(p.Obligations, o)
	}
	tx.enc.reset(tx)
	tx.enc.plan(p)
	f.Add(bytes.Clone(tx.enc.b))
	f.Add([]byte{})
	f.Add(append([]byte{0, 0, 0, 0, 0, 0}, binary.AppendUvarint(nil, 1<<60)...))
	f.Fuzz(func(t *testing.T, payload []byte) {
		tx := fuzzTx()
		key := []byte("bC1")
		p, err := tx.decodePlan(key, payload)
		if err != nil {
			return
		}
		if len(p.Obligations) > len(payload) {
			t.Fatalf("%d obligations of %d bytes", len(p.Obligations), len(payload))
		}
		planPostings(p)
		tx.enc.reset(tx)
		tx.enc.plan(p)
		if tx.enc.err != nil {
			return // a string that has no number yet
		}
		again, err := tx.decodePlan(key, bytes.Clone(tx.enc.b))
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		first := bytes.Clone(tx.enc.b)
		tx.enc.reset(tx)
		tx.enc.plan(again)
		if !bytes.Equal(first, tx.enc.b) {
			t.Fatalf("written %x, then %x", first, tx.enc.b)
		}
	})
}

func FuzzDossier(f *testing.F) {
	tx := fuzzTx()
	l := &loan.LoanFile{ID: "JJ1", Confirmed: 739000}
	l.History = l.History.Put(loan.Version[loan.Loan]{From: 738000, Learned: time.Unix(1e9, 0), Value: loan.Loan{ID: "JJ1", Branch: "B1", Guarantors: []string{"张三"}}})
	l.Guarantors = []loan.Guarantor{{Loan: "JJ1", ID: "张三"}}
	d := &loan.Dossier{ID: "C1", Borrower: &loan.Borrower{ID: "C1", X: map[string]string{"officer": "x"}}, Loans: []*loan.LoanFile{l}, Collaterals: []*loan.Collateral{{ID: "K1", Loans: []string{"JJ1"}}}}
	tx.enc.reset(tx)
	tx.enc.dossier(d)
	f.Add(bytes.Clone(tx.enc.b))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		tx := fuzzTx()
		d, err := tx.decodeDossier([]byte("C1"), payload)
		if err != nil {
			return
		}
		dossierPostings(d)
		tx.enc.reset(tx)
		tx.enc.dossier(d)
		if tx.enc.err != nil {
			return
		}
		first := bytes.Clone(tx.enc.b)
		again, err := tx.decodeDossier([]byte("C1"), first)
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		tx.enc.reset(tx)
		tx.enc.dossier(again)
		if !bytes.Equal(first, tx.enc.b) {
			t.Fatalf("written %x, then %x", first, tx.enc.b)
		}
	})
}

func FuzzChunk(f *testing.F) {
	cell := []byte(dayCell(indexNext, 739000))
	f.Add([]byte("bC1"), appendChunk(nil, []string{"bC1", "bC2", "bC20"}))
	f.Add([]byte(""), []byte{0, 0})
	f.Fuzz(func(t *testing.T, member, payload []byte) {
		key := append(bytes.Clone(cell), member...)
		out, err := decodeChunk(key, cell, seal(bucketPost, key, postVersion, payload))
		if err != nil {
			return
		}
		if !slices.IsSorted(out) || out[0] != string(member) {
			t.Fatalf("members %q of %q", out, member)
		}
		again, err := decodeChunk(key, cell, seal(bucketPost, key, postVersion, appendChunk(nil, out)))
		if err != nil || !slices.Equal(again, out) {
			t.Fatalf("%q came back as %q, %v", out, again, err)
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add("a\x00b", "a\x00", []byte{1, 2})
	f.Add("借据", "", []byte{})
	f.Fuzz(func(t *testing.T, a, b string, rest []byte) {
		ka, kb := appendText(nil, a), appendText(nil, b)
		got, left, ok := cutText(append(bytes.Clone(ka), rest...))
		if !ok || got != a || !bytes.Equal(left, rest) {
			t.Fatalf("%q came back as %q, %x, %v", a, got, left, ok)
		}
		if (a < b) != (bytes.Compare(ka, kb) < 0) {
			t.Fatalf("%q and %q are not in the order of %x and %x", a, b, ka, kb)
		}
		if a != b && bytes.HasPrefix(ka, kb) {
			t.Fatalf("%x begins with %x", ka, kb)
		}
		cutText(rest)
		cutDay(rest)
		parseRef(rest)
	})
}

func TestAPeriodIsWrittenAsItWasRead(t *testing.T) {
	for _, s := range []string{"2026", "2026-11", "2026-Q4", "2026-H2", "2026-W47", "2026-W01", "2026-11-A", "2026-11-B", "0001", "9999-12"} {
		tag, year, n := cutPeriod(s)
		if tag == occText || period(tag, year, n) != s {
			t.Errorf("%q is tag %d, year %d, number %d", s, tag, year, n)
		}
	}
	for _, s := range []string{"", "2026-", "2026-Q10", "2026-Qx", "2026-1", "202A", "2026-11-C", "2026/11", "2026-W4", "event"} {
		if tag, _, _ := cutPeriod(s); tag != occText {
			t.Errorf("%q is taken for a period, tag %d", s, tag)
		}
	}
}

// An ordinary plan is small: the size decides how fast a million are written.
func TestAnOrdinaryPlanIsCompact(t *testing.T) {
	tx := fuzzTx()
	p := &Plan{Unit: loan.Ref{Kind: loan.KindBorrower, ID: "C0000001"}, Facts: 1 << 60, Next: 739900, Rulebook: "sha256:00", Calendar: "sha256:00"}
	for range 18 {
		o := obligation.Obligation{State: obligation.Planned, Rulebook: p.Rulebook, Calendar: p.Calendar}
		o.Rule, o.Subject, o.Occurrence = "maturity-notice", loan.Ref{Kind: loan.KindLoan, ID: "JJ20260000001"}, "2026-Q4"
		o.Borrower, o.Loan, o.Branch, o.Role, o.Owner = "C0000001", "JJ20260000001", "B1", "officer", "officer"
		o.Due, o.Anchor, o.Raise = p.Next+10+10, p.Next, p.Next+1
		o.PeriodEnd = p.Next + 3
		p.Obligations = append(p.Obligations, o)
		p.Next += 20
	}
	tx.enc.reset(tx)
	tx.enc.plan(p)
	if tx.enc.err != nil || len(tx.enc.b) > 18*24 {
		t.Errorf("18 obligations take %d bytes, %v", len(tx.enc.b), tx.enc.err)
	}
	t.Logf("%d bytes an obligation", len(tx.enc.b)/18)
}

func TestBucketsAreInOrder(t *testing.T) {
	if !slices.IsSorted(Buckets) {
		t.Errorf("%q", Buckets)
	}
}

// A number is read as encoding/binary reads it, or refused as there.
func TestNumbersAreReadAsTheLibraryReadsThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.OneOf(
			rapid.SliceOfN(rapid.Byte(), 0, 12),
			rapid.Map(rapid.Uint64(), func(v uint64) []byte { return binary.AppendUvarint(nil, v) }),
			rapid.SampledFrom([][]byte{{0x80}, {0x80, 0}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}}),
		).Draw(t, "bytes")
		want, n := binary.Uvarint(b)
		d := newDecoder(nil, b)
		got := d.uint()
		if n <= 0 {
			if d.err == nil {
				t.Fatalf("%x is no number, and was read as %d", b, got)
			}
			return
		}
		if got != want || d.pos != n || d.err != nil {
			t.Fatalf("%x: %d of %d bytes, %v; want %d of %d", b, got, d.pos, d.err, want, n)
		}
	})
}
