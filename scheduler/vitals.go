package scheduler

import (
	"context"
	"os"
	"time"

	"tickler/store"
)

// Vitals is the daemon at one moment, in figures. It names no customer.
type Vitals struct {
	Version string
	Healthy bool
	Started time.Time

	LastScan    time.Time // that succeeded; zero before the first
	Scans       store.Histogram
	ScansFailed uint64
	Subjects    int // that could not be worked out

	Rulebook, Calendar DocumentVitals

	ClockAhead time.Duration // by how much the wall ran ahead of the time that passed; negative where it was set back
	ClockHeld  bool          // it jumped too far, and raising waits

	LastBackup time.Time // of those that the daemon makes; zero where there is none

	Store       store.Vitals
	Size        int64  // bytes of the store's file; negative where it is not known
	Free        uint64 // bytes of the disk
	FreeIsKnown bool

	Census *Census // nil before the first
}

// DocumentVitals says which of two documents is in force, and how its file is.
type DocumentVitals struct {
	Digest string    // in force
	Good   bool      // the file as it stands was taken
	Taken  time.Time // when the file was last read and good
	Held   bool      // it waits for a second person
}

// Vitals gives what is known at this moment. It reads no record of the store.
func (s *Scheduler) Vitals(ctx context.Context) Vitals {
	v := Vitals{Version: s.cfg.Version, Size: -1, Scans: s.pulse.scans.Histogram(), Store: s.cfg.Store.Vitals()}
	v.Healthy, _ = s.Healthy(ctx)
	v.LastBackup = s.keeper.newest()
	s.mu.RLock()
	v.Started = s.started
	v.Rulebook = DocumentVitals{Digest: s.book.Digest(), Good: s.bookErr == "", Taken: s.bookRead, Held: s.held != nil}
	v.Calendar = DocumentVitals{Digest: s.cal.Version(), Good: s.calErr == "", Taken: s.calRead}
	s.mu.RUnlock()
	s.pulse.mu.Lock()
	v.LastScan, v.ScansFailed, v.Subjects, v.Census = s.pulse.last, s.pulse.failed, s.pulse.subjects, s.pulse.census
	s.pulse.mu.Unlock()
	if file, ok := s.cfg.Store.Backend().(interface{ Path() string }); ok {
		if info, err := os.Stat(file.Path()); err == nil {
			v.Size = info.Size()
		}
	}
	_, meta := s.pulse.seen()
	book, _ := s.inForce()
	v.ClockAhead, v.ClockHeld = s.drift(), s.jumped(&meta, book.Zone)
	if s.cfg.Data != "" {
		v.Free, v.FreeIsKnown = diskFree(s.cfg.Data)
	}
	return v
}
