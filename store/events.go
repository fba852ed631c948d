package store

import (
	"bytes"
	"encoding/json"
	"fmt"

	"tickler/calendar"
	"tickler/loan"
)

func eventKey(unit []byte, happened calendar.Date, id string) []byte {
	b := appendText(make([]byte, 0, len(unit)+len(id)+8), string(unit))
	return append(appendDay(b, happened), id...)
}

// PutEvent keeps an event with the unit that it belongs to. One of the same id
// is replaced, wherever it stood. Learned is kept in UTC.
func (tx *Tx) PutEvent(unit loan.Ref, e loan.Event) error {
	u, err := unitKey(unit)
	if err != nil {
		return err
	}
	if e.ID == "" {
		return fmt.Errorf("store: an event of %s has no id", unit)
	}
	if err := tx.DeleteEvent(e.ID); err != nil {
		return err
	}
	e.Learned = e.Learned.UTC()
	tx.noEvents = gap{}
	if err := tx.put(bucketEventID, []byte(e.ID), 1, append(appendDay(nil, e.Happened), u...)); err != nil {
		return err
	}
	return tx.putJSON(bucketEvent, eventKey(u, e.Happened, e.ID), e)
}

// locateEvent gives the key that an event stands under, nil where there is none.
func (tx *Tx) locateEvent(id string) (key []byte, unit loan.Ref, err error) {
	p, err := tx.get(bucketEventID, []byte(id), 1)
	if err != nil || p == nil {
		return nil, loan.Ref{}, err
	}
	day, u, ok := cutDay(p)
	if ok {
		unit, ok = parseRef(u)
	}
	if !ok {
		return nil, loan.Ref{}, damaged(bucketEventID, []byte(id), "%v", errBadRecord)
	}
	return eventKey(u, day, id), unit, nil
}

// Event gives an event and its unit; ErrNotFound where there is none.
func (tx *Tx) Event(id string) (*loan.Event, loan.Ref, error) {
	if id == "" {
		return nil, loan.Ref{}, fmt.Errorf("event %q: %w", id, ErrNotFound)
	}
	key, unit, err := tx.locateEvent(id)
	if err != nil {
		return nil, loan.Ref{}, err
	}
	if key == nil {
		return nil, loan.Ref{}, fmt.Errorf("event %q: %w", id, ErrNotFound)
	}
	var e loan.Event
	ok, err := tx.getJSON(bucketEvent, key, &e)
	if err == nil && !ok {
		err = damaged(bucketEventID, []byte(id), "the event it points to is missing")
	}
	return &e, unit, err
}

// EventsOf gives a unit's events by the day they happened, then by id.
func (tx *Tx) EventsOf(unit loan.Ref) ([]loan.Event, error) {
	u, err := unitKey(unit)
	if err != nil {
		return nil, err
	}
	var out []loan.Event
	prefix := appendText(make([]byte, 0, len(u)+2), string(u))
	if tx.noEvents.holds(prefix) {
		return nil, nil
	}
	tx.noEvents = gap{from: prefixEnd(prefix)}
	err = tx.scan(bucketEvent, prefix, nil, jsonVersion, func(key, payload []byte) error {
		if !bytes.HasPrefix(key, prefix) {
			tx.noEvents.to = bytes.Clone(key)
			return errStop
		}
		var e loan.Event
		if err := json.Unmarshal(payload, &e); err != nil {
			return damaged(bucketEvent, key, "%v", err)
		}
		out = append(out, e)
		return nil
	})
	if err == errStop {
		return out, nil
	}
	if err != nil {
		tx.noEvents = gap{}
	}
	return out, err
}

// gap is a range of keys, [from, to), in which there is nothing: most units
// have no event, and a scan over all of them asks for each. from nil is no gap;
// to nil is the end.
type gap struct{ from, to []byte }

// holds says that every key with a prefix lies in the gap.
func (g *gap) holds(prefix []byte) bool {
	return g.from != nil && bytes.Compare(prefix, g.from) >= 0 &&
		(g.to == nil || bytes.Compare(prefix, g.to) < 0 && !bytes.HasPrefix(g.to, prefix))
}

// DeleteEvent removes an event: a file that replaces another of the same data
// date takes back what that one seemed to show. One that is not there is no
// error.
func (tx *Tx) DeleteEvent(id string) error {
	key, _, err := tx.locateEvent(id)
	if err != nil || key == nil {
		return err
	}
	if err := tx.delete(bucketEvent, key); err != nil {
		return err
	}
	return tx.delete(bucketEventID, []byte(id))
}

// ScanEvents calls fn for every event, unit by unit.
func (tx *Tx) ScanEvents(fn func(unit loan.Ref, e loan.Event) error) error {
	return tx.scan(bucketEvent, nil, nil, jsonVersion, func(key, payload []byte) error {
		u, _, ok := cutText(key)
		unit, ok2 := parseRef([]byte(u))
		var e loan.Event
		if err := json.Unmarshal(payload, &e); err != nil || !ok || !ok2 {
			return damaged(bucketEvent, key, "%v", errBadRecord)
		}
		return fn(unit, e)
	})
}
