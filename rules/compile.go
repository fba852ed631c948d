package rules

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/expr-lang/expr/ast"

	"tickler/calendar"
)

// A condition that was checked is compiled once more, to functions of the
// facts: a rulebook asks a few of every loan, and expr's machine spends most of
// its time on boxing values. What is not known here (matches, slices, built-in
// functions) leaves the whole condition to the machine, which decides in any
// case what is meant: the tests hold the two against each other.

// compiled is a piece of a condition: the function of its own type is set.
type compiled struct {
	truth func(*env) bool
	text  func(*env) string
	whole func(*env) int
	dec   func(*env) float64
	day   func(*env) Day
	table func(*env) map[string]string
	set   map[string]struct{} // a list of words that does not change
	word  *string             // a text that does not change
	risky bool                // a function in it may panic: one that leaves the calendar, say
}

// number gives a number of either kind as one with decimals.
func (c compiled) number() func(*env) float64 {
	if whole := c.whole; whole != nil {
		return func(e *env) float64 { return float64(whole(e)) }
	}
	return c.dec
}

func (c compiled) isNumber() bool { return c.whole != nil || c.dec != nil }

// compile gives the function of a checked tree; false where something in it is
// left to the machine.
func compile(n ast.Node) (compiled, bool) {
	switch n := n.(type) {
	case *ast.BoolNode:
		v := n.Value
		return compiled{truth: func(*env) bool { return v }}, true
	case *ast.StringNode:
		return compileWord(n.Value), true
	case *ast.IntegerNode:
		v := n.Value
		return compiled{whole: func(*env) int { return v }}, true
	case *ast.FloatNode:
		v := n.Value
		return compiled{dec: func(*env) float64 { return v }}, true
	case *ast.ConstantNode:
		return compileConstant(n)
	case *ast.ArrayNode:
		return compileList(n)
	case *ast.MemberNode:
		return compileMember(n)
	case *ast.UnaryNode:
		return compileUnary(n)
	case *ast.BinaryNode:
		return compileBinary(n)
	case *ast.ConditionalNode:
		return compileChoice(n)
	case *ast.CallNode:
		return compileCall(n)
	}
	return compiled{}, false
}

func compileConstant(n *ast.ConstantNode) (compiled, bool) {
	switch v := n.Value.(type) {
	case bool:
		return compiled{truth: func(*env) bool { return v }}, true
	case string:
		return compileWord(v), true
	case int:
		return compiled{whole: func(*env) int { return v }}, true
	case float64:
		return compiled{dec: func(*env) float64 { return v }}, true
	case map[string]struct{}:
		return compiled{set: v}, true
	case []string:
		return compiled{set: setOf(v)}, true
	}
	return compiled{}, false
}

func compileWord(v string) compiled {
	return compiled{text: func(*env) string { return v }, word: &v}
}

func compileList(n *ast.ArrayNode) (compiled, bool) {
	words := make([]string, len(n.Nodes))
	for i, item := range n.Nodes {
		s, ok := item.(*ast.StringNode)
		if !ok {
			return compiled{}, false
		}
		words[i] = s.Value
	}
	return compiled{set: setOf(words)}, true
}

func setOf(words []string) map[string]struct{} {
	set := make(map[string]struct{}, len(words))
	for _, w := range words {
		set[w] = struct{}{}
	}
	return set
}

// compileMember reads a fact, loan.class, or an entry of a table,
// loan.x["列名"].
func compileMember(n *ast.MemberNode) (compiled, bool) {
	if n.Optional || n.Method {
		return compiled{}, false
	}
	if base, ok := n.Node.(*ast.IdentifierNode); ok {
		if field, ok := n.Property.(*ast.StringNode); ok {
			return compileFact(base.Value, field.Value)
		}
		return compiled{}, false
	}
	of, ok := compile(n.Node)
	key, ok2 := compile(n.Property)
	if !ok || !ok2 || of.table == nil || key.text == nil {
		return compiled{}, false
	}
	return compiled{text: func(e *env) string { return of.table(e)[key.text(e)] }, risky: of.risky || key.risky}, true
}

// compileFact reads a fact of the environment.
func compileFact(group, field string) (compiled, bool) {
	path := group + "." + field
	c := compiled{text: textFacts[path], truth: truthFacts[path], whole: wholeFacts[path],
		dec: decimalFacts[path], day: dayFacts[path], table: tableFacts[path]}
	known := c.text != nil || c.truth != nil || c.whole != nil || c.dec != nil || c.day != nil || c.table != nil
	return c, known
}

// factType gives the type of a fact; nil where there is none.
func factType(group, field string) reflect.Type {
	t := reflect.TypeFor[env]()
	for i := range t.NumField() {
		g := t.Field(i)
		if g.Tag.Get("expr") != group || g.Type.Kind() != reflect.Struct {
			continue
		}
		for j := range g.Type.NumField() {
			if g.Type.Field(j).Tag.Get("expr") == field {
				return g.Type.Field(j).Type
			}
		}
	}
	return nil
}

