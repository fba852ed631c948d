package ledger

import (
	"strings"
	"sync"
)

// unit says what may stand in brackets behind a header, or after it: the unit
// of an amount changes how the column is read, days in place of months make it
// another column.
type unit uint8

const (
	noUnit unit = iota // anything: 客户经理(姓名), 利率(%), 角色(牵头行|参与行)
	days               // the form of a date: 到期日(yyyymmdd)
	money              // 元, 万元, …
	months             // 月
)

// spec is one field of a kind: its names, and how a cell of it is taken.
type spec struct {
	name     string // canonical
	needed   bool
	unit     unit
	aliases  string // other names, by spaces
	fallback string // names that stand for the field only where no other column does
	yields   string // a field that makes this one an unknown column
	set      func(r *reader, b []byte)
}

// kinds lists the kinds in the order in which a header is tried.
var kinds = []Kind{KindLoan, KindCollateral, KindGuarantor, KindEvent, KindGroup, KindStaff, KindBorrower, KindBranch}

// title is the kind's name as interfaces and messages write it, then words
// that a sheet of the kind may be called by.
var titles = map[Kind][]string{
	KindLoan:       {"借据", "贷款", "台账", "loan"},
	KindBorrower:   {"客户", "借款人", "borrower", "customer"},
	KindGuarantor:  {"保证人", "担保人", "guarantor"},
	KindCollateral: {"抵质押物", "押品", "抵押物", "质押物", "collateral"},
	KindGroup:      {"集团", "group"},
	KindBranch:     {"机构", "支行", "branch"},
	KindStaff:      {"人员", "员工", "staff"},
	KindEvent:      {"事件", "event"},
}

const (
	loanNos   = "借据编号 信贷借据号 贷款借据编码 贷款借据号 贷款借据编号 核心借据编号 核心借据号 借据ID 贷款号 XDJJH DKJJBM"
	accounts  = "贷款账号 贷款分户账号 账号"
	custNos   = "客户编号 客户码 客户统一编号 客户内码 KHTYBH"
	custNames = "客户姓名 借款人 借款人名称 借款人姓名 企业名称 户名 账户名称 KHMC"
	branches  = "机构号 内部机构号 机构代码 机构编号 机构名称 银行机构名称 支行 支行名称 " +
		"经办机构 主管机构 主办机构 责任机构 登记机构 归属机构 贷款机构 NBJGH"
	officers = "管户客户经理 管户经理 客户管户经理 主管客户经理 主办客户经理 经办客户经理 责任人 第一责任人 " +
		"信贷员 信贷员姓名 信贷员工号 客户经理工号 客户经理姓名 经办人 XDYGH"
	papers = "身份证号 身份证号码 企业证件号码 统一社会信用代码 借款人证件代码 证件号 证件代码"
)

