package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Mistake is one thing wrong in a calendar file.
type Mistake struct {
	File         string
	Line, Column int // from 1, columns in characters; column 0 where it is not known
	Text         string
}

// Error returns file:line:column: text, without a column that is not known.
func (m Mistake) Error() string {
	if m.Column == 0 {
		return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Text)
}

// Mistakes are all the mistakes of a file, by line and column.
type Mistakes []Mistake

// Error returns them a line each.
func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

// err returns nil if there are none.
func (ms Mistakes) err() error {
	if len(ms) == 0 {
		return nil
	}
	slices.SortStableFunc(ms, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ms
}

// place is where something stands in a file.
type place struct {
	file         string
	line, column int
}

func (ms *Mistakes) add(at place, format string, args ...any) {
	*ms = append(*ms, Mistake{at.file, at.line, at.column, fmt.Sprintf(format, args...)})
}
