package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/pflag"

	"tickler/api"
	"tickler/calendar"
	"tickler/report"
)

// cellKind says what the cells of a column are.
type cellKind int

const (
	cellText    cellKind = iota // string, forPeople or bool
	cellWhole                   // int
	cellTenths                  // *float64, one decimal; nil is empty
	cellPercent                 // *float64, 0 to 100, one decimal; nil is empty
	cellDate                    // calendar.Date; zero is empty
)

// forPeople is a text that stands in for what is not known, or translates a
// word of the program: scripts get an empty cell.
type forPeople string

// figureColumn is one column of a table of figures.
type figureColumn struct {
	word   string // its name for scripts
	zh, en string
	kind   cellKind
	aside  bool // not on the screen, only in files
}

// figureRow is one row; its cells are of their columns' kinds.
type figureRow struct {
	cells []any
	sub   bool // a subtotal: on the screen alone, since a file's rows add up to its total
	total bool
	shade text.Colors
}

// figureTable is a table in every form: on the screen, as CSV, as a sheet of a
// workbook.
type figureTable struct {
	zh, en  string
	columns []figureColumn
	rows    []figureRow
}

// figureDoc is a report: its tables, what it is about, and how its figures are
// worked out.
type figureDoc struct {
	zh, en string
	tables []*figureTable
	csv    *figureTable   // nil: the first one
	screen []*figureTable // on the screen instead of tables; nil: the same
	facts  [][2]any       // what, value: of the workbook's last sheet
	notes  []string       // how it is computed
	next   []string       // what to do, on the screen
	json   any
}

// figureOptions are the flags of every report of figures.
type figureOptions struct {
	Branch string
	Out    string // file; "" is stdout
}

func (o *figureOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Branch, "branch", "", "only of this branch (机构), by `ID`")
	f.StringVar(&o.Out, "out", "", "write to `FILE`; .xlsx, .csv and .json say the form where -o does not")
}

// byFlag takes --by officer,branch, or --by twice.
type byFlag []report.By

func (b *byFlag) String() string {
	var out []string
	for _, x := range *b {
		out = append(out, string(x))
	}
	return strings.Join(out, ",")
}

func (b *byFlag) Set(s string) error {
	for _, x := range strings.Split(s, ",") {
		*b = append(*b, report.By(strings.TrimSpace(x)))
	}
	return report.CheckBy(*b)
}

// Type names it in help.
func (b *byFlag) Type() string { return "BY" }

const byUsage = "break down by `BY`: officer, branch, rule, quarter or role; several are nested in their order: branch,officer"

// form settles the form of a report and refuses what cannot be.
func (g *global) form(o figureOptions) (string, error) {
	form := g.output
	if ext := strings.ToLower(filepath.Ext(o.Out)); !g.flags.Changed("output") && (ext == ".xlsx" || ext == ".csv" || ext == ".json") {
		form = ext[1:]
	}
	switch {
	case form == "name":
		return "", usagef("-o name: a report has no names; want table, json, csv or xlsx")
	case form == "xlsx" && o.Out == "":
		if _, tty := terminal(g.stdout); tty {
			return "", usagef("-o xlsx: a workbook is not for a terminal: add --out FILE")
		}
	}
	return form, nil
}

// figures asks for a report and writes it.
func (g *global) figures(ctx context.Context, o figureOptions, ask func(*api.Client) (*figureDoc, []string, error)) error {
	form, err := g.form(o)
	if err != nil {
		return err
	}
	return g.withClient(ctx, func(c *api.Client) error {
		done := g.busy(g.tr("正在统计", "counting"))
		doc, warnings, err := ask(c)
		done()
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := g.writeFigures(&b, form, doc, o.Out != ""); err != nil {
			return err
		}
		if o.Out != "" {
			err = writeFile(o.Out, b.Bytes(), 0o600) // it names people
		} else {
			_, err = g.stdout.Write(b.Bytes())
		}
		if err != nil {
			return err
		}
		g.warn(warnings)
		return nil
	})
}

