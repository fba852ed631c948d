package loan

import (
	"fmt"
	"strings"
)

// Kind is what a fact, an event or an obligation is about.
type Kind string

const (
	KindLoan       Kind = "loan"       // 借据
	KindBorrower   Kind = "borrower"   // 客户
	KindGuarantor  Kind = "guarantor"  // 保证人
	KindCollateral Kind = "collateral" // 抵质押物
	KindGroup      Kind = "group"      // 集团
	KindBranch     Kind = "branch"     // 机构
	KindOfficer    Kind = "officer"    // 客户经理
)

// Kinds lists every kind, in the order of the rulebook's documentation.
var Kinds = []Kind{KindLoan, KindBorrower, KindGuarantor, KindCollateral, KindGroup, KindBranch, KindOfficer}

// Ref names one thing by its kind and the bank's own identifier, which is
// never parsed.
type Ref struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id"`
}

// String gives KIND/ID as people type it; the id is not escaped.
func (r Ref) String() string { return string(r.Kind) + "/" + r.ID }

// IsZero says that the reference names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// Compare orders references by kind, then by id.
func (r Ref) Compare(other Ref) int {
	if r.Kind != other.Kind {
		return strings.Compare(string(r.Kind), string(other.Kind))
	}
	return strings.Compare(r.ID, other.ID)
}

// ParseRef reads KIND/ID. The id may hold further slashes.
func ParseRef(s string) (Ref, error) {
	kind, id, ok := strings.Cut(s, "/")
	if !ok || id == "" {
		return Ref{}, fmt.Errorf("subject %q: want KIND/ID, for example loan/JJ2026001", s)
	}
	for _, k := range Kinds {
		if string(k) == kind {
			return Ref{Kind: k, ID: id}, nil
		}
	}
	return Ref{}, fmt.Errorf("subject %q: unknown kind %q; want loan, borrower, guarantor, collateral, group, branch or officer", s, kind)
}
