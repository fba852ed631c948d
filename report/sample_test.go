package report

import (
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tickler/calendar"
	"tickler/loan"
)

// people makes so many borrowers of a class, on credit, of equal small balance.
func people(n int, class loan.Class) []Candidate {
	var out []Candidate
	for i := range n {
		id := fmt.Sprintf("%s-%03d", class, i)
		out = append(out, Candidate{ID: id, Class: class, Balance: 100, Loans: []Held{{ID: "L" + id, Class: class, Balance: 100}}})
	}
	return out
}

func find(s Sample, word string) Constraint {
	for _, c := range s.Constraints {
		if c.Word == word {
			return c
		}
	}
	panic(word)
}

// 篇三 五 2: the shortfall of NPL borrowers goes to the others 3 to 4.
func TestAShortfallOfNPLsIsSharedOut(t *testing.T) {
	for _, c := range []struct{ npl, normal, special, wantNPL int }{
		{3, 3, 4, 3}, {9, 3, 4, 3},
		{2, 3, 5, 2},
		{1, 4, 5, 1},
		{0, 4, 6, 0},
	} {
		all := slices.Concat(people(50, loan.Normal), people(50, loan.SpecialMention), people(c.npl, loan.Doubtful))
		s := Draw(1, all, Quota{})
		if n, m, l := find(s, InNormal), find(s, InSpecial), find(s, InNPL); n.Want != c.normal || m.Want != c.special || l.Want != c.wantNPL ||
			n.State != Met || m.State != Met || l.State != Met || n.Got < c.normal || m.Got < c.special || l.Got < c.wantNPL {
			t.Errorf("%d NPLs: normal %+v, special mention %+v, NPL %+v", c.npl, n, m, l)
		}
		if len(s.Picks) != 10 {
			t.Errorf("%d NPLs: %d were drawn, want 10", c.npl, len(s.Picks))
		}
	}
}

// The manual has no rule for a shortfall of the other two.
func TestWhatIsShortIsTakenWholeAndFilledUp(t *testing.T) {
	s := Draw(7, slices.Concat(people(1, loan.Normal), people(2, loan.SpecialMention), people(40, loan.Loss)), Quota{})
	for word, want := range map[string]Constraint{
		InSize:    {Want: 10, There: 43, Got: 10, State: Met},
		InNormal:  {Want: 3, There: 1, Got: 1, State: Impossible},
		InSpecial: {Want: 4, There: 2, Got: 2, State: Impossible},
		InNPL:     {Want: 3, There: 40, Got: 7, State: Met},
		InSecured: {Want: 5, There: 0, Got: 0, State: Impossible},
	} {
		got := find(s, word)
		if got.Want != want.Want || got.There != want.There || got.Got != want.Got || got.State != want.State {
			t.Errorf("%s: %+v, want %+v", word, got, want)
		}
	}
	s = Draw(7, people(4, loan.Normal), Quota{})
	if c := find(s, InSize); c.State != Impossible || len(s.Picks) != 4 {
		t.Errorf("of four borrowers: %+v, %d drawn", c, len(s.Picks))
	}
	if s = Draw(7, nil, Quota{}); len(s.Picks) != 0 || s.Picks == nil {
		t.Errorf("of nobody: %+v", s.Picks)
	}
}

// All five secured borrowers are normal: 5 + 4 + 3 is 12.
func TestASampleGrowsOnlyAsFarAsItMust(t *testing.T) {
	normal := people(30, loan.Normal)
	for i := range 5 {
		normal[i*6].Secured = true
	}
	for i := range normal {
		normal[i].Balance = 1000
	}
	all := slices.Concat(normal, people(30, loan.SpecialMention), people(30, loan.Substandard))
	for seed := range uint32(50) {
		s := Draw(seed, all, Quota{})
		if len(s.Picks) != 12 || find(s, InSecured).Got != 5 {
			t.Fatalf("seed %d: %d drawn, %+v", seed, len(s.Picks), s.Constraints)
		}
		if s := Draw(seed, all, Quota{Borrowers: 15}); len(s.Picks) != 15 {
			t.Fatalf("seed %d: %d drawn of 15", seed, len(s.Picks))
		}
	}
}

