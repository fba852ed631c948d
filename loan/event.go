package loan

import (
	"cmp"
	"time"

	"tickler/calendar"
)

// Event is something that happened to a subject: a person recorded it, or two
// successive ledger files showed it.
type Event struct {
	ID       string            `json:"id"`
	Kind     string            `json:"kind"` // KIND.VERB: worklog.submitted
	Subject  Ref               `json:"subject"`
	Happened calendar.Date     `json:"happened"` // the day it happened, not the day it was written down
	Learned  time.Time         `json:"learned"`  // the moment it was written down
	Known    calendar.Date     `json:"known"`    // the business day of that moment
	By       string            `json:"by,omitempty"`
	Period   string            `json:"period,omitempty"` // 期间: the occurrence it speaks of, 2026-11
	Party    string            `json:"party,omitempty"`  // 对象: the one of several parties it concerns
	Closes   []string          `json:"closes,omitempty"` // ids of obligations it closes
	Fields   map[string]string `json:"fields,omitempty"`
	Files    []Evidence        `json:"files,omitempty"`
	Snapshot bool              `json:"snapshot,omitempty"` // found in a ledger file, not recorded by a person

	// Confirms is the event that first told what this one tells again: the
	// ledger file shows what a person had recorded, or he records what it
	// showed. It opens nothing, and closes what it closes. Once that event is
	// taken back, this one stands in its place.
	Confirms string `json:"confirms,omitempty"`

	Withdrawn *Withdrawal `json:"withdrawn,omitempty"` // it is kept, and counts for nothing
}

// Withdrawal says who took an event back, and why.
type Withdrawal struct {
	On     calendar.Date `json:"on"`
	At     time.Time     `json:"at"`
	By     string        `json:"by,omitempty"` // staff number, or the OS user where nobody is mapped to him
	Reason string        `json:"reason"`
}

// Evidence is a file that proves an act, kept by its digest.
type Evidence struct {
	Name   string `json:"name"`
	Digest string `json:"digest"` // sha256:…
	Size   int64  `json:"size"`
}

// Happening names what the event tells of, by the event that told it first.
func (e *Event) Happening() string { return cmp.Or(e.Confirms, e.ID) }

// Repeats says that another of the events at hand tells the same happening and
// comes first: the one that told it first, or, where that was taken back, the
// first that told it again.
func (e *Event) Repeats(known []Event) bool {
	if e.Confirms == "" {
		return false
	}
	for i := range known {
		x := &known[i]
		if x.Withdrawn == nil && (x.ID == e.Confirms || x.Confirms == e.Confirms && (x.Happened < e.Happened || x.Happened == e.Happened && x.ID < e.ID)) {
			return true
		}
	}
	return false
}
