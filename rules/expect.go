package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// Expectation is one item of a case's expect or not: a rule, and what its
// obligation must be.
type Expectation struct {
	Rule string
	Line int

	at     place
	keys   []wanted
	exact  int  // of count; -1 where any number from one on will do
	onDesk bool // a rule's name alone, under not: nothing of it is raised or submitted
	due    calendar.Date
}

// wanted is one key of an expectation.
type wanted struct {
	text string // due 2026-11-30
	has  func(o *obligation.Obligation) bool
}

// String gives the expectation in the words of the case.
func (e *Expectation) String() string {
	words := []string{e.Rule}
	for _, k := range e.keys {
		words = append(words, k.text)
	}
	if e.exact >= 0 {
		words = append(words, "count "+strconv.Itoa(e.exact))
	}
	return strings.Join(words, ", ")
}

// expectation reads one item of expect or not.
func (t *tree) expectation(n *yaml.Node, what string) Expectation {
	e := Expectation{Line: n.Line, at: placeOf(n), exact: -1}
	if n.Kind == yaml.ScalarNode {
		e.Rule = t.str(n, what)
		if e.onDesk = what == "not"; !e.onDesk {
			t.bad(n, "write {rule: "+e.Rule+", due: DATE}", "expect: want a rule and its due day")
		}
		return e
	}
	want := func(text string, has func(o *obligation.Obligation) bool) {
		e.keys = append(e.keys, wanted{text, has})
	}
	text := func(name string, of func(o *obligation.Obligation) string) slot {
		return slot{name, func(n *yaml.Node) {
			s := t.str(n, name)
			want(name+" "+s, func(o *obligation.Obligation) bool { return of(o) == s })
		}}
	}
	day := func(name string, of func(o *obligation.Obligation) calendar.Date) slot {
		return slot{name, func(n *yaml.Node) {
			d := t.day(n, name)
			if name == "due" {
				e.due = d
			}
			want(name+" "+d.String(), func(o *obligation.Obligation) bool { return of(o) == d })
		}}
	}
	t.slots(n, what, []slot{
		{"rule", func(n *yaml.Node) { e.Rule, e.at = t.str(n, "rule"), placeOf(n) }},
		day("due", func(o *obligation.Obligation) calendar.Date { return o.Due }),
		day("raise", func(o *obligation.Obligation) calendar.Date { return o.Raise }),
		{"state", func(n *yaml.Node) {
			s := t.word(n, "state", stateNames)
			want("state "+s, func(o *obligation.Obligation) bool { return string(o.State) == s })
		}},
		{"subject", func(n *yaml.Node) {
			s := t.str(n, "subject")
			want("subject "+s, func(o *obligation.Obligation) bool { return meant(o.Subject, "", s) })
		}},
		text("occurrence", func(o *obligation.Obligation) string { return o.Occurrence }),
		{"party", func(n *yaml.Node) {
			s := t.str(n, "party")
			want("party "+s, func(o *obligation.Obligation) bool {
				return !o.Party.IsZero() && meant(o.Party, o.PartyName, s)
			})
		}},
		day("anchor", func(o *obligation.Obligation) calendar.Date { return o.Anchor }),
		text("role", func(o *obligation.Obligation) string { return o.Role }),
		text("owner", func(o *obligation.Obligation) string { return o.Owner }),
		text("branch", func(o *obligation.Obligation) string { return o.Branch }),
		{"sign", func(n *yaml.Node) {
			var roles []string
			for _, item := range t.oneOrMore(n, "sign") {
				roles = append(roles, t.word(item, "sign", Roles))
			}
			want("sign ["+strings.Join(roles, ", ")+"]", func(o *obligation.Obligation) bool { return slices.Equal(o.Sign, roles) })
		}},
		{"provisional", func(n *yaml.Node) {
			b := t.boolean(n, "provisional")
			want("provisional "+strconv.FormatBool(b), func(o *obligation.Obligation) bool { return o.Provisional == b })
		}},
		{"progress", func(n *yaml.Node) { t.progress(n, want) }},
		day("done_on", func(o *obligation.Obligation) calendar.Date { return o.DoneOn }),
		{"count", func(n *yaml.Node) {
			if e.exact = t.count(n, "count"); what == "not" {
				t.bad(n, "write count under expect", "not: no count here")
			}
		}},
	})
	switch {
	case n.Kind != yaml.MappingNode:
	case e.Rule == "":
		t.bad(n, "add rule: ID", "%s: no rule (没有规则)", what)
	case what == "expect" && len(e.keys) == 0 && e.exact < 0:
		t.bad(n, "add due: DATE, or count: N", "expect: rule %s, and nothing about it", e.Rule)
	}
	return e
}

func (t *tree) progress(n *yaml.Node, want func(string, func(*obligation.Obligation) bool)) {
	number := func(name string, of func(p obligation.Progress) int) slot {
		return slot{name, func(n *yaml.Node) {
			i := t.count(n, name)
			want(name+" "+strconv.Itoa(i), func(o *obligation.Obligation) bool { return of(o.Progress) == i })
		}}
	}
	t.slots(n, "progress", []slot{
		number("have", func(p obligation.Progress) int { return p.Have }),
		number("need", func(p obligation.Progress) int { return p.Need }),
		number("of", func(p obligation.Progress) int { return p.Of }),
	})
}