func compileUnary(n *ast.UnaryNode) (compiled, bool) {
	of, ok := compile(n.Node)
	if !ok {
		return compiled{}, false
	}
	switch {
	case (n.Operator == "not" || n.Operator == "!") && of.truth != nil:
		f := of.truth
		return compiled{truth: func(e *env) bool { return !f(e) }, risky: of.risky}, true
	case n.Operator == "-" && of.whole != nil:
		f := of.whole
		return compiled{whole: func(e *env) int { return -f(e) }, risky: of.risky}, true
	case n.Operator == "-" && of.dec != nil:
		f := of.dec
		return compiled{dec: func(e *env) float64 { return -f(e) }, risky: of.risky}, true
	}
	return compiled{}, false
}

func compileBinary(n *ast.BinaryNode) (compiled, bool) {
	l, ok := compile(n.Left)
	r, ok2 := compile(n.Right)
	if !ok || !ok2 {
		return compiled{}, false
	}
	c, ok := combine(n.Operator, l, r)
	c.risky = l.risky || r.risky
	return c, ok
}

func combine(op string, l, r compiled) (compiled, bool) {
	switch {
	case l.truth != nil && r.truth != nil:
		a, b := l.truth, r.truth
		switch op {
		case "and", "&&":
			return compiled{truth: func(e *env) bool { return a(e) && b(e) }}, true
		case "or", "||":
			return compiled{truth: func(e *env) bool { return a(e) || b(e) }}, true
		case "==":
			return compiled{truth: func(e *env) bool { return a(e) == b(e) }}, true
		case "!=":
			return compiled{truth: func(e *env) bool { return a(e) != b(e) }}, true
		}
	case l.text != nil && r.word != nil && (op == "==" || op == "!="):
		a, word := l.text, *r.word
		if op == "==" {
			return compiled{truth: func(e *env) bool { return a(e) == word }}, true
		}
		return compiled{truth: func(e *env) bool { return a(e) != word }}, true
	case l.text != nil && r.text != nil:
		return combineTexts(op, l.text, r.text)
	case l.text != nil && r.set != nil && op == "in":
		a, set := l.text, r.set
		return compiled{truth: func(e *env) bool { _, in := set[a(e)]; return in }}, true
	case l.text != nil && r.table != nil && op == "in":
		a, table := l.text, r.table
		return compiled{truth: func(e *env) bool { _, in := table(e)[a(e)]; return in }}, true
	case l.whole != nil && r.whole != nil:
		return combineWholes(op, l.whole, r.whole)
	case l.isNumber() && r.isNumber():
		return combineNumbers(op, l.number(), r.number())
	}
	return compiled{}, false
}

func combineTexts(op string, a, b func(*env) string) (compiled, bool) {
	switch op {
	case "==":
		return compiled{truth: func(e *env) bool { return a(e) == b(e) }}, true
	case "!=":
		return compiled{truth: func(e *env) bool { return a(e) != b(e) }}, true
	case "contains":
		return compiled{truth: func(e *env) bool { return strings.Contains(a(e), b(e)) }}, true
	case "startsWith":
		return compiled{truth: func(e *env) bool { return strings.HasPrefix(a(e), b(e)) }}, true
	case "endsWith":
		return compiled{truth: func(e *env) bool { return strings.HasSuffix(a(e), b(e)) }}, true
	}
	return compiled{}, false
}

func combineWholes(op string, a, b func(*env) int) (compiled, bool) {
	switch op {
	case "+":
		return compiled{whole: func(e *env) int { return a(e) + b(e) }}, true
	case "-":
		return compiled{whole: func(e *env) int { return a(e) - b(e) }}, true
	case "*":
		return compiled{whole: func(e *env) int { return a(e) * b(e) }}, true
	}
	return compare(op, a, b)
}

func combineNumbers(op string, a, b func(*env) float64) (compiled, bool) {
	switch op {
	case "+":
		return compiled{dec: func(e *env) float64 { return a(e) + b(e) }}, true
	case "-":
		return compiled{dec: func(e *env) float64 { return a(e) - b(e) }}, true
	case "*":
		return compiled{dec: func(e *env) float64 { return a(e) * b(e) }}, true
	case "/":
		return compiled{dec: func(e *env) float64 { return a(e) / b(e) }}, true
	}
	return compare(op, a, b)
}

func compare[N int | float64](op string, a, b func(*env) N) (compiled, bool) {
	switch op {
	case "==":
		return compiled{truth: func(e *env) bool { return a(e) == b(e) }}, true
	case "!=":
		return compiled{truth: func(e *env) bool { return a(e) != b(e) }}, true
	case "<":
		return compiled{truth: func(e *env) bool { return a(e) < b(e) }}, true
	case "<=":
		return compiled{truth: func(e *env) bool { return a(e) <= b(e) }}, true
	case ">":
		return compiled{truth: func(e *env) bool { return a(e) > b(e) }}, true
	case ">=":
		return compiled{truth: func(e *env) bool { return a(e) >= b(e) }}, true
	}
	return compiled{}, false
}

