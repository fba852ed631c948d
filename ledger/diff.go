package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/loan"
)

// Diff tells what happened to a loan between two snapshots, of the data dates
// oldOn and on. A nil old is a loan seen for the first time: it is recorded if
// the file is of its day of payout or of the working day that follows, and
// what befell it before is not raised.
//
// Where a file does not give the officer, the guarantee or the rate, nothing
// has changed.
func Diff(old, new *loan.Loan, oldOn, on calendar.Date, cal *calendar.Calendar) ([]loan.Event, error) {
	if new == nil {
		return nil, errors.New("compare snapshots: no new loan")
	}
	if old != nil && old.ID != new.ID {
		return nil, fmt.Errorf("compare snapshots: loan %q is not loan %q", old.ID, new.ID)
	}
	d := differ{subject: loan.Ref{Kind: loan.KindLoan, ID: new.ID}, on: on}
	if old == nil {
		if on >= new.Disbursed && !new.Disbursed.IsZero() {
			after, err := past(new.Disbursed, on, cal)
			if err != nil {
				return nil, fmt.Errorf("compare snapshots: loan %q: %w", new.ID, err)
			}
			if !after {
				d.event("ledger.recorded", "disbursed", new.Disbursed.String())
			}
		}
		return d.events, nil
	}

	switch {
	case old.Maturity == new.Maturity:
	case !old.Maturity.IsZero() && new.Maturity > old.Maturity:
		d.change("loan.extended", old.Maturity.String(), new.Maturity.String())
	default:
		d.change("loan.maturity_changed", old.Maturity.String(), new.Maturity.String())
	}
	if old.Class != new.Class {
		d.change("class.changed", string(old.Class), string(new.Class))
	}
	if old.Mode != new.Mode {
		d.change("mode.changed", string(old.Mode), string(new.Mode))
	}
	if old.Officer != new.Officer && old.Officer != "" && new.Officer != "" {
		d.change("officer.changed", old.Officer, new.Officer)
	}
	switch {
	case old.Open() && !new.Open():
		d.event("loan.settled", "from", old.Balance.String(), "to", new.Balance.String(), "arrears", old.Arrears.String())
	case new.Balance < old.Balance:
		d.change("loan.repaid", old.Balance.String(), new.Balance.String())
	}
	if a, b := plainRate(old.Rate), plainRate(new.Rate); a != b && a != "" && b != "" {
		d.change("loan.rate_changed", old.Rate, new.Rate)
	}
	guarantee := old.Guarantee != new.Guarantee && old.Guarantee != "" && new.Guarantee != ""
	guarantors := !sameNames(old.Guarantors, new.Guarantors)
	if guarantee || guarantors {
		var f []string
		if guarantee {
			f = append(f, "from", old.Guarantee, "to", new.Guarantee)
		}
		if guarantors {
			f = append(f, "guarantors_from", strings.Join(old.Guarantors, "、"), "guarantors_to", strings.Join(new.Guarantors, "、"))
		}
		d.event("loan.guarantee_changed", f...)
	}
	if !old.Transferred() && new.Transferred() {
		d.change("loan.transferred", old.Status, new.Status)
	}

	was, err := inDefault(old, oldOn, cal)
	if err == nil && was == "" {
		var is string
		if is, err = inDefault(new, on, cal); is != "" {
			d.event("loan.defaulted", "cause", is, "balance", new.Balance.String(), "arrears", new.Arrears.String())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("compare snapshots: loan %q: %w", new.ID, err)
	}
	return d.events, nil
}

// differ gathers the events of one loan.
type differ struct {
	subject loan.Ref
	on      calendar.Date
	events  []loan.Event
}

// event adds one, with fields as name, value, name, value.
func (d *differ) event(kind string, fields ...string) {
	e := loan.Event{
		ID:   kind + "/" + d.subject.String() + "/" + d.on.String(),
		Kind: kind, Subject: d.subject, Happened: d.on, Snapshot: true,
		Fields: map[string]string{},
	}
	for i := 0; i+1 < len(fields); i += 2 {
		e.Fields[fields[i]] = fields[i+1]
	}
	d.events = append(d.events, e)
}

func (d *differ) change(kind, from, to string) { d.event(kind, "from", from, "to", to) }

// inDefault says that interest is in arrears, or that something is left after
// the maturity, landed on the following working day; "" is neither.
func inDefault(l *loan.Loan, on calendar.Date, cal *calendar.Calendar) (cause string, err error) {
	if l.Arrears > 0 {
		return "arrears", nil
	}
	if !l.Open() || l.Maturity.IsZero() || on <= l.Maturity {
		return "", nil
	}
	after, err := past(l.Maturity, on, cal)
	if err != nil || !after {
		return "", err
	}
	return "maturity", nil
}

// longestRest is more days off in a row than there can be.
const longestRest = 31

// past says that on is after d and after the working day that follows d where
// d is a day off. Days long gone need no calendar.
func past(d, on calendar.Date, cal *calendar.Calendar) (bool, error) {
	if on <= d {
		return false, nil
	}
	if on > d.AddDays(longestRest) && !d.AddDays(longestRest).IsZero() {
		return true, nil
	}
	r, err := cal.Land(d, calendar.Following)
	return on > r.Date, err
}

// plainRate is a rate without what does not change it: 4.350% is 4.35.
func plainRate(s string) string {
	s = strings.TrimSuffix(squeeze(fold(s)), "%")
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// sameNames compares lists of names but for their order.
func sameNames(a, b []string) bool {
	if slices.Equal(a, b) {
		return true
	}
	if len(a) != len(b) {
		return false
	}
	for _, n := range a {
		if !slices.Contains(b, n) {
			return false
		}
	}
	return true
}
