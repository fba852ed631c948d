package rules

import "tickler/loan"

// builtinEvents are the events that ledger files show by themselves and those
// of the manual; a rulebook's `events` adds to them.
//
// kind -> name, and the subjects it may be recorded of
var builtinEvents = []EventKind{
	{Kind: "loan.disbursed", Name: "发放", For: onLoan},
	{Kind: "loan.extended", Name: "展期", For: onLoan},
	{Kind: "loan.maturity_changed", Name: "到期日变更", For: onLoan},
	{Kind: "loan.repaid", Name: "还贷", For: onLoan},
	{Kind: "loan.settled", Name: "结清", For: onLoan},
	{Kind: "loan.rate_changed", Name: "利率调整", For: onLoan},
	{Kind: "loan.guarantee_changed", Name: "担保变更", For: onLoan},
	{Kind: "loan.defaulted", Name: "违约", For: onLoan},
	{Kind: "loan.transferred", Name: "移交", For: onLoan},
	{Kind: "class.changed", Name: "分类变更", For: onLoan},
	{Kind: "class.assigned", Name: "分类认定", For: onLoanOrBorrower},
	{Kind: "mode.changed", Name: "管理方式变更", For: onLoan},
	{Kind: "officer.changed", Name: "客户经理变更", For: onLoan},

	{Kind: "ledger.recorded", Name: "登记台账", For: onLoan},
	{Kind: "ledger.carried_forward", Name: "台账结转", For: onOfficer},
	{Kind: "worklog.submitted", Name: "提交工作日志", For: onLogged},
	{Kind: "worklog.reviewed", Name: "审阅工作日志", For: onLogged},
	{Kind: "fundflow.confirmed", Name: "资金流向监控表确认", For: onOfficer},
	{Kind: "statements.received", Name: "收到报表", For: onBorrower},
	{Kind: "statements.explained", Name: "报表书面说明", For: onBorrower},
	{Kind: "rating.updated", Name: "评级更新", For: onBorrower},
	{Kind: "notice.maturity_sent", Name: "发出到期通知书", For: onLoan},
	{Kind: "notice.collection_sent", Name: "发出催收通知书", For: onLoan},
	{Kind: "notice.guarantor_sent", Name: "发出履行担保责任通知书", For: onLoan},
	{Kind: "notice.interest_sent", Name: "发出欠息催收通知书", For: onLoan},
	{Kind: "notice.receipted", Name: "收到回执", For: onLoan},
	{Kind: "account.checked", Name: "账户检查", For: onLoan},
	{Kind: "repayment.checked", Name: "还款核查", For: onLoan},
	{Kind: "dunning.done", Name: "催收", For: onLoan},
	{Kind: "reminder.given", Name: "督促付息", For: onLoan},
	{Kind: "interest.paid", Name: "付息", For: onLoan},
	{Kind: "interest.checked", Name: "收息核查", For: onLoan},
	{Kind: "fee.paid", Name: "付费", For: onLoan},
	{Kind: "fee.checked", Name: "付费核查", For: onLoan},
	{Kind: "claim.confirmed", Name: "债权确认", For: onLoan},
	{Kind: "collateral.inspected", Name: "押品现场检查", For: []loan.Kind{loan.KindCollateral}},
	{Kind: "inspection.first", Name: "首次检查", For: onLoan},
	{Kind: "inspection.onsite", Name: "现场检查", For: onLoanOrBorrower},
	{Kind: "inspection.reported", Name: "贷后检查报告", For: onLoan},
	{Kind: "keyfile.updated", Name: "重点项目档案更新", For: onLoan},
	{Kind: "analysis.done", Name: "数据分析", For: onLoanOrBorrower},
	{Kind: "material.collected", Name: "收集资料", For: onLoanOrBorrower},
	{Kind: "incident.known", Name: "获知重大突发事件", For: onLoanOrBorrower},
	{Kind: "incident.reported", Name: "报告重大突发事件", For: onLoanOrBorrower},
	{Kind: "warning.opened", Name: "预警", For: onLoanOrBorrower},
	{Kind: "warning.closed", Name: "预警解除", For: onLoanOrBorrower},
	{Kind: "branch.reported", Name: "整体情况报告", For: onBranch},
	{Kind: "selfinspection.reported", Name: "自查报告", For: onBranch},
	{Kind: "plan.evaluated", Name: "工作计划评估", For: onBranch},
}

var (
	onLoan           = []loan.Kind{loan.KindLoan}
	onBorrower       = []loan.Kind{loan.KindBorrower}
	onLoanOrBorrower = []loan.Kind{loan.KindLoan, loan.KindBorrower}
	onLogged         = []loan.Kind{loan.KindLoan, loan.KindBorrower, loan.KindCollateral} // a collateral's inspection has its log
	onOfficer        = []loan.Kind{loan.KindOfficer}
	onBranch         = []loan.Kind{loan.KindBranch}
)
