package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// figuresStore makes a store whose duties of a loan past its maturity are
// overdue on 23 November 2026.
func figuresStore(t *testing.T) (data string) {
	t.Helper()
	dir := t.TempDir()
	data = filepath.Join(dir, "d")
	ledger := filepath.Join(dir, "借据.csv")
	text := "借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,数据日期\n" +
		"JJ01,C01,甲公司,B01,S001,9000,9000.00,2025-10-30,2026-11-13,正常,常规,2026-10-09\n" +
		"JJ02,C02,乙公司,=B02,,9000,9000.00,2025-10-30,2026-11-20,正常,常规,2026-10-09\n"
	if err := os.WriteFile(ledger, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "--go-live", "2026-10-01"}, {"import", ledger, "--on", "2026-10-09", "--force"}, {"tick", "--on", "2026-11-23", "--force"}} {
		run(t, data, args...)
	}
	return data
}

// run runs a command and gives its stdout.
func run(t *testing.T, data string, args ...string) *bytes.Buffer {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := Main(append(args, "--data", data), strings.NewReader(""), &out, &errOut, nil); code != 0 {
		t.Fatalf("%v: exit status %d\n%s", args, code, &errOut)
	}
	return &out
}

// A workbook reads back as what it is: numbers, dates and texts, under a
// frozen Chinese header, with a sheet that says what they are.
func TestAWorkbookHoldsNumbersAndDates(t *testing.T) {
	data := figuresStore(t)
	file := filepath.Join(t.TempDir(), "账龄.xlsx")
	run(t, data, "report", "ageing", "--by", "branch,officer", "--on", "2026-11-23", "--out", file)
	f, err := excelize.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := strings.Join(f.GetSheetList(), " "); got != "逾期账龄 说明" {
		t.Fatalf("sheets %q", got)
	}
	rows, err := f.GetRows("逾期账龄")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0], " "); got != "机构 机构名称 责任人 责任人名称 逾期 不足1个工作日 1-5 6-10 11-20 20以上 最长（工作日） 最早应于" {
		t.Errorf("header %q", got)
	}
	// The groups without subtotals, and the total.
	n := len(rows)
	for i, r := range rows[1:] {
		if (r[0] == "合计") != (i == n-2) {
			t.Errorf("row %d: %q; the total is the last row", i+2, r)
		}
	}
	for _, c := range []struct {
		cell string
		kind excelize.CellType
	}{{"A2", excelize.CellTypeInlineString}, {"E2", excelize.CellTypeUnset}, {"L2", excelize.CellTypeUnset}} { // a number has no type of its own
		if got, err := f.GetCellType("逾期账龄", c.cell); err != nil || got != c.kind {
			t.Errorf("%s is of type %v, want %v, %v", c.cell, got, c.kind, err)
		}
	}
	raw, _ := f.GetCellValue("逾期账龄", "L2", excelize.Options{RawCellValue: true})
	shown, _ := f.GetCellValue("逾期账龄", "L2")
	if day, err := excelize.ExcelDateToTime(atof(t, raw), false); err != nil || day.Format("2006-01-02") != shown || !strings.HasPrefix(shown, "2026-1") {
		t.Errorf("the date %q is shown as %q, %v", raw, shown, err)
	}
	// What the workbook adds up to is what the list counts.
	overdue := strings.Count(run(t, data, "overdue", "--on", "2026-11-23", "-o", "name").String(), "\n")
	all := 0.0
	for i := 2; i < n; i++ {
		v, _ := f.GetCellValue("逾期账龄", cellName(t, 5, i), excelize.Options{RawCellValue: true})
		all += atof(t, v)
	}
	last, _ := f.GetCellValue("逾期账龄", cellName(t, 5, n), excelize.Options{RawCellValue: true})
	if overdue == 0 || all != float64(overdue) || atof(t, last) != all {
		t.Errorf("rows add up to %v, the total is %s, overdue are %d", all, last, overdue)
	}
	// A branch whose number looks like a formula is a text.
	found := false
	for i := 2; i < n; i++ {
		v, _ := f.GetCellValue("逾期账龄", cellName(t, 1, i))
		formula, _ := f.GetCellFormula("逾期账龄", cellName(t, 1, i))
		found = found || v == "=B02" && formula == ""
	}
	if !found {
		t.Error("no branch =B02")
	}
	for _, sheet := range f.GetSheetList() {
		if p, err := f.GetPanes(sheet); err != nil || !p.Freeze || p.YSplit != 1 {
			t.Errorf("%s: panes %+v, %v", sheet, p, err)
		}
		if w, err := f.GetColWidth(sheet, "A"); err != nil || w < 6 {
			t.Errorf("%s: width %v, %v", sheet, w, err)
		}
	}
	about, err := f.GetRows("说明")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, r := range about {
		said[r[0]] += r[1]
	}
	if said["统计日"] != "2026-11-23" || !strings.HasPrefix(said["规则簿"], "sha256:") || !strings.HasPrefix(said["日历"], "sha256:") || !strings.Contains(said["计算方法"], "账龄") || said["分组"] != "机构、责任人" {
		t.Errorf("about: %q", said)
	}
}

// A rate is a share that is shown in percent, and a report without one has an
// empty cell, not a zero.
func TestARateIsAShareOrEmpty(t *testing.T) {
	data := figuresStore(t)
	for _, c := range []struct{ from, raw, shown string }{{"2026-11-01", "0", "0.0%"}, {"2026-11-23", "", ""}} {
		out := run(t, data, "report", "ontime", "--from", c.from, "--branch", "B01", "--on", "2026-11-23", "-o", "xlsx")
		f, err := excelize.OpenReader(out)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := f.GetCellValue("按时率", "I2", excelize.Options{RawCellValue: true})
		shown, _ := f.GetCellValue("按时率", "I2")
		if raw != c.raw || shown != c.shown {
			t.Errorf("from %s: %q, shown as %q; want %q, %q", c.from, raw, shown, c.raw, c.shown)
		}
		f.Close()
	}
}

func atof(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func cellName(t *testing.T, column, row int) string {
	t.Helper()
	name, err := excelize.CoordinatesToCellName(column, row)
	if err != nil {
		t.Fatal(err)
	}
	return name
}
