package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sort"
	"strings"

	"tickler/api"
	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

// auditPage bounds a page of audit records: a View holds old pages of the
// store back while it lasts.
const auditPage = 1000

// AuditVerify proves the audit trail of this store, in Views of a page each.
func (s *Scheduler) AuditVerify(ctx context.Context, r api.AuditVerifyRequest) (*api.AuditProof, error) {
	if err := s.allowed(ctx, actTry, true); err != nil {
		return nil, refine(err)
	}
	return ProveAudit(ctx, s.cfg.Store, r)
}

// ProveAudit proves the audit trail of a store that nobody schedules.
func ProveAudit(ctx context.Context, st *store.Store, r api.AuditVerifyRequest) (*api.AuditProof, error) {
	proof, err := st.VerifyAudit(ctx, anchors(r.Anchors)...)
	if err == nil && proof.Count == 0 {
		// A store begins with a record: one that has none has lost them all.
		err = st.View(ctx, func(tx *store.Tx) error {
			_, err := tx.Meta()
			switch {
			case errors.Is(err, store.ErrNotFound):
				return nil
			case err != nil:
				return err
			}
			return &store.BadRecord{Seq: 1, Fault: store.FaultMissing}
		})
	}
	return proven(proof, err)
}

// ProveExport proves an exported file by itself.
func ProveExport(file io.Reader, r api.AuditVerifyRequest) (*api.AuditProof, error) {
	proof, err := store.VerifyExport(file, anchors(r.Anchors)...)
	return proven(proof, err)
}

func anchors(heads []api.Head) (out []store.Anchor) {
	for _, h := range heads {
		out = append(out, store.Anchor{Seq: h.Seq, Hash: h.Hash})
	}
	return out
}

// proven makes damage a part of the answer; err is what kept it from being
// looked for.
func proven(p store.AuditProof, err error) (*api.AuditProof, error) {
	out := &api.AuditProof{Sound: err == nil, First: p.First, Count: p.Count, Head: api.Head{Seq: p.Head.Seq, Hash: p.Head.Hash},
		Anchors: []api.Head{}, Backward: append([]uint64{}, p.Backward...)}
	for _, a := range p.Anchors {
		out.Anchors = append(out.Anchors, api.Head{Seq: a.Seq, Hash: a.Hash})
	}
	if p.Count > 0 {
		out.Since, out.Until = &p.At[0], &p.At[1]
	}
	var bad *store.BadRecord
	var damage *store.Damage
	switch {
	case err == nil:
		return out, nil
	case errors.As(err, &bad):
		out.Bad = &api.AuditBad{Seq: bad.Seq, Fault: string(bad.Fault), Since: bad.Since, Error: err.Error()}
	case errors.As(err, &damage) && damage.Bucket != "":
		out.Bad = &api.AuditBad{Fault: "index", Error: err.Error()}
	case errors.Is(err, store.ErrCorrupt):
		out.Bad = &api.AuditBad{Fault: "file", Error: err.Error()}
	default:
		return nil, refine(err)
	}
	return out, nil
}

// AuditHead gives the newest record's number and hash.
func (s *Scheduler) AuditHead(ctx context.Context) (*api.Head, error) {
	if err := s.allowed(ctx, actTry, true); err != nil {
		return nil, refine(err)
	}
	h := &api.Head{}
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) (err error) { h.Seq, h.Hash, err = tx.AuditHead(); return err })
	if err != nil {
		return nil, refine(err)
	}
	return h, nil
}

// AuditPage gives a page of records as the lines of an export. What is written
// while a long export goes on is left out where the last record was named.
func (s *Scheduler) AuditPage(ctx context.Context, r api.AuditPageRequest) (*api.AuditPageReply, error) {
	if err := s.allowed(ctx, actTry, true); err != nil {
		return nil, refine(err)
	}
	reply := &api.AuditPageReply{Lines: []json.RawMessage{}}
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		last, _, err := tx.AuditHead()
		if err != nil {
			return err
		}
		from, to := max(r.From, 1), last
		if r.To > 0 {
			to = min(r.To, last)
		}
		if !r.FromDay.IsZero() {
			first, err := tx.AuditFrom(r.FromDay)
			if err != nil {
				return err
			}
			from = max(from, first)
		}
		if !r.ToDay.IsZero() {
			behind, err := tx.AuditFrom(r.ToDay.AddDays(1))
			if err != nil {
				return err
			}
			to = min(to, behind-1)
		}
		reply.To = to
		size := 0
		err = tx.AuditLines(from, to, auditPage, func(seq uint64, line json.RawMessage) error {
			if size > maxAuditBytes {
				return errPageFull
			}
			size += len(line)
			reply.Lines = append(reply.Lines, line)
			reply.Next = seq + 1
			return nil
		})
		if err != nil && !errors.Is(err, errPageFull) {
			return err
		}
		if from <= to && len(reply.Lines) == 0 {
			return api.Errorf(api.Findings, `run "tickler audit verify"`, "audit record %d is missing", from)
		}
		if reply.Next > to {
			reply.Next = 0
		}
		return nil
	})
	if err != nil {
		return nil, refine(err)
	}
	return reply, nil
}

