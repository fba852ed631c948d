package scheduler

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sortedBy sorts as the store does, by bytes, and keeps the order of equal keys.
func TestInOrderIsAStableSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begins := rapid.SampledFrom([]string{"", "C00000000", "甲公司"}).Draw(t, "begins")
		keys := rapid.SliceOf(rapid.Map(rapid.StringMatching(`[ab\x00]{0,12}`), func(s string) string { return begins + s })).Draw(t, "keys")
		want := make([]int32, len(keys))
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortStableFunc(want, func(a, b int32) int { return strings.Compare(keys[a], keys[b]) })
		if got := sortedBy(len(keys), func(i int) string { return keys[i] }); !slices.Equal(got, want) {
			t.Fatalf("%q: %v, want %v", keys, got, want)
		}
	})
}
