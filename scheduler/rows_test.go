package scheduler

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tickler/api"
	"tickler/calendar"
)

// A list is sorted by the ids themselves, whatever the quicker way compares.
func TestAListIsInTheOrderOfItsIDs(t *testing.T) {
	day := calendar.MustDate(2026, 11, 23)
	rapid.Check(t, func(t *rapid.T) {
		rows, want := &gathered{}, []api.Obligation{}
		for range rapid.IntRange(0, 3*rowBlock).Draw(t, "rows") {
			rule := rapid.SampledFrom([]string{"a", "a-b", "a-b-c", "ab", "b"}).Draw(t, "rule")
			o := api.Obligation{
				ID:      rule + ":loan/" + rapid.StringMatching(`[A-C]{1,2}`).Draw(t, "loan") + ":2026",
				Due:     day.AddDays(rapid.IntRange(-1, 1).Draw(t, "due")),
				Overdue: rapid.Bool().Draw(t, "overdue"),
			}
			*rows.next() = o
			want = append(want, o)
		}
		slices.SortFunc(want, func(a, b api.Obligation) int {
			if a.Overdue != b.Overdue {
				if a.Overdue {
					return -1
				}
				return 1
			}
			return cmp.Or(cmp.Compare(a.Due, b.Due), strings.Compare(a.ID, b.ID))
		})
		if got := rows.inOrder(); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v\nwant %v", ids(got), ids(want))
		}
	})
}

func ids(rows []api.Obligation) (out []string) {
	for _, o := range rows {
		out = append(out, o.ID)
	}
	return out
}
