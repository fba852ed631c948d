package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
	"tickler/loan"
	"tickler/obligation"
)

// recordOptions describe an event that happened.
type recordOptions struct {
	Happened dateFlag
	Set      []string // k=v
	Files    []string
	Closes   []string
	ID       string
	Note     string
	Force    bool
}

func (o *recordOptions) AddFlags(f *pflag.FlagSet) {
	f.Var(&o.Happened, "happened", "the `DATE` it happened (default: today)")
	f.StringArrayVar(&o.Set, "set", nil, "a field as `K=V`; 期间=2026-11 names the period it speaks of")
	f.StringArrayVar(&o.Files, "file", nil, "a `PATH` that proves it; its digest, size and name are kept")
	f.StringArrayVar(&o.Closes, "closes", nil, "the obligation it closes, by `ID`, where several would fit")
	f.StringVar(&o.ID, "id", "", "the event's own `ID`; recording the same again changes nothing")
	f.StringVar(&o.Note, "note", "", "a `TEXT` to keep with it")
	f.BoolVar(&o.Force, "force", false, "allow --on later than tomorrow")
}

func newRecordCommand(g *global) *cobra.Command {
	var o recordOptions
	c := &cobra.Command{
		Use:   "record EVENT SUBJECT [flags]",
		Short: "Record what happened, closing what it closes · 登记事件",
		Long: `record keeps an event: EVENT is KIND.VERB as the rulebook declares it, SUBJECT is
KIND/ID. It closes the open obligations that name the event and opens those that
begin with it. Where several of one rule fit, it is refused and they are listed:
say which one with --closes, with the period (--set 期间=2026-11) or with the party
(--set 对象=G001). "tickler rules events" shows the events and their fields.`,
		Example: `  tickler record notice.maturity_sent loan/JJ2026001 --happened 2026-11-20
  tickler record worklog.submitted borrower/C001 --set 期间=2026-11
  tickler record inspection.onsite loan/JJ2026001 --file 现场检查.pdf --id YX-118`,
		Args: nArgs("EVENT", "SUBJECT"),
		RunE: func(c *cobra.Command, args []string) error { return runRecord(c.Context(), g, o, args[0], args[1]) },
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

func runRecord(ctx context.Context, g *global, o recordOptions, event, subject string) error {
	if _, err := loan.ParseRef(subject); err != nil {
		return usagef("SUBJECT: %v", err)
	}
	r := api.RecordRequest{Event: event, Subject: subject, Happened: o.Happened.Date, Closes: o.Closes, ID: o.ID, Note: o.Note, On: g.on.Date, Force: o.Force, Set: map[string]string{}}
	for _, kv := range o.Set {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return usagef("--set %q: want k=v", kv)
		}
		if _, twice := r.Set[k]; twice {
			return usagef("--set %q: %q is there twice", kv, k)
		}
		r.Set[k] = v
	}
	for _, p := range o.Files {
		e, err := evidence(p)
		if err != nil {
			return err
		}
		r.Files = append(r.Files, e)
	}
	return g.withClient(ctx, func(c *api.Client) error {
		reply, err := c.Record(ctx, r)
		if err != nil {
			return err
		}
		switch g.output {
		case "json":
			reply.Closed, reply.Opened = sound(reply.Closed), sound(reply.Opened)
			return writeJSON(g.stdout, reply)
		case "name":
			_, err := fmt.Fprintln(g.stdout, reply.ID)
			return err
		}
		if reply.Same {
			fmt.Fprintln(g.stderr, g.tr("事件 "+reply.ID+" 已登记过，没有变化。", "Event "+reply.ID+" was recorded before; nothing changed."))
			return nil
		}
		fmt.Fprintln(g.stdout, g.tr("已登记 "+event+" "+subject+"，事件号 "+reply.ID, "recorded "+event+" of "+subject+" as event "+reply.ID))
		for _, part := range []struct {
			title string
			list  []api.Obligation
		}{{g.tr("办结", "closed"), reply.Closed}, {g.tr("新触发", "raised"), reply.Opened}} {
			for i := range part.list {
				x := &part.list[i]
				title := part.title
				if x.State == obligation.Submitted {
					title = g.tr("提交", "submitted")
				}
				if x.RaisedAt == nil {
					title += g.tr("（提前，尚未触发）", " (ahead, it was not raised yet)")
				}
				fmt.Fprintf(g.stdout, "  %s  %s  %s %s  %s  %s\n", title, x.Short, g.tr("截止", "due"), x.Due, x.Name, g.subject(x))
			}
		}
		for _, x := range reply.Progressed {
			fmt.Fprintf(g.stdout, "  %s  %s  %d / %d  %s  %s\n", g.tr("进度", "progress"), x.Short, x.Progress.Have, x.Progress.Need, x.Name, g.subject(&x))
		}
		for _, u := range reply.Unopened {
			fmt.Fprintf(g.stderr, g.tr("没有触发 %s（%s）：%s %s\n", "did not open %s (%s): %s %s\n"), u.Rule, u.Name, g.outcome(u.Outcome), u.Why)
		}
		for _, w := range reply.Warnings {
			fmt.Fprintln(g.stderr, w)
		}
		if len(reply.Closed) == 0 {
			fmt.Fprintln(g.stderr, g.tr("没有办结任何事项。", "It closed nothing."))
		}
		return nil
	})
}

// evidence reads a file for its digest and size.
func evidence(path string) (loan.Evidence, error) {
	f, err := os.Open(path)
	if err != nil {
		return loan.Evidence{}, fmt.Errorf("read evidence: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return loan.Evidence{}, fmt.Errorf("read evidence %q: %w", path, err)
	}
	return loan.Evidence{Name: filepath.Base(path), Digest: "sha256:" + hex.EncodeToString(h.Sum(nil)), Size: n}, nil
}
