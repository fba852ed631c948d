//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Row is a line of the table: a piece of work, what it took, and what it is
// held against.
type Row struct {
	Work   string
	Ours   string // this run's figure
	Beside string // the peer or the limit, with its figure in the same run; "" where there is none
	Ratio  string // of the two; "" where there is none
	Target string // what has to be reached; "" where nothing is asked
	Met    Verdict
}

// Verdict says whether a row reaches its target.
type Verdict int

const (
	NoTarget Verdict = iota
	Met
	NotMet
	NotMeasured // the peer is missing, or the size asks for another run
)

func (v Verdict) String() string { return [...]string{"", "met", "**not met**", "not measured"}[v] }

func verdict(met bool) Verdict {
	if met {
		return Met
	}
	return NotMet
}

// Section is the rows of one subject, with what a reader has to know of them.
type Section struct {
	Name  string
	Rows  []Row
	Notes []string
}

var heads = []string{"work", "this run", "limit or peer, same run", "ratio", "target", ""}

func (r Row) cells() []string {
	return []string{r.Work, r.Ours, r.Beside, r.Ratio, r.Target, r.Met.String()}
}

// writeTable writes sections as Markdown.
func writeTable(w io.Writer, sections []Section) error {
	var b strings.Builder
	for _, s := range sections {
		fmt.Fprintf(&b, "### %s\n\n| %s |\n|%s\n", s.Name, strings.Join(heads, " | "), strings.Repeat("---|", len(heads)))
		for _, r := range s.Rows {
			cells := r.cells()
			for i, c := range cells {
				cells[i] = strings.ReplaceAll(c, "|", "\\|")
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
		b.WriteString("\n")
		for _, n := range s.Notes {
			b.WriteString(n + "\n\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// notMet lists the rows that miss their target.
func notMet(sections []Section) (names []string) {
	for _, s := range sections {
		for _, r := range s.Rows {
			if r.Met == NotMet {
				names = append(names, s.Name+": "+r.Work)
			}
		}
	}
	return names
}

// took prints a time with three digits that count.
func took(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g us", float64(d)/float64(time.Microsecond))
	case d < 999500*time.Microsecond:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	case d < 100*time.Second:
		return fmt.Sprintf("%.3g s", d.Seconds())
	default:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
}

func size(bytes int64) string {
	if bytes < 1<<30 {
		return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.2f GiB", float64(bytes)/(1<<30))
}

// count prints a number with its thousands apart.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// rate is how many a second.
func rate(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }

func perSecond(n int, d time.Duration, what string) string {
	r := rate(n, d)
	if r >= 1e6 {
		return fmt.Sprintf("%.2fM %s/s", r/1e6, what)
	}
	return fmt.Sprintf("%.3gk %s/s", r/1e3, what)
}

// whole prints what a process took.
func (s Sample) whole() string {
	return fmt.Sprintf("%s, cpu %s, %s%s", took(s.Wall), took(s.CPU), size(s.Peak), s.once())
}

// wall prints how long a process took.
func (s Sample) wall() string { return took(s.Wall) + s.once() }

// once says so where there was one run alone.
func (s Sample) once() string {
	if s.Runs == 1 {
		return " (one run)"
	}
	return ""
}

// What two programs need in one run differs by less than this from run to run.
const tie = 1.5

// apart prints how many times as much another program needed, and calls a tie a
// tie.
func apart(ratio float64) string {
	if ratio < tie && ratio > 1/tie {
		return factor(ratio) + ", a tie"
	}
	return factor(ratio)
}

// times is apart of what two programs took.
func times(theirs, ours time.Duration) string {
	if ours <= 0 {
		return ""
	}
	return apart(float64(theirs) / float64(ours))
}

// factor prints how many times something is: 0.05x, 4.56x, 123x, 4,050x.
func factor(x float64) string {
	switch {
	case x < 1:
		return fmt.Sprintf("%.2gx", x)
	case x < 100:
		return fmt.Sprintf("%.3gx", x)
	default:
		return count(int(x+0.5)) + "x"
	}
}
