package store

import (
	"sync"
	"time"
)

// durationBounds are the upper bounds of the buckets of Durations: from a
// commit on a fast disk to a year of catching up.
var durationBounds = [...]time.Duration{
	time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute,
}

// Durations counts how long things took. The zero value has counted nothing;
// it is safe for concurrent use.
type Durations struct {
	mu     sync.Mutex
	counts [len(durationBounds)]uint64 // of those in a bucket alone; longer ones are in n only
	n      uint64
	sum    time.Duration
}

// Histogram is what Durations counted, in the form of Prometheus.
type Histogram struct {
	Count   uint64
	Sum     float64            // seconds
	Buckets map[float64]uint64 // upper bound in seconds -> how many took that long or less
}

// Observe counts one.
func (d *Durations) Observe(took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n++
	d.sum += took
	for i, bound := range durationBounds {
		if took <= bound {
			d.counts[i]++
			return
		}
	}
}

// Histogram gives what was counted so far.
func (d *Durations) Histogram() Histogram {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := Histogram{Count: d.n, Sum: d.sum.Seconds(), Buckets: make(map[float64]uint64, len(durationBounds))}
	var upTo uint64
	for i, bound := range durationBounds {
		upTo += d.counts[i]
		h.Buckets[bound.Seconds()] = upTo
	}
	return h
}
