package ledger

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"tickler/calendar"
)

// benchHeader is that of a core system's export: twenty columns.
var benchHeader = strings.Split("借据号,合同号,客户号,客户名称,机构,客户经理,产品,币种,发放金额,余额,发放日,到期日,五级分类,管理方式,担保方式,利率,结息方式,欠息,状态,数据日期", ",")

// benchRow is the i-th row of a ledger of n loans, 600 branches with 40
// officers each, 1.3 loans a borrower, terms of 1 to 300 months.
func benchRow(r *rand.Rand, i, n int) []string {
	borrower := r.IntN(n*10/13 + 1)
	branch := borrower % 600
	from := calendar.MustDate(2010, 1, 1).AddDays(r.IntN(16 * 365))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	class, mode, arrears := "正常", "常规", "0.00"
	if r.IntN(100) < 5 {
		class, arrears = pick("关注", "次级", "可疑"), fmt.Sprintf("%d.%02d", r.IntN(90000), r.IntN(100))
	}
	if r.IntN(100) < 7 {
		mode = "重点"
	}
	amount := 10_000 + r.IntN(5_000_000)
	return []string{
		fmt.Sprintf("JJ%013d", i), fmt.Sprintf("HT2026%09d", i), fmt.Sprintf("C%09d", borrower),
		pick("宏达", "永兴", "金源", "恒通", "瑞丰") + pick("机械", "商贸", "建材", "农业") + fmt.Sprintf("%d号有限公司", borrower),
		fmt.Sprintf("B%03d", branch), fmt.Sprintf("S%03d%02d", branch, r.IntN(40)),
		pick("流动资金贷款", "固定资产贷款", "个人经营贷款", "个人住房贷款"), "CNY",
		fmt.Sprintf("%d.00", amount), fmt.Sprintf("%d.%02d", r.IntN(amount), r.IntN(100)),
		from.String(), from.AddMonths(1 + r.IntN(300)).String(),
		class, mode, pick("信用", "保证", "抵押", "质押"), fmt.Sprintf("%d.%02d", 3+r.IntN(3), r.IntN(100)),
		pick("按月", "按季", "利随本清"), arrears, "正常", "2026-11-23",
	}
}

// benchCSV is such a ledger in UTF-8.
func benchCSV(n int) string {
	var b strings.Builder
	b.WriteString(strings.Join(benchHeader, ",") + "\r\n")
	r := rand.New(rand.NewPCG(6, 1))
	for i := range n {
		b.WriteString(strings.Join(benchRow(r, i, n), ",") + "\r\n")
	}
	return b.String()
}

func BenchmarkReadCSV(b *testing.B) {
	const rows = 100_000
	text := benchCSV(rows)
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil || utf8.ValidString(gb) {
		b.Fatalf("no file in GB18030: %v", err)
	}
	for name, data := range map[string]string{"GB18030": gb, "UTF-8": text} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := Read("a.csv", []byte(data), Options{})
				if err != nil || s.Loans.Len() != rows {
					b.Fatalf("%d loans, %v", s.Loans.Len(), err)
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkReadBook reads a workbook, as we do and as excelize's own rows do.
func BenchmarkReadBook(b *testing.B) {
	const rows = 20_000
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(6, 1))
	for i := range rows + 1 {
		texts := benchHeader
		if i > 0 {
			texts = benchRow(r, i, rows)
		}
		cells := make([]any, len(texts))
		for j, t := range texts {
			cells[j] = t
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), cells); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	buf, err := f.WriteToBuffer()
	if err != nil {
		b.Fatal(err)
	}
	data := buf.Bytes()
	b.Run("ledger", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s, err := Read("a.xlsx", data, Options{})
			if err != nil || s.Loans.Len() != rows {
				b.Fatalf("%d loans, %v", s.Loans.Len(), err)
			}
		}
		b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("excelize", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n, err := streamed(data)
			if err != nil || n != rows+1 {
				b.Fatalf("%d rows, %v", n, err)
			}
		}
		b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

// streamed reads the rows of a workbook as excelize streams them.
func streamed(data []byte) (n int, err error) {
	f, err := excelize.OpenReader(strings.NewReader(string(data)))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	rows, err := f.Rows(f.GetSheetList()[0])
	if err != nil {
		return 0, err
	}
	for rows.Next() {
		if _, err := rows.Columns(); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Close()
}
