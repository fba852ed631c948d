package store

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tickler/loan"
	"tickler/obligation"
)

// A record that says which obligation it is of stands where one stands of which
// only the id is known, and both where verifying looks for them.
func TestARecordStandsWhereItsSubjectIs(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"JJ1", "客户", "a/b", "50%", "a:b", "a b+c", "\x00", strings.Repeat("长", 200)}), rapid.StringN(1, 8, -1))
	kinds := rapid.SampledFrom([]loan.Kind{loan.KindLoan, loan.KindBorrower, loan.KindBranch})
	rapid.Check(t, func(t *rapid.T) {
		var of, read Tx
		var want []posting
		for seq := uint64(1); seq <= 20; seq++ {
			k := obligation.Key{Rule: "annual-review", Subject: loan.Ref{Kind: kinds.Draw(t, "kind"), ID: text.Draw(t, "subject")}, Occurrence: text.Draw(t, "occurrence")}
			if rapid.Bool().Draw(t, "towards somebody") {
				k.Party = loan.Ref{Kind: loan.KindGuarantor, ID: text.Draw(t, "party")}
			}
			r := Record{Seq: seq, Subject: k.String(), OSUser: "tickler", About: []string{k.Subject.String()}}
			read.postAudit(&r)
			want = append(want, auditPostings(&r)...)
			r.Of = &k
			of.postAudit(&r)
		}
		for what, tx := range map[string]*Tx{"of the obligation": &of, "of its id": &read} {
			left := map[posting]bool{}
			for _, p := range want {
				left[p] = true
			}
			last := ""
			tx.trail.each(func(key string, seqs []uint64) {
				if key <= last {
					t.Fatalf("%s: the cell %q comes behind %q", what, key, last)
				}
				last = key
				for _, op := range auditOps(nil, seqs) {
					if p := (posting{key, op.member}); !left[p] {
						t.Fatalf("%s: %x stands in %q", what, op.member, key)
					} else {
						delete(left, p)
					}
				}
			})
			if len(left) > 0 {
				t.Fatalf("%s: %d are missing", what, len(left))
			}
		}
	})
}