func TestEqualsOfTheLastOfTheLargestCountToo(t *testing.T) {
	all := people(6, loan.Normal)
	for i, b := range []loan.Fen{50, 40, 30, 30, 30, 20} {
		all[i].Balance = b
	}
	s := Draw(1, all, Quota{Largest: 3})
	if c := find(s, InLargest); c.There != 5 {
		t.Errorf("the largest: %+v, want 5 there", c)
	}
	var ranks []int
	for _, p := range s.Picks {
		ranks = append(ranks, p.Rank)
	}
	if !slices.Equal(ranks, []int{1, 2, 3, 3, 3, 6}) {
		t.Errorf("ranks %v", ranks)
	}
}

// One loan shows the class that a borrower was drawn for, one the security.
func TestTheLoansShowWhatTheBorrowerServes(t *testing.T) {
	c := Candidate{ID: "C1", Class: loan.Loss, Balance: 100, Secured: true}
	for i := range 9 {
		c.Loans = append(c.Loans, Held{ID: fmt.Sprint(i), Class: loan.Normal})
	}
	c.Loans[4].Class, c.Loans[7].Secured = loan.Loss, true
	for seed := range uint32(100) {
		p := Draw(seed, []Candidate{c}, Quota{}).Picks[0]
		if len(p.Loans) != 2 || p.Loans[0].ID != "4" || p.Loans[1].ID != "7" || p.Open != 9 {
			t.Fatalf("seed %d: %+v", seed, p)
		}
	}
}

// The same seed gives the same sample, whatever the order of the facts; and in
// every version: these are the borrowers of seed 20261123.
func TestASampleIsReproducible(t *testing.T) {
	all := slices.Concat(people(30, loan.Normal), people(30, loan.SpecialMention), people(30, loan.Loss))
	for i := range all {
		all[i].Balance, all[i].Secured = loan.Fen(i), i%3 == 0
	}
	s := Draw(20261123, all, Quota{})
	slices.Reverse(all)
	if again := Draw(20261123, all, Quota{}); !reflect.DeepEqual(s, again) {
		t.Errorf("another order: %+v, want %+v", again, s)
	}
	if other := Draw(20261124, all, Quota{}); reflect.DeepEqual(s.Picks, other.Picks) {
		t.Error("another seed gives the same sample")
	}
	var ids []string
	for _, p := range s.Picks {
		ids = append(ids, p.Borrower)
	}
	want := []string{"loss-027", "loss-024", "loss-021", "special_mention-018", "special_mention-008", "special_mention-004", "special_mention-001",
		"normal-019", "normal-013", "normal-006"}
	if !slices.Equal(ids, want) {
		t.Errorf("drawn: %q", ids)
	}
	if got := SeedOf("B01", calendar.MustDate(2026, 11, 23)); got != 3958055058 {
		t.Errorf("seed of B01 on 2026-11-23: %d", got)
	}
}

// Sebastiano Vigna's reference of splitmix64 gives these for 1234567.
func TestTheDiceAreSplitmix64(t *testing.T) {
	d := &dice{state: 1234567}
	for _, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		if got := d.next(); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
}

// Over many seeds everybody has his chance.
func TestEverybodyMayBeDrawn(t *testing.T) {
	all := slices.Concat(people(12, loan.Normal), people(12, loan.SpecialMention), people(12, loan.Loss))
	times := map[string]int{}
	for seed := range uint32(2000) {
		for _, p := range Draw(seed, all, Quota{}).Picks {
			times[p.Borrower]++
		}
	}
	for _, c := range all {
		if n := times[c.ID]; n < 350 {
			t.Errorf("%s was drawn %d times of 2000", c.ID, n)
		}
	}
}

