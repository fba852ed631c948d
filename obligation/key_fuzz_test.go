package obligation_test

import (
	"strings"
	"testing"

	"tickler/obligation"
)

// What reads as an id names one obligation, however it was written.
func FuzzParseKey(f *testing.F) {
	for _, s := range []string{"maturity-notice:loan/JJ1:2026-12-31", "r:loan/50%25%3Aa%2Fb:2026-Q4", "r:loan/借据1:2026-11-A:guarantor/乙 先生", "r:loan/%zz:2026", "::", "r:loan/1:2026:/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := obligation.ParseKey(s)
		if err != nil {
			if k != (obligation.Key{}) {
				t.Fatalf("%q is refused and is %+v", s, k)
			}
			return
		}
		again, err := obligation.ParseKey(k.String())
		if err != nil || again != k {
			t.Fatalf("%q is %+v, written %q, and reads as %+v, %v", s, k, k.String(), again, err)
		}
		if len(k.Short()) != 8 || !strings.HasPrefix(k.Short(), obligation.ShortSubject(k.Subject)) || k.Short() != again.Short() {
			t.Fatalf("%q has the short name %q", s, k.Short())
		}
	})
}
