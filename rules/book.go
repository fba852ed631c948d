package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"tickler/calendar"
	"tickler/loan"
)

// Book is a rulebook that was read and checked. It does not change.
type Book struct {
	File     string // as named by the reader, for messages
	Zone     *time.Location
	Fiscal   calendar.Fiscal       // end of the fiscal year
	Enabled  []string              // sets this branch follows
	Params   map[string]any        // int, float64, string, []string
	Remind   []Limit               // default reminders, before due
	Escalate []Escalation          // default escalation
	Events   map[string]*EventKind // kind -> declaration; the built-in ones included
	Rules    []*Rule               // every rule of the file, also of sets not enabled, in its order
	Standing []Standing            // what the manual asks for without a clock

	byID   map[string]*Rule
	text   []byte
	digest string
}

// Limit is a reminder's distance from the due day.
type Limit struct {
	N    int // negative is before
	Unit calendar.Unit
}

// Escalation says that a duty overdue by so long goes to the role.
type Escalation struct {
	After calendar.Limit
	To    string
}

// Standing is something the manual asks for that has no deadline: it is looked
// at by a check of the portfolio, or not at all.
type Standing struct {
	Rows  []string // of the source table
	Name  string
	Check string // which check looks at it; "" where no program can
	Note  string
}

// Rule is one entry of the rulebook.
type Rule struct {
	ID      string
	Sets    []string // one or more
	Name    string
	Clause  string   // of the manual, or of the law
	Rows    []string // of the source table that the rule serves
	Missing string   // the page that the source points to and does not hold
	Note    string
	Stated  bool // false: the figure is the bank's own, not the manual's

	For    loan.Kind
	Who    []string       // of a rule for an officer: in whose care a loan must be; officer, risk_manager
	Each   []Fan          // one for each of these parties
	On     []string       // event kinds, for an event rule
	InARow map[string]int // event kind -> so many months in a row, the last of which counts
	Every  string         // week ... year, interest_date, fee_date; "" for others
	Since  []string       // event kinds and dates, for an interval
	Within *span          // only the periods that touch it, the last cut at its end

	When   *Condition
	Except []Exception
	Needs  *Needs

	Due     DateExpr   // the first of Dues
	Dues    []DateExpr // the first whose day is known counts
	Raise   *DateExpr  // nil: the default of the due day's form
	Landing calendar.Landing

	By       string                // role, the first of Bys
	Bys      []string              // roles; more than one: an obligation for each
	Above    bool                  // the branch above the subject's does it
	Sign     []Chain               // the first whose condition holds says who signs
	ClosesOn []string              // event kinds
	CloseIf  map[string]*Condition // event kind -> what must hold of the event to close
	Notice   string
	YieldsTo []string

	EffectiveFrom calendar.Date // zero is open
	EffectiveTo   calendar.Date

	Remind   []Limit
	Escalate []Escalation

	Overrides []Override

	Line  int              // of its first key in the file
	at    map[string]place // key -> where it stands; "id" is there always
	vague bool             // its shape is wrong: any anchor and any name may be meant
	every calendar.Every   // of a period rule
}

// place is a spot in the file, both from 1.
type place struct{ line, col int }

// Exception is one exemption (豁免) with its reason in words.
type Exception struct {
	If  *Condition
	Why string
	at  place
}

// Needs is a quota: so many events in the period, or a share of things that
// each had one.
type Needs struct {
	Count   string     // event kind that is counted, or that covers
	AtLeast *Condition // a number; nil for a share
	Cover   string     // what is to be covered: subordinate_branches, loans; "" for a count
	Percent int        // of what is to be covered, 1-100; 0 where AtLeast says how many
}

// Chain is who signs in which case.
type Chain struct {
	If *Condition // nil always holds
	By []string   // roles, in order
}

// Override is what a branch, and those below it, do otherwise.
type Override struct {
	Branch string
	Why    string
	Rule   *Rule // the rule as it stands there; nil: it does not hold there
}

// Period says whether the rule runs by calendar periods.
func (r *Rule) Period() bool { return r.every != 0 }

// Rule finds a rule by its id, also one of a set that is not enabled; nil if
// there is none.
func (b *Book) Rule(id string) *Rule { return b.byID[id] }

// Event finds a kind of event by its word or by its Chinese name; nil if there
// is none, or if several have the name.
func (b *Book) Event(word string) *EventKind {
	if e := b.Events[word]; e != nil {
		return e
	}
	var found *EventKind
	for _, e := range b.Events {
		if e.Name == word && word != "" {
			if found != nil {
				return nil
			}
			found = e
		}
	}
	return found
}

// Active says that the rule belongs to a set that the branch follows.
func (b *Book) Active(r *Rule) bool {
	for _, s := range b.Enabled {
		if slices.Contains(r.Sets, s) {
			return true
		}
	}
	return false
}

// SetOf names the set for whose sake a rule holds: the first of its sets that
// the branch follows, or the first of all.
func (b *Book) SetOf(r *Rule) string {
	for _, s := range r.Sets {
		if slices.Contains(b.Enabled, s) {
			return s
		}
	}
	return r.Sets[0]
}

// Digest is sha256:… of the file's text.
func (b *Book) Digest() string { return b.digest }

// Text is the file as it was read.
func (b *Book) Text() []byte { return b.text }

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}
