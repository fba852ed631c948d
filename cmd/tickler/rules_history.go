package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/calendar"
	"tickler/rules"
)

const atUsage = "the rulebook that was in force on that business day, `DATE`"

func newRulesHistoryCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "history",
		Short: "Every rulebook that was in force, and who activated it · 规则簿沿革",
		Long: `history lists every rulebook that came into force, oldest first, with the business
day and who activated it, and those that are held for a second person. The store
keeps their texts: "rules list --at", "rules show --at" and "rules diff" read them.`,
		Example: `  tickler rules history
  tickler rules history -o json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runRulesHistory(c.Context(), g) },
	}
	exits(c, storeExits...)
	return c
}

var bookWords = map[string]string{api.InForce: "有效", api.Past: "已替换", api.HeldBack: "搁置"}

func runRulesHistory(ctx context.Context, g *global) error {
	var r *api.HistoryReply
	err := g.withClient(ctx, func(c *api.Client) (err error) { r, err = c.History(ctx); return err })
	if err != nil {
		return err
	}
	switch g.output {
	case "json":
		return writeJSON(g.stdout, r.Books)
	case "csv":
		return writeCSV(g.stdout, []string{"at", "business_date", "digest", "previous", "by", "second", "state"}, func(yield func([]string) bool) {
			for _, b := range r.Books {
				if !yield([]string{b.At.UTC().Format(time.RFC3339), b.Business.String(), b.Digest, b.Previous, b.By, b.Second, b.State}) {
					return
				}
			}
		})
	case "name":
		for _, b := range r.Books {
			if _, err := fmt.Fprintln(g.stdout, b.Digest); err != nil {
				return err
			}
		}
		return nil
	}
	if len(r.Books) == 0 {
		fmt.Fprintln(g.stderr, g.tr("还没有启用过规则簿。", "No rulebook was in force yet."))
		return nil
	}
	s := &sheet{heads: []string{g.tr("时间", "At"), g.tr("营业日", "Business day"), g.tr("规则簿", "Rulebook"), g.tr("替换", "Previous"), g.tr("启用人", "By"), g.tr("第二人", "Second"), g.tr("状态", "State")}}
	for _, b := range r.Books {
		state := g.tr(bookWords[b.State], b.State)
		var c text.Colors
		if h := b.Hold; h != nil {
			state += g.tr(fmt.Sprintf("（取消 %d，改期 %d，共 %d）", h.Dropped, h.Moved, h.Open), fmt.Sprintf(" (%d dropped, %d moved of %d)", h.Dropped, h.Moved, h.Open))
			c = soon
		}
		by := b.By
		if by == "" {
			by = g.tr("（文件改动）", "(the file)")
		}
		s.add(c, g.moment(b.At), b.Business.String(), shortDigest(b.Digest), shortDigest(b.Previous), by, b.Second, state)
	}
	return s.print(g.stdout, g.colour())
}

// bookAt gives the rulebook that was in force on a business day, as the store
// kept it; for no day the one that the files hold.
func (g *global) bookAt(ctx context.Context, at calendar.Date) (*rules.Book, error) {
	if at.IsZero() {
		return g.goodBook()
	}
	var r *api.BookReply
	err := g.withClient(ctx, func(c *api.Client) (err error) { r, err = c.Book(ctx, api.BookRequest{At: at}); return err })
	if err != nil {
		return nil, err
	}
	b, err := rules.Parse("rules.yaml@"+shortDigest(r.Digest), r.Text)
	if err != nil {
		return nil, fmt.Errorf("read the rulebook of %s: %w", at, err)
	}
	return b, nil
}
