package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// maxProblems is how many mistakes of a file are kept; the rest are counted.
const maxProblems = 100

// Problem is one mistake in a file, with its place.
type Problem struct {
	File   string `json:"file"`
	Sheet  string `json:"sheet,omitempty"`  // "" in a CSV
	Row    int    `json:"row,omitempty"`    // from 1, as people see it: the line of a CSV, the row of a sheet; 0 is the whole
	Column string `json:"column,omitempty"` // the header, as the file writes it
	Cell   string `json:"cell,omitempty"`   // the cell's text; shown even if empty where Column is set
	Want   Text   `json:"want"`
	Hint   Text   `json:"hint"`
}

// In gives the mistake in one line, in the language:
//
//	a.csv:7 column "到期日": "2026-04-31": want a day that exists; hint
func (p Problem) In(lang string) string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Sheet != "" {
		b.WriteString(":" + p.Sheet)
	}
	if p.Row > 0 {
		b.WriteString(":" + strconv.Itoa(p.Row))
	}
	if p.Column != "" {
		word := "column"
		if lang == "zh" {
			word = "列"
		}
		fmt.Fprintf(&b, " %s %q: %q", word, oneLine(p.Column), p.Cell)
	}
	b.WriteString(": " + p.Want.In(lang))
	if h := p.Hint.In(lang); h != "" {
		if lang == "zh" {
			b.WriteString("；" + h)
		} else {
			b.WriteString("; " + h)
		}
	}
	return b.String()
}

// Errors is every mistake of a file: the first hundred, and how many there
// are in all.
type Errors struct {
	Problems []Problem
	Count    int
}

// Error gives a line for each problem, in English.
func (e *Errors) Error() string { return e.In("en") }

// In gives a line for each problem in the language.
func (e *Errors) In(lang string) string {
	lines := make([]string, 0, len(e.Problems)+1)
	for _, p := range e.Problems {
		lines = append(lines, p.In(lang))
	}
	if n := e.Count - len(e.Problems); n > 0 {
		if lang == "zh" {
			lines = append(lines, fmt.Sprintf("另有 %d 处错误", n))
		} else {
			lines = append(lines, fmt.Sprintf("and %d more", n))
		}
	}
	return strings.Join(lines, "\n")
}

func (e *Errors) add(p Problem) {
	e.Count++
	if len(e.Problems) < maxProblems {
		e.Problems = append(e.Problems, p)
	}
}

// oneLine shows a header that was wrapped in its cell.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
