package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
)

// importOptions say how ledger files are read.
type importOptions struct {
	Mapping   string
	DataDate  dateFlag
	Sheet     string
	DryRun    bool
	ExitCode  bool // 5 when a dry run would change something
	AllowGone bool
	Force     bool
}

func (o *importOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Mapping, "mapping", "", "a `FILE` that says which column is which")
	f.Var(&o.DataDate, "data-date", "the day the file speaks of (default: its own 数据日期)")
	f.StringVar(&o.Sheet, "sheet", "", "only this sheet of a workbook, by `NAME`")
	f.BoolVar(&o.DryRun, "dry-run", false, "say what would change, and change nothing")
	f.BoolVar(&o.ExitCode, "exit-code", false, "with --dry-run: exit 5 if something would change")
	f.BoolVar(&o.AllowGone, "allow-gone", false, "accept that more than 2 % of the loans are gone")
	f.BoolVar(&o.Force, "force", false, "allow --on later than tomorrow")
}

func newImportCommand(g *global) *cobra.Command {
	var o importOptions
	c := &cobra.Command{
		Use:   "import FILE... [flags]",
		Short: "Take in ledger files, all of a file or nothing · 导入台账",
		Long: `import takes in a bank's ledger files: CSV (UTF-8, GB18030, GBK) or XLSX. A file is
one transaction, all or nothing; several stop at the first that is refused. What
changed since the last file turns into events, and the plan is made anew.
The same file twice changes nothing; another content of the same data date
replaces what was there.`,
		Example: `  tickler import 借据台账.xlsx
  tickler import --data-date 2026-11-20 loans.csv customers.csv
  tickler import --dry-run --exit-code 借据台账.xlsx`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("want FILE")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return runImport(c.Context(), g, o, args) },
	}
	o.AddFlags(c.Flags())
	exits(c, exitOK, exitFailed, exitUsage, exitChanges, exitNoStore, exitLocked, exitNotAllowed, exitInterrupted)
	return c
}

// sendLedger has a file imported. It is read as it is sent: a large one is in
// memory once, and not at all while it is planned.
func (g *global) sendLedger(ctx context.Context, c *api.Client, r api.ImportRequest, path string) (*api.ImportReply, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadLedger(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, unreadLedger(err)
	}
	file := api.Upload{Reader: f, Size: info.Size()}
	if !info.Mode().IsRegular() { // a pipe says no size; a directory says what it is
		data, err := io.ReadAll(f)
		if err != nil {
			return nil, unreadLedger(err)
		}
		file = api.Upload{Reader: bytes.NewReader(data), Size: int64(len(data))}
	}
	defer g.busy(g.tr("正在导入 ", "importing ") + r.Name)()
	return c.Import(ctx, r, file)
}

func unreadLedger(err error) error {
	return api.Errorf(api.Failed, "look at the name and the rights of the file; nothing of it was taken (文件未导入)", "read ledger: %v", err)
}

func runImport(ctx context.Context, g *global, o importOptions, files []string) error {
	if o.ExitCode && !o.DryRun {
		return usagef("--exit-code goes with --dry-run")
	}
	r := api.ImportRequest{DataDate: o.DataDate.Date, Sheet: o.Sheet, DryRun: o.DryRun, AllowGone: o.AllowGone, On: g.on.Date, Force: o.Force, Lang: g.lang}
	if o.Mapping != "" {
		text, err := os.ReadFile(o.Mapping)
		if err != nil {
			return fmt.Errorf("read mapping: %w", err)
		}
		r.Mapping, r.MappingAs = text, filepath.Base(o.Mapping)
	}
	var replies []*api.ImportReply
	err := g.withClient(ctx, func(c *api.Client) error {
		for i, path := range files {
			r.Name = filepath.Base(path)
			reply, err := g.sendLedger(ctx, c, r, path)
			if err != nil {
				if rest := len(files) - i - 1; rest > 0 {
					fmt.Fprintln(g.stderr, g.tr(fmt.Sprintf("%s 被拒，后面 %d 个文件没有导入。", r.Name, rest), fmt.Sprintf("%s was refused; %s not imported.", r.Name, plural(rest, "file after it was", "files after it were"))))
				}
				return err
			}
			replies = append(replies, reply)
			if g.output == "table" || g.output == "wide" {
				g.writeImport(reply)
			}
			g.warn(reply.Warnings)
		}
		return nil
	})
	if printErr := g.printImports(replies); err == nil {
		err = printErr
	}
	if err != nil {
		return err
	}
	if o.ExitCode {
		for _, r := range replies {
			if importChanges(r) {
				return status(exitChanges)
			}
		}
	}
	return nil
}

