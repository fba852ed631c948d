package scheduler

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// Rebuild makes, in one transaction, the indexes of a store again, and every
// plan that is missing or cannot be read. A plan that can be read stays as it
// is. What was planned is derived from the facts under the rulebook and the
// calendar in force; what became of a duty from its raising on is what the
// audit says of it. Every unit is marked, so that the next scan holds the plan
// against the facts once more.
//
// The audit has no record of a duty that was never raised: one that had been
// cancelled before, or moved, or given to another person before its raising,
// comes back as it is derived today.
func Rebuild(ctx context.Context, st *store.Store, actor Actor, now time.Time) (*api.RebuildReply, error) {
	if now.IsZero() {
		now = Now()
	}
	s := &Scheduler{now: Now, books: map[string]*rules.Book{}, cals: map[string]*calendar.Calendar{}}
	var reply *api.RebuildReply
	err := st.Update(ctx, func(tx *store.Tx) error {
		reply = &api.RebuildReply{Unknown: []string{}}
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		if meta.Rulebook == "" {
			return api.Errorf(api.Failed, "import a ledger first", "nothing was ever planned in this store")
		}
		if reply.Dropped, err = tx.DropUnreadablePlans(); err != nil {
			return err
		}
		if err := tx.Reindex(); err != nil {
			return err
		}
		r := &rebuilding{s: s, tx: tx, meta: meta, reply: reply, said: map[loan.Ref][]said{}}
		if err := r.listen(); err != nil {
			return err
		}
		if err := r.everyUnit(); err != nil {
			return err
		}
		by := underStanding(&meta, actor, now.UTC().Truncate(time.Second))
		return by.write(tx, "store.rebuilt", "", reply)
	})
	if err != nil {
		return nil, refine(err)
	}
	return reply, nil
}

// rebuilding is one Rebuild at work.
type rebuilding struct {
	s     *Scheduler
	tx    *store.Tx
	meta  store.Meta
	reply *api.RebuildReply
	said  map[loan.Ref][]said // subject -> records about its duties, in order
	told  map[string]calendar.Date
}

// said is one audit record about a duty.
type said struct {
	store.Record
	id     string
	detail saidDetail
}

// saidDetail is what the records about duties say, of changeDetail,
// escalationDetail and the moves of persons.
type saidDetail struct {
	changeDetail
	Level  string        `json:"level"`
	Reason string        `json:"reason"`
	Note   string        `json:"note"`
	From   string        `json:"from"`
	To     string        `json:"to"`
	Until  calendar.Date `json:"until"`
}

// listen gathers what the audit says of duties, and the days of reminders.
func (r *rebuilding) listen() error {
	var mass saidDetail // of an officer's whole desk: the records after it are about the duties
	err := r.tx.ScanAudit(1, 0, func(rec store.Record) error {
		if rec.Action == "obligations.reassigned" {
			mass = saidDetail{}
			return json.Unmarshal(rec.Detail, &mass)
		}
		if !strings.HasPrefix(rec.Action, "obligation.") {
			return nil
		}
		key, err := obligation.ParseKey(rec.Subject)
		if err != nil {
			return fmt.Errorf("audit record %d: %w", rec.Seq, err)
		}
		x := said{Record: rec, id: rec.Subject}
		if err := json.Unmarshal(rec.Detail, &x.detail); err != nil {
			return fmt.Errorf("audit record %d: %w", rec.Seq, err)
		}
		if rec.Action == "obligation.reassigned" {
			x.detail.From, x.detail.To = mass.From, mass.To
		}
		if rec.Action == "obligation.reassigned.by_person" {
			mass = x.detail
		}
		r.said[key.Subject] = append(r.said[key.Subject], x)
		return nil
	})
	if err != nil {
		return err
	}
	r.told = map[string]calendar.Date{}
	take := func(m store.Message) error {
		if m.Kind == kindRemind {
			r.told[m.Obligation] = max(r.told[m.Obligation], m.On)
		}
		return nil
	}
	return errors.Join(r.tx.ScanOutbox(take), r.tx.ScanSent(0, take))
}

