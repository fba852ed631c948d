package main

import (
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
