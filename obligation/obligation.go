package obligation

import (
	"time"

	"tickler/calendar"
)

// State is where an obligation stands in its life.
type State string

const (
	Planned   State = "planned"   // derived, its time has not come
	Raised    State = "raised"    // someone has it on his desk
	Submitted State = "submitted" // done, and waiting for signatures
	Done      State = "done"
	Waived    State = "waived"    // excused, with a reason and a second person
	Cancelled State = "cancelled" // its cause went away before it fell due
	Lapsed    State = "lapsed"    // its cause went away after it fell due: counted as missed
)

// States lists every state in the order of a life.
var States = []State{Planned, Raised, Submitted, Done, Waived, Cancelled, Lapsed}

// Ended says that nothing more is expected of anyone.
func (s State) Ended() bool {
	return s == Done || s == Waived || s == Cancelled || s == Lapsed
}

// Duty is what a rulebook says of one obligation: what deriving gives, before
// anything happened to it.
type Duty struct {
	Key
	PartyName string
	Borrower  string // customer number; "" where the subject has none
	Loan      string // loan number; ""
	Branch    string
	Role      string   // who performs it: officer, supervisor, ...
	Owner     string   // the person, where the facts name one
	Sign      []string // roles that sign once it is submitted, in order

	Anchor      calendar.Date
	Raise       calendar.Date
	Due         calendar.Date
	PeriodEnd   calendar.Date // of a duty `on period.end`: late only after this day; else zero
	Provisional bool          // a date rests on a year without notice

	Progress Progress
	Closed   *Closing // an event that the facts hold already discharges it
}

// Progress counts towards a quota: 2 of 3 logs written; 1 of 7 branches
// visited, where 3 are needed. Zero where there is none.
type Progress struct {
	Have int `json:"have"`
	Need int `json:"need"`
	Of   int `json:"of,omitempty"` // all there are, of a coverage; 0 for a count
}

// Closing is how an obligation was discharged.
type Closing struct {
	On    calendar.Date // the day the event happened
	Event string        // its id
	By    string        // who recorded it; "" where a file showed it
	At    time.Time     // when it was learnt
}

// Signature is one level of a signing chain (签批).
type Signature struct {
	Role string        `json:"role"`
	By   string        `json:"by"` // staff number
	On   calendar.Date `json:"on"`
	Note string        `json:"note,omitempty"`
}

// Assignment is a person's choice of the owner. It ends when the facts name
// another one than they did.
type Assignment struct {
	Instead string // whom the facts named then
}

// Request is one person's wish that waits for a second person.
type Request struct {
	By     string        `json:"by"` // staff number
	On     calendar.Date `json:"on"`
	Reason string        `json:"reason"`
}

// Obligation is a duty with its life.
type Obligation struct {
	Duty
	State     State
	RaisedAt  time.Time // zero while planned
	RaisedOn  calendar.Date
	Late      string // why it was raised after its day: "首次导入", "停机 2026-11-01 至 2026-11-05"; ""
	Submitted calendar.Date
	DoneOn    calendar.Date
	ClosedBy  string        // the event's id
	Cause     string        // why it was last moved, cancelled, waived or lapsed
	WasDue    calendar.Date // the due day before the last move; zero if never moved
	Rulebook  string        // digest of the rulebook that made it
	Calendar  string        // digest of the calendar that dated it

	SubmittedBy string      // staff number; "" where an event of a file closed it
	Signatures  []Signature // so far, in the order of Sign
	Waiver      *Request    // asked for and not yet granted
	ReopenedAt  time.Time   // the last return or reopening: what was learnt before no longer closes it
	Assigned    *Assignment // Owner was named by a person; nil: by the facts

	Nudge     calendar.Date // day of the next reminder or escalation; zero: none to come
	Told      calendar.Date // reminders up to this day are told, or something else told them; zero: since it was raised
	Escalated []string      // roles it has gone up to, each once for ever
	Snoozed   calendar.Date // no reminder before this day; zero: not put off
}

// Level is the role whose signature is waited for; "" where none is.
func (o *Obligation) Level() string {
	if o.State != Submitted || len(o.Signatures) >= len(o.Sign) {
		return ""
	}
	return o.Sign[len(o.Signatures)]
}

// Overdue says that the day has passed with nothing submitted. A duty due on a
// period's end is late only after the period.
func (o *Obligation) Overdue(today calendar.Date) bool {
	if o.State.Ended() || o.State == Submitted {
		return false
	}
	return today > max(o.Due, o.PeriodEnd)
}
