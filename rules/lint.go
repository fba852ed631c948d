package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"tickler/calendar"
	"tickler/loan"
)

// Lint finds what a sound rulebook should still be asked about: figures that
// the manual does not give, rules that nothing can close, exemptions that
// never hold, loans that no inspection report covers. Rules of sets that the
// branch does not follow are passed over. The order is that of the file.
func Lint(b *Book) []Problem {
	l := &linter{book: b}
	for _, r := range b.Rules {
		if b.Active(r) {
			l.rule(r)
		}
	}
	l.reports()
	l.unused()
	return l.found.sorted()
}

type linter struct {
	book  *Book
	found Problems
}

func (l *linter) warn(r *Rule, at place, hint, format string, args ...any) {
	if at.line == 0 {
		at.line = r.Line
	}
	l.found = append(l.found, Problem{File: l.book.File, Line: at.line, Col: at.col, Rule: r.ID, Text: fmt.Sprintf(format, args...), Hint: hint})
}

func (l *linter) rule(r *Rule) {
	if !r.Stated {
		l.warn(r, r.at["stated"], "", "the figure is the bank's own, the manual gives none (期限由本行确定)")
	}
	if r.Clause == "" {
		l.warn(r, r.at["id"], "say where the duty comes from: clause: 篇三 二(二)", "no clause (没有依据条款)")
	}
	if r.at["name"].line == 0 {
		l.warn(r, r.at["id"], "staff read the name; without one they read the id", "no name (没有名称)")
	}
	if len(r.ClosesOn) == 0 && r.Needs == nil {
		l.warn(r, r.at["id"], "add closes_on, or needs for a quota", "nothing closes it but a person's word (没有办结事件)")
	}
	for _, kind := range l.subjects(r) {
		if len(r.ClosesOn) > 0 && !slices.ContainsFunc(r.ClosesOn, func(e string) bool { return slices.Contains(l.book.Events[e].For, kind) }) {
			l.warn(r, r.at["closes_on"], "", "closes_on: none of these is ever recorded of a %s, which it may be about (没有能办结它的事件)", kind)
		}
	}
	for _, kind := range r.On {
		l.trigger(r, kind)
	}
	l.conditions(r)
	l.raise(r)
	l.yields(r)
}

// trigger looks for an event that can never open a duty of the rule: it is
// recorded of nobody whom the rule is for, or the condition rules it out; and
// for a day that no event is asked to carry.
func (l *linter) trigger(r *Rule, kind string) {
	e := l.book.Events[kind]
	if r.For != "" && !slices.Contains(e.For, r.For) && !(r.For == loan.KindBorrower && slices.ContainsFunc(e.For, below)) {
		l.warn(r, r.at["on"], "", "on: %s is never recorded of a %s, nor of anything of his (这个事件触发不了本规则)", kind, r.For)
	}
	if when := r.When.root(); when != nil && !l.somewhere(when, nil, known{"event.kind": kind}) {
		l.warn(r, r.at["on"], "", "on: the condition never holds for %s (条件使这个事件触发不了本规则)", kind)
	}
	for _, d := range r.Dues {
		name, ok := strings.CutPrefix(d.Anchor, "event.")
		if ok && name != "date" && e.field(name) == nil {
			l.warn(r, r.at["due"], "declare it under fields of the event, with type: date", "due %q: %s does not declare the day %q (事件没有声明这个日期)", d.Text, kind, name)
		}
	}
}

// below are the kinds of things whose events count as their borrower's.
func below(k loan.Kind) bool {
	return k == loan.KindLoan || k == loan.KindCollateral || k == loan.KindGuarantor
}

// yields tries a year of anchors for one on which a rule gives way to a later
// due day: the stricter limit would be lost.
func (l *linter) yields(r *Rule) {
	for _, id := range r.YieldsTo {
		to := l.book.byID[id]
		if to.every != r.every || len(r.Dues) != 1 || len(to.Dues) != 1 || to.Due.Anchor != r.Due.Anchor {
			continue
		}
		first := calendar.MustDate(2026, 1, 1)
		for i := range 366 {
			anchor := first.AddDays(i)
			if r.Period() {
				anchor = calendar.PeriodOf(r.every, anchor, l.book.Fiscal).End
			}
			own, ok1 := dueFrom(r, anchor)
			others, ok2 := dueFrom(to, anchor)
			if ok1 && ok2 && others > own {
				l.warn(r, r.at["yields_to"], "", "yields_to: %s is the looser one: for %s it is due on %s, this one on %s (让位后期限变宽)", id, anchor, others, own)
				break
			}
		}
	}
}

// dueFrom is the due day counted from an anchor by the calendar that ships.
func dueFrom(r *Rule, anchor calendar.Date) (calendar.Date, bool) {
	limit := r.Due.Limit
	if r.Due.On {
		limit.Unit = calendar.Days
	}
	if limit.Landing = r.landing(r.Due); limit.Unit == calendar.Workdays {
		limit.Landing = calendar.None
	}
	res, err := calendar.Builtin().Shift(anchor, limit)
	return res.Date, err == nil
}

