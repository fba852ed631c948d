//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"tickler/calendar"
)

// benchmarks runs some of a package's own benchmarks, and gives the medians of
// five: name without Benchmark and the number of cores -> unit -> figure.
func (s *session) benchmarks(ctx context.Context, pkg, pattern string) (map[string]map[string]float64, error) {
	c := exec.CommandContext(ctx, "go", "test", pkg, "-run", "^$", "-bench", pattern, "-benchmem", "-count", strconv.Itoa(s.runs), "-benchtime", "300ms")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	_, out, err := measure(c)
	if err != nil {
		return nil, err
	}
	return parseBenchmarks(out), nil
}

func parseBenchmarks(out []byte) map[string]map[string]float64 {
	all := map[string]map[string][]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if i := strings.LastIndex(name, "-"); i > 0 {
			if _, err := strconv.Atoi(name[i+1:]); err == nil {
				name = name[:i]
			}
		}
		if all[name] == nil {
			all[name] = map[string][]float64{}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				all[name][fields[i+1]] = append(all[name][fields[i+1]], v)
			}
		}
	}
	medians := map[string]map[string]float64{}
	for name, units := range all {
		medians[name] = map[string]float64{}
		for unit, figures := range units {
			medians[name][unit] = median(figures, same[float64])
		}
	}
	return medians
}

func nanoseconds(ns float64) string {
	if ns < 1000 {
		return fmt.Sprintf("%.3g ns", ns)
	}
	return took(time.Duration(ns))
}

// microSections are the figures of single calls, from the packages' benchmarks.
func (s *session) microSections(ctx context.Context) ([]Section, error) {
	s.say("days and rules, from the packages' benchmarks")
	days, err := s.benchmarks(ctx, "tickler/calendar", "FifteenWorkdays")
	if err != nil {
		return nil, err
	}
	book, err := s.benchmarks(ctx, "tickler/rules", "Rulebook|LoanRules|ExprAlone")
	if err != nil {
		return nil, err
	}
	shifts, err := s.shiftRows(ctx, days)
	if err != nil {
		return nil, err
	}
	cel, err := s.celRow(ctx, book["LoanRules"]["ns/rule-loan"])
	if err != nil {
		return nil, err
	}
	rule, loans := book["Rulebook"], book["LoanRules"]
	mean, allocs, alone := loans["ns/rule-loan"], max(rule["allocs/op"], loans["allocs/op"]), book["ExprAlone"]["ns/op"]
	return []Section{
		{Name: "A date: fifteen working days on", Rows: shifts},
		{Name: "A rule asked of a loan", Rows: []Row{
			{Work: fmt.Sprintf("condition and dates of the shipped rulebook, mean over %.0f rules for loans", rule["rules"]), Ours: nanoseconds(mean), Beside: "limit 60 ns",
				Ratio: fmt.Sprintf("%.2f of the limit", mean/60), Target: "<= 60 ns", Met: verdict(mean <= 60)},
			{Work: "every rule that is asked, the borrower's included", Ours: nanoseconds(rule["ns/rule-asked"])},
			{Work: "the rules for loans, beside one condition alone", Ours: nanoseconds(mean), Beside: "expr's machine: " + nanoseconds(alone), Ratio: apart(alone / mean)},
			cel,
			{Work: "allocations a loan", Ours: fmt.Sprint(allocs), Beside: "limit 0", Target: "0", Met: verdict(allocs == 0)},
		}, Notes: []string{fmt.Sprintf("The rules for loans: conditions, dates and the writing of %.1f obligations a loan, on every core at once. "+
			"A loan with its borrower under the whole rulebook, 400 days, takes %s and gives %.1f.", loans["duties/loan"], nanoseconds(rule["ns/op"]), rule["duties/loan"])}},
	}, nil
}

// celRow holds the mean of a rule against one condition in CEL.
func (s *session) celRow(ctx context.Context, mean float64) (Row, error) {
	const work = "the rules for loans, beside one condition alone"
	if !s.has("cel") {
		return missingRow(work, nanoseconds(mean), "CEL", ""), nil
	}
	_, out, err := measure(exec.CommandContext(ctx, s.goPeer("cel")))
	if err != nil {
		return Row{}, err
	}
	alone, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return Row{Work: work, Ours: nanoseconds(mean), Beside: "CEL: " + nanoseconds(alone), Ratio: apart(alone / mean)}, err
}

func (s *session) shiftRows(ctx context.Context, days map[string]map[string]float64) ([]Row, error) {
	ns := func(name string) float64 { return days["FifteenWorkdays/"+name]["ns/op"] }
	ours := ns("tickler")
	rows := []Row{{Work: "one shift", Ours: nanoseconds(ours), Beside: "limit 3 ns", Ratio: fmt.Sprintf("%.2f of the limit", ours/3), Target: "<= 3 ns", Met: verdict(ours <= 3)}}
	beside := func(peer string, theirs float64, target string, met Verdict) {
		rows = append(rows, Row{Work: "the same", Ours: nanoseconds(ours), Beside: peer + ": " + nanoseconds(theirs), Ratio: apart(theirs / ours), Target: target, Met: met})
	}
	walked := ns("rickar-WorkdayFunc")
	beside("rickar, WorkdayFunc", walked, ">= 200x", verdict(walked >= 200*ours))
	beside("rickar, Holidays (no make-up days)", ns("rickar-Holidays"), "", NoTarget)
	var off strings.Builder
	first := calendar.MustDate(2026, 1, 1)
	for d := first; d < first.AddDays(600); d = d.AddDays(1) {
		day, err := calendar.Builtin().Day(d)
		if err != nil {
			return nil, err
		}
		if !day.Workday && day.Kind != calendar.KindWeekend {
			off.WriteString(d.String() + "\n")
		}
	}
	for _, peer := range []struct{ module, script, name string }{
		{"numpy", "numpy_shift", "numpy, a vector of 102,400 (no make-up days)"},
		{"QuantLib", "quantlib_shift", "QuantLib from Python"},
	} {
		if !s.has(peer.module) {
			rows = append(rows, missingRow("the same", nanoseconds(ours), peer.name, ""))
			continue
		}
		var theirs float64
		if _, err := s.script(ctx, peer.script, off.String(), &theirs); err != nil {
			return nil, err
		}
		beside(peer.name, theirs, "", NoTarget)
	}
	return slices.Clip(rows), nil
}
