package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"tickler/calendar"
)

// maxTitle is how many rows that are not blank may stand above a header.
const maxTitle = 50

// maxHeader is how many bytes of a cell are looked at for a header.
const maxHeader = 4096

// Read reads a file, whole or not at all: the error is an *Errors with every
// mistake that it holds.
func Read(name string, data []byte, opt Options) (*Snapshot, error) {
	digest := make(chan string, 1)
	go func() {
		sum := sha256.Sum256(data)
		digest <- "sha256:" + hex.EncodeToString(sum[:])
	}()
	name = base(name)
	f := &file{
		name: name, opt: opt,
		interned: map[string]string{}, lists: map[string][]string{},
		out:  &Snapshot{Name: name},
		seen: map[Kind]*seen{}, made: map[string]int{},
		merged: map[Kind]map[string]int{}, mergedAt: map[Kind]map[string]at{},
	}
	if bad := notALedger(name, data); bad != nil {
		f.errs.add(*bad)
	} else if bytes.HasPrefix(data, []byte("PK")) {
		f.readBook(data)
	} else {
		f.readText(data)
	}
	if f.errs.Count > 0 {
		return nil, &f.errs
	}
	out := f.out
	out.Digest = <-digest
	out.Loans.seal()
	switch {
	case !opt.DataDate.IsZero():
		out.DataDate = opt.DataDate
	case !f.dataDate.IsZero():
		out.DataDate = f.dataDate
	case opt.Mapping != nil:
		out.DataDate = opt.Mapping.DataDate
	}
	if !opt.Today.IsZero() && out.DataDate > opt.Today {
		out.Warnings = append(out.Warnings, Warning{Code: "date_in_future", Sheet: f.dataAt.sheet, Column: "数据日期", Count: 1,
			Text: Text{"数据日期 " + out.DataDate.String() + " 晚于今天 " + opt.Today.String(), "the data date " + out.DataDate.String() + " is after today, " + opt.Today.String()}})
	}
	return out, nil
}

// base is the last part of a path of this system or of Windows.
func base(name string) string {
	name = filepath.Base(name)
	if i := strings.LastIndexByte(name, '\\'); i >= 0 {
		name = name[i+1:]
	}
	return name
}

// notALedger refuses what cannot be one, by its first bytes rather than by its
// name.
func notALedger(name string, data []byte) *Problem {
	head := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(data[:min(len(data), 2048)], utf8BOM)))
	lower := strings.ToLower(name)
	switch {
	case len(bytes.TrimSpace(bytes.TrimPrefix(data, utf8BOM))) == 0:
		return &Problem{File: name, Want: Text{"文件是空的", "want a ledger, the file is empty"},
			Hint: Text{"重新导出", "export it again"}}
	case bytes.HasPrefix(data, []byte("\xD0\xCF\x11\xE0")):
		if bytes.Contains(data, []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")) {
			return &Problem{File: name, Want: Text{"工作簿有打开密码", "want a workbook without a password"},
				Hint: Text{"去掉密码，另存为 .xlsx", "remove the password and save it as .xlsx"}}
		}
		return &Problem{File: name, Want: Text{"旧版 .xls，请另存为 .xlsx", "want .xlsx, this is the old binary .xls (旧版 .xls，请另存为 .xlsx)"},
			Hint: Text{"在 Excel 或 WPS 中打开，另存为 Excel 工作簿 (.xlsx)", "open it in Excel or WPS and save it as an Excel workbook (.xlsx)"}}
	case bytes.HasPrefix(head, []byte("<")), bytes.HasPrefix(head, []byte("mime-version:")):
		return &Problem{File: name, Want: Text{"要 .xlsx 工作簿或 CSV，这是网页 (HTML 或 XML)，只是扩展名不同", "want an .xlsx workbook or a CSV, this is a web page (HTML or XML) under another name"},
			Hint: Text{"在 Excel 或 WPS 中打开，另存为 Excel 工作簿 (.xlsx)", "open it in Excel or WPS and save it as an Excel workbook (.xlsx)"}}
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return nil
	case strings.HasSuffix(lower, ".xlsx"), strings.HasSuffix(lower, ".xls"), strings.HasSuffix(lower, ".xlsm"):
		return &Problem{File: name, Want: Text{"要工作簿，这个文件不是工作簿", "want a workbook, this file is none"},
			Hint: Text{"若是文本，改名为 .csv；否则重新导出", "rename it to .csv if it is text, else export it again"}}
	}
	return nil
}

