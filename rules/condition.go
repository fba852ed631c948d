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

	"tickler/calendar"
)

// Condition is an expression of the rulebook, compiled and type-checked.
type Condition struct {
	Text  string
	Names []string // the facts it asks for: loan.class, sorted
	raw   string   // as written, for messages and for reading it again
	prog  *vm.Program
	code  compiled // what the machine would give, where it could be compiled
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
func (t *tree) condition(n *yaml.Node, key string, r *Rule, b *Book, w want) *Condition {
	text := t.str(n, key)
	if text == "" {
		return nil
	}
	if len(text) > maxCondition {
		t.bad(n, "split the rule", "%s: a condition holds at most %d bytes", key, maxCondition)
		return nil
	}
	before := len(t.problems)
	v := &visitor{t: t, n: n, key: key, scope: r.scope(), book: b, on: r.On, vague: r.vague}
	opts := append(slices.Clone(builtins),
		expr.Env(&env{}),
		expr.Patch(v),
		expr.MaxNodes(500),
		expr.Operator("<", "__lt"), expr.Operator("<=", "__le"), expr.Operator(">", "__gt"),
		expr.Operator(">=", "__ge"), expr.Operator("==", "__eq"), expr.Operator("!=", "__ne"),
	)
	prog, err := expr.Compile(text, opts...)
	if err != nil && !v.lost && (len(t.problems) == before || !strings.Contains(err.Error(), "unknown name")) {
		t.misread(n, key, text, err) // unknown names the visitor has said better
	}
	if len(t.problems) > before {
		return nil
	}
	switch kind, word := result(prog); {
	case w == wantBool && kind != reflect.Bool:
		t.bad(n, "compare it with something, as in loan.balance > 0", "%s: want a condition that is true or false, found %s", key, word)
		return nil
	case w == wantNumber && kind != reflect.Int:
		t.bad(n, "", "%s: want a whole number, found %s", key, word)
		return nil
	}
	sort.Strings(v.names)
	c := &Condition{Text: strings.Join(strings.Fields(text), " "), Names: slices.Compact(v.names), raw: text, prog: prog}
	c.code, _ = compile(prog.Node())
	return c
}

// result is the kind of value that a program gives, and a word for it.
func result(prog *vm.Program) (reflect.Kind, string) {
	t := prog.Node().Type()
	switch {
	case t == nil:
		return reflect.Invalid, "nothing"
	case t.Kind() == reflect.Float64:
		return t.Kind(), "a number with decimals"
	case t.Kind() == reflect.Bool:
		return t.Kind(), "a truth value"
	}
	return t.Kind(), goWords(t.String())
}

// misread reports what the compiler could not take, in the rulebook's words.
func (t *tree) misread(n *yaml.Node, key, text string, err error) {
	var fe *file.Error
	if !errors.As(err, &fe) {
		t.bad(n, "", "%s: %s", key, friendly(firstLine(err.Error())))
		return
	}
	rs := []rune(text)
	if from := fe.From; from >= 0 && from < len(rs) && fullWidth[rs[from]] != "" {
		p := t.spotsOf(n).at(from)
		t.wideAt(p.line, p.col, key+": ", rs[from])
		return
	}
	p := t.spotsOf(n).at(fe.From)
	if strings.HasSuffix(fe.Message, "token EOF") {
		p = t.spotsOf(n).at(len(strings.TrimRight(text, " \n")))
	}
	t.at(p.line, p.col, key+": "+friendly(fe.Message), suggest(fe.Message))
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

var (
	unknownField  = regexp.MustCompile(`type rules\.(\w+)Env has no field (\S+)`)
	mismatchedOne = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched type (.+)\)$`)
	unexpected    = regexp.MustCompile(`^unexpected token \w+\((".*")\)$`)
	arity         = regexp.MustCompile(`^(?:not enough|too many) arguments to call (\w+)`)
	mismatched    = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types (.+) and (.+)\)$`)
	wrongArg      = regexp.MustCompile(`^cannot use (.+) as argument \(type (.+)\) to call (\w+)`)
	goType        = regexp.MustCompile(`rules\.Day|rules\.(\w+)Env|func\([^)]*\)[^,)]*|map\[string\]string|\bstring\b|\bfloat64\b|\bint\b|\bbool\b|\[\]interface \{\}|\[\]string`)
)

