package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/calendar"
)

func newDumpCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "dump [flags]",
		Short: "Everything there is, for scripts · 全量导出",
		Long: `dump writes every obligation in every state, with the store's status, as one JSON
object: {"status": {…}, "obligations": […]}, an obligation a line. With -o csv or
-o name it writes the obligations alone. The default form is json.

It reads month by month, so that a big store needs little memory. If the store
changed meanwhile it says so and exits 1: the pages may not fit together.`,
		Example: `  tickler dump -o json > tickler.json
  tickler dump -o csv > obligations.csv`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDump(c.Context(), g) },
	}
	exits(c, storeExits...)
	return c
}

func runDump(ctx context.Context, g *global) error {
	return g.withClient(ctx, func(c *api.Client) error {
		before, err := c.Status(ctx)
		if err != nil {
			return err
		}
		w := bufio.NewWriterSize(g.stdout, 64<<10)
		if err := g.dump(ctx, c, before, w); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		after, err := c.Status(ctx)
		if err != nil {
			return err
		}
		if after.Audit != before.Audit {
			return api.Errorf(api.Failed, "dump again", "the store changed while it was dumped")
		}
		return nil
	})
}

// dump writes page after page in the chosen form.
func (g *global) dump(ctx context.Context, c *api.Client, s *api.StatusReply, w *bufio.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	rows := newCSVLines(w)
	var page func([]api.Obligation) error
	end := func() error { return nil }
	switch g.output {
	case "name":
		page = func(list []api.Obligation) error {
			for i := range list {
				fmt.Fprintln(w, list[i].ID)
			}
			return nil
		}
	case "csv":
		if err := rows.head(csvHead); err != nil {
			return err
		}
		page = func(list []api.Obligation) error {
			for i := range list {
				csvRow(rows, &list[i])
				if err := rows.end(); err != nil {
					return err
				}
			}
			return rows.flush()
		}
	default:
		w.WriteString(`{"status": `)
		if err := enc.Encode(s); err != nil {
			return err
		}
		w.WriteString(`, "obligations": [`)
		next := "\n"
		page = func(list []api.Obligation) error {
			list = sound(list)
			for i := range list {
				w.WriteString(next)
				next = ","
				if err := enc.Encode(&list[i]); err != nil {
					return err
				}
			}
			return nil
		}
		end = func() error { _, err := w.WriteString("]}\n"); return err }
	}
	for _, r := range months(s.GoLive, s.WindowEnd) {
		r.On, r.All = g.on.Date, true
		reply, err := c.List(ctx, r)
		if err != nil {
			return err
		}
		if err := page(reply.Obligations); err != nil {
			return err
		}
	}
	return end()
}

// months cuts all of time, by due day, into pages: what lies before first,
// each month from there to last, and what lies after.
func months(first, last calendar.Date) []api.ListRequest {
	if first.IsZero() || last < first {
		return []api.ListRequest{{}}
	}
	pages := []api.ListRequest{{To: first.AddDays(-1)}}
	for from := first; from <= last; {
		to := min(calendar.PeriodOf(calendar.Month, from, calendar.Fiscal{}).End, last)
		pages = append(pages, api.ListRequest{From: from, To: to})
		from = to.AddDays(1)
	}
	return append(pages, api.ListRequest{From: last.AddDays(1)})
}
