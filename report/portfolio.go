package report

import (
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/loan"
)

// What a finding says. Have and Want hold the values.
const (
	NoOfficer        = "no_officer"         // of a borrower, or of a loan whose borrower has one
	SeveralOfficers  = "several_officers"   // Have: their numbers
	NoRiskManager    = "no_risk_manager"    // where set county is followed
	NoCustodian      = "no_custodian"       //
	WrongTier        = "wrong_tier"         // Have: the officer and his post; Want: the tiers, joined by |
	NoPost           = "no_post"            // note: the officers of so many borrowers have no post that tells a tier
	NoThreshold      = "no_threshold"       // note: Have: the rulebook's missing params
	NoCategory       = "no_category"        //
	UnknownCategory  = "unknown_category"   // Have: the word that is none of the five
	NoResponsibility = "no_responsibility"  //
	NoLog            = "no_log"             //
	NoExposure       = "no_exposure"        //
	NoIndustry       = "no_industry"        //
	NoMaturity       = "no_maturity"        //
	NPLRegular       = "npl_regular"        // Have: the class
	ModeAssumed      = "mode_assumed"       //
	ClassAssumed     = "class_assumed"      //
	NoReportRule     = "no_report_rule"     // Have: what each rule makes of it
	ExemptFromReport = "exempt_from_report" // note: Have: the exemption
)

// Finding is one thing amiss, or a note about it.
type Finding struct {
	What    string    `json:"what"`
	Subject *loan.Ref `json:"subject"` // null: the whole portfolio, for Count of its subjects
	Name    string    `json:"name"`    // of the borrower
	Branch  string    `json:"branch"`
	Officer string    `json:"officer"`
	Have    string    `json:"have,omitempty"`
	Want    string    `json:"want,omitempty"`
	Count   int       `json:"count"` // subjects it speaks of
	Note    bool      `json:"note"`  // true: nothing is amiss, but somebody should know
}

// Group is what one check found.
type Group struct {
	Check    string    `json:"check"`
	Name     string    `json:"name"`
	Clause   string    `json:"clause"`
	Rows     []string  `json:"rows"`
	Sets     []string  `json:"sets"`     // the sets that ask for it; empty: all
	Followed bool      `json:"followed"` // false: of no set that the branch follows; for information
	Count    int       `json:"count"`    // subjects found, notes not among them
	Findings []Finding `json:"findings"` // in the order of the borrowers' numbers; notes last
}

// Portfolio is what the checks found.
type Portfolio struct {
	On        calendar.Date `json:"on"`
	Borrowers int           `json:"borrowers"` // with an open loan
	Loans     int           `json:"loans"`     // open ones
	Groups    []Group       `json:"groups"`    // one a check, in the order of Checks
}

// Amiss counts what was found of the sets that the branch follows.
func (p *Portfolio) Amiss() int {
	n := 0
	for i := range p.Groups {
		if p.Groups[i].Followed {
			n += p.Groups[i].Count
		}
	}
	return n
}

// Options are what the checks need beside the borrowers.
type Options struct {
	On            calendar.Date
	Enabled       []string               // sets that the branch follows
	Large, Medium loan.Fen               // thresholds of a large (大户) and a medium (中户) borrower; 0 is not known
	Staff         map[string]*loan.Staff // by number
}

// Holding is a borrower with his open loans, as the checks look at him.
type Holding struct {
	ID     string
	Sheet  *loan.Borrower // nil where no customer sheet named him
	Loans  []Lent         // at least one
	Events []loan.Event   // his, and of his loans and collateral
}

// Lent is one of his open loans.
type Lent struct {
	*loan.Loan
	Watch Watch
}

// Auditor goes through a portfolio, borrower by borrower.
type Auditor struct {
	opt       Options
	borrowers int
	loans     int
	found     map[string][]Finding // check -> what it found
	notes     map[string][]Finding
	seen      map[string]bool // what of a finding -> the ledger does hold the thing, for somebody
}

// NewAuditor begins to check a portfolio.
func NewAuditor(o Options) *Auditor {
	return &Auditor{opt: o, found: map[string][]Finding{}, notes: map[string][]Finding{}, seen: map[string]bool{}}
}

