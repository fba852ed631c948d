package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"tickler/calendar"
	"tickler/loan"
)

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
	r := &Rule{Line: n.Line, at: map[string]place{"id": {n.Line, n.Column}}}
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
	t.rest(b, r, at)
	if n := at["overrides"]; n != nil {
		t.overrides(b, r, at, n)
	}
	b.Rules = append(b.Rules, r)
	if r.ID != "" && b.byID[r.ID] == nil {
		b.byID[r.ID] = r
	}
}

// rest reads everything but the id. Each key stands by itself, so that an
// override is the rule read again with some keys replaced.
func (t *tree) rest(b *Book, r *Rule, at map[string]*yaml.Node) {
	r.Stated, r.Sets, r.By, r.Bys = true, []string{"manual"}, "officer", []string{"officer"}
	before := len(t.problems)
	t.shape(b, r, at)
	r.vague = len(t.problems) > before
	t.texts(b, r, at)
	t.people(b, r, at)
	t.dates(b, r, at)
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
}

// overrides reads what single branches do otherwise.
func (t *tree) overrides(b *Book, r *Rule, at map[string]*yaml.Node, n *yaml.Node) {
	named := map[string]bool{}
	for _, item := range t.list(n, "overrides") {
		var o Override
		own := t.keys(item, "overrides", overrideKeys)
		if own == nil {
			continue
		}
		if n := own["branch"]; n == nil {
			t.bad(item, "add branch: B02", "overrides: no branch (没有机构)")
		} else if o.Branch = t.text(n, "branch"); named[o.Branch] && o.Branch != "" {
			t.bad(n, "make one of them", "overrides: branch %q is there already", o.Branch)
		}
		named[o.Branch] = true
		if n := own["why"]; n == nil {
			t.bad(item, "add why: 分行批复〔2026〕12号", "overrides: no why (没有理由)")
		} else {
			o.Why = t.text(n, "why")
		}
		if n := own["off"]; n != nil && t.boolean(n, "off") {
			r.Overrides = append(r.Overrides, o)
			continue
		}
		merged := maps.Clone(at)
		delete(merged, "overrides")
		o.Rule = &Rule{ID: r.ID, Line: r.Line, at: maps.Clone(r.at)}
		changed := false
		for i := 0; i+1 < len(item.Content); i += 2 {
			k := item.Content[i]
			if ruleKeys.only(k.Value) != nil && own[k.Value] != nil && k.Value != "branch" {
				merged[k.Value] = own[k.Value]
				o.Rule.at[k.Value] = place{k.Line, k.Column}
				changed = true
			}
		}
		if !changed {
			t.bad(item, "add a key of the rule, as in due, or off: true", "overrides: nothing is otherwise here")
		}
		t.rest(b, o.Rule, merged)
		r.Overrides = append(r.Overrides, o)
	}
}

