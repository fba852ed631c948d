package rules

import (
	"regexp"
	"slices"
	"sort"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"

	"tickler/calendar"
	"tickler/loan"
)

// Sets are the three institutions of the manual; a branch enables what it
// follows.
var Sets = []string{"manual", "county", "policy"}

// Roles are who performs or signs.
var Roles = []string{"officer", "supervisor", "monitor", "risk_manager", "deputy_president", "president", "ops", "auditor", "asset_manager"}

var (
	everyWords   = []string{"week", "half_month", "month", "quarter", "half_year", "year", "interest_date", "fee_date"}
	landingWords = []string{"following", "preceding", "modified_following", "none"}
)

// Parse reads a rulebook. The error is Problems, with every mistake of the
// file; a mistake of YAML's own syntax comes alone.
func Parse(file string, text []byte) (*Book, error) {
	t := plant(file, text, everyKey...)
	if t.root == nil {
		return nil, t.problems.sorted()
	}
	b := &Book{File: file, text: slices.Clone(text), digest: digestOf(text), byID: map[string]*Rule{}, Events: map[string]*EventKind{}, Params: map[string]any{}}
	for kind, e := range standard() {
		b.Events[kind] = e
	}
	t.book(b)
	if len(t.problems) > 0 {
		return nil, t.problems.sorted()
	}
	return b, nil
}

func (t *tree) book(b *Book) {
	top := t.keys(t.root, "a rulebook", bookKeys)
	if t.root.Kind != yaml.MappingNode {
		return
	}
	if n := top["version"]; n == nil {
		t.at(t.root.Line, t.root.Column, "no version", "begin the file with \"version: 1\"")
	} else if n.Kind != yaml.AliasNode && (n.Value != "1" || n.Tag != "!!int") {
		t.bad(n, "write version: 1", "version: found %s; this program reads version 1", kindOf(n))
	}
	b.Zone = t.zone(top["zone"])
	if n := top["fiscal_year_end"]; n != nil {
		if s := t.str(n, "fiscal_year_end"); s != "" && !t.wide(n, "fiscal_year_end") {
			f, err := calendar.ParseFiscal(s)
			if err != nil {
				t.bad(n, "", "%v", err)
			}
			b.Fiscal = f
		}
	}
	b.Enabled = []string{"manual"}
	if n := top["enable"]; n != nil {
		b.Enabled = nil
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			t.bad(n, "write enable: [manual]", "enable: no set, so no rule would hold")
		}
		for _, item := range t.list(n, "enable") {
			if s := t.word(item, "enable", Sets); s != "" {
				b.Enabled = append(b.Enabled, s)
			}
		}
	}
	if n := top["params"]; n != nil {
		t.params(b, n)
	}
	if n := top["defaults"]; n != nil {
		at := t.keys(n, "defaults", defaultsKeys)
		if n := at["remind"]; n != nil {
			b.Remind = t.remind(n)
		}
		if n := at["escalate"]; n != nil {
			b.Escalate = t.escalate(n)
		}
	}
	if n := top["events"]; n != nil {
		t.events(b, n)
	}
	n := top["rules"]
	if n == nil {
		t.at(t.root.Line, t.root.Column, "no rules", "add the key rules with a list")
		return
	}
	items := t.list(n, "rules")
	if n.Kind == yaml.SequenceNode && len(items) == 0 {
		t.bad(n, "", "rules: the list is empty")
	}
	for _, item := range items {
		t.addRule(b, item)
	}
	t.rule = ""
	t.crossCheck(b)
	if n := top["standing"]; n != nil {
		t.standing(b, n)
	}
}

func (t *tree) standing(b *Book, n *yaml.Node) {
	for _, item := range t.list(n, "standing") {
		var s Standing
		at := t.keys(item, "standing", standingKeys)
		if n := at["rows"]; n != nil {
			s.Rows = t.rows(n)
		}
		for key, to := range map[string]*string{"name": &s.Name, "note": &s.Note} {
			if n := at[key]; n != nil {
				*to = t.text(n, key)
			}
		}
		if n := at["check"]; n != nil {
			if s.Check = t.str(n, "check"); s.Check != "" && !paramName.MatchString(s.Check) {
				t.bad(n, "", "check %q: want one word of small letters", s.Check)
			}
		}
		if at != nil && at["name"] == nil {
			t.bad(item, "add name: 每户有客户经理", "standing: no name")
		}
		b.Standing = append(b.Standing, s)
	}
}

var rowName = regexp.MustCompile(`^[A-Z][0-9]{2}$`)

// rows reads the rows of the source table.
func (t *tree) rows(n *yaml.Node) []string {
	var out []string
	for _, item := range t.list(n, "rows") {
		if s := t.str(item, "rows"); s != "" {
			if !rowName.MatchString(s) {
				t.bad(item, "write it as in B40", "rows: %q is no row of the source table", s)
				continue
			}
			out = append(out, s)
		}
	}
	return out
}

