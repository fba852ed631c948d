package main

import (
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
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
		cells[i] = strings.Join(strings.Fields(cells[i]), " ") // one line a row
	}
	s.rows = append(s.rows, cells)
	s.colour = append(s.colour, c)
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
		w[i] = text.StringWidthWithoutEscSequences(h)
		for _, r := range s.rows {
			w[i] = max(w[i], text.StringWidthWithoutEscSequences(r[i]))
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
		k := text.StringWidthWithoutEscSequences(word)
		if n > 0 && n+k > width {
			b.WriteByte('\n')
			n = 0
			if word = strings.TrimLeft(word, " "); word == "" {
				return
			}
			k = text.StringWidthWithoutEscSequences(word)
		}
		n += k
		b.WriteString(word)
	}
	word := ""
	for _, r := range s {
		wide := text.RuneWidth(r) > 1
		if wide || r == ' ' || text.StringWidthWithoutEscSequences(word) >= width-1 {
			put(word)
			word = ""
		}
		if word += string(r); wide {
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
	if text.StringWidthWithoutEscSequences(s) <= width {
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

// print writes the table.
func (s *sheet) print(w io.Writer, colour bool) error {
	if width, ok := terminal(w); ok {
		s.fit(width)
	}
	t := table.NewWriter()
	style := table.StyleDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", ""
	style.Box.MiddleVertical, style.Box.MiddleHorizontal, style.Box.MiddleSeparator = "  ", "-", "  "
	style.Format.Header = text.FormatDefault
	style.Options = table.Options{SeparateColumns: true, SeparateHeader: true}
	t.SetStyle(style)
	head := make(table.Row, len(s.heads))
	columns := make([]table.ColumnConfig, len(s.heads))
	for i, h := range s.heads {
		head[i] = h
		columns[i] = table.ColumnConfig{Number: i + 1}
		if s.right[i] {
			columns[i].Align, columns[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	t.AppendHeader(head)
	t.SetColumnConfigs(columns)
	for _, r := range s.rows {
		row := make(table.Row, len(r))
		for i, c := range r {
			row[i] = c
		}
		t.AppendRow(row)
	}
	// The last column is not padded: lines end where their words end.
	lines := strings.Split(t.Render(), "\n")
	var colours []text.Colors // of each line
	for i, r := range s.rows {
		for range 1 + strings.Count(r[len(r)-1], "\n") {
			colours = append(colours, s.colour[i])
		}
	}
	for i, l := range lines {
		l = strings.TrimRight(l, " ")
		if c := i - 2; colour && c >= 0 && c < len(colours) && colours[c] != nil {
			l = colours[c].EscapeSeq() + l + text.EscapeReset
		}
		lines[i] = l
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// pad fills a text with spaces to a width on the screen.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-text.StringWidthWithoutEscSequences(s)))
}