// Against every subset of a small branch: a sample is never larger than the
// smallest that holds all that can be held, and holds it.
func TestASampleHoldsAllThatAnySampleOfItsSizeCould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 15).Draw(t, "borrowers")
		var all []Candidate
		for i := range n {
			class := loan.Classes[rapid.IntRange(0, 4).Draw(t, "class")]
			c := Candidate{ID: fmt.Sprintf("C%02d", i), Class: class, Balance: loan.Fen(rapid.IntRange(0, 20).Draw(t, "balance")), Secured: rapid.IntRange(0, 2).Draw(t, "secured") == 0}
			for k := range rapid.IntRange(1, 3).Draw(t, "loans") {
				c.Loans = append(c.Loans, Held{ID: fmt.Sprintf("J%02d-%d", i, k), Class: class, Secured: c.Secured})
			}
			all = append(all, c)
		}
		q := Quota{Borrowers: rapid.IntRange(0, 14).Draw(t, "size"), Largest: rapid.IntRange(3, 8).Draw(t, "largest")}
		s := Draw(rapid.Uint32().Draw(t, "seed"), all, q)

		rank(all, q.Largest)
		cs := q.constraints(all)
		holds := func(set uint) bool {
			got := map[string]int{InSize: bits.OnesCount(set)}
			for i := range all {
				if set&(1<<i) == 0 {
					continue
				}
				got[classWord[groupOf(all[i].Class)]]++
				if all[i].large {
					got[InLargest]++
				}
				if all[i].Secured {
					got[InSecured]++
				}
			}
			for _, c := range cs {
				if c.Word != InLoans && got[c.Word] < min(c.Want, c.There) {
					return false
				}
			}
			return true
		}
		least := -1
		for set := range uint(1) << n {
			if k := bits.OnesCount(set); (least < 0 || k < least) && holds(set) {
				least = k
			}
		}
		var drawn uint
		for _, p := range s.Picks {
			i := slices.IndexFunc(all, func(c Candidate) bool { return c.ID == p.Borrower })
			if i < 0 || drawn&(1<<i) != 0 {
				t.Fatalf("%s is nobody, or there twice", p.Borrower)
			}
			drawn |= 1 << i
			if len(p.Loans) != min(2, len(all[i].Loans)) {
				t.Fatalf("%d loans of %s", len(p.Loans), p.Borrower)
			}
		}
		if len(s.Picks) != least || !holds(drawn) {
			t.Fatalf("%d were drawn, %d would do; holds: %v; %+v", len(s.Picks), least, holds(drawn), s.Constraints)
		}
		for _, c := range s.Constraints {
			if c.Got < min(c.Want, c.There) || (c.State == Met) != (c.There >= c.Want) {
				t.Fatalf("%+v", c)
			}
		}
	})
}

func TestACandidateIsHisOpenLoansAtTheBranchOnTheDay(t *testing.T) {
	day := func(m, d int) calendar.Date { return calendar.MustDate(2026, m, d) }
	file := func(id string, l loan.Loan, later ...loan.Loan) *loan.LoanFile {
		l.ID = id
		f := &loan.LoanFile{ID: id, History: loan.History[loan.Loan]{{From: day(1, 1), Value: l}}}
		for _, v := range later {
			f.History = f.History.Put(loan.Version[loan.Loan]{From: day(6, 1), Value: v})
		}
		return f
	}
	here := loan.Loan{Branch: "B01", Balance: 100, Class: loan.Normal, BorrowerName: "甲公司", Guarantee: "信用", Disbursed: day(1, 1)}
	worse, settled, there, unborn, guaranteed := here, here, here, here, here
	worse.Class = loan.Doubtful
	settled.Balance = 0
	there.Branch, there.Class = "B02", loan.Loss
	unborn.Disbursed = day(5, 1)
	guaranteed.Guarantors = []string{"丙公司"}
	d := &loan.Dossier{ID: "C1", Loans: []*loan.LoanFile{file("J9", here, worse), file("J1", settled), file("J2", there), file("J3", unborn), file("J4", here), file("J5", guaranteed)}}
	got, ok := CandidateOf(d, "B01", day(4, 1), map[string]bool{"J4": true})
	want := Candidate{ID: "C1", Name: "甲公司", Class: loan.Normal, Balance: 300, Secured: true, Loans: []Held{
		{ID: "J4", Class: loan.Normal, Balance: 100, Guarantee: "信用", Secured: true},
		{ID: "J5", Class: loan.Normal, Balance: 100, Guarantee: "信用", Secured: true},
		{ID: "J9", Class: loan.Normal, Balance: 100, Guarantee: "信用"}}}
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("in April: %+v\nwant %+v", got, want)
	}
	if got, _ := CandidateOf(d, "B01", day(7, 1), nil); got.Class != loan.Doubtful || len(got.Loans) != 4 {
		t.Errorf("in July: %+v", got)
	}
	if _, ok := CandidateOf(d, "B03", day(4, 1), nil); ok {
		t.Error("a candidate of a branch that he has no loan of")
	}
}

func TestWhatIsNotOnCreditAloneIsSecured(t *testing.T) {
	for text, want := range map[string]bool{"": false, "信用": false, "信用贷款": false, "信用（免担保）": false, "无": false,
		"保证": true, "抵押": true, "质押": true, "抵(质)押": true, "信用+保证": true, "组合": true} {
		if securedBy(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
