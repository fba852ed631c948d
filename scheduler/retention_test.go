package scheduler

import (
	"strings"
	"testing"
	"time"
)

// at is a moment of the branch's day, "11-23 01:00", in 2026 unless it begins
// with a year.
func at(s string) time.Time {
	if len(s) == len("11-23 01:00") {
		s = "2026-" + s
	}
	t, err := time.ParseInLocation("2006-01-02 15:04", s, shanghai)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func TestWhichBackupsStay(t *testing.T) {
	for _, c := range []struct {
		name string
		keep Keep
		made string
		want string // when: reasons; those that go are left out
	}{
		{"none", Keep{Daily: 7}, "", ""},
		{"no counts keep all", Keep{}, "11-23 01:00, 11-23 02:00", "11-23 02:00: everything is kept, 11-23 01:00: everything is kept"},
		{"the newest ones", Keep{Last: 2}, "11-21 01:00, 11-23 02:00, 11-23 01:00", "11-23 02:00: last, 11-23 01:00: last"},
		{"the last of a day", Keep{Daily: 2}, "11-22 01:00, 11-22 23:00, 11-23 01:00, 11-23 05:00, 11-21 01:00", "11-23 05:00: day 2026-11-23, 11-22 23:00: day 2026-11-22"},
		{"days without any do not count", Keep{Daily: 2}, "10-01 01:00, 10-30 01:00, 11-23 01:00", "11-23 01:00: day 2026-11-23, 10-30 01:00: day 2026-10-30"},
		{"the branch's day", Keep{Daily: 1}, "11-23 00:30, 11-22 23:30", "11-23 00:30: day 2026-11-23"},
		{"weeks begin on Monday and belong to a year", Keep{Weekly: 2}, "2027-01-03 01:00, 2027-01-04 01:00, 2026-12-31 01:00", "2027-01-04 01:00: week 2027-W01, 2027-01-03 01:00: week 2026-W53"},
		{"together", Keep{Last: 1, Daily: 2, Weekly: 2, Monthly: 2}, "09-30 01:00, 10-30 01:00, 11-13 01:00, 11-20 01:00, 11-21 01:00, 11-22 01:00, 11-23 01:00",
			"11-23 01:00: last; day 2026-11-23; week 2026-W48; month 2026-11, 11-22 01:00: day 2026-11-22; week 2026-W47, 10-30 01:00: month 2026-10"},
		{"the newest stays", Keep{Monthly: 1}, "11-23 01:00", "11-23 01:00: month 2026-11"},
	} {
		var made []time.Time
		for s := range strings.SplitSeq(c.made, ", ") {
			if s != "" {
				made = append(made, at(s))
			}
		}
		var got []string
		keep, drop := retain(made, c.keep, shanghai)
		for _, k := range keep {
			form := "01-02 15:04"
			if strings.Contains(c.made, "2027-") {
				form = "2006-01-02 15:04"
			}
			got = append(got, k.at.In(shanghai).Format(form)+": "+strings.Join(k.reasons, "; "))
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s:\nkept %s\nwant %s", c.name, s, c.want)
		}
		if len(keep)+len(drop) != len(made) {
			t.Errorf("%s: of %d, %d stay and %d go", c.name, len(made), len(keep), len(drop))
		}
	}
}
