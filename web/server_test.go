package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/storetest"
)

// server gives one on an empty store.
func server(t *testing.T) *Server {
	t.Helper()
	st := store.New(storetest.NewMemory())
	err := st.Update(t.Context(), func(tx *store.Tx) error { return tx.PutMeta(store.Meta{}) })
	if err != nil {
		t.Fatal(err)
	}
	s, err := scheduler.New(scheduler.Config{Store: st})
	if err != nil {
		t.Fatal(err)
	}
	return New(s, Options{})
}

func post(h *Server, verb string, body io.Reader) (status int, e api.Error, head http.Header) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/v1/"+verb, body))
	json.Unmarshal(w.Body.Bytes(), &e)
	return w.Code, e, w.Header()
}

func TestAFaultAtOneRequestIsAnsweredAndTheNextIsServed(t *testing.T) {
	h := server(t)
	handle(h, "broken", small, func(context.Context, struct{}) (*struct{}, error) { panic("planted") })
	for range maxAtWork + 1 { // no place is lost
		if code, e, _ := post(h, "broken", strings.NewReader("{}")); code != http.StatusInternalServerError || e.Code != api.Unknown {
			t.Fatalf("%d %v", code, &e)
		}
	}
	if n := testutil.ToFloat64(h.metrics.faults); n != maxAtWork+1 {
		t.Errorf("%v faults counted", n)
	}
	if code, e, _ := post(h, "status", strings.NewReader("{}")); code != http.StatusOK {
		t.Errorf("status: %d %v", code, &e)
	}
}

func TestARequestThatIsTooLargeIsRefusedPlainly(t *testing.T) {
	h := server(t)
	for verb, most := range map[string]int64{"show": small.most, "submit": carriesFiles.most, "diff": carriesDocuments.most, "import?request={}": carriesLedger.most} {
		for name, body := range map[string]io.Reader{"as announced": bytes.NewReader(make([]byte, most+1)), "without a length": io.MultiReader(bytes.NewReader(make([]byte, most+1)))} {
			if code, e, _ := post(h, verb, body); code != http.StatusRequestEntityTooLarge || e.Code != api.TooLarge || e.Hint == "" {
				t.Errorf("%s, %s: %d %v", verb, name, code, &e)
			}
		}
	}
}

func TestWhoFindsNoPlaceIsToldToTryAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := server(t)
		wait, gone := make(chan struct{}), make(chan struct{}, maxAtWork)
		handle(h, "slow", small, func(context.Context, struct{}) (*struct{}, error) { <-wait; return &struct{}{}, nil })
		for range maxAtWork {
			go func() {
				post(h, "slow", strings.NewReader("{}"))
				gone <- struct{}{}
			}()
		}
		synctest.Wait()
		code, e, head := post(h, "status", strings.NewReader("{}"))
		if code != http.StatusServiceUnavailable || e.Code != api.Busy || head.Get("Retry-After") == "" {
			t.Errorf("%d %v %v", code, &e, head)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil)) // asks for no place
		if w.Code != http.StatusOK {
			t.Errorf("/healthz: %d %s", w.Code, w.Body)
		}
		close(wait)
		for range maxAtWork {
			<-gone
		}
		if code, e, _ := post(h, "status", strings.NewReader("{}")); code != http.StatusOK {
			t.Errorf("afterwards: %d %v", code, &e)
		}
	})
}

func TestAnswersWaitForTheMemoryOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSending()
		done, ok := s.take(t.Context(), 10*maxSending<<20) // larger than all room
		if !ok {
			t.Fatal("nobody had any")
		}
		if _, ok := s.take(t.Context(), 2<<20); ok {
			t.Error("there was room beside all of it")
		}
		done()
		if done, ok = s.take(t.Context(), maxSending<<20); !ok {
			t.Error("what was taken in vain stays taken")
		} else {
			done()
		}
	})
}

