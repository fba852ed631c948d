package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
)

func newShowCommand(g *global) *cobra.Command {
	var at dateFlag
	c := &cobra.Command{
		Use:   "show ID",
		Short: "One obligation with its history · 一项事项及其经过",
		Long: `show prints one obligation: its dates, its state, and everything that happened to
it. ID is the full id, a unique prefix of it, or the 8 hex digits of a list.
With -o json it is one object in the form of a list's, with a "history".`,
		Example: `  tickler show 3fa9c01e
  tickler show maturity-notice:loan/JJ2026001:2026-12-31
  tickler show 3fa9c01e -o json`,
		Args: nArgs("ID"),
		RunE: func(c *cobra.Command, args []string) error { return runShow(c.Context(), g, args[0], at.Date) },
	}
	c.Flags().Var(&at, "at", "as it was known at the end of that `DATE`, under the rules of then")
	exits(c, storeExits...)
	return c
}

// shown is an obligation in its promised form, with its history beside.
type shown struct {
	api.Obligation
	History  []api.Entry     `json:"history"`
	Evidence []loan.Evidence `json:"evidence,omitempty"`
}

func runShow(ctx context.Context, g *global, id string, at calendar.Date) error {
	return g.withClient(ctx, func(c *api.Client) error {
		r, err := c.Show(ctx, api.ShowRequest{ID: id, On: g.on.Date, At: at})
		if err != nil {
			return err
		}
		o := &r.Obligation
		switch g.output {
		case "json":
			s := shown{Obligation: sound([]api.Obligation{*o})[0], History: r.History, Evidence: r.Evidence}
			if s.History == nil {
				s.History = []api.Entry{}
			}
			return writeJSON(g.stdout, s)
		case "csv", "name":
			return g.printObligations([]api.Obligation{*o})
		}
		var b strings.Builder
		g.showObligation(&b, o)
		for _, e := range r.Evidence {
			fmt.Fprintf(&b, "  %s %s  %d %s  %s\n", g.tr("凭证", "evidence"), e.Name, e.Size, g.tr("字节", "bytes"), e.Digest)
		}
		if w := o.Waiver; w != nil {
			fmt.Fprintf(&b, "  %s %s %s %s\n", g.tr("豁免申请", "waiver asked for by"), w.By, w.On, w.Reason)
		}
		g.showHistory(&b, r.History)
		_, err = fmt.Fprint(g.stdout, b.String())
		return err
	})
}

// field is a line of a sheet about one thing.
type field struct{ name, value string }

// writeFields aligns names and values; empty values are left out.
func writeFields(b *strings.Builder, fs []field) {
	w := 0
	for _, f := range fs {
		if f.value != "" {
			w = max(w, text.StringWidthWithoutEscSequences(f.name))
		}
	}
	for _, f := range fs {
		if f.value != "" {
			fmt.Fprintf(b, "  %s  %s\n", pad(f.name, w), f.value)
		}
	}
}

