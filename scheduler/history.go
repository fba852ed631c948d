package scheduler

import (
	"cmp"
	"context"

	"tickler/api"
	"tickler/store"
)

// History lists the rulebooks that were in force, and those that are held.
func (s *Scheduler) History(ctx context.Context) (*api.HistoryReply, error) {
	reply := &api.HistoryReply{Books: []api.PastBook{}}
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		view, err := s.look(ctx, tx)
		if err != nil {
			return err
		}
		books, err := activations(tx)
		if err != nil {
			return err
		}
		reply.Books = append(reply.Books[:0], books...)
		held, err := holds(tx)
		for _, h := range held {
			reply.Books = append(reply.Books, api.PastBook{At: h.At, Business: h.Business, Digest: h.Digest, Previous: h.Previous, By: cmp.Or(h.Person, h.By), State: api.HeldBack, Hold: view.hold(&h)})
		}
		return err
	})
	if err != nil {
		return nil, s.refused(ctx, actorOf(ctx), actRead, "", refine(err))
	}
	return reply, nil
}

// hold is what is held, for who does not see every branch: what it would change
// is counted over all of them.
func (v *sight) hold(h *api.Hold) *api.Hold {
	if v.all {
		return h
	}
	told := *h
	told.Open, told.Dropped, told.Moved, told.Share = 0, 0, 0, 0
	return &told
}

// activations lists every coming into force of a rulebook, oldest first.
func activations(tx *store.Tx) ([]api.PastBook, error) {
	var out []api.PastBook
	err := tx.Activations(func(a store.Activation) error {
		if a.Kind == kindRulebook {
			out = append(out, api.PastBook{At: a.At, Business: a.Business, Digest: a.Digest, Previous: a.Previous, By: a.By, Second: a.Second, State: api.Past})
		}
		return nil
	})
	// Those of one second come in the order of their digests: each goes behind
	// the one it replaced.
	for range out {
		for i := 1; i < len(out); i++ {
			if out[i-1].At.Equal(out[i].At) && out[i-1].Previous == out[i].Digest && out[i].Previous != out[i-1].Digest {
				out[i-1], out[i] = out[i], out[i-1]
			}
		}
	}
	if n := len(out); n > 0 {
		out[n-1].State = api.InForce
	}
	return out, err
}

// Book gives the rulebook that was in force at the end of a business day.
func (s *Scheduler) Book(ctx context.Context, r api.BookRequest) (*api.BookReply, error) {
	reply := &api.BookReply{}
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		if _, err := s.look(ctx, tx); err != nil {
			return err
		}
		books, err := activations(tx)
		if err != nil {
			return err
		}
		if len(books) == 0 {
			return api.Errorf(api.NotFound, "the first import or tick brings one", "no rulebook was in force yet")
		}
		for _, b := range books {
			if b.Business <= r.At {
				reply.PastBook = b
			}
		}
		if reply.Digest == "" {
			return api.Errorf(api.NotFound, "", "no rulebook was in force on %s; the first one came on %s", r.At, books[0].Business)
		}
		reply.Text, err = tx.Book(reply.Digest)
		return err
	})
	if err != nil {
		return nil, s.refused(ctx, actorOf(ctx), actRead, "", refine(err))
	}
	return reply, nil
}
