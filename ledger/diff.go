package ledger

import (
	"errors"

	"tickler/calendar"
	"tickler/loan"
)

// Diff tells what happened to a loan between two snapshots, of the data dates
// oldOn and on. A nil old is a loan seen for the first time.
func Diff(old, new *loan.Loan, oldOn, on calendar.Date, cal *calendar.Calendar) ([]loan.Event, error) {
	return nil, errors.New("not yet")
}
