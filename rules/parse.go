package rules

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"tickler/calendar"
	"tickler/loan"
)

// Sets are the three institutions of the manual; a branch enables what it
// follows.
var Sets = []string{"manual", "county", "policy"}

// Roles are who performs or signs.
var Roles = []string{"officer", "supervisor", "monitor", "risk_manager", "deputy_president", "president", "ops", "auditor"}

var (
	everyWords   = []string{"week", "half_month", "month", "quarter", "half_year", "year", "interest_date", "fee_date"}
	landingWords = []string{"following", "preceding", "modified_following", "none"}
)

// Parse reads a rulebook. The error is Problems, with every mistake of the
// file; a mistake of YAML's own syntax comes alone.
func Parse(file string, text []byte) (*Book, error) {
	t := plant(file, text)
	if t.root == nil {
		return nil, t.problems.sorted()
	}
	b := &Book{File: file, text: slices.Clone(text), digest: digestOf(text), byID: map[string]*Rule{}, Events: map[string]*EventKind{}, Params: map[string]any{}}
	for _, e := range builtinEvents {
		e.Builtin = true
		b.Events[e.Kind] = &e
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
			case s != "":
				b.Params[name] = s
			}
		case yaml.AliasNode:
		default:
			t.bad(p.value, "", "params.%s: want a number, a text or a list of texts", name)
		}
	}
}

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

func (t *tree) events(b *Book, n *yaml.Node) {
	for _, p := range t.pairs(n, "events") {
		kind := p.key.Value
		if !eventName.MatchString(kind) {
			t.bad(p.key, "", "event %q: want kind.verb in small letters, as in worklog.submitted", kind)
			continue
		}
		e := &EventKind{Kind: kind}
		at := t.keys(p.value, "event "+kind, eventKeys)
		if n := at["name"]; n != nil {
			e.Name = t.text(n, "name")
		}
		if n := at["for"]; n != nil {
			for _, item := range t.oneOrMore(n, "for") {
				if k := t.word(item, "for", kindWords()); k != "" {
					e.For = append(e.For, loan.Kind(k))
				}
			}
		} else if at != nil {
			t.bad(p.key, "add for: [loan]", "event %q: no subject", kind)
		}
		b.Events[kind] = e
	}
}

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

var ruleID = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// addRule reads one rule. What a key means can depend on the rule's shape, so
// the shape is read first.
func (t *tree) addRule(b *Book, n *yaml.Node) {
	t.rule = ""
	if n.Kind == yaml.AliasNode {
		return // reported when the tree was planted
	}
	if n.Kind != yaml.MappingNode {
		t.bad(n, "", "a rule: want keys with values, found %s", kindOf(n))
		return
	}
	r := &Rule{Stated: true, Set: "manual", By: "officer", Line: n.Line, at: map[string]place{"id": {n.Line, n.Column}}}
	at := map[string]*yaml.Node{} // of the keys that are there once
	merged := false               // what is missing may come from elsewhere
	for _, p := range t.pairs(n, "a rule") {
		at[p.key.Value] = p.value
		r.at[p.key.Value] = place{p.key.Line, p.key.Column}
		merged = merged || p.key.Tag == "!!merge"
	}
	if id := at["id"]; id == nil {
		t.bad(n, "add id: what-is-to-do", "a rule without an id (规则没有编号)")
	} else if r.ID = t.str(id, "id"); r.ID != "" {
		t.rule = r.ID
		if !ruleID.MatchString(r.ID) {
			t.bad(id, "", "id %q: want small letters and digits, joined by -", r.ID)
		}
		if first := b.byID[r.ID]; first != nil {
			t.bad(id, "give this one another id", "the id is there already, on line %d", first.Line)
		}
	}
	t.keys(n, "a rule", ruleKeys) // here, so that what is unknown comes with the rule's id
	if merged {
		return // reported when the tree was planted
	}
	before := len(t.problems)
	t.shape(b, r, at)
	r.vague = len(t.problems) > before
	t.texts(b, r, at)
	t.dates(r, n, at)
	t.conditions(b, r, at)
	if r.Name == "" {
		r.Name = r.ID
	}
	if r.Remind == nil {
		r.Remind = b.Remind
	}
	if r.Escalate == nil {
		r.Escalate = b.Escalate
	}
	b.Rules = append(b.Rules, r)
	if r.ID != "" && b.byID[r.ID] == nil {
		b.byID[r.ID] = r
	}
}

