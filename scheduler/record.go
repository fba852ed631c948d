package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tickler/api"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// Record keeps an event that a person reports, closes what it closes and opens
// what it opens. The same id again changes nothing.
func (s *Scheduler) Record(ctx context.Context, actor Actor, r api.RecordRequest) (*api.RecordReply, error) {
	subject, err := loan.ParseRef(r.Subject)
	if err != nil {
		return nil, api.Errorf(api.Usage, "", "%v", err)
	}
	now := s.moment()
	var reply *api.RecordReply
	err = s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		reply = &api.RecordReply{ID: r.ID, Closed: []api.Obligation{}, Opened: []api.Obligation{}}
		c, err := s.begin(tx, actor, r.On, r.Force, now)
		if err != nil {
			return err
		}
		if err := c.person.may(actRecord); err != nil {
			return err
		}
		kind := c.book.Event(r.Event)
		if kind == nil {
			return api.Errorf(api.Usage, suggest(r.Event, eventKinds(c)), "unknown event %q (没有声明的事件)", r.Event)
		}
		r.Event = kind.Kind
		if !slices.Contains(kind.For, subject.Kind) {
			return api.Errorf(api.Usage, "", "%s is recorded of %s, not of %s", r.Event, kindList(kind.For), kindList([]loan.Kind{subject.Kind}))
		}
		unit, err := tx.UnitOf(subject)
		if known, kerr := c.known(subject); kerr != nil {
			return kerr
		} else if !known || errors.Is(err, store.ErrNotFound) {
			return api.Errorf(api.NotFound, "import the ledger that holds it first", "%s is not known", subject)
		}
		if err != nil {
			return err
		}
		if seen, err := c.view.subject(tx, subject); err != nil {
			return err
		} else if !seen {
			return api.Errorf(api.NotFound, "import the ledger that holds it first", "%s is not known", subject)
		}
		happened := r.Happened
		if happened.IsZero() {
			happened = c.today
		}
		if happened > c.today {
			return api.Errorf(api.Usage, "record it when it has happened", "--happened %s is after today, %s", happened, c.today)
		}
		if r.ID != "" {
			if old, _, err := tx.Event(r.ID); err == nil {
				if seen, err := c.view.subject(tx, old.Subject); err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				} else if !seen {
					return api.Errorf(api.Usage, "give this one another id", "event %q is there already", r.ID)
				}
				if old.Withdrawn != nil {
					return api.Errorf(api.Usage, "give this one another id", "event %q was withdrawn on %s: %s", r.ID, old.Withdrawn.On, old.Withdrawn.Reason)
				}
				if old.Kind != r.Event || old.Subject != subject {
					return api.Errorf(api.Usage, "give this one another id", "event %q is there already: %s of %s", r.ID, old.Kind, old.Subject)
				}
				reply.Same = true
				return errUnchanged
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
		} else {
			n, err := tx.Sequence("event")
			if err != nil {
				return err
			}
			r.ID = strconv.FormatUint(n, 10)
		}
		written, extra, err := kind.Note(r.Set)
		if err != nil {
			return api.Errorf(api.Usage, "\"tickler rules events "+r.Event+"\" shows its fields; nothing was recorded", "%v", err)
		}
		for _, name := range extra {
			reply.Warnings = append(reply.Warnings, fmt.Sprintf("%s 没有声明字段 %s，仅存档 / %s declares no field %q; kept as it is", r.Event, name, r.Event, name))
		}
		e := loan.Event{ID: r.ID, Kind: r.Event, Subject: subject, Happened: happened, Learned: now, Known: c.today, By: c.actor.Person, Files: r.Files, Fields: written,
			Period: written[rules.FieldPeriod], Party: written[rules.FieldParty]}
		if named, err := c.occurrence(e.Period); err != nil {
			return err
		} else if !named {
			return api.Errorf(api.Usage, periodHint, "期间 %q is no period", e.Period)
		}
		delete(written, rules.FieldPeriod)
		delete(written, rules.FieldParty)
		if r.Note != "" {
			e.Fields[rules.FieldNote] = r.Note
		}
		if rule, f := c.book.Lacks(e); rule != nil {
			return api.Errorf(api.Usage, "add --set "+f.Name+"=YYYY-MM-DD", "%s: rule %q counts from its %s (%s), which is not given", r.Event, rule.ID, f.Name, f.Title)
		}
		f, err := loanFileOf(tx, unit, subject)
		if err != nil {
			return err
		}
		if e.Confirms, err = c.twin(unit, e, f); err != nil {
			return err
		}
		units, err := c.concerned(unit, e)
		if err != nil {
			return err
		}
		for _, id := range r.Closes {
			o, err := s.find(tx, c.view, id)
			if err != nil {
				return err
			}
			of, err := standsIn(tx, o.Key)
			if err != nil {
				return err
			}
			switch {
			case o.State.Ended() || o.State == obligation.Submitted:
				return api.Errorf(api.Usage, "\"tickler show "+id+"\" tells what became of it", "obligation %q is %s, not open", o.Key, o.State)
			case !slices.Contains(units, of):
				return api.Errorf(api.Usage, "", "obligation %q is about %s; the event is recorded of %s", o.Key, o.Subject, subject)
			}
			e.Closes = append(e.Closes, o.Key.String())
		}
		c.cause = "登记 " + r.Event
		c.late = "登记时触发日已过"
		if err := tx.PutEvent(unit, e); err != nil {
			return err
		}
		if err := c.happens(unit, e); err != nil {
			return err
		}
		if err := c.planMarked(); err != nil {
			return err
		}
		reply.ID = r.ID
		if reply.Unopened, err = c.unopened(unit, e); err != nil {
			return err
		}
		for ch := range c.seen.all() {
			o, err := s.find(tx, everything, ch.Key.String())
			if err != nil {
				return err
			}
			if !c.view.sees(o) {
				continue
			}
			switch ch.Kind {
			case obligation.ChangeDone, obligation.ChangeSubmitted:
				v, err := s.view(tx, c.today, o)
				if err != nil {
					return err
				}
				reply.Closed = append(reply.Closed, v)
			case obligation.ChangeAltered:
				if o.Progress.Need == 0 || o.Progress.Have >= o.Progress.Need || o.State.Ended() {
					continue
				}
				v, err := s.view(tx, c.today, o)
				if err != nil {
					return err
				}
				reply.Progressed = append(reply.Progressed, v)
			case obligation.ChangeRaised:
				v, err := s.view(tx, c.today, o)
				if err != nil {
					return err
				}
				reply.Opened = append(reply.Opened, v)
			}
		}
		return c.end("event.recorded", e.ID, map[string]any{"kind": e.Kind, "subject": e.Subject.String(), "happened": e.Happened,
			"closes": c.events[unit][0].Closes, "fields": e.Fields, "period": e.Period, "party": e.Party, "confirms": e.Confirms, "files": e.Files}, e.Subject.String())
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return nil, s.refused(ctx, actor, actRecord, r.Subject, refine(err))
	}
	return reply, nil
}

