package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"tickler/api"
	"tickler/scheduler"
)

// What one process does at once, and how long it waits for a client. None of
// it touches the loop.
const (
	maxAtWork  = 64 // requests at work, of all weights
	maxSending = 64 // MiB of large answers that wait to be taken

	waitForPlace = 5 * time.Second  // for one of the places
	smallBody    = 30 * time.Second // to send a request
	largeBody    = 5 * time.Minute  // to send a file
	writeStall   = 30 * time.Second // to take the next part of an answer
)

// maxSmall bounds a request that carries no file, in bytes.
const maxSmall = 1 << 20

// weight is what the requests of a verb may cost.
type weight struct {
	name string // of its places; "" needs none of its own
	most int64  // bytes of the request
	room int    // how many are at work at once, of those that are larger than maxSmall, or send much
	send bool   // its answers may be large
}

// A ledger of a million rows has some 250 MiB, and takes a few times as
// much while it is read; a move with two files of evidence of the largest size
// has 56 MiB in base64; rulebooks and calendars have 1 MiB each.
var (
	small            = weight{most: maxSmall}
	reads            = weight{name: "reads", most: maxSmall, room: 4, send: true}
	carriesDocuments = weight{name: "reads", most: 8 << 20, room: 4, send: true}
	carriesFiles     = weight{name: "files", most: 64 << 20, room: 2}
	carriesLedger    = weight{name: "ledger", most: 512 << 20, room: 1}
)

// Why a request was turned away.
const (
	refusedBusy  = "busy"
	refusedLarge = "too_large"
	refusedSlow  = "slow"
)

// places bounds what is at work: weight's name -> its places.
type places map[string]chan struct{}

func newPlaces() places {
	p := places{"": make(chan struct{}, maxAtWork)}
	for _, w := range []weight{reads, carriesFiles, carriesLedger} {
		p[w.name] = make(chan struct{}, w.room)
	}
	return p
}

// take waits for a place; ok is false where none came free in time.
func (p places) take(ctx context.Context, name string) (ok bool) {
	ctx, cancel := context.WithTimeout(ctx, waitForPlace)
	defer cancel()
	select {
	case p[name] <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// sending bounds the memory of large answers that wait to be taken, in MiB.
type sending struct {
	turn chan struct{} // held by who gathers his share, so that nobody waits with half of one
	free chan struct{} // a token for each MiB in use
}

func newSending() sending { return sending{make(chan struct{}, 1), make(chan struct{}, maxSending)} }

// take waits for room for an answer. A single one that is larger than all room
// takes all of it.
func (s sending) take(ctx context.Context, size int) (done func(), ok bool) {
	ctx, cancel := context.WithTimeout(ctx, waitForPlace)
	defer cancel()
	taken := 0
	done = func() {
		for range taken {
			<-s.free
		}
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, false
	}
	for range min(size>>20, maxSending) {
		select {
		case s.free <- struct{}{}:
			taken++
		case <-ctx.Done():
			done()
			return nil, false
		}
	}
	return done, true
}

func (p places) leave(name string) { <-p[name] }

// enter reads a request and takes the places that it needs. A small one has
// none while it comes in: who sends slowly holds nothing but his connection. A
// large one fills memory, so it has its place first, and only who is known here
// may have one.
func (h *Server) enter(w http.ResponseWriter, r *http.Request, weight weight) (leave func(), body []byte, err error) {
	var taken []string
	release := func() {
		for _, name := range taken {
			h.places.leave(name)
		}
	}
	defer func() {
		if err != nil {
			release()
		}
	}()
	take := func(name string) error {
		if !h.places.take(r.Context(), name) {
			return h.busy()
		}
		taken = append(taken, name)
		return nil
	}
	most := weight.most
	if r.ContentLength < 0 { // memory is given by what is announced
		most = maxSmall
	}
	large := r.ContentLength > maxSmall && most > maxSmall
	if r.ContentLength > most {
		return nil, nil, h.tooLarge(most)
	}
	if large {
		if err := h.scheduler.Reads(r.Context()); err != nil {
			return nil, nil, err
		}
		if err := take(weight.name); err != nil {
			return nil, nil, err
		}
	}
	if body, err = h.body(w, r, most, large); err != nil {
		return nil, nil, err
	}
	if weight.send && !large {
		if err := take(weight.name); err != nil {
			return nil, nil, err
		}
	}
	return release, body, take("")
}

// body reads a whole request, within a time and a size.
func (h *Server) body(w http.ResponseWriter, r *http.Request, most int64, large bool) ([]byte, error) {
	within := smallBody
	var b bytes.Buffer
	if large {
		within = largeBody
		b.Grow(int(min(r.ContentLength, most)) + bytes.MinRead)
	}
	deadline(r, http.NewResponseController(w).SetReadDeadline, within)
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, most))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, h.tooLarge(most)
	case errors.Is(err, os.ErrDeadlineExceeded):
		h.metrics.refused.WithLabelValues(refusedSlow).Inc()
		return nil, api.Errorf(api.Failed, "", "the request did not come within %s (发送过慢)", within)
	case err != nil:
		return nil, api.Errorf(api.Usage, "", "read the request: %v", err)
	}
	return b.Bytes(), nil
}

func (h *Server) busy() error {
	h.metrics.refused.WithLabelValues(refusedBusy).Inc()
	return api.Errorf(api.Busy, "try again in a few seconds (请稍后再试)", "the daemon is busy with other requests (系统繁忙)")
}

func (h *Server) tooLarge(most int64) error {
	h.metrics.refused.WithLabelValues(refusedLarge).Inc()
	return api.Errorf(api.TooLarge, "send less at once (a ledger by branch, evidence file by file), and say its length before", "the request is larger than %d MiB (请求过大)", most>>20)
}

// send writes an answer part by part. Who does not take the next part in time
// loses the rest.
func send(w http.ResponseWriter, r *http.Request, answer []byte) {
	const part = 256 << 10
	out := http.NewResponseController(w)
	for len(answer) > 0 {
		n := min(part, len(answer))
		deadline(r, out.SetWriteDeadline, writeStall)
		if _, err := w.Write(answer[:n]); err != nil {
			return
		}
		answer = answer[n:]
	}
}

// deadline sets one on the connection of a request; within one process there
// is none.
func deadline(r *http.Request, set func(time.Time) error, after time.Duration) {
	if r.Context().Value(http.LocalAddrContextKey) != nil {
		set(scheduler.Now().Add(after))
	}
}
