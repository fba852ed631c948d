package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

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
func (r *Rule) landing(e DateExpr) calendar.Landing {
	switch {
	case r.Landing != calendar.Unset:
		return r.Landing
	case e.Before(), e.OnPeriodEnd():
		return calendar.Preceding
	}
	return calendar.Following
}

// anchors gives the days that a rule of this shape can count from.
func (r *Rule) anchors() []string {
	switch {
	case r.vague:
		return nil
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
	case r.For == loan.KindBorrower:
		return []string{} // a fixed day alone
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

// unitHints are words that people write for a unit.
var unitHints = map[string]string{
	"wd": "workdays", "bd": "workdays", "working": "workdays", "business": "workdays", "工作日": "workdays", "个工作日": "workdays",
	"d": "days", "天": "days", "日": "days", "w": "weeks", "周": "weeks", "m": "months", "mo": "months", "月": "months", "个月": "months",
	"y": "years", "年": "years", "quarter": "months", "quarters": "months", "季": "months",
}

// dateWord is one word of a date expression and its column in the text, from 0.
type dateWord struct {
	text string
	col  int
}

func words(s string) []dateWord {
	var out []dateWord
	start, i := -1, 0
	var word []rune
	for _, r := range s + " " {
		blank := r == ' ' || r == '\u00a0' || r == '\t' || r == '\n' || r == '\r'
		switch {
		case !blank && start < 0:
			start, word = i, []rune{r}
		case !blank:
			word = append(word, r)
		case start >= 0:
			out = append(out, dateWord{string(word), start})
			start = -1
		}
		i++
	}
	return out
}

// blame reports a mistake at one word of a date expression.
func (t *tree) blame(n *yaml.Node, key string, w dateWord, hint, format string, args ...any) {
	p := t.spotsOf(n).at(w.col)
	t.at(p.line, p.col, fmt.Sprintf("%s %q: ", key, strings.TrimSpace(n.Value))+fmt.Sprintf(format, args...), hint)
}

// date reads a date expression that counts from one of the anchors; nil is any,
// for a rule whose shape is wrong already.
func (t *tree) date(n *yaml.Node, key string, anchors []string) (DateExpr, bool) {
	s := t.str(n, key)
	e := DateExpr{Text: strings.Join(strings.Fields(s), " ")}
	if s == "" || t.wide(n, key) {
		return e, false
	}
	fail := func(w dateWord, hint, format string, args ...any) (DateExpr, bool) {
		t.blame(n, key, w, hint, format, args...)
		return e, false
	}
	ws := words(s)
	if ws == nil {
		return fail(dateWord{}, "", "want a limit, as in 10 workdays after loan.maturity")
	}
	i := 1
	switch first := ws[0].text; {
	case first == "on":
		e.On = true
	case slices.Contains(anchors, first) && len(ws) == 1:
		return fail(ws[0], fmt.Sprintf("write \"on %s\"", first), "a day alone")
	case first == "before" || first == "after":
		return fail(ws[0], "write how long, as in \"10 workdays "+first+"\", or \"on\" for the day itself", "how long %s?", first)
	default:
		l, next, ok := t.limit(n, key, ws)
		if !ok {
			return e, false
		}
		if next >= len(ws) {
			return fail(ws[len(ws)-1], "", "want before or after behind the limit, found the end")
		}
		if w := ws[next].text; w != "before" && w != "after" {
			return fail(ws[next], didYouMean(w, []string{"before", "after"}), "want before or after behind the limit, found %q", w)
		}
		if ws[next].text == "before" {
			l.N = -l.N
		}
		e.Limit = l
		i = next + 1
	}
	if i >= len(ws) {
		return fail(ws[len(ws)-1], "", "want an anchor at the end%s", listed(anchors))
	}
	if i+1 < len(ws) {
		return fail(ws[i+1], "", "%q is too much", ws[i+1].text)
	}
	e.Anchor = ws[i].text
	if looksLikeDay.MatchString(e.Anchor) {
		d, err := calendar.ParseDate(e.Anchor)
		if err != nil {
			return fail(ws[i], "", "%v", err)
		}
		if len(anchors) > 0 && !slices.Contains(anchors, "loan.maturity") {
			return fail(ws[i], "", "a fixed day fits a rule for a loan without every, on and since; this rule can count from %s", orList(anchors))
		}
		e.Anchor, e.Date = "date", d
		return e, true
	}
	if eventField.MatchString(e.Anchor) && slices.Contains(anchors, "event.date") {
		return e, true // a day that the event carries
	}
	if anchors != nil && len(anchors) == 0 {
		return fail(ws[i], "write a day, as in 2026-12-31, or add every: month", "unknown anchor %q (没有这个起算日); a borrower has no days of his own", e.Anchor)
	}
	if anchors != nil && !slices.Contains(anchors, e.Anchor) {
		return fail(ws[i], didYouMean(e.Anchor, anchors), "unknown anchor %q (没有这个起算日); this rule can count from %s", e.Anchor, orList(anchors))
	}
	return e, true
}

func listed(anchors []string) string {
	if len(anchors) == 0 {
		return ""
	}
	return ": " + orList(anchors)
}

var (
	looksLikeDay = regexp.MustCompile(`^[0-9]+[-/.][0-9]+[-/.][0-9]+$`)
	eventField   = regexp.MustCompile(`^event\.[^.\s]+$`)
	digitsOnly   = regexp.MustCompile(`^[0-9]+$`)
	glued        = regexp.MustCompile(`^([0-9]+)([^0-9.]+)$`)
)

// maxCount bounds the number of a limit: 9999 days are 27 years.
const maxCount = 9999

// limit reads "N unit" at the start of the words and says where it ended.
func (t *tree) limit(n *yaml.Node, key string, ws []dateWord) (l calendar.Limit, next int, ok bool) {
	fail := func(w dateWord, hint, format string, args ...any) (calendar.Limit, int, bool) {
		t.blame(n, key, w, hint, format, args...)
		return l, 0, false
	}
	first := ws[0].text
	count, err := strconv.Atoi(first)
	switch m := glued.FindStringSubmatch(first); {
	case m != nil:
		unit := unitHints[m[2]]
		if _, known := units[m[2]]; known {
			unit = m[2]
		}
		if unit == "" {
			unit = "workdays"
		}
		return fail(ws[0], fmt.Sprintf("write %q", m[1]+" "+unit), "%q: want a space between number and unit", first)
	case !digitsOnly.MatchString(first):
		return fail(ws[0], "", "%q: want a whole number and a unit, as in 10 workdays", first)
	case len(first) > 1 && first[0] == '0':
		return fail(ws[0], "", "%q: want no leading zero", first)
	case err != nil || count > maxCount:
		return fail(ws[0], "", "%q: want at most %d", first, maxCount)
	case len(ws) < 2, ws[1].text == "before", ws[1].text == "after":
		return fail(ws[0], "", "want a unit behind %d: %s", count, orList(unitWords))
	}
	unit, known := units[ws[1].text]
	if !known {
		hint := didYouMean(ws[1].text, unitWords)
		if u := unitHints[ws[1].text]; u != "" {
			hint = fmt.Sprintf("did you mean %q?", u)
		}
		return fail(ws[1], hint, "unknown unit %q (没有这个单位); want %s", ws[1].text, orList(unitWords))
	}
	return calendar.Limit{N: count, Unit: unit}, 2, true
}
