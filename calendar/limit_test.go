package calendar

import "testing"

func TestParseLimit(t *testing.T) {
	for s, want := range map[string]Limit{
		"1 workday":                    {1, Workdays, Unset},
		"10 workdays":                  {10, Workdays, Unset},
		"-10 workday":                  {-10, Workdays, Unset},
		"0 days":                       {0, Days, Unset},
		"1 month preceding":            {1, Months, Preceding},
		"-6 months modified_following": {-6, Months, ModifiedFollowing},
		"2 weeks none":                 {2, Weeks, None},
		"3 years following":            {3, Years, Following},
		"100000 days":                  {100_000, Days, Unset},
		"  5   days ":                  {5, Days, Unset},
	} {
		if got, err := ParseLimit(s); err != nil || got != want {
			t.Errorf("ParseLimit(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
}

func TestParseLimitRefusesWhatCanBeReadInTwoWays(t *testing.T) {
	for s, want := range map[string]string{
		"":                          `limit "": want [-]N workday|day|week|month|year, then following, preceding, modified_following, none or nothing`,
		"10":                        `limit "10": the unit is missing: "10 workdays" or "10 days"?`,
		"workdays":                  `limit "workdays": number "workdays": want a whole number first, such as "10 workdays"`,
		"010 workdays":              `limit "010 workdays": number "010": want no leading zero`,
		"1.5 months":                `limit "1.5 months": number "1.5": want a whole number, digits only`,
		"1,000 days":                `limit "1,000 days": number "1,000": want a whole number, digits only`,
		"1e3 days":                  `limit "1e3 days": number "1e3": want a whole number, digits only`,
		"+3 days":                   `limit "+3 days": number "+3": write it without the plus sign`,
		"-0 days":                   `limit "-0 days": number "-0": want 0`,
		"- 3 days":                  `limit "- 3 days": number "-": want a whole number first, such as "10 workdays"`,
		"１０ workdays":               `limit "１０ workdays": '１' is a full-width character (全角); write numbers and signs in ASCII (半角)`,
		"10　workdays":               `limit "10\u3000workdays": '\u3000' is a full-width character (全角); write numbers and signs in ASCII (半角)`,
		"15wd after":                `limit "15wd after": unknown unit "wd"; want workday, day, week, month or year; did you mean "workday"?`,
		"10workdays":                `limit "10workdays": want a space between number and unit: "10 workdays"`,
		"10 wrokdays":               `limit "10 wrokdays": unknown unit "wrokdays"; want workday, day, week, month or year; did you mean "workday"?`,
		"10 Workdays":               `limit "10 Workdays": unknown unit "Workdays"; want workday, day, week, month or year; did you mean "workday"?`,
		"10 工作日":                    `limit "10 工作日": unknown unit "工作日"; want workday, day, week, month or year; did you mean "workday"?`,
		"3 quarters":                `limit "3 quarters": unknown unit "quarters"; want workday, day, week, month or year`,
		"1 month follwing":          `limit "1 month follwing": unknown landing "follwing"; want following, preceding, modified_following or none; did you mean "following"?`,
		"1 month none ever":         `limit "1 month none ever": "ever" is too much; want [-]N workday|day|week|month|year, then following, preceding, modified_following, none or nothing`,
		"100001 days":               `limit "100001 days": want a number from -100000 to 100000`,
		"99999999999999999999 days": `limit "99999999999999999999 days": want a number from -100000 to 100000`,
	} {
		if l, err := ParseLimit(s); err == nil || err.Error() != want {
			t.Errorf("ParseLimit(%q) = %v, %v\nwant %s", s, l, err, want)
		}
	}
}

func FuzzParseLimit(f *testing.F) {
	for _, s := range []string{"10 workdays", "-1 month preceding", "010 days", "15wd after", "１ day", "-0 days"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLimit(s)
		if err != nil {
			return
		}
		if back, err := ParseLimit(l.String()); err != nil || back != l {
			t.Fatalf("%q is %v, which is written %q and read %v, %v", s, l, l, back, err)
		}
		if l.Unit == Workdays || l.Landing > None {
			return
		}
		if _, err := Builtin().Shift(MustDate(2026, 1, 31), l); err != nil && l.N < 1000 && l.N > -1000 {
			t.Fatalf("%q from 2026-01-31: %v", s, err)
		}
	})
}
