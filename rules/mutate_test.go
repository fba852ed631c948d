package rules

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"tickler"
	"tickler/calendar"
)

// mutant is a rule of the shipped rulebook with one thing changed.
type mutant struct {
	rule, what string
	node       *yaml.Node // the rule
}

// unnoticed are mutants that say the same as the rule does, or that no case
// can tell from it, each with the reason.
//
// rule: what -> why
var unnoticed = map[string]string{
	"ledger-entry-disbursement: landing: preceding": "a due day before the payout becomes the working day on or after it",

	"ledger-carry-forward: needs: 100% -> 99%": "it takes a hundred loans to tell",

	"supervision-coverage-year: when removed":                                              "of no branches none is needed",
	"supervision-coverage-year: when: branch.subordinates > 0 -> branch.subordinates >= 0": "of no branches none is needed",

	"fund-flow-record: effective_from: 2006-04-01 -> 2006-04-02": "the calendar begins in 2007",

	"bank-statement-catch-up: due: 1 month after 2006-03-31 -> 0 month after 2006-03-31":  "the calendar begins in 2007: it never falls due",
	"bank-statement-catch-up: due: 1 month after 2006-03-31 -> 2 month after 2006-03-31":  "the calendar begins in 2007: it never falls due",
	"bank-statement-catch-up: due: 1 month after 2006-03-31 -> 1 month before 2006-03-31": "the calendar begins in 2007: it never falls due",
	"bank-statement-catch-up: by: officer -> supervisor":                                  "the calendar begins in 2007: it never falls due",
	"bank-statement-catch-up: closes_on dropped":                                          "the calendar begins in 2007: it never falls due",
	"bank-statement-catch-up: effective_to removed":                                       "its fixed day is long before",
	"bank-statement-catch-up: effective_to: 2006-12-31 -> 2006-12-30":                     "its fixed day is long before",
	"bank-statement-catch-up: effective_to: 2006-12-31 -> 2007-01-01":                     "its fixed day is long before",
	"bank-statement-catch-up: landing: preceding":                                         "the calendar begins in 2007: it never falls due",
}

// leastCaught is the share of the mutants, in percent, that the shipped cases
// must catch.
const leastCaught = 95

// A shipped rule cannot be changed in one place without a shipped case that
// notices: a number, a unit, a landing, an edge, an exemption, a role.
func TestMutation(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	cases, err := ShippedCases()
	if err != nil {
		t.Fatal(err)
	}
	p := newPlate(t, tickler.Rulebook)
	cal := calendar.Builtin()
	caught, all := 0, 0
	var survivors, bare []string
	for i, rule := range p.rules {
		id := keyOf(rule, "id").Value
		relevant, with := p.relevant(id, cases)
		if len(relevant) == 0 {
			bare = append(bare, id)
		}
		whole, err := Parse("rules.yaml", p.text(with, i, rule))
		if err != nil {
			t.Fatalf("rule %s without the others: %v", id, err)
		}
		for _, c := range relevant {
			if !run(whole, cal, c, false).OK {
				t.Errorf("case %q does not hold", c.Name)
			}
		}
		for _, m := range mutantsOf(rule) {
			name := m.rule + ": " + m.what
			notices := func() bool {
				b, err := Parse("rules.yaml", p.text(with, i, m.node))
				return err != nil || slices.ContainsFunc(relevant, func(c *Case) bool { return !run(b, cal, c, false).OK })
			}()
			if why := unnoticed[name]; why != "" {
				if notices {
					t.Errorf("%s is caught; take it out of the list", name)
				}
				continue
			}
			all++
			if notices {
				caught++
			} else {
				survivors = append(survivors, name)
			}
		}
	}
	share := 100 * float64(caught) / float64(all)
	t.Logf("%d of %d mutants are caught, %.1f %%; %d more say the same as the rule; %d cases", caught, all, share, len(unnoticed), len(cases))
	for _, s := range survivors {
		t.Logf("survives: %s", s)
	}
	if len(bare) > 0 {
		t.Logf("rules without a case: %s", strings.Join(bare, ", "))
	}
	if share < leastCaught {
		t.Errorf("%.1f %% of the mutants are caught, want %d %%: add cases for those above", share, leastCaught)
	}
}

