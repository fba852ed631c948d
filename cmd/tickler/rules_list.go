package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"tickler/calendar"
	"tickler/loan"
	"tickler/rules"
)

func newRulesListCommand(g *global) *cobra.Command {
	var at dateFlag
	c := &cobra.Command{
		Use:   "list [flags]",
		Short: "Every rule, also of sets that are not enabled · 规则一览",
		Long: `list prints every rule of the rulebook in its order, with the clause it comes from
and its limit. Rules of sets that the branch does not follow are marked. A limit
with a + is the bank's own: the manual gives no figure.`,
		Example: `  tickler rules list
  tickler rules list --at 2026-11-23
  tickler rules list -o json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runRulesList(c.Context(), g, at.Date) },
	}
	c.Flags().Var(&at, "at", atUsage)
	exits(c, storeExits...)
	return c
}

// ruleForm is a rule as scripts see it.
type ruleForm struct {
	ID            string            `json:"id"`
	Set           string            `json:"set"`
	Sets          []string          `json:"sets"`
	Rows          []string          `json:"rows"`
	SourceMissing string            `json:"source_missing,omitempty"`
	Name          string            `json:"name"`
	Clause        string            `json:"clause"`
	Stated        bool              `json:"stated"`
	Enabled       bool              `json:"enabled"`
	For           string            `json:"for"`
	Who           []string          `json:"who,omitempty"`
	Each          []string          `json:"each"`
	On            []string          `json:"on"`
	InARow        map[string]int    `json:"in_a_row,omitempty"` // event -> months
	Every         string            `json:"every"`
	Since         []string          `json:"since"`
	When          string            `json:"when"`
	Except        []exceptForm      `json:"except"`
	Needs         string            `json:"needs"`
	Due           string            `json:"due"`
	Raise         string            `json:"raise"`
	Landing       string            `json:"landing"`
	By            string            `json:"by"`
	Bys           []string          `json:"bys"`
	Branch        string            `json:"branch,omitempty"` // above
	Sign          []string          `json:"sign"`
	Signing       []chainForm       `json:"signing,omitempty"` // where who signs depends
	ClosesOn      []string          `json:"closes_on"`
	ClosesIf      map[string]string `json:"closes_if,omitempty"` // event -> what must hold of it
	YieldsTo      []string          `json:"yields_to"`
	Notice        string            `json:"notice"`
	EffectiveFrom calendar.Date     `json:"effective_from"`
	EffectiveTo   calendar.Date     `json:"effective_to"`
	Note          string            `json:"note"`

	Overrides []overrideForm `json:"overrides,omitempty"`

	Line int `json:"line"`
}

type exceptForm struct {
	If  string `json:"if"`
	Why string `json:"why"`
}

// chainForm is who signs in one case.
type chainForm struct {
	If string   `json:"if"`
	By []string `json:"by"`
}

// overrideForm is what a branch does otherwise.
type overrideForm struct {
	Branch string `json:"branch"`
	Why    string `json:"why"`
	Off    bool   `json:"off,omitempty"`
	Due    string `json:"due,omitempty"`
}

// dueText is the limit as the rulebook has it.
func dueText(r *rules.Rule) string {
	var out []string
	for _, e := range r.Dues {
		out = append(out, e.Text)
	}
	return strings.Join(out, "; ")
}

// lastChain is who signs where nothing is said of the case.
func lastChain(r *rules.Rule) []string {
	if n := len(r.Sign); n > 0 && r.Sign[n-1].If == nil {
		return r.Sign[n-1].By
	}
	return nil
}

func signing(r *rules.Rule) []chainForm {
	var out []chainForm
	for _, c := range r.Sign {
		if c.If != nil {
			out = append(out, chainForm{c.If.Text, append([]string{}, c.By...)})
		}
	}
	return out
}

func formOf(b *rules.Book, r *rules.Rule) ruleForm {
	list := func(s []string) []string { return append([]string{}, s...) }
	f := ruleForm{ID: r.ID, Set: b.SetOf(r), Sets: r.Sets, Rows: list(r.Rows), SourceMissing: r.Missing, Name: r.Name, Clause: r.Clause, Stated: r.Stated, Enabled: b.Active(r), For: string(r.For), Each: []string{},
		On: list(r.On), Every: r.Every, Since: list(r.Since), Except: []exceptForm{}, Due: dueText(r), Landing: r.Landing.String(), By: r.By,
		Bys: list(r.Bys), Sign: list(lastChain(r)), Signing: signing(r), ClosesOn: list(r.ClosesOn), YieldsTo: list(r.YieldsTo), Notice: r.Notice,
		EffectiveFrom: r.EffectiveFrom, EffectiveTo: r.EffectiveTo, Note: r.Note, Line: r.Line}
	for _, each := range r.Each {
		if each.Names == nil {
			f.Each = append(f.Each, each.Word)
		}
		for _, name := range each.Names {
			f.Each = append(f.Each, string(each.Kind)+"/"+name)
		}
	}
	for _, o := range r.Overrides {
		x := overrideForm{Branch: o.Branch, Why: o.Why, Off: o.Rule == nil}
		if o.Rule != nil {
			x.Due = dueText(o.Rule)
		}
		f.Overrides = append(f.Overrides, x)
	}
	if r.When != nil {
		f.When = r.When.Text
	}
	if r.For == loan.KindOfficer {
		f.Who = r.Who
	}
	if r.Above {
		f.Branch = "above"
	}
	f.InARow = r.InARow
	for kind, c := range r.CloseIf {
		if f.ClosesIf == nil {
			f.ClosesIf = map[string]string{}
		}
		f.ClosesIf[kind] = c.Text
	}
	for _, x := range r.Except {
		f.Except = append(f.Except, exceptForm{x.If.Text, x.Why})
	}
	if n := r.Needs; n != nil {
		f.Needs = n.Count
		if n.Cover != "" {
			f.Needs = n.Cover + " by " + n.Count
		}
		switch {
		case n.AtLeast != nil:
			f.Needs += " >= " + n.AtLeast.Text
		default:
			f.Needs += fmt.Sprintf(" >= %d%%", n.Percent)
		}
	}
	if r.Raise != nil {
		f.Raise = r.Raise.Text
	}
	return f
}

func runRulesList(ctx context.Context, g *global, at calendar.Date) error {
	b, err := g.bookAt(ctx, at)
	if err != nil {
		return err
	}
	forms := make([]ruleForm, len(b.Rules))
	for i, r := range b.Rules {
		forms[i] = formOf(b, r)
	}
	switch g.output {
	case "json":
		return writeJSON(g.stdout, forms)
	case "csv":
		return writeCSV(g.stdout, []string{"id", "set", "name", "clause", "stated", "enabled", "for", "every", "due", "by"}, func(yield func([]string) bool) {
			for _, f := range forms {
				if !yield([]string{f.ID, f.Set, f.Name, f.Clause, strconv.FormatBool(f.Stated), strconv.FormatBool(f.Enabled), f.For, f.Every, f.Due, f.By}) {
					return
				}
			}
		})
	case "name":
		for _, f := range forms {
			fmt.Fprintln(g.stdout, f.ID)
		}
		return nil
	}
	s := &sheet{heads: []string{g.tr("规则", "Rule"), g.tr("制度", "Set"), g.tr("启用", "On"), g.tr("事项", "Duty"), g.tr("依据", "Clause"), g.tr("期限", "Limit"), g.tr("由", "By")}, shrink: []shrink{{3, 24}, {5, 24}, {3, 12}, {5, 16}}}
	for _, f := range forms {
		on, limit := g.tr("是", "yes"), g.due(f.Due)
		var c text.Colors
		if !f.Enabled {
			on, c = g.tr("否", "no"), text.Colors{text.Faint}
		}
		if !f.Stated {
			limit += " +"
		}
		s.add(c, f.ID, f.Set, on, f.Name, f.Clause, limit, g.role(f.By))
	}
	if err := s.print(g.stdout, g.colour()); err != nil {
		return err
	}
	fmt.Fprintln(g.stderr, g.tr(fmt.Sprintf("规则 %d 条，启用 %d 条（%s）。+ 手册未写明期限，由本行规定。", len(b.Rules), active(b), strings.Join(b.Enabled, "、")),
		fmt.Sprintf("%d rules, %d of them enabled (%s). + the figure is the bank's own.", len(b.Rules), active(b), strings.Join(b.Enabled, ", "))))
	return nil
}
