package report

import "strings"

// categories are the five of 篇四 2; a bank may add 类, 客户 or 退出 to them.
var categories = map[string]bool{
	"优良": true, "正常": true, "限制": true, "严格限制": true, "坚决退出": true,
	"坚决": true, // 坚决退出 without its suffix
}

// isCategory reads a word of 客户类别.
func isCategory(s string) bool {
	for _, end := range []string{"客户", "类", "退出"} {
		s = strings.TrimSuffix(s, end)
	}
	return categories[s]
}

// natural says that 客户类型 speaks of a person, who is in none of the five
// categories.
func natural(kind string) bool {
	for _, w := range []string{"自然人", "个人", "个体", "农户", "对私"} {
		if strings.Contains(kind, w) {
			return true
		}
	}
	return false
}

// category: a corporate borrower is in one of the five categories, and who
// answers for making each loan has been established. Neither is a field of the
// ledger: they come in columns that it keeps as they are, 客户类别 or 客户分类
// and 责任认定 or 经营责任认定. A customer sheet's 客户类别 is read as its
// 客户类型, so that is looked at too.
func (a *Auditor) category(h *Holding) {
	category, kind := "", ""
	if h.Sheet != nil {
		category, kind = extra(h.Sheet.X, "客户类别", "客户分类"), h.Sheet.Type
		if category == "" && isCategory(kind) {
			category = kind
		}
	}
	responsible := false // a column of the customer sheet speaks for all of his loans
	if h.Sheet != nil {
		responsible = extra(h.Sheet.X, "责任认定") != ""
	}
	for i := range h.Loans {
		if category == "" {
			category = extra(h.Loans[i].X, "客户类别", "客户分类")
		}
	}
	switch {
	case natural(kind) || natural(category):
	case category == "":
		a.borrower(h, CheckCategory, NoCategory, "", "")
	case !isCategory(category):
		a.seen[NoCategory] = true
		a.borrower(h, CheckCategory, UnknownCategory, category, "")
	default:
		a.seen[NoCategory] = true
	}
	for i := range h.Loans {
		if responsible || extra(h.Loans[i].X, "责任认定") != "" {
			a.seen[NoResponsibility] = true
		} else {
			a.loan(h, &h.Loans[i], CheckCategory, NoResponsibility, "")
		}
	}
}
