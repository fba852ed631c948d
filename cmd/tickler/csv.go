package main

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"tickler/calendar"
)

// writeCSV writes RFC 4180, with line feeds, a header first.
func writeCSV(w io.Writer, head []string, rows func(yield func([]string) bool)) error {
	c := csv.NewWriter(w)
	if err := c.Write(head); err != nil {
		return err
	}
	for r := range rows {
		if err := c.Write(guardedRow(r)); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// csvLines is writeCSV for lists of thousands of rows: the cells are appended
// as they come, and no text is made of a day or a number before.
type csvLines struct {
	w     io.Writer
	b     []byte
	begun bool // the line has a cell
}

const csvPart = 64 << 10 // bytes; about what is written at once

func newCSVLines(w io.Writer) *csvLines {
	return &csvLines{w: w, b: make([]byte, 0, csvPart+4096)}
}

func (c *csvLines) head(names []string) error {
	for _, name := range names {
		c.text(name)
	}
	return c.end()
}

func (c *csvLines) next() {
	if c.begun {
		c.b = append(c.b, ',')
	}
	c.begun = true
}

// text appends a cell as encoding/csv writes it once it is guarded.
func (c *csvLines) text(s string) {
	c.next()
	if plainText(s) {
		c.b = append(c.b, s...)
		return
	}
	if s = guarded(s); !quoted(s) {
		c.b = append(c.b, s...)
		return
	}
	c.b = append(c.b, '"')
	for i := range len(s) {
		if s[i] == '"' {
			c.b = append(c.b, '"')
		}
		c.b = append(c.b, s[i])
	}
	c.b = append(c.b, '"')
}

// plainText says that a text begins with a letter or a digit and holds nothing
// that could want quotes.
func plainText(s string) bool {
	if s == "" {
		return true
	}
	if c := s[0]; c < '0' || c > 'z' || '9' < c && c < 'A' || 'Z' < c && c < 'a' {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '"' || s[i] == ',' {
			return false
		}
	}
	return true
}

// quoted says that encoding/csv puts a cell, which is not empty, in quotes.
func quoted(s string) bool {
	if s == `\.` {
		return true
	}
	for i := range len(s) {
		if c := s[i]; c == '\n' || c == '\r' || c == '"' || c == ',' {
			return true
		}
	}
	first, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(first)
}

func (c *csvLines) day(d calendar.Date) { c.next(); c.b = d.Append(c.b) }
func (c *csvLines) number(n int)        { c.next(); c.b = strconv.AppendInt(c.b, int64(n), 10) }
func (c *csvLines) yes(b bool)          { c.next(); c.b = strconv.AppendBool(c.b, b) }

// moment appends a time of day in UTC, to the second; nil is an empty cell.
func (c *csvLines) moment(t *time.Time) {
	c.next()
	if t != nil {
		c.b = t.UTC().AppendFormat(c.b, time.RFC3339)
	}
}

// end ends a line.
func (c *csvLines) end() error {
	c.b, c.begun = append(c.b, '\n'), false
	if len(c.b) < csvPart {
		return nil
	}
	return c.flush()
}

func (c *csvLines) flush() error {
	_, err := c.w.Write(c.b)
	c.b = c.b[:0]
	return err
}