// plate is the shipped rulebook, laid out to print parts of it.
type plate struct {
	head  []byte       // what stands above the rules
	rules []*yaml.Node // in the order of the file
	texts [][]byte     // of each rule, as an item of the list
	index map[string]int
	book  *Book
}

func newPlate(t *testing.T, text []byte) *plate {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	book, err := Parse("rules.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	p := &plate{index: map[string]int{}, book: book}
	root := doc.Content[0]
	rules := keyOf(root, "rules")
	head := *root
	head.Content = nil
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i+1] != rules {
			head.Content = append(head.Content, root.Content[i], root.Content[i+1])
		}
	}
	p.head = encoded(&head)
	for i, r := range rules.Content {
		p.rules = append(p.rules, r)
		p.texts = append(p.texts, item(r))
		p.index[keyOf(r, "id").Value] = i
	}
	return p
}

func encoded(n *yaml.Node) []byte {
	out, err := yaml.Marshal(n)
	if err != nil {
		panic(err)
	}
	return out
}

func item(rule *yaml.Node) []byte {
	return encoded(&yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{rule}})
}

// relevant gives the cases that a change of the rule can matter to, and the
// rules that they need.
func (p *plate) relevant(id string, cases []Case) (out []*Case, with []int) {
	need := map[int]bool{p.index[id]: true}
	for _, y := range p.book.Rule(id).YieldsTo {
		need[p.index[y]] = true
	}
	for i := range cases {
		sub := cases[i].book(p.book)
		if !slices.ContainsFunc(sub.Rules, func(r *Rule) bool { return r.ID == id }) {
			continue
		}
		out = append(out, &cases[i])
		for _, name := range cases[i].Names() {
			need[p.index[name]] = true
		}
		for _, r := range sub.Rules {
			need[p.index[r.ID]] = true
			for _, y := range r.YieldsTo {
				need[p.index[y]] = true
			}
		}
	}
	for i := range p.rules {
		if need[i] {
			with = append(with, i)
		}
	}
	return out, with
}

// text prints the head and some of the rules, the i-th as it is given.
func (p *plate) text(with []int, i int, rule *yaml.Node) []byte {
	var b bytes.Buffer
	b.Write(p.head)
	b.WriteString("rules:\n")
	for _, j := range with {
		if j == i {
			b.Write(item(rule))
		} else {
			b.Write(p.texts[j])
		}
	}
	return b.Bytes()
}

