package api

import (
	"context"
	"encoding/json"
	"time"

	"tickler/calendar"
)

// AuditVerifyRequest asks for a proof of the audit trail.
type AuditVerifyRequest struct {
	Anchors []Head `json:"anchors"` // heads that were printed before
}

// AuditProof says whether a trail holds, and how far.
type AuditProof struct {
	Sound    bool       `json:"sound"`
	First    uint64     `json:"first"`    // number of the first record; 0 where there is none
	Count    uint64     `json:"count"`    // records that hold, from the first one on
	Head     Head       `json:"head"`     // the last of them
	Since    *time.Time `json:"since"`    // moment of the first
	Until    *time.Time `json:"until"`    // moment of the last
	Anchors  []Head     `json:"anchors"`  // those that were met
	Backward []uint64   `json:"backward"` // records written with a clock that had gone back: a warning
	Bad      *AuditBad  `json:"bad"`      // null where it is sound
}

// AuditBad is the first thing that does not hold.
type AuditBad struct {
	Seq   uint64 `json:"seq"`             // the first record that does not hold; 0: the head, or the index
	Fault string `json:"fault"`           // head, unreadable, missing, number, order, content, beyond, last, day, cut, other, index, file
	Since uint64 `json:"since,omitempty"` // of cut and other: the first record that no anchor vouches for
	Error string `json:"error"`
}

// AuditPageRequest asks for records as the lines of an export, a page at a
// time. Days are business days, both ends included.
type AuditPageRequest struct {
	From    uint64        `json:"from"` // 0: the first
	To      uint64        `json:"to"`   // 0: the last
	FromDay calendar.Date `json:"from_day"`
	ToDay   calendar.Date `json:"to_day"`
}

// AuditPageReply is a page. The next one begins at Next; 0 where there is none.
type AuditPageReply struct {
	Lines []json.RawMessage `json:"lines"` // with "hash", and byte for byte what was hashed
	To    uint64            `json:"to"`    // the last record asked for, as far as there are any
	Next  uint64            `json:"next"`
}

// AuditAboutRequest asks for the records about something, a page at a time.
type AuditAboutRequest struct {
	What  string `json:"what"`  // obligation, KIND/ID, event or event/ID, person or person/ID, user/NAME
	After uint64 `json:"after"` // the record before the page
}

// AuditAboutReply is a page, oldest first. The next one begins after Next; 0
// where there is none.
type AuditAboutReply struct {
	Entries []Entry `json:"entries"`
	Next    uint64  `json:"next"`
}

// AuditVerify asks for a proof of the audit trail.
func (c *Client) AuditVerify(ctx context.Context, r AuditVerifyRequest) (*AuditProof, error) {
	return call[AuditProof](ctx, c, "audit-verify", r, nil)
}

// AuditHead asks for the newest record's number and hash.
func (c *Client) AuditHead(ctx context.Context) (*Head, error) {
	return call[Head](ctx, c, "audit-head", struct{}{}, nil)
}

// AuditPage asks for records as they are exported.
func (c *Client) AuditPage(ctx context.Context, r AuditPageRequest) (*AuditPageReply, error) {
	return call[AuditPageReply](ctx, c, "audit-page", r, nil)
}

// AuditAbout asks for the records about something.
func (c *Client) AuditAbout(ctx context.Context, r AuditAboutRequest) (*AuditAboutReply, error) {
	return call[AuditAboutReply](ctx, c, "audit-about", r, nil)
}