// Look checks one borrower. Borrowers come in the order of their numbers.
func (a *Auditor) Look(h *Holding) {
	a.borrowers++
	a.loans += len(h.Loans)
	a.staffed(h)
	a.custodian(h)
	a.tier(h)
	a.category(h)
	a.stageLog(h)
	a.watchFacts(h)
	a.loanFacts(h)
	a.reports(h)
}

// columns are the findings that mean, where they hold for everybody, that the
// ledger has no such column: one line says so.
var columns = []string{NoRiskManager, NoCustodian, NoCategory, NoResponsibility, NoLog, NoExposure, NoIndustry, ModeAssumed, ClassAssumed}

// Report gives what was found.
func (a *Auditor) Report() Portfolio {
	p := Portfolio{On: a.opt.On, Borrowers: a.borrowers, Loans: a.loans}
	for i := range Checks {
		c := &Checks[i]
		g := Group{Check: c.Word, Name: c.Name, Clause: c.Clause, Rows: c.Rows, Sets: append([]string{}, c.Sets...), Followed: c.followed(a.opt.Enabled), Findings: []Finding{}}
		whole := map[string]int{} // what -> how many
		for _, f := range a.found[c.Word] {
			g.Count++
			if slices.Contains(columns, f.What) && !a.seen[f.What] {
				whole[f.What]++
				continue
			}
			g.Findings = append(g.Findings, f)
		}
		var all []Finding
		for _, w := range columns {
			if n := whole[w]; n > 0 {
				all = append(all, Finding{What: w, Count: n})
			}
		}
		g.Findings = slices.Concat(all, g.Findings, a.notes[c.Word])
		if g.Findings == nil {
			g.Findings = []Finding{}
		}
		p.Groups = append(p.Groups, g)
	}
	return p
}

func (a *Auditor) borrower(h *Holding, check, what, have, want string) {
	a.found[check] = append(a.found[check], Finding{What: what, Subject: &loan.Ref{Kind: loan.KindBorrower, ID: h.ID},
		Name: h.name(), Branch: h.branch(), Officer: h.officer(), Have: have, Want: want, Count: 1})
}

func (a *Auditor) loan(h *Holding, l *Lent, check, what, have string) {
	a.found[check] = append(a.found[check], a.ofLoan(h, l, what, have))
}

func (a *Auditor) ofLoan(h *Holding, l *Lent, what, have string) Finding {
	return Finding{What: what, Subject: &loan.Ref{Kind: loan.KindLoan, ID: l.ID}, Name: h.name(), Branch: l.Branch, Officer: l.Officer, Have: have, Count: 1}
}

// note says something about the whole portfolio, for one subject more.
func (a *Auditor) note(check, what, have string) {
	list := a.notes[check]
	for i := range list {
		if list[i].What == what && list[i].Have == have && list[i].Subject == nil {
			list[i].Count++
			return
		}
	}
	a.notes[check] = append(list, Finding{What: what, Have: have, Count: 1, Note: true})
}

func (h *Holding) oldest() *loan.Loan {
	oldest := h.Loans[0].Loan
	for _, l := range h.Loans {
		if l.Disbursed < oldest.Disbursed {
			oldest = l.Loan
		}
	}
	return oldest
}

func (h *Holding) name() string {
	if h.Sheet != nil && h.Sheet.Name != "" {
		return h.Sheet.Name
	}
	return h.oldest().BorrowerName
}

// branch is that of his own sheet, or else of his oldest open loan.
func (h *Holding) branch() string {
	if h.Sheet != nil && h.Sheet.Branch != "" {
		return h.Sheet.Branch
	}
	return h.oldest().Branch
}

// officer is that of his own sheet, or else of his oldest open loan that has
// one.
func (h *Holding) officer() string {
	if h.Sheet != nil && h.Sheet.Officer != "" {
		return h.Sheet.Officer
	}
	who := ""
	var since calendar.Date
	for _, l := range h.Loans {
		if l.Officer != "" && (who == "" || l.Disbursed < since) {
			who, since = l.Officer, l.Disbursed
		}
	}
	return who
}

// extra gives the text under the first header that holds one of the words, of
// his customer row or of a loan; headers in order.
func extra(x map[string]string, words ...string) string {
	best := ""
	for header := range x {
		for _, w := range words {
			if strings.Contains(header, w) && x[header] != "" && (best == "" || header < best) {
				best = header
			}
		}
	}
	return x[best]
}
