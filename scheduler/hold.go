package scheduler

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/rules"
	"tickler/store"
)

// A rulebook that would drop or move too many open obligations is held: the one
// before it stays in force until two persons have activated it by name. This
// holds however it comes: a file edited in place that a scan, an import or the
// daemon finds, or "rules activate" itself. begin is the one door to every
// change, and so the one place where a found rulebook is let in.

const (
	kindRulebook = "rulebook" // of an activation
	tableHeld    = "rulebook.held"
)

// HoldLimits say how much of the plan a new rulebook may drop or move without a
// second person.
type HoldLimits struct {
	Share float64 // of the open obligations, 0 to 1; 0 is 0.2
	Least int     // fewer than these are never held; 0 is 200
}

func (l HoldLimits) share() float64 { return cmp.Or(l.Share, 0.2) }
func (l HoldLimits) least() int     { return cmp.Or(l.Least, 200) }

func (l HoldLimits) exceeded(k *contrast) bool {
	n := k.dropped + k.moved
	return n >= l.least() && float64(n) > l.share()*float64(k.open)
}

// heldBook is a rulebook that the file holds and that is not let in.
type heldBook struct {
	api.Hold
	book *rules.Book
}

// text says it as a problem of the file.
func (h *heldBook) text() string {
	zh, en := "先后由两人执行", "two persons run it, one after the other"
	if h.By != "" {
		zh, en = h.By+" 已执行，还须另一人执行", h.By+" ran it, now a second person has to"
	}
	return fmt.Sprintf("规则簿 %[1]s 已搁置：将取消 %[2]d 项、改期 %[3]d 项未结事项（共 %[4]d 项，占 %.1[5]f%%，限 %.1[6]f%%），原规则簿仍有效；查看用 tickler rules diff FILE，启用用 tickler rules activate FILE（%[7]s），或恢复原文件"+
		" / rulebook %[1]s is held: it would drop %[2]d and move %[3]d of %[4]d open obligations (%.1[5]f%%, the limit is %.1[6]f%%); the one in force stays; look with \"tickler rules diff FILE\", let it in with \"tickler rules activate FILE\" (%[8]s), or put the old file back",
		shortDigest(h.Digest), h.Dropped, h.Moved, h.Open, 100*h.Share, 100*h.Limit, zh, en)
}

func shortDigest(d string) string { return d[:min(len(d), 19)] }

// offer takes what the file holds now, and says whether that is another
// rulebook than before. It waits in next until a change, or decide, weighs it.
// The caller holds mu.
func (s *Scheduler) offer(book *rules.Book) (changed bool) {
	switch {
	case s.book == nil:
		s.book = book
		return true
	case s.book.Digest() == book.Digest():
		s.next, s.held = nil, nil
		return false
	case s.held != nil && s.held.Digest == book.Digest():
		s.bookErr = s.held.text()
		return false
	case s.next != nil && s.next.Digest() == book.Digest():
		return false
	}
	s.next, s.held = book, nil
	return true
}

// comeBack begins with the rulebook that the store ran last, and lets that of
// the file wait.
func (s *Scheduler) comeBack(digest string) {
	var old *rules.Book
	err := s.cfg.Store.View(context.Background(), func(tx *store.Tx) (err error) { old, err = s.bookIn(tx, digest); return err })
	if err != nil {
		s.log.Warn("the rulebook in force cannot be read; the file's is taken", "error", err)
		return
	}
	s.next, s.book = s.book, old
}

// undecided gives the rulebook that waits to be weighed; nil where none does.
func (s *Scheduler) undecided() *rules.Book {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.next
}

// begin opens a change under the rulebook in force, or under a new one that the
// file holds, unless that is held.
func (s *Scheduler) begin(tx *store.Tx, actor Actor, on calendar.Date, force bool, now time.Time) (*change, error) {
	if next := s.undecided(); next != nil {
		meta, err := tx.Meta()
		if err != nil {
			return nil, err
		}
		today, _, err := s.businessDay(&meta, next, on, force)
		if err != nil {
			return nil, err
		}
		hold, err := s.weigh(within(tx), meta, next, today)
		if err != nil {
			return nil, err
		}
		s.settle(next, hold)
	}
	book, _ := s.inForce()
	c, err := s.beginUnder(tx, book, actor, on, force, now)
	if err != nil {
		return nil, err
	}
	return c, c.noteHold()
}

// decide weighs what the file holds before a change has to, page by page, so
// that nobody waits for it.
func (s *Scheduler) decide(ctx context.Context) error {
	next := s.undecided()
	if next == nil {
		return nil
	}
	view := s.views(ctx)
	var meta store.Meta
	if err := view(func(tx *store.Tx) (err error) { meta, err = tx.Meta(); return err }); err != nil {
		return err
	}
	today := s.readingDay(&meta, next, 0)
	if err := s.inCalendar(today); err != nil {
		return err
	}
	hold, err := s.weigh(view, meta, next, today)
	if err != nil {
		return err
	}
	s.settle(next, hold)
	return nil
}

