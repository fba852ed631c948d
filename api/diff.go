package api

import (
	"context"
	"time"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// Book names a rulebook: by its text, or by the beginning of the digest of one
// that the store kept.
type Book struct {
	Name   string `json:"name,omitempty"` // of the file, for messages
	Text   []byte `json:"text,omitempty"`
	Digest string `json:"digest,omitempty"` // with or without sha256:
}

// DiffRequest asks what other documents would change if they came into force
// now.
type DiffRequest struct {
	Old      *Book         `json:"old,omitempty"` // nil: the one in force
	New      *Book         `json:"new,omitempty"` // nil: the one in force
	Calendar []byte        `json:"calendar,omitempty"`
	On       calendar.Date `json:"on"` // as if that were today; zero is today
}

// DiffReply says what becomes of the live portfolio's obligations: those that a
// run today would give under the old documents, against those under the new.
type DiffReply struct {
	Today       calendar.Date `json:"today"`
	Old         string        `json:"old"` // digests of the rulebooks
	New         string        `json:"new"`
	OldCalendar string        `json:"old_calendar"`
	NewCalendar string        `json:"new_calendar"`
	Open        int           `json:"open"` // obligations that are open under the old documents
	Total       DiffCount     `json:"total"`
	ByRule      []DiffTotal   `json:"by_rule"`
	ByOwner     []DiffTotal   `json:"by_owner"`
	Changes     []DiffLine    `json:"changes"` // by kind, rule, due day and id
	Failed      []string      `json:"failed"`  // subjects that the new documents cannot be worked out for; their duties stay
	Held        bool          `json:"held"`    // so many that a second person would have to activate it
}

// DiffCount counts changes. One that is newly overdue is counted under its
// kind as well.
type DiffCount struct {
	Added        int `json:"added"`
	Dropped      int `json:"dropped"`
	Earlier      int `json:"earlier"`
	Later        int `json:"later"`
	Altered      int `json:"altered"`
	NewlyOverdue int `json:"newly_overdue"`
}

// Changes is how many obligations differ.
func (c DiffCount) Changes() int { return c.Added + c.Dropped + c.Earlier + c.Later + c.Altered }

// DiffTotal counts the changes of one rule, or of one owner.
type DiffTotal struct {
	ID   string `json:"id"` // "" are the obligations without an owner
	Name string `json:"name"`
	DiffCount
}

// DiffLine is one obligation that changes.
type DiffLine struct {
	Kind         obligation.DifferenceKind `json:"kind"`
	NewlyOverdue bool                      `json:"newly_overdue"`
	ID           string                    `json:"id"`
	Short        string                    `json:"short"`
	Rule         string                    `json:"rule"`
	Name         string                    `json:"name"`
	Clause       string                    `json:"clause"`
	Subject      loan.Ref                  `json:"subject"`
	Party        *obligation.Party         `json:"party"`
	Borrower     *Named                    `json:"borrower"`
	Loan         string                    `json:"loan"`
	Branch       string                    `json:"branch"`
	Owner        string                    `json:"owner"`
	Role         string                    `json:"role"`
	OldDue       calendar.Date             `json:"old_due"` // null where it is not asked for
	NewDue       calendar.Date             `json:"new_due"`
	OldState     obligation.State          `json:"old_state"` // "" where it is not there
	NewState     obligation.State          `json:"new_state"`
	Fields       []obligation.Field        `json:"fields"` // what else differs
}

// Hold is a rulebook that waits: it would drop or move so many obligations
// that two persons have to activate it.
type Hold struct {
	Digest   string        `json:"digest"`
	Previous string        `json:"previous"` // the one in force, which it was weighed against
	Open     int           `json:"open"`     // obligations open under the one in force
	Dropped  int           `json:"dropped"`  // of those
	Moved    int           `json:"moved"`    // of those, earlier or later
	Share    float64       `json:"share"`    // dropped and moved of the open ones, 0 to 1
	Limit    float64       `json:"limit"`    // the share that is let pass
	Least    int           `json:"least"`    // and the number that is
	At       time.Time     `json:"at"`
	Business calendar.Date `json:"business"`
	By       string        `json:"by"`     // OS user who activated it first; "": it was found in the file
	Person   string        `json:"person"` // his staff number, where it is known
}

// ActivateRequest asks for a rulebook to come into force.
type ActivateRequest struct {
	Book   Book          `json:"book"`
	DryRun bool          `json:"dry_run"`
	On     calendar.Date `json:"on"`
	Force  bool          `json:"force"`
}

// Outcomes of an activation.
const (
	Activated = "activated"
	HeldBack  = "held" // it waits for a second person
	SameBook  = "same" // it was in force already
)

// ActivateReply says what an activation did.
type ActivateReply struct {
	Outcome string         `json:"outcome"`
	DryRun  bool           `json:"dry_run"`
	File    string         `json:"file"` // where the rulebook stands now
	By      string         `json:"by"`
	Second  string         `json:"second"` // the second person, where one was needed
	Hold    *Hold          `json:"hold"`   // what it was, or is, held for; null where it was not
	Diff    *DiffReply     `json:"diff"`   // without the single changes
	Plan    map[string]int `json:"plan"`
	Failed  []string       `json:"failed"`
	Warning string         `json:"warning,omitempty"`
}

// States of a rulebook in the history.
const (
	InForce = "in_force"
	Past    = "past"
)

// HistoryReply lists the rulebooks that were in force, oldest first, then those
// that are held.
type HistoryReply struct {
	Books []PastBook `json:"books"`
}

// PastBook is one coming into force of a rulebook, or its being held.
type PastBook struct {
	At       time.Time     `json:"at"`
	Business calendar.Date `json:"business_date"`
	Digest   string        `json:"digest"`
	Previous string        `json:"previous"`
	By       string        `json:"by"`     // "": a changed file that a scan found
	Second   string        `json:"second"` // the second person, where one was needed
	State    string        `json:"state"`  // in_force, past, held
	Hold     *Hold         `json:"hold"`   // of one that is held
}

// BookRequest asks for the rulebook in force on a business day.
type BookRequest struct {
	At calendar.Date `json:"at"`
}

// BookReply is a rulebook with its coming into force.
type BookReply struct {
	PastBook
	Text []byte `json:"text"`
}

// Diff asks what other documents would change.
func (c *Client) Diff(ctx context.Context, r DiffRequest) (*DiffReply, error) {
	return call[DiffReply](ctx, c, "diff", r, nil)
}

// Activate puts a rulebook in force.
func (c *Client) Activate(ctx context.Context, r ActivateRequest) (*ActivateReply, error) {
	return call[ActivateReply](ctx, c, "activate", r, nil)
}

// History asks for the rulebooks that were ever in force.
func (c *Client) History(ctx context.Context) (*HistoryReply, error) {
	return call[HistoryReply](ctx, c, "history", struct{}{}, nil)
}

// Book asks for the rulebook of a day.
func (c *Client) Book(ctx context.Context, r BookRequest) (*BookReply, error) {
	return call[BookReply](ctx, c, "book", r, nil)
}
