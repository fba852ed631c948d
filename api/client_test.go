package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A daemon that is killed leaves its callers without a reply.
func TestADaemonThatGoesAwayLeavesTheOutcomeUnknown(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	}))
	defer srv.Close()
	c := &Client{HTTP: &http.Client{Transport: towards(srv.Listener.Addr().String())}}
	_, err := c.Import(context.Background(), ImportRequest{Name: "a.csv"}, Upload{strings.NewReader("x"), 1})
	if CodeOf(err) != Unknown || strings.Contains(err.Error(), "http://") || !strings.Contains(err.Error(), "again") {
		t.Errorf("got %v", err)
	}
	// Without an id of its own an event would be there twice.
	if _, err := c.Record(context.Background(), RecordRequest{Event: "a.b", Subject: "loan/L1"}); CodeOf(err) != Unknown || !strings.Contains(err.Error(), "look whether it is there") {
		t.Errorf("record: %v", err)
	}
	if _, err := c.Record(context.Background(), RecordRequest{Event: "a.b", Subject: "loan/L1", ID: "E1"}); !strings.Contains(err.Error(), "run the same command again") {
		t.Errorf("record with an id: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Status(ctx); !strings.Contains(err.Error(), "canceled") || CodeOf(err) == Unknown {
		t.Errorf("cancelled: %v", err)
	}
}

type towards string

func (t towards) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Host = string(t)
	return http.DefaultTransport.RoundTrip(r)
}