// specs are the fields of each kind, with the names that banks give them.
var specs = map[Kind][]spec{
	KindLoan: {
		{name: "借据号", needed: true, aliases: loanNos, fallback: accounts, set: func(r *reader, b []byte) { r.loan.ID = r.id(b) }},
		{name: "合同号", aliases: "合同编号 信贷合同号 贷款合同号 贷款合同编号 贷款合同编码 借款合同号 借款合同编号 中文合同编号 协议编号 XDHTH DKHTBM",
			set: func(r *reader, b []byte) { r.loan.Contract = r.id(b) }},
		{name: "客户号", aliases: custNos, set: func(r *reader, b []byte) { r.loan.Borrower = r.id(b) }},
		{name: "客户名称", needed: true, aliases: custNames, set: func(r *reader, b []byte) { r.loan.BorrowerName = r.text(b) }},
		{name: "机构", aliases: branches, set: func(r *reader, b []byte) { r.loan.Branch = r.code(b) }},
		{name: "客户经理", aliases: officers, set: func(r *reader, b []byte) { r.loan.Officer = r.code(b) }},
		{name: "产品", aliases: "产品名称 业务品种 业务类型 信贷业务种类 贷款产品类别 XDYWZL", set: func(r *reader, b []byte) { r.loan.Product = r.word(b) }},
		{name: "币种", aliases: "借据币种 BZ", set: func(r *reader, b []byte) { r.loan.Currency = r.word(b) }},
		{name: "发放金额", unit: money, aliases: "贷款金额 借据金额 借款金额 放款金额 DKJE", fallback: "合同金额",
			set: func(r *reader, b []byte) { r.loan.Amount = r.money(b) }},
		{name: "余额", needed: true, unit: money, aliases: "贷款余额 借据余额 剩余本金 DKYE", set: func(r *reader, b []byte) { r.loan.Balance, r.hasBalance = r.money(b), true }},
		{name: "发放日", needed: true, unit: days, aliases: "放款日 起贷日 贷款起始日 起始日 借据起始日 借据起期 借款日 提款日 生效日 贷款发放日 贷款实际发放日 实际发放日 DKFFRQ",
			set: func(r *reader, b []byte) { r.loan.Disbursed = r.date(b) }},
		{name: "到期日", unit: days, aliases: "止贷日 贷款到期日 借据到期日 借据止期 提款到期日 DKDQRQ", fallback: "合同到期日 贷款合同到期日 借款合同到期日",
			set: func(r *reader, b []byte) { r.loan.Maturity = r.date(b) }},
		{name: "原到期日", unit: days, aliases: "贷款原始到期日 原始到期日 原止贷日 DKYSDQRQ", set: func(r *reader, b []byte) { r.loan.OriginalMaturity = r.date(b) }},
		{name: "展期到期日", unit: days, aliases: "贷款展期到期日 实际到期日 DKZQDQRQ", set: func(r *reader, b []byte) { r.putOff = r.date(b) }},
		{name: "期限(月)", unit: months, aliases: "贷款期限 借款期限 借据期限", set: func(r *reader, b []byte) { r.term = r.months(b) }},
		{name: "展期次数", aliases: "是否展期 ZQCS", set: func(r *reader, b []byte) { r.loan.Extensions = r.times(b) }},
		{name: "发放类型", aliases: "贷款发放类型", set: func(r *reader, b []byte) { r.loan.Origin = pick(r, b, origins) }},
		{name: "五级分类", aliases: "贷款五级分类 风险分类 贷款质量 分类结果 五级分类结果 DKWJFL", set: func(r *reader, b []byte) { r.loan.Class = pick(r, b, classes) }},
		{name: "管理方式", aliases: "贷后管理方式", set: func(r *reader, b []byte) { r.loan.Mode = pick(r, b, modes) }},
		{name: "担保方式", aliases: "主要担保方式 贷款担保方式", set: func(r *reader, b []byte) { r.loan.Guarantee = r.word(b) }},
		{name: "保证人", aliases: "保证人名称 保证人姓名 担保人 担保人名称", set: func(r *reader, b []byte) { r.loan.Guarantors = r.list(b) }},
		{name: "利率", aliases: "执行利率 实际利率 利率水平 贷款利率 SJLL", set: func(r *reader, b []byte) { r.loan.Rate = r.rate(b) }},
		{name: "结息方式", aliases: "计息方式 JXFS", fallback: "还款方式 HKFS", set: func(r *reader, b []byte) { r.loan.Interest.Every = pick(r, b, settlements) }},
		{name: "结息日", unit: days, fallback: "下次结息日", set: func(r *reader, b []byte) { r.settleDay(b) }},
		{name: "付息日", unit: days, set: func(r *reader, b []byte) { r.payDay(b) }},
		{name: "下次付息日", unit: days, aliases: "下期付息日 下期还款日 下次还款日 XQHKRQ", set: func(r *reader, b []byte) { r.nextPay = r.date(b) }},
		{name: "付费日", unit: days, aliases: "收费日", set: func(r *reader, b []byte) { r.feeDates(b) }},
		{name: "欠息", unit: money, aliases: "欠息金额 欠息余额 拖欠利息", set: func(r *reader, b []byte) { r.loan.Arrears += r.money(b) }},
		{name: "表内欠息", unit: money, aliases: "表内欠息余额 BNQXYE", yields: "欠息", set: func(r *reader, b []byte) { r.loan.Arrears += r.money(b) }},
		{name: "表外欠息", unit: money, aliases: "表外欠息余额 BWQXYE", yields: "欠息", set: func(r *reader, b []byte) { r.loan.Arrears += r.money(b) }},
		{name: "状态", aliases: "台账状态 贷款状态 借据状态 账户状态 DKZT", set: func(r *reader, b []byte) { r.loan.Status = r.word(b) }},
		{name: "数据日期", unit: days, aliases: "采集日期 统计截止日期 CJRQ", set: func(r *reader, b []byte) { r.dataDate(b) }},
	},
	KindBorrower: {
		{name: "客户号", needed: true, aliases: custNos, set: func(r *reader, b []byte) { r.borrower.ID = r.id(b) }},
		{name: "客户名称", aliases: custNames, set: func(r *reader, b []byte) { r.borrower.Name = r.text(b) }},
		{name: "证件号码", aliases: papers, set: func(r *reader, b []byte) { r.borrower.Certificate = r.id(b) }},
		{name: "客户类型", aliases: "客户类别", set: func(r *reader, b []byte) { r.borrower.Type = r.word(b) }},
		{name: "行业", aliases: "所属行业 行业名称 行业分类", set: func(r *reader, b []byte) { r.borrower.Industry = r.word(b) }},
		{name: "管理方式", aliases: "贷后管理方式", set: func(r *reader, b []byte) { r.borrower.Mode = pick(r, b, modes) }},
		{name: "评级", aliases: "信用等级 客户评级 内部评级 评级结果", set: func(r *reader, b []byte) { r.borrower.Rating = r.word(b) }},
		{name: "集团号", aliases: "集团编号 集团客户号 所属集团号", set: func(r *reader, b []byte) { r.borrower.Group = r.id(b) }},
		{name: "机构", aliases: branches, set: func(r *reader, b []byte) { r.borrower.Branch = r.code(b) }},
		{name: "客户经理", aliases: officers, set: func(r *reader, b []byte) { r.borrower.Officer = r.code(b) }},
		{name: "风险经理", set: func(r *reader, b []byte) { r.borrower.RiskManager = r.code(b) }},
		{name: "档案管理人", aliases: "档案管理员", set: func(r *reader, b []byte) { r.borrower.Custodian = r.code(b) }},
		{name: "库存", unit: money, aliases: "库存金额 库存价值", set: func(r *reader, b []byte) { r.borrower.Stock = r.money(b) }},
		{name: "敞口", unit: money, aliases: "敞口金额 风险敞口", set: func(r *reader, b []byte) { r.borrower.Exposure, r.hasExposure = r.money(b), true }},
		{name: "数据日期", unit: days, aliases: "采集日期 统计截止日期 CJRQ", set: func(r *reader, b []byte) { r.dataDate(b) }},
	},
	KindGuarantor: {
		{name: "借据号", needed: true, aliases: loanNos, set: func(r *reader, b []byte) { r.guarantor.Loan = r.id(b) }},
		{name: "保证人", needed: true, aliases: "保证人名称 保证人姓名 担保人 担保人名称", set: func(r *reader, b []byte) { r.guarantor.Name = r.text(b) }},
		{name: "证件号码", aliases: "保证人证件号码 担保人证件号码 保证人证件号 保证人证件代码 " + papers, set: func(r *reader, b []byte) { r.guarantor.ID = r.id(b) }},
		{name: "保证合同号", aliases: "保证合同编号 担保合同号 担保合同编号", set: func(r *reader, b []byte) { r.guarantor.Contract = r.id(b) }},
		{name: "保证金额", unit: money, aliases: "担保金额", set: func(r *reader, b []byte) { r.guarantor.Amount = r.money(b) }},
		{name: "保证期间止", unit: days, aliases: "保证期间截止日 保证期间到期日 保证到期日 保证期间止日", set: func(r *reader, b []byte) { r.guarantor.PeriodUntil = r.date(b) }},
	},
	KindCollateral: {
		{name: "押品号", needed: true, aliases: "押品编号 抵质押物编号 抵质押物号 抵押物编号 质押物编号 担保物编号", set: func(r *reader, b []byte) { r.collateral.ID = r.id(b) }},
		{name: "借据号", needed: true, aliases: loanNos, set: func(r *reader, b []byte) { r.collateral.Loans = r.ids(b) }},
		{name: "名称", aliases: "押品名称 抵质押物名称 抵押物名称 质押物名称", set: func(r *reader, b []byte) { r.collateral.Name = r.text(b) }},
		{name: "种类", aliases: "押品种类 押品类型 抵质押物种类 抵质押物类型", set: func(r *reader, b []byte) { r.collateral.Type = r.word(b) }},
		{name: "评估价值", unit: money, aliases: "评估金额 评估值", set: func(r *reader, b []byte) { r.collateral.Value = r.money(b) }},
		{name: "评估日", unit: days, aliases: "评估基准日", set: func(r *reader, b []byte) { r.collateral.Valued = r.date(b) }},
		{name: "保险到期日", unit: days, aliases: "保险止期 保险终止日", set: func(r *reader, b []byte) { r.collateral.InsuredUntil = r.date(b) }},
		{name: "上次检查日", unit: days, aliases: "最近检查日 上次核查日", set: func(r *reader, b []byte) { r.collateral.LastInspected = r.date(b) }},
	},
	KindGroup: {
		{name: "集团号", needed: true, aliases: "集团编号 集团客户号", set: func(r *reader, b []byte) { r.group.ID = r.id(b) }},
		{name: "集团名称", aliases: "集团客户名称", set: func(r *reader, b []byte) { r.group.Name = r.text(b) }},
		{name: "成员客户号", needed: true, aliases: "成员客户编号 成员号", set: func(r *reader, b []byte) { r.member.Borrower = r.id(b) }},
		{name: "成员行", aliases: "成员机构 成员机构号", set: func(r *reader, b []byte) { r.member.Branch = r.code(b) }},
		{name: "角色", aliases: "成员角色", set: func(r *reader, b []byte) { r.member.Lead = pick(r, b, roles) == "lead" }},
	},
	KindBranch: {
		{name: "机构号", needed: true, aliases: "内部机构号 机构代码 机构编号 NBJGH", set: func(r *reader, b []byte) { r.branch.ID = r.id(b) }},
		{name: "机构名称", aliases: "银行机构名称 支行名称", set: func(r *reader, b []byte) { r.branch.Name = r.text(b) }},
		{name: "上级机构", aliases: "上级机构号 上级机构代码 上级行", set: func(r *reader, b []byte) { r.branch.Parent = r.code(b) }},
		{name: "级别", aliases: "机构级别 机构层级", set: func(r *reader, b []byte) { r.branch.Level = r.word(b) }},
		{name: "开业日", unit: days, aliases: "成立日", set: func(r *reader, b []byte) { r.branch.Opened = r.date(b) }},
		{name: "上次督导日", unit: days, aliases: "最近督导日", set: func(r *reader, b []byte) { r.branch.LastSupervised = r.date(b) }},
	},
	KindStaff: {
		{name: "工号", needed: true, aliases: "员工号 员工编号 柜员号", set: func(r *reader, b []byte) { r.staff.ID = r.id(b) }},
		{name: "姓名", aliases: "员工姓名", set: func(r *reader, b []byte) { r.staff.Name = r.text(b) }},
		{name: "机构", aliases: branches + " 所属机构", set: func(r *reader, b []byte) { r.staff.Branch = r.code(b) }},
		{name: "岗位", aliases: "岗位名称 职务", set: func(r *reader, b []byte) { r.staff.Post = r.word(b) }},
		{name: "邮箱", aliases: "电子邮箱 邮件地址 email", set: func(r *reader, b []byte) { r.staff.Email = r.text(b) }},
		{name: "手机", aliases: "手机号 手机号码 联系电话", set: func(r *reader, b []byte) { r.staff.Mobile = r.id(b) }},
		{name: "系统用户", aliases: "系统用户名 操作系统用户", set: func(r *reader, b []byte) { r.staff.OSUser = r.text(b) }},
	},
	KindEvent: {
		{name: "事件", needed: true, aliases: "事件类型", set: func(r *reader, b []byte) { r.event.Kind = r.eventKind(b) }},
		{name: "对象", needed: true, set: func(r *reader, b []byte) { r.event.Subject = r.subject(b) }},
		{name: "日期", needed: true, unit: days, aliases: "发生日 发生日期 事件日期", set: func(r *reader, b []byte) { r.event.Happened = r.date(b) }},
		{name: "编号", aliases: "事件编号", set: func(r *reader, b []byte) { r.event.ID = r.id(b) }},
		{name: "期间", set: func(r *reader, b []byte) { r.event.Period = r.text(b) }},
		{name: "数据日期", unit: days, aliases: "采集日期 统计截止日期 CJRQ", set: func(r *reader, b []byte) { r.dataDate(b) }},
	},
}

