//go:build linux

package main

import (
	"strings"
	"testing"
	"time"

	"tickler/calendar"
)

func TestTheReportSaysWhatIsNotMetAndWhatIsMissing(t *testing.T) {
	sections := []Section{{Name: "A", Rows: []Row{
		{Work: "quick", Ours: "1 ns", Beside: "limit 3 ns", Ratio: "0.33", Target: "<= 3 ns", Met: Met},
		{Work: "slow | wide", Ours: "9 s", Beside: "limit 3 s", Ratio: "3", Target: "<= 3 s", Met: NotMet},
		missingRow("alone", "1 s", "psql", ">= 4x"),
	}, Notes: []string{"A note."}}}
	var b strings.Builder
	run := &session{options: options{loans: 1_000_000, seed: 6, day: calendar.MustDate(2026, 11, 23)}, missing: []string{"PostgreSQL"}, load: 2.5}
	if err := writeReport(&b, run, sections); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"This run: 1,000,000 loans", "load average up to 2.5;",
		"Missing on this machine, and so not compared: PostgreSQL.",
		"Targets that this run does not meet:\n\n- A: slow | wide\n\n",
		"| quick | 1 ns | limit 3 ns | 0.33 | <= 3 ns | met |\n",
		`| slow \| wide | 9 s | limit 3 s | 3 | <= 3 s | **not met** |` + "\n",
		"| alone | 1 s | psql: missing |  | >= 4x | not measured |\n",
		"\nA note.\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "%!") {
		t.Errorf("the head's words do not fit:\n%s", b.String())
	}
}

func TestFiguresArePrintedWithThreeDigits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		3: "3 ns", 1234: "1.23 us", 45_678_000: "45.7 ms", 999_700_000: "1 s", 12_345_000_000: "12.3 s", 123_456_000_000: "123 s",
	} {
		if got := took(d); got != want {
			t.Errorf("%d ns: %q, want %q", d, got, want)
		}
	}
	for x, want := range map[float64]string{0.0456: "0.046x", 4.556: "4.56x", 123.4: "123x", 4049.7: "4,050x"} {
		if got := factor(x); got != want {
			t.Errorf("%v times: %q, want %q", x, got, want)
		}
	}
	for x, want := range map[float64]string{0.66: "0.66x", 0.67: "0.67x, a tie", 1: "1x, a tie", 1.49: "1.49x, a tie", 1.5: "1.5x"} {
		if got := apart(x); got != want {
			t.Errorf("%v apart: %q, want %q", x, got, want)
		}
	}
	if got := (Sample{Usage{Wall: time.Second}, 1}).wall(); got != "1 s (one run)" {
		t.Errorf("one run: %q", got)
	}
	if got := count(17_700_000); got != "17,700,000" {
		t.Errorf("count: %s", got)
	}
	if got := perSecond(3_000_000, 2*time.Second, "rows"); got != "1.50M rows/s" {
		t.Errorf("rate: %s", got)
	}
}

func TestBenchmarksAreReadAsMedians(t *testing.T) {
	got := parseBenchmarks([]byte("goos: linux\nBenchmarkA/rickar-WorkdayFunc-2 \t 10\t 5 ns/op\t 0 allocs/op\nBenchmarkA/rickar-WorkdayFunc-2 \t 10\t 9 ns/op\t 0 allocs/op\n" +
		"BenchmarkA/rickar-WorkdayFunc-2 \t 10\t 6 ns/op\t 0 allocs/op\nPASS\n"))
	if f := got["A/rickar-WorkdayFunc"]; len(got) != 1 || f["ns/op"] != 6 || f["allocs/op"] != 0 {
		t.Errorf("%v", got)
	}
}

func TestWhatTakesLongRunsOnce(t *testing.T) {
	for wall, want := range map[time.Duration]int{time.Second: 3, long + 1: 1} {
		sample, err := repeat(3, func(run int) (Usage, error) { return Usage{Wall: wall + time.Duration(run)}, nil })
		if err != nil || sample.Runs != want {
			t.Errorf("%s: %d runs, %v", wall, sample.Runs, err)
		}
	}
	walls := []time.Duration{9, 1, 5}
	sample, err := repeat(3, func(run int) (Usage, error) { return Usage{Wall: walls[run]}, nil })
	if err != nil || sample.Wall != 5 {
		t.Errorf("the median of %v is %d, %v", walls, sample.Wall, err)
	}
}