// shape reads what the rule is about and when it comes round.
func (t *tree) shape(b *Book, r *Rule, at map[string]*yaml.Node) {
	if n := at["for"]; n != nil {
		r.For = loan.Kind(t.word(n, "for", kindWords()))
	}
	if n := at["on"]; n != nil {
		r.On = t.eventList(b, n, "on")
	}
	if n := at["every"]; n != nil {
		r.Every = t.word(n, "every", everyWords)
		r.every, _ = calendar.ParseEvery(r.Every)
		if !r.Period() && r.Every != "" && r.For != loan.KindLoan && at["for"] != nil {
			t.bad(n, "write for: loan", "every %s: only a loan has a schedule", r.Every)
		}
	}
	if n := at["since"]; n != nil {
		for _, item := range t.list(n, "since") {
			s := t.str(item, "since")
			if s == "loan.disbursed" || s == "branch.opened" {
				r.Since = append(r.Since, s)
			} else if b.Events[s] != nil {
				r.Since = append(r.Since, s)
			} else if s != "" {
				t.unknownEvent(b, item, "since", s, "loan.disbursed", "branch.opened")
			}
		}
	}
	var shapes []string
	for _, key := range []string{"on", "every", "since"} {
		if at[key] != nil {
			shapes = append(shapes, key)
		}
	}
	if len(shapes) > 1 {
		p := r.at[shapes[1]]
		t.at(p.line, p.col, strings.Join(shapes, " and ")+" exclude each other", "make two rules of it")
	}
	t.subject(r, at, len(shapes) == 0)
	t.each(r, at)
}

// subject refuses a rule that would never make a duty, because nothing is
// derived for such a subject in such a way.
func (t *tree) subject(r *Rule, at map[string]*yaml.Node, fixed bool) {
	if at["for"] == nil {
		if at["on"] == nil {
			p := r.at["id"]
			t.at(p.line, p.col, "no subject (没有对象)", "add for: loan")
		}
		return
	}
	if at["on"] != nil || r.For == "" {
		return
	}
	n := at["for"]
	switch r.For {
	case loan.KindLoan:
	case loan.KindGuarantor:
		t.bad(n, "write for: loan and each: guarantor", "for guarantor: a guarantor has no duties of his own")
	case loan.KindGroup:
		t.bad(n, "write for: borrower", "for group: this version derives no duties of a group")
	case loan.KindCollateral:
		if at["since"] == nil {
			t.bad(n, "add since: [collateral.inspected, loan.disbursed]", "for collateral: want since")
		}
	default:
		if fixed || at["since"] != nil {
			t.bad(n, "add every: quarter", "for %s: want every, with a period", r.For)
		}
	}
}

func (t *tree) each(r *Rule, at map[string]*yaml.Node) {
	if n := at["each"]; n != nil && (r.For != "" || at["for"] == nil) {
		if r.For != loan.KindLoan && r.For != loan.KindBorrower {
			t.bad(n, "", "each: only a loan or a borrower has guarantors")
			return
		}
		for _, item := range t.oneOrMore(n, "each") {
			if k := t.word(item, "each", []string{string(loan.KindGuarantor), string(r.For)}); k != "" {
				r.Each = append(r.Each, loan.Kind(k))
			}
		}
	}
}

func (t *tree) unknownEvent(b *Book, n *yaml.Node, key, s string, more ...string) {
	if t.wide(n, key) {
		return
	}
	text, hint := b.unknownEvent(s, more...)
	t.bad(n, hint, "%s: %s", key, text)
}

// unknownEvent says that nobody declared the event, and what was perhaps meant.
func (b *Book) unknownEvent(s string, more ...string) (text, hint string) {
	hint = didYouMean(s, append(b.eventKinds(), more...))
	if hint == "" {
		hint = "declare it under events"
	}
	return fmt.Sprintf("unknown event %q (没有声明的事件)", s), hint
}

func (t *tree) eventList(b *Book, n *yaml.Node, key string) []string {
	var out []string
	for _, item := range t.oneOrMore(n, key) {
		s := t.str(item, key)
		if s == "" {
			continue
		}
		if b.Events[s] == nil {
			t.unknownEvent(b, item, key, s)
			continue
		}
		out = append(out, s)
	}
	return out
}

