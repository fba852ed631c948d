package scheduler

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"time"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

func borrowerUnit(id string) loan.Ref { return loan.Ref{Kind: loan.KindBorrower, ID: id} }
func branchUnit(id string) loan.Ref   { return loan.Ref{Kind: loan.KindBranch, ID: id} }
func groupUnit(id string) loan.Ref    { return loan.Ref{Kind: loan.KindGroup, ID: id} }
func officerUnit(id string) loan.Ref  { return loan.Ref{Kind: loan.KindOfficer, ID: id} }

// change is one transaction at work: who, when, under which documents, and
// what has changed so far. It lives within one run of an Update's closure.
type change struct {
	s     *Scheduler
	tx    *store.Tx
	book  *rules.Book
	cal   *calendar.Calendar
	meta  store.Meta
	today calendar.Date
	now   time.Time
	actor Actor
	cause string // in Chinese, for what moves or ends
	under string // the documents that changed, in Chinese: they are the cause then; "" for none
	late  string // why a duty whose day of raising has passed comes late

	tally
	fails    []string // of the units that failed, those in sight
	warnings []string
	replan   map[loan.Ref]bool
	order    []loan.Ref
	events   map[loan.Ref][]*newEvent // unit -> events new in this change, to be matched with what they close

	person *person // who asks
	view   *sight  // what he sees

	withdrawing bool          // an event is taken back
	since       calendar.Date // last day that was scanned, where days were left out
	gap         string        // which, in Chinese; "" for none
	scanning    bool          // reminders and escalations whose day has come are told

	directory directory // the facts that many units share, read once
	deriver   *rules.Deriver
	recon     obligation.Reconciler
	crew      []hand
	dirty     map[loan.Ref]reason // units that were marked before the change, as far as it plans them, and why
	more      bool                // others are marked
	mayWait   bool                // what is too much for one transaction is planned after it
	failures  map[string]bool     // units whose last derivation failed
	skip      map[loan.Ref]error  // units at which the program failed in an earlier try of this change, and how
}

// tally is what has come of the units so far.
type tally struct {
	counts  map[string]int   // kind of change -> how many
	sighted map[string]int   // likewise, of what who asks sees
	units   int              // planned, of those
	seen    runs[seenChange] // of raised obligations, and those of record
	nudged  runs[nudged]     // to be told
	failed  []string         // of what could not be worked out, why
}

func newTally() tally {
	return tally{counts: map[string]int{}, sighted: map[string]int{}}
}

// add takes over what came of the units after.
func (t *tally) add(u *tally) {
	addCounts(t.counts, u.counts)
	addCounts(t.sighted, u.sighted)
	t.units += u.units
	t.seen.join(&u.seen)
	t.nudged.join(&u.nudged)
	t.failed = append(t.failed, u.failed...)
}

// runs is a list that is put together from others and copies none of them.
type runs[T any] struct {
	whole [][]T
	open  []T // behind them: append to it
}

func (r *runs[T]) join(o *runs[T]) {
	if len(r.open) > 0 {
		r.whole, r.open = append(r.whole, r.open), nil
	}
	r.whole = append(r.whole, o.whole...)
	if len(o.open) > 0 {
		r.whole = append(r.whole, o.open)
	}
}

func (r *runs[T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for i := range len(r.whole) + 1 {
			run := r.open
			if i < len(r.whole) {
				run = r.whole[i]
			}
			for j := range run {
				if !yield(&run[j]) {
					return
				}
			}
		}
	}
}

type seenChange struct {
	obligation.Change
	owner, role, branch string
	on                  calendar.Date // the day of the act, of one that was submitted or done
	late                string        // why it was raised after its day
}

