package ledger

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"tickler/calendar"
	"tickler/loan"
)

// head is the least that a loan file needs, and a maturity.
const head = "借据号,客户名称,余额,发放日,到期日,五级分类,管理方式"

// rest fills the columns after 借据号.
const rest = ",甲公司,100.00,2026-01-05,2026-12-31,正常,常规"

func read(t *testing.T, name, text string, opt Options) *Snapshot {
	t.Helper()
	s, err := Read(name, []byte(text), opt)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return s
}

// refused gives the lines of the error.
func refused(t *testing.T, name string, data []byte, opt Options) []string {
	t.Helper()
	s, err := Read(name, data, opt)
	if err == nil {
		t.Fatalf("read %s: want an error, got %d loans", name, s.Loans.Len())
	}
	if s != nil {
		t.Fatalf("read %s: a file with a mistake gave facts", name)
	}
	return strings.Split(err.Error(), "\n")
}

func refusedLine(t *testing.T, text, want string) {
	t.Helper()
	got := refused(t, "a.csv", []byte(text), Options{})
	if len(got) != 1 || got[0] != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), want)
	}
}

func encoded(t *testing.T, e interface {
	Bytes([]byte) ([]byte, error)
}, s string) []byte {
	t.Helper()
	b, err := e.Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// book makes a workbook of sheets: name, then rows.
func book(t *testing.T, sheets ...any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i := 0; i < len(sheets); i += 2 {
		name := sheets[i].(string)
		if i == 0 {
			f.SetSheetName("Sheet1", name)
		} else {
			f.NewSheet(name)
		}
		for r, row := range sheets[i+1].([][]any) {
			if err := f.SetSheetRow(name, fmt.Sprintf("A%d", r+1), &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// row splits a line of CSV into cells of text.
func row(line string) []any {
	var out []any
	for _, c := range strings.Split(line, ",") {
		out = append(out, c)
	}
	return out
}

func TestEveryFieldOfALoan(t *testing.T) {
	text := "某某银行贷款台账,,\n\n" +
		"借据号,合同号,客户号,客户名称,机构,客户经理,产品,币种,发放金额,余额,发放日,到期日,原到期日,期限(月),展期次数,发放类型,五级分类,管理方式,担保方式,保证人,利率,结息方式,结息日,付息日,下次付息日,付费日,欠息,状态,数据日期,行业\n" +
		"JJ001,HT1,C1,\"甲,公司\",B1,S1,流贷,人民币,\"1,000.00\",800.5,2026/1/5,20271231,2026年12月31日,12,1,展期,关注,重点,保证, 乙 公司 、丙；丁,4.35%,按月,20,25,2026-12-21,2026-06-30；2026-03-31,12.34,正常,2026-11-23,批发\n" +
		"合计,,,,,,,,1000,800.5,,,,,,,,,,,,,,,,,,,,\n,,\n"
	s := read(t, "dir/a.csv", text, Options{})
	want := loan.Loan{
		ID: "JJ001", Contract: "HT1", Borrower: "C1", BorrowerName: "甲,公司", Branch: "B1", Officer: "S1", Product: "流贷", Currency: "人民币",
		Amount: 100000, Balance: 80050, Arrears: 1234,
		Disbursed: calendar.MustDate(2026, 1, 5), Maturity: calendar.MustDate(2027, 12, 31), OriginalMaturity: calendar.MustDate(2026, 12, 31),
		Extensions: 1, Origin: loan.OriginExtended, Class: loan.SpecialMention, Mode: loan.Key,
		Guarantee: "保证", Guarantors: []string{"乙 公司", "丙", "丁"}, Rate: "4.35%",
		Interest: loan.Schedule{Every: loan.SettleMonthly, SettleDay: 20, PayDay: 25},
		FeeDates: []calendar.Date{calendar.MustDate(2026, 3, 31), calendar.MustDate(2026, 6, 30)},
		Status:   "正常", X: map[string]string{"行业": "批发"},
	}
	if s.Loans.Len() != 1 || !reflect.DeepEqual(s.Loans.At(0), want) {
		t.Errorf("got  %+v\nwant %+v", s.Loans.All(), want)
	}
	if s.Name != "a.csv" || s.DataDate != calendar.MustDate(2026, 11, 23) || !strings.HasPrefix(s.Digest, "sha256:") {
		t.Errorf("got %s %s %s", s.Name, s.DataDate, s.Digest)
	}
	if len(s.Warnings) != 0 || s.Sheets[0] != (Sheet{Kind: KindLoan, Header: 3, Rows: 1}) {
		t.Errorf("got %v %v", s.Warnings, s.Sheets)
	}
	if c := s.Columns[len(s.Columns)-1]; c != (Column{Header: "行业", Field: X}) {
		t.Errorf("got %v", c)
	}
}

func TestEncodings(t *testing.T) {
	text := head + "\nJJ1,䶮𬭎公司,1,2026-01-05,2026-12-31,正常,常规\n"
	old := head + "\nJJ1,龙公司,1,2026-01-05,2026-12-31,正常,常规\n"
	utf16 := func(s string) []byte {
		return encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), s)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"UTF-8":               {[]byte(text), "䶮𬭎公司"},
		"UTF-8 with BOM":      {[]byte("\uFEFF" + text), "䶮𬭎公司"},
		"GB18030":             {encoded(t, simplifiedchinese.GB18030.NewEncoder(), text), "䶮𬭎公司"},
		"GBK, CRLF":           {encoded(t, simplifiedchinese.GBK.NewEncoder(), strings.ReplaceAll(old, "\n", "\r\n")), "龙公司"},
		"UTF-16":              {utf16(text), "䶮𬭎公司"},
		"UTF-16 with tabs":    {utf16(strings.ReplaceAll(text, ",", "\t")), "䶮𬭎公司"},
		"GBK with semicolons": {encoded(t, simplifiedchinese.GBK.NewEncoder(), strings.ReplaceAll(old, ",", ";")), "龙公司"},
		"line ends of old":    {[]byte(strings.ReplaceAll(text, "\n", "\r")), "䶮𬭎公司"},
	} {
		s, err := Read("a.csv", c.data, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if s.Loans.Len() != 1 || s.Loans.At(0).BorrowerName != c.want || s.Loans.At(0).Class != loan.Normal {
			t.Errorf("%s: got %+v", name, s.Loans.All())
		}
	}
}

func TestBrokenTextIsRefusedWithItsPlace(t *testing.T) {
	gb := encoded(t, simplifiedchinese.GB18030.NewEncoder(), head+"\nJJ1"+rest+"\nJJ2,甲")
	gb = append(gb, 0xFF, 0xFF)
	gb = append(gb, encoded(t, simplifiedchinese.GB18030.NewEncoder(), ",1,2026-01-05,2026-12-31,正常,常规\n")...)
	if got := refused(t, "a.csv", gb, Options{}); len(got) != 1 || !strings.HasPrefix(got[0], "a.csv:3 column \"客户名称\": ") {
		t.Errorf("got %s", got)
	}
	utf := []byte(head + "\nJJ1" + rest + "\nJJ2" + rest + "\n")
	utf[bytes.LastIndex(utf, []byte("甲"))+1] = 'x'
	if got := refused(t, "a.csv", utf, Options{}); len(got) != 1 || !strings.HasPrefix(got[0], "a.csv:3: want sound UTF-8") {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsNoLedgerIsRefused(t *testing.T) {
	ole := append([]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), make([]byte, 600)...)
	sealed := append(bytes.Clone(ole), "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00"...)
	for name, c := range map[string]struct{ data, want string }{
		"old.xls":    {string(ole), "旧版 .xls，请另存为 .xlsx"},
		"sealed.xls": {string(sealed), "password"},
		"web.xls":    {"<html><table><tr><td>借据号</td></tr></table></html>", "web page"},
		"web.xlsx":   {"\n <?xml version=\"1.0\"?><Workbook/>", "web page"},
		"empty.csv":  {"", "empty"},
		"blank.csv":  {"\uFEFF \r\n", "empty"},
		"text.xlsx":  {head + "\nJJ1" + rest, "want a workbook"},
		"zip.xlsx":   {"PK\x03\x04nothing", "want an .xlsx workbook"},
		"bin.csv":    {"a\x00b\x00c", "zero bytes"},
		"only.csv":   {head + "\n", "want rows of data"},
		"sum.csv":    {head + "\n合计,,100,,,,\n", "want rows of data"},
		"prose.csv":  {"天地玄黄\n宇宙洪荒\n", "the first rows hold: 天地玄黄 | 宇宙洪荒"},
	} {
		if got := refused(t, name, []byte(c.data), Options{}); len(got) != 1 || !strings.Contains(got[0], c.want) {
			t.Errorf("%s: got %s, want %q", name, got, c.want)
		}
	}
}

func TestMistakesSayWhereAndWhatToDo(t *testing.T) {
	refusedLine(t, head+"\nJJ1,甲,1,2026-01-05,2026-04-31,正常,常规\n",
		`a.csv:2 column "到期日": "2026-04-31": want a day that exists, there is no such day; correct the cell`)
	refusedLine(t, head+"\nJJ1,甲,1,2026-01-05,2026-12-31,坏账,常规\n",
		`a.csv:2 column "五级分类": "坏账": want 正常, 关注, 次级, 可疑, 损失, 1 to 5, or FQ01 to FQ05; if it is this bank's word, give it under values: 五级分类 in the mapping file`)
	refusedLine(t, head+"\nJJ1,甲,1,2026-01-05,2026-01-04,正常,常规\n",
		`a.csv:2 column "到期日": "2026-01-04": want a day not before the disbursement, 2026-01-05; correct the maturity or the disbursement`)
	refusedLine(t, head+"\nJJ1"+rest+"\n\nJJ1"+rest+"\n",
		`a.csv:4 column "借据号": "JJ1": want each 借据号 once, row 2 has it; delete one of the two rows`)
	refusedLine(t, head+"\n3.2E+17"+rest+"\n",
		`a.csv:2 column "借据号": "3.2E+17": want the whole number, its last digits are lost (精度已丢失); make the column text and export the numbers again`)
	refusedLine(t, head+"\n"+rest+"\n",
		`a.csv:2 column "借据号": "": want 借据号, the cell is empty; fill it in, or delete the row`)
	refusedLine(t, head+"\nJJ1,甲,-1,2026-01-05,2026-12-31,正常,常规\n",
		`a.csv:2 column "余额": "-1": want an amount that is not negative; correct the cell`)
	refusedLine(t, head+"\nJJ1,甲,乙,1,2026-01-05,2026-12-31,正常,常规\n",
		`a.csv:2: want 7 cells as in the header, this row has 8; a cell with a comma in it needs quotes`)
	refusedLine(t, head+"\nJJ1,\"甲\n公司\",1,2026-01-05,2026-12-31,正常,常规\nJJ2,甲\"乙\",1,2026-01-05,2026-12-31,正常,常规\n",
		`a.csv:4: want quotes around a whole cell, and those inside it doubled; see to the quotes of this row`)
	refusedLine(t, head+"\nJJ1"+rest+"\nJJ2,\"甲"+rest+"\nJJ3"+rest+"\n",
		`a.csv:3: want a closing quote, nothing below could be read; see to the quotes of this row`)
	refusedLine(t, "借据号,客户名称,到期日\nJJ1,甲,2026-12-31\n",
		`a.csv:1: want the columns 借据号, 客户名称, 余额, 发放日 of a loan sheet, the header misses 余额, 发放日; add the column, or name this bank's own under columns in the mapping file`)
	refusedLine(t, head+",到期日期\nJJ1"+rest+",2026-12-31\n",
		`a.csv:1 column "到期日期": "到期日期": want one column for each field, 到期日 and 到期日期 both are 到期日; name the one not to use under ignore in the mapping file`)
	refusedLine(t, head+",数据日期\nJJ1"+rest+",2026-11-20\nJJ2"+rest+",2026-11-23\n",
		`a.csv:3 column "数据日期": "2026-11-23": want one data date in a file, row 2 says 2026-11-20; split the file, or give --data-date`)
	refusedLine(t, head+"\nJJ1"+rest+"\n制表人：某,,,,,,\n",
		`a.csv:3 column "借据号": "制表人：某": want a whole row of data, this one has a single cell; delete the row if it is a note`)
	refusedLine(t, head+",结息方式\nJJ1"+rest+",按旬\n",
		`a.csv:2 column "结息方式": "按旬": want 按月, 按季, 按半年, 按年 or 利随本清; if it is this bank's word, give it under values: 结息方式 in the mapping file`)
}

func TestAnEmptyBalanceIsNoSettledLoan(t *testing.T) {
	refusedLine(t, head+",状态\nJJ1,甲公司,,2026-01-05,2026-12-31,正常,常规,正常\n",
		`a.csv:2 column "余额": "": want the balance; fill it in; 0 if the loan is settled`)
	refusedLine(t, head+",状态\nJJ1,甲公司,,2026-01-05,2026-12-31,正常,常规,未结清\n",
		`a.csv:2 column "余额": "": want the balance; fill it in; 0 if the loan is settled`)
	if s := read(t, "a.csv", head+"\nJJ1,甲公司,-,2026-01-05,2026-12-31,正常,常规\n", Options{}); s.Loans.At(0).Balance != 0 {
		t.Errorf("got %s", s.Loans.At(0).Balance)
	}
}

func TestIDsThatNoStoreCanKeep(t *testing.T) {
	long := strings.Repeat("J", 600)
	refusedLine(t, head+"\n"+long+rest+"\n", `a.csv:2 column "借据号": "`+long[:60]+`…": want at most 512 bytes; correct the cell`)
	refusedLine(t, head+"\nJJ1"+strings.Replace(rest, "甲公司", long, 1)+"\n", `a.csv:2 column "客户名称": "`+long[:60]+`…": want at most 512 bytes; correct the cell`)
	refusedLine(t, head+"\nJ\x1b[31mJ"+rest+"\n", `a.csv:2 column "借据号": "J\x1b[31mJ": want an id without line breaks and control characters; correct the cell`)
}

// A cell may hold megabytes; a minute went by when every header's name was
// looked for in all of them.
func TestAGiantCellAboveTheHeaderTakesNoTime(t *testing.T) {
	start := time.Now()
	giant := strings.Repeat("余", 20<<20/3)
	if s := read(t, "a.csv", giant+"\n"+head+"\nJJ1"+rest+"\n", Options{}); s.Loans.Len() != 1 {
		t.Errorf("got %d loans", s.Loans.Len())
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("it took %s", d)
	}
}

func TestNamesHoldNoControlCharacters(t *testing.T) {
	s := read(t, "a.csv", head+",保证人\nJJ1"+strings.Replace(rest, "甲公司", "\"\x1b[2J甲\n公司\"", 1)+",乙\x07、丙\n", Options{})
	if l := s.Loans.At(0); l.BorrowerName != "[2J甲\n公司" || fmt.Sprint(l.Guarantors) != "[乙 丙]" {
		t.Errorf("got %q %q", l.BorrowerName, l.Guarantors)
	}
}

func TestTheEndMarkOfOldHosts(t *testing.T) {
	if s := read(t, "a.csv", head+"\r\nJJ1"+rest+"\r\n\x1a", Options{}); s.Loans.Len() != 1 {
		t.Errorf("got %d loans", s.Loans.Len())
	}
}

func TestErrorsComeInChinese(t *testing.T) {
	_, err := Read("a.csv", []byte(head+"\nJJ1,甲,1,2026-01-05,2026-04-31,正常,常规\n"), Options{})
	want := `a.csv:2 列 "到期日": "2026-04-31": 要日历上有的日子，没有这一天；改正该单元格`
	if got := err.(*Errors).In("zh"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAllMistakesAtOnceTheFirstHundredShown(t *testing.T) {
	var b strings.Builder
	b.WriteString(head + "\n")
	for i := range 130 {
		fmt.Fprintf(&b, "JJ%d,甲,1,2026-01-05,2026-04-31,正常,常规\n", i)
	}
	got := refused(t, "a.csv", []byte(b.String()), Options{})
	if len(got) != 101 || got[100] != "and 30 more" {
		t.Errorf("got %d lines, the last %q", len(got), got[len(got)-1])
	}
}

func TestMissingModeAndClassAreReadLaxlyWithAWarning(t *testing.T) {
	s := read(t, "a.csv", "借据号,客户名称,余额,发放日,五级分类,状态\nJJ1,甲,,2026-01-05,关注,已结清\nJJ2,甲,1,2026-01-05,,\n", Options{})
	if l := s.Loans.At(1); l.Mode != loan.Regular || l.Class != loan.Normal || l.Borrower != "甲" {
		t.Errorf("got %+v", l)
	}
	got := map[string]int{}
	for _, w := range s.Warnings {
		got[w.Code] = w.Count
	}
	if want := map[string]int{"mode_default": 2, "class_default": 1, "no_maturity": 2, "balance_empty": 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// one reads a file of one loan, given extra columns.
func one(t *testing.T, columns, cells string) loan.Loan {
	t.Helper()
	s := read(t, "a.csv", "借据号,客户名称,余额,发放日,"+columns+"\nJJ1,甲,1,2026-01-31,"+cells+"\n", Options{})
	return s.Loans.At(0)
}

func TestMaturity(t *testing.T) {
	for _, c := range []struct{ columns, cells, maturity, original string }{
		{"到期日", "2026-12-31", "2026-12-31", ""},
		{"到期日", "2026-01-31", "2026-01-31", ""},
		{"到期日", "99991231", "", ""},
		{"期限(月)", "1", "2026-02-28", ""},
		{"期限（个月）", "13", "2027-02-28", ""},
		{"到期日,期限", "2026-12-31,3", "2026-12-31", ""},
		{"到期日,期限(天)", "2026-12-31,90", "2026-12-31", ""},
		{"到期日,展期到期日", "2026-12-31,2027-06-30", "2027-06-30", "2026-12-31"},
		{"到期日,展期到期日", "2026-12-31,", "2026-12-31", ""},
		{"到期日,展期到期日,原到期日", "2026-12-31,2027-06-30,2026-10-31", "2027-06-30", "2026-10-31"},
		{"合同到期日", "2026-12-31", "2026-12-31", ""},
		{"合同到期日,借据到期日", "2028-12-31,2026-12-31", "2026-12-31", ""},
		{"借据到期日,合同到期日", "2026-12-31,2028-12-31", "2026-12-31", ""},
	} {
		l := one(t, c.columns, c.cells)
		if l.Maturity.String() != c.maturity || l.OriginalMaturity.String() != c.original {
			t.Errorf("%s %s: got %s %s", c.columns, c.cells, l.Maturity, l.OriginalMaturity)
		}
	}
	if l := one(t, "合同到期日,借据到期日", "2028-12-31,2026-12-31"); l.X["合同到期日"] != "2028-12-31" {
		t.Errorf("合同到期日 beside 借据到期日 is kept as it is: got %v", l.X)
	}
	if l := one(t, "合同金额,发放金额", "9,5"); l.Amount != 500 || l.X["合同金额"] != "9" {
		t.Errorf("合同金额 beside 发放金额: got %+v", l)
	}
}

func TestWords(t *testing.T) {
	for cell, want := range map[string]loan.Class{"正常": loan.Normal, "正常类": loan.Normal, "1": loan.Normal, "２": loan.SpecialMention, "FQ03": loan.Substandard, "fq04": loan.Doubtful, " 损失 ": loan.Loss, "5.0": loan.Loss} {
		if l := one(t, "五级分类", cell); l.Class != want {
			t.Errorf("class %q: got %s", cell, l.Class)
		}
	}
	for cell, want := range map[string]loan.Settlement{"按月": loan.SettleMonthly, "季": loan.SettleQuarterly, "按季结息": loan.SettleQuarterly, "半年": loan.SettleHalfYearly, "按年": loan.SettleYearly, "到期一次还本付息": loan.SettleAtMaturity, "一次性还本付息": loan.SettleAtMaturity, "": ""} {
		if l := one(t, "结息方式", cell); l.Interest.Every != want {
			t.Errorf("结息方式 %q: got %s", cell, l.Interest.Every)
		}
	}
	for cell, want := range map[string]loan.Origin{"新发放": loan.OriginNew, "借新还旧": loan.OriginRefinanced, "重组": loan.OriginRestructured, "展期": loan.OriginExtended, "": loan.OriginUnknown} {
		if l := one(t, "发放类型", cell); l.Origin != want {
			t.Errorf("发放类型 %q: got %s", cell, l.Origin)
		}
	}
	for cell, want := range map[string]int{"2": 2, "2.0": 2, "1次": 1, "": 0} {
		if l := one(t, "展期次数", cell); l.Extensions != want {
			t.Errorf("展期次数 %q: got %d", cell, l.Extensions)
		}
	}
	if one(t, "是否展期", "是").Extensions != 1 || one(t, "是否展期", "否").Extensions != 0 {
		t.Error("是否展期 is a number of times")
	}
}

func TestInterestColumns(t *testing.T) {
	d := calendar.MustDate
	for _, c := range []struct {
		columns, cells string
		want           loan.Schedule
	}{
		{"结息日", "20", loan.Schedule{SettleDay: 20}},
		{"结息日", "每月20日", loan.Schedule{SettleDay: 20}},
		{"结息日", "月末", loan.Schedule{SettleDay: 31}},
		{"结息日", "2026-03-15", loan.Schedule{SettleDay: 15}},
		{"付息日", "21", loan.Schedule{PayDay: 21}},
		{"付息日", "2026-03-21", loan.Schedule{PayDate: d(2026, 3, 21)}},
		{"下次付息日", "2026-03-21", loan.Schedule{PayDate: d(2026, 3, 21)}},
		{"下次付息日,结息日", "2026-03-21,20", loan.Schedule{SettleDay: 20}},
		{"下次付息日,付息日", "2026-03-21,25", loan.Schedule{PayDay: 25}},
	} {
		if l := one(t, c.columns, c.cells); l.Interest != c.want {
			t.Errorf("%s %s: got %+v", c.columns, c.cells, l.Interest)
		}
	}
}

func TestGuarantorsOfTheLoansRow(t *testing.T) {
	for cell, want := range map[string][]string{
		"乙公司":               {"乙公司"},
		"乙、丙；丁;戊":           {"乙", "丙", "丁", "戊"},
		" A  B Ltd 、 乙 ":    {"A  B Ltd", "乙"},
		"\"A, Inc.、乙，丙公司\"": {"A, Inc.", "乙，丙公司"},
		"乙、乙、":              {"乙"},
		"":                  nil,
	} {
		if l := one(t, "保证人", cell); !reflect.DeepEqual(l.Guarantors, want) {
			t.Errorf("%q: got %q", cell, l.Guarantors)
		}
	}
}

func TestHeadersAreKnownByEveryName(t *testing.T) {
	for _, kind := range kinds {
		for i := range specs[kind] {
			f := &specs[kind][i]
			for _, name := range strings.Fields(f.name + " " + f.aliases + " " + f.fallback) {
				for _, header := range []string{name, " " + name + "\n", "*" + name, name + "（必填）", strings.ToLower(name)} {
					p, _, ok := vocabularies()[kind].find(kind, header)
					if !ok || p.field != i {
						t.Errorf("%s: header %q is not known as %s", kind, header, f.name)
					}
				}
			}
		}
	}
	for header, want := range map[string]string{
		"贷款余额（元）": "余额 0", "借据余额（折合人民币）": "余额 0", "余额(万元)": "余额 4", "余额万元": "余额 4", "余 额\n（单位：万元）": "余额 4", "余额[亿元]": "余额 8",
		"余额(美元)": "", "余额占比(%)": "",
		"到期日（yyyymmdd）": "到期日 -1", "到期日(合同)": "", "贷款到期日（期）": "到期日 -1", "贷款（实际）发放日期": "发放日 -1", "贷款(实际)发放日期": "发放日 -1", "起始日期": "发放日 -1", "借据起期": "发放日 -1",
		"期限月": "期限(月) -1", "期限（月）": "期限(月) -1", "贷款期限(年)": "", "期限(天)": "",
		"利率(%)": "利率 -1", "利率％": "利率 -1", "身份证号(码)": "", "客户经理（工号）": "客户经理 -1", "管理方式(常规|重点)": "管理方式 -1",
	} {
		got := ""
		if p, power, ok := vocabularies()[KindLoan].find(KindLoan, header); ok {
			got = fmt.Sprint(specs[KindLoan][p.field].name, " ", power)
		}
		if got != want {
			t.Errorf("header %q: got %q, want %q", header, got, want)
		}
	}
}

func TestUnits(t *testing.T) {
	s := read(t, "a.csv", "借据号,客户名称,余额(万元),发放金额,发放日\nJJ1,甲,1.5,2,2026-01-05\n", Options{})
	if l := s.Loans.At(0); l.Balance != 1500000 || l.Amount != 200 {
		t.Errorf("got %s %s", l.Balance, l.Amount)
	}
	s = read(t, "a.csv", "台账,,单位：万元,,\n借据号,客户名称,余额,发放金额（元）,发放日\nJJ1,甲,1.5,2,2026-01-05\n", Options{})
	if l := s.Loans.At(0); l.Balance != 1500000 || l.Amount != 200 {
		t.Errorf("a unit above the header: got %s %s", l.Balance, l.Amount)
	}
	s = read(t, "a.csv", "借据号,客户名称,余额,发放日\nJJ1,甲,1.005,2026-01-05\n", Options{})
	if w := s.Warnings[len(s.Warnings)-1]; s.Loans.At(0).Balance != 101 || w.Code != "amount_rounded" || w.Column != "余额" || w.Count != 1 {
		t.Errorf("got %s %v", s.Loans.At(0).Balance, w)
	}
}

func TestTitlesTotalsAndRepeatedHeaders(t *testing.T) {
	s := read(t, "a.csv", "某行台账\n数据日期：2026年11月23日,,\n\n"+head+"\nJJ1"+rest+"\n小计：1笔,,100,,,,\n"+head+"\nJJ2"+rest+"\n,某支行小计,100,,,,\n合 计,,200,,,,\n,,,,,,\n", Options{})
	if s.Loans.Len() != 2 || s.DataDate != calendar.MustDate(2026, 11, 23) {
		t.Errorf("got %d loans of %s", s.Loans.Len(), s.DataDate)
	}
	refusedLine(t, head+"\n,合计,1,2026-01-05,2026-12-31,正常,常规\n",
		`a.csv:2 column "借据号": "": want 借据号, the cell is empty; fill it in, or delete the row`)
}

func TestTextCellsOfExcel(t *testing.T) {
	s := read(t, "a.csv", head+"\n=\"0012\""+rest+"\n\"=\"\"0013\"\"\""+rest+"\n'0014"+rest+"\n", Options{})
	if got := []string{s.Loans.At(0).ID, s.Loans.At(1).ID, s.Loans.At(2).ID}; !reflect.DeepEqual(got, []string{"0012", "0013", "'0014"}) {
		t.Errorf("got %q", got)
	}
}

func TestDataDateOfTheOptionsWins(t *testing.T) {
	d := calendar.MustDate
	text := head + ",数据日期\nJJ1" + rest + ",2026-11-20\nJJ2" + rest + ",2026-11-21\n"
	if s := read(t, "a.csv", text, Options{DataDate: d(2026, 11, 23)}); s.DataDate != d(2026, 11, 23) {
		t.Errorf("got %s", s.DataDate)
	}
	s := read(t, "a.csv", head+"\nJJ1"+rest+"\n", Options{})
	if !s.DataDate.IsZero() {
		t.Errorf("got %s", s.DataDate)
	}
	s = read(t, "a.csv", head+"\nJJ1"+rest+"\n", Options{Mapping: &Mapping{DataDate: d(2026, 11, 1)}, Today: d(2026, 10, 1)})
	if s.DataDate != d(2026, 11, 1) || s.Warnings[0].Code != "date_in_future" {
		t.Errorf("got %s %v", s.DataDate, s.Warnings)
	}
}

// What was read in the laxest way can be told later, loan by loan.
func TestAssumedFieldsAreMarked(t *testing.T) {
	s := read(t, "a.csv", "借据号,客户名称,余额,发放日,到期日,五级分类,管理方式\nJJ1,甲,1,2026-01-05,2026-12-31,正常,常规\nJJ2,甲,1,2026-01-05,2026-12-31,正常,\nJJ3,甲,1,2026-01-05,2026-12-31,,重点\n", Options{})
	want := []map[string]string{nil, {loan.ColumnMode: loan.Assumed}, {loan.ColumnClass: loan.Assumed}}
	for i := range s.Loans.Len() {
		if !reflect.DeepEqual(s.Loans.At(i).X, want[i]) {
			t.Errorf("%s: %v, want %v", s.Loans.At(i).ID, s.Loans.At(i).X, want[i])
		}
	}
}

// An exposure of 0 is known; an empty cell is not.
func TestAnExposureOfNothingIsKnown(t *testing.T) {
	s := read(t, "客户.csv", "客户号,客户名称,风险经理,敞口\nC1,甲,S2,0.00\nC2,乙,S2,\nC3,丙,S2,5\n", Options{})
	want := []map[string]string{{"敞口": "0"}, nil, nil}
	for i := range s.Borrowers {
		if !reflect.DeepEqual(s.Borrowers[i].X, want[i]) {
			t.Errorf("%s: %v, want %v", s.Borrowers[i].ID, s.Borrowers[i].X, want[i])
		}
	}
}

func TestMappingOfColumnsValuesAndUnit(t *testing.T) {
	m, err := ParseMapping("mapping.yaml", []byte("columns: {我行借据码: 借据号, 贷款到期日: 到期日}\nignore: [客户名]\nvalues: {五级分类: {A: 正常, 乙: 关注, 无: ''}}\nunit: 万元\n"))
	if err != nil {
		t.Fatal(err)
	}
	text := "我行借据码,客户名称,客户名,余额,发放日,到期日,贷款到期日,五级分类\nJJ1,甲,x,1,2026-01-05,2026-06-30,2026-12-31,A\nJJ2,甲,x,1,2026-01-05,2026-06-30,2026-12-31,乙\nJJ3,甲,x,1,2026-01-05,,2026-12-31,无\n"
	for _, data := range [][]byte{[]byte(text), encoded(t, simplifiedchinese.GBK.NewEncoder(), text)} {
		s, err := Read("a.csv", data, Options{Mapping: m})
		if err != nil {
			t.Fatal(err)
		}
		l := s.Loans.At(0)
		if l.Maturity != calendar.MustDate(2026, 12, 31) || l.Balance != 1000000 || l.Class != loan.Normal ||
			s.Loans.At(1).Class != loan.SpecialMention || s.Loans.At(2).Class != loan.Normal || !reflect.DeepEqual(l.X, map[string]string{"到期日": "2026-06-30", "管理方式": loan.Assumed}) {
			t.Errorf("got %+v", s.Loans.All())
		}
	}
}

func TestWorkbookOfEveryKind(t *testing.T) {
	data := book(t,
		"说明", [][]any{{"本表由系统导出"}},
		"借据", [][]any{{"某行台账"}, {}, row("借据号,客户号,客户名称,余额,发放日,到期日,五级分类,管理方式,行业代码,数据日期"),
			{1000146010, "C1", "甲", 240886.42, 46112, 46387.5, 1, "常规", 110, "2026-11-23"},
			{"JJ2", "C2", "乙", "1,000.00", "2026/1/5", 2958465, "FQ02", "重点", nil, 46349}, {"合计", nil, nil, 241886.42}},
		"客户", [][]any{row("客户号,客户名称,证件号码,管理方式,集团号,库存,风险经理,地址"), row("C1,甲,91110000,重点,G1,12.5,S9,某路")},
		"保证人", [][]any{row("借据号,保证人,证件号码,保证金额,保证期间止"), row("JJ2,丙公司,,100,2029-12-31"), row("JJ2,丁,110,,")},
		"抵质押物", [][]any{row("押品号,借据号,名称,评估价值,评估日"), row("Y1,JJ2,厂房,500,2026-01-01"), row("Y1,1000146010,厂房,500,2026-01-01")},
		"集团", [][]any{row("集团号,集团名称,成员客户号,成员行,角色"), row("G1,甲集团,C1,B1,牵头行"), row("G1,甲集团,C2,B2,参与行")},
		"机构", [][]any{row("机构号,机构名称,上级机构,级别,开业日,上次督导日"), row("B1,某支行,B0,支行,2010-05-01,")},
		"人员", [][]any{row("工号,姓名,机构,岗位,邮箱,手机,系统用户"), {"0007", "张", "B1", "客户经理", "z@example.com", 13800000000, "zhang"}},
		"事件", [][]any{row("事件,对象,日期,编号,期间,地点"), row("worklog.submitted,borrower/C1,2026-11-20,,2026-11,现场"), row("worklog.submitted,borrower/C1,2026-11-20,,2026-11,现场"), row("inspection.onsite,loan/JJ2,2026-11-21,E9,,")},
	)
	s, err := Read("a.xlsx", data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := calendar.MustDate
	if s.Loans.Len() != 2 || s.Loans.At(0).ID != "1000146010" || s.Loans.At(0).Balance != 24088642 || s.Loans.At(0).Disbursed != d(2026, 3, 31) ||
		s.Loans.At(0).Maturity != d(2026, 12, 31) || s.Loans.At(0).X["行业代码"] != "110" || !s.Loans.At(1).Maturity.IsZero() || s.DataDate != d(2026, 11, 23) {
		t.Errorf("loans: got %+v", s.Loans.All())
	}
	for _, c := range []struct{ got, want any }{
		{s.Borrowers, []loan.Borrower{{ID: "C1", Name: "甲", Certificate: "91110000", Mode: loan.Key, Group: "G1", Stock: 1250, RiskManager: "S9", X: map[string]string{"地址": "某路"}}}},
		{s.Guarantors, []loan.Guarantor{{Loan: "JJ2", ID: "丙公司", Name: "丙公司", Amount: 10000, PeriodUntil: d(2029, 12, 31)}, {Loan: "JJ2", ID: "110", Name: "丁"}}},
		{s.Collaterals, []loan.Collateral{{ID: "Y1", Loans: []string{"1000146010", "JJ2"}, Name: "厂房", Value: 50000, Valued: d(2026, 1, 1)}}},
		{s.Groups, []loan.Group{{ID: "G1", Name: "甲集团", Members: []loan.GroupMember{{Borrower: "C1", Branch: "B1", Lead: true}, {Borrower: "C2", Branch: "B2"}}}}},
		{s.Branches, []loan.Branch{{ID: "B1", Name: "某支行", Parent: "B0", Level: "支行", Opened: d(2010, 5, 1)}}},
		{s.Staff, []loan.Staff{{ID: "0007", Name: "张", Branch: "B1", Post: "客户经理", Email: "z@example.com", Mobile: "13800000000", OSUser: "zhang"}}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("got  %+v\nwant %+v", c.got, c.want)
		}
	}
	again, err := Read("b.xlsx", data, Options{})
	if err != nil || !reflect.DeepEqual(again.Events, s.Events) {
		t.Error("the same file again gives other events")
	}
	if len(s.Events) != 3 || s.Events[1].ID != s.Events[0].ID+"-2" || s.Events[2].ID != "E9" || s.Events[0].Fields["地点"] != "现场" || s.Events[0].Period != "2026-11" {
		t.Errorf("events: got %+v", s.Events)
	}
	if s.Sheets[0].Kind != "" || s.Sheets[0].Why.EN != "no known header" || s.Sheets[1].Kind != KindLoan || s.Sheets[1].Header != 3 {
		t.Errorf("sheets: got %+v", s.Sheets)
	}
	only, err := Read("a.xlsx", data, Options{Sheet: "机构"})
	if err != nil || len(only.Branches) != 1 || only.Loans.Len() != 0 {
		t.Errorf("one sheet: got %+v %v", only, err)
	}
}

// edit changes one part of a workbook.
func edit(t *testing.T, data []byte, part string, change func(string) string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		r, _ := f.Open()
		b, _ := io.ReadAll(r)
		if f.Name == part {
			b = []byte(change(string(b)))
		}
		p, _ := w.Create(f.Name)
		p.Write(b)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestNumbersThatWereIdentifiers(t *testing.T) {
	sheet := func(id any) []byte {
		return book(t, "借据", [][]any{row(head), append([]any{id}, row(rest[1:])...)})
	}
	for _, id := range []any{int64(320102199001011234), 3.2e17, "3.2E+17"} {
		got := refused(t, "a.xlsx", sheet(id), Options{})
		if len(got) != 1 || !strings.HasPrefix(got[0], "a.xlsx:借据:2 column \"借据号\"") || !strings.Contains(got[0], "精度已丢失") {
			t.Errorf("%v: got %s", id, got)
		}
	}
	for _, c := range []struct {
		id   any
		want string
	}{{"320102199001011234", "320102199001011234"}, {123456789012345, "123456789012345"}, {"00012", "00012"}} {
		s, err := Read("a.xlsx", sheet(c.id), Options{})
		if err != nil || s.Loans.At(0).ID != c.want {
			t.Errorf("%v: got %+v %v", c.id, s, err)
		}
	}
}

func TestWorkbooksThatExcelizeReadsInSilence(t *testing.T) {
	good := book(t, "借据", [][]any{row(head), row("JJ1" + rest), row("JJ2" + rest), row("JJ3" + rest)})
	const part = "xl/worksheets/sheet1.xml"
	// A control character ends the XML for excelize: the rows below are lost.
	broken := edit(t, good, part, func(s string) string {
		i := strings.Index(s, `<row r="3"`)
		return s[:i] + "\x0b" + s[i:]
	})
	if got := refused(t, "a.xlsx", broken, Options{}); !strings.Contains(got[0], "want a sound workbook") {
		t.Errorf("broken XML: got %s", got)
	}
	cut := edit(t, good, part, func(s string) string { return s[:strings.Index(s, `<row r="3"`)] })
	if got := refused(t, "a.xlsx", cut, Options{}); !strings.Contains(got[0], "want a sound workbook") {
		t.Errorf("cut XML: got %s", got)
	}
	formula := edit(t, good, part, func(s string) string {
		i := strings.Index(s, `<c r="E3"`)
		j := i + strings.Index(s[i:], `</c>`)
		return s[:i] + `<c r="E3"><f>EDATE(D3,12)</f>` + s[j:]
	})
	if got := refused(t, "a.xlsx", formula, Options{}); len(got) != 1 || !strings.HasPrefix(got[0], `a.xlsx:借据:3 column "到期日": "": want the value of the formula`) {
		t.Errorf("formula: got %s", got)
	}
	failed := edit(t, good, part, func(s string) string {
		i := strings.Index(s, `<c r="E3"`)
		j := i + strings.Index(s[i:], `</c>`)
		return s[:i] + `<c r="E3" t="e"><f>X</f><v>#N/A</v>` + s[j:]
	})
	if got := refused(t, "a.xlsx", failed, Options{}); len(got) != 1 || !strings.HasPrefix(got[0], `a.xlsx:借据:3 column "到期日": "#N/A": want a value`) {
		t.Errorf("error value: got %s", got)
	}
	if s, err := Read("a.xlsx", good, Options{}); err != nil || s.Loans.Len() != 3 {
		t.Errorf("the sound one: got %v", err)
	}
}

func TestDaysCountedFrom1904(t *testing.T) {
	f := excelize.NewFile()
	yes := true
	if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}); err != nil {
		t.Fatal(err)
	}
	for i, r := range [][]any{row("借据号,客户名称,余额,发放日"), {"JJ1", "甲", 1, 44925}} {
		f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &r)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	s, err := Read("a.xlsx", b.Bytes(), Options{})
	if err != nil || s.Loans.At(0).Disbursed != calendar.MustDate(2026, 12, 31) {
		t.Errorf("got %+v %v", s, err)
	}
}

func TestLoanSheetsAreNeverPassedOver(t *testing.T) {
	loans := [][]any{row(head), row("JJ1" + rest)}
	for name, sheet := range map[string][][]any{
		"二月":   {row("借据号,客户名称,发放日,到期日"), row("JJ2,甲,2026-01-05,2026-12-31")},
		"客户明细": {row("借据号,客户号,客户名称,发放日,到期日"), row("JJ2,C1,甲,2026-01-05,2026-12-31")},
		"担保人":  {row("借据号,保证人,客户名称,发放日,到期日,发放金额"), row("JJ2,乙,甲,2026-01-05,2026-12-31,1")},
		"台账二":  {row("编码,客户名称,余额"), row("JJ2,甲,1")},
	} {
		data := book(t, "借据", loans, name, sheet)
		if s, err := Read("a.xlsx", data, Options{}); name != "担保人" && err == nil {
			t.Errorf("%s: read as %+v", name, s.Sheets)
		}
	}
	if got := refused(t, "a.xlsx", book(t, "借据", loans, "借据2", loans), Options{}); len(got) != 1 ||
		got[0] != `a.xlsx:借据2:2 column "借据号": "JJ1": want each 借据号 once, row 2 of sheet 借据 has it; delete one of the two rows` {
		t.Errorf("one loan on two sheets: got %s", got)
	}
	s, err := Read("a.xlsx", book(t, "借据", loans, "汇总", [][]any{row("机构,余额,户数"), row("B1,100,3")}), Options{})
	if err != nil || s.Sheets[1].Kind != "" {
		t.Errorf("a summary is passed over: got %v", err)
	}
}

func TestHeaderOfTwoRows(t *testing.T) {
	s := read(t, "a.csv", "借据号,客户信息,,余额,发放日\n,客户号,客户名称,,\nJJ1,C1,甲,1,2026-01-05\n", Options{})
	if s.Loans.Len() != 1 || s.Loans.At(0).Borrower != "C1" || s.Sheets[0].Header != 2 {
		t.Errorf("got %+v", s)
	}
}

func TestBranchInAFileNameMakesNoBranches(t *testing.T) {
	s := read(t, "branch-2026-11-20.csv", "借据号,客户名称,机构号,机构代号,余额,发放日\nJJ1,甲,B1,x,1,2026-01-05\n", Options{})
	if s.Loans.Len() != 1 || len(s.Branches) != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestZipBombIsRefused(t *testing.T) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	// Its own directory says what it would unpack to.
	if _, err := w.CreateRaw(&zip.FileHeader{Name: "xl/media/1.bin", Method: zip.Deflate, UncompressedSize64: 2 << 30}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got := refused(t, "a.xlsx", out.Bytes(), Options{}); !strings.Contains(got[0], "unzip size") {
		t.Errorf("got %s", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(head + "\nJJ1" + rest + "\n"))
	f.Add([]byte("借据号;客户名称;余额(万元);发放日\n=\"1\";\"甲\"\"\n\";1.5;46387\n合计;;;\n"))
	f.Add([]byte("事件,对象,日期\nworklog.submitted,loan/1,2026-01-01\n"))
	f.Add([]byte("\xFF\xFEa\x00,\x00"))
	gb, _ := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(head + "\nJJ1" + rest + "\n"))
	f.Add(gb)
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte("PK")) {
			return
		}
		s, err := Read("a.csv", data, Options{})
		if (s == nil) == (err == nil) {
			t.Fatal("want facts or mistakes, not both, not neither")
		}
		if err != nil {
			_ = err.(*Errors).In("zh")
			return
		}
		seen := map[string]bool{}
		for i := range s.Loans.Len() {
			l := s.Loans.At(i)
			if l.ID == "" || seen[l.ID] || l.Disbursed.IsZero() || l.Class == "" || l.Mode == "" || l.Balance < 0 ||
				(!l.Maturity.IsZero() && l.Maturity < l.Disbursed) {
				t.Fatalf("a loan that should not be: %+v", l)
			}
			seen[l.ID] = true
		}
	})
}

func TestRowsOfANumberAlone(t *testing.T) {
	s := read(t, "a.csv", "工号,姓名,机构\n0001,,\n", Options{})
	if len(s.Staff) != 1 || s.Staff[0].ID != "0001" {
		t.Errorf("got %+v", s.Staff)
	}
}

func TestOddCellsAreFoundFarDown(t *testing.T) {
	rows := [][]any{row(head)}
	for i := range 1000 {
		rows = append(rows, row(fmt.Sprintf("JJ%d", i)+rest))
	}
	rows[700][0] = int64(320102199001011234)
	got := refused(t, "a.xlsx", book(t, "借据", rows), Options{})
	if len(got) != 1 || !strings.HasPrefix(got[0], `a.xlsx:借据:701 column "借据号": "320102199001011234": want the whole number`) {
		t.Errorf("got %s", got)
	}
	broken := edit(t, book(t, "说明", [][]any{{"本表由系统导出"}, {"x"}}, "借据", rows[:3]), "xl/worksheets/sheet1.xml", func(s string) string {
		return strings.Replace(s, `<row r="2"`, "\x0b"+`<row r="2"`, 1)
	})
	if got := refused(t, "a.xlsx", broken, Options{}); len(got) != 1 || !strings.HasPrefix(got[0], "a.xlsx:说明: want a sound workbook") {
		t.Errorf("a broken sheet that would be passed over: got %s", got)
	}
}
