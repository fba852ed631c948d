package report

import (
	"cmp"
	"slices"
	"strings"

	"tickler/loan"
)

// Sample is the sample of an on-site supervision (现场督导抽查). 篇三 五 1-4
type Sample struct {
	Seed        uint32       `json:"seed"`
	Population  int          `json:"population"` // borrowers of the branch with an open loan
	Largest     int          `json:"largest"`    // so many by balance count as its largest
	Constraints []Constraint `json:"constraints"`
	Picks       []Pick       `json:"picks"` // the worst class first, then by balance
}

// Pick is a borrower who was drawn, and the loans whose files to open.
type Pick struct {
	Borrower string     `json:"borrower"`
	Name     string     `json:"name"`
	Class    loan.Class `json:"class"`
	Balance  loan.Fen   `json:"balance_fen"` // of his open loans at the branch
	Rank     int        `json:"rank"`        // by that balance, from 1; equals share one
	Secured  bool       `json:"secured"`
	Open     int        `json:"open"` // his open loans at the branch
	Serves   []string   `json:"serves"`
	Loans    []Held     `json:"loans"` // one or two
}

// Draw draws a sample. It meets every constraint that the branch's borrowers
// can meet, with no more borrowers than were asked for, or the fewest above
// that with which they can be met.
//
// The borrowers, by id, are put in random order and gone through once. One is
// taken if the places left then suffice for what is still needed, which cover
// knows exactly, and passed over if not; so the constraints steer the chance
// and never fail to it. Of a borrower's loans two are drawn, one with the
// class that he was drawn for, one secured where he is; of one, that one.
func Draw(seed uint32, all []Candidate, q Quota) Sample {
	if q.Largest <= 0 {
		q.Largest = DefaultLargest
	}
	all = slices.Clone(all)
	rank(all, q.Largest)
	out := Sample{Seed: seed, Population: len(all), Largest: q.Largest, Constraints: q.constraints(all), Picks: []Pick{}}

	left, need, places := tallied(all), needed(out.Constraints), 0
	places = max(min(max(q.Borrowers, MinBorrowers), len(all)), cover(&left, need))
	d := &dice{state: uint64(seed)}
	shuffle(d, all)
	var taken []Candidate
	for _, c := range all {
		if places == 0 {
			break
		}
		g, t := groupOf(c.Class), c.trait()
		left[g][t]--
		if after := need.less(g, t); cover(&left, after) <= places-1 {
			taken, need, places = append(taken, c), after, places-1
		}
	}
	slices.SortFunc(taken, func(a, b Candidate) int { return strings.Compare(a.ID, b.ID) })
	for i := range taken {
		out.Picks = append(out.Picks, taken[i].pick(d))
	}
	slices.SortFunc(out.Picks, func(a, b Pick) int {
		return cmp.Or(cmp.Compare(groupOf(b.Class), groupOf(a.Class)), cmp.Compare(b.Balance, a.Balance), strings.Compare(a.Borrower, b.Borrower))
	})
	out.settle()
	return out
}

// rank marks the branch's largest borrowers, and leaves all of them by id.
func rank(all []Candidate, largest int) {
	slices.SortFunc(all, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Balance, a.Balance), strings.Compare(a.ID, b.ID))
	})
	for i := range all {
		all[i].rank = i + 1
		if i > 0 && all[i].Balance == all[i-1].Balance {
			all[i].rank = all[i-1].rank
		}
		all[i].large = all[i].rank <= largest && all[i].Balance > 0
	}
	slices.SortFunc(all, func(a, b Candidate) int { return strings.Compare(a.ID, b.ID) })
}

func (c *Candidate) trait() int {
	t := 0
	if c.large {
		t |= traitLarge
	}
	if c.Secured {
		t |= traitSecured
	}
	return t
}

func tallied(all []Candidate) tally {
	var t tally
	for i := range all {
		t[groupOf(all[i].Class)][all[i].trait()]++
	}
	return t
}

// needed are the numbers that the branch can reach.
func needed(cs []Constraint) needs {
	var n needs
	for _, c := range cs {
		k := min(c.Want, c.There)
		switch c.Word {
		case InNormal:
			n.class[groupNormal] = k
		case InSpecial:
			n.class[groupSpecial] = k
		case InNPL:
			n.class[groupNPL] = k
		case InLargest:
			n.large = k
		case InSecured:
			n.secured = k
		}
	}
	return n
}

var classWord = [groups]string{InNormal, InSpecial, InNPL}

// pick draws the loans of a borrower who was taken.
func (c *Candidate) pick(d *dice) Pick {
	p := Pick{Borrower: c.ID, Name: c.Name, Class: c.Class, Balance: c.Balance, Rank: c.rank, Secured: c.Secured, Open: len(c.Loans),
		Serves: []string{classWord[groupOf(c.Class)]}}
	if c.large {
		p.Serves = append(p.Serves, InLargest)
	}
	if c.Secured {
		p.Serves = append(p.Serves, InSecured)
	}
	loans := slices.Clone(c.Loans)
	shuffle(d, loans)
	secured := false
	take := func(want func(Held) bool) bool {
		i := slices.IndexFunc(loans, want)
		if i < 0 {
			return false
		}
		secured = secured || loans[i].Secured
		p.Loans = append(p.Loans, loans[i])
		loans = slices.Delete(loans, i, i+1)
		return true
	}
	take(func(h Held) bool { return h.Class == c.Class })
	if len(p.Loans) < maxLoansEach && (secured || !take(func(h Held) bool { return h.Secured })) {
		take(func(Held) bool { return true })
	}
	slices.SortFunc(p.Loans, func(a, b Held) int { return strings.Compare(a.ID, b.ID) })
	return p
}

// settle says of each constraint what became of it.
func (s *Sample) settle() {
	got := map[string]int{InSize: len(s.Picks)}
	for i := range s.Picks {
		for _, w := range s.Picks[i].Serves {
			got[w]++
		}
		got[InLoans] += len(s.Picks[i].Loans)
	}
	for i := range s.Constraints {
		c := &s.Constraints[i]
		c.Got, c.State = got[c.Word], Met
		if c.There < c.Want {
			c.State = Impossible
		}
	}
}
