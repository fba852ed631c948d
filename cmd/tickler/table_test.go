package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"pgregory.net/rapid"
)

// printByLibrary is print as the library renders it: the slow reference.
func printByLibrary(s *sheet, colour bool) string {
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
	return strings.Join(lines, "\n") + "\n"
}

func TestTablesAreThoseOfTheLibrary(t *testing.T) {
	text.EnableColors()
	text.OverrideRuneWidthEastAsianWidth(false) // as Main does
	cell := rapid.StringOf(rapid.RuneFrom([]rune("ab 1-名称（）“”—…·é*\u0301～|+")))
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 4).Draw(t, "columns")
		s := &sheet{right: map[int]bool{}}
		for i := range columns {
			s.heads = append(s.heads, rapid.SampledFrom([]string{"编号", "Due", "x"}).Draw(t, "head"))
			s.right[i] = rapid.Bool().Draw(t, "right")
		}
		for range rapid.IntRange(1, 5).Draw(t, "rows") {
			cells := rapid.SliceOfN(cell, columns, columns).Draw(t, "cells")
			s.add(rapid.SampledFrom([]text.Colors{nil, late, soon}).Draw(t, "colour"), cells...)
			if more := rapid.IntRange(0, 2).Draw(t, "lines"); !s.right[columns-1] && more > 0 { // numbers take one line
				s.rows[len(s.rows)-1][columns-1] += strings.Repeat("\n继续 on", more)
			}
		}
		colour := rapid.Bool().Draw(t, "coloured")
		var got bytes.Buffer
		if err := s.print(&got, colour); err != nil {
			t.Fatal(err)
		}
		if want := printByLibrary(s, colour); got.String() != want {
			t.Fatalf("got\n%s\nwant\n%s\n%q\n%q", got.String(), want, got.String(), want)
		}
	})
}

func TestTidyCellsAreLeftAsTheyAre(t *testing.T) {
	cell := rapid.StringOf(rapid.RuneFrom([]rune("ab名 \u3000\t\n\u0085")))
	rapid.Check(t, func(t *rapid.T) {
		s := cell.Draw(t, "cell")
		if tidied := strings.Join(strings.Fields(s), " "); tidy(s) != (tidied == s) {
			t.Fatalf("%q becomes %q, tidy %v", s, tidied, tidy(s))
		}
	})
}
