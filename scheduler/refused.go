package scheduler

import (
	"context"
	"strings"

	"tickler/api"
	"tickler/store"
)

// refused keeps a record of what somebody tried and may not do, and gives the
// refusal. A record that cannot be kept changes nothing of it, and is logged.
func (s *Scheduler) refused(ctx context.Context, a Actor, what act, subject string, refusal error) error {
	if api.CodeOf(refusal) != api.NotAllowed {
		return refusal
	}
	err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		told := map[string]any{"act": what, "why": clip(refusal.Error())}
		staff := a.Person
		p, err := s.who(tx, a)
		if err == nil {
			staff = p.Staff
		}
		if err != nil || what == actRead {
			// Of a stranger, and of a look, it is no part of a duty's history.
			told["asked"], subject = clip(subject), ""
		}
		detail, err := store.AuditDetail(told)
		if err != nil {
			return err
		}
		_, err = tx.Audit(store.Record{At: s.moment(), Business: meta.BusinessDate, Actor: staff, OSUser: a.OSUser, Action: "refused",
			Subject: clip(subject), Detail: detail, Rulebook: meta.Rulebook, Calendar: meta.Calendar})
		return err
	})
	if err != nil {
		s.log.Error("keep the record of a refusal", "error", err)
	}
	return refusal
}

// clip bounds what somebody who may do nothing can write into the audit.
func clip(s string) string {
	const most = 500
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
