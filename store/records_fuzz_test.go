package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"tickler/loan"
)

// A sealed record is given back as it was put, and under no other key, in no
// other bucket, and not at all when a bit of it is another.
func FuzzSeal(f *testing.F) {
	f.Add("plan", []byte("bC1"), byte(1), []byte("payload"), uint(9))
	f.Add("row", []byte{0}, byte(0), []byte{}, uint(0))
	f.Add("", []byte{}, byte(255), []byte{0, 0, 0, 0}, uint(40))
	f.Fuzz(func(t *testing.T, bucket string, key []byte, version byte, payload []byte, bit uint) {
		rec := seal(bucket, key, version, bytes.Clone(payload))
		v, got, err := unseal(bucket, key, rec)
		if err != nil || v != version || !bytes.Equal(got, payload) {
			t.Fatalf("%d %x came back as %d %x, %v", version, payload, v, got, err)
		}
		for name, err := range map[string]error{
			"under another key":   VerifyRecord(bucket, append(bytes.Clone(key), 0), rec),
			"in another bucket":   VerifyRecord(bucket+"x", key, rec),
			"cut short":           VerifyRecord(bucket, key, rec[:len(rec)-1]),
			"with a bit of noise": VerifyRecord(bucket, key, flip(rec, bit)),
		} {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s it is taken: %v", name, err)
			}
		}
	})
}

func flip(rec []byte, bit uint) []byte {
	rec = bytes.Clone(rec)
	bit %= uint(len(rec) * 8)
	rec[bit/8] ^= 1 << (bit % 8)
	return rec
}

// A stored value may be anything: it is refused, or it is a sealed record.
func FuzzUnseal(f *testing.F) {
	f.Add([]byte("bC1"), seal("plan", []byte("bC1"), 1, []byte("payload")))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, key, rec []byte) {
		version, payload, err := unseal("plan", key, rec)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) || err.Error() == "" {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if again := seal("plan", key, version, bytes.Clone(payload)); !bytes.Equal(again, rec) {
			t.Fatalf("%x is taken, and is written %x", rec, again)
		}
	})
}

// An audit record that can be read is written again as the same record.
func FuzzAuditRecord(f *testing.F) {
	body, err := json.Marshal(Record{Seq: 7, At: time.Unix(1e9, 0).UTC(), Business: 739000, Actor: "S001", Action: "obligation.done", Subject: "r:loan/1:2026", Detail: json.RawMessage(`{"due":"2026-11-30"}`), Prev: "00"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(auditKey(7), append(make([]byte, 32), body...))
	f.Add([]byte{}, []byte{})
	f.Add(auditKey(1), append(make([]byte, 32), `{"seq":1,"detail":null,"about":[null]}`...))
	f.Fuzz(func(t *testing.T, key, payload []byte) {
		rec, hash, body, err := decodeAudit(key, payload)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if len(hash)+len(body) != len(payload) || len(rec.Hash) != 64 {
			t.Fatalf("a hash %q of %d bytes, a body of %d, of %d in all", rec.Hash, len(hash), len(body), len(payload))
		}
		first, err := json.Marshal(rec)
		if err != nil {
			t.Fatalf("it cannot be written: %v", err)
		}
		again, _, _, err := decodeAudit(key, append(bytes.Clone(hash), first...))
		if err != nil {
			t.Fatalf("%s cannot be read again: %v", first, err)
		}
		if second, err := json.Marshal(again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("written %s, then %s, %v", first, second, err)
		}
	})
}

// So is an event, which is kept as text too.
func FuzzEvent(f *testing.F) {
	text, err := json.Marshal(loan.Event{ID: "7", Kind: "worklog.submitted", Subject: loan.Ref{Kind: loan.KindLoan, ID: "JJ1"}, Happened: 739000, Learned: time.Unix(1e9, 0).UTC(),
		Closes: []string{"r:loan/JJ1:2026-11"}, Fields: map[string]string{"from": "正常"}, Withdrawn: &loan.Withdrawal{On: 739001, Reason: "误"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"happened": null, "files": [{}], "learned": "9999-12-31T23:59:60Z"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var e, again loan.Event
		if json.Unmarshal(text, &e) != nil {
			return
		}
		first, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("it cannot be written: %v", err)
		}
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("%s cannot be read again: %v", first, err)
		}
		if second, err := json.Marshal(again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("written %s, then %s, %v", first, second, err)
		}
	})
}
