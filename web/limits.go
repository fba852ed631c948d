package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"tickler/api"
	"tickler/scheduler"
)

// What one process does at once, and how long it waits for a client. None of
// it touches the loop.
const (
	maxAtWork = 64 // requests at work
	maxHeavy  = 4  // of them, those that read or send much

	waitForPlace = 5 * time.Second  // for one of the places
	smallBody    = 30 * time.Second // to send a small request
	largeBody    = 5 * time.Minute  // to send a file
	writeStall   = 30 * time.Second // to take the next part of an answer
)

// How large a request may be.
const (
	maxSmall    = 1 << 20   // bytes of one that carries no file
	maxEvidence = 64 << 20  // of a move with two files of evidence of the largest size, in base64
	maxLedger   = 128 << 20 // of a ledger file: half a million rows
)

// Why a request was turned away.
const (
	refusedBusy  = "busy"
	refusedLarge = "too_large"
	refusedSlow  = "slow"
)

// places bounds what is at work. A place in heavy is one in atWork too.
type places struct{ atWork, heavy chan struct{} }

func newPlaces() *places {
	return &places{make(chan struct{}, maxAtWork), make(chan struct{}, maxHeavy)}
}

// take waits for a place, and gives what leaves it; ok is false where none
// came free in time.
func (p *places) take(ctx context.Context, heavy bool) (leave func(), ok bool) {
	ctx, cancel := context.WithTimeout(ctx, waitForPlace)
	defer cancel()
	var taken []chan struct{}
	leave = func() {
		for _, c := range taken {
			<-c
		}
	}
	wanted := []chan struct{}{p.atWork}
	if heavy {
		wanted = []chan struct{}{p.heavy, p.atWork}
	}
	for _, c := range wanted {
		select {
		case c <- struct{}{}:
			taken = append(taken, c)
		case <-ctx.Done():
			leave()
			return nil, false
		}
	}
	return leave, true
}

// body reads a whole request before any work is done for it, within a time and
// a size. Whoever sends slowly holds nothing but his connection.
func (h *handler) body(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	if r.ContentLength > most {
		h.metrics.refused.WithLabelValues(refusedLarge).Inc()
		return nil, tooLarge(most)
	}
	within := smallBody
	if most > maxSmall {
		within = largeBody
	}
	deadline(r, http.NewResponseController(w).SetReadDeadline, within)
	var b bytes.Buffer
	if r.ContentLength > maxSmall { // it may hold memory, and has a place for it
		b.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, most))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		h.metrics.refused.WithLabelValues(refusedLarge).Inc()
		return nil, tooLarge(most)
	case errors.Is(err, os.ErrDeadlineExceeded):
		h.metrics.refused.WithLabelValues(refusedSlow).Inc()
		return nil, api.Errorf(api.Failed, "", "the request did not come within %s", within)
	case err != nil:
		return nil, api.Errorf(api.Usage, "", "read the request: %v", err)
	}
	return b.Bytes(), nil
}

func tooLarge(most int64) error {
	return api.Errorf(api.BadFile, "split the file by branch", "the request is larger than %d MiB (文件过大)", most>>20)
}

// send writes an answer part by part. Who does not take it loses it.
func send(w http.ResponseWriter, r *http.Request, answer []byte) {
	const part = 256 << 10
	for len(answer) > 0 {
		n := min(part, len(answer))
		deadline(r, http.NewResponseController(w).SetWriteDeadline, writeStall)
		if _, err := w.Write(answer[:n]); err != nil {
			return
		}
		answer = answer[n:]
	}
}

// deadline sets one on the connection of a request; in the same process there
// is none.
func deadline(r *http.Request, set func(time.Time) error, after time.Duration) {
	if _, over := r.Context().Value(http.LocalAddrContextKey).(interface{ Network() string }); over {
		set(scheduler.Now().Add(after))
	}
}

// busy answers that there is no place.
func (h *handler) busy(w http.ResponseWriter) {
	h.metrics.refused.WithLabelValues(refusedBusy).Inc()
	w.Header().Set("Retry-After", "5")
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, `{"code":"failed","error":"the daemon is busy with other requests (系统繁忙)","hint":"try again in a few seconds (请稍后再试)"}`+"\n")
}
