package rules

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"tickler/calendar"
	"tickler/loan"
)

// ReadCases reads a file of cases: one YAML list. The error is Problems, with
// every mistake of the file. What only the rulebook knows (its rules and its
// events) is looked at by CheckCases.
func ReadCases(file string, text []byte) ([]Case, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, Problems{{File: file, Text: "the file is empty (文件为空)", Hint: "begin it with - name: and a case"}}
	}
	t := plant(file, text)
	if t.root == nil {
		return nil, t.problems.sorted()
	}
	if t.root.Kind != yaml.SequenceNode {
		t.bad(t.root, "begin the first case with - name:", "want a list of cases, found %s", kindOf(t.root))
		return nil, t.problems.sorted()
	}
	var out []Case
	first := map[string]int{}
	for _, n := range t.root.Content {
		c := t.oneCase(n)
		if line := first[c.Name]; line > 0 && c.Name != "" {
			t.bad(n, "give this one another name", "case %q is there already, on line %d", c.Name, line)
		}
		first[c.Name] = c.Line
		out = append(out, c)
	}
	if len(t.problems) > 0 {
		return nil, t.problems.sorted()
	}
	return out, nil
}

// slot is one key of a mapping and what takes its value.
type slot struct {
	name string
	take func(n *yaml.Node)
}

// slots reads a closed mapping into its slots, in their order.
func (t *tree) slots(n *yaml.Node, what string, known []slot) {
	names := make(fields, len(known))
	for i, s := range known {
		names[i].name = s.name
	}
	at := t.keys(n, what, names)
	for _, s := range known {
		if v := at[s.name]; v != nil {
			s.take(v)
		}
	}
}

// caseReader reads one case.
type caseReader struct {
	*tree
	c *Case
}

func (t *tree) oneCase(n *yaml.Node) Case {
	c := Case{File: t.file, Line: n.Line}
	if n.Kind != yaml.MappingNode {
		t.pairs(n, "a case")
		return c
	}
	r := &caseReader{tree: t, c: &c}
	var facts, events, then, expect, not *yaml.Node
	later := func(to **yaml.Node) func(*yaml.Node) { return func(n *yaml.Node) { *to = n } }
	t.slots(n, "a case", []slot{
		{"name", func(n *yaml.Node) { c.Name = t.str(n, "name") }},
		{"on", func(n *yaml.Node) { c.On = t.day(n, "on") }},
		{"go_live", func(n *yaml.Node) { c.GoLive = t.day(n, "go_live") }},
		{"enable", func(n *yaml.Node) {
			for _, item := range t.oneOrMore(n, "enable") {
				if s := t.word(item, "enable", Sets); s != "" {
					c.Enable = append(c.Enable, s)
				}
			}
		}},
		{"note", func(n *yaml.Node) { t.str(n, "note") }},
		{"facts", later(&facts)},
		{"events", later(&events)}, // beside facts as well as in them
		{"then", later(&then)},
		{"expect", later(&expect)},
		{"not", later(&not)},
	})
	if c.Name == "" {
		t.bad(n, "add name: in a few words", "a case without a name (用例没有名称)")
	}
	if c.On.IsZero() {
		if len(t.problems) == 0 {
			t.bad(n, "add on: DATE, today of the case", "case %q: no day (没有日期)", c.Name)
		}
		return c
	}
	r.facts(facts, events, then)
	if expect != nil {
		for _, item := range t.list(expect, "expect") {
			c.Expect = append(c.Expect, t.expectation(item, "expect"))
		}
	}
	if not != nil {
		for _, item := range t.oneOrMore(not, "not") {
			c.Not = append(c.Not, t.expectation(item, "not"))
		}
	}
	if expect == nil && not == nil {
		t.bad(n, "add expect: or not:", "case %q expects nothing", c.Name)
	}
	return c
}

// day reads a date.
func (t *tree) day(n *yaml.Node, what string) calendar.Date {
	s := t.str(n, what)
	if s == "" || t.wide(n, what) {
		return 0
	}
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.bad(n, "", "%s: %v", what, err)
	}
	return d
}

// yuan reads an amount of money.
func (t *tree) yuan(n *yaml.Node, what string) loan.Fen {
	s := t.str(n, what)
	if s == "" || t.wide(n, what) {
		return 0
	}
	whole, frac, _ := strings.Cut(s, ".")
	if !decimal.MatchString(s) || strings.HasPrefix(s, "-") || len(frac) > 2 || len(whole) > 15 {
		t.bad(n, "write it out in yuan, as in 50000000 or 1234.50", "%s: %q is not an amount", what, s)
		return 0
	}
	var f loan.Fen
	for _, digit := range whole + (frac + "00")[:2] {
		f = f*10 + loan.Fen(digit-'0')
	}
	return f
}

// count reads a whole number, from 0.
func (t *tree) count(n *yaml.Node, what string) int {
	if t.str(n, what) == "" {
		return 0
	}
	v, ok := t.number(n, what)
	i, whole := v.(int)
	if ok && (!whole || i < 0) {
		t.bad(n, "", "%s: want a whole number, found %s", what, kindOf(n))
	}
	return i
}

// either reads one of the words, or the bank's own word for it.
func (t *tree) either(n *yaml.Node, what string, words []string, own map[string]string) string {
	if s := own[n.Value]; s != "" && n.Kind == yaml.ScalarNode {
		return s
	}
	return t.word(n, what, words)
}

// several gives a list, or a lone mapping or scalar as a list of one.
func (t *tree) several(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind == yaml.MappingNode {
		return []*yaml.Node{n}
	}
	return t.oneOrMore(n, what)
}

// without gives a mapping less the keys that are told off here, each with what
// to write instead.
func (t *tree) without(n *yaml.Node, what string, hints map[string]string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return n
	}
	out := *n
	out.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if hint := hints[k.Value]; hint != "" && k.Kind == yaml.ScalarNode {
			t.bad(k, hint, "%s.%s is worked out, and cannot be given (不能直接给出)", what, k.Value)
			continue
		}
		out.Content = append(out.Content, n.Content[i], n.Content[i+1])
	}
	return &out
}

// table reads names with texts.
func (t *tree) table(n *yaml.Node, what string) map[string]string {
	out := map[string]string{}
	for _, p := range t.pairs(n, what) {
		out[p.key.Value] = t.str(p.value, what+"."+p.key.Value)
	}
	return out
}

// strs reads a text or a list of texts.
func (t *tree) strs(n *yaml.Node, what string) []string {
	var out []string
	for _, item := range t.oneOrMore(n, what) {
		if s := t.str(item, what); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func placeOf(n *yaml.Node) place { return place{n.Line, n.Column} }

// pick gives the first text that is not empty.
func pick(texts ...string) string {
	if i := slices.IndexFunc(texts, func(s string) bool { return s != "" }); i >= 0 {
		return texts[i]
	}
	return ""
}

// numbered names the i-th thing, from 0, that a case leaves without a name: JJ1.
func numbered(kind string, i int) string { return fmt.Sprintf("%s%d", kind, i+1) }
