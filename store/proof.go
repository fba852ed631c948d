package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// ErrProving says that a change was not begun, since the pages of the store are
// still being proved.
var ErrProving = errors.New("the store's pages are still being proved, and nothing was changed")

// proofPatience is how long a change waits for the proof to end. A proof reads
// the whole file, which may take longer than a client waits.
const proofPatience = 5 * time.Second

// proof is a look at every page of the backend, in the background.
type proof struct {
	cancel context.CancelFunc
	ended  chan struct{}
	err    error       // what it found; read once ended is closed
	sound  atomic.Bool // it ended, and found nothing
}

// Prove begins to look at every page and every checksum of the backend, and
// gives at once. Meanwhile Views go on, each proving what it reads; Updates wait,
// and where damage was found fail with it: a change may move records from a page
// that it has no other reason to look at, and would write damage anew as if it
// were sound. Prove is called before the store is used, at most once. A backend
// that is no Checker has nothing to prove.
func (s *Store) Prove() {
	c, ok := s.backend.(Checker)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &proof{cancel: cancel, ended: make(chan struct{})}
	s.proof = p
	go func() {
		defer close(p.ended)
		err := c.CheckPages(ctx, func(err error) {
			if p.err == nil {
				p.err = err
			}
		})
		if p.err == nil {
			p.err = err
		}
		p.sound.Store(p.err == nil)
	}()
}

// Proving says that the proof has not ended.
func (s *Store) Proving() bool {
	if s.proof == nil {
		return false
	}
	select {
	case <-s.proof.ended:
		return false
	default:
		return true
	}
}

// Proof waits for the proof to end and gives what it found; nil at once where
// none was begun.
func (s *Store) Proof(ctx context.Context) error {
	if s.proof == nil || s.proof.sound.Load() {
		return nil
	}
	select {
	case <-s.proof.ended:
		return s.proof.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// proved is Proof for a change, which does not wait for ever.
func (s *Store) proved(ctx context.Context) error {
	if s.proof == nil || s.proof.sound.Load() {
		return nil
	}
	within, cancel := context.WithTimeoutCause(ctx, proofPatience, ErrProving)
	defer cancel()
	err := s.Proof(within)
	if errors.Is(err, ErrProving) {
		return fmt.Errorf("%w (after %s)", err, proofPatience)
	}
	return err
}

// leave ends a proof that is under way, so that the backend can be closed.
func (p *proof) leave() {
	p.cancel()
	<-p.ended
}
