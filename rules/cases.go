package rules

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// Case is one example of what the rulebook must say (测试用例): facts, a day,
// and the obligations there are on it. People who know the manual write them;
// no store and no clock is needed to run them.
type Case struct {
	Name   string
	File   string
	Line   int           // of its first key
	On     calendar.Date // today
	GoLive calendar.Date // zero: the first day of its facts, so that nothing is cut off
	Enable []string      // sets that are followed; none: every set, a case tests any rule of the file
	Expect []Expectation
	Not    []Expectation

	facts caseFacts
}

// Outcome is how a case went.
type Outcome struct {
	Name        string
	File        string
	Line        int
	OK          bool
	Differences []Difference // nothing for a case that holds
}

// DifferenceKind says in which way a case does not hold.
type DifferenceKind string

const (
	Missing  DifferenceKind = "missing"  // expected, and not there
	Unwanted DifferenceKind = "unwanted" // there, and said not to be
	Counted  DifferenceKind = "counted"  // more or fewer of the rule than expected
	Refused  DifferenceKind = "refused"  // an event that the daemon would not take
	Broken   DifferenceKind = "broken"   // facts or conditions that could not be worked out
	Mistaken DifferenceKind = "mistaken" // the case names what the rulebook does not have
)

// Difference is one thing that is not as a case says.
type Difference struct {
	Kind     DifferenceKind
	Line     int
	Want     string                  // the expectation, in the words of the case
	Got      []obligation.Obligation // what the rule gave: the nearest ones, or the unwanted
	Total    int                     // how many there are
	Verdicts []*obligation.Reason    // why it gave nothing
	Text     string                  // of what was refused or is broken

	of *Expectation
}

//go:embed cases/*.yaml
var shippedCases embed.FS

// ShippedCases gives the files of cases that test the shipped rulebook, in the
// order of their names.
func ShippedCases() ([]Case, error) {
	names, err := fs.Glob(shippedCases, "cases/*.yaml")
	if err != nil {
		return nil, err
	}
	var out []Case
	for _, name := range names {
		text, err := shippedCases.ReadFile(name)
		if err != nil {
			return nil, err
		}
		cases, err := ReadCases(path.Join("rules", name), text)
		if err != nil {
			return nil, err
		}
		out = append(out, cases...)
	}
	return out, nil
}

// CheckCases finds what cases name and the rulebook does not have: rules,
// events, subjects of events.
func CheckCases(b *Book, cases []Case) Problems {
	var out Problems
	for i := range cases {
		out = append(out, cases[i].check(b)...)
	}
	return out
}

// Run plays a case under a rulebook: day after day on which something happens,
// as the daemon would, up to the day of the case, and holds what stands then
// against what the case expects.
func Run(b *Book, cal *calendar.Calendar, c Case) Outcome { return run(b, cal, &c, true) }

// run leaves out, where nobody asks for it, why a case does not hold; it stops
// at the first difference then.
func run(b *Book, cal *calendar.Calendar, c *Case, explain bool) Outcome {
	out := Outcome{Name: c.Name, File: c.File, Line: c.Line}
	for _, p := range c.check(b) {
		p.File = "" // the outcome names it
		out.Differences = append(out.Differences, Difference{Kind: Mistaken, Line: p.Line, Text: p.String()})
	}
	if len(out.Differences) > 0 {
		return out
	}
	p := c.play(b, cal)
	out.Differences = p.mishaps
	for i := range c.Expect {
		if len(out.Differences) > 0 && !explain {
			return out
		}
		if d, bad := c.Expect[i].missing(p); bad {
			out.Differences = append(out.Differences, d)
		}
	}
	for i := range c.Not {
		if len(out.Differences) > 0 && !explain {
			return out
		}
		if d, bad := c.Not[i].unwanted(p); bad {
			out.Differences = append(out.Differences, d)
		}
	}
	out.OK = len(out.Differences) == 0
	if explain {
		for i := range out.Differences {
			if d := &out.Differences[i]; d.Kind == Missing && len(d.Got) == 0 {
				d.Verdicts = p.verdicts(d.of)
			}
		}
	}
	return out
}

// Names lists the rules that a case speaks of.
func (c *Case) Names() []string {
	var out []string
	for _, list := range [][]Expectation{c.Expect, c.Not} {
		for _, e := range list {
			if !slices.Contains(out, e.Rule) {
				out = append(out, e.Rule)
			}
		}
	}
	return out
}

// book is the rulebook as far as the case needs it: the rules that it names,
// those they give way to, and those of obligations that its events close by
// name.
func (c *Case) book(b *Book) *Book {
	need := map[string]bool{}
	for _, name := range c.Names() {
		need[name] = true
		if r := b.Rule(name); r != nil {
			for _, id := range r.YieldsTo {
				need[id] = true
			}
		}
	}
	for _, e := range c.facts.events {
		for _, id := range e.Closes {
			if k, err := obligation.ParseKey(id); err == nil {
				need[k.Rule] = true
			}
		}
	}
	sub := *b
	sub.Rules = nil
	for _, r := range b.Rules {
		if need[r.ID] {
			sub.Rules = append(sub.Rules, r)
		}
	}
	if sub.Enabled = c.Enable; sub.Enabled == nil {
		sub.Enabled = Sets
	}
	return &sub
}

// check finds what the case names and the rulebook does not have.
func (c *Case) check(b *Book) Problems {
	var out Problems
	at := func(p place, hint, format string, args ...any) {
		out = append(out, Problem{File: c.File, Line: p.line, Col: p.col, Text: fmt.Sprintf(format, args...), Hint: hint})
	}
	for _, list := range [][]Expectation{c.Expect, c.Not} {
		for _, e := range list {
			if b.Rule(e.Rule) == nil {
				at(e.at, didYouMean(e.Rule, b.ids()), "unknown rule %q (没有这条规则)", e.Rule)
			}
		}
	}
	for i := range c.facts.events {
		e := &c.facts.events[i]
		kind := b.Events[e.Kind]
		if kind == nil {
			text, hint := b.unknownEvent(e.Kind)
			at(e.at, hint, "%s", text)
			continue
		}
		s := c.facts.subjectOf(e, kind)
		switch {
		case s.IsZero():
			at(e.at, "add subject: KIND/ID", "event %s: no subject; it is recorded of %s, and the facts hold none", e.Kind, orList(kindTexts(kind.For)))
		case !slices.Contains(kind.For, s.Kind):
			at(e.at, "", "event %s is recorded of %s, not of %s", e.Kind, orList(kindTexts(kind.For)), s)
		case c.facts.unitOf(s, c.On).IsZero():
			at(e.at, "add it to the facts", "event %s: the facts do not hold %s", e.Kind, s)
		}
		if _, _, err := kind.Note(e.Fields); err != nil {
			at(e.at, "", "event %v", err)
		}
	}
	return out.sorted()
}

func kindTexts(kinds []loan.Kind) []string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = string(k)
	}
	return out
}