func (g *global) writeFigures(b *bytes.Buffer, form string, d *figureDoc, toFile bool) error {
	switch form {
	case "json":
		return writeJSON(b, d.json)
	case "csv":
		t := d.csv
		if t == nil {
			t = d.tables[0]
		}
		var head []string
		for _, c := range t.columns {
			head = append(head, c.word)
		}
		return writeCSV(b, head, func(yield func([]string) bool) {
			for _, r := range t.rows {
				if r.sub || r.total {
					continue
				}
				row := make([]string, len(r.cells))
				for i, v := range r.cells {
					if _, ok := v.(forPeople); !ok {
						row[i] = plainCellText(v)
					}
				}
				if !yield(row) {
					return
				}
			}
		})
	case "xlsx":
		return g.workbook(b, d)
	}
	return g.screen(b, d, toFile)
}

// screen writes the tables for people.
func (g *global) screen(b *bytes.Buffer, d *figureDoc, toFile bool) error {
	fmt.Fprintf(b, "%s\n", g.tr(d.zh, d.en))
	width, tty := 0, false
	if !toFile {
		width, tty = terminal(g.stdout)
	}
	tables := d.tables
	if d.screen != nil && g.output != "wide" {
		tables = d.screen
	}
	for i, t := range tables {
		if len(t.rows) == 0 && i > 0 {
			continue
		}
		b.WriteByte('\n')
		if i > 0 {
			fmt.Fprintf(b, "%s\n", g.tr(t.zh, t.en))
		}
		s := &sheet{right: map[int]bool{}}
		for _, c := range t.columns {
			if c.aside {
				continue
			}
			if c.kind != cellText && c.kind != cellDate {
				s.right[len(s.heads)] = true
			} else if c.kind == cellText {
				s.shrink = append(s.shrink, shrink{len(s.heads), 10})
			}
			s.heads = append(s.heads, g.tr(c.zh, c.en))
		}
		for _, r := range t.rows {
			var cells []string
			for j, v := range r.cells {
				if !t.columns[j].aside {
					cells = append(cells, g.cell(t.columns[j].kind, v))
				}
			}
			s.add(r.shade, cells...)
		}
		if tty {
			s.fit(width)
		}
		if err := s.print(b, g.colour() && !toFile); err != nil {
			return err
		}
	}
	b.WriteByte('\n')
	for _, n := range append(append([]string{}, d.next...), d.notes...) {
		fmt.Fprintln(b, n)
	}
	return nil
}

// cell is a value on the screen.
func (g *global) cell(k cellKind, v any) string {
	if yes, ok := v.(bool); ok {
		return g.tr(yesNo[yes][0], yesNo[yes][1])
	}
	s := plainCellText(v)
	if s == "" && k != cellText {
		return "-"
	}
	if k == cellPercent {
		s += "%"
	}
	return s
}

var yesNo = map[bool][2]string{true: {"是", "yes"}, false: {"否", "no"}}

// plainCellText is a value for scripts.
func plainCellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case forPeople:
		return string(v)
	case int:
		return strconv.Itoa(v)
	case *float64:
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', 1, 64)
	case calendar.Date:
		if v.IsZero() {
			return ""
		}
		return v.String()
	}
	return fmt.Sprint(v)
}

