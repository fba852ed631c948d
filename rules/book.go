package rules

import (
	"crypto/sha256"
	"encoding/hex"
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

// EventKind declares what may happen to whom.
type EventKind struct {
	Kind    string
	Name    string      // in Chinese
	For     []loan.Kind // subjects it may be recorded of
	Builtin bool
}

// Rule is one entry of the rulebook.
type Rule struct {
	ID     string
	Set    string
	Name   string
	Clause string // of the manual, or of the law
	Note   string
	Stated bool // false: the figure is the bank's own, not the manual's

	For    loan.Kind
	Each   []loan.Kind // one for each of these parties; the subject's own kind is the subject himself
	On     []string    // event kinds, for an event rule
	Every  string      // week ... year, interest_date, fee_date; "" for others
	Since  []string    // event kinds and dates, for an interval
	Within *span       // only the periods that touch it, the last cut at its end

	When   *Condition
	Except []Exception
	Needs  *Needs

	Due     DateExpr
	Raise   *DateExpr // nil: the default of the due day's form
	Landing calendar.Landing

	By       string   // role
	Sign     []string // roles that sign afterwards, in order
	ClosesOn []string // event kinds
	Notice   string
	YieldsTo []string

	EffectiveFrom calendar.Date // zero is open
	EffectiveTo   calendar.Date

	Remind   []Limit
	Escalate []Escalation

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

// Needs is a quota: so many events in the period.
type Needs struct {
	Count   string     // event kind
	AtLeast *Condition // a number
}

// Period says whether the rule runs by calendar periods.
func (r *Rule) Period() bool { return r.every != 0 }

// Rule finds a rule by its id, also one of a set that is not enabled; nil if
// there is none.
func (b *Book) Rule(id string) *Rule { return b.byID[id] }

// Active says that the rule belongs to a set that the branch follows.
func (b *Book) Active(r *Rule) bool {
	for _, s := range b.Enabled {
		if s == r.Set {
			return true
		}
	}
	return false
}

// Digest is sha256:… of the file's text.
func (b *Book) Digest() string { return b.digest }

// Text is the file as it was read.
func (b *Book) Text() []byte { return b.text }

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}
