package rules

import (
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"tickler/loan"
)

// coverWords are what a rule can ask to have covered.
var coverWords = []string{"subordinate_branches", "loans"}

var percent = regexp.MustCompile(`^ *([1-9][0-9]?|100)% *$`)

// needs reads a quota: {count, at_least} or {cover, by, at_least}.
func (t *tree) needs(b *Book, r *Rule, n *yaml.Node) {
	if !r.Period() {
		t.bad(n, "add every: month", "needs: want a rule that runs by periods")
		return
	}
	r.Needs = &Needs{}
	q := t.keys(n, "needs", needsKeys)
	if q == nil {
		return
	}
	event := func(key string) {
		if e := q[key]; e != nil && t.str(e, key) != "" {
			if kinds := t.eventList(b, e, key); len(kinds) > 0 {
				r.Needs.Count = kinds[0]
			}
		}
	}
	if c := q["cover"]; c != nil {
		r.Needs.Cover = t.word(c, "cover", coverWords)
		want := map[string]loan.Kind{"subordinate_branches": loan.KindBranch, "loans": loan.KindOfficer}[r.Needs.Cover]
		if want != "" && r.For != want {
			t.bad(c, "write for: "+string(want), "cover %s: only a rule for a %s can ask for that", r.Needs.Cover, want)
		}
		event("by")
		if q["by"] == nil || q["at_least"] == nil || q["count"] != nil {
			t.bad(n, "write needs: {cover: subordinate_branches, by: supervision.done, at_least: 40%}", "needs: want cover, by and at_least")
		}
	} else {
		event("count")
		if q["count"] == nil || q["at_least"] == nil || q["by"] != nil {
			t.bad(n, "write needs: {count: worklog.submitted, at_least: 1}", "needs: want count and at_least")
		}
	}
	if a := q["at_least"]; a != nil {
		t.atLeast(b, r, a)
	}
}

func (t *tree) atLeast(b *Book, r *Rule, n *yaml.Node) {
	if m := percent.FindStringSubmatch(n.Value); m != nil && n.Kind == yaml.ScalarNode {
		if r.Needs.Percent, _ = strconv.Atoi(m[1]); r.Needs.Cover == "" {
			t.bad(n, "write a number, or cover something", "at_least: a share is of what is to be covered")
		}
		return
	}
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "%") && len(n.Value) < 8 {
		t.bad(n, "write 40%", "at_least: %q is no share of 1%% to 100%%", n.Value)
		return
	}
	r.Needs.AtLeast = t.condition(n, "at_least", r, b, wantNumber)
	if n.Tag == "!!int" && (n.Value == "0" || strings.HasPrefix(n.Value, "-")) {
		t.bad(n, "", "at_least: want 1 or more")
	} else if n.Tag == "!!int" && !decimal.MatchString(n.Value) {
		t.number(n, "at_least")
	}
}
