//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"

	"tickler/calendar"
)

// Portfolio is a ledger that follows from its seed: the same seed, size and day
// give the same rows everywhere.
type Portfolio struct {
	Seed  uint64
	Loans int
	Day   calendar.Date // of its first file
}

// The shape at a million loans; a smaller portfolio has fewer branches of the
// same size.
const (
	fullLoans   = 1_000_000
	fullBranch  = 600
	officers    = 40 // of each branch
	longestTerm = 300
)

// Shares in tenths of a percent.
const (
	keyShare       = 70 // in key mode
	abnormalShare  = 50 // not normal class
	arrearsShare   = 15 // interest unpaid
	pastShare      = 5  // matured and unpaid
	guarantorShare = 300
)

// columns are those of a core system's export.
var columns = []string{
	"借据号", "合同号", "客户号", "客户名称", "机构", "客户经理", "产品", "币种", "发放金额", "余额",
	"发放日", "到期日", "五级分类", "管理方式", "担保方式", "保证人", "利率", "结息方式", "欠息", "数据日期",
}

// Branches is the number of branches, at least one.
func (p Portfolio) Branches() int {
	return max(1, (p.Loans*fullBranch+fullLoans/2)/fullLoans)
}

// Branch names the i-th branch.
func Branch(i int) string { return fmt.Sprintf("B%04d", i+1) }

// LoanID names the i-th loan.
func LoanID(i int) string { return fmt.Sprintf("JJ%011d", i+1) }

// Row is the i-th row of a file, in the order of columns. What changes on a day
// stays as it is then; no changes are the first file.
func (p Portfolio) Row(i int, c Changes) []string {
	r := rand.New(rand.NewPCG(p.Seed, uint64(i)))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }

	// Of ten borrowers eight have a loan, one has two and one has three: thirteen loans.
	borrower := i/13*10 + [13]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 9, 9}[i%13]
	b := rand.New(rand.NewPCG(p.Seed^0x9e3779b97f4a7c15, uint64(borrower))) // what his loans share
	branch, officer := b.IntN(p.Branches()), b.IntN(officers)
	name := []string{"宏达", "永兴", "金源", "恒通", "瑞丰", "鑫业"}[b.IntN(6)] + []string{"机械", "商贸", "建材", "农业", "粮油"}[b.IntN(5)]

	term := p.term(r)
	run := r.IntN(term) // whole months since it was paid out
	disbursed := p.Day.AddMonths(-run).AddDays(-r.IntN(27))
	if r.IntN(1000) < pastShare {
		disbursed = p.Day.AddMonths(-term).AddDays(-1 - r.IntN(60))
	}
	maturity := disbursed.AddMonths(term)

	amount := 10_000 * (1 + int64(r.ExpFloat64()*120)) // yuan
	balance := amount * 100                            // fen
	if term > 12 {
		balance = balance * int64(term-min(run, term-1)) / int64(term)
	}
	class, mode, arrears := "正常", "常规", int64(0)
	if r.IntN(1000) < abnormalShare {
		class = pick("关注", "关注", "关注", "次级", "可疑")
	}
	if r.IntN(1000) < keyShare {
		mode = "重点"
	}
	if r.IntN(1000) < arrearsShare {
		arrears = 1 + r.Int64N(balance/100+1)
	}
	guarantors := ""
	if r.IntN(1000) < guarantorShare {
		guarantors = fmt.Sprintf("担保人%d", r.IntN(p.Loans+1))
		if r.IntN(4) == 0 {
			guarantors += fmt.Sprintf("、担保人%d", p.Loans+1+r.IntN(p.Loans+1))
		}
	}
	guarantee, product := pick("信用", "保证", "抵押", "质押"), pick("流动资金贷款", "固定资产贷款", "个人经营贷款", "个人住房贷款")
	rate := fmt.Sprintf("%d.%02d", 3+r.IntN(3), r.IntN(100))
	interest := pick("按月", "按月", "按季", "按季", "按季", "利随本清")

	for day := 1; day <= c.Days; day++ {
		if !c.hits(p, i, day) {
			continue
		}
		switch pick("repaid", "repaid", "repaid", "class", "officer") {
		case "class":
			if class == "正常" {
				class = "关注"
			} else {
				class = "正常"
			}
		case "officer":
			officer = (officer + 1) % officers
		default:
			balance -= balance / 10
		}
	}
	date := p.Day.AddDays(c.Days)
	if c.Same {
		date = p.Day
	}
	return []string{
		LoanID(i), fmt.Sprintf("HT%011d", i+1), fmt.Sprintf("C%010d", borrower+1), name + strconv.Itoa(borrower+1) + "号有限公司",
		Branch(branch), fmt.Sprintf("S%04d%02d", branch+1, officer+1), product, "CNY", yuan(amount * 100), yuan(balance),
		disbursed.String(), maturity.String(), class, mode, guarantee, guarantors, rate, interest, yuan(arrears),
		date.String(),
	}
}

// term draws a term in months: half up to a year, a third up to three, the rest
// up to twenty-five.
func (p Portfolio) term(r *rand.Rand) int {
	switch d := r.IntN(100); {
	case d < 50:
		return standing(r, 1, 12)
	case d < 83:
		return standing(r, 13, 36)
	case d < 92:
		return standing(r, 37, 120)
	default:
		return standing(r, 121, longestTerm)
	}
}

// standing draws a term from least to most months as a file of one day finds
// it where as many loans of each term are granted: one that runs twice as long
// is twice as likely to be in it.
func standing(r *rand.Rand, least, most int) int {
	for {
		if t := least + r.IntN(most-least+1); r.IntN(most) < t {
			return t
		}
	}
}

// Changes says what has happened to a portfolio since its first file.
type Changes struct {
	Days int  // files since the first
	Same bool // the file has the data date of the first: it replaces it
	One  int  // from this day on one loan changes a day, not a hundredth; 0 is never
}

// hits tells whether the day changes the loan. Every hundredth changes, another
// one each day.
func (c Changes) hits(p Portfolio, i, day int) bool {
	step := 100
	if c.One > 0 && day >= c.One {
		step = p.Loans
	}
	return i%step == int((uint64(day)*2654435761+p.Seed)%uint64(step))
}

func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }
