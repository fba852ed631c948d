package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"tickler/api"
	"tickler/calendar"
)

// writeObligationsJSON writes a list byte for byte as writeJSON does, which for
// thousands of rows spends its time on reflection and on reading its own text
// again to indent it.
func writeObligationsJSON(w io.Writer, list []api.Obligation) error {
	if len(list) == 0 {
		return writeJSON(w, list)
	}
	r := &jsonRows{b: make([]byte, 0, csvPart+4096)}
	next := "[\n  {"
	for i := range list {
		r.b = append(r.b, next...)
		next = ",\n  {"
		r.obligation(&list[i])
		r.b = append(r.b, "\n  }"...)
		if r.err != nil {
			return r.err
		}
		if len(r.b) < csvPart {
			continue
		}
		if _, err := w.Write(r.b); err != nil {
			return err
		}
		r.b = r.b[:0]
	}
	_, err := w.Write(append(r.b, "\n]\n"...))
	return err
}

// jsonRows appends the members of one object after another.
type jsonRows struct {
	b     []byte
	begun bool // the object has a member
	err   error
}

const rowIndent = "    "

// obligation appends the members in the order of their declaration.
func (r *jsonRows) obligation(o *api.Obligation) {
	r.begun = false
	r.text("id", o.ID)
	r.text("rule", o.Rule)
	r.text("name", o.Name)
	r.text("clause", o.Clause)
	r.text("set", o.Set)
	r.pair("subject", "kind", string(o.Subject.Kind), "id", o.Subject.ID)
	r.any("party", o.Party, o.Party == nil)
	if o.Borrower == nil {
		r.any("borrower", nil, true)
	} else {
		r.pair("borrower", "id", o.Borrower.ID, "name", o.Borrower.Name)
	}
	r.text("loan", o.Loan)
	r.text("branch", o.Branch)
	r.text("owner", o.Owner)
	r.text("role", o.Role)
	r.text("occurrence", o.Occurrence)
	r.day("anchor", o.Anchor)
	r.day("raise", o.Raise)
	r.day("due", o.Due)
	r.yes("provisional", o.Provisional)
	r.text("state", string(o.State))
	r.yes("overdue", o.Overdue)
	r.number("workdays_left", o.WorkdaysLeft)
	r.number("late_workdays", o.LateWorkdays)
	r.moment("raised_at", o.RaisedAt)
	r.day("submitted_on", o.SubmittedOn)
	r.unless(o.SubmittedBy == "", "submitted_by", o.SubmittedBy)
	if o.Signatures != nil && len(o.Signatures) == 0 {
		r.member("signatures")
		r.b = append(r.b, "[]"...)
	} else {
		r.any("signatures", o.Signatures, false)
	}
	r.day("done_on", o.DoneOn)
	r.text("rulebook", o.Rulebook)
	r.text("calendar", o.Calendar)
	r.text("short", o.Short)
	r.day("period_end", o.PeriodEnd)
	if o.Progress != nil {
		r.any("progress", o.Progress, false)
	}
	r.day("was_due", o.WasDue)
	r.unless(o.Late == "", "late", o.Late)
	r.unless(o.Cause == "", "cause", o.Cause)
	r.unless(o.ClosedBy == "", "closed_by", o.ClosedBy)
	if len(o.Signs) > 0 {
		r.texts("signs", o.Signs)
	}
	r.unless(o.Level == "", "level", o.Level)
	if o.Waiver != nil {
		r.any("waiver", o.Waiver, false)
	}
	r.yes("stated", o.Stated)
	r.unless(o.Notice == "", "notice", o.Notice)
}

// member begins a member.
func (r *jsonRows) member(name string) {
	if r.begun {
		r.b = append(r.b, ',')
	}
	r.begun = true
	r.b = append(r.b, "\n"+rowIndent+`"`...)
	r.b = append(r.b, name...)
	r.b = append(r.b, `": `...)
}

func (r *jsonRows) text(name, s string) {
	r.member(name)
	r.quoted(s)
}

func (r *jsonRows) unless(empty bool, name, s string) {
	if !empty {
		r.text(name, s)
	}
}

func (r *jsonRows) texts(name string, list []string) {
	r.member(name)
	next := "[\n"
	for _, s := range list {
		r.b = append(r.b, next...)
		next = ",\n"
		r.b = append(r.b, rowIndent+"  "...)
		r.quoted(s)
	}
	r.b = append(r.b, "\n"+rowIndent+"]"...)
}

// pair appends an object of two texts.
func (r *jsonRows) pair(name, key1, s1, key2, s2 string) {
	r.member(name)
	r.b = append(r.b, "{\n"+rowIndent+`  "`...)
	r.b = append(r.b, key1...)
	r.b = append(r.b, `": `...)
	r.quoted(s1)
	r.b = append(r.b, ",\n"+rowIndent+`  "`...)
	r.b = append(r.b, key2...)
	r.b = append(r.b, `": `...)
	r.quoted(s2)
	r.b = append(r.b, "\n"+rowIndent+"}"...)
}

func (r *jsonRows) day(name string, d calendar.Date) {
	r.member(name)
	at := len(r.b)
	r.b = append(r.b, '"')
	if r.b = d.Append(r.b); len(r.b) == at+1 {
		r.b = append(r.b[:at], "null"...)
		return
	}
	r.b = append(r.b, '"')
}

func (r *jsonRows) yes(name string, b bool) {
	r.member(name)
	r.b = strconv.AppendBool(r.b, b)
}

func (r *jsonRows) number(name string, n int) {
	r.member(name)
	r.b = strconv.AppendInt(r.b, int64(n), 10)
}

func (r *jsonRows) moment(name string, t *time.Time) {
	if t == nil {
		r.any(name, nil, true)
		return
	}
	r.member(name)
	b, err := t.AppendText(append(r.b, '"'))
	if err != nil && r.err == nil {
		r.err = err
	}
	r.b = append(b, '"')
}

// any appends what few rows have, by the library.
func (r *jsonRows) any(name string, v any, null bool) {
	r.member(name)
	if null {
		r.b = append(r.b, "null"...)
		return
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent(rowIndent, "  ")
	if err := e.Encode(v); err != nil && r.err == nil {
		r.err = err
	}
	r.b = append(r.b, bytes.TrimRight(text.Bytes(), "\n")...)
}

// quoted appends a string; by the library where it holds what has to be escaped.
func (r *jsonRows) quoted(s string) {
	if !plainJSON(s) {
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(s); err != nil && r.err == nil {
			r.err = err
		}
		r.b = append(r.b, bytes.TrimRight(text.Bytes(), "\n")...)
		return
	}
	r.b = append(r.b, '"')
	r.b = append(r.b, s...)
	r.b = append(r.b, '"')
}

// plainJSON says that a text stands in JSON as it is.
func plainJSON(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == '"' || c == '\\' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		c, n := utf8.DecodeRuneInString(s[i:])
		if c == utf8.RuneError || c == '\u2028' || c == '\u2029' {
			return false
		}
		i += n
	}
	return true
}