// unopened says why rules that begin with an event of this kind made nothing of
// it.
func (c *change) unopened(unit loan.Ref, e loan.Event) ([]api.Unopened, error) {
	facts, err := c.facts(unit)
	if err != nil {
		return nil, err
	}
	var out []api.Unopened
	for _, subject := range slices.Compact([]loan.Ref{e.Subject, unit}) {
		for _, v := range rules.Verdicts(c.book, c.cal, facts, unit, subject, windowFrom(&c.meta, c.meta.WindowEnd)) {
			if v.Occurrence == e.ID && v.Outcome != obligation.Derived {
				out = append(out, api.Unopened{Rule: v.Rule, Name: v.Name, Outcome: v.Outcome, Why: v.Why})
			}
		}
	}
	return out, nil
}

func eventKinds(c *change) []string {
	var out []string
	for k := range c.book.Events {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// suggest names the words that share the most with a misspelt one.
func suggest(word string, words []string) string {
	kind, _, _ := strings.Cut(word, ".")
	var near []string
	for _, w := range words {
		if strings.HasPrefix(w, kind+".") {
			near = append(near, w)
		}
	}
	if len(near) == 0 {
		return "\"tickler rules events\" lists them"
	}
	return "there is " + strings.Join(near, ", ")
}

func kindList(kinds []loan.Kind) string {
	var out []string
	for _, k := range kinds {
		article := "a "
		if k == loan.KindOfficer {
			article = "an "
		}
		out = append(out, article+string(k))
	}
	return strings.Join(out, " or ")
}
