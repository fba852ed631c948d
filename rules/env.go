package rules

import (
	"strconv"
	"strings"

	"tickler/calendar"
	"tickler/loan"
)

// Day is a date in a condition. It is a struct so that a date and a number
// never compare: `loan.maturity > 20261231` is refused at load.
type Day struct{ calendar.Date }

// env is everything a condition may name. The tags are the names; package
// documentation and the editor schema list them from here.
type env struct {
	Loan       loanEnv       `expr:"loan"`
	Borrower   borrowerEnv   `expr:"borrower"`
	Collateral collateralEnv `expr:"collateral"`
	Branch     branchEnv     `expr:"branch"`
	Officer    officerEnv    `expr:"officer"`
	Period     periodEnv     `expr:"period"`
	Interest   interestEnv   `expr:"interest"`
	Fee        feeEnv        `expr:"fee"`
	Event      eventEnv      `expr:"event"`

	AddMonths     func(Day, int) Day         `expr:"add_months"`
	AddWorkdays   func(Day, int) Day         `expr:"add_workdays"`
	MonthsBetween func(Day, Day) int         `expr:"months_between"`
	Count         func(string, Day, Day) int `expr:"count"`
	DateOf        func(string) Day           `expr:"date"`

	// What a field of the event holds; conditions write event.score.
	EventText   func(string) string  `expr:"__text"`
	EventNumber func(string) float64 `expr:"__number"`
	EventDay    func(string) Day     `expr:"__day"`

	LT func(Day, Day) bool `expr:"__lt"`
	LE func(Day, Day) bool `expr:"__le"`
	GT func(Day, Day) bool `expr:"__gt"`
	GE func(Day, Day) bool `expr:"__ge"`
	EQ func(Day, Day) bool `expr:"__eq"`
	NE func(Day, Day) bool `expr:"__ne"`
}

type loanEnv struct {
	ID               string            `expr:"id"`
	Contract         string            `expr:"contract"`
	Borrower         string            `expr:"borrower"`
	Branch           string            `expr:"branch"`
	Officer          string            `expr:"officer"`
	Product          string            `expr:"product"`
	Amount           float64           `expr:"amount"`
	Balance          float64           `expr:"balance"`
	InterestArrears  float64           `expr:"interest_arrears"`
	Currency         string            `expr:"currency"`
	Disbursed        Day               `expr:"disbursed"`
	Maturity         Day               `expr:"maturity"`
	MaturityLanded   Day               `expr:"maturity_landed"`
	OriginalMaturity Day               `expr:"original_maturity"`
	TermMonths       int               `expr:"term_months"`
	Class            string            `expr:"class"`
	Mode             string            `expr:"mode"`
	Guarantee        string            `expr:"guarantee"`
	Extended         bool              `expr:"extended"`
	FirstTime        bool              `expr:"first_time"`
	Transferred      bool              `expr:"transferred"`
	Abnormal         bool              `expr:"abnormal"`
	Unpaid           bool              `expr:"unpaid"`
	Status           string            `expr:"status"`
	X                map[string]string `expr:"x"`
}

type borrowerEnv struct {
	ID       string  `expr:"id"`
	Name     string  `expr:"name"`
	Mode     string  `expr:"mode"`
	Class    string  `expr:"class"`
	Branch   string  `expr:"branch"`
	Officer  string  `expr:"officer"`
	Balance  float64 `expr:"balance"`
	Type     string  `expr:"type"`
	Industry string  `expr:"industry"`
	Rating   string  `expr:"rating"`
	Stock    float64 `expr:"stock"`
	Exposure float64 `expr:"exposure"`

	RiskManager string            `expr:"risk_manager"`
	Custodian   string            `expr:"custodian"`
	Group       string            `expr:"group"`
	GroupRole   string            `expr:"group_role"` // lead, participant; "" where no group names him
	X           map[string]string `expr:"x"`
}

type collateralEnv struct {
	ID            string            `expr:"id"`
	Name          string            `expr:"name"`
	Type          string            `expr:"type"`
	Value         float64           `expr:"value"`
	Valued        Day               `expr:"valued"`
	InsuredUntil  Day               `expr:"insured_until"`
	MaxTermMonths int               `expr:"max_term_months"`
	Abnormal      bool              `expr:"abnormal"`
	X             map[string]string `expr:"x"`
}

type branchEnv struct {
	ID     string `expr:"id"`
	Name   string `expr:"name"`
	Parent string `expr:"parent"`
	Level  string `expr:"level"`
	Opened Day    `expr:"opened"`

	Subordinates int               `expr:"subordinates"` // branches right below it
	X            map[string]string `expr:"x"`
}