func (g *global) showObligation(b *strings.Builder, o *api.Obligation) {
	fmt.Fprintf(b, "%s  %s\n", o.Name, g.standing(o))
	borrower := ""
	if o.Borrower != nil {
		borrower = strings.TrimSpace(o.Borrower.ID + " " + o.Borrower.Name)
	}
	party := ""
	if o.Party != nil {
		party = g.kind(o.Party.Kind) + " " + strings.TrimSpace(o.Party.ID+" "+sameAs(o.Party.Name, o.Party.ID))
	}
	raised := o.Raise.String()
	if o.RaisedAt != nil {
		raised += g.tr("，已于 ", ", raised ") + g.moment(*o.RaisedAt) + g.tr(" 触发", "")
	}
	if o.Late != "" {
		raised += g.tr("（补触发："+o.Late+"）", " (late: "+o.Late+")")
	}
	due := o.Due.String() + " " + g.weekday(o.Due.Weekday())
	if o.Provisional {
		due += g.tr("（暂定）", " (provisional)")
	}
	if !o.WasDue.IsZero() {
		due += g.tr("（原为 "+o.WasDue.String()+"）", " (was "+o.WasDue.String()+")")
	}
	progress := ""
	if o.Progress != nil && o.Progress.Need > 0 {
		progress = fmt.Sprintf("%d / %d", o.Progress.Have, o.Progress.Need)
	}
	own := ""
	if !o.Stated {
		own = g.tr("（期限由本行规定，手册未写明）", " (the figure is the bank's own)")
	}
	writeFields(b, []field{
		{g.tr("编号", "id"), o.Short + "  " + o.ID},
		{g.tr("规则", "rule"), o.Rule},
		{g.tr("依据", "clause"), o.Clause + own},
		{g.tr("对象", "subject"), g.kind(o.Subject.Kind) + " " + o.Subject.ID},
		{g.tr("相对方", "party"), party},
		{g.tr("客户", "borrower"), borrower},
		{g.tr("机构", "branch"), o.Branch},
		{g.tr("责任人", "owner"), strings.TrimSpace(o.Owner + " " + g.role(o.Role))},
		{g.tr("期次", "occurrence"), o.Occurrence},
		{g.tr("起算日", "anchor"), o.Anchor.String()},
		{g.tr("触发日", "raise"), raised},
		{g.tr("截止日", "due"), due},
		{g.tr("进度", "progress"), progress},
		{g.tr("提交日", "submitted"), strings.TrimSpace(o.SubmittedOn.String() + " " + o.SubmittedBy)},
		{g.tr("待签批", "waits for"), g.role(o.Level)},
		{g.tr("豁免申请", "waiver asked"), waiverText(o)},
		{g.tr("办结日", "done"), o.DoneOn.String()},
		{g.tr("办结事件", "closed by"), o.ClosedBy},
		{g.tr("原因", "cause"), o.Cause},
	})
	for _, s := range o.Signatures {
		fmt.Fprintf(b, "  %s %s %s %s %s\n", g.tr("签批", "signed"), g.role(s.Role), s.By, s.On, s.Note)
	}
}

func sameAs(name, id string) string {
	if name == id {
		return ""
	}
	return name
}

func (g *global) moment(t time.Time) string { return t.In(g.zone()).Format("2006-01-02 15:04:05") }

func (g *global) showHistory(b *strings.Builder, es []api.Entry) {
	fmt.Fprintf(b, "\n%s\n", g.tr("经过", "History"))
	if len(es) == 0 {
		fmt.Fprintf(b, "  %s\n", g.tr("（尚无记录：未触发的计划不逐项记录）", "(none yet: what is only planned has no record of its own)"))
	}
	for _, e := range es {
		who := e.Actor
		if who == "" {
			who = e.OSUser
		}
		detail := ""
		if e.Detail != nil {
			detail = g.detail(e.Detail)
		}
		fmt.Fprintf(b, "  %s  #%d  %s  %s  %s\n", g.moment(e.At), e.Seq, pad(g.action(e.Action), 10), who, detail)
	}
}

// detail puts what matters of a record on one line.
func (g *global) detail(v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		text, _ := json.Marshal(v)
		return string(text)
	}
	words := map[string][2]string{"due": {"截止", "due"}, "was": {"原", "was"}, "why": {"原因", "why"}, "late": {"补触发", "late"}, "to": {"升级至", "to"}, "day": {"应于", "on"}, "until": {"暂缓至", "until"}, "note": {"说明", "note"},
		"happened": {"发生日", "happened"}, "kind": {"事件", "event"}, "period": {"期间", "period"}, "files": {"凭证", "evidence"}, "fields": {"内容", "fields"},
		"what": {"行为", "attempt"}, "reason": {"原因", "reason"}, "file": {"文件", "file"}, "data_date": {"数据日期", "data date"}, "go_live": {"上线日", "go-live"}}
	var parts []string
	for k, v := range m {
		w, known := words[k]
		if !known {
			continue // the plan's counts and what it closes are told beside
		}
		var value string
		switch x := v.(type) {
		case string:
			value = x
		case map[string]any:
			var kv []string
			for k, v := range x {
				kv = append(kv, fmt.Sprintf("%s=%v", k, v))
			}
			slices.Sort(kv)
			value = strings.Join(kv, ", ")
		case []any:
			for _, f := range x {
				if m, ok := f.(map[string]any); ok {
					value = strings.TrimSpace(fmt.Sprintf("%s %v", value, m["name"]))
				}
			}
		case nil:
		default:
			value = fmt.Sprint(x)
		}
		if value != "" {
			parts = append(parts, g.tr(w[0], w[1])+" "+value)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, g.tr("，", ", "))
}

func waiverText(o *api.Obligation) string {
	if o.Waiver == nil {
		return ""
	}
	return fmt.Sprintf("%s %s %s", o.Waiver.By, o.Waiver.On, o.Waiver.Reason)
}
