package scheduler_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"tickler/api"
	"tickler/obligation"
	"tickler/store"
)

// tally is kept of a simulated branch from outside: of each transaction that
// was committed it looks at what stands and what was written of it, and of each
// act it knows what its caller was told.
type tally struct {
	mu sync.Mutex

	findings     []string
	stands       map[obligation.Key]obligation.Obligation
	audit        uint64 // number of the last record looked at
	outbox       uint64 // likewise of the messages
	changes      int    // of obligations, that had to have a record
	transactions int
	nonces       map[string]int  // of an act -> records that name it
	acked        map[string]bool // nonce -> it was acknowledged; false: refused
}

func newTally() *tally {
	return &tally{stands: map[obligation.Key]obligation.Obligation{}, nonces: map[string]int{}, acked: map[string]bool{}}
}

// find is called with mu held, or where nobody else is at work.
func (t *tally) find(format string, args ...any) {
	t.findings = append(t.findings, fmt.Sprintf(format, args...))
}

// sound says that it is worth going on.
func (t *tally) sound() bool { return len(t.findings) < 50 }

// becomes says which states a change of a kind may leave; none: it leaves the
// state as it was.
var becomes = map[obligation.ChangeKind][]obligation.State{
	obligation.ChangeRaised:    {obligation.Raised},
	obligation.ChangeSubmitted: {obligation.Submitted},
	obligation.ChangeSigned:    {obligation.Submitted},
	obligation.ChangeDone:      {obligation.Done},
	obligation.ChangeReopened:  {obligation.Raised, obligation.Planned},
	obligation.ChangeRevived:   {obligation.Raised, obligation.Planned},
	obligation.ChangeReturned:  {obligation.Raised, obligation.Planned},
	obligation.ChangeCancelled: {obligation.Cancelled},
	obligation.ChangeLapsed:    {obligation.Lapsed},
	obligation.ChangeWaived:    {obligation.Waived},
}

// transaction looks at what one transaction did: each change of state of a duty
// that was raised has its record, each record its message, and no other
// message is there; no duty is gone, none is there twice.
func (t *tally) transaction(backend store.Backend) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.transactions++
	err := store.New(backend).View(bg, func(tx *store.Tx) error {
		records := map[string][]obligation.ChangeKind{} // obligation's id -> kinds, in their order
		messages := map[string]int{}                    // kind and id -> how many are owed, less those there
		err := tx.ScanAudit(t.audit+1, 0, func(r store.Record) error {
			if r.Seq != t.audit+1 {
				t.find("audit record %d comes after %d", r.Seq, t.audit)
			}
			t.audit = r.Seq
			t.note(r)
			kind, ok := strings.CutPrefix(r.Action, "obligation.")
			if !ok || !slices.Contains(obligation.ChangeKinds, obligation.ChangeKind(kind)) {
				return nil
			}
			records[r.Subject] = append(records[r.Subject], obligation.ChangeKind(kind))
			if obligation.ChangeKind(kind) != obligation.ChangeAltered {
				messages[kind+" "+r.Subject]++
			}
			return nil
		})
		if err != nil {
			return err
		}
		for {
			m, err := tx.Message(t.outbox + 1)
			if errors.Is(err, store.ErrNotFound) {
				break
			}
			if err != nil {
				return err
			}
			t.outbox = m.ID
			if slices.Contains(obligation.ChangeKinds, obligation.ChangeKind(m.Kind)) {
				messages[m.Kind+" "+m.Obligation]--
			}
		}
		for what, n := range messages {
			if n != 0 {
				t.find("%s: %d messages are missing (below zero: too many)", what, n)
			}
		}
		now := make(map[obligation.Key]obligation.Obligation, len(t.stands))
		err = tx.ScanPlans(func(p *store.Plan) error {
			for _, o := range p.Obligations {
				if _, twice := now[o.Key]; twice {
					t.find("%s is there twice", o.Key)
				}
				now[o.Key] = o
			}
			return nil
		})
		if err != nil {
			return err
		}
		for key := range t.stands {
			if _, there := now[key]; !there {
				t.find("%s is gone", key)
			}
		}
		for key, o := range now {
			was, there := t.stands[key]
			if !there {
				was.State = obligation.Planned
			}
			kinds := records[key.String()]
			delete(records, key.String())
			t.follow(&was, &o, kinds)
		}
		for id, kinds := range records {
			t.find("%s has records of %v and does not exist", id, kinds)
		}
		t.stands = now
		return nil
	})
	if err != nil {
		t.find("read what was committed: %v", err)
	}
}

