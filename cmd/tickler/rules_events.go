package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/rules"
)

func newRulesEventsCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "events [EVENT]",
		Short: "What may be recorded, of whom, with which fields · 事件一览",
		Long: `events prints every kind of event that the rulebook knows: whom it may be recorded
of, its fields (a * must be given), and the rules that it opens and closes.`,
		Example: `  tickler rules events
  tickler rules events unit.scored
  tickler rules events -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runRulesEvents(g, args) },
	}
	exits(c, plainExits...)
	return c
}

// eventForm is an event kind as scripts see it.
type eventForm struct {
	rules.EventKind
	Opens  []string `json:"opens"`
	Closes []string `json:"closes"`
	Counts []string `json:"counts"` // towards quotas and intervals
}

func eventForms(b *rules.Book) []eventForm {
	forms := map[string]*eventForm{}
	for kind, e := range b.Events {
		forms[kind] = &eventForm{EventKind: *e, Opens: []string{}, Closes: []string{}, Counts: []string{}}
	}
	for _, r := range b.Rules {
		for _, kind := range r.On {
			forms[kind].Opens = append(forms[kind].Opens, r.ID)
		}
		for _, kind := range r.ClosesOn {
			forms[kind].Closes = append(forms[kind].Closes, r.ID)
		}
		if r.Needs != nil {
			forms[r.Needs.Count].Counts = append(forms[r.Needs.Count].Counts, r.ID)
		}
		for _, s := range r.Since {
			if forms[s] != nil {
				forms[s].Counts = append(forms[s].Counts, r.ID)
			}
		}
	}
	var out []eventForm
	for _, kind := range slices.Sorted(maps.Keys(forms)) {
		out = append(out, *forms[kind])
	}
	return out
}

func runRulesEvents(g *global, args []string) error {
	b, err := g.goodBook()
	if err != nil {
		return err
	}
	forms := eventForms(b)
	if len(args) > 0 {
		forms = slices.DeleteFunc(forms, func(f eventForm) bool { return f.Kind != args[0] })
		if len(forms) == 0 {
			return api.Errorf(api.NotFound, `"tickler rules events" shows them`, "no event %q", args[0])
		}
	}
	switch g.output {
	case "json":
		return writeJSON(g.stdout, forms)
	case "name":
		for _, f := range forms {
			fmt.Fprintln(g.stdout, f.Kind)
		}
		return nil
	}
	s := &sheet{heads: []string{g.tr("事件", "Event"), g.tr("名称", "Name"), g.tr("对象", "Of"), g.tr("登记内容", "Fields"), g.tr("触发", "Opens"), g.tr("办结", "Closes")},
		shrink: []shrink{{3, 30}, {4, 24}, {5, 24}}}
	for _, f := range forms {
		var kinds, fields []string
		for _, k := range f.For {
			kinds = append(kinds, string(k))
		}
		for _, x := range f.Fields {
			text := x.Name
			if x.Title != "" {
				text += "(" + x.Title + ")"
			}
			if x.Required {
				text += "*"
			}
			fields = append(fields, text)
		}
		s.add(nil, f.Kind, f.Name, strings.Join(kinds, " "), strings.Join(fields, " "), strings.Join(f.Opens, " "), strings.Join(append(f.Closes, f.Counts...), " "))
	}
	return s.print(g.stdout, g.colour())
}
