package store

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tickler/calendar"
)

// What is put together by hand is what encoding/json writes, to the byte: the
// hash of a record runs over it.
func TestRecordsAreWrittenAsJSONWritesThem(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "S001", "客户经理", "a<b>&\"c\\", "\x00\n\u2028", "\xff\xfe", "\ufffd", "\x7f"}), rapid.String())
	day := rapid.Custom(func(t *rapid.T) calendar.Date {
		return rapid.SampledFrom([]calendar.Date{0, calendar.MustDate(2026, 11, 23), calendar.MustDate(9999, 12, 31), -5}).Draw(t, "day")
	})
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		at := time.Unix(rapid.Int64Range(-1e10, 1e11).Draw(t, "second"), rapid.Int64Range(0, 1e9).Draw(t, "nano"))
		zone := rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("CST", 8*3600)}).Draw(t, "zone")
		return rapid.SampledFrom([]time.Time{{}, at.In(zone)}).Draw(t, "moment")
	})
	rapid.Check(t, func(t *rapid.T) {
		r := Record{Seq: rapid.Uint64().Draw(t, "seq"), At: moment.Draw(t, "at"), Business: day.Draw(t, "business"), Actor: text.Draw(t, "actor"), OSUser: text.Draw(t, "user"),
			Action: text.Draw(t, "action"), Subject: text.Draw(t, "subject"), About: rapid.SliceOfN(text, 0, 3).Draw(t, "about"), Rulebook: text.Draw(t, "rulebook"), Calendar: text.Draw(t, "calendar"), Prev: text.Draw(t, "prev")}
		if rapid.Bool().Draw(t, "detail") {
			r.Detail = json.RawMessage(rapid.SampledFrom([]string{`{"a": "<b>"}`, `{"a":"b"}`, "{\"a\":\"\u2028客户\"}", `null`, ` {"plan":{"raised":3}} `, `{`}).Draw(t, "the detail"))
		}
		m := Message{ID: r.Seq, Kind: r.Action, To: r.Actor, Role: r.OSUser, Branch: r.Subject, Obligation: r.Rulebook, Day: r.Business, On: day.Draw(t, "on"), Late: r.Calendar, At: r.At,
			Text: r.Prev, Tries: rapid.IntRange(-1, 3).Draw(t, "tries"), Next: moment.Draw(t, "next"), Error: text.Draw(t, "error"), Ended: moment.Draw(t, "ended")}
		for _, c := range []struct {
			v    any
			hand func([]byte) ([]byte, error)
		}{{r, r.appendJSON}, {m, m.appendJSON}} {
			want, wantErr := json.Marshal(c.v)
			got, err := c.hand(nil)
			if (err == nil) != (wantErr == nil) || err == nil && string(got) != string(want) {
				t.Fatalf("%T by hand, %v:\n%s\nby encoding/json, %v:\n%s", c.v, err, got, wantErr, want)
			}
		}
	})
}
