package calendar

import (
	"encoding/json"
	"testing"
)

// What reads as a date is written as it was read, and every way of writing it
// reads as the same day.
func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-12-31", "2024-02-29", "2026-02-29", "0001-01-01", "9999-12-31", "2026-1-5", "２０２６-01-01", "", "2026-12-31\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if err != nil {
			if !d.IsZero() {
				t.Fatalf("%q is refused and is %s", s, d)
			}
			return
		}
		if d.String() != s {
			t.Fatalf("%q is written %q", s, d)
		}
		if y, m, day := d.Civil(); date(y, 1, 1) > d || d.AddDays(1).AddDays(-1) != d && d < maxDate || day > daysIn(y, 12) && day > 31 || m < 1 || m > 12 {
			t.Fatalf("%q is the day %d-%d-%d", s, y, m, day)
		}
		text, err := json.Marshal(d)
		var back Date
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		if err != nil || back != d {
			t.Fatalf("%q is %s in JSON, and comes back as %s: %v", s, text, back, err)
		}
	})
}
