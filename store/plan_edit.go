package store

import (
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// PlanEdit is a plan of which a few obligations are worked on; the others stay
// the bytes that they are. A scan changes one obligation in forty.
type PlanEdit struct {
	Plan  // of the obligations that were picked, in their order
	spans []span
	kept  string   // the record, and the fence behind it
	texts []string // that it names, in their order
	rest  days     // of the obligations that were not picked

	glance Glance // at the obligation at hand
}

// reset begins another edit in the room of the one before.
func (e *PlanEdit) reset(unit loan.Ref, kept string) {
	clear(e.Obligations) // what they point to is somebody else's
	e.Plan = Plan{Unit: unit, Obligations: e.Obligations[:0]}
	e.kept, e.spans, e.texts = kept, e.spans[:0], e.texts[:0]
	e.rest.raise, e.rest.nudge = e.rest.raise[:0], e.rest.nudge[:0]
}

// record is the plan as it is kept.
func (e *PlanEdit) record() string { return e.kept[:len(e.kept)-1] }

// span is where an obligation that was picked stands in the record, and what
// finds it.
type span struct {
	at       int           // among all of the plan
	from, to int           // bytes
	day0     calendar.Date // that its first day counts from
	texts    [2]int        // known before it, and behind it
	was      Glance
}

// days are those on which something is to be raised, and told, of a plan.
type days struct{ raise, nudge []calendar.Date }

func (d *days) add(s obligation.State, raise, nudge calendar.Date) {
	switch {
	case s == obligation.Planned:
		d.raise = append(d.raise, raise)
	case s == obligation.Raised && !nudge.IsZero():
		d.nudge = append(d.nudge, nudge)
	}
}

// Calls says that a scan of a day has something to do: it raises the obligation,
// or tells of it.
func (g *Glance) Calls(today calendar.Date) bool {
	return g.State == obligation.Planned && g.raise <= today || g.State == obligation.Raised && !g.nudge.IsZero() && g.nudge <= today
}

// EditPlan gives the obligations of a unit's plan that are picked at a glance;
// nil, nil where it has no plan. What it gives is to be put with PutEdit, and
// is valid until the next call.
func (tx *Tx) EditPlan(unit loan.Ref, pick func(*Glance) bool) (*PlanEdit, error) {
	key, err := unitKey(unit)
	if err != nil {
		return nil, err
	}
	payload, err := tx.get(bucketPlan, key, planVersion)
	if err != nil || payload == nil {
		return nil, err
	}
	e := &tx.edit
	e.reset(unit, fenced(payload))
	d := &decoder{tx: tx, s: e.kept, texts: e.texts}
	n := d.planHead(&e.Plan)
	for at := range n {
		from, day0, texts := d.pos, d.day0, len(d.texts)
		d.glance(&e.glance)
		if d.err != nil {
			break
		}
		if !pick(&e.glance) {
			e.rest.add(e.glance.State, e.glance.raise, e.glance.nudge)
			continue
		}
		s := span{at: at, from: from, to: d.pos, day0: day0, texts: [2]int{texts, len(d.texts)}, was: e.glance}
		d.pos, d.day0, d.texts = s.from, s.day0, d.texts[:s.texts[0]]
		e.Obligations = append(e.Obligations, obligation.Obligation{})
		o := &e.Obligations[len(e.Obligations)-1]
		name := d.obligation(&e.Plan, o)
		o.Occurrence = name.text(o.Anchor)
		e.spans = append(e.spans, s)
	}
	if err := d.end(); err != nil {
		return nil, decodeError(bucketPlan, key, err)
	}
	e.texts = d.texts
	return e, nil
}

// PutEdit keeps a plan that EditPlan gave with what became of the obligations
// that were picked: the very record that PutPlan would keep. The plan has the
// rulebook, the calendar and the next day that it had, and was not put
// meanwhile.
func (tx *Tx) PutEdit(e *PlanEdit) error {
	if tx.w == nil {
		return errReadOnly
	}
	whole, err := tx.encodeEdit(e)
	if err != nil {
		return err
	}
	if !whole {
		return tx.putWhole(e)
	}
	payload := tx.enc.b
	if string(payload) == e.record() {
		return nil
	}
	key, err := unitKey(e.Unit)
	if err != nil {
		return err
	}
	tx.places.begin(key)
	tx.postEdit(e)
	return tx.put(bucketPlan, key, planVersion, payload)
}

// postEdit posts the days that came and went. One on which something else of
// the plan is to be raised, or told, stays.
func (tx *Tx) postEdit(e *PlanEdit) {
	var was, is days
	for i := range e.spans {
		o, g := &e.Obligations[i], &e.spans[i].was
		was.add(g.State, g.raise, g.nudge)
		is.add(o.State, o.Raise, o.Nudge)
	}
	l := &tx.places
	post := func(index byte, days, others, rest []calendar.Date, drop bool) {
		for i, d := range days {
			if !slices.Contains(days[:i], d) && !slices.Contains(others, d) && !slices.Contains(rest, d) {
				l.post(l.day(index, d), 0, drop)
			}
		}
	}
	post(indexRaise, was.raise, is.raise, e.rest.raise, true)
	post(indexRaise, is.raise, was.raise, e.rest.raise, false)
	post(indexNudge, was.nudge, is.nudge, e.rest.nudge, true)
	post(indexNudge, is.nudge, was.nudge, e.rest.nudge, false)
}

// encodeEdit writes the record anew, with what was not picked as it is. It says
// no where that cannot be: where an obligation falls due on another day or
// ended, so that it is found elsewhere and what follows counts from another
// day, or where it names other texts than it did, so that those that follow
// have other numbers.
func (tx *Tx) encodeEdit(e *PlanEdit) (bool, error) {
	enc := &tx.enc
	enc.reset(tx)
	end := 0
	for i := range e.spans {
		s, o := &e.spans[i], &e.Obligations[i]
		if o.Due != s.was.Due || o.Branch != s.was.branch || o.Subject != s.was.subject || o.State.Ended() || s.was.State.Ended() {
			return false, nil
		}
		enc.b = append(enc.b, e.kept[end:s.from]...)
		enc.know(e.texts[:s.texts[0]])
		enc.day0 = s.day0
		enc.obligation(&e.Plan, o)
		if enc.err != nil {
			return false, enc.err
		}
		if !slices.Equal(enc.texts, e.texts[:s.texts[1]]) {
			return false, nil
		}
		end = s.to
	}
	enc.b = append(enc.b, e.record()[end:]...)
	return true, nil
}

// putWhole puts a plan all of whose obligations are written anew.
func (tx *Tx) putWhole(e *PlanEdit) error {
	key, err := unitKey(e.Unit)
	if err != nil {
		return err
	}
	p, err := tx.decodePlan(key, []byte(e.record()))
	if err != nil {
		return err
	}
	for i, s := range e.spans {
		p.Obligations[s.at] = e.Obligations[i]
	}
	return tx.PutPlan(p)
}

// know goes on behind a record's texts, of which the encoder has some already.
func (e *encoder) know(texts []string) {
	for _, s := range texts[len(e.texts):] {
		e.learn(s)
	}
}
