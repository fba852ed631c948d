package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrTooLong says that a View was ended because it lasted longer than Watch
// allows: while one is open the pages that others free cannot be used again,
// and the file grows.
var ErrTooLong = errors.New("a read of the store took too long and was ended; ask for less, or try again when the machine is less busy")

// Watch bounds and measures the transactions of a store.
type Watch struct {
	Now  func() time.Time // required
	View time.Duration    // how long a View may last; 0 is for ever
}

// Vitals is what a watched store knows of itself at one moment. It is all zero
// where nobody watches.
type Vitals struct {
	Views       int           // open at this moment
	Oldest      time.Duration // how long the oldest of them has been open
	TooLong     uint64        // Views that were ended
	Commits     Histogram     // of the time it took to write them, in seconds
	Failed      uint64        // commits that failed
	Failing     error         // what kept the last commit from the disk; nil where it succeeded
	FailedSince time.Time     // the first of the failures in a row
}

// watcher keeps what Vitals gives.
type watcher struct {
	Watch
	commits Durations

	mu      sync.Mutex
	next    uint64               // number of the next View
	open    map[uint64]time.Time // number -> when it began
	tooLong uint64
	failed  uint64
	failing error
	since   time.Time
}

// Watch begins to measure, and to bound Views. It is called before the store is
// used.
func (s *Store) Watch(w Watch) { s.watcher = &watcher{Watch: w, open: map[uint64]time.Time{}} }

// Vitals gives what is known of this moment.
func (s *Store) Vitals() Vitals {
	w := s.watcher
	if w == nil {
		return Vitals{}
	}
	now := w.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	v := Vitals{Views: len(w.open), TooLong: w.tooLong, Commits: w.commits.Histogram(), Failed: w.failed, Failing: w.failing, FailedSince: w.since}
	for _, began := range w.open {
		v.Oldest = max(v.Oldest, now.Sub(began))
	}
	return v
}

// view runs a View within the bound.
func (w *watcher) view(ctx context.Context, run func(context.Context) error) error {
	w.mu.Lock()
	n := w.next
	w.next++
	w.open[n] = w.Now()
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.open, n)
	}()
	if w.View == 0 {
		return run(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, w.View, ErrTooLong)
	defer cancel()
	err := run(ctx)
	if err != nil && errors.Is(context.Cause(ctx), ErrTooLong) && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTooLong)) {
		w.mu.Lock()
		w.tooLong++
		w.mu.Unlock()
		return fmt.Errorf("%w (at most %s)", ErrTooLong, w.View)
	}
	return err
}

// commit notes how the commit that began at a moment ended.
func (w *watcher) commit(began time.Time, err error) {
	now := w.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.failing, w.since = nil, time.Time{}
		w.commits.Observe(now.Sub(began))
		return
	}
	w.failed++
	if w.failing == nil {
		w.since = now
	}
	w.failing = err
}

// bounded is a Reader that ends with its context, between any two records.
type bounded struct {
	Reader
	ctx context.Context
}

func (b bounded) Get(bucket string, key []byte) ([]byte, error) {
	if b.ctx.Err() != nil {
		return nil, context.Cause(b.ctx)
	}
	return b.Reader.Get(bucket, key)
}

func (b bounded) Scan(bucket string, from, to []byte, fn func(key, value []byte) error) error {
	return b.Reader.Scan(bucket, from, to, func(key, value []byte) error {
		if b.ctx.Err() != nil {
			return context.Cause(b.ctx)
		}
		return fn(key, value)
	})
}