// texts reads the words of the rule and who is concerned.
func (t *tree) texts(b *Book, r *Rule, at map[string]*yaml.Node) {
	for key, to := range map[string]*string{"name": &r.Name, "clause": &r.Clause, "note": &r.Note, "notice": &r.Notice} {
		if n := at[key]; n != nil {
			*to = t.text(n, key)
		}
	}
	if n := at["set"]; n != nil {
		r.Set = t.word(n, "set", Sets)
	}
	if n := at["stated"]; n != nil {
		r.Stated = t.boolean(n, "stated")
	}
	if n := at["by"]; n != nil {
		r.By = t.word(n, "by", Roles)
	}
	if n := at["sign"]; n != nil {
		for _, item := range t.list(n, "sign") {
			if s := t.word(item, "sign", Roles); s != "" {
				r.Sign = append(r.Sign, s)
			}
		}
	}
	if n := at["closes_on"]; n != nil {
		r.ClosesOn = t.eventList(b, n, "closes_on")
	}
	if n := at["yields_to"]; n != nil {
		for _, item := range t.oneOrMore(n, "yields_to") {
			if s := t.str(item, "yields_to"); s != "" {
				r.YieldsTo = append(r.YieldsTo, s)
				t.yields = append(t.yields, yield{r, s, item})
			}
		}
	}
	if n := at["remind"]; n != nil {
		r.Remind = t.remind(n)
	}
	if n := at["escalate"]; n != nil {
		r.Escalate = t.escalate(n)
	}
	for key, to := range map[string]*calendar.Date{"effective_from": &r.EffectiveFrom, "effective_to": &r.EffectiveTo} {
		if n := at[key]; n != nil {
			s := t.str(n, key)
			if s == "" || t.wide(n, key) {
				continue
			}
			d, err := calendar.ParseDate(s)
			if err != nil {
				t.bad(n, "", "%s: %v", key, err)
			}
			*to = d
		}
	}
	if !r.EffectiveTo.IsZero() && r.EffectiveTo < r.EffectiveFrom {
		t.bad(at["effective_to"], "", "effective_to: %s is before effective_from %s", r.EffectiveTo, r.EffectiveFrom)
	}
}

// dates reads due, raise, landing and within.
func (t *tree) dates(r *Rule, n *yaml.Node, at map[string]*yaml.Node) {
	if d := at["due"]; d == nil {
		p := r.at["id"]
		t.at(p.line, p.col, "no due day (没有截止日)", "add due: 10 workdays after loan.maturity")
	} else {
		r.Due, _ = t.date(d, "due", r.anchors())
	}
	if d := at["raise"]; d != nil {
		anchors := r.anchors()
		if !r.vague {
			anchors = append([]string{"due"}, anchors...)
		}
		if e, ok := t.date(d, "raise", anchors); ok {
			if e.Anchor == "due" && e.Limit.N > 0 {
				t.bad(d, "", "raise %q: a duty is raised on or before its due day", e.Text)
			}
			r.Raise = &e
		}
	}
	if d := at["landing"]; d != nil {
		if w := t.word(d, "landing", landingWords); w != "" {
			r.Landing, _ = calendar.ParseLanding(w)
		}
	}
	if d := at["within"]; d != nil {
		if !r.Period() || r.For != loan.KindLoan {
			t.bad(d, "", "within: want a rule for a loan that runs by periods")
			return
		}
		items := t.list(d, "within")
		if d.Kind != yaml.SequenceNode {
			return
		}
		if len(items) != 2 {
			t.bad(d, "", "within: want two days, the first and the last")
			return
		}
		loanAnchors := (&Rule{For: loan.KindLoan}).anchors()
		first, ok1 := t.date(items[0], "within", loanAnchors)
		last, ok2 := t.date(items[1], "within", loanAnchors)
		if ok1 && ok2 && r.Period() {
			r.Within = &span{first, last}
		}
	}
}

