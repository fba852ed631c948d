package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
	"time"

	"tickler/calendar"
)

// Message is something to tell a person. It is enqueued in the transaction of
// the change that causes it, and sent, at least once, after that.
type Message struct {
	ID         uint64        `json:"id"`   // given by Enqueue; the same on every try
	Kind       string        `json:"kind"` // remind, escalate, or what became of an obligation: raised, moved, done, ...
	To         string        `json:"to,omitempty"`
	Role       string        `json:"role,omitempty"`
	Branch     string        `json:"branch,omitempty"`
	Obligation string        `json:"obligation,omitempty"`
	Day        calendar.Date `json:"day"`            // that it stands for
	On         calendar.Date `json:"on"`             // business day on which it was enqueued; never before that of an earlier one
	Late       string        `json:"late,omitempty"` // why it is enqueued after the day it stands for
	At         time.Time     `json:"at"`             // when it was enqueued
	Text       string        `json:"text,omitempty"`

	Tries int       `json:"tries,omitempty"`
	Next  time.Time `json:"next"`            // not before this moment
	Error string    `json:"error,omitempty"` // of the last try
	Ended time.Time `json:"ended"`           // sent or given up; then it moves to the sent ones
}

// business is the day it was enqueued. A message of before there was On has
// that day for the one it stands for.
func (m *Message) business() calendar.Date { return cmp.Or(m.On, m.Day) }

func messageKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

// Enqueue keeps a message to be sent and gives it its id.
func (tx *Tx) Enqueue(m Message) (id uint64, err error) {
	if m.ID, err = tx.Sequence("outbox"); err != nil {
		return 0, err
	}
	if tx.scratch, err = m.appendJSON(tx.scratch[:0]); err != nil {
		return 0, fmt.Errorf("store: message about %q: %w", m.Obligation, err)
	}
	return m.ID, tx.put(bucketOutbox, messageKey(m.ID), jsonVersion, tx.scratch)
}

// EnqueueBeside is Enqueue for many messages. They are asked for and made ready
// on another core, while the transaction does something else that neither
// enqueues nor changes what they say; join keeps them.
func (tx *Tx) EnqueueBeside(messages iter.Seq[Message]) (join func() error) {
	last, err := tx.lastNumber("outbox")
	if err != nil {
		return func() error { return err }
	}
	var ready []held
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("store: make messages ready: %v", p)
			}
		}()
		var room slab
		var payload []byte
		var err error
		for m := range messages {
			last++
			m.ID = last
			if payload, err = m.appendJSON(payload[:0]); err != nil {
				err = fmt.Errorf("store: message about %q: %w", m.Obligation, err)
				break
			}
			key := room.keep(messageKey(m.ID))
			ready = append(ready, held{key, appendSealed(room.take(len(payload)+sealSize), bucketOutbox, key, jsonVersion, payload)})
		}
		done <- err
	}()
	return func() error {
		if err := <-done; err != nil || len(ready) == 0 {
			return err
		}
		tx.setNumber("outbox", last)
		tx.writes += len(ready)
		for _, h := range ready {
			tx.w.hold(bucketOutbox, h.key, h.rec)
		}
		return nil
	}
}

// appendJSON appends the message as encoding/json writes it.
func (m *Message) appendJSON(b []byte) (_ []byte, err error) {
	b = strconv.AppendUint(append(b, `{"id":`...), m.ID, 10)
	b = appendJSONText(append(b, `,"kind":`...), m.Kind)
	b = appendJSONMember(b, "to", m.To)
	b = appendJSONMember(b, "role", m.Role)
	b = appendJSONMember(b, "branch", m.Branch)
	b = appendJSONMember(b, "obligation", m.Obligation)
	b = appendJSONDate(append(b, `,"day":`...), m.Day)
	b = appendJSONDate(append(b, `,"on":`...), m.On)
	b = appendJSONMember(b, "late", m.Late)
	if b, err = appendJSONTime(append(b, `,"at":`...), m.At); err != nil {
		return nil, err
	}
	b = appendJSONMember(b, "text", m.Text)
	if m.Tries != 0 {
		b = strconv.AppendInt(append(b, `,"tries":`...), int64(m.Tries), 10)
	}
	if b, err = appendJSONTime(append(b, `,"next":`...), m.Next); err != nil {
		return nil, err
	}
	b = appendJSONMember(b, "error", m.Error)
	if b, err = appendJSONTime(append(b, `,"ended":`...), m.Ended); err != nil {
		return nil, err
	}
	return append(b, '}'), nil
}