func compileChoice(n *ast.ConditionalNode) (compiled, bool) {
	cond, ok := compile(n.Cond)
	a, ok2 := compile(n.Exp1)
	b, ok3 := compile(n.Exp2)
	if !ok || !ok2 || !ok3 || cond.truth == nil {
		return compiled{}, false
	}
	out := compiled{risky: cond.risky || a.risky || b.risky}
	switch {
	case a.truth != nil && b.truth != nil:
		out.truth = choose(cond.truth, a.truth, b.truth)
	case a.text != nil && b.text != nil:
		out.text = choose(cond.truth, a.text, b.text)
	case a.whole != nil && b.whole != nil:
		out.whole = choose(cond.truth, a.whole, b.whole)
	case a.dec != nil && b.dec != nil:
		out.dec = choose(cond.truth, a.dec, b.dec)
	case a.day != nil && b.day != nil:
		out.day = choose(cond.truth, a.day, b.day)
	default:
		return compiled{}, false
	}
	return out, true
}

func choose[T any](cond func(*env) bool, a, b func(*env) T) func(*env) T {
	return func(e *env) T {
		if cond(e) {
			return a(e)
		}
		return b(e)
	}
}

// compileCall calls a function of the environment: those that a condition may
// name, and the comparisons of days.
func compileCall(n *ast.CallNode) (compiled, bool) {
	f, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return compiled{}, false
	}
	args := make([]compiled, len(n.Arguments))
	for i, a := range n.Arguments {
		if args[i], ok = compile(a); !ok {
			return compiled{}, false
		}
	}
	days := func() (a, b func(*env) Day, ok bool) {
		if len(args) != 2 || args[0].day == nil || args[1].day == nil {
			return nil, nil, false
		}
		return args[0].day, args[1].day, true
	}
	risky := false
	for _, a := range args {
		risky = risky || a.risky
	}
	switch f.Value {
	case "__lt", "__le", "__gt", "__ge", "__eq", "__ne":
		a, b, ok := days()
		if !ok {
			return compiled{}, false
		}
		return compiled{truth: compareDays(f.Value, a, b), risky: risky}, true
	case "months_between":
		a, b, ok := days()
		return compiled{whole: func(e *env) int { return e.MonthsBetween(a(e), b(e)) }, risky: risky}, ok
	case "add_months", "add_workdays":
		if len(args) != 2 || args[0].day == nil || args[1].whole == nil {
			return compiled{}, false
		}
		a, by := args[0].day, args[1].whole
		if f.Value == "add_months" {
			return compiled{day: func(e *env) Day { return e.AddMonths(a(e), by(e)) }, risky: risky}, true
		}
		return compiled{day: func(e *env) Day { return e.AddWorkdays(a(e), by(e)) }, risky: true}, true
	case "count":
		if len(args) != 3 || args[0].text == nil || args[1].day == nil || args[2].day == nil {
			return compiled{}, false
		}
		event, from, to := args[0].text, args[1].day, args[2].day
		return compiled{whole: func(e *env) int { return e.Count(event(e), from(e), to(e)) }, risky: true}, true
	case "date", "__text", "__number", "__day":
		if len(args) != 1 || args[0].text == nil {
			return compiled{}, false
		}
		if word := args[0].word; f.Value == "date" && word != nil {
			if d, err := calendar.ParseDate(*word); err == nil {
				return compiled{day: func(*env) Day { return Day{d} }}, true
			}
		}
		return compileNamed(f.Value, args[0].text), true
	}
	return compiled{}, false
}

func compileNamed(f string, name func(*env) string) compiled {
	switch f {
	case "date":
		return compiled{day: func(e *env) Day { return e.DateOf(name(e)) }, risky: true}
	case "__text":
		return compiled{text: func(e *env) string { return e.EventText(name(e)) }, risky: true}
	case "__number":
		return compiled{dec: func(e *env) float64 { return e.EventNumber(name(e)) }, risky: true}
	}
	return compiled{day: func(e *env) Day { return e.EventDay(name(e)) }, risky: true}
}

func compareDays(op string, a, b func(*env) Day) func(*env) bool {
	switch op {
	case "__lt":
		return func(e *env) bool { return a(e).Date < b(e).Date }
	case "__le":
		return func(e *env) bool { return a(e).Date <= b(e).Date }
	case "__gt":
		return func(e *env) bool { return a(e).Date > b(e).Date }
	case "__ge":
		return func(e *env) bool { return a(e).Date >= b(e).Date }
	case "__eq":
		return func(e *env) bool { return a(e).Date == b(e).Date }
	}
	return func(e *env) bool { return a(e).Date != b(e).Date }
}

// careful runs a function that may panic, as those of days beyond the calendar
// do, and gives the panic as an error.
func careful[T any](f func(*env) T, e *env) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return f(e), nil
}
