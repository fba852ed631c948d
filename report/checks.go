package report

// Check is one completeness of a portfolio: what must be there all the time
// and has no deadline. A rulebook's standing entry names it by its word.
type Check struct {
	Word   string // under `check` of a standing entry, and in JSON and CSV
	Name   string // in Chinese
	Clause string
	Rows   []string // of the source's readings
	Sets   []string // the sets whose clause it is; empty: every branch's, whatever it follows
}

// The words of the checks.
const (
	CheckStaffed    = "staffed"
	CheckCustodian  = "custodian"
	CheckTier       = "tier"
	CheckCategory   = "category"
	CheckStageLog   = "stage_log"
	CheckWatchFacts = "watch_facts"
	CheckMaturity   = "maturity"
	CheckNPLMode    = "npl_mode"
	CheckAssumed    = "assumed"
	CheckReports    = "reports"
)

// Checks lists every check, in the order of a report. The first six are the
// standing entries of the manual; the others say whether the facts at hand let
// the rules speak at all.
var Checks = []Check{
	{CheckStaffed, "每户有客户经理（第一责任人）和风险经理", "篇五 (一)二、篇四 1", []string{"D02", "C01"}, nil},
	{CheckCustodian, "每户档案有专人", "篇四 5", []string{"C29"}, []string{"county"}},
	{CheckTier, "按规模、分类确定管户层级", "篇四 2", []string{"C09", "C10"}, []string{"county"}},
	{CheckCategory, "客户五类划分、逐笔经营责任认定", "篇四 2", []string{"C11", "C32"}, []string{"county"}},
	{CheckStageLog, "尽职手册分阶段记录", "篇五 (二)一", []string{"D10"}, []string{"policy"}},
	{CheckWatchFacts, "敞口与行业监测名单", "篇五 (四)四", []string{"D32"}, []string{"policy"}},
	{CheckMaturity, "借据有到期日", "篇三 二(二)", []string{"B36", "B38", "B40"}, nil},
	{CheckNPLMode, "不良贷款不按常规方式管理", "篇三 三", []string{"B71", "B66"}, nil},
	{CheckAssumed, "管理方式、五级分类由台账写明", "篇三 三、篇三 二(一)", []string{"B71", "B34"}, nil},
	{CheckReports, "每笔贷款有贷后检查报告规则", "篇三 二(七)", []string{"B57", "B58", "B65", "B66"}, nil},
}

// CheckOf finds a check by its word; nil if there is none.
func CheckOf(word string) *Check {
	for i := range Checks {
		if Checks[i].Word == word {
			return &Checks[i]
		}
	}
	return nil
}

// followed says that the branch follows a set whose clause the check is.
func (c *Check) followed(enabled []string) bool {
	if len(c.Sets) == 0 {
		return true
	}
	for _, s := range c.Sets {
		for _, e := range enabled {
			if s == e {
				return true
			}
		}
	}
	return false
}
