package api

import (
	"context"

	"tickler/calendar"
)

// CompleteOnTime simulates people who do everything on its due day.
const CompleteOnTime = "on-time"

// SimulateRequest asks what the daemon's loop would do, day by day, if nothing
// happened but time.
type SimulateRequest struct {
	From     calendar.Date `json:"from"`               // first day that is told; zero is today
	To       calendar.Date `json:"to"`                 // last one
	Complete string        `json:"complete,omitempty"` // "": nobody does anything; CompleteOnTime
	Lines    bool          `json:"lines"`              // tell Days and Obligations, too
}

// SimulateReply is what would come of it. The lists of ids are in their order.
type SimulateReply struct {
	From          calendar.Date         `json:"from"`
	To            calendar.Date         `json:"to"`
	Complete      string                `json:"complete"`
	Open          int                   `json:"open"`           // on a desk before the first day
	Overdue       int                   `json:"overdue"`        // of them, overdue on the first day
	Maturing      int                   `json:"maturing"`       // loans that mature meanwhile; nobody repays in a simulation
	Days          []SimulatedDay        `json:"days"`           // every calendar day, in order; empty without Lines
	Weeks         []SimulatedWeek       `json:"weeks"`          // by week, then by owner
	AfterHolidays []AfterHoliday        `json:"after_holidays"` // in the order of days
	Obligations   []SimulatedObligation `json:"obligations"`    // all that Days name; empty without Lines
	Failed        []string              `json:"failed,omitempty"`
	Warnings      []string              `json:"warnings"`
}

// SimulatedDay is what happens on one day. The lists hold obligations' ids.
type SimulatedDay struct {
	Date        calendar.Date        `json:"date"`
	Workday     bool                 `json:"workday"`
	Provisional bool                 `json:"provisional"` // the year's notice is not loaded
	Raised      []string             `json:"raised"`
	Reminded    []string             `json:"reminded"`
	Escalated   []SimulatedEscalated `json:"escalated"`
	Due         []string             `json:"due"`                 // open, and due on this day
	Completed   []string             `json:"completed,omitempty"` // with CompleteOnTime
}

// SimulatedEscalated is an overdue obligation and the role it goes up to.
type SimulatedEscalated struct {
	ID string `json:"id"`
	To string `json:"to"`
}

// SimulatedWeek is one person's week, or that of a role in a branch whose
// person the facts do not name.
type SimulatedWeek struct {
	Week   string        `json:"week"`  // 2026-W48, as ISO 8601 counts
	From   calendar.Date `json:"from"`  // its Monday, or the first day told
	Owner  string        `json:"owner"` // "": Role in Branch
	Role   string        `json:"role"`  // "" where there is an owner: he may have several
	Branch string        `json:"branch"`
	WeekCounts
}

// WeekCounts are numbers of obligations.
type WeekCounts struct {
	Raised    int `json:"raised"`
	Reminded  int `json:"reminded"`
	Escalated int `json:"escalated"`
	Due       int `json:"due"`
	Completed int `json:"completed"`
	Overdue   int `json:"overdue"` // still so at the end of the week
}

// AfterHoliday is the first working day after three days off or more.
type AfterHoliday struct {
	Date           calendar.Date `json:"date"`
	Name           string        `json:"name"` // of the holiday
	DaysOff        int           `json:"days_off"`
	Provisional    bool          `json:"provisional"`
	Due            int           `json:"due"`
	Raised         int           `json:"raised"`          // on the day itself
	Waiting        int           `json:"waiting"`         // raised on the days off: they wait on the desk in the morning
	OrdinaryDue    float64       `json:"ordinary_due"`    // mean of the other working days told
	OrdinaryRaised float64       `json:"ordinary_raised"` // mean of the other working days told, with what waited in the morning
}

// SimulatedObligation says whose an obligation is, and when.
type SimulatedObligation struct {
	ID          string        `json:"id"`
	Rule        string        `json:"rule"`
	Name        string        `json:"name"`
	Branch      string        `json:"branch"`
	Owner       string        `json:"owner"`
	Role        string        `json:"role"`
	Raised      calendar.Date `json:"raised"`
	Due         calendar.Date `json:"due"`
	Provisional bool          `json:"provisional"`
}

// Simulate asks for a simulation.
func (c *Client) Simulate(ctx context.Context, r SimulateRequest) (*SimulateReply, error) {
	return call[SimulateReply](ctx, c, "simulate", r, nil)
}