// PutMessage keeps what a try to send it came to. A message that has Ended
// leaves the outbox and is found by ScanSent.
func (tx *Tx) PutMessage(m Message) error {
	if m.ID == 0 {
		return errors.New("store: a message that was never enqueued")
	}
	key := messageKey(m.ID)
	if m.Ended.IsZero() {
		return tx.putJSON(bucketOutbox, key, m)
	}
	if err := tx.delete(bucketOutbox, key); err != nil {
		return err
	}
	return tx.putJSON(bucketSent, key, m)
}

// ScanOutbox calls fn for the messages still to be sent, oldest first.
func (tx *Tx) ScanOutbox(fn func(Message) error) error {
	return scanAs(tx, bucketOutbox, nil, nil, fn)
}

// ScanOutboxOn is ScanOutbox for those enqueued from one business day to
// another, both included. It reads no others, but for finding the first.
func (tx *Tx) ScanOutboxOn(from, to calendar.Date, fn func(Message) error) error {
	first, err := tx.FirstMessage(from)
	if err != nil {
		return err
	}
	_, err = tx.ScanOutboxFrom(first, to, math.MaxInt, fn)
	return err
}

// ScanOutboxFrom calls fn for at most n of the messages still to be sent, from
// an id on and up to a business day. It gives the id to go on with, 0 at the
// end. So a long outbox is read page by page, a View each.
func (tx *Tx) ScanOutboxFrom(id uint64, to calendar.Date, n int, fn func(Message) error) (next uint64, err error) {
	err = scanAs(tx, bucketOutbox, messageKey(id), nil, func(m Message) error {
		if m.business() > to {
			return errStop
		}
		if n == 0 {
			next = m.ID
			return errStop
		}
		n--
		return fn(m)
	})
	if err == errStop {
		err = nil
	}
	return next, err
}

// FirstMessage gives the id from which on messages were enqueued on a business
// day or later.
func (tx *Tx) FirstMessage(from calendar.Date) (uint64, error) {
	last, _, err := tx.r.Last(bucketOutbox, nil, nil)
	if err != nil || len(last) != 8 {
		return 1, err
	}
	// Numbers are given in the order of business days. Those that were sent
	// are looked at too, and a gap counts as the number after it.
	n := binary.BigEndian.Uint64(last)
	lo, hi := uint64(1), n+1
	for lo < hi && err == nil {
		mid := lo + (hi-lo)/2
		var m Message
		at := mid
		for ; at < hi; at++ {
			if m, err = tx.Message(at); !errors.Is(err, ErrNotFound) {
				break
			}
			err = nil
		}
		if at == hi || m.business() >= from {
			hi = mid
		} else {
			lo = at + 1
		}
	}
	return lo, err
}

// ScanSent calls fn for the messages that were sent or given up, from the
// given id on, oldest first.
func (tx *Tx) ScanSent(from uint64, fn func(Message) error) error {
	return scanAs(tx, bucketSent, messageKey(from), nil, fn)
}

// Message gives a message, sent or not; ErrNotFound where there is none.
func (tx *Tx) Message(id uint64) (Message, error) {
	var m Message
	for _, bucket := range []string{bucketOutbox, bucketSent} {
		if ok, err := tx.getJSON(bucket, messageKey(id), &m); ok || err != nil {
			return m, err
		}
	}
	return m, fmt.Errorf("message %d: %w", id, ErrNotFound)
}
