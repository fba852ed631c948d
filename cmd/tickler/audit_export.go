package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
	"tickler/calendar"
	"tickler/store"
)

// seqOrDate is a flag that takes a record's number or a business day.
type seqOrDate struct {
	seq  uint64
	date calendar.Date
}

func (v *seqOrDate) String() string {
	switch {
	case v.seq > 0:
		return strconv.FormatUint(v.seq, 10)
	case !v.date.IsZero():
		return v.date.String()
	}
	return ""
}

func (v *seqOrDate) Set(s string) (err error) {
	if v.seq, err = strconv.ParseUint(s, 10, 64); err == nil {
		if v.seq == 0 {
			return fmt.Errorf("records count from 1")
		}
		return nil
	}
	if v.date, err = calendar.ParseDate(s); err != nil {
		return fmt.Errorf("%q: want a record's number or YYYY-MM-DD", s)
	}
	return nil
}

// Type names it in help.
func (v *seqOrDate) Type() string { return "SEQ|DATE" }

type auditExportOptions struct{ from, to seqOrDate }

func (o *auditExportOptions) AddFlags(f *pflag.FlagSet) {
	f.Var(&o.from, "from", "first record's number, or first business `SEQ|DATE`")
	f.Var(&o.to, "to", "last record's number, or last business `SEQ|DATE`, included")
}

func newAuditExportCommand(g *global) *cobra.Command {
	var o auditExportOptions
	c := &cobra.Command{
		Use:   "export [flags]",
		Short: "The records, one a line · 导出审计记录",
		Long: `export writes audit records as JSON lines: one record a line, with its number, the
hash of the one before ("prev") and its own ("hash"). Without "hash" a line is,
byte for byte, what was hashed, so that "audit verify --export" proves the file
without the store. -o csv is for spreadsheets and proves nothing.

It reads page by page. What is written after it began is left out.`,
		Example: `  tickler audit export > audit.jsonl
  tickler audit export --from 2026-11-01 --to 2026-11-30 > november.jsonl
  tickler audit export --from 1042 -o csv > since.csv`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runAuditExport(c.Context(), g, &o) },
	}
	o.AddFlags(c.Flags())
	exits(c, exitOK, exitFailed, exitUsage, exitFindings, exitNoStore, exitLocked, exitNotAllowed, exitInterrupted)
	return c
}

var auditHead = []string{"seq", "at", "business_date", "person", "os_user", "action", "subject", "about", "detail", "rulebook", "calendar", "prev", "hash"}

func runAuditExport(ctx context.Context, g *global, o *auditExportOptions) error {
	if g.output == "name" || g.output == "wide" {
		return usagef("-o %s: want json or csv", g.output)
	}
	w := bufio.NewWriterSize(g.stdout, 64<<10)
	rows := csv.NewWriter(w)
	if g.output == "csv" {
		if err := rows.Write(auditHead); err != nil {
			return err
		}
	}
	err := g.withClient(ctx, func(c *api.Client) error {
		r := api.AuditPageRequest{From: o.from.seq, FromDay: o.from.date, To: o.to.seq, ToDay: o.to.date}
		for {
			page, err := c.AuditPage(ctx, r)
			if err != nil {
				return err
			}
			for _, line := range page.Lines {
				if g.output != "csv" {
					w.Write(line)
					w.WriteByte('\n')
					continue
				}
				rec, _, _, err := store.ParseAuditLine(line)
				if err != nil {
					return fmt.Errorf("read an audit record: %w", err)
				}
				row := []string{strconv.FormatUint(rec.Seq, 10), rec.At.Format(time.RFC3339Nano), rec.Business.String(), rec.Actor, rec.OSUser, rec.Action, rec.Subject,
					strings.Join(rec.About, " "), string(rec.Detail), rec.Rulebook, rec.Calendar, rec.Prev, rec.Hash}
				if err := rows.Write(guardedRow(row)); err != nil {
					return err
				}
			}
			rows.Flush()
			if err := rows.Error(); err != nil {
				return err
			}
			if page.Next == 0 {
				return nil
			}
			r = api.AuditPageRequest{From: page.Next, To: page.To}
		}
	})
	if flushErr := w.Flush(); err == nil {
		err = flushErr
	}
	return err
}
