package api

import (
	"context"

	"tickler/calendar"
	"tickler/report"
)

// FiguresRequest says which obligations figures are about.
type FiguresRequest struct {
	On     calendar.Date `json:"on"`     // as if today were that day; zero is today
	From   calendar.Date `json:"from"`   // due days, both included; zero: the first day of To's quarter
	To     calendar.Date `json:"to"`     // zero: On
	Branch string        `json:"branch"` // only of this one; "": all
	By     []report.By   `json:"by,omitempty"`
}

// FiguresHead says what figures are about and what they rest on.
type FiguresHead struct {
	On       calendar.Date `json:"on"`
	From     calendar.Date `json:"from"` // due days, both included; null: no range
	To       calendar.Date `json:"to"`
	Branch   string        `json:"branch,omitempty"`
	By       []report.By   `json:"by"`
	GoLive   calendar.Date `json:"go_live"`  // nothing due before it was ever raised
	Business calendar.Date `json:"business"` // the store's own day: its plan is as of then
	Rulebook string        `json:"rulebook"` // digest in force
	Calendar string        `json:"calendar"` // likewise; working days are its
	Warnings []string      `json:"warnings"`
}

// OntimeReply holds the on-time figures: the total, and its groups.
type OntimeReply struct {
	FiguresHead
	Total *report.Node[report.Tally] `json:"total"`
}

// AgeingReply holds what is overdue by its age. It has no range.
type AgeingReply struct {
	FiguresHead
	Total *report.Node[report.Ages] `json:"total"`
}

// CoverageReply holds the quotas and coverages.
type CoverageReply struct {
	FiguresHead
	Coverages []report.Coverage `json:"coverages"`
}

// ScoreRequest asks for the scores of a quarter.
type ScoreRequest struct {
	On      calendar.Date `json:"on"`
	Quarter string        `json:"quarter"` // 2026-Q3; "": the last one that ended, or the running one where the branch went live since
	Branch  string        `json:"branch"`
	Scheme  report.Scheme `json:"scheme"` // the zero value: report.DefaultScheme
}

// ScoreReply holds a score for every branch that had duties, or was scored.
type ScoreReply struct {
	FiguresHead
	Quarter  string             `json:"quarter"`
	Running  bool               `json:"running"`  // the quarter had not ended on the day
	Followed bool               `json:"followed"` // false: set county is not followed; for information
	Scheme   report.Scheme      `json:"scheme"`
	Units    []report.UnitScore `json:"units"` // by branch
}

// Ontime asks how many obligations were done in time.
func (c *Client) Ontime(ctx context.Context, r FiguresRequest) (*OntimeReply, error) {
	return call[OntimeReply](ctx, c, "ontime", r, nil)
}

// Ageing asks how old is what is overdue.
func (c *Client) Ageing(ctx context.Context, r FiguresRequest) (*AgeingReply, error) {
	return call[AgeingReply](ctx, c, "ageing", r, nil)
}

// Coverage asks how far quotas and coverages have come. Without a range it is
// about what runs on the day and what is overdue.
func (c *Client) Coverage(ctx context.Context, r FiguresRequest) (*CoverageReply, error) {
	return call[CoverageReply](ctx, c, "coverage", r, nil)
}

// Score asks for the scores of a quarter.
func (c *Client) Score(ctx context.Context, r ScoreRequest) (*ScoreReply, error) {
	return call[ScoreReply](ctx, c, "score", r, nil)
}
