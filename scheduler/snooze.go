package scheduler

import (
	"context"
	"errors"
	"slices"
	"strings"

	"tickler/api"
	"tickler/calendar"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// Snooze puts the reminders of an obligation off to a day not past its due
// day. The due day stays, and what is overdue goes up all the same. Reminders
// of the days between are one, on the day named: nobody who wanted to be left
// alone meant never to hear of it again.
func (s *Scheduler) Snooze(ctx context.Context, actor Actor, r api.SnoozeRequest) (*api.SnoozeReply, error) {
	if strings.TrimSpace(r.Note) == "" {
		return nil, api.Errorf(api.Usage, "add --note", "reminders are put off with a note (须说明理由)")
	}
	now := s.moment()
	var reply *api.SnoozeReply
	err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		c, err := s.begin(tx, actor, r.On, r.Force, now)
		if err != nil {
			return err
		}
		c.cause, c.late = "暂缓提醒", "操作时触发日已过"
		if err := c.planMarked(); err != nil {
			return err
		}
		if err := c.person.may(actSnooze); err != nil {
			return err
		}
		found, err := s.find(tx, c.view, r.ID)
		if err != nil {
			return err
		}
		if err := c.perform(found); err != nil {
			return err
		}
		switch {
		case found.State != obligation.Raised:
			return api.Errorf(api.Usage, "only what is on a desk has reminders to put off", "obligation %q is %s", found.Key, found.State)
		case found.Due < c.today:
			return api.Errorf(api.Usage, "", "obligation %q was due on %s: no reminder is left, and what goes up is not put off", found.Key, found.Due)
		case r.Until > found.Due:
			return api.Errorf(api.Usage, "", "--until %s is past the due day, %s", r.Until, found.Due)
		case r.Until <= c.today:
			return api.Errorf(api.Usage, "", "--until %s is not after today, %s", r.Until, c.today)
		}
		unit, err := tx.UnitOf(found.Subject)
		if err != nil {
			return err
		}
		plan, err := tx.Plan(unit)
		if err != nil {
			return err
		}
		if plan == nil {
			return errors.New("snooze: the plan of " + unit.String() + " is gone")
		}
		i := slices.IndexFunc(plan.Obligations, func(o obligation.Obligation) bool { return o.Key == found.Key })
		o := &plan.Obligations[i]
		was := o.Snoozed
		o.Snoozed = r.Until
		if err := c.keepPlan(plan, nil); err != nil {
			return err
		}
		reply = &api.SnoozeReply{Until: r.Until}
		if reply.Next, err = nextReminder(c.cal, c.book, o, c.today); err != nil {
			return err
		}
		if reply.Obligation, err = s.view(tx, c.today, o); err != nil {
			return err
		}
		detail := map[string]any{"until": r.Until, "due": o.Due, "note": r.Note}
		if !was.IsZero() {
			detail["was"] = was
		}
		return c.end("obligation.snoozed", o.Key.String(), detail)
	})
	if err != nil {
		return nil, s.refused(ctx, actor, actSnooze, r.ID, refine(err))
	}
	return reply, nil
}

// nextReminder is the day after today on which whoever has an obligation is
// reminded next; zero is never.
func nextReminder(cal *calendar.Calendar, book *rules.Book, o *obligation.Obligation, today calendar.Date) (calendar.Date, error) {
	quiet := *o // nothing goes up, so that only reminders are left
	if rule := book.Rule(o.Rule); rule != nil {
		quiet.Escalated = nil
		for _, e := range rule.Escalate {
			quiet.Escalated = append(quiet.Escalated, e.To)
		}
	}
	_, next, err := nudges(cal, book, &quiet, today)
	return next, err
}
