package main

import (
	"fmt"
	"time"

	"tickler/loan"
	"tickler/obligation"
)

var weekdays = [...][2]string{{"周日", "Sun"}, {"周一", "Mon"}, {"周二", "Tue"}, {"周三", "Wed"}, {"周四", "Thu"}, {"周五", "Fri"}, {"周六", "Sat"}}

func (g *global) weekday(d time.Weekday) string { return g.tr(weekdays[d][0], weekdays[d][1]) }

var stateWords = map[obligation.State]string{
	obligation.Planned: "待触发", obligation.Raised: "待办", obligation.Submitted: "待签批", obligation.Done: "已办结",
	obligation.Waived: "已豁免", obligation.Cancelled: "已取消", obligation.Lapsed: "失效未办",
}

func (g *global) state(s obligation.State) string {
	if w := stateWords[s]; w != "" {
		return g.tr(w, string(s))
	}
	return string(s)
}

// kindWords names what an obligation, a fact or an event is about.
var kindWords = map[loan.Kind]string{
	loan.KindLoan: "借据", loan.KindBorrower: "客户", loan.KindGuarantor: "保证人", loan.KindCollateral: "押品",
	loan.KindGroup: "集团", loan.KindBranch: "机构", loan.KindOfficer: "客户经理",
}

func (g *global) kind(k loan.Kind) string {
	if w := kindWords[k]; w != "" {
		return g.tr(w, string(k))
	}
	return string(k)
}

var roleWords = map[string]string{
	"officer": "客户经理", "supervisor": "公司业务部主管", "monitor": "监控专岗", "risk_manager": "风险经理",
	"deputy_president": "主管行长", "president": "行长", "ops": "运维", "auditor": "审计", "asset_manager": "资产经营部",
}

func (g *global) role(r string) string {
	if w := roleWords[r]; w != "" {
		return g.tr(w, r)
	}
	return r
}

// factWords are the names of facts that the bank's own words have.
var factWords = map[string]string{
	"loan.id": "借据号", "loan.contract": "合同号", "loan.borrower": "客户号", "loan.branch": "机构", "loan.officer": "客户经理",
	"loan.product": "产品", "loan.amount": "发放金额", "loan.balance": "余额", "loan.interest_arrears": "欠息", "loan.currency": "币种",
	"loan.disbursed": "发放日", "loan.maturity": "到期日", "loan.maturity_landed": "到期日（顺延后）", "loan.original_maturity": "原到期日",
	"loan.term_months": "期限（月）", "loan.class": "五级分类", "loan.mode": "管理方式", "loan.guarantee": "担保方式", "loan.extended": "已展期",
	"loan.first_time": "新发放", "loan.transferred": "已移交或转让", "loan.abnormal": "异常", "loan.unpaid": "到期未还", "loan.status": "状态",
	"borrower.mode": "客户管理方式", "borrower.class": "客户最差分类", "borrower.balance": "客户余额合计", "borrower.branch": "客户机构",
	"borrower.officer": "客户的客户经理", "borrower.industry": "行业", "borrower.type": "客户类型", "borrower.rating": "评级",
	"borrower.exposure": "敞口", "borrower.stock": "库存", "borrower.group": "集团号",
	"collateral.max_term_months": "所担保贷款最长期限（月）", "collateral.abnormal": "所担保贷款异常", "collateral.value": "评估价值",
	"period.end": "期末", "period.start": "期初", "period.number": "第几期", "interest.date": "付息日", "interest.unpaid": "欠息未清",
	"interest.date_landed": "付息日（顺延后）", "fee.date": "付费日", "event.date": "事件日", "since": "上次日期",
}

func (g *global) fact(name string) string {
	if w := factWords[name]; w != "" && g.lang == "zh" {
		return w + " " + name
	}
	return name
}

// valueWords are the words of the closed sets.
var valueWords = map[string]string{
	"normal": "正常", "special_mention": "关注", "substandard": "次级", "doubtful": "可疑", "loss": "损失",
	"regular": "常规", "key": "重点", "true": "是", "false": "否",
}

func (g *global) value(v string) string {
	if w := valueWords[v]; w != "" {
		return g.tr(w, v)
	}
	return v
}

var outcomeWords = map[obligation.Outcome][2]string{
	obligation.Failed: {"无法推算", "could not be worked out"}, obligation.Derived: {"应办", "due"}, obligation.Exempt: {"豁免", "exempt"}, obligation.WhenFalse: {"条件不成立", "condition false"},
	obligation.NotSeen: {"不适用", "not seen"}, obligation.NoAnchor: {"无起算日", "no day to count from"},
	obligation.NotEffective: {"规则未生效", "not in force"}, obligation.Yielded: {"让位于其他规则", "gives way"}, obligation.Outside: {"不在计划期内", "outside the window"},
}

func (g *global) outcome(o obligation.Outcome) string {
	if w, ok := outcomeWords[o]; ok {
		return g.tr(w[0], w[1])
	}
	return string(o)
}

var changeWords = map[string]string{
	"planned": "新计划", "moved": "改期", "altered": "变更", "raised": "触发", "submitted": "提交", "done": "办结",
	"reopened": "重开", "revived": "恢复", "cancelled": "取消", "lapsed": "失效", "reminded": "提醒", "escalated": "升级",
}

func (g *global) change(k string) string {
	if w := changeWords[k]; w != "" {
		return g.tr(w, k)
	}
	return k
}

var actionWords = map[string]string{
	"obligation.planned": "列入计划", "obligation.raised": "触发", "obligation.moved": "改期", "obligation.altered": "变更",
	"obligation.submitted": "提交", "obligation.done": "办结", "obligation.reopened": "重开", "obligation.revived": "恢复",
	"obligation.cancelled": "取消", "obligation.lapsed": "失效未办", "ledger.imported": "导入台账", "event.recorded": "登记事件",
	"obligation.escalated": "逾期升级", "obligation.snoozed": "暂缓提醒",
	"event.found": "台账显示事件", "event.withdrawn": "撤销事件", "refused": "拒绝",
	"rules.activate": "人工启用规则簿", "rulebook.held": "搁置规则簿",
	"obligation.signed": "签批", "obligation.returned": "退回", "obligation.waived": "豁免", "obligation.waiver_asked": "申请豁免", "obligation.reassigned": "改派",
	"obligation.submitted.by_person": "提交（本人操作）", "obligation.done.by_person": "办结（本人操作）", "obligation.signed.by_person": "签批（本人操作）",
	"obligation.returned.by_person": "退回（本人操作）", "obligation.waived.by_person": "豁免（本人操作）", "obligation.waiver_asked.by_person": "申请豁免（本人操作）",
	"obligation.reassigned.by_person": "改派（本人操作）", "obligation.reopened.by_person": "重开（本人操作）", "obligations.reassigned": "批量改派",
	"user.changed": "用户变更", "deputy.set": "指定代理", "deputy.ended": "终止代理",
	"store.init": "建库", "store.migrated": "升级数据库", "scan": "扫描", "plan.resumed": "续排计划", "rulebook.activated": "启用规则簿", "calendar.activated": "启用日历",
}

func (g *global) action(a string) string {
	if w := actionWords[a]; w != "" {
		return g.tr(w, a)
	}
	return a
}

// plural is for the English of small counts.
func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
