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
	shrink []int        // columns that may be cut on a narrow terminal, the first one first
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

// leastWidth is what a cut column keeps.
const leastWidth = 10

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
	for _, i := range s.shrink {
		if total <= width {
			return
		}
		to := max(leastWidth, w[i]-(total-width))
		if to >= w[i] {
			continue
		}
		total -= w[i] - to
		for _, r := range s.rows {
			r[i] = cut(r[i], to)
		}
	}
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
	for i, l := range lines {
		l = strings.TrimRight(l, " ")
		if c := i - 2; colour && c >= 0 && c < len(s.colour) && s.colour[c] != nil {
			l = s.colour[c].EscapeSeq() + l + text.EscapeReset
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