// follow goes from what an obligation was to what it is by its records.
func (t *tally) follow(was, is *obligation.Obligation, kinds []obligation.ChangeKind) {
	state := []obligation.State{was.State}
	for i, k := range kinds {
		if slices.Contains(kinds[:i], k) {
			t.find("%s: two records of %s in one change", is.Key, k)
		}
		if to := becomes[k]; to != nil {
			state = to
		}
	}
	seen := !was.RaisedOn.IsZero() || !is.RaisedOn.IsZero()
	if was.State != is.State && seen {
		t.changes++
	}
	if !slices.Contains(state, is.State) && (seen || len(kinds) > 0) {
		t.find("%s went from %s to %s, and its records say %v", is.Key, was.State, is.State, kinds)
	}
}

// note counts the records that name an act.
func (t *tally) note(r store.Record) {
	if !strings.HasSuffix(r.Action, ".by_person") && !strings.HasPrefix(r.Action, "event.") && r.Action != "ledger.imported" {
		return
	}
	var said struct{ Reason string }
	if err := json.Unmarshal(r.Detail, &said); err != nil {
		t.find("record %d: %v", r.Seq, err)
	}
	nonce := said.Reason
	if r.Action == "event.recorded" || r.Action == "ledger.imported" {
		nonce = r.Subject
	}
	if strings.HasPrefix(nonce, "act-") {
		t.nonces[nonce]++
	}
}

// told keeps what the caller of an act was told, and holds it against what is
// recorded.
func (t *tally) told(nonce string, err error) {
	t.acked[nonce] = err == nil
	if n := t.nonces[nonce]; n != 1 && err == nil {
		t.find("%s was acknowledged and has %d records", nonce, n)
	} else if n != 0 && err != nil {
		t.find("%s was refused (%v) and has %d records", nonce, err, n)
	}
}

// checkpoint keeps what stands, after a scan.
func (w *sim) checkpoint() {
	var list []api.Obligation
	w.scanned()
	w.try(func() bool { return false }, w.listing(&list))
	stands := map[string]string{}
	for _, o := range list {
		if _, twice := stands[o.ID]; twice {
			w.tally.find("%s is listed twice", o.ID)
		}
		stands[o.ID] = standing(o)
	}
	w.seen = append(w.seen, stands)
}

// standing is all of an obligation that may not depend on faults. When it was
// raised may: after a fault it comes late.
func standing(o api.Obligation) string {
	text, _ := json.Marshal([]any{o.Due, o.State, o.Owner, o.Branch, o.SubmittedBy, o.SubmittedOn, o.DoneOn, len(o.Signatures), o.ClosedBy, o.Progress, o.Waiver != nil})
	return string(text)
}

// final holds what is in the store against what was said.
func (w *sim) final() {
	if _, err := w.p.st.VerifyAudit(bg); err != nil {
		w.tally.find("the audit does not verify: %v", err)
	}
	if err := w.p.st.Check(bg, func(err error) { w.tally.find("check: %v", err) }); err != nil {
		w.tally.find("check: %v", err)
	}
	head := w.tally.audit
	for range 10 {
		if r, err := w.p.s.Tick(bg, scanner, api.TickRequest{}); err != nil || len(r.Plan) > 0 {
			w.tally.find("one more scan: %v %v", r, err)
		}
	}
	if w.tally.audit != head {
		w.tally.find("ten more scans wrote something")
	}
	for nonce, acked := range w.tally.acked {
		if n := w.tally.nonces[nonce]; acked != (n == 1) {
			w.tally.find("%s: acknowledged %v, in the end %d records", nonce, acked, n)
		}
	}
}

// contrastLives holds a life with faults against the one without.
func contrastLives(failed, quiet *sim) (findings []string) {
	find := func(format string, args ...any) { findings = append(findings, fmt.Sprintf(format, args...)) }
	for i := range max(len(failed.outcomes), len(quiet.outcomes)) {
		if i >= len(failed.outcomes) || i >= len(quiet.outcomes) || failed.outcomes[i] != quiet.outcomes[i] {
			find("inputs differ from number %d on: %s, without faults %s", i, slices.Concat(failed.outcomes[min(i, len(failed.outcomes)):], []string{"-"})[0], slices.Concat(quiet.outcomes[min(i, len(quiet.outcomes)):], []string{"-"})[0])
			break
		}
	}
	for i := range min(len(failed.seen), len(quiet.seen)) {
		a, b := failed.seen[i], quiet.seen[i]
		for _, id := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(sorted(a), sorted(b))))) {
			if a[id] != b[id] {
				find("checkpoint %d: %s is %s, without faults %s", i, id, a[id], b[id])
			}
		}
		if len(findings) > 0 {
			break // the rest follows from it
		}
	}
	return findings
}
