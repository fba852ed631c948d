package rules

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
		{"rules", "规则", "the rules", rulesForm},
	}
	ruleKeys = fields{
		{"id", "规则编号，小写字母、数字和 -；启用后不要改", "id: small letters, digits and -; never changed once in use", idForm},
		{"set", "属于哪一套制度，缺省 manual", "the set it belongs to; default manual", setForm},
		{"name", "义务名称（中文）", "what staff read", textForm},
		{"clause", "依据：手册或法律的条款", "clause of the manual or the law", textForm},
		{"note", "说明，不影响计算", "a remark; changes nothing", textForm},
		{"stated", "手册是否给出了期限；false 表示期限由本行确定", "whether the manual gives the figure; false: the bank's own", boolForm},
		{"for", "对谁：loan 借据、borrower 客户、guarantor 保证人、collateral 押品、group 集团、branch 机构、officer 客户经理", "what one obligation is about", kindForm},
		{"each", "对每一个保证人（或借款人本人及每一个保证人）各一项", "one obligation for each of these parties", eachForm},
		{"on", "由事件触发：每发生一次一项", "events that open it: one obligation for each", eventsListForm},
		{"every", "按周期：周、半月、月、季、半年、年；或付息日、付费日", "comes round each period, or on the loan's own schedule", everyForm},
		{"since", "从这些中最近的一次起算；办结后开始下一次", "counted from the latest of these; the next begins when it is done", sinceForm},
		{"within", "只取与这两天之间有交集的周期，最后一期截至后一天", "only the periods that touch these two days, the last cut at the second", withinForm},
		{"when", "条件：成立才有这项义务", "condition: there is an obligation only if it holds", conditionForm},
		{"except", "豁免：任何一条成立就没有这项义务", "exemptions: no obligation if any of them holds", exceptForm},
		{"needs", "周期内要有若干次某事件", "so many events within the period", needsForm},
		{"due", "截止日：N 单位 before|after 起算日，或 on 起算日", "the due day: N unit before|after ANCHOR, or on ANCHOR", dueForm},
		{"raise", "触发日（提示经办人的日子），写法同 due，另可从 due 起算", "the day it is raised: as due, and also counted from due", raiseForm},
		{"landing", "截止日遇休息日：following 顺延、preceding 提前、modified_following 顺延但不跨月、none 不动", "where a limit lands that ends on a day off", landingForm},
		{"by", "经办岗位，缺省 officer", "the role that performs it; default officer", roleForm},
		{"sign", "经办后依次签批的岗位", "roles that sign afterwards, in order", rolesForm},
		{"closes_on", "哪些事件办结它", "events that discharge it", eventsListForm},
		{"notice", "通知书模板", "template of the letter", textForm},
		{"yields_to", "同一对象、同一期末已有这些规则的义务时，本规则不再产生", "not derived where one of these is, for the same subject and period end", ruleListForm},
		{"effective_from", "生效日（按起算日，含当日）", "first anchor day it holds for", dayForm},
		{"effective_to", "失效日（按起算日，含当日）", "last anchor day it holds for", dayForm},
		{"remind", "截止日前的提醒", "reminders before due", remindForm},
		{"escalate", "逾期后逐级升级", "who is told of an overdue duty, and when", escalateForm},
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
	}
	exceptKeys = fields{
		{"if", "豁免条件", "condition of the exemption", conditionForm},
		{"why", "豁免理由", "the exemption in words", textForm},
	}
	needsKeys = fields{
		{"count", "数哪个事件", "the event that is counted", eventForm},
		{"at_least", "至少几次：整数或条件", "how often at least: a whole number or an expression", numberForm},
	}
)
