//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"tickler/calendar"
	"tickler/ledger"
	"tickler/loan"
)

var day = calendar.MustDate(2026, 11, 23)

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	for name, write := range map[string]func(Portfolio, *bytes.Buffer) error{
		"csv":  func(p Portfolio, b *bytes.Buffer) error { return p.WriteCSV(b, Changes{Days: 1}) },
		"xlsx": func(p Portfolio, b *bytes.Buffer) error { return p.WriteXLSX(b, Changes{Days: 1}) },
	} {
		digest := func(seed uint64) [32]byte {
			var b bytes.Buffer
			if err := write(Portfolio{Seed: seed, Loans: 500, Day: day}, &b); err != nil {
				t.Fatal(err)
			}
			return sha256.Sum256(b.Bytes())
		}
		if digest(6) != digest(6) {
			t.Errorf("%s: two files of one seed differ", name)
		}
		if digest(6) == digest(7) {
			t.Errorf("%s: two seeds give one file", name)
		}
	}
}

// The ledger reader takes the file, and finds a portfolio of the shape that was
// asked for.
func TestThePortfolioHasItsShape(t *testing.T) {
	p := Portfolio{Seed: 6, Loans: 20_000, Day: day}
	var b bytes.Buffer
	if err := p.WriteCSV(&b, Changes{}); err != nil {
		t.Fatal(err)
	}
	s, err := ledger.Read("loans.csv", b.Bytes(), ledger.Options{})
	if err != nil || s.Loans.Len() != p.Loans {
		t.Fatalf("%d loans, %v", s.Loans.Len(), err)
	}
	key, odd, guaranteed, soon, longest := 0, 0, 0, 0, 0
	branches, staff, borrowers := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, l := range s.Loans.All() {
		if l.Mode == loan.Key {
			key++
		}
		if l.Class != loan.Normal {
			odd++
		}
		if len(l.Guarantors) > 0 {
			guaranteed++
		}
		months := 0
		for l.Disbursed.AddMonths(months) < l.Maturity {
			months++
		}
		longest = max(longest, months)
		if months < 1 || months > longestTerm {
			t.Fatalf("%s has a term of %d months", l.ID, months)
		}
		if l.Maturity > day && l.Maturity <= day.AddMonths(1) {
			soon++
		}
		branches[l.Branch]++
		staff[l.Officer], borrowers[l.Borrower] = true, true
	}
	share := func(what string, n, tenths int) {
		if got := float64(n) * 1000 / float64(p.Loans); got < float64(tenths)*0.9 || got > float64(tenths)*1.1 {
			t.Errorf("%s: %.1f of a thousand, want about %d", what, got, tenths)
		}
	}
	share("key mode", key, keyShare)
	share("not normal", odd, abnormalShare)
	share("with guarantors", guaranteed, guarantorShare)
	share("borrowers", len(borrowers), 10_000/13)
	share("maturing within a month", soon, 91) // a half of loans of 6.5 months on average, a third of 24.5, and longer ones
	if longest < 290 {
		t.Errorf("the longest term is %d months", longest)
	}
	if len(branches) != 12 || len(staff) != 12*officers {
		t.Errorf("%d branches, %d officers", len(branches), len(staff))
	}
	if n := (Portfolio{Loans: fullLoans}).Branches(); n != 600 {
		t.Errorf("%d branches at a million loans", n)
	}
}

func TestADayChangesAHundredthOrOneLoan(t *testing.T) {
	p := Portfolio{Seed: 6, Loans: 3_000, Day: day}
	differ := func(a, b Changes) (n int) {
		last := len(columns) - 1 // the data date changes in every row
		for i := range p.Loans {
			if x, y := p.Row(i, a), p.Row(i, b); !slices.Equal(x[:last], y[:last]) {
				n++
			}
		}
		return n
	}
	if n := differ(Changes{Days: 4}, Changes{Days: 5}); n != p.Loans/100 {
		t.Errorf("a day changes %d of %d loans", n, p.Loans)
	}
	if n := differ(Changes{Days: 5}, Changes{Days: 6, One: 6}); n != 1 {
		t.Errorf("a day of one change changes %d loans", n)
	}
	if row := strings.Join(p.Row(0, Changes{Days: 2, Same: true}), ","); !strings.HasSuffix(row, "2026-11-23") {
		t.Errorf("the data date of a file that replaces the first is another: %s", row)
	}
	if row := strings.Join(p.Row(0, Changes{Days: 2}), ","); !strings.HasSuffix(row, "2026-11-25") {
		t.Errorf("the data date is not the second day after: %s", row)
	}
}
