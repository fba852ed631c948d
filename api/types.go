package api

import (
	"time"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// Obligation is an obligation as scripts see it. Its JSON form is a promise:
// fields are added, never renamed.
type Obligation struct {
	ID           string            `json:"id"`
	Rule         string            `json:"rule"`
	Name         string            `json:"name"`
	Clause       string            `json:"clause"`
	Set          string            `json:"set"`
	Subject      loan.Ref          `json:"subject"`
	Party        *obligation.Party `json:"party"`
	Borrower     *Named            `json:"borrower"`
	Loan         string            `json:"loan"`
	Branch       string            `json:"branch"`
	Owner        string            `json:"owner"`
	Role         string            `json:"role"`
	Occurrence   string            `json:"occurrence"`
	Anchor       calendar.Date     `json:"anchor"`
	Raise        calendar.Date     `json:"raise"`
	Due          calendar.Date     `json:"due"`
	Provisional  bool              `json:"provisional"`
	State        obligation.State  `json:"state"`
	Overdue      bool              `json:"overdue"`
	WorkdaysLeft int               `json:"workdays_left"` // after today up to the due day; 0 once it has passed
	LateWorkdays int               `json:"late_workdays"` // after the due day up to today, or to the day it was submitted
	RaisedAt     *time.Time        `json:"raised_at"`
	SubmittedOn  calendar.Date     `json:"submitted_on"`
	SubmittedBy  string            `json:"submitted_by,omitempty"` // null until then
	Signatures   []Signature       `json:"signatures"`
	DoneOn       calendar.Date     `json:"done_on"` // null until then
	Rulebook     string            `json:"rulebook"`
	Calendar     string            `json:"calendar"`

	// Beside the promised form.
	Short     string               `json:"short"` // the 8 hex digits that lists show
	PeriodEnd calendar.Date        `json:"period_end"`
	Progress  *obligation.Progress `json:"progress,omitempty"`
	WasDue    calendar.Date        `json:"was_due"`         // the due day before the last move; null if never moved
	Late      string               `json:"late,omitempty"`  // why it was raised after its day
	Cause     string               `json:"cause,omitempty"` // why it was last moved or ended
	ClosedBy  string               `json:"closed_by,omitempty"`
	Signs     []string             `json:"signs,omitempty"`  // roles that sign, in order
	Level     string               `json:"level,omitempty"`  // whose signature is waited for
	Waiver    *obligation.Request  `json:"waiver,omitempty"` // asked for, not yet granted
	Stated    bool                 `json:"stated"`           // false: the figure is the bank's own
	Notice    string               `json:"notice,omitempty"`
}

// Named is a number with its name.
type Named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Signature is one level's signature.
type Signature = obligation.Signature

// ListRequest asks for obligations by due date.
type ListRequest struct {
	On      calendar.Date      `json:"on"`   // as if today were that day; zero is today
	At      calendar.Date      `json:"at"`   // as known at the end of that day; zero is now
	From    calendar.Date      `json:"from"` // due days, both included; zero is open
	To      calendar.Date      `json:"to"`
	Overdue bool               `json:"overdue"` // what is overdue comes too, however old; alone where From and To are zero
	Branch  string             `json:"branch"`
	Owner   string             `json:"owner"`
	Rule    string             `json:"rule"`
	Subject string             `json:"subject"` // KIND/ID
	States  []obligation.State `json:"states"`  // empty: the open ones
	All     bool               `json:"all"`     // every state
}

// ListReply lists overdue ones first, then by due day.
type ListReply struct {
	Today       calendar.Date `json:"today"`
	Obligations []Obligation  `json:"obligations"`
	Warnings    []string      `json:"warnings"` // the calendar's, the store's
}

// ShowRequest asks for one obligation: its id, a unique prefix of it, or the 8
// hex digits.
type ShowRequest struct {
	ID string        `json:"id"`
	On calendar.Date `json:"on"`
	At calendar.Date `json:"at"` // as known at the end of that day; zero is now
}

// ShowReply is an obligation with its history.
type ShowReply struct {
	Obligation Obligation      `json:"obligation"`
	History    []Entry         `json:"history"`            // oldest first
	Evidence   []loan.Evidence `json:"evidence,omitempty"` // files kept with its moves, each once
}

// Entry is one audit record.
type Entry struct {
	Seq      uint64        `json:"seq"`
	At       time.Time     `json:"at"`
	Business calendar.Date `json:"business"`
	Actor    string        `json:"actor"`
	OSUser   string        `json:"os_user"`
	Action   string        `json:"action"`
	Subject  string        `json:"subject"`
	Detail   any           `json:"detail,omitempty"`
	Hash     string        `json:"hash,omitempty"`
}

// WhyRequest asks for the reason of an obligation, or for every rule's verdict
// on a subject. What is no obligation's id is taken for a loan number.
type WhyRequest struct {
	What string        `json:"what"` // obligation id, prefix, 8 hex digits, loan number or KIND/ID
	On   calendar.Date `json:"on"`
}

// WhyReply holds an obligation with its reason, or the verdicts.
type WhyReply struct {
	Obligation *Obligation          `json:"obligation,omitempty"`
	Reason     *obligation.Reason   `json:"reason,omitempty"`
	Changed    string               `json:"changed,omitempty"` // what differs from the plan: other facts or rules since
	Subject    *loan.Ref            `json:"subject,omitempty"`
	Facts      []obligation.Fact    `json:"facts,omitempty"`
	Verdicts   []*obligation.Reason `json:"verdicts,omitempty"` // in the order of the rulebook
}

// ImportRequest goes with a file's bytes.
type ImportRequest struct {
	Name      string        `json:"name"` // the file's base name
	Mapping   []byte        `json:"mapping,omitempty"`
	MappingAs string        `json:"mapping_as,omitempty"` // its file name
	DataDate  calendar.Date `json:"data_date"`            // zero: the file's own 数据日期
	Sheet     string        `json:"sheet,omitempty"`
	Lang      string        `json:"lang,omitempty"` // of the mistakes: zh, en
	DryRun    bool          `json:"dry_run"`
	AllowGone bool          `json:"allow_gone"`
	On        calendar.Date `json:"on"`
	Force     bool          `json:"force"`
}

// ImportReply says what a file changed.
type ImportReply struct {
	Name      string         `json:"name"`
	Digest    string         `json:"digest"`
	DataDate  calendar.Date  `json:"data_date"`
	Rows      int            `json:"rows"` // loans in the file
	New       int            `json:"new"`
	Changed   int            `json:"changed"`
	Unchanged int            `json:"unchanged"`
	Gone      []string       `json:"gone"` // loans whose branch is in the file and that are not
	Events    map[string]int `json:"events"`
	Plan      map[string]int `json:"plan"` // planned, raised, moved, cancelled, lapsed, done -> how many
	Failed    []string       `json:"failed,omitempty"`
	Warnings  []string       `json:"warnings"`
	Columns   []string       `json:"columns,omitempty"` // what was read as what
	DryRun    bool           `json:"dry_run"`
	Same      bool           `json:"same"` // the file was imported before: 0 changes
}

// RecordRequest records a fact that happened.
type RecordRequest struct {
	Event    string            `json:"event"`   // KIND.VERB
	Subject  string            `json:"subject"` // KIND/ID
	Happened calendar.Date     `json:"happened"`
	Set      map[string]string `json:"set,omitempty"`
	Closes   []string          `json:"closes,omitempty"`
	ID       string            `json:"id,omitempty"`
	Note     string            `json:"note,omitempty"`
	Files    []loan.Evidence   `json:"files,omitempty"`
	On       calendar.Date     `json:"on"`
	Force    bool              `json:"force"`
}

// RecordReply says what an event did.
type RecordReply struct {
	ID     string       `json:"id"`
	Same   bool         `json:"same"` // the id was there already: nothing changed
	Closed []Obligation `json:"closed"`
	Opened []Obligation `json:"opened"`

	Progressed []Obligation `json:"progressed,omitempty"` // quotas that it counts towards and does not yet fill
	Unopened   []Unopened   `json:"unopened,omitempty"`   // rules that begin with such an event, and why they made nothing of it

	Warnings []string `json:"warnings,omitempty"`
}

// Unopened is a rule that made nothing of an event.
type Unopened struct {
	Rule    string             `json:"rule"`
	Name    string             `json:"name"`
	Outcome obligation.Outcome `json:"outcome"`
	Why     string             `json:"why,omitempty"`
}

// WithdrawRequest takes a recorded event back. It is kept, and counts for
// nothing from then on.
type WithdrawRequest struct {
	ID     string        `json:"id"`
	Reason string        `json:"reason"`
	On     calendar.Date `json:"on"`
	Force  bool          `json:"force"`
}

// WithdrawReply says what went back with an event.
type WithdrawReply struct {
	ID        string       `json:"id"`
	Event     string       `json:"event"`   // KIND.VERB
	Subject   string       `json:"subject"` // KIND/ID
	Reopened  []Obligation `json:"reopened"`
	Cancelled []Obligation `json:"cancelled"`
}

// TickRequest asks for one scan.
type TickRequest struct {
	On    calendar.Date `json:"on"`
	Force bool          `json:"force"`
}

// TickReply says what a scan did.
type TickReply struct {
	Today    calendar.Date  `json:"today"`
	Since    calendar.Date  `json:"since"`   // the last day fully raised before; null at first
	Derived  int            `json:"derived"` // units worked out anew
	Plan     map[string]int `json:"plan"`
	Told     map[string]int `json:"told"` // reminded, escalated -> how many obligations
	Failed   []string       `json:"failed,omitempty"`
	Problems []string       `json:"problems,omitempty"` // files that are bad: what was in force before stays
	Warnings []string       `json:"warnings"`
}

// StatusReply says how the branch's tickler is.
type StatusReply struct {
	Version   string            `json:"version"`
	Data      string            `json:"data"`
	Daemon    bool              `json:"daemon"`
	Healthy   bool              `json:"healthy"`
	Problems  []string          `json:"problems"` // what makes it unhealthy
	Warnings  []string          `json:"warnings"`
	Business  calendar.Date     `json:"business_date"`
	GoLive    calendar.Date     `json:"go_live"`
	WindowEnd calendar.Date     `json:"window_end"`
	LastTick  *time.Time        `json:"last_tick"`
	Started   *time.Time        `json:"started,omitempty"`
	Rulebook  Document          `json:"rulebook"`
	Calendar  CalendarStatus    `json:"calendar"`
	Counts    map[string]int    `json:"counts"` // state -> obligations; overdue too
	Loans     int               `json:"loans"`
	DataDates map[string]string `json:"data_dates,omitempty"`
	Audit     Head              `json:"audit"`
}

// Document is a rulebook in force and the file it is polled from.
type Document struct {
	File    string `json:"file"`
	Digest  string `json:"digest"`
	Problem string `json:"problem,omitempty"` // why the file as it stands is not in force
	Held    *Hold  `json:"held,omitempty"`    // what it is held for, where that is why
}

// CalendarStatus says how far the working days are known.
type CalendarStatus struct {
	Digest      string        `json:"digest"`
	FirmThrough calendar.Date `json:"firm_through"`
	MissingYear int           `json:"missing_year"`
	Level       string        `json:"level"` // ok, warning, alarm
}

// Head is the newest audit record.
type Head struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

// ClockRequest asks how the system's clock is, or takes its jump for true.
type ClockRequest struct {
	Confirm bool `json:"confirm,omitempty"`
}

// ClockReply says how the system's clock is.
type ClockReply struct {
	Wall     time.Time      `json:"wall"`
	Today    calendar.Date  `json:"today"`         // by the clock that is believed
	Business calendar.Date  `json:"business_date"` // the highest ever reached
	Held     bool           `json:"held"`
	Ahead    int64          `json:"ahead_seconds,omitempty"` // of the time that passed, where it is held
	Limit    float64        `json:"limit_hours"`
	Plan     map[string]int `json:"plan,omitempty"` // what the scan after a confirmation changed
}

// CheckReply lists what is wrong with a store; empty is sound.
type CheckReply struct {
	Problems []string       `json:"problems"`
	Records  map[string]int `json:"records"`
	Audit    Head           `json:"audit"`
}
