package store

import (
	"bytes"
	"errors"
	"fmt"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// Plan is every obligation of one unit, and what they were derived from.
type Plan struct {
	Unit        loan.Ref
	Facts       uint64                  // digest of the facts it was derived from
	Next        calendar.Date           // first later day on which deriving may change it; zero is never
	Rulebook    string                  // digest under which it last became another
	Calendar    string                  // likewise
	Obligations []obligation.Obligation // open and ended; ended ones stay for ever
}

// Plan gives a unit's plan, nil where it has none. It is the caller's own.
func (tx *Tx) Plan(unit loan.Ref) (*Plan, error) {
	key, err := unitKey(unit)
	if err != nil {
		return nil, err
	}
	p, err := tx.get(bucketPlan, key, planVersion)
	if err != nil || p == nil {
		return nil, err
	}
	return tx.decodePlan(key, p)
}

// PlanPart is Plan with a part of its obligations.
func (tx *Tx) PlanPart(unit loan.Ref, part Part) (*Plan, error) {
	key, err := unitKey(unit)
	if err != nil {
		return nil, err
	}
	rec, err := tx.get(bucketPlan, key, planVersion)
	if err != nil || rec == nil {
		return nil, err
	}
	p := &Plan{Unit: unit}
	d := tx.borrowDecoder(rec)
	defer tx.giveBack(d)
	d.planPart(p, &part)
	if err := d.end(); err != nil {
		return nil, decodeError(bucketPlan, key, err)
	}
	return p, nil
}

func (tx *Tx) decodePlan(key, payload []byte) (*Plan, error) {
	return tx.decodeWith(key, payload, (*decoder).plan)
}

func (tx *Tx) decodeWith(key, payload []byte, read func(*decoder, *Plan)) (*Plan, error) {
	unit, ok := parseRef(key)
	if !ok {
		return nil, damaged(bucketPlan, key, "it names no unit")
	}
	d := newDecoder(tx, payload)
	p := &Plan{Unit: unit}
	read(d, p)
	if err := d.end(); err != nil {
		return nil, decodeError(bucketPlan, key, err)
	}
	return p, nil
}

// PutPlan keeps a unit's plan and what finds it again: by due day, by raise
// day, by the day of the next nudge, by next day and by short name. A plan that is as it was writes nothing.
//
// Moments are kept in UTC; empty lists come back nil.
func (tx *Tx) PutPlan(p *Plan) error {
	if tx.w == nil {
		return errReadOnly
	}
	key, err := unitKey(p.Unit)
	if err != nil {
		return err
	}
	tx.enc.reset(tx)
	tx.enc.plan(p)
	if tx.enc.err != nil {
		return tx.enc.err
	}
	payload := tx.enc.b
	before, err := tx.get(bucketPlan, key, planVersion)
	if err != nil {
		return err
	}
	if before != nil && bytes.Equal(before, payload) {
		return nil
	}
	if before == nil {
		if err := tx.postPlan(p); err != nil {
			return err
		}
		return tx.put(bucketPlan, key, planVersion, payload)
	}
	old, err := tx.placesIn(key, before)
	if err != nil {
		return err
	}
	now := placesOf(p)
	tx.places.begin(key)
	now.diff(&old, &tx.places)
	return tx.put(bucketPlan, key, planVersion, payload)
}

// ScanPlans calls fn for every plan, in the order of their units' keys. The
// plan is fn's own.
func (tx *Tx) ScanPlans(fn func(*Plan) error) error {
	return tx.scan(bucketPlan, nil, nil, planVersion, func(key, payload []byte) error {
		p, err := tx.decodePlan(key, payload)
		if err != nil {
			return err
		}
		return fn(p)
	})
}

// ScanPlansFrom is ScanPlans for at most n plans after the given unit; the
// zero unit begins. It gives the last unit seen, or the zero unit at the end.
// So a long read goes page by page, a View each.
func (tx *Tx) ScanPlansFrom(after loan.Ref, n int, fn func(*Plan) error) (last loan.Ref, err error) {
	return tx.scanPlansFrom(after, n, (*decoder).plan, fn)
}

// ScanPartsFrom is ScanPlansFrom with a part of the obligations.
func (tx *Tx) ScanPartsFrom(after loan.Ref, n int, part Part, fn func(*Plan) error) (last loan.Ref, err error) {
	return tx.scanPlansFrom(after, n, func(d *decoder, p *Plan) { d.planPart(p, &part) }, fn)
}

// GlanceFrom is ScanPlansFrom for who counts: glance is called for each
// obligation, and fn after those of a plan, which holds none.
func (tx *Tx) GlanceFrom(after loan.Ref, n int, glance func(*Glance), fn func(*Plan) error) (last loan.Ref, err error) {
	var g Glance
	read := func(d *decoder, p *Plan) {
		for n := d.planHead(p); n > 0; n-- {
			if d.glance(&g); d.err != nil {
				return
			}
			glance(&g)
		}
	}
	return tx.scanPlansFrom(after, n, read, fn)
}

func (tx *Tx) scanPlansFrom(after loan.Ref, n int, read func(*decoder, *Plan), fn func(*Plan) error) (last loan.Ref, err error) {
	var from []byte
	if !after.IsZero() {
		if from, err = unitKey(after); err != nil {
			return last, err
		}
		from = append(from, 0)
	}
	err = tx.scan(bucketPlan, from, nil, planVersion, func(key, payload []byte) error {
		if n == 0 {
			return errStop
		}
		n--
		p, err := tx.decodeWith(key, payload, read)
		if err != nil {
			return err
		}
		last = p.Unit
		return fn(p)
	})
	if err == errStop {
		return last, nil
	}
	return loan.Ref{}, err
}

// dueCell is the cell of a branch and a day. The branch comes first and ends,
// so that the days of a branch are one range.
func dueCell(branch string, d calendar.Date) string {
	return cellKey(indexDue, appendDay(appendText(nil, branch), d))
}

// Due calls fn for each unit that has an open obligation due from one day to
// another, both included: by due day where a branch is named, once for each
// day; for every branch ("") branch by branch, each unit once for each day
// and not again under a second branch. fn may call the methods that read.
//
// This and the other methods that look into an index first merge what the
// transaction has changed in it: call them before many puts, not between.
func (tx *Tx) Due(branch string, from, to calendar.Date, fn func(unit loan.Ref) error) error {
	if from > to {
		return nil
	}
	if branch != "" {
		return tx.dueOf(branch, from, to, true, fn)
	}
	branches, err := tx.dueBranches()
	if err != nil {
		return err
	}
	for _, b := range branches {
		if err := tx.dueOf(b, from, to, false, fn); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) dueOf(branch string, from, to calendar.Date, every bool, fn func(unit loan.Ref) error) error {
	first := []byte(dueCell(branch, from))
	end := prefixEnd([]byte(dueCell(branch, to)))
	return tx.members(first, end, func(cell []byte, m string) error {
		unit, ok := loan.Ref{}, false
		if len(m) > 1 {
			unit, ok = parseRef([]byte(m[1:]))
		}
		if !ok {
			return damaged(bucketPost, cell, "it names no unit")
		}
		if m[0] != 0 && !every {
			return nil
		}
		return fn(unit)
	})
}

// DueBranches lists the branches that have open obligations, sorted.
func (tx *Tx) DueBranches() ([]string, error) { return tx.dueBranches() }

// dueBranches lists the branches that have open obligations.
func (tx *Tx) dueBranches() ([]string, error) {
	if err := tx.flushPostings(); err != nil {
		return nil, err
	}
	var out []string
	from, end := []byte{indexDue}, []byte{indexDue + 1}
	for {
		key, _, err := first(tx.r, from, end)
		if err != nil || key == nil {
			return out, err
		}
		cell, _, ok := cutText(key[1:])
		if !ok {
			return nil, damaged(bucketPost, key, "it names no cell")
		}
		branch, _, ok := cutText([]byte(cell))
		if !ok {
			return nil, damaged(bucketPost, key, "it names no branch")
		}
		out = append(out, branch)
		from = prefixEnd(duePrefix(branch))
	}
}

// duePrefix begins the cells of a branch.
func duePrefix(branch string) []byte {
	cell := appendText([]byte{indexDue}, string(appendText(nil, branch)))
	return cell[:len(cell)-2] // without the end, which the day comes before
}

// ToRaise lists the units that have a planned obligation to be raised on the
// day or before, by raise day, each once.
func (tx *Tx) ToRaise(upTo calendar.Date) ([]loan.Ref, error) { return tx.unitsUpTo(indexRaise, upTo) }

// ToNudge lists the units with a raised obligation whose next reminder or
// escalation is on the day or before, by that day, each once.
func (tx *Tx) ToNudge(upTo calendar.Date) ([]loan.Ref, error) { return tx.unitsUpTo(indexNudge, upTo) }

// ToDerive lists the units whose next day is the given one or before, by that
// day, each once.
func (tx *Tx) ToDerive(upTo calendar.Date) ([]loan.Ref, error) { return tx.unitsUpTo(indexNext, upTo) }

func (tx *Tx) unitsUpTo(index byte, upTo calendar.Date) ([]loan.Ref, error) {
	var out []loan.Ref
	seen := map[string]bool{}
	err := tx.members([]byte{index}, prefixEnd([]byte(dayCell(index, upTo))), func(cell []byte, m string) error {
		if seen[m] {
			return nil
		}
		seen[m] = true
		unit, ok := parseRef([]byte(m))
		if !ok {
			return damaged(bucketPost, cell, "it names no unit")
		}
		out = append(out, unit)
		return nil
	})
	return out, err
}

// UnitsByShort lists the units with an obligation, open or ended, whose
// subject's short name begins so: 4 hex digits (obligation.ShortSubject), or
// fewer.
func (tx *Tx) UnitsByShort(prefix string) ([]loan.Ref, error) {
	var out []loan.Ref
	seen := map[string]bool{}
	from := append([]byte{indexShort}, prefix...)
	err := tx.members(from, prefixEnd(from), func(cell []byte, m string) error {
		unit, ok := parseRef([]byte(m))
		if !ok {
			return damaged(bucketPost, cell, "it names no unit")
		}
		if !seen[m] {
			seen[m] = true
			out = append(out, unit)
		}
		return nil
	})
	return out, err
}

// UnitOf gives the unit that a subject's obligations are kept with: for a loan
// or a collateral the borrower whose dossier holds it, for a guarantor the
// first borrower by id whose loans he guarantees (GuaranteedBy names all), and
// the others themselves. ErrNotFound where no dossier knows it.
func (tx *Tx) UnitOf(subject loan.Ref) (loan.Ref, error) {
	switch subject.Kind {
	case loan.KindBorrower, loan.KindBranch, loan.KindOfficer, loan.KindGroup:
		return subject, nil
	case loan.KindLoan, loan.KindCollateral:
		id, err := tx.ownerOf(subject)
		return loan.Ref{Kind: loan.KindBorrower, ID: id}, err
	case loan.KindGuarantor:
		ids, err := tx.GuaranteedBy(subject.ID)
		if err != nil {
			return loan.Ref{}, err
		}
		if len(ids) > 0 {
			return loan.Ref{Kind: loan.KindBorrower, ID: ids[0]}, nil
		}
	}
	return loan.Ref{}, fmt.Errorf("%s: %w", subject, ErrNotFound)
}

// DropUnreadablePlans removes the plans that are damaged, so that they can be
// made again, and says how many they were.
func (tx *Tx) DropUnreadablePlans() (n int, err error) {
	if tx.w == nil {
		return 0, errReadOnly
	}
	err = tx.r.Scan(bucketPlan, nil, nil, func(key, rec []byte) error {
		_, payload, err := unseal(bucketPlan, key, rec)
		if err == nil {
			_, err = tx.decodePlan(key, payload)
		}
		if !errors.Is(err, ErrCorrupt) {
			return err
		}
		n++
		return tx.delete(bucketPlan, key)
	})
	return n, err
}