// beginUnder opens a change under a rulebook: the day, and the documents in
// force; begin (hold.go) says which rulebook that is. Where the rulebook or the
// calendar is another than the store ran last, it is kept and every unit is
// planned anew, in this same transaction.
func (s *Scheduler) beginUnder(tx *store.Tx, book *rules.Book, actor Actor, on calendar.Date, force bool, now time.Time) (*change, error) {
	_, cal := s.inForce()
	meta, err := tx.Meta()
	if err != nil {
		return nil, err
	}
	today, warning, err := s.businessDay(&meta, book, on, force)
	if err != nil {
		return nil, err
	}
	p, err := s.who(tx, actor)
	if err != nil {
		return nil, err
	}
	sees, err := s.sight(tx, p, today)
	if err != nil {
		return nil, err
	}
	actor.Person = p.Staff
	c := &change{s: s, tx: tx, book: book, cal: cal, meta: meta, today: today, now: now, actor: actor, person: p, view: sees,
		tally: newTally(), replan: map[loan.Ref]bool{}, events: map[loan.Ref][]*newEvent{}, failures: map[string]bool{}, directory: directory{reach: book.Reach()}}
	if warning != "" {
		c.warnings = append(c.warnings, warning)
	}
	if err := tx.Rows("failed", func(id string, _ json.RawMessage) error { c.failures[id] = true; return nil }); err != nil {
		return nil, err
	}
	if err := c.noteClock(); err != nil {
		return nil, err
	}
	c.meta.BusinessDate, c.meta.Program = today, s.cfg.Version
	all := false
	if end := windowEnd(today); end > meta.WindowEnd {
		c.meta.WindowEnd, all = end, true
	}
	if !s.mute && !nudging(&meta) {
		all = true
		c.meta.Extra = maps.Clone(c.meta.Extra)
		if c.meta.Extra == nil {
			c.meta.Extra = map[string]json.RawMessage{}
		}
		c.meta.Extra[extraNudges] = json.RawMessage("1")
	}
	if meta.Rulebook != book.Digest() {
		all = true
		if err := c.activate("rulebook", meta.Rulebook, book.Digest(), book.Text(), tx.PutBook); err != nil {
			return nil, err
		}
		if meta.Rulebook != "" {
			c.under = "规则簿变更"
		}
		c.meta.Rulebook = book.Digest()
	}
	if meta.Calendar != cal.Version() {
		all = true
		if err := c.activate("calendar", meta.Calendar, cal.Version(), cal.Text(), tx.PutCalendar); err != nil {
			return nil, err
		}
		if meta.Calendar != "" {
			c.under += "放假通知变更"
		}
		c.meta.Calendar = cal.Version()
	}
	if all {
		if err := c.everyUnit(within(c.tx)); err != nil {
			return nil, err
		}
	}
	return c, c.planDirty(fewAtOnce)
}

func (c *change) activate(kind, old, digest string, text []byte, put func(string, []byte) error) error {
	if err := put(digest, text); err != nil {
		return err
	}
	a := store.Activation{Kind: kind, Digest: digest, Previous: old, At: c.now, Business: c.today, By: c.actor.OSUser}
	if err := c.tx.PutActivation(a); err != nil {
		return err
	}
	return c.audit(kind+".activated", "", map[string]any{"from": old, "to": digest})
}

