package rules

import (
	"slices"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
)

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
