package api

import (
	"context"
	"time"

	"tickler/calendar"
	"tickler/loan"
)

// ActRequest is a person's move of one obligation, or, for Reassign with From,
// of all that is one person's.
type ActRequest struct {
	ID     string        `json:"id"`
	Reason string        `json:"reason,omitempty"`
	Note   string        `json:"note,omitempty"`
	Day    calendar.Date `json:"day"`            // the day a submitted act was done; zero is today
	To     string        `json:"to,omitempty"`   // staff number
	From   string        `json:"from,omitempty"` // staff number whose open obligations all go to To
	Files  []File        `json:"files,omitempty"`
	On     calendar.Date `json:"on"`
	Force  bool          `json:"force"`
}

// File is evidence on its way.
type File struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// ActReply is the obligation as it is then.
type ActReply struct {
	Obligation *Obligation     `json:"obligation,omitempty"`
	Moved      int             `json:"moved,omitempty"` // of a reassignment of all
	Pending    bool            `json:"pending"`         // a waiver that waits for a second person
	Files      []loan.Evidence `json:"files,omitempty"`
}

// UserRequest adds or changes a person.
type UserRequest struct {
	Staff    string   `json:"staff"`
	Name     string   `json:"name,omitempty"`
	Roles    []string `json:"roles,omitempty"`
	Branch   string   `json:"branch,omitempty"`
	OSUser   string   `json:"os_user,omitempty"`
	Password string   `json:"password,omitempty"` // to be set
	Disable  bool     `json:"disable,omitempty"`
	Enable   bool     `json:"enable,omitempty"`
}

// UserReply says what became of him.
type UserReply struct {
	User    User `json:"user"`
	New     bool `json:"new"`
	Changed bool `json:"changed"`
}

// User is one person as lists show him.
type User struct {
	Staff    string   `json:"staff"`
	Name     string   `json:"name"`
	Roles    []string `json:"roles"`
	Branch   string   `json:"branch"`
	OSUser   string   `json:"os_user"`
	Disabled bool     `json:"disabled"`
	Source   string   `json:"source"` // user: entered by ops; ledger: the 人员 sheet
	Password bool     `json:"password"`
}

// UsersReply lists them by staff number.
type UsersReply struct {
	Users    []User       `json:"users"`
	Deputies []DeputyForm `json:"deputies"`
}

// DeputyForm is one person standing in for another, both days included.
type DeputyForm struct {
	For  string        `json:"for"`
	By   string        `json:"by"`
	From calendar.Date `json:"from"`
	To   calendar.Date `json:"to"`
}

// DeputyRequest sets a deputy, or ends one.
type DeputyRequest struct {
	DeputyForm
	End bool `json:"end"`
}

// DeputyReply is what stands then.
type DeputyReply struct {
	Deputies []DeputyForm `json:"deputies"`
}

// LoginRequest asks for a session.
type LoginRequest struct {
	Staff    string `json:"staff"`
	Password string `json:"password"`
}

// LoginReply holds a session's token, which is told this once.
type LoginReply struct {
	Token string    `json:"token"`
	Until time.Time `json:"until"`
	User  User      `json:"user"`
}

// Act makes a move: submit, sign, return, waive, reopen or reassign.
func (c *Client) Act(ctx context.Context, move string, r ActRequest) (*ActReply, error) {
	return call[ActReply](ctx, c, move, r, nil)
}

// User adds or changes a person.
func (c *Client) User(ctx context.Context, r UserRequest) (*UserReply, error) {
	return call[UserReply](ctx, c, "user", r, nil)
}

// Users lists people and deputies.
func (c *Client) Users(ctx context.Context) (*UsersReply, error) {
	return call[UsersReply](ctx, c, "users", struct{}{}, nil)
}

// Deputy sets or ends a deputy.
func (c *Client) Deputy(ctx context.Context, r DeputyRequest) (*DeputyReply, error) {
	return call[DeputyReply](ctx, c, "deputy", r, nil)
}
