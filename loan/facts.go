package loan

import (
	"time"

	"tickler/calendar"
)

// Version is a fact and the time it holds from.
type Version[T any] struct {
	From    calendar.Date // the data date of the file that brought it
	Learned time.Time     // the moment it was imported
	Known   calendar.Date // the business day of that moment
	Value   T
}

// History is every version of one fact, oldest first, no two from one day.
type History[T any] []Version[T]

// At gives the fact as known for the day: the newest version from that day or
// before, or, for a day before the first snapshot, the earliest one known.
// It is nil for an empty history.
func (h History[T]) At(d calendar.Date) *T {
	if len(h) == 0 {
		return nil
	}
	i := len(h) - 1
	for i > 0 && h[i].From > d {
		i--
	}
	return &h[i].Value
}

// Put records a version and gives the new history; one from the same day is
// replaced, later ones stay.
func (h History[T]) Put(v Version[T]) History[T] {
	i := len(h)
	for i > 0 && h[i-1].From >= v.From {
		i--
	}
	out := append(History[T](nil), h[:i]...)
	out = append(out, v)
	for ; i < len(h); i++ {
		if h[i].From != v.From {
			out = append(out, h[i])
		}
	}
	return out
}

// Drop removes the version from the given day, if there is one.
func (h History[T]) Drop(from calendar.Date) History[T] {
	var out History[T]
	for _, v := range h {
		if v.From != from {
			out = append(out, v)
		}
	}
	return out
}

// LoanFile is all that is known of one loan.
type LoanFile struct {
	ID         string
	History    History[Loan]
	Confirmed  calendar.Date // data date of the last file that held the loan
	Gone       calendar.Date // data date of the file that no longer held it; zero while it is there
	Guarantors []Guarantor   // of the guarantor sheet, sorted by id
}

// Parties lists the loan's guarantors on a day, each once, in the order of its
// row and then of the guarantor sheet. A guarantor named only in the loan's
// row has his name as id.
func (f *LoanFile) Parties(d calendar.Date) []Guarantor {
	var out []Guarantor
	seen := map[string]bool{} // name or id
	byName := map[string]Guarantor{}
	for _, g := range f.Guarantors {
		byName[g.Name] = g
	}
	if l := f.History.At(d); l != nil {
		for _, name := range l.Guarantors {
			g, ok := byName[name]
			if !ok {
				g = Guarantor{Loan: f.ID, ID: name, Name: name}
			}
			if !seen[g.ID] {
				seen[g.ID] = true
				out = append(out, g)
			}
		}
	}
	for _, g := range f.Guarantors {
		if !seen[g.ID] {
			seen[g.ID] = true
			out = append(out, g)
		}
	}
	return out
}

// ArrearsSince gives the first day of the run of snapshots, unbroken to the
// newest, that show interest in arrears; zero where the newest shows none.
// known is the last data date that confirmed it.
func (f *LoanFile) ArrearsSince() (since, known calendar.Date) {
	for i := len(f.History) - 1; i >= 0 && f.History[i].Value.Arrears > 0; i-- {
		since = f.History[i].From
	}
	if since.IsZero() {
		return 0, 0
	}
	return since, f.Confirmed
}

// Dossier is all that is known of one borrower, and the unit in which facts
// are kept: his row of the customer sheet, his loans, and the collateral whose
// first loan is his.
type Dossier struct {
	ID          string
	Borrower    *Borrower // nil where no customer sheet named him
	Loans       []*LoanFile
	Collaterals []*Collateral
}

// Facts are what a derivation may know of its subject: the subject itself and
// what it rests on. A loan comes with its borrower, a borrower with his loans,
// an officer or a branch with all of its loans.
type Facts struct {
	Today       calendar.Date
	Loans       []*LoanFile            // sorted by id
	Borrowers   map[string]*Borrower   // customer number -> the customer sheet's row
	Collaterals map[string]*Collateral // collateral number -> it
	Groups      map[string]*Group
	Branches    map[string]*Branch
	Staff       map[string]*Staff
	Events      []Event // of the subjects at hand, by day happened, then id
	Related     []Event // of others, that count or close here: a branch's visit for the one above
}
