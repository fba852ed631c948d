package scheduler

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tickler/api"
	"tickler/rules"
	"tickler/store"
)

// Activate puts a rulebook in force: its file is written where the daemon polls
// it, and the whole plan is made anew in one transaction. One that would drop or
// move too much waits for a second person (hold.go).
func (s *Scheduler) Activate(ctx context.Context, actor Actor, r api.ActivateRequest) (*api.ActivateReply, error) {
	if actor.OSUser == "" && actor.Person == "" {
		return nil, s.refused(ctx, actor, actRules, "", api.Errorf(api.NotAllowed, "run it as a user of this machine", "a rulebook is activated by a person, and who asks is not known"))
	}
	var meta store.Meta
	var old underDocuments
	var book *rules.Book
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) (err error) {
		p, err := s.who(tx, actor)
		if err != nil {
			return err
		}
		if err := p.may(actRules); err != nil {
			return err
		}
		view, err := s.sightNow(tx, p)
		if err != nil {
			return err
		}
		if err := view.whole(tx); err != nil { // it plans every branch anew
			return err
		}
		actor.Person = p.Staff
		if meta, err = tx.Meta(); err != nil {
			return err
		}
		if old, err = s.ranLast(tx, &meta); err != nil {
			return err
		}
		book, err = s.bookOf(tx, r.Book)
		return err
	})
	if err != nil {
		return nil, s.refused(ctx, actor, actRules, "", refine(err))
	}
	today, warning, err := s.businessDay(&meta, book, r.On, r.Force)
	if err != nil {
		return nil, err
	}
	path, err := s.rulesFile()
	if err != nil {
		return nil, err
	}
	a := &activation{s: s, actor: actor, r: r, book: book, path: path, was: meta.Rulebook}
	a.reply = &api.ActivateReply{Outcome: api.Activated, DryRun: r.DryRun, File: path, By: who(actor), Plan: map[string]int{}, Failed: []string{}, Warning: warning}
	// The calendar of the files comes into force with the same run: it is on both sides.
	_, cal := s.inForce()
	k := &contrast{old: underDocuments{old.book, cal}, new: underDocuments{book, cal}, meta: meta, today: today}
	if a.reply.Diff, err = s.diff(k, s.views(ctx), false); err != nil {
		return nil, refine(err)
	}
	if meta.Rulebook == book.Digest() {
		a.reply.Outcome = api.SameBook
	} else if meta.Rulebook != "" && s.cfg.Hold.exceeded(k) {
		h := s.hold(k)
		h.By, h.Person = actor.OSUser, actor.Person
		a.hold, a.reply.Hold, a.reply.Diff.Held = &h, &h, true
	}
	if err := a.do(ctx); err != nil {
		return nil, s.refused(ctx, actor, actRules, book.Digest(), refine(err))
	}
	return a.reply, nil
}

// who names a person for people.
func who(a Actor) string { return cmp.Or(a.Person, a.OSUser) }

// activation is one Activate at work.
type activation struct {
	s     *Scheduler
	actor Actor
	r     api.ActivateRequest
	book  *rules.Book
	path  string    // of the rulebook's file
	was   string    // digest in force when it was weighed
	hold  *api.Hold // it exceeds the limits
	reply *api.ActivateReply

	before []byte      // what the file held; nil where there was none
	mode   fs.FileMode // of the file
	wrote  bool
}

func (a *activation) do(ctx context.Context) error {
	s := a.s
	s.docs.Lock()
	defer s.docs.Unlock()
	ran, _ := s.inForce()
	err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		if meta.Rulebook != a.was {
			return api.Errorf(api.Failed, "run it again", "another rulebook came into force meanwhile")
		}
		var first api.Hold
		if a.hold != nil {
			if first, err = a.first(tx); err != nil {
				return err
			}
		}
		switch {
		case a.r.DryRun:
			if a.hold != nil && first.By+first.Person == "" {
				a.reply.Outcome = api.HeldBack
			}
			return errDryRun
		case a.reply.Outcome == api.SameBook:
			return a.write()
		case a.hold != nil && first.By+first.Person == "":
			a.reply.Outcome = api.HeldBack
			return a.wait(tx, meta)
		}
		return a.run(tx, first)
	})
	if errors.Is(err, errDryRun) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.book = ran
		if stays := a.undo(err); stays != nil {
			return api.Errorf(api.Unknown, "look after the disk, then activate it again, or put the old file back",
				"规则簿文件已写入，未能恢复 / outcome unknown: %v; and the rulebook's file could not be put back, so that it counts as an edited one: %v", err, stays)
		}
		return err
	}
	if a.reply.Outcome == api.HeldBack {
		if s.held != nil && s.held.Digest == a.hold.Digest {
			s.held = &heldBook{*a.hold, s.held.book}
			s.bookErr = s.held.text()
		}
		return nil
	}
	s.book, s.next, s.held, s.bookErr = a.book, nil, nil, ""
	s.cfg.RulesPath = cmp.Or(s.cfg.RulesPath, a.path)
	return nil
}

