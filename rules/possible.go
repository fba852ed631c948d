package rules

import (
	"fmt"
	"reflect"
	"slices"
	"sort"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"

	"tickler/loan"
)

// truth is what a condition can be when only some of its facts are known.
type truth int

const (
	unknown truth = iota
	never
	always
)

func truthOf(b bool) truth {
	if b {
		return always
	}
	return never
}

func (t truth) not() truth {
	switch t {
	case never:
		return always
	case always:
		return never
	}
	return unknown
}

// grid is a set of facts with the few values that matter to some conditions:
// every class and mode, both truths, and the numbers on either side of those
// that the conditions name. Dates, amounts worked out and texts stay unknown,
// so that what is found impossible is so for every loan.
type grid struct {
	paths  []string
	values map[string][]any
}

// known are the facts of one point of a grid: path -> string, bool or int.
type known map[string]any

// root reads a condition again, as written: the compiled one has its literals
// folded. It is nil for no condition.
func (c *Condition) root() ast.Node {
	if c == nil {
		return nil
	}
	config := conf.New(&env{}) // whose functions stand for builtins of their names
	for _, opt := range builtins {
		opt(config)
	}
	tree, err := parser.ParseWithConfig(c.raw, config)
	if err != nil {
		panic(fmt.Sprintf("condition %q was compiled and cannot be parsed: %v", c.Text, err))
	}
	return tree.Node
}

// collect adds the facts that a condition names.
func (g *grid) collect(n ast.Node) {
	if n == nil {
		return
	}
	ast.Walk(&n, collector{g})
}

type collector struct{ g *grid }

func (c collector) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		path := pathOf(n)
		if set := closedSets[path]; set != nil {
			for _, v := range set {
				c.g.add(path, v)
			}
		} else if isBool(path) {
			c.g.add(path, true)
			c.g.add(path, false)
		}
	case *ast.BinaryNode:
		for _, side := range [][2]ast.Node{{n.Left, n.Right}, {n.Right, n.Left}} {
			path := pathOf(side[0])
			num, ok := side[1].(*ast.IntegerNode)
			if path == "" || !ok {
				continue
			}
			for v := num.Value - 1; v <= num.Value+1; v++ {
				c.g.add(path, v)
			}
		}
	}
}

func (g *grid) add(path string, v any) {
	if g.values == nil {
		g.values = map[string][]any{}
	}
	if g.values[path] == nil {
		g.paths = append(g.paths, path)
	}
	if !slices.Contains(g.values[path], v) {
		g.values[path] = append(g.values[path], v)
	}
}

// maxPoints bounds a grid; a condition of more facts is taken as possible.
const maxPoints = 20_000

// each calls fn with every point that a loan can be at, until it says stop. It
// is false if there are too many of them.
func (g *grid) each(fixed known, fn func(known) bool) bool {
	points := 1
	for _, p := range g.paths {
		if _, ok := fixed[p]; !ok {
			if points *= len(g.values[p]); points > maxPoints {
				return false
			}
		}
	}
	sort.Strings(g.paths)
	k := known{}
	for p, v := range fixed {
		k[p] = v
	}
	var walk func(i int) bool
	walk = func(i int) bool {
		if i == len(g.paths) {
			return !k.possible() || fn(k)
		}
		p := g.paths[i]
		if _, ok := fixed[p]; ok {
			return walk(i + 1)
		}
		for _, v := range g.values[p] {
			k[p] = v
			if !walk(i + 1) {
				return false
			}
		}
		delete(k, p)
		return true
	}
	walk(0)
	return true
}

// possible leaves out facts that contradict each other: a loan that is not
// normal, or unpaid, is abnormal; a borrower is as bad as his worst loan.
func (k known) possible() bool {
	if k["loan.abnormal"] == false && (k["loan.unpaid"] == true || k["loan.class"] != nil && k["loan.class"] != string(loan.Normal)) {
		return false
	}
	if k["borrower.mode"] == string(loan.Regular) && k["loan.mode"] == string(loan.Key) {
		return false
	}
	l, ok1 := k["loan.class"].(string)
	b, ok2 := k["borrower.class"].(string)
	return !ok1 || !ok2 || loan.Class(b).Rank() >= loan.Class(l).Rank()
}

// ask evaluates a condition over what is known, in three values.
func (k known) ask(n ast.Node) truth {
	switch n := n.(type) {
	case *ast.BoolNode:
		return truthOf(n.Value)
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return k.ask(n.Node).not()
		}
	case *ast.ConditionalNode:
		switch k.ask(n.Cond) {
		case always:
			return k.ask(n.Exp1)
		case never:
			return k.ask(n.Exp2)
		}
		if a, b := k.ask(n.Exp1), k.ask(n.Exp2); a == b {
			return a
		}
	case *ast.BinaryNode:
		return k.askBinary(n)
	case *ast.MemberNode:
		if v, ok := k[pathOf(n)].(bool); ok {
			return truthOf(v)
		}
	}
	return unknown
}

func (k known) askBinary(n *ast.BinaryNode) truth {
	switch n.Operator {
	case "and", "&&":
		a, b := k.ask(n.Left), k.ask(n.Right)
		switch {
		case a == never || b == never:
			return never
		case a == always && b == always:
			return always
		}
		return unknown
	case "or", "||":
		a, b := k.ask(n.Left), k.ask(n.Right)
		switch {
		case a == always || b == always:
			return always
		case a == never && b == never:
			return never
		}
		return unknown
	}
	a, b := k.value(n.Left), k.value(n.Right)
	if a == nil || b == nil {
		return unknown
	}
	if list, ok := b.([]any); ok {
		if n.Operator != "in" {
			return unknown
		}
		return truthOf(slices.Contains(list, a))
	}
	if reflect.TypeOf(a) != reflect.TypeOf(b) {
		return unknown
	}
	switch n.Operator {
	case "==":
		return truthOf(a == b)
	case "!=":
		return truthOf(a != b)
	}
	x, ok1 := a.(int)
	y, ok2 := b.(int)
	if !ok1 || !ok2 {
		return unknown
	}
	switch n.Operator {
	case "<":
		return truthOf(x < y)
	case "<=":
		return truthOf(x <= y)
	case ">":
		return truthOf(x > y)
	case ">=":
		return truthOf(x >= y)
	}
	return unknown
}

// value is a string, bool, int, or []any of them; nil is not known.
func (k known) value(n ast.Node) any {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.IntegerNode:
		return n.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.ArrayNode:
		var out []any
		for _, item := range n.Nodes {
			v := k.value(item)
			if v == nil {
				return nil
			}
			out = append(out, v)
		}
		return out
	case *ast.MemberNode:
		return k[pathOf(n)] // nil: not known
	}
	return nil
}

// isBool says that a path names a fact that is true or false.
func isBool(path string) bool {
	t := typeOf(path)
	return t != nil && t.Kind() == reflect.Bool
}