// importChanges says whether anything of the store changed, or would.
func importChanges(r *api.ImportReply) bool {
	n := r.New + r.Changed + len(r.Gone)
	for _, k := range r.Events {
		n += k
	}
	for _, k := range r.Plan {
		n += k
	}
	return n > 0 && !r.Same
}

// writeImport is the summary of one file.
func (g *global) writeImport(r *api.ImportReply) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", r.Name)
	if !r.DataDate.IsZero() {
		fmt.Fprintf(&b, g.tr("（数据日期 %s）", " (data date %s)"), r.DataDate)
	}
	if r.DryRun {
		b.WriteString(g.tr("  试算，未写入", "  dry run, nothing written"))
	}
	b.WriteString("\n")
	if r.Same {
		fmt.Fprintf(&b, "  %s\n", g.tr("同一文件已导入过：0 项变化", "imported before: 0 changes"))
	} else {
		fmt.Fprintf(&b, g.tr("  借据 %d 笔：新增 %d，变更 %d，未变 %d，消失 %d\n", "  loans %d: new %d, changed %d, unchanged %d, gone %d\n"), r.Rows, r.New, r.Changed, r.Unchanged, len(r.Gone))
		if len(r.Gone) > 0 {
			fmt.Fprintf(&b, "  %s %s\n", g.tr("消失的借据（其义务保留）：", "gone, their duties stay:"), someOf(r.Gone, 20))
		}
		if s := counts(r.Events, func(k string) string { return k }); s != "" {
			fmt.Fprintf(&b, "  %s %s\n", g.tr("发现事件：", "events:"), s)
		}
		if s := counts(r.Plan, g.change); s != "" {
			fmt.Fprintf(&b, "  %s %s\n", g.tr("计划：", "plan:"), s)
		}
	}
	if g.output == "wide" {
		for _, c := range r.Columns {
			fmt.Fprintf(&b, "  %s %s\n", g.tr("列", "column"), c)
		}
	}
	fmt.Fprint(g.stdout, b.String())
	for _, f := range r.Failed {
		fmt.Fprintln(g.stderr, g.tr("未能推算：", "not worked out: ")+f)
	}
}

func (g *global) printImports(rs []*api.ImportReply) error {
	switch g.output {
	case "json":
		if rs == nil {
			rs = []*api.ImportReply{}
		}
		for _, r := range rs {
			if r.Gone == nil {
				r.Gone = []string{}
			}
		}
		return writeJSON(g.stdout, rs)
	case "csv":
		return writeCSV(g.stdout, []string{"name", "digest", "data_date", "rows", "new", "changed", "unchanged", "gone", "events", "plan", "dry_run", "same"}, func(yield func([]string) bool) {
			for _, r := range rs {
				events, _ := json.Marshal(r.Events)
				plan, _ := json.Marshal(r.Plan)
				if !yield([]string{r.Name, r.Digest, r.DataDate.String(), strconv.Itoa(r.Rows), strconv.Itoa(r.New), strconv.Itoa(r.Changed), strconv.Itoa(r.Unchanged), strconv.Itoa(len(r.Gone)), string(events), string(plan), strconv.FormatBool(r.DryRun), strconv.FormatBool(r.Same)}) {
					return
				}
			}
		})
	case "name":
		for _, r := range rs {
			if _, err := fmt.Fprintln(g.stdout, r.Digest); err != nil {
				return err
			}
		}
	}
	return nil
}

// counts says "新计划 12，触发 3", in the order of the names.
func counts(m map[string]int, name func(string) string) string {
	var keys []string
	for k, n := range m {
		if n != 0 {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	var parts []string
	for _, k := range keys {
		parts = append(parts, name(k)+" "+strconv.Itoa(m[k]))
	}
	return strings.Join(parts, ", ")
}

func someOf(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, " ")
	}
	return strings.Join(slices.Clone(list[:n]), " ") + fmt.Sprintf(" … (%d)", len(list))
}