// friendly says in the rulebook's words what the type checker says in Go's.
func friendly(msg string) string {
	switch {
	case strings.HasSuffix(msg, "token EOF"):
		return "the condition ends too early"
	case unknownField.MatchString(msg):
		m := unknownField.FindStringSubmatch(msg)
		return fmt.Sprintf("%s has no %q (没有这个名称)", m[1], m[2])
	case mismatched.MatchString(msg):
		m := mismatched.FindStringSubmatch(msg)
		return fmt.Sprintf("cannot use %q between %s and %s", m[1], goWords(m[2]), goWords(m[3]))
	case mismatchedOne.MatchString(msg):
		m := mismatchedOne.FindStringSubmatch(msg)
		return fmt.Sprintf("cannot use %q with %s", m[1], goWords(m[2]))
	case wrongArg.MatchString(msg):
		m := wrongArg.FindStringSubmatch(msg)
		return fmt.Sprintf("%s wants %s here, found %s", m[3], goWords(m[2]), goWords(m[1]))
	case unexpected.MatchString(msg):
		return fmt.Sprintf("unexpected %s", unexpected.FindStringSubmatch(msg)[1])
	}
	return goWords(msg)
}

// typeWords are Go's types in the rulebook's words.
var typeWords = map[string]string{
	"rules.Day": "a date", "string": "a text", "float64": "a number", "int": "a number", "bool": "a truth value",
	"map[string]string": "a table", "[]interface {}": "a list", "[]string": "a list",
}

func goWords(msg string) string {
	return goType.ReplaceAllStringFunc(msg, func(s string) string {
		if w := typeWords[s]; w != "" {
			return w
		}
		if strings.HasPrefix(s, "func") {
			return "a function"
		}
		return "the facts of " + strings.TrimSuffix(strings.TrimPrefix(s, "rules."), "Env")
	})
}

// suggest gives the next step for a message of the type checker.
func suggest(msg string) string {
	if m := unknownField.FindStringSubmatch(msg); m != nil {
		fields := fieldsOf(m[1])
		if s := didYouMean(m[2], fields); s != "" {
			return s
		}
		return "there is " + strings.Join(fields, ", ")
	}
	if m := mismatched.FindStringSubmatch(msg); m != nil && strings.Contains(msg, "rules.Day") {
		return `write a day as date("2026-12-31"), or compare two dates`
	}
	if m := wrongArg.FindStringSubmatch(msg); m != nil && functions[m[3]] != "" {
		return functions[m[3]]
	}
	if m := arity.FindStringSubmatch(msg); m != nil {
		return functions[m[1]]
	}
	if msg == `unexpected token Operator("=")` {
		return "compare with =="
	}
	return ""
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
	return factType(group, field)
}

// visitor checks names and literals, and puts the rulebook's params in.
type visitor struct {
	t     *tree
	n     *yaml.Node
	key   string
	scope []string
	book  *Book
	on    []string // event kinds, whose fields may be named
	vague bool     // the rule's shape is wrong: any event may be meant
	names []string
	lost  bool // a field is unknown, and so is what it can be compared with
	seen  map[string]bool
}

func (v *visitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		v.identifier(node, n)
	case *ast.MemberNode:
		if path := pathOf(n); path != "" && strings.Count(path, ".") == 1 {
			v.names = append(v.names, path)
			v.eventField(node, n, path)
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
		v.call(n)
	case *ast.SequenceNode: // only the last of them would count
		v.report(n.Nodes[len(n.Nodes)-1], "a condition is one, without ; (只能有一个条件)", "join them with and")
	case *ast.IntegerNode:
		text := []rune(v.n.Value)
		if from := n.Location().From; from < len(text) && oddNumber.MatchString(string(text[from:])) {
			v.report(n, fmt.Sprintf("%q is not a plain number", oddNumber.FindString(string(text[from:]))), "write it out, as in 50000000 or 0.4")
		}
	}
}

// oddNumber is a number that does not read as what it is: 010, 0x1F.
var oddNumber = regexp.MustCompile(`^0[0-9xXoObB_][0-9a-fA-F_]*`)

// eventField turns event.score into what reads the field in its type.
func (v *visitor) eventField(node *ast.Node, n *ast.MemberNode, path string) {
	group, name, _ := strings.Cut(path, ".")
	if group != "event" || slices.Contains(fieldsOf("event"), name) {
		return
	}
	f, known := v.book.eventField(v.on, name)
	if f == nil {
		if v.vague {
			f = &Field{Name: name, Type: Text}
		} else {
			hint := didYouMean(name, known)
			if hint == "" {
				hint = "declare it under fields of the event"
				if len(known) > 0 {
					hint = "there is " + strings.Join(known, ", ") + "; or declare it under fields of the event"
				}
			}
			v.report(n.Property, fmt.Sprintf("the event has no field %q (事件没有这个字段)", name), hint)
			f, v.lost = &Field{Name: name, Type: Text}, true
		}
	}
	read := map[FieldType]string{Number: "__number", DateField: "__day"}[f.Type]
	if read == "" {
		read = "__text"
	}
	ast.Patch(node, &ast.CallNode{Callee: &ast.IdentifierNode{Value: read}, Arguments: []ast.Node{&ast.StringNode{Value: name}}})
}

