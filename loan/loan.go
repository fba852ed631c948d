package loan

import (
	"maps"
	"slices"

	"tickler/calendar"
)

// Class is the five-category loan classification (五级分类).
type Class string

const (
	Normal         Class = "normal"          // 正常
	SpecialMention Class = "special_mention" // 关注
	Substandard    Class = "substandard"     // 次级
	Doubtful       Class = "doubtful"        // 可疑
	Loss           Class = "loss"            // 损失
)

// Classes lists the classes from best to worst.
var Classes = []Class{Normal, SpecialMention, Substandard, Doubtful, Loss}

// Rank orders classes: 0 is the best, 4 the worst; -1 is no class.
func (c Class) Rank() int {
	for i, k := range Classes {
		if c == k {
			return i
		}
	}
	return -1
}

// NPL says that the class counts as non-performing (不良): the last three.
func (c Class) NPL() bool { return c.Rank() >= 2 }

// Mode is how closely a borrower is watched (管理方式).
type Mode string

const (
	Regular Mode = "regular" // 常规
	Key     Mode = "key"     // 重点
)

// Settlement is how often interest is settled (结息方式).
type Settlement string

const (
	SettleMonthly    Settlement = "month"     // 按月
	SettleQuarterly  Settlement = "quarter"   // 按季
	SettleHalfYearly Settlement = "half_year" // 按半年
	SettleYearly     Settlement = "year"      // 按年
	SettleAtMaturity Settlement = "maturity"  // 利随本清
)

// Origin is why the money was paid out (发放类型).
type Origin string

const (
	OriginUnknown      Origin = ""             // no such column
	OriginNew          Origin = "new"          // 新发放
	OriginRefinanced   Origin = "refinanced"   // 借新还旧
	OriginRestructured Origin = "restructured" // 重组
	OriginExtended     Origin = "extended"     // 展期
)

// Loan is one row of a ledger (借据) as a snapshot gave it. Dates that the row
// does not give are zero.
type Loan struct {
	ID           string // 借据号
	Contract     string // 合同号
	Borrower     string // 客户号, or the name where the file has no number
	BorrowerName string // 客户名称
	Branch       string // 机构
	Officer      string // 客户经理
	Product      string
	Currency     string

	Amount  Fen // 发放金额
	Balance Fen // 余额
	Arrears Fen // 欠息

	Disbursed        calendar.Date // 发放日
	Maturity         calendar.Date // 到期日; from 期限(月) where only that is given
	OriginalMaturity calendar.Date // 原到期日

	Extensions int // 展期次数; 0 where the file has no such column
	Origin     Origin
	Class      Class
	Mode       Mode
	Guarantee  string   // 担保方式, as the bank writes it
	Guarantors []string // 保证人 of the loan's own row, names, in the row's order
	Rate       string   // 利率, as the bank writes it

	Interest Schedule
	FeeDates []calendar.Date // 付费日, in order

	Status string            // 状态, as the bank writes it
	X      map[string]string // header of any other column -> its text
}

// Assumed stands in X under the name of a field that the row left empty and
// that was read as the laxest there is: ColumnMode as regular, ColumnClass as
// normal.
const (
	Assumed     = "缺省"
	ColumnMode  = "管理方式"
	ColumnClass = "五级分类"
)

// Open says that a balance or interest is left.
func (l *Loan) Open() bool { return l.Balance > 0 || l.Arrears > 0 }

// TermMonths is the smallest m with disbursed + m months >= maturity; 0 where
// either day is unknown.
func (l *Loan) TermMonths() int {
	if l.Disbursed.IsZero() || l.Maturity.IsZero() {
		return 0
	}
	return calendar.MonthsBetween(l.Disbursed, l.Maturity)
}

// FirstTime says that the money was newly paid out: never extended, and
// neither refinancing nor restructuring an earlier loan.
func (l *Loan) FirstTime() bool {
	return l.Extensions == 0 && l.Origin != OriginRefinanced && l.Origin != OriginRestructured
}

// Extended says that the maturity was put off.
func (l *Loan) Extended() bool {
	return l.Extensions > 0 || l.Origin == OriginExtended ||
		(!l.OriginalMaturity.IsZero() && l.OriginalMaturity < l.Maturity)
}

// Transferred says that the row itself calls the loan handed over (移交) or
// sold (转让).
func (l *Loan) Transferred() bool {
	return l.Status == "移交" || l.Status == "转让" || l.Status == "已移交" || l.Status == "已转让"
}

// Equal says that two rows hold the same facts.
func (l *Loan) Equal(m *Loan) bool {
	return l.ID == m.ID && l.Contract == m.Contract && l.Borrower == m.Borrower && l.BorrowerName == m.BorrowerName &&
		l.Branch == m.Branch && l.Officer == m.Officer && l.Product == m.Product && l.Currency == m.Currency &&
		l.Amount == m.Amount && l.Balance == m.Balance && l.Arrears == m.Arrears &&
		l.Disbursed == m.Disbursed && l.Maturity == m.Maturity && l.OriginalMaturity == m.OriginalMaturity &&
		l.Extensions == m.Extensions && l.Origin == m.Origin && l.Class == m.Class && l.Mode == m.Mode &&
		l.Guarantee == m.Guarantee && slices.Equal(l.Guarantors, m.Guarantors) && l.Rate == m.Rate &&
		l.Interest == m.Interest && slices.Equal(l.FeeDates, m.FeeDates) && l.Status == m.Status && maps.Equal(l.X, m.X)
}