func (t *tree) zone(n *yaml.Node) *time.Location {
	name := "Asia/Shanghai"
	if n != nil {
		name = t.str(n, "zone")
	}
	if n != nil && name == "" {
		return time.UTC // reported
	}
	z, err := time.LoadLocation(name)
	if err == nil && name != "Local" {
		return z
	}
	if n == nil {
		n = t.root
	}
	t.bad(n, "write zone: Asia/Shanghai", "zone %q is not known", name)
	return time.UTC
}

var paramName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (t *tree) params(b *Book, n *yaml.Node) {
	for _, p := range t.pairs(n, "params") {
		name := p.key.Value
		if !paramName.MatchString(name) || isFunction(name) || fieldsOf(name) != nil {
			t.bad(p.key, "", "params: %q: want a name of small letters, digits and _ that is no name of a fact or a function", name)
			continue
		}
		switch p.value.Kind {
		case yaml.SequenceNode:
			var list []string
			for _, item := range p.value.Content {
				list = append(list, t.str(item, "params."+name))
			}
			b.Params[name] = list
		case yaml.ScalarNode:
			s := t.str(p.value, "params."+name)
			switch {
			case p.value.Tag == "!!int" || p.value.Tag == "!!float":
				if v, ok := t.number(p.value, "params."+name); ok {
					b.Params[name] = v
				}
			case p.value.Tag == "!!bool":
				t.bad(p.value, "put a text in quotes (加引号)", "params.%s: %s is neither a number nor a text", name, s)
			case amount.MatchString(s):
				t.bad(p.value, "write the number out, as in 50000000 (写全数字，不带逗号、万、亿)", "params.%s: %q is a text, not a number", name, s)
			case s != "":
				b.Params[name] = s
			}
		case yaml.AliasNode:
		default:
			t.bad(p.value, "", "params.%s: want a number, a text or a list of texts", name)
		}
	}
}

// amount is what people write for a number and YAML takes for a text.
var amount = regexp.MustCompile(`^[0-9][0-9,，.]*\s*[万亿千百]?元?$`)

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// number reads a plain decimal number; what YAML reads otherwise (010, 0x1F,
// 1_000, 1e3) is refused.
func (t *tree) number(n *yaml.Node, what string) (any, bool) {
	if !decimal.MatchString(n.Value) {
		t.bad(n, "write it out, as in 50000000 or 0.4", "%s: %q is not a plain number", what, n.Value)
		return nil, false
	}
	if v, err := strconv.Atoi(n.Value); err == nil {
		return v, true
	}
	v, err := strconv.ParseFloat(n.Value, 64)
	if err != nil {
		t.bad(n, "", "%s: the number is too large", what)
	}
	return v, err == nil
}

func (t *tree) remind(n *yaml.Node) []Limit {
	var out []Limit
	for _, item := range t.list(n, "remind") {
		e, ok := t.date(item, "remind", []string{"due"})
		if !ok {
			continue
		}
		if e.On {
			e.Limit = calendar.Limit{Unit: calendar.Days}
		}
		if e.Limit.N > 0 {
			t.bad(item, "what comes after due is written under escalate", "remind %q: want before due", e.Text)
			continue
		}
		out = append(out, Limit{N: e.Limit.N, Unit: e.Limit.Unit})
	}
	return out
}

func (t *tree) escalate(n *yaml.Node) []Escalation {
	var out []Escalation
	for _, item := range t.list(n, "escalate") {
		var e Escalation
		at := t.keys(item, "escalate", escalateKeys)
		if n := at["after"]; n != nil {
			e.After = t.after(n)
		}
		if n := at["to"]; n != nil {
			e.To = t.word(n, "to", Roles)
		}
		if at != nil && (at["after"] == nil || at["to"] == nil) {
			t.bad(item, "write {after: 1 workday, to: supervisor}", "escalate: want after and to")
		}
		if e.After.Unit == 0 || e.To == "" {
			continue
		}
		out = append(out, e)
	}
	return out
}

// after reads a limit that stands alone.
func (t *tree) after(n *yaml.Node) calendar.Limit {
	s := t.str(n, "after")
	if s == "" || t.wide(n, "after") {
		return calendar.Limit{}
	}
	ws := words(s)
	if ws == nil {
		t.bad(n, "", "after: want a limit, as in 1 workday")
		return calendar.Limit{}
	}
	l, next, ok := t.limit(n, "after", ws)
	if ok && next < len(ws) {
		t.blame(n, "after", ws[next], "", "%q is too much", ws[next].text)
	}
	return l
}

var eventName = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`)

func kindWords() []string {
	var out []string
	for _, k := range loan.Kinds {
		out = append(out, string(k))
	}
	return out
}

func (b *Book) eventKinds() []string {
	var out []string
	for k := range b.Events {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
