package scheduler

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"tickler/calendar"
	"tickler/store"
)

// The details of a scan's records are what encoding/json writes, to the byte:
// the hash of a record runs over them.
func TestDetailsAreWrittenAsJSONWritesThem(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "supervisor", "停机补触发", "a<b>&\"c\\", "\x00\n\u2028", "\xff"}), rapid.String())
	day := rapid.SampledFrom([]calendar.Date{0, calendar.MustDate(2026, 11, 23), calendar.MustDate(9999, 12, 31)})
	var object store.Object // one for many, as a scan has it
	rapid.Check(t, func(t *rapid.T) {
		c := changeDetail{Due: day.Draw(t, "due"), Was: day.Draw(t, "was"), On: day.Draw(t, "on"), Why: text.Draw(t, "why"), Late: text.Draw(t, "late")}
		e := escalationDetail{To: text.Draw(t, "to"), Branch: text.Draw(t, "branch"), Day: day.Draw(t, "day"), Due: c.Due, Late: c.Late}
		for _, d := range []struct {
			v    any
			hand func(*store.Object) json.RawMessage
		}{{c, c.json}, {e, e.json}} {
			want, err := json.Marshal(d.v)
			if got := string(d.hand(&object)); err != nil || got != string(want) {
				t.Fatalf("%T by hand %s; by encoding/json %s, %v", d.v, got, want, err)
			}
		}
	})
}