// shape reads what the rule is about and when it comes round.
func (t *tree) shape(b *Book, r *Rule, at map[string]*yaml.Node) {
	if n := at["for"]; n != nil {
		r.For = loan.Kind(t.word(n, "for", kindWords()))
	}
	if n := at["on"]; n != nil {
		t.triggers(b, r, n)
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
	t.subject(b, r, at, len(shapes) == 0)
	t.who(r, at)
	t.each(b, r, at)
}

// triggers reads the events of `on`.
func (t *tree) triggers(b *Book, r *Rule, n *yaml.Node) {
	if n.Tag == "!!null" {
		t.list(n, "on")
		return
	}
	for _, item := range t.items(n) {
		if item.Kind != yaml.MappingNode {
			r.On = append(r.On, t.eventList(b, item, "on")...)
			continue
		}
		at := t.keys(item, "on", triggerKeys)
		if at["event"] == nil || at["in_a_row"] == nil {
			t.bad(item, "write {event: indicator.weak, in_a_row: 3 months}", "on: want event and in_a_row")
			continue
		}
		kinds := t.eventList(b, at["event"], "event")
		m := inARow.FindStringSubmatch(t.str(at["in_a_row"], "in_a_row"))
		if m == nil {
			t.bad(at["in_a_row"], "write 3 months", "in_a_row: want 2 to 24 months, found %q", at["in_a_row"].Value)
			continue
		}
		if months, _ := strconv.Atoi(m[1]); months < 2 || months > 24 {
			t.bad(at["in_a_row"], "", "in_a_row: want 2 to 24 months, found %q", at["in_a_row"].Value)
		} else if len(kinds) == 1 {
			if r.InARow == nil {
				r.InARow = map[string]int{}
			}
			r.InARow[kinds[0]] = months
			r.On = append(r.On, kinds[0])
		}
	}
}

var inARow = regexp.MustCompile(`^ *([0-9]{1,2}) +months? *$`)

// subject refuses a rule that would never make a duty, because nothing is
// derived for such a subject in such a way.
func (t *tree) subject(b *Book, r *Rule, at map[string]*yaml.Node, fixed bool) {
	if at["for"] == nil {
		if at["on"] == nil {
			p := r.at["id"]
			t.at(p.line, p.col, "no subject (没有对象)", "add for: loan")
		}
		return
	}
	if r.For == "" {
		return
	}
	n := at["for"]
	if at["on"] != nil {
		if r.For != loan.KindBorrower && len(r.On) > 0 && !slices.ContainsFunc(r.On, func(e string) bool { return slices.Contains(b.Events[e].For, r.For) }) {
			t.bad(n, "leave for out, or write for: borrower", "for %s: none of the events is ever recorded of one", r.For)
		}
		return
	}
	switch r.For {
	case loan.KindLoan:
	case loan.KindGuarantor:
		t.bad(n, "write for: loan and each: guarantor", "for guarantor: a guarantor has no duties of his own")
	case loan.KindCollateral:
		if at["since"] == nil {
			t.bad(n, "add since: [collateral.inspected, loan.disbursed]", "for collateral: want since")
		}
	case loan.KindGroup:
		if at["every"] == nil {
			t.bad(n, "add every: half_year", "for group: want every, with a period")
		}
	case loan.KindBorrower:
	default:
		if fixed {
			t.bad(n, "add every: quarter", "for %s: want every, with a period", r.For)
		}
	}
}

// whoWords say in whose care a loan can be.
var whoWords = []string{"officer", "risk_manager"}

func (t *tree) who(r *Rule, at map[string]*yaml.Node) {
	r.Who = []string{"officer"}
	n := at["who"]
	if n == nil {
		return
	}
	if r.For != loan.KindOfficer {
		t.bad(n, "", "who: only a rule for an officer asks whose loans they are")
		return
	}
	r.Who = nil
	for _, item := range t.oneOrMore(n, "who") {
		if w := t.word(item, "who", whoWords); w != "" {
			r.Who = append(r.Who, w)
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
	for kind, e := range b.Events {
		if e.Name == s {
			hint = fmt.Sprintf("did you mean %q? (%s)", kind, s)
		}
	}
	if strings.ContainsAny(s, " ,") {
		hint = "write several in brackets, with commas between: [interest.paid, interest.checked] (方括号内逗号分隔)"
	}
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

// texts reads the words of the rule, and how long it holds.
func (t *tree) texts(b *Book, r *Rule, at map[string]*yaml.Node) {
	for key, to := range map[string]*string{"name": &r.Name, "clause": &r.Clause, "note": &r.Note, "notice": &r.Notice, "source_missing": &r.Missing} {
		if n := at[key]; n != nil {
			*to = t.text(n, key)
		}
	}
	if n := at["set"]; n != nil {
		r.Sets = nil
		for _, item := range t.items(n) {
			if s := t.word(item, "set", Sets); s != "" {
				r.Sets = append(r.Sets, s)
			}
		}
	}
	if n := at["rows"]; n != nil {
		r.Rows = t.rows(n)
	}
	if n := at["stated"]; n != nil {
		r.Stated = t.boolean(n, "stated")
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

// eventDay checks a day that an event carries, and puts the field's own name
// for another word for it. A kind that declares no fields may carry any.
func (t *tree) eventDay(b *Book, r *Rule, n *yaml.Node, e *DateExpr) {
	name, ok := strings.CutPrefix(e.Anchor, "event.")
	if !ok || name == "date" || r.vague {
		return
	}
	var known []string
	free := false // one of the kinds may carry any
	for _, kind := range r.On {
		k := b.Events[kind]
		free = free || len(k.Fields) == 0
		if f := k.field(name); f != nil {
			if f.Type != DateField {
				t.bad(n, "declare it with type: date", "%q: the field %q of %s holds %s, no day", e.Text, name, kind, f.wants())
			}
			e.Anchor = "event." + f.Name
			return
		}
		for _, f := range k.Fields {
			if f.Type == DateField {
				known = append(known, "event."+f.Name)
			}
		}
	}
	// A day that is not declared may be written down all the same, unless it is
	// one that is, misspelt: nothing would ever fall due.
	hint := ""
	if !free {
		hint = didYouMean(e.Anchor, known)
	}
	if didYouMean(name, []string{"date"}) != "" {
		hint = `did you mean "event.date"?`
	}
	if hint != "" {
		t.bad(n, hint, "%q: the event has no day %q (事件没有这个日期)", e.Text, name)
	}
}

// dates reads due, raise, landing and within.
func (t *tree) dates(b *Book, r *Rule, at map[string]*yaml.Node) {
	if d := at["due"]; d == nil {
		p := r.at["id"]
		t.at(p.line, p.col, "no due day (没有截止日)", "add due: 10 workdays after loan.maturity")
	} else {
		for _, item := range t.items(d) {
			if e, ok := t.date(item, "due", r.anchors()); ok {
				r.Dues = append(r.Dues, e)
			}
		}
		if d.Kind == yaml.SequenceNode && len(d.Content) == 0 {
			t.bad(d, "", "due: the list is empty")
		}
		if len(r.Dues) > 1 && (r.Every != "" || len(r.Since) > 0) {
			t.bad(d, "write one", "due: a list is for a rule on an event, or on the loan's own days")
		}
	}
	for i := range r.Dues {
		t.eventDay(b, r, at["due"], &r.Dues[i])
		r.Due = r.Dues[0]
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
			t.eventDay(b, r, d, &e)
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
	if n := at["needs"]; n != nil {
		t.needs(b, r, n)
	}
}
