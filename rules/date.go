package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"tickler/calendar"
	"tickler/loan"
)

// DateExpr is a day of the rulebook's small language:
// `[N unit] before|after ANCHOR` or `on ANCHOR`.
type DateExpr struct {
	Limit  calendar.Limit // N is negative for before, 0 for on; without a landing
	On     bool
	Anchor string        // loan.maturity, period.end, ..., or "date"
	Date   calendar.Date // of the anchor "date"
	Text   string        // as written
}

// span is a stretch of days, both ends included.
type span struct{ first, last DateExpr }

// Before says that the limit counts back from its anchor.
func (e DateExpr) Before() bool { return e.Limit.N < 0 || strings.Contains(e.Text, " before ") }

// OnPeriodEnd says that the duty is due with its period.
func (e DateExpr) OnPeriodEnd() bool { return e.On && e.Anchor == "period.end" }

// landing is the rule's landing, or the default of the form: preceding for
// before and for on period.end, so that nothing is late, following for the
// others (民法典 203). A limit in workdays ends on one by itself.
func (r *Rule) landing() calendar.Landing {
	switch {
	case r.Landing != calendar.Unset:
		return r.Landing
	case r.Due.Before(), r.Due.OnPeriodEnd():
		return calendar.Preceding
	}
	return calendar.Following
}

// anchors gives the days that a rule of this shape can count from.
func (r *Rule) anchors() []string {
	switch {
	case len(r.On) > 0:
		return []string{"event.date"}
	case len(r.Since) > 0:
		return []string{"since"}
	case r.Every == "interest_date":
		return []string{"interest.date", "interest.date_landed"}
	case r.Every == "fee_date":
		return []string{"fee.date", "fee.date_landed"}
	case r.Every != "":
		return []string{"period.end", "period.start"}
	case r.For == loan.KindLoan:
		return []string{"loan.disbursed", "loan.maturity", "loan.maturity_landed", "loan.original_maturity"}
	}
	return nil
}

var units = map[string]calendar.Unit{
	"workday": calendar.Workdays, "workdays": calendar.Workdays,
	"day": calendar.Days, "days": calendar.Days,
	"week": calendar.Weeks, "weeks": calendar.Weeks,
	"month": calendar.Months, "months": calendar.Months,
	"year": calendar.Years, "years": calendar.Years,
}

var unitWords = []string{"workday", "day", "week", "month", "year"}

// dateWord is one word of a date expression and its column in the text, from 0.
type dateWord struct {
	text string
	col  int
}

func words(s string) []dateWord {
	var out []dateWord
	col := 0
	for _, part := range strings.SplitAfter(s, " ") {
		if w := strings.TrimSpace(part); w != "" {
			out = append(out, dateWord{w, col + strings.Index(part, w)})
		}
		col += utf8.RuneCountInString(part)
	}
	return out
}

// date reads a date expression; extra are anchors beside those of the rule.
func (t *tree) date(n *yaml.Node, key string, anchors []string) (DateExpr, bool) {
	s := t.str(n, key)
	e := DateExpr{Text: strings.Join(strings.Fields(s), " ")}
	if s == "" {
		return e, false
	}
	fail := func(w dateWord, hint, format string, args ...any) (DateExpr, bool) {
		t.at(n.Line, n.Column+quoted(n)+w.col, fmt.Sprintf("%s %q: ", key, s)+fmt.Sprintf(format, args...), hint)
		return e, false
	}
	ws := words(s)
	i := 0
	if ws[0].text == "on" {
		e.On = true
		i = 1
	} else if slices.Contains(anchors, ws[0].text) && len(ws) == 1 {
		return fail(ws[0], fmt.Sprintf("write \"on %s\"", ws[0].text), "a day alone")
	} else {
		l, next, ok := t.limit(n, key, ws)
		if !ok {
			return e, false
		}
		if next >= len(ws) || ws[next].text != "before" && ws[next].text != "after" {
			w := ws[min(next, len(ws)-1)]
			found := "the end"
			if next < len(ws) {
				found = fmt.Sprintf("%q", w.text)
			}
			return fail(w, "", "want before or after behind the limit, found %s", found)
		}
		if ws[next].text == "before" {
			l.N = -l.N
		}
		e.Limit = l
		i = next + 1
	}
	if i >= len(ws) {
		return fail(ws[len(ws)-1], "", "want an anchor at the end: %s", orList(anchors))
	}
	if i+1 < len(ws) {
		return fail(ws[i+1], "", "%q is too much", ws[i+1].text)
	}
	e.Anchor = ws[i].text
	if d, err := calendar.ParseDate(e.Anchor); err == nil {
		e.Anchor, e.Date = "date", d
		return e, true
	}
	if strings.HasPrefix(e.Anchor, "event.") && slices.Contains(anchors, "event.date") {
		return e, true // a day that the event carries
	}
	if !slices.Contains(anchors, e.Anchor) {
		return fail(ws[i], didYouMean(e.Anchor, anchors), "unknown anchor %q; this rule can count from %s", e.Anchor, orList(anchors))
	}
	return e, true
}

// limit reads "N unit" at the start of the words and says where it ended.
func (t *tree) limit(n *yaml.Node, key string, ws []dateWord) (l calendar.Limit, next int, ok bool) {
	fail := func(w dateWord, hint, format string, args ...any) (calendar.Limit, int, bool) {
		t.at(n.Line, n.Column+quoted(n)+w.col, fmt.Sprintf("%s %q: ", key, n.Value)+fmt.Sprintf(format, args...), hint)
		return l, 0, false
	}
	count, err := wholeNumber(ws[0].text)
	if err != nil {
		return fail(ws[0], "", "%q: want a whole number and a unit, as in 10 workdays", ws[0].text)
	}
	if len(ws) < 2 {
		return fail(ws[0], "", "want a unit behind %d: %s", count, orList(unitWords))
	}
	unit, known := units[ws[1].text]
	if !known {
		return fail(ws[1], didYouMean(ws[1].text, unitWords), "unknown unit %q; want %s", ws[1].text, orList(unitWords))
	}
	return calendar.Limit{N: count, Unit: unit}, 2, true
}

// wholeNumber takes 0 and what begins with 1 to 9: YAML and Go would read 010
// as 8.
func wholeNumber(s string) (int, error) {
	if len(s) > 1 && s[0] == '0' {
		return 0, fmt.Errorf("%q begins with a zero", s)
	}
	v, err := strconv.ParseUint(s, 10, 16)
	return int(v), err
}

// quoted is 1 where a scalar's text begins behind a quote.
func quoted(n *yaml.Node) int {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		return 1
	}
	return 0
}