// unused finds events that the rulebook declares and no rule names.
func (l *linter) unused() {
	named := map[string]bool{}
	for _, r := range l.book.Rules {
		for _, list := range [][]string{r.On, r.ClosesOn, r.Since} {
			for _, kind := range list {
				named[kind] = true
			}
		}
		if r.Needs != nil {
			named[r.Needs.Count] = true
		}
	}
	for kind, e := range l.book.Events {
		if !e.Standard && !named[kind] {
			l.found = append(l.found, Problem{File: l.book.File, Line: e.line, Text: fmt.Sprintf("event %s opens, closes and counts nothing (没有规则用到这个事件)", kind)})
		}
	}
}

// subjects are the kinds of things that the rule's duties may be about.
func (l *linter) subjects(r *Rule) []loan.Kind {
	if r.For != "" {
		return []loan.Kind{r.For}
	}
	var out []loan.Kind
	for _, k := range loan.Kinds {
		if slices.ContainsFunc(r.On, func(e string) bool { return slices.Contains(l.book.Events[e].For, k) }) {
			out = append(out, k)
		}
	}
	return out
}

// conditions looks for a `when` that never holds, and for exemptions that
// never, or always, hold where it does.
func (l *linter) conditions(r *Rule) {
	when := r.When.root()
	if when != nil && !l.somewhere(when, nil, nil) {
		l.warn(r, r.at["when"], "", "when: the condition never holds (条件永远不成立)")
		return
	}
	for _, x := range r.Except {
		cond := x.If.root()
		switch {
		case cond == nil:
		case !l.somewhere(when, cond, nil):
			l.warn(r, x.at, "", "except: this exemption is never reached: where it holds, `when` does not (豁免永远用不上)")
		case !l.somewhere(when, &ast.UnaryNode{Operator: "not", Node: cond}, nil):
			l.warn(r, x.at, "", "except: this exemption takes every case; the rule asks for nothing (全部被豁免)")
		}
	}
}

// somewhere says that both conditions may hold for some facts; nil is a
// condition that always does.
func (l *linter) somewhere(a, b ast.Node, fixed known) bool {
	g := &grid{}
	g.collect(a)
	g.collect(b)
	may := false
	whole := g.each(fixed, func(k known) bool {
		may = (a == nil || k.ask(a) != never) && (b == nil || k.ask(b) != never)
		return !may
	})
	return may || !whole
}

// reports looks for loans that no inspection report shorter than a year
// covers: each mode and class, not transferred. A rulebook without any such
// report is another bank's business.
func (l *linter) reports() {
	var rules []*Rule
	for _, r := range l.book.Rules {
		if l.book.Active(r) && r.For == loan.KindLoan && r.Period() && r.every != calendar.Year && slices.Contains(r.ClosesOn, "inspection.reported") {
			rules = append(rules, r)
		}
	}
	if len(rules) == 0 {
		return
	}
	for _, mode := range closedSets["loan.mode"] {
		var bare []string
		for _, class := range closedSets["loan.class"] {
			cell := known{"loan.mode": mode, "loan.class": class, "loan.transferred": false}
			if !slices.ContainsFunc(rules, func(r *Rule) bool { return l.covers(r, cell) }) {
				bare = append(bare, class)
			}
		}
		if len(bare) > 0 {
			l.warn(rules[0], rules[0].at["when"], "widen the `when` of one of the reports", "no inspection report within the year for loans of mode %s and class %s (无贷后检查报告)", mode, strings.Join(bare, ", "))
		}
	}
}

// covers says that the rule can ask for a report in the cell: its condition
// may hold there, and no exemption takes the whole of it.
func (l *linter) covers(r *Rule, cell known) bool {
	when := r.When.root()
	if !l.somewhere(when, nil, cell) {
		return false
	}
	for _, x := range r.Except {
		if !l.somewhere(when, &ast.UnaryNode{Operator: "not", Node: x.If.root()}, cell) {
			return false
		}
	}
	return true
}

// raise tries a year of anchors for a day of raising behind the due day.
func (l *linter) raise(r *Rule) {
	if r.Raise == nil {
		return
	}
	cal := calendar.Builtin()
	day := func(e DateExpr, landing calendar.Landing, anchor calendar.Date) (calendar.Date, bool) {
		limit := e.Limit
		if e.On {
			limit.Unit = calendar.Days
		}
		limit.Landing = landing
		res, err := cal.Shift(anchor, limit)
		return res.Date, err == nil
	}
	first := calendar.MustDate(2026, 1, 1)
	for i := range 366 {
		anchor, from := first.AddDays(i), first.AddDays(i)
		if r.Period() {
			p := calendar.PeriodOf(r.every, anchor, l.book.Fiscal)
			ends := map[string]calendar.Date{"period.start": p.Start, "period.end": p.End}
			anchor, from = ends[r.Due.Anchor], ends[r.Raise.Anchor]
		} else if r.Raise.Anchor != r.Due.Anchor {
			from = 0 // how far apart they are the facts decide
		}
		if r.Due.Anchor == "date" || r.Raise.Anchor == "date" {
			return
		}
		due, ok := day(r.Due, r.landing(r.Due), anchor)
		if r.Raise.Anchor == "due" {
			from = due
		}
		if !ok || from.IsZero() {
			continue
		}
		if raised, ok := day(*r.Raise, calendar.Unset, from); ok && raised > due {
			l.warn(r, r.at["raise"], "it will be raised on the due day", "raise: from %s the duty would be raised on %s, after its due day %s (触发日晚于截止日)", anchor, raised, due)
			return
		}
	}
}
