package scheduler

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"tickler/store"
)

// pulse is what the loop remembers of its own work, for Healthy and Vitals:
// neither has to ask the store, which may be what is stuck.
type pulse struct {
	scans store.Durations // of those that succeeded

	mu       sync.Mutex
	last     time.Time  // when a scan last succeeded; zero before the first
	failed   uint64     // scans
	meta     store.Meta // as of the last scan
	subjects int        // that could not be worked out, at the last scan
	census   *Census
	fault    string // of a part of the loop beside the scan; "" where all went well
}

func (p *pulse) counted() *Census {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.census
}

func (p *pulse) count(c *Census) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.census = c
}

// lastScan is when a scan last succeeded; zero before the first.
func (p *pulse) lastScan() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

func (p *pulse) stumbled(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = ""
	if err != nil {
		p.fault = err.Error()
	}
}

// scanned notes how a scan ended.
func (s *Scheduler) scanned(ctx context.Context, took time.Duration, err error) {
	if err != nil {
		s.pulse.mu.Lock()
		s.pulse.failed++
		s.pulse.mu.Unlock()
		return
	}
	s.pulse.scans.Observe(took)
	n := 0
	var meta store.Meta
	err = s.cfg.Store.View(ctx, func(tx *store.Tx) (err error) {
		n = 0
		if meta, err = tx.Meta(); err != nil {
			return err
		}
		return tx.Rows("failed", func(string, json.RawMessage) error { n++; return nil })
	})
	if err != nil {
		s.log.Error("count the subjects that failed", "error", err)
		return
	}
	s.pulse.mu.Lock()
	s.pulse.last, s.pulse.subjects, s.pulse.meta = s.now(), n, meta
	s.pulse.mu.Unlock()
}