// readText reads a CSV.
func (f *file) readText(data []byte) {
	text, decode, gb, bad := textOf(f.name, data)
	if bad != nil {
		f.errs.add(*bad)
		return
	}
	f.decode, f.gb = decode, gb
	if f.opt.Sheet != "" {
		f.errs.add(Problem{File: f.name, Want: Text{"CSV 没有工作表，不能指定 " + f.opt.Sheet, "want no --sheet for a CSV, it has no sheets"}})
		return
	}
	var (
		best scan
		at   byte
	)
	for _, delim := range []byte{',', '\t', ';'} {
		s := f.find("", newCSVSource(text, delim))
		if s.found != nil || s.best.known > best.best.known || at == 0 {
			best, at = s, delim
		}
		if s.found != nil {
			break
		}
	}
	if best.found == nil {
		// A file in UTF-8 with one broken byte is not in GB18030: say so.
		if i := invalid(text); i >= 0 {
			f.decode, f.gb = utf8Text, false
			if s := f.find("", newCSVSource(text[:i], at)); s.found != nil || s.best.known > best.best.known {
				f.errs.add(*brokenUTF8(f.name, text, i))
				return
			}
		}
		f.noHeader("", best)
		return
	}
	if f.opens("", best.found) {
		f.rows("", best, newCSVSource(text, at), nil)
	}
}

// readBook reads a workbook.
func (f *file) readBook(data []byte) {
	f.book, f.decode = true, utf8Text
	w, err := openWorkbook(data)
	if err != nil {
		f.errs.add(Problem{File: f.name, Want: Text{"要 .xlsx 工作簿：" + err.Error(), "want an .xlsx workbook: " + err.Error()},
			Hint: Text{"在 Excel 或 WPS 中打开，另存为 .xlsx", "open it in Excel or WPS and save it as .xlsx"}})
		return
	}
	defer w.Close()
	f.date1904 = w.date1904()
	sheets := w.GetSheetList()
	if f.opt.Sheet != "" {
		ok := false
		for _, s := range sheets {
			ok = ok || s == f.opt.Sheet
		}
		if !ok {
			all := strings.Join(sheets, "、")
			f.errs.add(Problem{File: f.name, Want: Text{"没有工作表 " + f.opt.Sheet + "，有 " + all, "want a sheet of the workbook, it has no " + f.opt.Sheet + " but " + all}})
			return
		}
	}
	if w.sst != nil {
		if err := wellFormed(w.sst); err != nil {
			f.errs.add(broken(f.name, "", err))
			return
		}
	}
	var nearest scan
	nearestSheet := ""
	for _, s := range sheets {
		if f.opt.Sheet != "" && s != f.opt.Sheet {
			f.skip(s, "没有选中", "not the one chosen")
			continue
		}
		if found := f.readSheet(w, s); !found.failed && found.found == nil && (nearestSheet == "" || found.best.known > nearest.best.known) {
			nearest, nearestSheet = found, s
		}
	}
	for _, s := range f.out.Sheets {
		if s.Kind != "" {
			return
		}
	}
	if f.errs.Count == 0 {
		f.noHeader(nearestSheet, nearest)
	}
}

func broken(file, sheet string, err error) Problem {
	return Problem{File: file, Sheet: sheet, Want: Text{"要完好的工作簿，内容已损坏：" + err.Error(), "want a sound workbook, its contents are broken: " + err.Error()},
		Hint: Text{"在 Excel 或 WPS 中打开，另存为 .xlsx 再导入", "open it in Excel or WPS, save it as .xlsx and import that"}}
}

func (f *file) skip(sheet, zh, en string) {
	f.out.Sheets = append(f.out.Sheets, Sheet{Name: sheet, Why: Text{zh, en}})
}

// readSheet reads one sheet, or passes over it where it holds nothing of ours.
func (f *file) readSheet(w *workbook, sheet string) scan {
	part := w.parts[sheet]
	if part == nil {
		f.errs.add(broken(f.name, sheet, errNoPart))
		return scan{failed: true}
	}
	// A fault of the XML is all that is said of the sheet: what else was found
	// in it may be the fault's.
	before := f.errs
	before.Problems = slices.Clip(before.Problems)
	open := func() (bookSource, error) { return w.source(sheet) }
	var look *inspection
	if shared, ok := w.plain(); ok && isPlain(part, shared) {
		look = seenWhole()
		open = func() (bookSource, error) { return openPlain(part, shared, look.odd) }
	} else {
		look = inspect(part)
	}
	s, err := f.readCells(open, sheet, look)
	last, fault := look.finish()
	switch {
	case fault != nil:
		err = fault
	case err == nil && s.found != nil && !s.failed && s.last < last:
		err = errShort
	}
	if err != nil {
		f.errs = before
		f.errs.add(broken(f.name, sheet, err))
		s.failed = true
	}
	return s
}