func keyOf(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// breeder makes the mutants of one rule.
type breeder struct {
	rule *yaml.Node
	id   string
	out  []mutant
}

func mutantsOf(rule *yaml.Node) []mutant {
	b := &breeder{rule: rule, id: keyOf(rule, "id").Value}
	b.keys(rule, "")
	return b.out
}

// add keeps a mutant: the rule as it stands while change has been done. What
// was changed is put back.
func (b *breeder) add(what string, change func() (undo func())) {
	undo := change()
	b.out = append(b.out, mutant{b.id, what, clone(b.rule)})
	undo()
}

func clone(n *yaml.Node) *yaml.Node {
	out := *n
	out.Content = make([]*yaml.Node, len(n.Content))
	for i, c := range n.Content {
		out.Content[i] = clone(c)
	}
	return &out
}

// value makes a mutant with another text in a scalar.
func (b *breeder) value(where string, n *yaml.Node, to string) {
	from := n.Value
	if from == to {
		return
	}
	b.add(fmt.Sprintf("%s: %s -> %s", where, from, to), func() func() {
		n.Value = to
		return func() { n.Value = from }
	})
}

// drop makes a mutant without a part of a list or a mapping.
func (b *breeder) drop(what string, n *yaml.Node, from, to int) {
	was := n.Content
	b.add(what, func() func() {
		n.Content = slices.Concat(was[:from], was[to:])
		return func() { n.Content = was }
	})
}

// keys goes through the keys of a rule, or of one of its overrides.
func (b *breeder) keys(n *yaml.Node, where string) {
	dated := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i].Value, n.Content[i+1]
		at := where + key
		switch key {
		case "due", "raise", "within":
			dated = dated || key == "due"
			for _, item := range scalars(v) {
				b.limit(at, item)
			}
		case "landing":
			to := map[string]string{"preceding": "following"}[v.Value]
			if to == "" {
				to = "preceding"
			}
			b.value(at, v, to)
		case "when":
			b.condition(at, v)
			b.drop(at+" removed", n, i, i+2)
		case "except":
			for j, x := range v.Content {
				b.condition(at, keyOf(x, "if"))
				b.drop(fmt.Sprintf("%s %s removed", at, keyOf(x, "if").Value), v, j, j+1)
			}
		case "needs":
			if x := keyOf(v, "at_least"); x != nil {
				b.condition(at, x)
			}
		case "by":
			for j, x := range scalars(v) {
				b.value(at, x, otherOf(x.Value, Roles))
				if len(v.Content) > 1 {
					b.drop(fmt.Sprintf("%s %s dropped", at, x.Value), v, j, j+1)
				}
			}
		case "sign", "closes_on", "each", "on", "since", "yields_to":
			b.list(n, i, at)
		case "effective_from", "effective_to":
			b.drop(at+" removed", n, i, i+2)
			b.neighbours(at, v)
		case "overrides":
			for j, x := range v.Content {
				b.keys(x, fmt.Sprintf("%s[%d].", at, j))
				b.drop(fmt.Sprintf("%s[%d] removed", at, j), v, j, j+1)
			}
		}
	}
	if where == "" && keyOf(n, "by") == nil {
		b.with("by", "supervisor", n)
	}
	if due := keyOf(n, "due"); dated && keyOf(n, "landing") == nil && due.Kind == yaml.ScalarNode && !strings.Contains(due.Value, "workday") {
		to := "preceding"
		if strings.Contains(due.Value, " before ") || due.Value == "on period.end" {
			to = "following"
		}
		b.with("landing", to, n)
	}
}

// with makes a mutant with a key more.
func (b *breeder) with(key, value string, n *yaml.Node) {
	was := n.Content
	b.add(key+": "+value, func() func() {
		n.Content = slices.Concat(was, []*yaml.Node{{Kind: yaml.ScalarNode, Value: key}, {Kind: yaml.ScalarNode, Value: value}})
		return func() { n.Content = was }
	})
}

// list drops the whole of a list, and each of its items.
func (b *breeder) list(n *yaml.Node, i int, at string) {
	v := n.Content[i+1]
	if v.Kind == yaml.ScalarNode || len(v.Content) == 1 || v.Kind == yaml.MappingNode {
		b.drop(at+" dropped", n, i, i+2)
	}
	if v.Kind != yaml.SequenceNode {
		return
	}
	for j, x := range v.Content {
		name := x.Value
		if x.Kind == yaml.MappingNode {
			name = strings.TrimSpace(string(encoded(x)))
			if c := keyOf(x, "if"); c != nil {
				b.condition(at, c)
			}
			for _, key := range []string{"by", "in_a_row"} {
				if y := keyOf(x, key); y != nil && key == "by" {
					for k, role := range y.Content {
						b.drop(fmt.Sprintf("%s %s dropped", at, role.Value), y, k, k+1)
					}
				} else if y != nil {
					b.limit(at, y)
				}
			}
		}
		if len(v.Content) > 1 {
			b.drop(fmt.Sprintf("%s %s dropped", at, strings.Join(strings.Fields(name), " ")), v, j, j+1)
		}
	}
}

