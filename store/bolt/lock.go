package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"tickler/store"
)

// A lock is a file beside the database, path.lock, held locked for the life of
// a DB. bbolt's own lock is on the database file and goes with it when it is
// renamed or replaced, which lets a second writer in; this one stays. The file
// is never removed: a lock on a removed file holds nobody off.
type lock struct{ f *os.File }

var errHeld = errors.New("held")

const lockRetry = 20 * time.Millisecond

// takeLock waits for the lock, then gives store.ErrLocked. A shared one is for
// reading; where the lock file neither is nor can be made, as on a read-only
// disk, reading goes without.
func takeLock(path string, shared bool, timeout time.Duration) (*lock, error) {
	name := path + ".lock"
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil && shared {
		if f, err = os.Open(name); err != nil {
			return &lock{}, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("lock the store: %w", err)
	}
	if err := waitLock(f, shared, timeout); err != nil {
		holder := readPID(f)
		f.Close()
		if errors.Is(err, errHeld) {
			return nil, fmt.Errorf("%s: %w%s", path, store.ErrLocked, holder)
		}
		return nil, fmt.Errorf("lock the store: %w", err)
	}
	if !shared {
		// For the message of whoever comes second; no harm where it fails.
		if f.Truncate(0) == nil {
			f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		}
	}
	return &lock{f}, nil
}

func waitLock(f *os.File, shared bool, timeout time.Duration) error {
	return whileHeld(timeout, func() error { return tryLock(f, shared) })
}

// whileHeld tries until it gives something else than errHeld, or the timeout is
// over, however slow the machine is.
func whileHeld(timeout time.Duration, try func() error) error {
	over := time.NewTimer(timeout)
	defer over.Stop()
	for {
		err := try()
		if !errors.Is(err, errHeld) || timeout <= 0 {
			return err
		}
		select {
		case <-over.C:
			return err
		case <-time.After(lockRetry):
		}
	}
}

func readPID(f *os.File) string {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0)
	pid, err := strconv.Atoi(string(bytes.TrimSpace(b[:n])))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

func (l *lock) release() error {
	if l.f == nil {
		return nil
	}
	return l.f.Close() // which unlocks
}
