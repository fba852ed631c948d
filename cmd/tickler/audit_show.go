package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"tickler/api"
)

func newAuditShowCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:   "show SUBJECT",
		Short: "The records about something or somebody · 查某事、某人的审计记录",
		Long: `show prints the audit records about SUBJECT, the newest last. SUBJECT is

  an obligation's id, a unique beginning of it, or the 8 hex digits of a list
  KIND/ID      a loan, borrower, guarantor, collateral, group, branch or officer,
               with its obligations and events
  event/ID     an event
  person/ID    what a person did, and what is about him
  user/NAME    what a user of the operating system did

A bare id is looked for among events, persons and users.`,
		Example: `  tickler audit show 3fa9c01e
  tickler audit show loan/JJ2026001
  tickler audit show person/S007 -o csv`,
		Args: nArgs("SUBJECT"),
		RunE: func(c *cobra.Command, args []string) error { return runAuditShow(c.Context(), g, args[0]) },
	}
	exits(c, storeExits...)
	return c
}

func runAuditShow(ctx context.Context, g *global, what string) error {
	w := bufio.NewWriterSize(g.stdout, 64<<10)
	print, end := g.entryPrinter(w)
	err := g.withClient(ctx, func(c *api.Client) error {
		for r := (api.AuditAboutRequest{What: what}); ; {
			page, err := c.AuditAbout(ctx, r)
			if err != nil {
				return err
			}
			for i := range page.Entries {
				if err := print(&page.Entries[i]); err != nil {
					return err
				}
			}
			if page.Next == 0 {
				return end()
			}
			r.After = page.Next
		}
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

// entryPrinter writes entries in the chosen form as they come.
func (g *global) entryPrinter(w *bufio.Writer) (print func(*api.Entry) error, end func() error) {
	switch g.output {
	case "json":
		sep := "[\n"
		return func(e *api.Entry) error {
				w.WriteString(sep)
				sep = ",\n"
				line, err := json.Marshal(e)
				w.Write(line)
				return err
			}, func() error {
				if sep == "[\n" {
					w.WriteString("[")
				}
				_, err := w.WriteString("\n]\n")
				return err
			}
	case "csv":
		rows := csv.NewWriter(w)
		rows.Write([]string{"seq", "at", "business_date", "person", "os_user", "action", "subject", "detail", "hash"})
		return func(e *api.Entry) error {
			detail := ""
			if e.Detail != nil {
				text, err := json.Marshal(e.Detail)
				if err != nil {
					return err
				}
				detail = string(text)
			}
			return rows.Write(guardedRow([]string{strconv.FormatUint(e.Seq, 10), e.At.Format(time.RFC3339Nano), e.Business.String(), e.Actor, e.OSUser, e.Action, e.Subject, detail, e.Hash}))
		}, func() error { rows.Flush(); return rows.Error() }
	case "name":
		return func(e *api.Entry) error { _, err := fmt.Fprintln(w, e.Seq); return err }, func() error { return nil }
	}
	return func(e *api.Entry) error {
		who := e.OSUser
		if e.Actor != "" {
			who = e.Actor + " (" + e.OSUser + ")"
		}
		detail := ""
		if e.Detail != nil {
			detail = g.detail(e.Detail)
		}
		line := g.moment(e.At) + "  " + pad("#"+strconv.FormatUint(e.Seq, 10), 7) + "  " + pad(g.action(e.Action), 12) + "  " +
			pad(printable(who), 10) + "  " + printable(e.Subject) + "  " + printable(detail)
		_, err := fmt.Fprintln(w, strings.TrimRight(line, " "))
		return err
	}, func() error { return nil }
}

// printable is one line without what a terminal would obey: a refused attempt
// holds what anybody sent.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, oneLine(s))
}