// place is where a name leads: a field of a kind, by index into specs.
type place struct {
	field    int
	fallback bool
}

// vocabulary are the names of one kind's fields.
type vocabulary struct {
	exact  map[string]place // as written
	normal map[string]place // as normal gives it
}

// vocabularies is built once, from specs.
var vocabularies = sync.OnceValue(func() map[Kind]*vocabulary {
	out := map[Kind]*vocabulary{}
	for kind, fields := range specs {
		v := &vocabulary{exact: map[string]place{}, normal: map[string]place{}}
		put := func(name string, p place) {
			if _, ok := v.exact[name]; ok {
				panic("ledger: two fields of " + string(kind) + " are called " + name)
			}
			v.exact[name] = p
			n, _ := normal(name)
			if old, ok := v.normal[n]; ok && old.field != p.field {
				panic("ledger: two fields of " + string(kind) + " are called " + n)
			} else if !ok {
				v.normal[n] = p
			}
		}
		for i := range fields {
			put(fields[i].name, place{field: i})
			for _, a := range strings.Fields(fields[i].aliases) {
				put(a, place{field: i})
			}
			for _, a := range strings.Fields(fields[i].fallback) {
				put(a, place{field: i, fallback: true})
			}
		}
		out[kind] = v
	}
	return out
})

// ids are the fields that hold an identifier, which must come letter by letter.
var ids = map[string]bool{
	"借据号": true, "合同号": true, "客户号": true, "证件号码": true, "机构": true, "客户经理": true,
	"集团号": true, "风险经理": true, "档案管理人": true, "保证合同号": true, "押品号": true, "成员客户号": true,
	"成员行": true, "机构号": true, "上级机构": true, "工号": true, "手机": true, "编号": true, "对象": true,
}

func (s *spec) isID() bool { return ids[s.name] }