// maxAuditBytes ends a page early: a record may name every loan of a file.
const maxAuditBytes = 4 << 20

// AuditAbout gives a page of the records about an obligation, KIND/ID, an
// event, a person or an OS user, oldest first.
func (s *Scheduler) AuditAbout(ctx context.Context, r api.AuditAboutRequest) (*api.AuditAboutReply, error) {
	reply := &api.AuditAboutReply{Entries: []api.Entry{}}
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		view, err := s.look(ctx, tx)
		if err != nil {
			return err
		}
		names, match, err := s.auditOf(tx, view, r.What)
		if err != nil {
			return err
		}
		seen := false
		reply.Next, err = tx.AuditOf(names, r.After, auditPage, func(rec store.Record) error {
			seen = true
			if match(&rec) {
				reply.Entries = append(reply.Entries, view.entry(rec))
			}
			return nil
		})
		if err == nil && !seen && r.After == 0 {
			return api.Errorf(api.NotFound, `name an obligation, KIND/ID, an event's id, a person's number, or user/NAME`, "no audit record is about %q", r.What)
		}
		return err
	})
	if err != nil {
		return nil, s.refused(ctx, actorOf(ctx), actRead, r.What, refine(err))
	}
	return reply, nil
}

// auditOf gives where the records about something stand, and which of those
// are meant.
func (s *Scheduler) auditOf(tx *store.Tx, view *sight, what string) ([]store.AuditName, func(*store.Record) bool, error) {
	every := func(*store.Record) bool { return true }
	exactly := func(subject string) func(*store.Record) bool {
		return func(r *store.Record) bool { return r.Subject == subject || slices.Contains(r.About, subject) }
	}
	if what == "" {
		return nil, nil, api.Errorf(api.Usage, "", "the records about what?")
	}
	if view.whole(tx) != nil {
		// Of the trail who does not see every branch sees what is about his duties.
		o, err := s.find(tx, view, what)
		if err != nil {
			return nil, nil, err
		}
		return []store.AuditName{store.AuditThing(o.Subject)}, exactly(o.Key.String()), nil
	}
	class, id, slash := strings.Cut(what, "/")
	switch {
	case slash && id != "" && class == "event":
		return []store.AuditName{store.AuditSubject(id)}, exactly(id), nil
	case slash && id != "" && class == "user":
		return []store.AuditName{store.AuditUser(id)}, every, nil
	case slash && id != "" && class == "person":
		return []store.AuditName{store.AuditPerson(id), store.AuditThing(officerUnit(id))}, every, nil
	}
	if ref, err := loan.ParseRef(what); err == nil {
		return []store.AuditName{store.AuditThing(ref)}, every, nil
	}
	// The id of an obligation, whole or its beginning, or the digits of a list.
	parts := strings.SplitN(what, ":", 4)
	_, keyErr := obligation.ParseKey(strings.Join(parts[:min(len(parts), 3)], ":"))
	if keyErr == nil || len(what) == 8 && shortID.MatchString(what) {
		o, err := s.find(tx, view, what)
		if err == nil {
			return []store.AuditName{store.AuditThing(o.Subject)}, exactly(o.Key.String()), nil
		}
		if api.CodeOf(err) != api.NotFound {
			return nil, nil, err
		}
		if keyErr == nil { // a refused attempt may name what was never there
			return []store.AuditName{store.AuditSubject(what)}, exactly(what), nil
		}
	}
	// A bare number: an event's, a person's, or a user's. All are shown.
	names := []store.AuditName{store.AuditSubject(what), store.AuditPerson(what), store.AuditThing(officerUnit(what)), store.AuditUser(what)}
	return names, every, nil
}

// history lists the records about an obligation and the event that closed it.
func history(tx *store.Tx, o *obligation.Obligation, view *sight) ([]api.Entry, error) {
	out := []api.Entry{}
	take := func(subject string) error {
		_, err := tx.AuditOf([]store.AuditName{store.AuditSubject(subject)}, 0, 1<<30, func(r store.Record) error {
			if r.Subject == subject {
				out = append(out, view.entry(r))
			}
			return nil
		})
		return err
	}
	if err := take(o.Key.String()); err != nil {
		return nil, err
	}
	if o.ClosedBy != "" {
		if err := take(o.ClosedBy); err != nil {
			return nil, err
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Seq < out[j].Seq })
	return out, nil
}
