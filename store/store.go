package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// Store keeps everything, on a Backend. It is safe for concurrent use.
type Store struct {
	backend Backend
	dict    atomic.Pointer[dict]  // committed strings, as far as they were read
	broken  atomic.Pointer[error] // set once a commit's outcome is unknown
	stopped chan struct{}         // closed with it
	full    atomic.Bool           // the last commit found no room on the disk
	sound   atomic.Bool           // the schema was looked at
	watcher *watcher              // nil where nobody watches
	proof   *proof                // of the backend's pages; nil where none was asked for
}

// New puts a Store on a backend. Close closes the backend as well.
func New(backend Backend) *Store {
	s := &Store{backend: backend, stopped: make(chan struct{})}
	s.dict.Store(newDict())
	return s
}

// Backend gives what the store is kept in.
func (s *Store) Backend() Backend { return s.backend }

// Close gives up the store.
func (s *Store) Close() error {
	if s.proof != nil {
		s.proof.leave()
	}
	return s.backend.Close()
}

// Err says whether the store can still be used: nil, ErrOutcomeUnknown, or
// what the backend finds wrong with its file.
func (s *Store) Err() error {
	if p := s.broken.Load(); p != nil {
		return *p
	}
	if b, ok := s.backend.(Stater); ok {
		return b.Err()
	}
	return nil
}

// Stopped is closed when the outcome of a commit is unknown: all further work
// is refused, and the process that holds the store must end.
func (s *Store) Stopped() <-chan struct{} { return s.stopped }

// Full says that the last change was refused for want of space on the disk.
func (s *Store) Full() bool { return s.full.Load() }

// View runs fn on one unchanging state. fn must be short and must not talk to
// a client; what it was given by a Scan method is its own to keep. Where Watch
// bounds it, it ends with ErrTooLong.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	if p := s.broken.Load(); p != nil {
		return *p
	}
	run := func(ctx context.Context) error {
		return s.backend.View(ctx, func(r Reader) error {
			tx := &Tx{store: s, r: bounded{r, ctx}, dict: s.dict.Load()}
			if err := tx.checkSchema(); err != nil {
				return err
			}
			return fn(tx)
		})
	}
	if s.watcher != nil {
		return s.watcher.view(ctx, run)
	}
	return run(ctx)
}

// Update runs fn and commits what it did, all or nothing. fn may run twice.
// Its error is given back, and then nothing remains of it. After
// ErrOutcomeUnknown the Store refuses all work.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	if p := s.broken.Load(); p != nil {
		return *p
	}
	if err := s.proved(ctx); err != nil {
		return err
	}
	var last *Tx
	var done time.Time // when all was ready to be committed; zero where it was not
	err := s.backend.Update(ctx, func(w Writer) error {
		buf := newBuffer(w)
		tx := &Tx{store: s, r: buf, w: buf, dict: s.dict.Load()}
		last = tx
		if err := tx.checkSchema(); err != nil {
			return err
		}
		if err := fn(tx); err != nil {
			return err
		}
		if err := tx.flush(); err != nil || s.watcher == nil {
			return err
		}
		done = s.watcher.Now()
		return nil
	})
	if !done.IsZero() && ctx.Err() == nil {
		s.watcher.commit(done, err)
	}
	switch {
	case err == nil:
		s.full.Store(false)
		if last != nil {
			s.learnDict(last.dict)
		}
	case errors.Is(err, ErrOutcomeUnknown):
		if s.broken.CompareAndSwap(nil, &err) {
			close(s.stopped)
		}
	case errors.Is(err, ErrNoSpace):
		s.full.Store(true)
	}
	return err
}

// flush writes what the transaction held back, all in the order of the
// buckets' names: a backend may keep them in one tree, and what is put before
// a million other new keys moves them all.
func (tx *Tx) flush() error {
	if err := tx.putHeads(); err != nil {
		return err
	}
	at := slices.Index(Buckets, bucketPost)
	if err := tx.w.flush(Buckets[:at]); err != nil {
		return err
	}
	if err := tx.flushPostings(); err != nil {
		return err
	}
	return tx.w.flush(Buckets[at:])
}

