package loan

import "tickler/calendar"

// Borrower is one row of the customer sheet (客户), or what the loans say of a
// customer that no sheet names. Empty fields are not known.
type Borrower struct {
	ID          string
	Name        string
	Certificate string // 证件号码
	Type        string // 客户类型
	Industry    string // 行业
	Mode        Mode   // 管理方式; "" where the sheet is silent
	Rating      string // 评级
	Group       string // 集团号
	Branch      string
	Officer     string
	RiskManager string // 风险经理
	Custodian   string // 档案管理人
	Stock       Fen    // 库存
	Exposure    Fen    // 敞口
	X           map[string]string
}

// Guarantor is one row of the guarantor sheet (保证人).
type Guarantor struct {
	Loan        string // 借据号
	ID          string // 证件号码, or the name where there is none
	Name        string
	Contract    string        // 保证合同号
	Amount      Fen           // 保证金额
	PeriodUntil calendar.Date // 保证期间止
	X           map[string]string
}

// Collateral is one mortgaged or pledged thing (押品) with the loans it secures.
type Collateral struct {
	ID            string
	Loans         []string // 借据号, sorted
	Name          string
	Type          string
	Value         Fen           // 评估价值
	Valued        calendar.Date // 评估日
	InsuredUntil  calendar.Date // 保险到期日
	LastInspected calendar.Date // 上次检查日; zero is not known
	X             map[string]string
}

// Group is a group of companies (集团) with its members.
type Group struct {
	ID      string
	Name    string
	Members []GroupMember
}

// GroupMember is one customer of a group and the branch that lends to it.
type GroupMember struct {
	Borrower string
	Branch   string // 成员行
	Lead     bool   // 牵头行; false is 参与行
}

// Branch is one office of the bank (机构). Branches form a tree.
type Branch struct {
	ID             string
	Name           string
	Parent         string // 上级机构; "" at the root
	Level          string
	Opened         calendar.Date // 开业日
	LastSupervised calendar.Date // 上次督导日
	X              map[string]string
}

// Staff is one person of the bank (人员).
type Staff struct {
	ID     string // 工号
	Name   string
	Branch string
	Post   string // 岗位, as the bank writes it
	Email  string
	Mobile string
	OSUser string // 系统用户
}