func scalars(n *yaml.Node) []*yaml.Node {
	if n.Kind == yaml.ScalarNode {
		return []*yaml.Node{n}
	}
	var out []*yaml.Node
	for _, c := range n.Content {
		if c.Kind == yaml.ScalarNode {
			out = append(out, c)
		}
	}
	return out
}

// otherOf gives the next of the words.
func otherOf(word string, words []string) string {
	return words[(slices.Index(words, word)+1)%len(words)]
}

var (
	wholeNumber = regexp.MustCompile(`\b\d+\b`)
	bareWord    = regexp.MustCompile(`\b(workdays?|days?|before|after)\b`)
	otherWord   = map[string]string{"workday": "day", "workdays": "days", "day": "workday", "days": "workdays", "before": "after", "after": "before"}
	edges       = regexp.MustCompile(`<=|>=|<|>|==|!=`)
	otherEdge   = map[string]string{"<=": "<", "<": "<=", ">=": ">", ">": ">="}
	literal     = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	yesOrNo     = regexp.MustCompile(`\b(true|false)\b`)
	negation    = regexp.MustCompile(`\bnot (in )?`)
)

// limit changes a date expression.
func (b *breeder) limit(at string, n *yaml.Node) {
	text := n.Value
	if m := wholeNumber.FindStringIndex(text); m != nil && !looksLikeDay.MatchString(text) && !strings.HasPrefix(text, "on ") {
		b.numbers(at, n, m)
	}
	for _, m := range bareWord.FindAllStringIndex(text, -1) {
		if strings.HasPrefix(text, "1 workday after ") && m[0] == 2 && keyOf(b.rule, "landing") == nil {
			continue // 1 day, landed on the following working day, is the same
		}
		b.value(at, n, text[:m[0]]+otherWord[text[m[0]:m[1]]]+text[m[1]:])
	}
}

func (b *breeder) numbers(at string, n *yaml.Node, m []int) {
	text := n.Value
	v, _ := strconv.Atoi(text[m[0]:m[1]])
	for _, to := range []int{v - 1, v + 1} {
		if to >= 0 {
			b.value(at, n, text[:m[0]]+strconv.Itoa(to)+text[m[1]:])
		}
	}
}

// neighbours puts the day before and the day after in the place of a day.
func (b *breeder) neighbours(at string, n *yaml.Node) {
	if d, err := calendar.ParseDate(n.Value); err == nil {
		b.value(at, n, d.AddDays(-1).String())
		b.value(at, n, d.AddDays(1).String())
	}
}

// condition changes an expression: its numbers, its edges, the words of closed
// sets, its truths.
func (b *breeder) condition(at string, n *yaml.Node) {
	text := n.Value
	texts := literal.FindAllStringIndex(text, -1)
	quoted := func(i int) bool {
		return slices.ContainsFunc(texts, func(m []int) bool { return i >= m[0] && i < m[1] })
	}
	swap := func(m []int, to string) { b.value(at, n, text[:m[0]]+to+text[m[1]:]) }
	for _, m := range wholeNumber.FindAllStringIndex(text, -1) {
		if !quoted(m[0]) {
			b.numbers(at, n, m)
		}
	}
	for _, m := range edges.FindAllStringIndex(text, -1) {
		if to := otherEdge[text[m[0]:m[1]]]; to != "" && !quoted(m[0]) {
			swap(m, to)
		}
	}
	for _, m := range yesOrNo.FindAllStringIndex(text, -1) {
		if !quoted(m[0]) {
			swap(m, map[string]string{"true": "false", "false": "true"}[text[m[0]:m[1]]])
		}
	}
	for _, m := range negation.FindAllStringIndex(text, -1) {
		if !quoted(m[0]) {
			swap(m, strings.TrimPrefix(text[m[0]:m[1]], "not "))
		}
	}
	for _, m := range texts {
		word := text[m[0]+1 : m[1]-1]
		for _, set := range [][]string{classWords(), modeWords} {
			if slices.Contains(set, word) {
				swap(m, text[m[0]:m[0]+1]+otherOf(word, set)+text[m[0]:m[0]+1])
			}
		}
	}
}
