package scheduler

import (
	"fmt"

	"tickler/calendar"
	"tickler/rules"
	"tickler/store"
)

// bookIn gives a rulebook by its digest: the one in force, or one that the
// store kept, since an obligation is read under the rulebook that made it.
func (s *Scheduler) bookIn(tx *store.Tx, digest string) (*rules.Book, error) {
	s.mu.RLock()
	b := s.books[digest]
	if b == nil && s.book != nil && s.book.Digest() == digest {
		b = s.book
	}
	s.mu.RUnlock()
	if b != nil {
		return b, nil
	}
	text, err := tx.Book(digest)
	if err != nil {
		return nil, fmt.Errorf("rulebook %s: %w", digest, err)
	}
	if b, err = rules.Parse("rules.yaml@"+digest, text); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.books[digest] = b
	s.mu.Unlock()
	return b, nil
}

// calendarIn is bookIn for calendars.
func (s *Scheduler) calendarIn(tx *store.Tx, digest string) (*calendar.Calendar, error) {
	s.mu.RLock()
	c := s.cals[digest]
	if c == nil && s.cal != nil && s.cal.Version() == digest {
		c = s.cal
	}
	s.mu.RUnlock()
	if c != nil {
		return c, nil
	}
	text, err := tx.CalendarText(digest)
	if err != nil {
		return nil, fmt.Errorf("calendar %s: %w", digest, err)
	}
	if c, err = calendar.Load("calendar@"+digest, text); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.cals[digest] = c
	s.mu.Unlock()
	return c, nil
}
