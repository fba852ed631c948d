package rules

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
	"gopkg.in/yaml.v3"
)

// Condition is an expression of the rulebook, compiled and type-checked.
type Condition struct {
	Text  string
	Names []string // the facts it asks for: loan.class, sorted
	Calls []string // the events it counts
	raw   string   // as written, for messages and for reading it again
	prog  *vm.Program
}

// maxCondition bounds a condition's text.
const maxCondition = 4096

// builtins are those of the expression language that a condition may call.
var builtins = []expr.Option{
	expr.DisableAllBuiltins(),
	expr.EnableBuiltin("len"), expr.EnableBuiltin("min"), expr.EnableBuiltin("max"), expr.EnableBuiltin("abs"),
}

// want is the type a condition must have.
type want int

const (
	wantBool want = iota
	wantNumber
)

// condition compiles the text of a node for a rule.
func (t *tree) condition(n *yaml.Node, key string, r *Rule, params map[string]any, w want) *Condition {
	text := t.str(n, key)
	if text == "" {
		return nil
	}
	if len(text) > maxCondition {
		t.bad(n, "split the rule", "%s: a condition holds at most %d bytes", key, maxCondition)
		return nil
	}
	before := len(t.problems)
	v := &visitor{t: t, n: n, key: key, scope: r.scope(), params: params}
	opts := append(slices.Clone(builtins),
		expr.Env(&env{}),
		expr.Patch(v),
		expr.MaxNodes(500),
		expr.Operator("<", "__lt"), expr.Operator("<=", "__le"), expr.Operator(">", "__gt"),
		expr.Operator(">=", "__ge"), expr.Operator("==", "__eq"), expr.Operator("!=", "__ne"),
	)
	if w == wantNumber {
		opts = append(opts, expr.AsInt())
	} else {
		opts = append(opts, expr.AsBool())
	}
	prog, err := expr.Compile(text, opts...)
	if len(t.problems) > before {
		return nil // the visitor said it better
	}
	if err != nil {
		line, col := n.Line, n.Column
		msg := err.Error()
		var fe *file.Error
		if errors.As(err, &fe) {
			line, col = locate(n, fe.Line, fe.Column)
			msg = fe.Message
		} else if w == wantBool {
			msg = "want a condition that is true or false: " + firstLine(msg)
		} else {
			msg = "want a whole number: " + firstLine(msg)
		}
		t.at(line, col, fmt.Sprintf("%s: %s", key, friendly(msg)), suggestName(msg))
		return nil
	}
	sort.Strings(v.names)
	return &Condition{Text: strings.Join(strings.Fields(text), " "), Names: slices.Compact(v.names), Calls: v.calls, raw: text, prog: prog}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

var goType = regexp.MustCompile(`rules\.Day|rules\.(\w+)Env|func\([^)]*\)[^,)]*`)

// friendly says in the rulebook's words what the type checker says in Go's.
func friendly(msg string) string {
	return goType.ReplaceAllStringFunc(msg, func(s string) string {
		switch {
		case s == "rules.Day":
			return "date"
		case strings.HasPrefix(s, "func"):
			return "function"
		}
		return strings.TrimSuffix(strings.TrimPrefix(s, "rules."), "Env")
	})
}

var unknownField = regexp.MustCompile(`type rules\.(\w+)Env has no field (\S+)`)

func suggestName(msg string) string {
	m := unknownField.FindStringSubmatch(msg)
	if m == nil {
		return ""
	}
	fields := fieldsOf(m[1])
	if s := didYouMean(m[2], fields); s != "" {
		return s
	}
	return "there is " + strings.Join(fields, ", ")
}

// fieldsOf lists the names below loan, borrower and so on.
func fieldsOf(name string) []string {
	t := reflect.TypeOf(env{})
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("expr") != name || t.Field(i).Type.Kind() != reflect.Struct {
			continue
		}
		var out []string
		for j := range t.Field(i).Type.NumField() {
			out = append(out, t.Field(i).Type.Field(j).Tag.Get("expr"))
		}
		return out
	}
	return nil
}

// typeOf gives the type of a fact by its path, loan.class; nil if there is none.
func typeOf(path string) reflect.Type {
	group, field, _ := strings.Cut(path, ".")
	t := reflect.TypeOf(env{})
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

// locate maps a place in a condition (line from 1, column from 0) into the file.
func locate(n *yaml.Node, line, col int) (int, int) {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return n.Line + line, 0 // the text begins on the next line; its indent is gone
	}
	if line > 1 {
		return n.Line + line - 1, 0
	}
	return n.Line, n.Column + quoted(n) + col
}

// visitor checks names and literals, and puts the rulebook's params in.
type visitor struct {
	t      *tree
	n      *yaml.Node
	key    string
	scope  []string
	params map[string]any
	names  []string
	calls  []string
	seen   map[string]bool
}