// first gives who activated it before, and refuses the same person again.
func (a *activation) first(tx *store.Tx) (api.Hold, error) {
	var h api.Hold
	err := tx.Row(tableHeld, a.book.Digest(), &h)
	if errors.Is(err, store.ErrNotFound) || err == nil && h.Previous != a.was {
		return api.Hold{}, nil // nobody yet, or against another rulebook than the one in force now
	}
	if err != nil || h.By+h.Person == "" {
		return h, err
	}
	if h.By == a.actor.OSUser || h.Person != "" && h.Person == a.actor.Person {
		return h, api.Errorf(api.NotAllowed, "have a second person run the same command as himself",
			"rulebook %s is held (it would drop %d and move %d of %d open obligations): %s activated it first, at %s, and nobody is his own second",
			shortDigest(h.Digest), a.hold.Dropped, a.hold.Moved, a.hold.Open, cmp.Or(h.Person, h.By), h.At.In(a.book.Zone).Format("2006-01-02 15:04"))
	}
	return h, nil
}

// wait keeps the rulebook for the second person. What is in force stays.
func (a *activation) wait(tx *store.Tx, meta store.Meta) error {
	if err := tx.PutBook(a.book.Digest(), a.book.Text()); err != nil {
		return err
	}
	if err := tx.PutRow(tableHeld, a.book.Digest(), a.hold); err != nil {
		return err
	}
	return underStanding(&meta, a.actor, a.hold.At).write(tx, "rulebook.held", "", a.hold)
}

// run makes the plan anew under the rulebook and, last of all, writes the file:
// a file without its commit is an edit like any other, a commit without its
// file would be taken back by the next look at the old one.
func (a *activation) run(tx *store.Tx, first api.Hold) error {
	now := a.s.moment()
	c, err := a.s.beginUnder(tx, a.book, a.actor, a.r.On, a.r.Force, now)
	if err != nil {
		return err
	}
	c.cause, c.late = "启用规则簿", "启用规则簿时触发日已过"
	if err := c.planMarked(); err != nil {
		return err
	}
	detail := map[string]any{"digest": a.book.Digest(), "previous": a.was, "by": who(a.actor), "diff": a.reply.Diff.Total, "open": a.reply.Diff.Open}
	if a.hold != nil {
		// In place of what begin kept: the first person, and the second.
		act := store.Activation{Kind: kindRulebook, Digest: a.book.Digest(), Previous: a.was, At: now, Business: c.today, By: cmp.Or(first.Person, first.By), Second: who(a.actor)}
		if err := tx.PutActivation(act); err != nil {
			return err
		}
		detail["by"], detail["second"], detail["held_since"] = act.By, act.Second, first.At
		a.reply.By, a.reply.Second, a.reply.Hold = act.By, act.Second, &first
	}
	if err := tx.DeleteRow(tableHeld, a.book.Digest()); err != nil {
		return err
	}
	a.reply.Plan, a.reply.Failed = c.counts, append(a.reply.Failed[:0], c.failed...)
	if err := c.end("rules.activate", "", detail); err != nil {
		return err
	}
	if err := a.write(); err != nil {
		return err
	}
	// While this transaction still keeps the next one waiting: that one must not
	// begin under the old rulebook.
	a.s.mu.Lock()
	a.s.book = a.book
	a.s.mu.Unlock()
	return nil
}

// write puts the rulebook's file in place, where it is another.
func (a *activation) write() error {
	if a.wrote {
		return nil
	}
	before, err := os.ReadFile(a.path)
	a.mode = 0o600
	switch {
	case err == nil:
		if bytes.Equal(before, a.book.Text()) {
			return nil
		}
		if info, err := os.Stat(a.path); err == nil {
			a.mode = info.Mode().Perm()
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read rulebook: %w", err)
	}
	a.before, a.wrote = before, true // also where it was renamed and only then failed
	if err := WriteFile(a.path, a.book.Text(), a.mode); noSpace(err) {
		return err
	} else if err != nil {
		return api.Errorf(api.Failed, "nothing was changed; let the user who runs tickler write there", "%v", err)
	}
	return nil
}

// undo puts the old file back where the change did not happen. Where that is
// not known it stays: with the commit it is right, without it an edit.
func (a *activation) undo(err error) error {
	if !a.wrote || errors.Is(err, store.ErrOutcomeUnknown) {
		return nil
	}
	if a.before != nil {
		return WriteFile(a.path, a.before, a.mode)
	}
	if err := os.Remove(a.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// rulesFile is where the rulebook in force stands: the file that is polled,
// else the data directory's. A link is followed.
func (s *Scheduler) rulesFile() (string, error) {
	s.mu.RLock()
	path := s.cfg.RulesPath
	s.mu.RUnlock()
	if path == "" && s.cfg.Data != "" {
		path = filepath.Join(s.cfg.Data, "rules.yaml")
	}
	if path == "" {
		return "", api.Errorf(api.Failed, "", "there is no data directory to keep the rulebook in")
	}
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	return path, nil
}