// everyUnit marks all there is, page by page.
func (c *change) everyUnit(view viewer) error {
	for after, begun := "", false; !begun || after != ""; begun = true {
		err := view(func(tx *store.Tx) (err error) {
			c.tx = tx
			after, err = tx.ScanDossiersFrom(after, dossierPage, func(d *loan.Dossier) error {
				c.plan(borrowerUnit(d.ID))
				return c.touch(d)
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	err := view(func(tx *store.Tx) error {
		branches, err := tx.Branches()
		for id := range branches {
			c.plan(branchUnit(id))
		}
		return err
	})
	if err != nil {
		return err
	}
	return eachGlance(view, func(*store.Glance) {}, func(_ *store.Tx, p *store.Plan) error { c.plan(p.Unit); return nil })
}

// touch marks the officers, branches and groups of a dossier's loans.
func (c *change) touch(d *loan.Dossier) error {
	for _, f := range d.Loans {
		if l := f.History.At(c.today); l != nil {
			if err := c.touchLoan(l); err != nil {
				return err
			}
		}
	}
	if d.Borrower != nil && d.Borrower.RiskManager != "" {
		c.plan(officerUnit(d.Borrower.RiskManager))
	}
	return nil
}

func (c *change) touchLoan(l *loan.Loan) error {
	groups, err := c.directory.groupsOf(c.tx, l.Borrower)
	if err != nil {
		return err
	}
	for _, g := range groups {
		c.plan(groupUnit(g.ID))
	}
	if l.Officer != "" {
		c.plan(officerUnit(l.Officer))
	}
	if l.Branch != "" {
		c.plan(branchUnit(l.Branch))
	}
	return nil
}

// plan marks a unit to be planned before the change ends.
func (c *change) plan(u loan.Ref) {
	if c.s.elsewhere != nil && c.s.elsewhere(u) {
		return
	}
	if !c.replan[u] {
		c.replan[u] = true
		c.order = append(c.order, u)
	}
	if why := c.dirty[u]; why != (reason{}) {
		c.dirty[u] = reason{} // it is this change's own by now
	}
}

// audit writes a record of the change; about is what stamp.write says.
func (c *change) audit(action, subject string, detail any, about ...string) error {
	return c.stamp().write(c.tx, action, subject, detail, about...)
}

// planMarked plans every marked unit: derives it, reconciles it with what
// stands, raises what is due and closes what events discharged. The order of
// the store's keys is the quickest for it.
func (c *change) planMarked() error {
	sort.Slice(c.order, func(i, j int) bool {
		if c.order[i].Kind != c.order[j].Kind {
			return c.order[i].Kind < c.order[j].Kind
		}
		return c.order[i].ID < c.order[j].ID
	})
	// The first ones of a kind bring most of the names that no record has named.
	planned := 0
	for units, batch := c.order, crewFirst; len(units) > 0; batch = min(2*batch, crewBatch) {
		if c.full(planned) {
			var err error
			if units, err = c.postpone(units); err != nil {
				return err
			}
			if c.order = slices.Concat(c.order[:planned], units); len(units) == 0 {
				return nil
			}
		}
		n := 1
		for n < min(len(units), batch) && units[n].Kind == units[0].Kind {
			n++
		}
		if err := c.planCrew(units[:n]); err != nil {
			return err
		}
		if n < len(units) && units[n].Kind != units[0].Kind {
			batch = crewFirst / 2
		}
		units = units[n:]
		planned += n
	}
	return nil
}

func (c *change) circumstances(u loan.Ref, events []loan.Event) obligation.Circumstances {
	var closings map[string][]obligation.Closing
	take := func(e *loan.Event) {
		for _, id := range e.Closes {
			if e.Withdrawn == nil && !slices.ContainsFunc(closings[id], func(c obligation.Closing) bool { return c.Event == e.ID }) {
				if closings == nil {
					closings = map[string][]obligation.Closing{}
				}
				closings[id] = append(closings[id], obligation.Closing{On: e.Happened, Event: e.ID, By: e.By, At: e.Learned})
			}
		}
	}
	for i := range events {
		take(&events[i])
	}
	for _, e := range c.events[u] {
		take(&e.Event)
	}
	why := c.reasonFor(u)
	return obligation.Circumstances{
		Gone: c.gone, Withdrawing: c.withdrawing,
		Today: c.today, Now: c.now, Rulebook: c.book.Digest(), Calendar: c.cal.Version(),
		Cause: why.cause, Late: why.late, Closings: closings,
	}
}

// gone says that an event was withdrawn, or is no longer kept. What cannot be
// looked up stands: nothing is reopened on a doubt.
func (c *change) gone(event string) bool {
	e, _, err := c.tx.Event(event)
	if errors.Is(err, store.ErrNotFound) {
		return true
	}
	return err == nil && e.Withdrawn != nil
}

func (c *change) planUnit(u loan.Ref) error {
	if err := c.guarded(u, func() error { return c.planNow(u) }); err != nil {
		return fmt.Errorf("plan %s: %w", u, err)
	}
	return nil
}

func (c *change) planNow(u loan.Ref) error {
	facts, err := c.facts(u)
	if err != nil {
		return err
	}
	plan, err := c.tx.Plan(u)
	if err != nil {
		return err
	}
	known := plan != nil
	if !known {
		plan = &store.Plan{Unit: u}
	}
	if err := c.match(u, plan, facts); err != nil { // events close first
		return err
	}
	obs, changes, d := c.reckon(u, plan.Obligations, facts)
	plan.Obligations = obs
	same := known && plan.Next == d.Next && len(changes) == 0 && !c.recon.Quiet
	// What a file found may close what only this plan brought about.
	before := len(facts.Events)
	if len(c.events[u]) > 0 {
		if err := c.match(u, plan, facts); err != nil {
			return err
		}
		circ := c.circumstances(u, facts.Events[:before])
		changes = append(changes, obligation.Settle(plan.Obligations, circ)...)
		same = false
	}
	if err := c.fail(u, d.Failed); err != nil {
		return err
	}
	keep, there := c.renew(plan, d.Next, known, same)
	if keep {
		return c.putPlan(plan, changes)
	}
	if there {
		c.note(plan, nil)
	}
	return nil
}

// renew gives a plan the day and the documents of a derivation that is its own by
// now, and the days of its nudges. keep says that it is to be put; one that says
// the same as before keeps even its documents. there says that there is a plan:
// a member of a group who has no loan here has none.
func (c *change) renew(plan *store.Plan, next calendar.Date, known, same bool) (keep, there bool) {
	if !c.nudge(plan) && same {
		return false, true
	}
	plan.Next, plan.Rulebook, plan.Calendar = next, c.book.Digest(), c.cal.Version()
	there = known || len(plan.Obligations) > 0 || !next.IsZero()
	return there, there
}

// keepPlan puts a plan that a change has worked on: with the day of each
// obligation's next nudge, and in a scan with what is to be told by now.
func (c *change) keepPlan(plan *store.Plan, changes []obligation.Change) error {
	c.nudge(plan)
	return c.putPlan(plan, changes)
}

func (c *change) putPlan(plan *store.Plan, changes []obligation.Change) error {
	if err := c.tx.PutPlan(plan); err != nil {
		return err
	}
	c.note(plan, changes)
	return nil
}

// reckon derives a unit anew and holds it against what stands. It writes
// nothing: what a run would give is asked in the same way. What it gives is
// valid until the next call.
func (c *change) reckon(u loan.Ref, old []obligation.Obligation, facts *loan.Facts) ([]obligation.Obligation, []obligation.Change, rules.Derivation) {
	if c.deriver == nil {
		c.deriver = rules.NewDeriver(c.book, c.cal, windowFrom(&c.meta, c.meta.WindowEnd))
	}
	d := c.deriver.Derive(facts, u)
	circ := c.circumstances(u, facts.Events)
	if u.Kind == loan.KindBranch || len(facts.Collaterals) > 0 {
		for id, how := range rules.Shown(c.book, facts, old) {
			if _, there := circ.Closings[id]; !there {
				if circ.Closings == nil {
					circ.Closings = map[string][]obligation.Closing{}
				}
				circ.Closings[id] = []obligation.Closing{how}
			}
		}
	}
	if len(d.Failed) > 0 {
		circ.Unknown = d.Unknown
	}
	obs, changes := c.recon.Reconcile(old, d.Duties, &circ)
	return obs, changes, d
}

// fail keeps which units could not be worked out; they are tried again at
// every scan.
func (c *change) fail(u loan.Ref, failed map[rules.Attempt]error) error {
	if len(failed) == 0 {
		if len(c.failures) > 0 && c.failures[u.String()] {
			if err := c.tx.DeleteRow("failed", u.String()); err != nil {
				return err
			}
		}
		if _, marked := c.dirty[u]; !marked && !c.more {
			return nil
		}
		return c.tx.ClearDirty(u)
	}
	key := u.String()
	var texts []string
	for _, err := range failed {
		texts = append(texts, err.Error())
	}
	sort.Strings(texts)
	c.failed = append(c.failed, texts...)
	if seen, err := c.view.subject(c.tx, u); err == nil && seen {
		c.fails = append(c.fails, texts...)
	}
	if err := c.tx.PutRow("failed", key, texts); err != nil {
		return err
	}
	return c.tx.MarkDirty(u, "")
}

// note counts changes and remembers those that get a record of their own.
func (c *change) note(plan *store.Plan, changes []obligation.Change) {
	if c.view.all || slices.ContainsFunc(plan.Obligations, func(o obligation.Obligation) bool { return c.view.sees(&o) }) {
		c.units++
	}
	for len(changes) > 0 {
		n := 1 // of one kind: those planned come in runs
		for n < len(changes) && changes[n].Kind == changes[0].Kind {
			n++
		}
		c.counts[string(changes[0].Kind)] += n
		c.noteRun(plan, changes[:n])
		changes = changes[n:]
	}
}

func (c *change) noteRun(plan *store.Plan, changes []obligation.Change) {
	if c.view.all {
		c.sighted[string(changes[0].Kind)] += len(changes)
	}
	for _, ch := range changes {
		if c.view.all && !ch.Visible {
			continue
		}
		o := &plan.Obligations[ch.At]
		if !c.view.all && c.view.sees(o) {
			c.sighted[string(ch.Kind)]++
		}
		if !ch.Visible {
			continue
		}
		c.seen.open = append(c.seen.open, seenChange{ch, o.Owner, o.Role, o.Branch, max(o.Submitted, o.DoneOn), o.Late})
		if c.s.watch != nil {
			c.s.watch(o, ch)
		}
	}
}

// changeDetail is the audit's word on one obligation.
type changeDetail struct {
	Due  calendar.Date `json:"due"`
	Was  calendar.Date `json:"was,omitzero"`
	On   calendar.Date `json:"on,omitzero"` // of the act
	Why  string        `json:"why,omitempty"`
	Late string        `json:"late,omitempty"`
}

// json is the detail as encoding/json writes it.
func (d *changeDetail) json(o *store.Object) json.RawMessage {
	o.Reset()
	o.Date("due", d.Due)
	o.DateIfAny("was", d.Was)
	o.DateIfAny("on", d.On)
	o.TextIfAny("why", d.Why)
	o.TextIfAny("late", d.Late)
	return o.JSON()
}

// end writes the audit's records, the outbox's entries and the head record.
func (c *change) end(action, subject string, detail map[string]any, about ...string) error {
	if c.s.mute {
		return c.tx.PutMeta(c.meta)
	}
	if len(c.counts) > 0 {
		detail["plan"] = c.counts
	}
	if told := c.told(); len(told) > 0 {
		detail["told"] = told
	}
	if len(c.failed) > 0 {
		detail["failed"] = len(c.failed)
	}
	if err := c.audit(action, subject, detail, about...); err != nil {
		return err
	}
	enqueued := c.tx.EnqueueBeside(c.messages())
	stamp := c.stamp()
	var object store.Object
	for ch := range c.seen.all() {
		id := ch.Key.String()
		d := changeDetail{Due: ch.To, On: ch.on, Why: ch.Cause}
		if ch.Kind == obligation.ChangeMoved {
			d.Was = ch.From
		}
		if ch.Kind == obligation.ChangeRaised {
			d.Late = ch.late
		}
		stamp.of = &ch.Key
		if err := stamp.write(c.tx, "obligation."+string(ch.Kind), id, d.json(&object)); err != nil {
			return err
		}
	}
	if err := c.recordNudged(); err != nil {
		return err
	}
	if err := enqueued(); err != nil {
		return err
	}
	return c.tx.PutMeta(c.meta)
}

// messages are what the change tells of each obligation, and then its nudges.
func (c *change) messages() iter.Seq[store.Message] {
	return func(yield func(store.Message) bool) {
		for ch := range c.seen.all() {
			if ch.Kind == obligation.ChangeAltered {
				continue
			}
			m := store.Message{Kind: string(ch.Kind), To: ch.owner, Role: ch.role, Branch: ch.branch, Obligation: ch.Key.String(), Day: c.today, On: c.today, At: c.now}
			if !yield(m) {
				return
			}
		}
		for n := range c.nudged.all() {
			if !yield(c.nudgeMessage(n)) {
				return
			}
		}
	}
}

// facts gathers what a unit's derivation may know.
func (c *change) facts(u loan.Ref) (*loan.Facts, error) {
	return gather(c.tx, u, c.today, &c.directory)
}

// toldOf counts what of the reminders and escalations who asks sees.
func (c *change) toldOf() map[string]int {
	return c.count(func(n *nudged) bool { return c.view.all || c.view.branch(n.branch) || c.view.is(n.owner) })
}