func (t *tree) conditions(b *Book, r *Rule, at map[string]*yaml.Node) {
	if n := at["when"]; n != nil {
		r.When = t.condition(n, "when", r, b, wantBool)
	}
	if n := at["except"]; n != nil {
		for _, item := range t.list(n, "except") {
			x := Exception{at: place{item.Line, item.Column}}
			at := t.keys(item, "except", exceptKeys)
			if n := at["if"]; n != nil {
				x.If = t.condition(n, "if", r, b, wantBool)
			}
			if n := at["why"]; n != nil {
				x.Why = t.text(n, "why")
			}
			if at != nil && (at["if"] == nil || at["why"] == nil) {
				t.bad(item, "write {if: loan.transferred, why: 已移交}", "except: want if, and why in words")
			}
			if x.If != nil {
				r.Except = append(r.Except, x)
			}
		}
	}
	n := at["needs"]
	if n == nil {
		return
	}
	if !r.Period() {
		t.bad(n, "add every: month", "needs: want a rule that runs by periods")
		return
	}
	r.Needs = &Needs{}
	q := t.keys(n, "needs", needsKeys)
	if n := q["count"]; n != nil {
		if s := t.str(n, "count"); s != "" {
			if b.Events[s] == nil {
				t.unknownEvent(b, n, "count", s)
			}
			r.Needs.Count = s
		}
	}
	if n := q["at_least"]; n != nil {
		r.Needs.AtLeast = t.condition(n, "at_least", r, b, wantNumber)
		if n.Tag == "!!int" && (n.Value == "0" || strings.HasPrefix(n.Value, "-")) {
			t.bad(n, "", "at_least: want 1 or more")
		} else if n.Tag == "!!int" && !decimal.MatchString(n.Value) {
			t.number(n, "at_least")
		}
	}
	if q != nil && (q["count"] == nil || q["at_least"] == nil) {
		t.bad(n, "write needs: {count: worklog.submitted, at_least: 1}", "needs: want count and at_least")
	}
}

// yield is one rule named in another's yields_to.
type yield struct {
	rule *Rule
	to   string
	node *yaml.Node
}

// crossCheck looks at what rules say of each other.
func (t *tree) crossCheck(b *Book) {
	yields := map[string][]string{}
	for _, y := range t.yields {
		t.rule = y.rule.ID
		if b.byID[y.to] == nil {
			t.bad(y.node, didYouMean(y.to, b.ids()), "yields_to: unknown rule %q (没有这条规则)", y.to)
			continue
		}
		yields[y.rule.ID] = append(yields[y.rule.ID], y.to)
	}
	for _, cycle := range cycles(yields) {
		t.rule = cycle[0]
		p := b.byID[cycle[0]].at["yields_to"]
		t.at(p.line, p.col, "the rules yield to each other in a circle (循环): "+strings.Join(cycle, " -> "), "let one of them stand")
	}
	// A rule on one event that is closed by another opens a link of a chain.
	chain := map[string][]string{}
	for _, r := range b.Rules {
		for _, on := range r.On {
			for _, c := range r.ClosesOn {
				chain[on] = append(chain[on], c)
			}
		}
	}
	for _, cycle := range cycles(chain) {
		t.rule = ""
		for _, r := range b.Rules {
			if slices.Contains(r.On, cycle[0]) && slices.Contains(r.ClosesOn, cycle[1]) {
				t.rule = r.ID
				p := r.at["closes_on"]
				t.at(p.line, p.col, "the chain of events runs in a circle (循环): "+strings.Join(cycle, " -> "), "close one of the rules by another event")
				break
			}
		}
	}
}

func (b *Book) ids() []string {
	var out []string
	for _, r := range b.Rules {
		out = append(out, r.ID)
	}
	return out
}

// cycles gives each circle of a graph once, its first node at both ends.
func cycles(graph map[string][]string) [][]string {
	var nodes []string
	for n := range graph {
		nodes = append(nodes, n)
	}
	sort.Strings(nodes)
	var out [][]string
	state := map[string]int{} // 1 on the path, 2 done
	var path []string
	var visit func(n string)
	visit = func(n string) {
		state[n] = 1
		path = append(path, n)
		for _, next := range graph[n] {
			switch state[next] {
			case 0:
				visit(next)
			case 1:
				i := slices.Index(path, next)
				out = append(out, append(slices.Clone(path[i:]), next))
			}
		}
		path = path[:len(path)-1]
		state[n] = 2
	}
	for _, n := range nodes {
		if state[n] == 0 {
			visit(n)
		}
	}
	return out
}