type officerEnv struct {
	ID     string `expr:"id"`
	Name   string `expr:"name"`
	Branch string `expr:"branch"`
	Post   string `expr:"post"`
}

type periodEnv struct {
	Start  Day    `expr:"start"`
	End    Day    `expr:"end"`
	Number int    `expr:"number"`
	Label  string `expr:"label"`
}

type interestEnv struct {
	Date       Day  `expr:"date"`
	DateLanded Day  `expr:"date_landed"`
	Unpaid     bool `expr:"unpaid"`
}

type feeEnv struct {
	Date       Day `expr:"date"`
	DateLanded Day `expr:"date_landed"`
}

type eventEnv struct {
	ID   string            `expr:"id"`
	Kind string            `expr:"kind"`
	Date Day               `expr:"date"`
	X    map[string]string `expr:"x"`
}

// functions describes the functions of a condition for messages and the docs.
var functions = map[string]string{
	"add_months":     "add_months(date, n): the date n months later, clamped to the month's last day",
	"add_workdays":   "add_workdays(date, n): the n-th working day after the date",
	"months_between": "months_between(a, b): the smallest m with a + m months >= b",
	"count":          "count(event, from, to): how often it happened, both days included",
	"date":           "date(\"2026-12-31\"): a day",
}

// newEnv gives an environment whose functions work on the calendar; the facts
// are filled in by the derivation.
func newEnv(cal *calendar.Calendar) *env {
	e := &env{
		LT: func(a, b Day) bool { return a.Date < b.Date },
		LE: func(a, b Day) bool { return a.Date <= b.Date },
		GT: func(a, b Day) bool { return a.Date > b.Date },
		GE: func(a, b Day) bool { return a.Date >= b.Date },
		EQ: func(a, b Day) bool { return a.Date == b.Date },
		NE: func(a, b Day) bool { return a.Date != b.Date },
	}
	e.AddMonths = func(d Day, n int) Day { return Day{d.AddMonths(n)} }
	e.AddWorkdays = func(d Day, n int) Day {
		r, err := cal.AddWorkdays(d.Date, n)
		if err != nil {
			panic(err) // expr turns it into the condition's error
		}
		return Day{r.Date}
	}
	e.MonthsBetween = func(a, b Day) int { return calendar.MonthsBetween(a.Date, b.Date) }
	e.DateOf = func(s string) Day {
		d, err := calendar.ParseDate(s)
		if err != nil {
			panic(err)
		}
		return Day{d}
	}
	e.Count = func(string, Day, Day) int { return 0 }
	e.EventText = func(name string) string { return e.Event.X[name] }
	e.EventNumber = func(name string) float64 {
		x, _ := strconv.ParseFloat(e.Event.X[name], 64) // a number, or not written down
		return x
	}
	e.EventDay = func(name string) Day {
		d, _ := calendar.ParseDate(e.Event.X[name])
		return Day{d}
	}
	return e
}

// closedSets are the names whose values are known, so that a misspelt literal
// is found at load instead of being silently false.
var closedSets = map[string][]string{
	"loan.class":     classWords(),
	"borrower.class": classWords(),
	"loan.mode":      {string(loan.Regular), string(loan.Key)},
	"borrower.mode":  {string(loan.Regular), string(loan.Key)},

	"borrower.group_role": {"lead", "participant", ""},
}

func classWords() []string {
	var out []string
	for _, c := range loan.Classes {
		out = append(out, string(c))
	}
	return out
}

// scope says which of the environment's names a rule of this shape may use.
func (r *Rule) scope() []string {
	if r.vague {
		return []string{"loan", "borrower", "collateral", "branch", "officer", "period", "interest", "fee", "event"}
	}
	out := []string{}
	switch r.For {
	case loan.KindLoan:
		out = append(out, "loan", "borrower")
	case loan.KindCollateral:
		out = append(out, "collateral", "borrower")
	case loan.KindBorrower:
		out = append(out, "borrower")
	case loan.KindBranch:
		out = append(out, "branch")
	case loan.KindOfficer:
		out = append(out, "officer")
	}
	switch {
	case len(r.On) > 0:
		out = append(out, "event")
		if r.For == "" {
			out = append(out, "loan", "borrower", "branch")
		}
	case r.Every == "interest_date":
		out = append(out, "interest")
	case r.Every == "fee_date":
		out = append(out, "fee")
	case r.Every != "":
		out = append(out, "period")
	}
	return out
}

func isFunction(name string) bool {
	_, ok := functions[name]
	return ok || strings.HasPrefix(name, "__")
}
