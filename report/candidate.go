package report

import (
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/loan"
)

// Candidate is a borrower who may be drawn, as his loans at the inspected
// branch show him: its files are what the supervision opens.
type Candidate struct {
	ID      string
	Name    string
	Class   loan.Class // the worst of his loans
	Balance loan.Fen   // their sum
	Secured bool       // one of them is
	Loans   []Held     // open ones, by id

	large bool
	rank  int
}

// Held is an open loan of a candidate.
type Held struct {
	ID        string        `json:"id"`
	Class     loan.Class    `json:"class"`
	Balance   loan.Fen      `json:"balance_fen"`
	Guarantee string        `json:"guarantee"`
	Secured   bool          `json:"secured"`
	Gone      calendar.Date `json:"gone"` // data date of the file that no longer held it; null while it is there
}

// CandidateOf gives a borrower by his loans at a branch, as known for the day;
// false where none of them is open. pledged are the loans that a collateral
// secures, by id.
func CandidateOf(d *loan.Dossier, branch string, on calendar.Date, pledged map[string]bool) (Candidate, bool) {
	c := Candidate{ID: d.ID, Class: loan.Normal}
	if d.Borrower != nil {
		c.Name = d.Borrower.Name
	}
	for _, f := range d.Loans {
		l := f.History.At(on)
		if l == nil || l.Branch != branch || !l.Open() || l.Disbursed > on {
			continue
		}
		h := Held{ID: f.ID, Class: l.Class, Balance: l.Balance, Guarantee: l.Guarantee,
			Secured: pledged[f.ID] || len(f.Parties(on)) > 0 || securedBy(l.Guarantee)}
		if !f.Gone.IsZero() && f.Gone <= on {
			h.Gone = f.Gone
		}
		if c.Name == "" {
			c.Name = l.BorrowerName
		}
		if l.Class.Rank() > c.Class.Rank() {
			c.Class = l.Class
		}
		c.Balance += l.Balance
		c.Secured = c.Secured || h.Secured
		c.Loans = append(c.Loans, h)
	}
	slices.SortFunc(c.Loans, func(a, b Held) int { return strings.Compare(a.ID, b.ID) })
	return c, len(c.Loans) > 0
}

// securedBy reads 担保方式: guaranteed, mortgaged or pledged, in whatever words,
// is all that is not on credit alone (信用).
func securedBy(guarantee string) bool {
	for _, none := range []string{"免担保", "无担保", "无抵押"} {
		if strings.Contains(guarantee, none) {
			return false
		}
	}
	for _, w := range []string{"保证", "抵", "质"} {
		if strings.Contains(guarantee, w) {
			return true
		}
	}
	return guarantee != "" && guarantee != "无" && !strings.Contains(guarantee, "信用")
}
