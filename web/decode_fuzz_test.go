package web_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"
	_ "time/tzdata"

	"tickler/api"
	"tickler/calendar"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
	"tickler/web"
)

// still is a clock that stands.
type still time.Time

func (s still) Now() time.Time         { return time.Time(s) }
func (s still) Elapsed() time.Duration { return 0 }

// Whatever a client sends: it is answered with JSON that says what is wrong,
// under a status that is no success, or it was a request; and a stranger
// changes nothing but the record of his attempt.
func FuzzRequest(f *testing.F) {
	path := filepath.Join(f.TempDir(), "tickler.db")
	if err := bolt.Create(path); err != nil {
		f.Fatal(err)
	}
	backend, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		f.Fatal(err)
	}
	defer backend.Close()
	st := store.New(backend)
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	if err := scheduler.Init(f.Context(), st, scheduler.InitOptions{GoLive: calendar.MustDate(2026, 11, 1), Now: now}); err != nil {
		f.Fatal(err)
	}
	s, err := scheduler.New(scheduler.Config{Store: st, Clock: still(now)})
	if err != nil {
		f.Fatal(err)
	}
	handler := web.Handler(s)
	verbs := []string{"list", "show", "why", "sample", "record", "submit", "sign", "return", "waive", "reopen", "reassign", "user", "deputy", "withdraw", "clock", "outbox", "snooze", "tick", "simulate", "diff", "book", "activate", "import", "audit-page", "audit-about", "audit-verify", "portfolio", "ontime", "ageing", "coverage", "score", "none"}
	for i := range verbs {
		f.Add(uint8(i), []byte(`{"id": "a", "on": "2026-11-23", "reason": "r"}`))
	}
	f.Add(uint8(0), []byte(`{"from": "2026-02-30"}`))
	f.Add(uint8(4), []byte(`{"event":"worklog.submitted","subject":"loan/1","happened":"2026-11-23","set":{"a":"b"},"closes":[""]}`))
	f.Add(uint8(11), []byte(`{"staff":"a","roles":[null],"files":[{"data":"!"}]}`))
	f.Add(uint8(16), []byte(`[`))
	// written counts the records from a number on that are of no refusal, and
	// gives the number of the next.
	written := func(t *testing.T, from uint64) (n int, next uint64) {
		next = from
		err := st.View(t.Context(), func(tx *store.Tx) error {
			return tx.ScanAudit(from, 0, func(r store.Record) error {
				if next = r.Seq + 1; r.Action != scheduler.ActionRefused {
					n++
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, next
	}
	next := uint64(1)
	f.Fuzz(func(t *testing.T, verb uint8, body []byte) {
		_, next = written(t, next)
		name := verbs[int(verb)%len(verbs)]
		r := httptest.NewRequest("POST", "/v1/"+name, bytes.NewReader(body))
		r = r.WithContext(web.WithActor(r.Context(), scheduler.Actor{OSUser: "stranger"}))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if name == "none" {
			if w.Code != 404 {
				t.Fatalf("status %d", w.Code)
			}
			return
		}
		var e api.Error
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
			t.Fatalf("%s: %d, no JSON: %v: %q", name, w.Code, err, w.Body)
		}
		if w.Code != 200 && (e.Code == "" || e.Text == "" || w.Code < 400) {
			t.Fatalf("%s: %d without a reason: %s", name, w.Code, w.Body)
		}
		if w.Code >= 500 {
			t.Fatalf("%s: %d for what a client sent: %s", name, w.Code, w.Body)
		}
		if n, _ := written(t, next); n > 0 {
			t.Fatalf("%s: a stranger wrote %d records", name, n)
		}
	})
}
