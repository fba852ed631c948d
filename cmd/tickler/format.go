package main

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"regexp"
)

// writeJSON writes a value for scripts: indented, nothing escaped that JSON
// lets stand.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

var plainCell = regexp.MustCompile(`^[-+]?[0-9][0-9.:-]*$`) // a number or a date

// guarded keeps a cell from being taken for a formula: what a spreadsheet
// would run begins with = + - @, a tab or a return.
func guarded(s string) string {
	if s == "" {
		return s
	}
	switch s[0] {
	case '=', '+', '-', '@', '\t', '\r':
		if !plainCell.MatchString(s) {
			return "'" + s
		}
	}
	return s
}

func guardedRow(r []string) []string {
	for i := range r {
		r[i] = guarded(r[i])
	}
	return r
}

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
