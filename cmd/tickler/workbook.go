package main

import (
	"fmt"
	"io"
	"math"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/xuri/excelize/v2"

	"tickler/calendar"
)

// excelEpoch is day 0 of a spreadsheet's dates.
var excelEpoch = calendar.MustDate(1899, 12, 30)

// workbook writes a report as XLSX: a sheet a table, and a last one that says
// what it is about, what it rests on and how its figures are worked out.
func (g *global) workbook(w io.Writer, d *figureDoc) (err error) {
	f := excelize.NewFile()
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	var styles bookStyles
	if err := styles.make(f); err != nil {
		return fmt.Errorf("workbook: %w", err)
	}
	about := &figureTable{zh: "说明", en: "About", columns: []figureColumn{{zh: "项目", en: "Item"}, {zh: "内容", en: "Value"}}}
	about.rows = append(about.rows, figureRow{cells: []any{g.tr("报表", "Report"), g.tr(d.zh, d.en)}})
	for _, fact := range d.facts {
		about.rows = append(about.rows, figureRow{cells: []any{fact[0], fact[1]}})
	}
	for _, n := range d.notes {
		about.rows = append(about.rows, figureRow{cells: []any{g.tr("计算方法", "How"), n}})
	}
	for i, t := range append(append([]*figureTable{}, d.tables...), about) {
		name := g.tr(t.zh, t.en)
		if i == 0 {
			err = f.SetSheetName("Sheet1", name)
		} else {
			_, err = f.NewSheet(name)
		}
		if err == nil {
			err = g.bookSheet(f, name, t, &styles)
		}
		if err != nil {
			return fmt.Errorf("workbook: sheet %q: %w", name, err)
		}
	}
	return f.Write(w)
}

// bookStyles are the styles of cells: [bold] of each kind, and of the head.
type bookStyles struct {
	head int
	of   map[cellKind][2]int
}

func (s *bookStyles) make(f *excelize.File) (err error) {
	s.head, err = f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DDE6F0"}},
		Alignment: &excelize.Alignment{Vertical: "center", WrapText: true}})
	s.of = map[cellKind][2]int{}
	for kind, format := range map[cellKind]string{cellText: "@", cellWhole: "#,##0", cellTenths: "0.0", cellPercent: "0.0%", cellDate: "yyyy-mm-dd"} {
		var two [2]int
		for i := range two {
			if err == nil {
				two[i], err = f.NewStyle(&excelize.Style{CustomNumFmt: &format, Font: &excelize.Font{Bold: i == 1}})
			}
		}
		s.of[kind] = two
	}
	return err
}

// bookSheet writes one table: a frozen head, columns as wide as what they
// hold, numbers as numbers and dates as dates.
func (g *global) bookSheet(f *excelize.File, name string, t *figureTable, styles *bookStyles) error {
	w, err := f.NewStreamWriter(name)
	if err != nil {
		return err
	}
	for i, c := range t.columns {
		width := text.StringWidthWithoutEscSequences(g.tr(c.zh, c.en))
		for _, r := range t.rows {
			if !r.sub {
				width = max(width, text.StringWidthWithoutEscSequences(plainCellText(r.cells[i])))
			}
		}
		if err := w.SetColWidth(i+1, i+1, float64(min(width, 78)+2)); err != nil {
			return err
		}
	}
	if err := w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	head := make([]any, len(t.columns))
	for i, c := range t.columns {
		head[i] = excelize.Cell{StyleID: styles.head, Value: g.tr(c.zh, c.en)}
	}
	if err := w.SetRow("A1", head); err != nil {
		return err
	}
	n := 1
	for _, r := range t.rows {
		if r.sub {
			continue
		}
		n++
		row := make([]any, len(r.cells))
		for i, v := range r.cells {
			row[i] = g.bookCell(v, t.columns[i].kind, r.total, styles)
		}
		if err := w.SetRow(fmt.Sprintf("A%d", n), row); err != nil {
			return err
		}
	}
	return w.Flush()
}

// bookCell gives a value the form a spreadsheet reckons with; nil where it is
// empty.
func (g *global) bookCell(v any, kind cellKind, total bool, styles *bookStyles) any {
	if d, ok := v.(calendar.Date); ok {
		kind = cellDate // also among texts
		if d.IsZero() {
			return nil
		}
		v = int(d - excelEpoch)
	}
	switch p := v.(type) {
	case forPeople:
		v = string(p)
	case bool:
		v = g.cell(kind, p)
	}
	if p, ok := v.(*float64); ok {
		switch {
		case p == nil:
			return nil
		case kind == cellPercent:
			v = math.Round(*p*10) / 1000
		default:
			v = *p
		}
	}
	style := styles.of[kind][0]
	if total {
		style = styles.of[kind][1]
	}
	return excelize.Cell{StyleID: style, Value: v}
}