// bookSource is the source of a sheet.
type bookSource interface {
	source
	reached() int // the row that was given last
	fault() error // what ended it before its end
	close() error
}

// readCells reads the cells of a sheet.
func (f *file) readCells(open func() (bookSource, error), sheet string, look *inspection) (scan, error) {
	src, err := open()
	if err != nil {
		return scan{}, err
	}
	s := f.find(sheet, src)
	if err = errors.Join(src.fault(), src.close()); err != nil {
		return s, err
	}
	switch {
	case s.found != nil:
	case s.rows == 0:
		f.skip(sheet, "空表", "empty")
		return s, nil
	case f.opt.Sheet != "" || hinted(sheet) != "" && s.best.known >= 2 || s.best.kind == KindLoan && loanish(s.best):
		// Meant to be read: to pass over it would lose what it holds.
		f.noHeader(sheet, s)
		s.failed = true
		return s, nil
	default:
		f.skip(sheet, "没有认得的表头", "no known header")
		return s, nil
	}
	if !f.opens(sheet, s.found) {
		s.failed = true
		return s, nil
	}
	if src, err = open(); err != nil {
		return s, err
	}
	f.rows(sheet, s, src, look)
	s.last = src.reached()
	return s, errors.Join(src.fault(), src.close())
}

type bookError string

func (e bookError) Error() string { return string(e) }

const (
	errNoPart bookError = "the sheet has no part"
	errShort  bookError = "the sheet ends before its last row"
)

// scan is what the search for a header came to.
type scan struct {
	found  *match
	best   match    // where nothing was found, the row that comes nearest
	rows   int      // rows looked at that are not blank
	first  []string // the first of them, for a message
	unit   int      // power of ten of the unit in a title row, 单位：万元; -1 without
	day    calendar.Date
	last   int  // row that was read
	failed bool // mistakes were reported already
}

// find looks for the header in the first rows of a sheet.
func (f *file) find(sheet string, src source) scan {
	s := scan{unit: -1}
	hint := sheet
	if !f.book {
		hint = strings.TrimSuffix(f.name, filepath.Ext(f.name))
	}
	var above []string // the row before, where it could be the upper half of a header
	var aboveKnown int
	for s.rows < maxTitle {
		cells, row, bad, ok := src.next()
		if !ok {
			break
		}
		if bad != nil {
			continue
		}
		texts := make([]string, len(cells))
		filled := 0
		for i, b := range cells {
			if len(b) > maxHeader {
				b = b[:maxHeader] // no header, and not worth a long look
			}
			texts[i], _ = f.decode(b)
			if texts[i] = trim(texts[i]); texts[i] != "" {
				filled++
			}
		}
		if filled == 0 {
			continue
		}
		s.rows++
		if len(s.first) < 3 {
			s.first = append(s.first, clip(strings.Join(notEmpty(texts), " ")))
		}
		found, best := matchRow(hint, texts, f.opt.Mapping)
		if aboveKnown >= 2 {
			// The header may take two rows, the upper one merged.
			if both, _ := matchRow(hint, lower(above, texts), f.opt.Mapping); both != nil && (found == nil || both.known > found.known) {
				found = both
			}
		}
		if found != nil {
			found.row = row
			s.found = found
			return s
		}
		if best.known > s.best.known {
			s.best, s.best.row = best, row
		}
		above, aboveKnown = texts, best.known
		f.title(&s, texts)
	}
	return s
}

// lower lays the lower row of a header over the upper.
func lower(above, below []string) []string {
	out := make([]string, max(len(above), len(below)))
	copy(out, above)
	for i, t := range below {
		if t != "" {
			out[i] = t
		}
	}
	return out
}

func notEmpty(texts []string) []string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

// title reads what a row above the header says of all rows: 单位：万元,
// 数据日期：2026-11-23.
func (f *file) title(s *scan, texts []string) {
	for i, t := range texts {
		t = squeeze(fold(t))
		if _, after, ok := strings.Cut(t, "单位:"); ok {
			for _, w := range []string{"人民币", "币种:"} {
				after = strings.TrimPrefix(after, w)
			}
			for _, w := range []string{"百万元", "亿元", "千元", "万元", "元"} {
				if strings.HasPrefix(after, w) {
					s.unit, _ = moneyPower(w)
					break
				}
			}
		}
		for _, w := range []string{"数据日期", "采集日期", "统计截止日期"} {
			_, after, ok := strings.Cut(t, w)
			if !ok {
				continue
			}
			if after = strings.TrimPrefix(after, ":"); after == "" && i+1 < len(texts) {
				after = squeeze(fold(texts[i+1]))
			}
			if d, want := parseDate([]byte(after + " ")[:len(after)], f.date1904); after != "" && want == nil {
				s.day = d
			}
		}
	}
}