// everyUnit goes through all that can have a plan.
func (r *rebuilding) everyUnit() error {
	units := map[loan.Ref]bool{}
	err := r.tx.ScanDossiers(func(d *loan.Dossier) error {
		units[borrowerUnit(d.ID)] = true
		if d.Borrower != nil && d.Borrower.RiskManager != "" {
			units[officerUnit(d.Borrower.RiskManager)] = true
		}
		for _, f := range d.Loans {
			for _, v := range f.History {
				if v.Value.Officer != "" {
					units[officerUnit(v.Value.Officer)] = true
				}
				if v.Value.Branch != "" {
					units[branchUnit(v.Value.Branch)] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	branches, err := r.tx.Branches()
	if err != nil {
		return err
	}
	for id := range branches {
		units[branchUnit(id)] = true
	}
	groups, err := r.tx.Groups()
	if err != nil {
		return err
	}
	for id := range groups {
		units[groupUnit(id)] = true
	}
	for subject := range r.said {
		u, err := r.tx.UnitOf(subject)
		if errors.Is(err, store.ErrNotFound) {
			r.reply.Unknown = append(r.reply.Unknown, subject.String())
			continue
		}
		if err != nil {
			return err
		}
		units[u] = true
		if u != subject {
			r.said[u] = append(r.said[u], r.said[subject]...)
			delete(r.said, subject)
		}
	}
	slices.Sort(r.reply.Unknown)
	book, err := r.s.bookIn(r.tx, r.meta.Rulebook)
	if err != nil {
		return err
	}
	cal, err := r.s.calendarIn(r.tx, r.meta.Calendar)
	if err != nil {
		return err
	}
	dir := directory{reach: book.Reach()}
	for _, u := range sortedUnits(units) {
		if err := r.tx.MarkDirty(u, ""); err != nil {
			return err
		}
		plan, err := r.tx.Plan(u)
		if err != nil {
			return err
		}
		if plan != nil {
			r.reply.Kept++
			continue
		}
		if err := r.unit(u, book, cal, &dir); err != nil {
			return fmt.Errorf("plan %s: %w", u, err)
		}
	}
	return nil
}

func sortedUnits(units map[loan.Ref]bool) []loan.Ref {
	out := make([]loan.Ref, 0, len(units))
	for u := range units {
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b loan.Ref) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	return out
}

// unit makes one plan.
func (r *rebuilding) unit(u loan.Ref, book *rules.Book, cal *calendar.Calendar, dir *directory) error {
	facts, err := gather(r.tx, u, r.meta.BusinessDate, dir)
	if err != nil {
		return err
	}
	d := rules.Derive(book, cal, facts, u, windowFrom(&r.meta, r.meta.WindowEnd))
	plan := &store.Plan{Unit: u, Next: d.Next, Rulebook: r.meta.Rulebook, Calendar: r.meta.Calendar}
	records := map[string][]said{}
	var order []string
	slices.SortStableFunc(r.said[u], func(a, b said) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, x := range r.said[u] {
		if records[x.id] == nil {
			order = append(order, x.id)
		}
		records[x.id] = append(records[x.id], x)
	}
	derived := map[string]*obligation.Duty{}
	for i := range d.Duties {
		id := d.Duties[i].Key.String()
		if derived[id] == nil {
			derived[id] = &d.Duties[i]
			if records[id] == nil {
				order = append(order, id)
			}
		}
	}
	events, err := r.tx.EventsOf(u)
	if err != nil {
		return err
	}
	for _, id := range order {
		o := obligation.Obligation{State: obligation.Planned, Rulebook: r.meta.Rulebook, Calendar: r.meta.Calendar}
		if duty := derived[id]; duty != nil {
			o.Duty = *duty
		}
		if last := telling(records[id]); last != nil && (derived[id] == nil || endsIn(records[id])) {
			then, err := r.dutyOn(u, id, last, events)
			if err != nil {
				return err
			}
			if then != nil {
				o.Duty = *then
			} else if derived[id] == nil {
				if o.Key, err = obligation.ParseKey(id); err != nil {
					return err
				}
				r.reply.Unknown = append(r.reply.Unknown, id)
			}
			o.Rulebook, o.Calendar = last.Rulebook, last.Calendar
		}
		replay(&o, records[id], events, r.told[id])
		plan.Obligations = append(plan.Obligations, o)
	}
	if len(plan.Obligations) == 0 && d.Next.IsZero() {
		return nil
	}
	r.reply.Plans++
	r.reply.Obligations += len(plan.Obligations)
	return r.tx.PutPlan(plan)
}

// telling is the record under which a duty was last derived: not the one by
// which it went away.
func telling(records []said) *said {
	for i := len(records) - 1; i >= 0; i-- {
		if a := records[i].Action; a != "obligation."+string(obligation.ChangeCancelled) && a != "obligation."+string(obligation.ChangeLapsed) {
			return &records[i]
		}
	}
	return nil
}

// endsIn says that a duty had ended by its last record: what it was then stays.
func endsIn(records []said) bool {
	for i := len(records) - 1; i >= 0; i-- {
		if kind, ok := cutChange(records[i].Action); ok && stateAfter[kind] != "" {
			return stateAfter[kind].Ended()
		}
	}
	return false
}

// dutyOn derives a duty as it was on a record's day, or on the day before, where
// what was learnt on that day took it away; nil where neither gives it.
func (r *rebuilding) dutyOn(u loan.Ref, id string, x *said, events []loan.Event) (*obligation.Duty, error) {
	book, err := r.s.bookIn(r.tx, x.Rulebook)
	if err != nil {
		return nil, err
	}
	cal, err := r.s.calendarIn(r.tx, x.Calendar)
	if err != nil {
		return nil, err
	}
	for _, day := range []calendar.Date{x.Business, x.Business.AddDays(-1)} {
		p := &past{day: day, meta: r.meta, book: book, cal: cal, dir: directory{reach: book.Reach()}}
		facts, err := gather(r.tx, u, day, &p.dir)
		if err != nil {
			return nil, err
		}
		for _, e := range events { // of what stood then, and was taken back later
			if e.Withdrawn != nil && !e.Withdrawn.At.Before(x.At) {
				e.Withdrawn = nil
				facts.Events = append(facts.Events, e)
			}
		}
		p.forget(facts)
		d := rules.Derive(book, cal, facts, u, windowFrom(&r.meta, windowEnd(day)))
		for i := range d.Duties {
			if d.Duties[i].Key.String() == id {
				return &d.Duties[i], nil
			}
		}
	}
	return nil, nil
}

// replay lives a duty's life again from its records.
func replay(o *obligation.Obligation, records []said, events []loan.Event, told calendar.Date) {
	var move *said // the person's, before the record of what it changed
	for i := range records {
		x := &records[i]
		if strings.HasSuffix(x.Action, ".by_person") {
			move = x
			continue
		}
		switch x.Action {
		case "obligation.escalated":
			o.Escalated = append(o.Escalated, x.detail.To)
			continue
		case "obligation.snoozed":
			o.Snoozed = x.detail.Until
			continue
		}
		kind, ok := cutChange(x.Action)
		if !ok {
			continue
		}
		relive(o, kind, x, move, events)
		move = nil
	}
	o.Told = max(o.Told, told)
	if o.Assigned != nil && o.Assigned.Instead != o.Owner && o.Owner != "" {
		o.Assigned = nil // the facts have named another person since
	} else if o.Assigned != nil {
		o.Owner = assignee(records)
	}
	if o.State != obligation.Done && o.State != obligation.Submitted {
		o.Closed = nil
	}
}

// assignee is to whom a duty was last given.
func assignee(records []said) (to string) {
	for i := range records {
		if records[i].Action == "obligation."+string(obligation.ChangeReassigned) {
			to = records[i].detail.To
		}
	}
	return to
}

// relive makes one change again.
func relive(o *obligation.Obligation, kind obligation.ChangeKind, x, move *said, events []loan.Event) {
	o.Due = cmp.Or(x.detail.Due, o.Due)
	if kind != obligation.ChangeAltered && kind != obligation.ChangeReassigned && kind != obligation.ChangeRaised {
		o.Cause = x.detail.Why
	}
	switch kind {
	case obligation.ChangeRaised:
		o.State, o.RaisedAt, o.RaisedOn, o.Late, o.Cause = obligation.Raised, x.At, x.Business, x.detail.Late, x.detail.Why
	case obligation.ChangeMoved:
		o.WasDue, o.Told = x.detail.Was, x.Business
	case obligation.ChangeRevived:
		o.State, o.Told = obligation.Raised, x.Business
		if o.RaisedOn.IsZero() {
			o.State, o.Told = obligation.Planned, 0
		}
	case obligation.ChangeSubmitted, obligation.ChangeDone:
		reliveClosing(o, kind, x, move, events)
	case obligation.ChangeSigned:
		if move != nil {
			o.Signatures = append(o.Signatures, obligation.Signature{Role: move.detail.Level, By: move.Actor, On: x.Business, Note: move.detail.Note})
		}
	case obligation.ChangeReturned, obligation.ChangeReopened:
		o.State, o.DoneOn, o.Submitted, o.ClosedBy, o.SubmittedBy, o.Signatures, o.Waiver = obligation.Raised, 0, 0, "", "", nil, nil
		if o.RaisedOn.IsZero() {
			o.State = obligation.Planned
		}
		if move != nil {
			o.ReopenedAt = x.At
		} else {
			o.Told = x.Business
		}
	case obligation.ChangeWaiverAsked:
		if move != nil {
			o.Waiver = &obligation.Request{By: move.Actor, On: x.Business, Reason: move.detail.Reason}
		}
	case obligation.ChangeWaived:
		o.State, o.DoneOn, o.Waiver = obligation.Waived, x.Business, nil
	case obligation.ChangeCancelled:
		o.State = obligation.Cancelled
	case obligation.ChangeLapsed:
		o.State = obligation.Lapsed
	case obligation.ChangeReassigned:
		if o.Assigned == nil {
			o.Assigned = &obligation.Assignment{Instead: x.detail.From}
		}
		o.Snoozed = 0
	}
}

// reliveClosing makes a submission again, by a person or by an event.
func reliveClosing(o *obligation.Obligation, kind obligation.ChangeKind, x, move *said, events []loan.Event) {
	signing := move != nil && move.detail.Level != ""
	switch {
	case signing:
		o.Signatures = append(o.Signatures, obligation.Signature{Role: move.detail.Level, By: move.Actor, On: x.Business, Note: move.detail.Note})
	case o.State == obligation.Submitted: // fewer signatures are asked for
	case move != nil:
		o.Submitted, o.SubmittedBy, o.Signatures, o.Waiver, o.ClosedBy = x.detail.On, move.Actor, nil, nil, ""
	default:
		o.Submitted, o.Signatures, o.Waiver = x.detail.On, nil, nil
		o.ClosedBy, o.SubmittedBy = closer(o, x, events)
	}
	o.State = obligation.Submitted
	if kind == obligation.ChangeDone {
		o.State, o.DoneOn, o.Waiver = obligation.Done, x.detail.On, nil
	}
}

// closer finds the event that closed a duty by a record.
func closer(o *obligation.Obligation, x *said, events []loan.Event) (event, by string) {
	for i := range events {
		e := &events[i]
		if slices.Contains(e.Closes, x.id) && e.Happened == x.detail.On && !e.Learned.After(x.At) {
			return e.ID, e.By
		}
	}
	if o.Closed != nil && o.Closed.On == x.detail.On {
		return o.Closed.Event, o.Closed.By
	}
	return "", ""
}
