package rules

import "slices"

// field is one key of the rulebook: the name that parse.go accepts, and what
// schema.go tells an editor about it. There is one table for both, so that the
// two never say different things.
type field struct {
	name   string
	zh, en string // what it means
	form   form   // what its value looks like
}

type fields []field

func (fs fields) names() []string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = f.name
	}
	return out
}

// only gives the fields of these names.
func (fs fields) only(names ...string) fields {
	var out fields
	for _, f := range fs {
		if slices.Contains(names, f.name) {
			out = append(out, f)
		}
	}
	return out
}

// overridable are the keys of a rule that a branch may have otherwise.
var overridable = []string{"when", "except", "needs", "due", "raise", "landing", "by", "sign", "notice", "remind", "escalate", "effective_from", "effective_to"}

// The keys of the file, in the order in which people write them.
var (
	bookKeys = fields{
		{"version", "规则簿格式的版本，现为 1", "version of the format; 1", versionForm},
		{"zone", "时区，缺省 Asia/Shanghai", "time zone; default Asia/Shanghai", textForm},
		{"fiscal_year_end", "会计年度最后一天，月-日，缺省 12-31", "last day of the fiscal year, MM-DD; default 12-31", fiscalForm},
		{"enable", "本行执行的制度：manual 手册、county 县支行、policy 政策性银行；缺省 [manual]", "sets this branch follows; default [manual]", setsForm},
		{"params", "条件里可以直接用的名字和值；金额以元计", "names and values for conditions; amounts in yuan", paramsForm},
		{"defaults", "没有另写提醒、升级的规则用这里的", "reminders and escalation of rules that have none of their own", defaultsForm},
		{"events", "除内置事件外，本行自己声明的事件", "events the bank declares beside the built-in ones", eventsForm},
		{"standing", "手册有要求但没有期限的事项，由 tickler check portfolio 检查", "what the manual asks for without a deadline", standingForm},
		{"rules", "规则", "the rules", rulesForm},
	}
	ruleKeys = fields{
		{"id", "规则编号，小写字母、数字和 -；启用后不要改", "id: small letters, digits and -; never changed once in use", idForm},
		{"set", "属于哪一套制度，缺省 manual", "the set or sets it belongs to; default manual", ruleSetsForm},
		{"name", "义务名称（中文）", "what staff read", textForm},
		{"clause", "依据：手册或法律的条款", "clause of the manual or the law", textForm},
		{"rows", "对应资料表的行号", "rows of the source table that it serves", rowsForm},
		{"source_missing", "手册引用而未收录的页", "page that the source points to and does not hold", textForm},
		{"note", "说明，不影响计算", "a remark; changes nothing", textForm},
		{"stated", "手册是否给出了期限；false 表示期限由本行确定", "whether the manual gives the figure; false: the bank's own", boolForm},
		{"for", "对谁：loan 借据、borrower 客户、guarantor 保证人、collateral 押品、group 集团、branch 机构、officer 客户经理", "what one obligation is about", kindForm},
		{"who", "for: officer 时，按谁的管户：officer 客户经理、risk_manager 风险经理；缺省 officer", "of a rule for an officer: in whose care; default officer", whoForm},
		{"each", "对每一方各一项：guarantor 保证人、borrower 借款人、lead_branch 牵头行、to_member/to_lead 集团成员行双向，或 {类别: [名称]}", "one obligation for each of these parties", eachForm},
		{"on", "由事件触发：每发生一次一项；{event: …, in_a_row: 3 months} 为连续三个月", "events that open it: one obligation for each", triggersForm},
		{"every", "按周期：周、半月、月、季、半年、年；或付息日、付费日", "comes round each period, or on the loan's own schedule", everyForm},
		{"since", "从这些中最近的一次起算；办结后开始下一次", "counted from the latest of these; the next begins when it is done", sinceForm},
		{"within", "只取与这两天之间有交集的周期，最后一期截至后一天", "only the periods that touch these two days, the last cut at the second", withinForm},
		{"when", "条件：成立才有这项义务", "condition: there is an obligation only if it holds", conditionForm},
		{"except", "豁免：任何一条成立就没有这项义务", "exemptions: no obligation if any of them holds", exceptForm},
		{"needs", "周期内要有若干次某事件", "so many events within the period", needsForm},
		{"due", "截止日：N 单位 before|after 起算日，或 on 起算日；写成列表时取第一个日期已知的", "the due day: N unit before|after ANCHOR, or on ANCHOR; of a list the first whose day is known", duesForm},
		{"raise", "触发日（提示经办人的日子），写法同 due，另可从 due 起算", "the day it is raised: as due, and also counted from due", raiseForm},
		{"landing", "截止日遇休息日：following 顺延、preceding 提前、modified_following 顺延但不跨月、none 不动", "where a limit lands that ends on a day off", landingForm},
		{"by", "经办岗位，缺省 officer；列表时每个岗位各一项", "the role that performs it; default officer; of a list one obligation each", bysForm},
		{"branch", "above：由上级机构办理", "above: the branch above does it", aboveForm},
		{"sign", "经办后依次签批的岗位；或 {if: 条件, by: [岗位]} 的列表，取第一个成立的", "roles that sign afterwards, in order; or a list of {if, by}, the first that holds", signForm},
		{"closes_on", "哪些事件办结它；{event: …, if: 条件} 为有条件", "events that discharge it", closersForm},
		{"notice", "通知书模板", "template of the letter", textForm},
		{"yields_to", "同一对象、同一期末已有这些规则的义务时，本规则不再产生", "not derived where one of these is, for the same subject and period end", ruleListForm},
		{"effective_from", "生效日（按起算日，含当日）", "first anchor day it holds for", dayForm},
		{"effective_to", "失效日（按起算日，含当日）", "last anchor day it holds for", dayForm},
		{"remind", "截止日前的提醒", "reminders before due", remindForm},
		{"escalate", "逾期后逐级升级", "who is told of an overdue duty, and when", escalateForm},
		{"overrides", "个别机构（及其下级）的不同规定", "what a branch, and those below it, do otherwise", overridesForm},
	}
	overrideKeys = append(fields{
		{"branch", "机构号；下级机构同此", "number of the branch; those below it follow", textForm},
		{"why", "理由", "the reason in words", textForm},
		{"off", "true：该机构不执行本规则", "true: the rule does not hold there", boolForm},
	}, ruleKeys.only(overridable...)...)
	standingKeys = fields{
		{"rows", "对应资料表的行号", "rows of the source table that it serves", rowsForm},
		{"name", "事项名称（中文）", "what staff read", textForm},
		{"check", "由哪一项检查负责", "the check that looks at it", checkForm},
		{"note", "说明", "a remark", textForm},
	}
	triggerKeys = fields{
		{"event", "事件", "the event", eventForm},
		{"in_a_row", "连续几个月都发生时才触发，如 3 months", "only in the last of so many months in a row, as in 3 months", inARowForm},
	}
	closerKeys = fields{
		{"event", "事件", "the event", eventForm},
		{"if", "条件，可用 event", "a condition about the event", conditionForm},
	}
	chainKeys = fields{
		{"if", "条件；没有则总是成立", "condition; none always holds", conditionForm},
		{"by", "依次签批的岗位；[] 为不需签批", "roles that sign, in order; [] is nobody", rolesForm},
	}
	fieldKeys = fields{
		{"name", "名称（中文），也可用作键", "what staff read, and may type", textForm},
		{"also", "其他叫法", "other words for it", textsForm},
		{"type", "text 文字、number 数字、date 日期、yes_no 是否；缺省 text", "what it holds; default text", fieldTypeForm},
		{"values", "可取的值：{low: 低, high: 高}", "the values it may have", valuesForm},
		{"required", "true：登记时必填", "true: an event without it is refused", boolForm},
	}
	defaultsKeys = fields{
		{"remind", "截止日前的提醒", "reminders before due", remindForm},
		{"escalate", "逾期后逐级升级", "who is told of an overdue duty, and when", escalateForm},
	}
	escalateKeys = fields{
		{"after", "逾期多久", "overdue by so long", limitForm},
		{"to", "告知哪个岗位", "the role that is told", roleForm},
	}
	eventKeys = fields{
		{"name", "事件名称（中文）", "what staff read", textForm},
		{"for", "事件发生在谁身上", "what it may be recorded of", kindsForm},
		{"fields", "登记的内容", "what is written down of it", eventFieldsForm},
	}
	exceptKeys = fields{
		{"if", "豁免条件", "condition of the exemption", conditionForm},
		{"why", "豁免理由", "the exemption in words", textForm},
	}
	needsKeys = fields{
		{"count", "数哪个事件", "the event that is counted", eventForm},
		{"cover", "覆盖什么：subordinate_branches 下级机构、loans 在管贷款", "what is to be covered", coverForm},
		{"by", "哪个事件算一次覆盖", "the event that covers", eventForm},
		{"at_least", "至少几次：整数或条件；覆盖可写百分比，如 40%", "how often at least: a whole number, an expression, or of a coverage a share as in 40%", numberForm},
	}
)
