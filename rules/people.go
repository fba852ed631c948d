package rules

import (
	"slices"

	"gopkg.in/yaml.v3"

	"tickler/loan"
)

// Fan makes one obligation for each of several parties (逐一).
type Fan struct {
	Kind  loan.Kind // of the party: guarantor, borrower, branch, to_member, to_lead, or a word of the rulebook's own
	Word  string    // the word of the rulebook; "" where it names the parties
	Names []string  // of parties that the rulebook names
}

// fanWords are the parties that the facts name.
var fanWords = []string{"guarantor", "borrower", "lead_branch", "to_member", "to_lead"}

// RoleParty is the kind of a party that is one of several roles, which each
// perform the duty.
const RoleParty loan.Kind = "role"

// each reads for whom the rule makes one obligation each.
func (t *tree) each(b *Book, r *Rule, at map[string]*yaml.Node) {
	n := at["each"]
	if n == nil || r.For == "" && at["for"] != nil {
		return
	}
	items := []*yaml.Node{n}
	if n.Kind != yaml.MappingNode {
		items = t.oneOrMore(n, "each")
	}
	for _, item := range items {
		if item.Kind == yaml.MappingNode {
			t.named(r, item)
			continue
		}
		words := fanWords
		if r.For != "" && !slices.Contains(fanWords, string(r.For)) {
			words = append([]string{string(r.For)}, fanWords...)
		}
		word := t.word(item, "each", words)
		if word == "" {
			continue
		}
		f := Fan{Kind: loan.Kind(word), Word: word}
		ok, want := true, ""
		switch word {
		case string(r.For):
		case "guarantor":
			ok, want = r.For == loan.KindLoan || r.For == loan.KindBorrower, "only a loan or a borrower has guarantors"
		case "borrower":
			ok, want = r.On != nil && r.For == "" || r.For == loan.KindBranch, "only a branch has borrowers"
		case "lead_branch":
			f.Kind = loan.KindBranch
			ok, want = r.For == loan.KindBorrower, "only a borrower's group has a lead branch; write for: borrower"
		default:
			ok, want = r.For == loan.KindGroup, "only a group has members; write for: group"
		}
		if !ok {
			t.bad(item, "", "each %s: %s", word, want)
			continue
		}
		r.Each = append(r.Each, f)
	}
}

// named reads {letter: [经营目标, 管户目标]}.
func (t *tree) named(r *Rule, n *yaml.Node) {
	for _, p := range t.pairs(n, "each") {
		if !paramName.MatchString(p.key.Value) || isKind(p.key.Value) {
			t.bad(p.key, "write {department: [信贷部, 客户部]}", "each: %q: want a word of small letters for what these are, no kind of fact", p.key.Value)
			continue
		}
		f := Fan{Kind: loan.Kind(p.key.Value)}
		for _, item := range t.list(p.value, "each") {
			if s := t.text(item, "each"); s != "" {
				f.Names = append(f.Names, s)
			}
		}
		if p.value.Kind == yaml.SequenceNode && len(p.value.Content) == 0 {
			t.bad(p.value, "", "each: the list is empty")
		}
		r.Each = append(r.Each, f)
	}
}

// isKind says that a word is a kind of fact, or the kind of role parties.
func isKind(word string) bool {
	for _, k := range loan.Kinds {
		if string(k) == word {
			return true
		}
	}
	return word == string(RoleParty)
}

// people reads who performs, who signs, and what closes.
func (t *tree) people(b *Book, r *Rule, at map[string]*yaml.Node) {
	if n := at["by"]; n != nil {
		r.Bys = nil
		for _, item := range t.items(n) {
			if s := t.word(item, "by", Roles); s != "" {
				r.Bys = append(r.Bys, s)
			}
		}
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			t.bad(n, "", "by: the list is empty")
		}
		if len(r.Bys) > 0 {
			r.By = r.Bys[0]
		}
		if len(r.Bys) > 1 && len(r.Each) > 0 {
			t.bad(n, "make two rules of it", "by: several roles and each exclude each other")
		}
	}
	if n := at["branch"]; n != nil {
		r.Above = t.word(n, "branch", []string{"above"}) != ""
	}
	if n := at["sign"]; n != nil {
		t.sign(b, r, n)
	}
	if n := at["closes_on"]; n != nil {
		t.closers(b, r, n)
	}
}

// sign reads a list of roles, or of cases.
func (t *tree) sign(b *Book, r *Rule, n *yaml.Node) {
	var plain Chain
	items := t.list(n, "sign")
	for _, item := range items {
		if item.Kind != yaml.MappingNode {
			if s := t.word(item, "sign", Roles); s != "" {
				plain.By = append(plain.By, s)
			}
			continue
		}
		var c Chain
		at := t.keys(item, "sign", chainKeys)
		if n := at["if"]; n != nil {
			c.If = t.condition(n, "if", r, b, wantBool)
		}
		if n := at["by"]; n != nil {
			for _, role := range t.list(n, "by") {
				if s := t.word(role, "by", Roles); s != "" {
					c.By = append(c.By, s)
				}
			}
		} else if at != nil {
			t.bad(item, "write {if: event.amount >= 1000000, by: [supervisor]}", "sign: want by")
		}
		r.Sign = append(r.Sign, c)
	}
	if plain.By != nil {
		if r.Sign != nil {
			t.bad(n, "write {by: [supervisor]} for the last case", "sign: roles and cases mixed")
		}
		r.Sign = append(r.Sign, plain)
	}
}

// closers reads the events of closes_on.
func (t *tree) closers(b *Book, r *Rule, n *yaml.Node) {
	items := []*yaml.Node{n}
	if n.Kind != yaml.MappingNode {
		items = t.oneOrMore(n, "closes_on")
	}
	for _, item := range items {
		if item.Kind != yaml.MappingNode {
			r.ClosesOn = append(r.ClosesOn, t.eventList(b, item, "closes_on")...)
			continue
		}
		at := t.keys(item, "closes_on", closerKeys)
		if at == nil {
			continue
		}
		if at["event"] == nil || at["if"] == nil {
			t.bad(item, "write {event: statements.received, if: 'event.audited != \"no\"'}", "closes_on: want event and if")
			continue
		}
		kinds := t.eventList(b, at["event"], "event")
		if len(kinds) == 0 {
			continue
		}
		// The condition knows the event that closes, and nothing else.
		c := t.condition(at["if"], "if", &Rule{For: "event", On: kinds}, b, wantBool)
		if r.CloseIf == nil {
			r.CloseIf = map[string]*Condition{}
		}
		r.CloseIf[kinds[0]] = c
		r.ClosesOn = append(r.ClosesOn, kinds[0])
	}
}