// Backup writes a verified copy of the store under path, while it is at work.
// It gives errors.ErrUnsupported where the backend cannot.
func (s *Store) Backup(ctx context.Context, path string) error {
	if p := s.broken.Load(); p != nil {
		return *p
	}
	if b, ok := s.backend.(Backuper); ok {
		return b.Backup(ctx, path)
	}
	return fmt.Errorf("back up this store: %w", errors.ErrUnsupported)
}

// Shed gives up memory that only makes the next reading quicker: between the
// parts of a work that goes through the whole store.
func (s *Store) Shed() error {
	if b, ok := s.backend.(Shedder); ok {
		return b.Shed()
	}
	return nil
}

// Tx is one transaction. It belongs to the goroutine that runs the closure
// and must not be used after it. Methods that write fail within a View.
type Tx struct {
	store    *Store
	r        Reader
	w        *buffer           // nil within a View
	dict     *dict             // strings known to the transaction
	ownDict  bool              // dict is this transaction's own copy
	dictRead bool              // dict holds all that was committed
	posts    postLog           // changes of the indexes, not yet merged
	places   placeLog          // of plans, likewise
	fresh    map[byte]bool     // index -> the backend has nothing of it, as far as that was looked at
	head     *auditHead        // of the trail, with what this transaction appended; nil as long as nothing was
	numbers  map[string]uint64 // given out under a name, of the sequences that were asked
	noEvents gap               // where EventsOf found none
	enc      encoder           // reused from record to record
	spare    []*decoder        // likewise
	scratch  []byte            // likewise
	edit     PlanEdit          // that EditPlan gave last
	trail    auditLog          // changes of the index of the audit trail, not yet merged
	writes   int               // records put and deleted so far

	slabs         []*slab // of the mergers
	postsArranged bool    // the changes of each cell in posts are in order
	forks         []*Tx   // that read beside it: see Forks
	forked        bool    // it is one of another's
	slab          slab    // of what a fork packs
}

var errReadOnly = errors.New("store: a View cannot write")

// errStop ends a scan early.
var errStop = errors.New("stop")

// get reads a record's payload; nil, nil where there is none.
func (tx *Tx) get(bucket string, key []byte, version byte) ([]byte, error) {
	rec, err := tx.r.Get(bucket, key)
	if err != nil || rec == nil {
		return nil, err
	}
	payload, err := open(bucket, key, rec, version)
	if err == nil && payload == nil {
		payload = []byte{}
	}
	return payload, err
}

// put seals and writes a record.
func (tx *Tx) put(bucket string, key []byte, version byte, payload []byte) error {
	if tx.w == nil {
		return errReadOnly
	}
	tx.writes++
	tx.w.put(bucket, key, version, payload)
	return nil
}

func (tx *Tx) delete(bucket string, key []byte) error {
	if tx.w == nil {
		return errReadOnly
	}
	tx.writes++
	return tx.w.delete(bucket, key)
}

// Writes gives how many records were put and deleted so far: what has not moved
// it left no trace in the transaction.
func (tx *Tx) Writes() int { return tx.writes }

// Flushing says, after a panic or an error, that it struck while what was held
// back was being written: half of it may be with the backend.
func (tx *Tx) Flushing() bool { return tx.w != nil && tx.w.flushing }

// Held gives how many bytes of keys and records the transaction holds back, about.
func (tx *Tx) Held() int {
	n := 0
	if tx.w != nil {
		n = tx.w.slab.total
	}
	for _, f := range tx.forks {
		n += f.slab.total
	}
	return n
}

// scan reads the payloads of a range, which are valid within the call only.
func (tx *Tx) scan(bucket string, from, to []byte, version byte, fn func(key, payload []byte) error) error {
	return tx.r.Scan(bucket, from, to, func(key, rec []byte) error {
		payload, err := open(bucket, key, rec, version)
		if err != nil {
			return err
		}
		return fn(key, payload)
	})
}