func (v *visitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		v.identifier(node, n)
	case *ast.MemberNode:
		if path := pathOf(n); path != "" && strings.Count(path, ".") == 1 {
			v.names = append(v.names, path)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "==", "!=":
			v.closed(pathOf(n.Left), n.Right)
			v.closed(pathOf(n.Right), n.Left)
		case "in":
			v.closed(pathOf(n.Left), n.Right)
		}
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok && id.Value == "count" && len(n.Arguments) > 0 {
			if s, ok := n.Arguments[0].(*ast.StringNode); ok {
				v.calls = append(v.calls, s.Value)
			}
		}
	}
}

func (v *visitor) identifier(node *ast.Node, n *ast.IdentifierNode) {
	if slices.Contains(v.scope, n.Value) || isFunction(n.Value) {
		return
	}
	if val, ok := v.params[n.Value]; ok {
		var c ast.Node
		switch x := val.(type) {
		case int:
			c = &ast.IntegerNode{Value: x}
		case float64:
			c = &ast.FloatNode{Value: x}
		case string:
			c = &ast.StringNode{Value: x}
		case []string:
			arr := &ast.ArrayNode{}
			for _, s := range x {
				arr.Nodes = append(arr.Nodes, &ast.StringNode{Value: s})
			}
			c = arr
		}
		ast.Patch(node, c)
		return
	}
	known := append([]string(nil), v.scope...)
	for p := range v.params {
		known = append(known, p)
	}
	sort.Strings(known)
	text := fmt.Sprintf("unknown name %q", n.Value)
	if reflect.DeepEqual(fieldsOf(n.Value), []string(nil)) == false {
		text = fmt.Sprintf("%q is not known to this rule", n.Value)
	}
	hint := didYouMean(n.Value, append(known, functionNames()...))
	if hint == "" {
		hint = "it may use " + strings.Join(known, ", ")
	}
	v.report(n, text, hint)
}

func functionNames() []string {
	var out []string
	for f := range functions {
		out = append(out, f)
	}
	sort.Strings(out)
	return out
}

// closed refuses a literal that the named fact can never be.
func (v *visitor) closed(path string, value ast.Node) {
	set := closedSets[path]
	if set == nil {
		return
	}
	switch n := value.(type) {
	case *ast.StringNode:
		if !slices.Contains(set, n.Value) {
			v.report(n, fmt.Sprintf("%s is never %q; want %s", path, n.Value, orList(set)), didYouMean(n.Value, set))
		}
	case *ast.ArrayNode:
		for _, item := range n.Nodes {
			v.closed(path, item)
		}
	}
}

func (v *visitor) report(n ast.Node, text, hint string) {
	line, col := 1, n.Location().From
	rs := []rune(v.n.Value)
	for i := 0; i < n.Location().From && i < len(rs); i++ {
		if rs[i] == '\n' {
			line, col = line+1, n.Location().From-i-1
		}
	}
	line, col = locate(v.n, line, col)
	key := fmt.Sprint(line, col, text)
	if v.seen[key] {
		return // a visitor may walk a tree more than once
	}
	if v.seen == nil {
		v.seen = map[string]bool{}
	}
	v.seen[key] = true
	v.t.at(line, col, v.key+": "+text, hint)
}

// pathOf gives loan.class for a member access, "" for anything else.
func pathOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.MemberNode:
		prop, ok := n.Property.(*ast.StringNode)
		base := pathOf(n.Node)
		if !ok || base == "" {
			return ""
		}
		return base + "." + prop.Value
	}
	return ""
}

// bool asks the condition of the facts. A condition that fails is an error of
// the subject, not of the rulebook.
func (c *Condition) bool(machine *vm.VM, e *env) (bool, error) {
	v, err := machine.Run(c.prog, e)
	if err != nil {
		return false, fmt.Errorf("condition %q: %s", c.Text, firstLine(err.Error()))
	}
	return v.(bool), nil
}

// number asks the condition for a count.
func (c *Condition) number(machine *vm.VM, e *env) (int, error) {
	v, err := machine.Run(c.prog, e)
	if err != nil {
		return 0, fmt.Errorf("condition %q: %s", c.Text, firstLine(err.Error()))
	}
	return v.(int), nil
}

// value gives the text of a fact by its path, for reasons: loan.class.
func (e *env) value(path string) string {
	group, field, _ := strings.Cut(path, ".")
	v := reflect.ValueOf(e).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("expr") != group || v.Field(i).Kind() != reflect.Struct {
			continue
		}
		for j := range v.Field(i).NumField() {
			if v.Field(i).Type().Field(j).Tag.Get("expr") == field {
				f := v.Field(i).Field(j).Interface()
				if d, ok := f.(Day); ok {
					return d.String()
				}
				if x, ok := f.(float64); ok {
					return fmt.Sprintf("%.2f", x)
				}
				return fmt.Sprint(f)
			}
		}
	}
	return ""
}
