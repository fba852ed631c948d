package obligation_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tickler/loan"
	"tickler/obligation"
)

// part gives the strings that banks use for ids, and those that they should not.
func part() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9:/%\- ]{1,12}`), rapid.SampledFrom([]string{"借据2026/001", "50%:a/b", "%2F", "%3A:", "张三：甲", "乙 先生", "+", "?a=b&c#d"}), rapid.StringN(1, 8, -1))
}

func ref() *rapid.Generator[loan.Ref] {
	return rapid.Custom(func(t *rapid.T) loan.Ref {
		return loan.Ref{Kind: rapid.SampledFrom(loan.Kinds).Draw(t, "kind"), ID: part().Draw(t, "id")}
	})
}

// The id of an obligation is kept for ever: it reads back as what it named,
// whatever the bank puts into its numbers.
func TestKeysReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := obligation.Key{Rule: part().Draw(t, "rule"), Subject: ref().Draw(t, "subject"), Occurrence: part().Draw(t, "occurrence")}
		if rapid.Bool().Draw(t, "with a party") {
			k.Party = ref().Draw(t, "party")
		}
		got, err := obligation.ParseKey(k.String())
		if err != nil || got != k {
			t.Fatalf("%q reads as %+v, %v; want %+v", k.String(), got, err, k)
		}
		if len(k.Short()) != 8 || !strings.HasPrefix(k.Short(), obligation.ShortSubject(k.Subject)) {
			t.Fatalf("short name %q", k.Short())
		}
	})
}

func TestKeysAsScriptsSeeThem(t *testing.T) {
	for want, k := range map[string]obligation.Key{
		"maturity-notice:loan/JJ2026001:2026-12-31":           {Rule: "maturity-notice", Subject: loan.Ref{Kind: loan.KindLoan, ID: "JJ2026001"}, Occurrence: "2026-12-31"},
		"r:loan/50%25%3Aa%2Fb:2026-Q4":                        {Rule: "r", Subject: loan.Ref{Kind: loan.KindLoan, ID: "50%:a/b"}, Occurrence: "2026-Q4"},
		"r:loan/借据1:2026-11-A:guarantor/乙 先生":                 {Rule: "r", Subject: loan.Ref{Kind: loan.KindLoan, ID: "借据1"}, Occurrence: "2026-11-A", Party: loan.Ref{Kind: loan.KindGuarantor, ID: "乙 先生"}},
		"r:borrower/C1:loan.settled%2Floan%2FL1%2F2026-11-20": {Rule: "r", Subject: loan.Ref{Kind: loan.KindBorrower, ID: "C1"}, Occurrence: "loan.settled/loan/L1/2026-11-20"},
	} {
		if got := k.String(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
		if got, err := obligation.ParseKey(want); err != nil || got != k {
			t.Errorf("%q reads as %+v, %v", want, got, err)
		}
	}
	for _, bad := range []string{"", "r", "r:loan/1", "r:loan:2026", "r:loan/1:2026:x", "r:loan/1:2026:guarantor/2:3", "r:loan/%zz:2026", "%:loan/1:2026", "r:loan/1:%2"} {
		if k, err := obligation.ParseKey(bad); err == nil {
			t.Errorf("%q reads as %+v", bad, k)
		}
	}
}
