package api

import (
	"context"

	"tickler/calendar"
	"tickler/report"
)

// SampleRequest asks for the sample of an on-site supervision of a branch.
type SampleRequest struct {
	Branch  string        `json:"branch"`
	On      calendar.Date `json:"on"`
	Seed    *uint32       `json:"seed,omitempty"` // nil: report.SeedOf the branch and the day
	Size    int           `json:"size"`           // 0: the manual's
	Largest int           `json:"largest"`        // 0: report.DefaultLargest
}

// SampleReply is a sample, with what makes it again.
type SampleReply struct {
	Branch    Named         `json:"branch"`
	On        calendar.Date `json:"on"`
	SeedGiven bool          `json:"seed_given"` // false: it follows from the branch and the day
	report.Sample
}

// Sample asks for a supervision sample.
func (c *Client) Sample(ctx context.Context, r SampleRequest) (*SampleReply, error) {
	return call[SampleReply](ctx, c, "sample", r, nil)
}

// PortfolioRequest asks what is missing in the facts.
type PortfolioRequest struct {
	On calendar.Date `json:"on"`
}

// PortfolioReply lists what each check found.
type PortfolioReply struct {
	report.Portfolio
	Warnings []string `json:"warnings"`
}

// Portfolio asks for the checks of the portfolio.
func (c *Client) Portfolio(ctx context.Context, r PortfolioRequest) (*PortfolioReply, error) {
	return call[PortfolioReply](ctx, c, "portfolio", r, nil)
}