// headFacts are what every report says about itself.
func (g *global) headFacts(h *api.FiguresHead) [][2]any {
	f := [][2]any{{g.tr("统计日", "Day"), h.On}}
	if !h.From.IsZero() || !h.To.IsZero() {
		f = append(f, [2]any{g.tr("截止日起", "Due from"), h.From}, [2]any{g.tr("截止日止", "Due to"), h.To})
	}
	branch := h.Branch
	if branch == "" {
		branch = g.tr("全部", "all")
	}
	f = append(f, [2]any{g.tr("机构", "Branch"), branch})
	if len(h.By) > 0 {
		var by []string
		for _, b := range h.By {
			by = append(by, g.tr(byWords[b][0], byWords[b][1]))
		}
		f = append(f, [2]any{g.tr("分组", "By"), strings.Join(by, g.tr("、", ", "))})
	}
	return append(f, [2]any{g.tr("上线日", "Go-live"), h.GoLive}, [2]any{g.tr("营业日", "Business date"), h.Business},
		[2]any{g.tr("规则簿", "Rulebook"), h.Rulebook}, [2]any{g.tr("日历", "Calendar"), h.Calendar})
}

// about is the line above a report.
func (g *global) about(h *api.FiguresHead, zh, en string) (string, string) {
	for _, w := range []*string{&zh, &en} {
		*w += "  " + h.On.String()
		if h.Branch != "" {
			*w += "  " + h.Branch
		}
	}
	if !h.From.IsZero() || !h.To.IsZero() {
		zh += fmt.Sprintf("  截止日 %s 至 %s", orOpen(h.From), orOpen(h.To))
		en += fmt.Sprintf("  due %s to %s", orOpen(h.From), orOpen(h.To))
	}
	return zh, en
}

func orOpen(d calendar.Date) string {
	if d.IsZero() {
		return "…"
	}
	return d.String()
}

var byWords = map[report.By][2]string{
	report.ByOfficer: {"责任人", "Officer"}, report.ByBranch: {"机构", "Branch"}, report.ByRule: {"规则", "Rule"},
	report.ByQuarter: {"季度", "Quarter"}, report.ByRole: {"岗位", "Role"},
}

// named says that groups of this kind have names beside their keys.
func named(b report.By) bool { return b != report.ByQuarter }

// byColumns are the columns that hold the groups: a key and a name each.
func byColumns(by []report.By) []figureColumn {
	var out []figureColumn
	for _, b := range by {
		w := byWords[b]
		out = append(out, figureColumn{word: string(b), zh: w[0], en: w[1]})
		if named(b) {
			out = append(out, figureColumn{word: string(b) + "_name", zh: w[0] + "名称", en: w[1] + " name"})
		}
	}
	return out
}

// treeRows turns groups into rows: on the screen each group with its subtotal
// above those within it, then the total; cells gives what follows the names.
func treeRows[T any](g *global, root *report.Node[T], by []report.By, cells func(*T) []any) []figureRow {
	var rows []figureRow
	width := len(byColumns(by))
	var walk func(n *report.Node[T], path []any)
	walk = func(n *report.Node[T], path []any) {
		if n.By != "" {
			var name any = n.Name
			switch {
			case n.Key == "" && n.By == report.ByOfficer:
				name = forPeople(g.tr("（未落实到人）", "(nobody named)"))
			case n.Key == "":
				name = forPeople(g.tr("（不明）", "(not known)"))
			case n.By == report.ByRole:
				name = forPeople(g.role(n.Key))
			}
			path = append(append([]any{}, path...), n.Key)
			if named(n.By) {
				path = append(path, name)
			}
			row := append(append([]any{}, path...), blanks(width-len(path))...)
			rows = append(rows, figureRow{cells: append(row, cells(&n.Sum)...), sub: len(n.Groups) > 0, shade: bold(len(n.Groups) > 0)})
		}
		for _, c := range n.Groups {
			walk(c, path)
		}
	}
	walk(root, nil)
	total := blanks(width)
	if width > 0 {
		total[0] = g.tr("合计", "Total")
	}
	return append(rows, figureRow{cells: append(total, cells(&root.Sum)...), total: width > 0, shade: bold(width > 0)})
}

func blanks(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = ""
	}
	return out
}

func bold(yes bool) text.Colors {
	if yes {
		return text.Colors{text.Bold}
	}
	return nil
}
