package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"tickler/api"
)

func newAuditCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "The audit trail: prove it, read it, export it · 审计链",
		Long: `audit looks at the trail of every change: facts, duties, rulebook, calendar, users,
and refused attempts. Each record carries the hash of the one before, so that none
can be changed, dropped or put in without all later ones.

Keep the head ("audit head", also in the daemon's log each day) where the store's
owner cannot change it: only with it is a trail found that was cut at its end, was
chained again, or came back from an older copy.`,
		Example: `  tickler audit head
  tickler audit verify --anchor heads.txt
  tickler audit show 3fa9c01e
  tickler audit export --from 2026-11-01 > november.jsonl`,
		Args: cobra.ArbitraryArgs,
	}
	c.RunE = group(c)
	c.AddCommand(newAuditVerifyCommand(g), newAuditHeadCommand(g), newAuditShowCommand(g), newAuditExportCommand(g))
	return c
}

func newAuditHeadCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "head",
		Short: "The newest record's number and hash · 链头",
		Long: `head prints SEQ:HASH of the newest audit record. SEQ is also how many there are.
It is what "audit verify --anchor" takes, from a file of many such lines too.`,
		Example: `  tickler audit head
  tickler audit head >> /mnt/audit-office/heads.txt`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runAuditHead(c.Context(), g) },
	}
	exits(c, storeExits...)
	return c
}

func runAuditHead(ctx context.Context, g *global) error {
	return g.withClient(ctx, func(c *api.Client) error {
		h, err := c.AuditHead(ctx)
		if err != nil {
			return err
		}
		if g.output == "json" {
			return writeJSON(g.stdout, h)
		}
		_, err = fmt.Fprintln(g.stdout, anchorText(*h))
		return err
	})
}

// anchorText is a head in the form that --anchor takes.
func anchorText(h api.Head) string { return strconv.FormatUint(h.Seq, 10) + ":" + h.Hash }
