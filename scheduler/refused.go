package scheduler

import (
	"context"
	"unicode/utf8"

	"tickler/api"
	"tickler/store"
)

// ActionRefused is the audit's word for an attempt that was not allowed.
const ActionRefused = "refused"

// refusal is the audit's word on an attempt.
type refusal struct {
	What string `json:"what"` // the act: sign, waive, rules.activate
	Why  string `json:"why"`
}

// Refused keeps an attempt that was not allowed, in a transaction of its own,
// and gives err back: the answer of whoever asked is the same with the record
// and without. Any other error than api.NotAllowed is only given back.
//
//	if err := may(actor, "sign", o); err != nil {
//		return nil, s.Refused(ctx, actor, "sign", o.Key.String(), err)
//	}
//
// what is the act, subject what it was tried on: an obligation's id, KIND/ID,
// an event's id, or "". It must not be called within a transaction. A record
// that cannot be written is logged; the attempt stays refused.
func (s *Scheduler) Refused(ctx context.Context, actor Actor, what, subject string, err error) error {
	if err == nil || api.CodeOf(err) != api.NotAllowed {
		return err
	}
	why := err.Error()
	if e, ok := err.(*api.Error); ok {
		why = e.Text
	}
	if actor == (Actor{}) {
		actor.OSUser = "unknown" // never the process itself
	}
	now := s.moment()
	// Who hangs up early does not get away unseen.
	werr := s.cfg.Store.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		return underStanding(&meta, actor, now).write(tx, ActionRefused, cutText(subject, maxRefused), refusal{cutText(what, maxRefused), cutText(why, 4*maxRefused)})
	})
	if werr != nil {
		s.log.Error("keep a refused attempt", "what", what, "subject", subject, "person", actor.Person, "os_user", actor.OSUser, "error", werr)
	}
	return err
}

// maxRefused bounds what a record takes of a request that anybody may send.
const maxRefused = 512

// cutText keeps at most n bytes, and no half letters.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// refused keeps an attempt like Refused, under the person whom the OS user is
// mapped to. A look, and what a stranger tried, name their subject with the act:
// they are no part of a duty's history.
func (s *Scheduler) refused(ctx context.Context, actor Actor, what act, subject string, refusal error) error {
	if refusal == nil || api.CodeOf(refusal) != api.NotAllowed {
		return refusal
	}
	word := string(what)
	known := false
	err := s.cfg.Store.View(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if p, err := s.who(tx, actor); err == nil {
			actor.Person, known = p.Staff, true
		}
		return nil
	})
	if (!known || err != nil || what == actRead) && subject != "" {
		word, subject = word+" "+subject, ""
	}
	return s.Refused(ctx, actor, word, subject, refusal)
}