// weigh says whether a rulebook is held: nil lets it in. What was held before
// stays so, without being worked out again, as long as the rulebook in force
// and the limits are the same.
func (s *Scheduler) weigh(view viewer, meta store.Meta, next *rules.Book, today calendar.Date) (*heldBook, error) {
	if meta.Rulebook == "" || meta.Rulebook == next.Digest() {
		return nil, nil
	}
	limits := s.cfg.Hold
	var known api.Hold
	var old *rules.Book
	var unreadable error
	err := view(func(tx *store.Tx) error {
		if err := tx.Row(tableHeld, next.Digest(), &known); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		old, unreadable = s.bookIn(tx, meta.Rulebook)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if unreadable != nil { // there is nothing to go on with, and nothing to compare with
		s.log.Warn("the rulebook in force cannot be read; the file's is taken", "error", unreadable)
		return nil, nil
	}
	if known.Previous == meta.Rulebook && known.Limit == limits.share() && known.Least == limits.least() {
		return &heldBook{known, next}, nil
	}
	_, cal := s.inForce()
	k := &contrast{old: underDocuments{old, cal}, new: underDocuments{next, cal}, meta: meta, today: today}
	if err := k.run(s, view); err != nil {
		return nil, fmt.Errorf("weigh the changed rulebook: %w", err)
	}
	if !limits.exceeded(k) {
		return nil, nil
	}
	return &heldBook{s.hold(k), next}, nil
}

// hold makes the record of a contrast that exceeds the limits.
func (s *Scheduler) hold(k *contrast) api.Hold {
	return api.Hold{Digest: k.new.book.Digest(), Previous: k.old.book.Digest(), Open: k.open, Dropped: k.dropped, Moved: k.moved,
		Share: float64(k.dropped+k.moved) / float64(k.open), Limit: s.cfg.Hold.share(), Least: s.cfg.Hold.least(), At: s.moment(), Business: k.today}
}

// settle lets a weighed rulebook in, or holds it. One that the file gave up
// meanwhile is passed over.
func (s *Scheduler) settle(next *rules.Book, hold *heldBook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != next {
		return
	}
	s.next = nil
	if hold == nil {
		s.book = next
		return
	}
	s.held, s.bookErr = hold, hold.text()
	// A rulebook that was let in and never ran gives way to the one that did.
	if old := s.books[hold.Previous]; old != nil && s.book.Digest() != hold.Previous {
		s.book = old
	}
}

// noted says whether the store knows of what is held.
func (s *Scheduler) noted(tx *store.Tx) (bool, error) {
	s.mu.RLock()
	held := s.held
	s.mu.RUnlock()
	if held == nil {
		return true, nil
	}
	var known api.Hold
	err := tx.Row(tableHeld, held.Digest, &known)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return known.Previous == held.Previous && known.Limit == held.Limit && known.Least == held.Least, err
}

// noteHold keeps, once, that a rulebook was found and is held.
func (c *change) noteHold() error {
	noted, err := c.s.noted(c.tx)
	if err != nil || noted {
		return err
	}
	c.s.mu.RLock()
	held := c.s.held
	c.s.mu.RUnlock()
	if err := c.tx.PutBook(held.Digest, held.book.Text()); err != nil {
		return err
	}
	if err := c.tx.PutRow(tableHeld, held.Digest, held.Hold); err != nil {
		return err
	}
	return c.audit("rulebook.held", "", held.Hold)
}

// holds lists what is held against the rulebook in force, or was against an
// earlier one.
func holds(tx *store.Tx) ([]api.Hold, error) {
	var out []api.Hold
	err := tx.Rows(tableHeld, func(_ string, row json.RawMessage) error {
		var h api.Hold
		if err := json.Unmarshal(row, &h); err != nil {
			return fmt.Errorf("read a held rulebook: %w", err)
		}
		out = append(out, h)
		return nil
	})
	return out, err
}

// waiting says in status which rulebooks a first person activated and no second
// one did yet.
func waiting(tx *store.Tx, meta *store.Meta) ([]string, error) {
	held, err := holds(tx)
	var out []string
	for _, h := range held {
		if h.By != "" && h.Previous == meta.Rulebook {
			out = append(out, fmt.Sprintf("规则簿 %s 由 %s 启用，等待第二人确认 / activated by %s, it waits for a second person: tickler rules activate FILE", shortDigest(h.Digest), h.By, h.By))
		}
	}
	return out, err
}
