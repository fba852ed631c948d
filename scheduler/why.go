package scheduler

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"tickler/api"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// Why gives the reason of an obligation, worked out anew under the rulebook
// and the calendar that made it; or, for a loan or another subject, what every
// rule says of it.
func (s *Scheduler) Why(ctx context.Context, r api.WhyRequest) (*api.WhyReply, error) {
	book, cal := s.inForce()
	reply := &api.WhyReply{}
	dir := directory{reach: book.Reach()}
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		view, err := s.look(ctx, tx)
		if err != nil {
			return err
		}
		today := s.readingDay(&meta, book, r.On)
		subject, isSubject, err := subjectOf(tx, view, r.What)
		if err != nil {
			return err
		}
		if isSubject {
			unit, err := tx.UnitOf(subject)
			if err != nil {
				return err
			}
			facts, err := gather(tx, unit, today, &dir)
			if err != nil {
				return err
			}
			w := windowFrom(&meta, windowEnd(today))
			reply.Subject = &subject
			reply.Verdicts = rules.Verdicts(book, cal, facts, unit, subject, w)
			sortVerdicts(book, reply.Verdicts)
			return nil
		}
		o, err := s.find(tx, view, r.What)
		if err != nil {
			return err
		}
		v, err := s.present(tx, cal, today, o, map[string]string{})
		if err != nil {
			return err
		}
		reply.Obligation = &v
		unit, err := standsIn(tx, o.Key)
		if err != nil {
			return err
		}
		facts, err := gather(tx, unit, today, &dir)
		if err != nil {
			return err
		}
		was, err := s.bookIn(tx, o.Rulebook)
		if err != nil {
			return err
		}
		then, err := s.calendarIn(tx, o.Calendar)
		if err != nil {
			return err
		}
		w := windowFrom(&meta, max(meta.WindowEnd, windowEnd(today)))
		reply.Reason = rules.Explain(was, then, facts, unit, o.Key, w)
		switch {
		case reply.Reason == nil:
			reply.Changed = "按现有事实已不再产生此义务 / the facts as known now no longer give this obligation"
		case reply.Reason.Outcome != obligation.Derived:
			reply.Changed = "按现有事实已不再产生此义务 / the facts as known now no longer give this obligation: " + string(reply.Reason.Outcome)
		case reply.Reason.Due != o.Due:
			reply.Changed = fmt.Sprintf("按现有事实应为 %s；已过期的期限不自行后移 / the facts as known now give %s; a limit already missed does not move later", reply.Reason.Due, reply.Reason.Due)
		}
		return nil
	})
	if err != nil {
		return nil, s.refused(ctx, actorOf(ctx), actRead, r.What, refine(err))
	}
	return reply, nil
}

// subjectOf takes KIND/ID, or what is a loan's number, for a subject in sight.
func subjectOf(tx *store.Tx, view *sight, what string) (loan.Ref, bool, error) {
	for _, ref := range []loan.Ref{{Kind: loan.KindLoan, ID: what}, parsed(what)} {
		if ref.IsZero() {
			continue
		}
		if seen, err := view.subject(tx, ref); err == nil && seen {
			return ref, true, nil
		} else if err != nil && !errors.Is(err, store.ErrNotFound) {
			return loan.Ref{}, false, err
		}
	}
	if ref := parsed(what); !ref.IsZero() {
		return loan.Ref{}, false, api.Errorf(api.NotFound, "", "%s is not known", ref)
	}
	return loan.Ref{}, false, nil
}

func parsed(what string) loan.Ref {
	ref, err := loan.ParseRef(what)
	if err != nil {
		return loan.Ref{}
	}
	return ref
}

func sortVerdicts(b *rules.Book, vs []*obligation.Reason) {
	at := map[string]int{}
	for i, r := range b.Rules {
		at[r.ID] = i
	}
	sort.SliceStable(vs, func(i, j int) bool {
		if at[vs[i].Rule] != at[vs[j].Rule] {
			return at[vs[i].Rule] < at[vs[j].Rule]
		}
		return vs[i].Anchor < vs[j].Anchor
	})
}