// The names of monitoring are promised, and in the form that Prometheus asks
// for.
func TestMetrics(t *testing.T) {
	h := server(t)
	problems, err := testutil.GatherAndLint(h.metrics.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	w := httptest.NewRecorder()
	h.Watch().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, name := range []string{"tickler_build_info{", "tickler_healthy 1", "tickler_last_scan_success_timestamp_seconds 0", "tickler_scan_duration_seconds_count 0",
		"tickler_scans_failed_total 0", "tickler_rulebook_last_reload_successful 1", "tickler_calendar_last_reload_successful 1", "tickler_store_commit_duration_seconds_count",
		"tickler_store_open_read_transactions 0", "tickler_requests_refused_total{reason=\"busy\"} 0", "tickler_clock_held 0", "process_resident_memory_bytes"} {
		if !strings.Contains(w.Body.String(), "\n"+name) {
			t.Errorf("no %s in\n%s", name, w.Body)
		}
	}
	w = httptest.NewRecorder()
	h.Watch().ServeHTTP(w, httptest.NewRequest("POST", "/v1/status", strings.NewReader("{}")))
	if w.Code != http.StatusNotFound {
		t.Errorf("the address of monitoring answers /v1/status: %d", w.Code)
	}
}

// Who asks for the packed form by name gets it; everybody else, whatever he
// takes, is answered in JSON.
func TestAListIsPackedForWhoAsksForIt(t *testing.T) {
	h := server(t)
	ask := func(accept string) (kind string, body []byte) {
		r := httptest.NewRequest("POST", "/v1/list", strings.NewReader("{}"))
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("%q: %d %s", accept, w.Code, w.Body)
		}
		return w.Header().Get("Content-Type"), w.Body.Bytes()
	}
	kind, packed := ask(api.PackedList)
	var a, b api.ListReply
	if err := a.Unpack(packed); err != nil || kind != api.PackedList {
		t.Errorf("asked for: %s, %v", kind, err)
	}
	for _, accept := range []string{"", "*/*", "application/json", "application/vnd.tickler.list; form=0"} {
		kind, text := ask(accept)
		if err := json.Unmarshal(text, &b); err != nil || kind != "application/json; charset=utf-8" || b.Today != a.Today {
			t.Errorf("%q: %s, %v, %s", accept, kind, err, text)
		}
	}
	// An error is JSON whoever asks.
	r := httptest.NewRequest("POST", "/v1/list", strings.NewReader(`{"rule": "none"}`))
	r.Header.Set("Accept", api.PackedList)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var e api.Error
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Code != api.NotFound {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// slowly is a backend whose pages are proved once it is told.
type slowly struct {
	store.Backend
	proved chan struct{}
}

func (b slowly) CheckPages(context.Context, func(error)) error { <-b.proved; return nil }

// While the pages are proved, status and health say so, and questions are answered.
func TestAProofUnderWayIsTold(t *testing.T) {
	b := slowly{storetest.NewMemory(), make(chan struct{})}
	err := store.New(b).Update(t.Context(), func(tx *store.Tx) error { return tx.PutMeta(store.Meta{}) })
	if err != nil {
		t.Fatal(err)
	}
	st := store.New(b)
	st.Prove()
	s, err := scheduler.New(scheduler.Config{Store: st})
	if err != nil {
		t.Fatal(err)
	}
	h := New(s, Options{})
	told := func() (health bool, status bool) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
		var state struct{ Healthy, Proving bool }
		if err := json.Unmarshal(w.Body.Bytes(), &state); err != nil || w.Code != http.StatusOK || !state.Healthy {
			t.Fatalf("health: %d %s", w.Code, w.Body)
		}
		reply, err := s.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return state.Proving, strings.Contains(strings.Join(reply.Warnings, "\n"), "being proved")
	}
	if health, status := told(); !health || !status {
		t.Errorf("under way: health says %v, status %v", health, status)
	}
	if code, e, _ := post(h, "list", strings.NewReader("{}")); code != http.StatusOK {
		t.Errorf("a list meanwhile: %d %v", code, &e)
	}
	close(b.proved)
	if err := st.Proof(t.Context()); err != nil {
		t.Fatal(err)
	}
	if health, status := told(); health || status {
		t.Errorf("ended: health says %v, status %v", health, status)
	}
}
