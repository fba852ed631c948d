package scheduler

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"time"

	"tickler/calendar"
	"tickler/obligation"
	"tickler/store"
)

// stamp is what every audit record carries: who, when, on which business day,
// under which documents. It is the one way to write a record: what has no
// stamp cannot be written, and a stamp with a gap fails its transaction.
type stamp struct {
	at                 time.Time
	business           calendar.Date
	rulebook, calendar string // digests
	actor              Actor
	begun              bool // a first import or scan gave the store its day and its documents

	of *obligation.Key // whose id the subjects are; nil for another subject
}

// underStanding is the stamp of what happens outside a change: the day and the
// documents are those that the store ran last.
func underStanding(meta *store.Meta, actor Actor, at time.Time) stamp {
	return stamp{at: at, business: meta.BusinessDate, rulebook: meta.Rulebook, calendar: meta.Calendar,
		actor: actor, begun: !meta.BusinessDate.IsZero()}
}

// stamp is the change's own.
func (c *change) stamp() stamp {
	st := stamp{at: c.now, business: c.today, rulebook: c.book.Digest(), calendar: c.cal.Version(), actor: c.actor, begun: true}
	st.actor = st.actor.named() // looked up once for many records
	return st
}

// lacks names what is missing.
func (st stamp) lacks() error {
	switch {
	case st.at.IsZero():
		return errors.New("it has no moment")
	case st.actor.Person == "" && st.actor.OSUser == "":
		return errors.New("nobody made it")
	case !st.begun:
		return nil
	case st.business.IsZero():
		return errors.New("it has no business date")
	case st.rulebook == "" || st.calendar == "":
		return errors.New("it does not say under which rulebook and calendar")
	}
	return nil
}

// write appends a record in the transaction. about names what else it is to be
// found under: KIND/ID, person/ID, an event's id. Of an obligation's id its
// subject and party need no mention.
func (st stamp) write(tx *store.Tx, action, subject string, detail any, about ...string) error {
	st.actor = st.actor.named()
	if err := st.lacks(); err != nil {
		return fmt.Errorf("audit record %q of %q: %w", action, subject, err)
	}
	rec := store.Record{At: st.at, Business: st.business, Actor: st.actor.Person, OSUser: st.actor.OSUser,
		Action: action, Subject: subject, Of: st.of, About: about, Rulebook: st.rulebook, Calendar: st.calendar}
	switch d := detail.(type) {
	case nil:
	case json.RawMessage:
		rec.Detail = d
	default:
		var err error
		if rec.Detail, err = store.AuditDetail(detail); err != nil {
			return err
		}
	}
	_, err := tx.Audit(rec)
	return err
}

// named is who a record names: for the daemon's own scan the process.
func (a Actor) named() Actor {
	if a == (Actor{}) || a.System {
		return ownActor()
	}
	return a
}

// ownActor is the process itself: nobody asked for what it does.
func ownActor() Actor {
	name := ""
	if u, err := user.Current(); err == nil {
		name = cmp.Or(u.Username, u.Uid)
	}
	return Actor{OSUser: cmp.Or(name, "tickler")}
}
