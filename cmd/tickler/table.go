package main

import (
	"bytes"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

// sheet is a table for people: aligned by the width that Chinese takes, no
// rules but one under the head, and no wider than the terminal.
type sheet struct {
	heads  []string
	right  map[int]bool // columns of numbers
	shrink []shrink     // columns that may be cut on a narrow terminal, the first one first
	wrap   bool         // the last column goes on in the next line instead of being cut
	rows   [][]string
	colour []text.Colors // of the row; nil is plain
}

func (s *sheet) add(c text.Colors, cells ...string) {
	for i := range cells {
		if !tidy(cells[i]) {
			cells[i] = strings.Join(strings.Fields(cells[i]), " ") // one line a row
		}
	}
	s.rows = append(s.rows, cells)
	s.colour = append(s.colour, c)
}

// tidy says that a cell is one line without needless spaces, as far as that is
// seen at once: others are made so.
func tidy(s string) bool {
	blank := true // what stands before
	for _, r := range s {
		if r == ' ' && blank || r != ' ' && unicode.IsSpace(r) {
			return false
		}
		blank = r == ' '
	}
	return s == "" || !blank
}

// shrink says that a column may be cut, and what it keeps.
type shrink struct{ column, least int }

// fit cuts columns until a row takes at most width; 0 is any width.
func (s *sheet) fit(width int) {
	if width <= 0 {
		return
	}
	w := make([]int, len(s.heads))
	total := 2 * (len(s.heads) - 1)
	for i, h := range s.heads {
		w[i] = wide(h)
		for _, r := range s.rows {
			w[i] = max(w[i], wide(r[i]))
		}
		total += w[i]
	}
	if last := len(s.heads) - 1; s.wrap && total > width {
		to := min(w[last], max(36, w[last]-(total-width)))
		total -= w[last] - to
		for _, r := range s.rows {
			r[last] = wrapped(r[last], to)
		}
	}
	for _, c := range s.shrink {
		if total <= width {
			return
		}
		i, to := c.column, max(c.least, w[c.column]-(total-width))
		if to >= w[i] {
			continue
		}
		total -= w[i] - to
		w[i] = to
		for _, r := range s.rows {
			r[i] = cut(r[i], to)
		}
	}
}

// wrapped breaks a text into lines of at most width: between words, and within
// Chinese, which has no spaces to break at, anywhere.
func wrapped(s string, width int) string {
	var b strings.Builder
	n := 0
	put := func(word string) {
		k := wide(word)
		if n > 0 && n+k > width {
			b.WriteByte('\n')
			n = 0
			if word = strings.TrimLeft(word, " "); word == "" {
				return
			}
			k = wide(word)
		}
		n += k
		b.WriteString(word)
	}
	word := ""
	for _, r := range s {
		double := text.RuneWidth(r) > 1
		if double || r == ' ' || wide(word) >= width-1 {
			put(word)
			word = ""
		}
		if word += string(r); double {
			put(word)
			word = ""
		}
	}
	put(word)
	return b.String()
}

// cut shortens a text to a width, with an ellipsis. A Chinese character that
// would stick out by half goes as well.
func cut(s string, width int) string {
	if wide(s) <= width {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		k := text.RuneWidth(r)
		if n+k > width-1 {
			break
		}
		n += k
		b.WriteRune(r)
	}
	return b.String() + "…"
}

// between is what stands between two columns.
const between = "  "

// print writes the table. Every cell is measured once.
func (s *sheet) print(w io.Writer, colour bool) error {
	if width, ok := terminal(w); ok {
		s.fit(width)
	}
	widths, columns := s.measure()
	var b bytes.Buffer
	line := func(row []string, measured []int) {
		for i, cell := range row {
			fill := columns[i] - measured[i]
			if i > 0 {
				b.WriteString(between)
			}
			if s.right[i] {
				spaces(&b, fill)
			}
			b.WriteString(cell)
			if !s.right[i] && i < len(row)-1 { // the last column is not padded
				spaces(&b, fill)
			}
		}
		trimRight(&b)
	}
	line(s.heads, widths[0])
	b.WriteByte('\n')
	for i, n := range columns {
		if i > 0 {
			b.WriteString(between)
		}
		b.WriteString(strings.Repeat("-", n))
	}
	b.WriteByte('\n')
	indent := 0 // of the lines that go on with the last column
	for _, n := range columns[:len(columns)-1] {
		indent += n + len(between)
	}
	for i, row := range s.rows {
		shade := colour && s.colour[i] != nil
		last := len(row) - 1
		goesOn := false
		for part := range strings.SplitSeq(row[last], "\n") {
			if shade {
				b.WriteString(s.colour[i].EscapeSeq())
			}
			if goesOn {
				spaces(&b, indent)
				b.WriteString(part)
				trimRight(&b)
			} else {
				line(append(row[:last:last], part), widths[i+1])
			}
			if shade {
				b.WriteString(text.EscapeReset)
			}
			b.WriteByte('\n')
			goesOn = true
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// measure gives how wide each cell is, heads first, and each column.
func (s *sheet) measure() (cells [][]int, columns []int) {
	columns = make([]int, len(s.heads))
	all := make([]int, len(s.heads)*(1+len(s.rows)))
	take := func(row []string) {
		var measured []int
		measured, all = all[:len(row):len(row)], all[len(row):]
		for i, cell := range row {
			measured[i] = widest(cell)
			columns[i] = max(columns[i], measured[i])
		}
		cells = append(cells, measured)
	}
	take(s.heads)
	for _, r := range s.rows {
		take(r)
	}
	return cells, columns
}

// widest is how much of the screen the longest line of a cell takes.
func widest(cell string) int {
	n := 0
	for line := range strings.SplitSeq(cell, "\n") {
		n = max(n, wide(line))
	}
	return n
}

// wide is how much of the screen a line takes. What is printable ASCII takes what
// it has.
func wide(s string) int {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return text.StringWidthWithoutEscSequences(s)
		}
	}
	return len(s)
}

func spaces(b *bytes.Buffer, n int) {
	for range n {
		b.WriteByte(' ')
	}
}

// trimRight takes back the spaces at the end of what was written.
func trimRight(b *bytes.Buffer) {
	b.Truncate(len(bytes.TrimRight(b.Bytes(), " ")))
}

// pad fills a text with spaces to a width on the screen.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-wide(s)))
}