// meant says that people mean this one: KIND/ID, its number or its name.
func meant(ref loan.Ref, name, s string) bool {
	return ref.ID == s || ref.String() == s || name != "" && name == s
}

var stateNames = func() []string {
	var out []string
	for _, s := range obligation.States {
		out = append(out, string(s))
	}
	return out
}()

// fits says that an obligation is as every key wants it.
func (e *Expectation) fits(o *obligation.Obligation) bool {
	if o.Rule != e.Rule {
		return false
	}
	for _, k := range e.keys {
		if !k.has(o) {
			return false
		}
	}
	return true
}

// missing says what is not there that an expectation wants. What was cancelled
// is not counted, unless the expectation asks for a state.
func (e *Expectation) missing(p *play) (Difference, bool) {
	fits, all := 0, 0
	is := func(o *obligation.Obligation) bool {
		return e.fits(o) && (e.exact < 0 || o.State != obligation.Cancelled || e.asks("state"))
	}
	for i := range p.all {
		if o := &p.all[i]; o.Rule == e.Rule {
			all++
			if is(o) {
				fits++
			}
		}
	}
	d := Difference{Kind: Missing, Line: e.Line, Want: e.String(), of: e, Total: all}
	switch {
	case e.exact >= 0 && fits != e.exact:
		d.Kind, d.Total = Counted, fits
		if d.Got = p.nearest(e, is); fits == 0 {
			d.Got = p.nearest(e, func(*obligation.Obligation) bool { return true })
		}
	case e.exact < 0 && fits == 0:
		d.Got = p.nearest(e, func(o *obligation.Obligation) bool { return true })
	default:
		return d, false
	}
	return d, true
}

// unwanted says what is there that must not be.
func (e *Expectation) unwanted(p *play) (Difference, bool) {
	is := func(o *obligation.Obligation) bool {
		if e.onDesk {
			return o.Rule == e.Rule && (o.State == obligation.Raised || o.State == obligation.Submitted)
		}
		return e.fits(o) && (o.State != obligation.Cancelled || e.asks("state"))
	}
	d := Difference{Kind: Unwanted, Line: e.Line, Want: e.String(), of: e}
	for i := range p.all {
		if is(&p.all[i]) {
			d.Total++
		}
	}
	if d.Total == 0 {
		return d, false
	}
	d.Got = p.nearest(e, is)
	return d, true
}

func (e *Expectation) asks(key string) bool {
	return slices.ContainsFunc(e.keys, func(k wanted) bool { return strings.HasPrefix(k.text, key+" ") })
}

// maxNearest bounds how many obligations a difference shows.
const maxNearest = 4

// nearest gives the rule's obligations that come closest to an expectation:
// those that most of its keys fit, then those that are due next to it.
func (p *play) nearest(e *Expectation, is func(o *obligation.Obligation) bool) []obligation.Obligation {
	var out []obligation.Obligation
	for i := range p.all {
		if o := &p.all[i]; o.Rule == e.Rule && is(o) {
			out = append(out, *o)
		}
	}
	target := e.due
	if target.IsZero() {
		target = p.today
	}
	slices.SortStableFunc(out, func(a, b obligation.Obligation) int {
		return cmp.Or(cmp.Compare(e.score(&b), e.score(&a)), cmp.Compare(distant(a.Due, target), distant(b.Due, target)), cmp.Compare(a.Due, b.Due))
	})
	return out[:min(len(out), maxNearest)]
}

func (e *Expectation) score(o *obligation.Obligation) int {
	n := 0
	for _, k := range e.keys {
		if k.has(o) {
			n++
		}
	}
	return n
}

func distant(a, b calendar.Date) int { return max(int(a-b), int(b-a)) }

// verdicts says what the rule made of each subject, the occurrences next to
// the expected day first.
func (p *play) verdicts(e *Expectation) []*obligation.Reason {
	var out []*obligation.Reason
	for _, u := range p.order {
		d := newDeriver(p.book, p.cal, p.known(u), p.window)
		d.only = func(r *Rule, _ loan.Ref) bool { return r.ID == e.Rule }
		d.trace = func(r *Reason) {
			if r.Rule == e.Rule {
				out = append(out, &r.Reason)
			}
		}
		d.unit(u)
	}
	target := e.due
	if target.IsZero() {
		target = p.today
	}
	slices.SortStableFunc(out, func(a, b *obligation.Reason) int {
		return cmp.Compare(distant(a.Anchor, target), distant(b.Anchor, target))
	})
	return out[:min(len(out), maxNearest)]
}

// mishap notes what the daemon would not have taken, or could not work out.
func (p *play) mishap(kind DifferenceKind, line int, format string, args ...any) {
	p.mishaps = append(p.mishaps, Difference{Kind: kind, Line: line, Text: fmt.Sprintf(format, args...)})
}