// noHeader says why a sheet could not be read.
func (f *file) noHeader(sheet string, s scan) {
	p := Problem{File: f.name, Sheet: sheet}
	kind := KindLoan
	if s.best.known >= 2 {
		kind, p.Row = s.best.kind, s.best.row
	}
	var needed []string
	for i := range specs[kind] {
		if specs[kind][i].needed {
			needed = append(needed, specs[kind][i].name)
		}
	}
	name := titles[kind][0]
	first := strings.Join(s.first, " | ")
	if s.best.known >= 2 {
		p.Want = Text{name + "表的表头缺少 " + strings.Join(s.best.missing, "、"),
			"want the columns " + strings.Join(needed, ", ") + " of a " + string(kind) + " sheet, the header misses " + strings.Join(s.best.missing, ", ")}
		p.Hint = Text{"补上该列，或在映射文件 columns 中写明本行的列名", "add the column, or name this bank's own under columns in the mapping file"}
	} else {
		p.Want = Text{"没有找到表头，要有 " + strings.Join(needed, "、") + "；前几行是：" + first, "want a header with " + strings.Join(needed, ", ") + ", none was found; the first rows hold: " + first}
		p.Hint = Text{"检查文件和编码，或在映射文件 columns 中写明本行的列名", "see to the file and its encoding, or name this bank's columns under columns in the mapping file"}
	}
	f.errs.add(p)
}

// opens refuses a header on which two columns claim one field.
func (f *file) opens(sheet string, m *match) bool {
	for _, t := range m.twice {
		f.errs.add(Problem{File: f.name, Sheet: sheet, Row: m.row, Column: t.second, Cell: t.second,
			Want: Text{"每个字段只要一列，列 " + t.first + " 与列 " + t.second + " 都是 " + t.field, "want one column for each field, " + oneLine(t.first) + " and " + oneLine(t.second) + " both are " + t.field},
			Hint: Text{"在映射文件 ignore 中写明不用的一列", "name the one not to use under ignore in the mapping file"}})
	}
	return len(m.twice) == 0
}

// rows reads the rows below the header.
func (f *file) rows(sheet string, s scan, src source, look *inspection) {
	m := s.found
	power := s.unit
	if f.opt.Mapping != nil && f.opt.Mapping.Unit != "" {
		power, _ = moneyPower(f.opt.Mapping.Unit)
	}
	keys := map[string]int{}
	for i := range m.columns {
		c := &m.columns[i]
		if c.form.power < 0 {
			c.form.power = max(power, 0)
		}
		col := Column{Sheet: sheet, Header: c.header}
		switch {
		case c.spec != nil:
			if col.Field = c.spec.name; c.spec.unit == money {
				col.Unit = unitName(c.form.power)
			}
		case c.header == "":
			continue
		case !c.drop && m.kind != KindGroup && m.kind != KindStaff:
			col.Field = X
			k := c.key()
			if keys[k]++; keys[k] > 1 {
				c.header = k + " (" + itoa(keys[k]) + ")"
			}
		}
		f.out.Columns = append(f.out.Columns, col)
	}
	r := f.reader(sheet, m)
	r.look = look
	for {
		cells, row, bad, ok := src.next()
		if !ok {
			break
		}
		if row <= m.row {
			continue
		}
		if bad != nil {
			bad.File, bad.Sheet = f.name, sheet
			f.errs.add(*bad)
			continue
		}
		r.take(cells, row)
	}
	if r.rows == 0 && f.errs.Count == 0 {
		f.errs.add(Problem{File: f.name, Sheet: sheet, Row: m.row,
			Want: Text{"只有表头，没有数据", "want rows of data below the header, there are none"},
			Hint: Text{"重新导出", "export it again"}})
	}
	if f.dataDate.IsZero() && f.opt.DataDate.IsZero() && !s.day.IsZero() {
		f.dataDate, f.dataAt = s.day, at{sheet, 0}
	}
	f.out.Sheets = append(f.out.Sheets, Sheet{Name: sheet, Kind: m.kind, Header: m.row, Rows: r.rows})
	r.warn()
}
