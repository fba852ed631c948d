package report

import "tickler/loan"

// Quota is what the sample of an on-site supervision is asked to hold. The
// numbers of 篇三 五 1-4 are its least; the zero value is they.
type Quota struct {
	Borrowers int // at least so many; 0 is 10, fewer than 10 is 10
	Largest   int // so many, by balance, are the branch's largest; 0 is DefaultLargest
}

// DefaultLargest is how many borrowers are taken for a branch's largest. The
// manual speaks of those that rank in front and gives no figure. Ten is how
// many the concentration ratios of a bank call its largest; were it three, the
// same three borrowers would be the sample of every year. Equals of the last
// one count too.
const DefaultLargest = 10

// MinBorrowers is the least of a sample (篇三 五 1), and MinLargest how many of
// the largest it must hold (篇三 五 3).
const (
	MinBorrowers = 10
	MinLargest   = 3
)

// The other numbers of 篇三 五 1-4.
const (
	maxLoansEach  = 2
	wantNormal    = 3
	wantSpecial   = 4
	wantNPL       = 3
	wantLargest   = MinLargest
	wantSecured   = 5
	shareOfNormal = 3 // of seven missing NPLs
	shareOfSpec   = 4
)

// Constraint words, in the order of the manual.
const (
	InSize    = "size"
	InLoans   = "loans"
	InNormal  = "normal"
	InSpecial = "special_mention"
	InNPL     = "npl"
	InLargest = "largest"
	InSecured = "secured"
)

// State says what became of a constraint.
type State string

const (
	Met        State = "met"
	Impossible State = "impossible" // there are not as many: all there are were taken
)

// Constraint is one demand on a sample, with what there was and what was drawn.
type Constraint struct {
	Word   string   `json:"word"`
	Clause string   `json:"clause"`
	Rows   []string `json:"rows"`
	Rule   int      `json:"rule"`  // the manual's own number
	Want   int      `json:"want"`  // after a shortfall of NPLs was shared out; of size, after --size
	There  int      `json:"there"` // in the branch
	Got    int      `json:"got"`
	State  State    `json:"state"`
}

// share spreads a shortfall of NPL borrowers over normal and special mention
// in the proportion of their own quotas, 3 to 4, by the largest remainder: one
// missing goes to special mention (3 and 5 are wanted then), of two each gets
// one (4 and 5), of three special mention gets two (4 and 6). Remainders are
// never equal, since 7 divides no shortfall below it. 篇三 五 2
func share(missing int) (normal, special int) {
	const all = shareOfNormal + shareOfSpec
	normal = missing * shareOfNormal / all
	if missing*shareOfNormal%all > missing*shareOfSpec%all {
		normal++
	}
	return normal, missing - normal
}

// constraints gives the demands on a sample from this population. Where normal
// or special mention are themselves short the manual has no rule: all there
// are get drawn, the others fill the sample up, and the constraint is
// impossible.
func (q Quota) constraints(all []Candidate) []Constraint {
	size := max(q.Borrowers, MinBorrowers)
	var there struct {
		class          [groups]int
		large, secured int
		loans          int
	}
	for i := range all {
		c := &all[i]
		there.class[groupOf(c.Class)]++
		there.loans += len(c.Loans)
		if c.large {
			there.large++
		}
		if c.Secured {
			there.secured++
		}
	}
	npl := min(wantNPL, there.class[groupNPL])
	toNormal, toSpecial := share(wantNPL - npl)
	return []Constraint{
		{Word: InSize, Clause: "篇三 五 1", Rows: []string{"B76"}, Rule: MinBorrowers, Want: size, There: len(all)},
		{Word: InLoans, Clause: "篇三 五 1", Rows: []string{"B76"}, Rule: 1, Want: 1, There: there.loans},
		{Word: InNormal, Clause: "篇三 五 2", Rows: []string{"B77", "B78"}, Rule: wantNormal, Want: wantNormal + toNormal, There: there.class[groupNormal]},
		{Word: InSpecial, Clause: "篇三 五 2", Rows: []string{"B77", "B78"}, Rule: wantSpecial, Want: wantSpecial + toSpecial, There: there.class[groupSpecial]},
		{Word: InNPL, Clause: "篇三 五 2", Rows: []string{"B77", "B78"}, Rule: wantNPL, Want: npl, There: there.class[groupNPL]},
		{Word: InLargest, Clause: "篇三 五 3", Rows: []string{"B79"}, Rule: wantLargest, Want: wantLargest, There: there.large},
		{Word: InSecured, Clause: "篇三 五 4", Rows: []string{"B80"}, Rule: wantSecured, Want: wantSecured, There: there.secured},
	}
}

// The groups that the quotas by class speak of.
const (
	groupNormal = iota
	groupSpecial
	groupNPL
	groups
)

func groupOf(c loan.Class) int {
	switch {
	case c.NPL():
		return groupNPL
	case c == loan.SpecialMention:
		return groupSpecial
	}
	return groupNormal
}
