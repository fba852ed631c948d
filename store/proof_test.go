package store_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tickler/store"
	"tickler/store/storetest"
)

// slowly is a backend whose pages take a while to be proved.
type slowly struct {
	store.Backend
	proved chan error // what the proof finds, once it is told
}

func (b slowly) CheckPages(ctx context.Context, report func(error)) error {
	select {
	case err := <-b.proved:
		if err != nil {
			report(err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// proving gives a store of which the proof has begun.
func proving(t *testing.T) (*store.Store, slowly) {
	t.Helper()
	b := slowly{storetest.NewMemory(), make(chan error, 1)}
	first := store.New(b)
	if err := first.Update(t.Context(), func(tx *store.Tx) error { return tx.PutMeta(store.Meta{Rulebook: "before"}) }); err != nil {
		t.Fatal(err)
	}
	s := store.New(b)
	s.Prove()
	return s, b
}

func rulebook(t *testing.T, s *store.Store) (digest string) {
	t.Helper()
	err := s.View(t.Context(), func(tx *store.Tx) error {
		meta, err := tx.Meta()
		digest = meta.Rulebook
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func change(ctx context.Context, s *store.Store) error {
	return s.Update(ctx, func(tx *store.Tx) error { return tx.PutMeta(store.Meta{Rulebook: "after"}) })
}

// While the pages are proved what is asked is answered, and what is to be changed
// waits; then it is changed.
func TestAChangeWaitsForTheProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := proving(t)
		defer s.Close()
		changed := make(chan error, 1)
		go func() { changed <- change(t.Context(), s) }()
		time.Sleep(time.Second)
		synctest.Wait()
		if got := rulebook(t, s); got != "before" || len(changed) > 0 || !s.Proving() {
			t.Fatalf("before the proof ended: %q, %d changes, proving %v", got, len(changed), s.Proving())
		}
		b.proved <- nil
		if err := <-changed; err != nil {
			t.Fatal(err)
		}
		if got := rulebook(t, s); got != "after" || s.Proving() || s.Proof(t.Context()) != nil {
			t.Errorf("after it: %q, proving %v, %v", got, s.Proving(), s.Proof(t.Context()))
		}
	})
}

// Where the proof finds damage nothing is changed any more, whoever waited and
// whoever comes later.
func TestNothingIsChangedWhereTheProofFindsDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := proving(t)
		defer s.Close()
		waited := make(chan error, 1)
		go func() { waited <- change(t.Context(), s) }()
		synctest.Wait()
		b.proved <- &store.Damage{Reason: "planted"}
		for what, err := range map[string]error{"waited": <-waited, "came later": change(t.Context(), s), "asked": s.Proof(t.Context())} {
			if !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if got := rulebook(t, s); got != "before" {
			t.Errorf("it was changed: %q", got)
		}
	})
}

// Nobody waits for ever, neither for a long proof nor for the store to be closed.
func TestALongProofIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := proving(t)
		began := time.Now()
		if err := change(t.Context(), s); !errors.Is(err, store.ErrProving) || time.Since(began) > 10*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if err := change(gone, s); !errors.Is(err, context.Canceled) {
			t.Errorf("who went away: %v", err)
		}
		if err := s.Close(); err != nil || s.Proof(t.Context()) == nil {
			t.Errorf("closed: %v; the proof that was broken off counts as one", err)
		}
	})
}