// eventField finds a field that one of the kinds declares, under its name; or
// gives the names that there are.
func (b *Book) eventField(kinds []string, name string) (*Field, []string) {
	var known []string
	for _, k := range kinds {
		e := b.Events[k]
		if e == nil {
			continue
		}
		for i := range e.Fields {
			if e.Fields[i].Name == name {
				return &e.Fields[i], nil
			}
			known = append(known, e.Fields[i].Name)
		}
	}
	sort.Strings(known)
	return nil, slices.Compact(known)
}

// call looks at literal arguments, which the type checker takes as they come.
func (v *visitor) call(n *ast.CallNode) {
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || len(n.Arguments) == 0 {
		return
	}
	arg, ok := n.Arguments[0].(*ast.StringNode)
	if !ok {
		return
	}
	switch id.Value {
	case "count":
		if v.book.Events[arg.Value] == nil {
			text, hint := v.book.unknownEvent(arg.Value)
			v.report(arg, "count: "+text, hint)
		}
	case "date":
		if _, err := calendar.ParseDate(arg.Value); err != nil {
			v.report(arg, err.Error(), "")
		}
	}
}

func (v *visitor) identifier(node *ast.Node, n *ast.IdentifierNode) {
	if slices.Contains(v.scope, n.Value) || isFunction(n.Value) {
		return
	}
	if val, ok := v.book.Params[n.Value]; ok {
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
	for p := range v.book.Params {
		known = append(known, p)
	}
	sort.Strings(known)
	text := fmt.Sprintf("unknown name %q (没有这个名称)", n.Value)
	if fieldsOf(n.Value) != nil {
		v.report(n, fmt.Sprintf("%q is not known to this rule (本规则没有 %s)", n.Value, n.Value), "it may use "+strings.Join(known, ", "))
		return
	}
	for i, r := range []rune(n.Value) {
		if fullWidth[r] != "" {
			p := v.t.spotsOf(v.n).at(n.Location().From + i)
			v.t.wideAt(p.line, p.col, v.key+": ", r)
			return
		}
	}
	hint := didYouMean(n.Value, append(known, functionNames()...))
	for _, set := range closedSets {
		if slices.Contains(set, n.Value) {
			hint = fmt.Sprintf("put it in quotes: %q (加引号)", n.Value)
		}
	}
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
	if name, ok := strings.CutPrefix(path, "event."); ok && set == nil {
		if f, _ := v.book.eventField(v.on, name); f != nil {
			set = f.words()
		}
	}
	if set == nil && path != "event.kind" {
		return
	}
	switch n := value.(type) {
	case *ast.StringNode:
		if set == nil {
			if v.book.Events[n.Value] == nil {
				text, hint := v.book.unknownEvent(n.Value)
				v.report(n, text, hint)
			}
		} else if !slices.Contains(set, n.Value) {
			v.report(n, fmt.Sprintf("%s is never %q; want %s", path, n.Value, orList(set)), didYouMean(n.Value, set))
		}
	case *ast.ArrayNode:
		for _, item := range n.Nodes {
			v.closed(path, item)
		}
	}
}

func (v *visitor) report(n ast.Node, text, hint string) {
	p := v.t.spotsOf(v.n).at(n.Location().From)
	key := fmt.Sprint(p, text)
	if v.seen[key] {
		return // a visitor may walk a tree more than once
	}
	if v.seen == nil {
		v.seen = map[string]bool{}
	}
	v.seen[key] = true
	v.t.at(p.line, p.col, v.key+": "+text, hint)
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
	case *ast.CallNode:
		// What eventField made of it.
		f, ok := n.Callee.(*ast.IdentifierNode)
		if !ok || len(n.Arguments) != 1 || f.Value != "__text" && f.Value != "__number" && f.Value != "__day" {
			return ""
		}
		if name, ok := n.Arguments[0].(*ast.StringNode); ok {
			return "event." + name.Value
		}
	}
	return ""
}

// bool asks the condition of the facts. A condition that fails is an error of
// the subject, not of the rulebook.
func (c *Condition) bool(machine *vm.VM, e *env) (bool, error) {
	v, err := ask(c, c.code.truth, machine, e)
	if err != nil {
		return false, fmt.Errorf("condition %q: %s", c.Text, firstLine(err.Error()))
	}
	return v, nil
}

// number asks the condition for a count.
func (c *Condition) number(machine *vm.VM, e *env) (int, error) {
	v, err := ask(c, c.code.whole, machine, e)
	if err != nil {
		return 0, fmt.Errorf("condition %q: %s", c.Text, firstLine(err.Error()))
	}
	return v, nil
}

// ask runs a condition: compiled, or where that could not be done by the machine.
func ask[T any](c *Condition, f func(*env) T, machine *vm.VM, e *env) (v T, err error) {
	switch {
	case f == nil:
		x, err := machine.Run(c.prog, e)
		if err != nil {
			return v, err
		}
		return x.(T), nil
	case c.code.risky:
		return careful(f, e)
	}
	return f(e), nil
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
	if group == "event" {
		return e.Event.X[field]
	}
	return ""
}
