package api

import (
	"context"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// OutboxRequest asks for the digests that wait to be sent.
type OutboxRequest struct {
	ID     string        `json:"id,omitempty"`     // of one digest, or the number of a message in it
	On     calendar.Date `json:"on"`               // those that go out on this day; zero: all
	To     string        `json:"to,omitempty"`     // staff number
	Role   string        `json:"role,omitempty"`   // of those to a role
	Branch string        `json:"branch,omitempty"` // with Role
	Items  bool          `json:"items"`            // tell what is in them
}

// OutboxReply lists digests by day, then persons, then roles.
type OutboxReply struct {
	Today   calendar.Date `json:"today"`
	Next    calendar.Date `json:"next"` // today, or the working day after it: when the next digests go out
	Digests []Digest      `json:"digests"`
}

// Digest is what one person, or whoever has a role in a branch, is told on one
// working day. What comes about on days off waits for it.
type Digest struct {
	ID     string        `json:"id"` // 2026-10-08/S001, 2026-10-08/supervisor@B01
	Day    calendar.Date `json:"day"`
	To     *Named        `json:"to"`     // null: Role in Branch
	Role   string        `json:"role"`   // "" where there is a person
	Branch string        `json:"branch"` // likewise
	Status string        `json:"status"` // DigestWaits
	Counts DigestCounts  `json:"counts"`
	Groups []DigestGroup `json:"groups"` // those that hold something, in the order of DigestGroups; empty unless asked for
	Audit  Head          `json:"audit"`  // the head of the trail as the digest is read: an anchor outside the store
}

// DigestWaits is the status of a digest that is still to be sent.
const DigestWaits = "to_be_sent"

// Groups of a digest.
const (
	GroupRaised    = "raised"    // newly on the desk, or again
	GroupReminders = "reminders" // due soon
	GroupEscalated = "escalated" // overdue, and gone up to this role
	GroupMoved     = "moved"     // another due day
	GroupCancelled = "cancelled" // no longer asked for; missed ones too
	GroupClosed    = "closed"    // submitted, signed, done, waived
	GroupOther     = "other"
)

// DigestGroups lists the groups in the order of a digest.
var DigestGroups = []string{GroupRaised, GroupReminders, GroupEscalated, GroupMoved, GroupCancelled, GroupClosed, GroupOther}

// DigestCounts are the numbers of items: group -> how many, zeros too.
type DigestCounts map[string]int

// DigestGroup is the items of one kind, in the order of their due days.
type DigestGroup struct {
	Group string       `json:"group"`
	Items []DigestItem `json:"items"`
}

// DigestItem is one message of a digest, and its obligation as it is now.
type DigestItem struct {
	Message     uint64           `json:"message"`
	Kind        string           `json:"kind"` // raised, remind, escalate, moved, ...
	Stands      calendar.Date    `json:"stands_for"`
	On          calendar.Date    `json:"on"` // business day it was recorded on
	Late        string           `json:"late,omitempty"`
	Obligation  string           `json:"obligation"`
	Short       string           `json:"short"`
	Rule        string           `json:"rule"`
	Name        string           `json:"name"`
	Subject     loan.Ref         `json:"subject"`
	Borrower    *Named           `json:"borrower"`
	Branch      string           `json:"branch"`
	Owner       string           `json:"owner"` // who has it
	Role        string           `json:"role"`
	Due         calendar.Date    `json:"due"`
	WasDue      calendar.Date    `json:"was_due"`
	Provisional bool             `json:"provisional"`
	State       obligation.State `json:"state"`
	Overdue     bool             `json:"overdue"`
	LateDays    int              `json:"late_workdays"`
	DaysLeft    int              `json:"workdays_left"`
	Cause       string           `json:"cause,omitempty"`
}

// Outbox asks for the digests that wait to be sent.
func (c *Client) Outbox(ctx context.Context, r OutboxRequest) (*OutboxReply, error) {
	return call[OutboxReply](ctx, c, "outbox", r, nil)
}

// SnoozeRequest puts the reminders of an obligation off. Its due day stays, and
// so does what goes up once it is overdue.
type SnoozeRequest struct {
	ID    string        `json:"id"`
	Until calendar.Date `json:"until"` // on which reminders begin again; at most the due day
	Note  string        `json:"note"`
	On    calendar.Date `json:"on"`
	Force bool          `json:"force"`
}

// SnoozeReply says when the next reminder comes.
type SnoozeReply struct {
	Obligation Obligation    `json:"obligation"`
	Until      calendar.Date `json:"until"`
	Next       calendar.Date `json:"next"` // day of the next reminder; null where none is left before the due day
}

// Snooze puts the reminders of an obligation off.
func (c *Client) Snooze(ctx context.Context, r SnoozeRequest) (*SnoozeReply, error) {
	return call[SnoozeReply](ctx, c, "snooze", r, nil)
}
