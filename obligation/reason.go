package obligation

import (
	"tickler/calendar"
	"tickler/loan"
)

// Outcome is what a rule made of one occurrence.
type Outcome string

const (
	Derived      Outcome = "derived"       // it is an obligation
	Exempt       Outcome = "exempt"        // an exemption holds
	WhenFalse    Outcome = "when_false"    // its condition does not hold
	NotSeen      Outcome = "not_seen"      // the rule does not see the subject
	NoAnchor     Outcome = "no_anchor"     // the day to count from is not known
	NotEffective Outcome = "not_effective" // the rule was not in force
	Outside      Outcome = "outside"       // not due in the window
	Yielded      Outcome = "yielded"       // gives way to another rule's obligation
	Failed       Outcome = "failed"        // it could not be worked out
)

// Reason is why an obligation is there, or is not, and how its dates came
// about.
type Reason struct {
	Rule       string           `json:"rule"`
	Name       string           `json:"name"`
	Clause     string           `json:"clause"`
	Set        string           `json:"set"`
	Stated     bool             `json:"stated"` // false: the figure is the bank's own
	Subject    loan.Ref         `json:"subject"`
	Occurrence string           `json:"occurrence"`
	Outcome    Outcome          `json:"outcome"`
	Why        string           `json:"why,omitempty"` // for what was dismissed, in Chinese
	AsOf       calendar.Date    `json:"as_of"`         // the day whose facts decided
	Period     *calendar.Period `json:"period,omitempty"`
	Facts      []Fact           `json:"facts"`
	Tests      []Test           `json:"tests,omitempty"`
	Steps      []Step           `json:"steps,omitempty"`
	RaiseSteps []Step           `json:"raise_steps,omitempty"` // from the due day to the day of raising

	Anchor      calendar.Date `json:"anchor"`
	Limit       string        `json:"limit"` // as the rulebook has it
	Due         calendar.Date `json:"due"`
	Raise       calendar.Date `json:"raise"`
	Provisional bool          `json:"provisional"`
}

// Fact is one value that a rule asked for.
type Fact struct {
	Name  string        `json:"name"` // loan.class
	Value string        `json:"value"`
	From  calendar.Date `json:"from"` // data date of the file that said so; null where it was worked out
}

// Test is one condition that was asked.
type Test struct {
	Kind  string `json:"kind"` // when, except
	Text  string `json:"text"`
	Holds bool   `json:"holds"`
	Why   string `json:"why,omitempty"` // the exemption's name
}

// StepKind says what a step of the arithmetic does.
type StepKind string

const (
	StepCount  StepKind = "count"  // a limit counted from the anchor
	StepLand   StepKind = "land"   // moved off a day off
	StepPayout StepKind = "payout" // moved to the payout, which comes later
	StepSince  StepKind = "since"  // the next anniversary
)

// Step is one step from the anchor to the due day.
type Step struct {
	Kind  StepKind      `json:"kind"`
	From  calendar.Date `json:"from"`
	Limit string        `json:"limit,omitempty"` // "10 workdays", "following"
	To    calendar.Date `json:"to"`
	Days  []CountedDay  `json:"days,omitempty"` // each day between, in the order of counting
}

// CountedDay is one day of the arithmetic.
type CountedDay struct {
	Date        calendar.Date `json:"date"`
	N           int           `json:"n"` // its number in the count; 0: skipped
	Workday     bool          `json:"workday"`
	Kind        string        `json:"kind"`
	Name        string        `json:"name,omitempty"`   // of the holiday
	Source      string        `json:"source,omitempty"` // the notice's document number
	Provisional bool          `json:"provisional,omitempty"`
}
