package ledger

import (
	"testing"

	"tickler/calendar"
	"tickler/loan"
)

func TestDates(t *testing.T) {
	for _, c := range []struct{ cell, want string }{
		{"2026-12-31", "2026-12-31"},
		{"2026/12/31", "2026-12-31"},
		{"2026.12.31", "2026-12-31"},
		{"20261231", "2026-12-31"},
		{"2026年12月31日", "2026-12-31"},
		{"2026年1月5日", "2026-01-05"},
		{"2026 年 1 月 5 日", "2026-01-05"},
		{"２０２６－１２－３１", "2026-12-31"},
		{"2026/1/5", "2026-01-05"},
		{"2026-1-5", "2026-01-05"},
		{"46387", "2026-12-31"},
		{"46387.0", "2026-12-31"},
		{"46387.75", "2026-12-31"},
		{"2026-12-31 00:00:00", "2026-12-31"},
		{"2026-12-31T23:59:59.000Z", "2026-12-31"},
		{"2026/12/31 9:30", "2026-12-31"},
		{"2026年12月31日 00:00:00", "2026-12-31"},
		{"20261231000000", "2026-12-31"},
		{"2024-02-29", "2024-02-29"},

		{"99991231", ""}, {"9999-12-31", ""}, {"9999/12/31", ""}, {"9999年12月31日", ""}, {"2958465", ""},
		{"29991231", ""}, {"2999-12-31", ""},
		{"20991231", ""}, {"2099.12.31", ""}, {"73050", ""},
		{"00010101", ""}, {"0001-01-01", ""}, {"0001-01-01 00:00:00", ""},
		{"-", ""}, {"—", ""},

		{"2026-04-31", "!"}, {"20260431", "!"}, {"2026年4月31日", "!"}, {"2026-02-29", "!"}, {"2026-13-01", "!"},
		{"0206-12-31", "!"}, {"31-12-2026", "!"}, {"12/31/2026", "!"}, {"2026-12/31", "!"}, {"202612", "!"},
		{"2026-12", "!"}, {"2026年12月", "!"}, {"19999", "!"}, {"80001", "!"}, {"123", "!"}, {"长期", "!"},
		{"2026-12-31x", "!"}, {"2026-12-31 25:00", "!"}, {"2026-12-310", "!"}, {"46387.x", "!"}, {"20261231256000", "!"},
	} {
		d, want := parseDate([]byte(c.cell), false)
		got := d.String()
		if want != nil {
			got = "!"
		}
		if got != c.want {
			t.Errorf("date %q: got %q, want %q", c.cell, got, c.want)
		}
	}
	if d, _ := parseDate([]byte("44925"), true); d != calendar.MustDate(2026, 12, 31) {
		t.Errorf("a day counted from 1904: got %s", d)
	}
}

func TestAmounts(t *testing.T) {
	const yuan, wan = 0, 4
	for _, c := range []struct {
		cell  string
		power int
		raw   bool
		want  loan.Fen
		note  string // "~" rounded, "!" refused
	}{
		{"1234567.89", yuan, false, 123456789, ""},
		{"1,234,567.89", yuan, false, 123456789, ""},
		{"１，２３４．５０", yuan, false, 123450, ""},
		{"￥1,234.5", yuan, false, 123450, ""},
		{"0", yuan, false, 0, ""}, {"-", yuan, false, 0, ""}, {"－", yuan, false, 0, ""}, {"-0.00", yuan, false, 0, ""},
		{"100", wan, false, 100_0000_00, ""},
		{"0.000001", wan, false, 1, ""},
		{"1234.56789", wan, false, 1234567890, ""},
		{"1.005", yuan, false, 101, "~"}, {"1.004", yuan, false, 100, "~"}, {"-1.005", yuan, false, -101, "~"},
		{"1.0050000000000000000001", yuan, false, 101, "~"},
		{"1.10000", yuan, false, 110, ""},
		{"0.1234567", wan, false, 123457, "~"},
		{"(1,000.00)", yuan, false, -100000, ""},
		{"90071992547409.93", yuan, false, 9007199254740993, ""}, // no float64 holds it
		{"1.2E7", yuan, true, 1200000000, ""},
		{"1.2E+06", yuan, true, 120000000, ""},
		{"5E-3", yuan, true, 1, "~"},
		{"240886.42000000001", yuan, true, 24088642, ""},
		{"1234567.8899999999", yuan, true, 123456789, ""},
		{"0.30000000000000004", yuan, true, 30, ""},
		{"1.2E7", yuan, false, 0, "!"},
		{"1,23", yuan, false, 0, "!"}, {"1234,567", yuan, false, 0, "!"}, {",123", yuan, false, 0, "!"}, {"1,234,56", yuan, false, 0, "!"},
		{"12万", yuan, false, 0, "!"}, {"abc", yuan, false, 0, "!"}, {"1.2.3", yuan, false, 0, "!"}, {".", yuan, false, 0, "!"}, {"E5", yuan, true, 0, "!"},
		{"99999999999999999999", yuan, false, 0, "!"}, {"1E300", yuan, true, 0, "!"},
	} {
		fen, rounded, want := parseAmount([]byte(c.cell), amountForm{power: c.power, raw: c.raw})
		note := ""
		if rounded {
			note = "~"
		}
		if want != nil {
			note = "!"
		}
		if fen != c.want || note != c.note {
			t.Errorf("amount %q of 10^%d: got %s %q, want %s %q", c.cell, c.power, fen, note, c.want, c.note)
		}
	}
}

func TestLostDigits(t *testing.T) {
	for s, want := range map[string]bool{"3.2E+17": true, "3.20102E+17": true, "3e+17": true, "JJ3E+17": false, "3E17": false, "12345": false, "E+17": false, "3.2E+": false} {
		if lostDigits(s) != want {
			t.Errorf("lostDigits(%q) is %v", s, !want)
		}
	}
}

func FuzzCell(f *testing.F) {
	for _, s := range []string{"2026-12-31", "46387.5", "2026年1月5日 0:00", "1,234.50", "1.2E+07", "（1，000）", "99991231", "20261231000000"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, cell []byte) {
		if len(trimASCII(cell)) == 0 {
			return
		}
		d, want := parseDate(trimASCII(cell), false)
		if want == nil && !d.IsZero() {
			again, want := parseDate([]byte(d.String()), false)
			if want != nil || again != d {
				t.Fatalf("date %q is %s, which reads as %s", cell, d, again)
			}
		}
		for _, raw := range []bool{false, true} {
			fen, rounded, want := parseAmount(trimASCII(cell), amountForm{raw: raw})
			if want != nil || rounded || fen > 1e14 || fen < -1e14 {
				continue
			}
			again, _, want := parseAmount([]byte(fen.String()), amountForm{})
			if want != nil || again != fen {
				t.Fatalf("amount %q is %s, which reads as %s", cell, fen, again)
			}
		}
	})
}
