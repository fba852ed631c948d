package report

import (
	"slices"
	"strings"

	"tickler/loan"
)

// Tier is who should manage a borrower. 篇四 2
type Tier string

const (
	TierPresident  Tier = "president"  // 行级干部, large ones
	TierDepartment Tier = "department" // 客户部门, medium ones
	TierOutlet     Tier = "outlet"     // 营业单位, small ones
	TierAssets     Tier = "assets"     // 资产经营部, NPLs of any size
)

// TiersOf gives the tiers that may manage a borrower of the balance and class:
// one, or several where a threshold is not known.
func TiersOf(balance loan.Fen, class loan.Class, large, medium loan.Fen) []Tier {
	switch {
	case class.NPL():
		return []Tier{TierAssets}
	case large > 0 && balance >= large:
		return []Tier{TierPresident}
	case medium > 0 && balance < medium:
		return []Tier{TierOutlet}
	}
	var out []Tier
	if large == 0 {
		out = append(out, TierPresident)
	}
	out = append(out, TierDepartment)
	if medium == 0 {
		out = append(out, TierOutlet)
	}
	return out
}

// postWords tell the tier of a post (岗位), the first that fits.
var postWords = []struct {
	tier  Tier
	words []string
}{
	{TierAssets, []string{"资产经营", "资产保全", "资产处置", "风险资产", "保全", "清收", "不良"}},
	{TierPresident, []string{"行长", "行级", "行领导"}},
	{TierOutlet, []string{"营业部", "营业所", "营业室", "营业单位", "分理处", "储蓄所", "网点"}},
	{TierDepartment, []string{"客户部", "公司业务部", "公司部", "业务部"}},
}

// TierOfPost reads a post; "" where it tells no tier, as 客户经理 alone.
func TierOfPost(post string) Tier {
	for _, p := range postWords {
		for _, w := range p.words {
			if strings.Contains(post, w) {
				return p.tier
			}
		}
	}
	return ""
}

// tier: nobody's officer has a post of another tier than the borrower's
// balance and class ask for. A post that tells none contradicts nothing.
func (a *Auditor) tier(h *Holding) {
	var missing []string
	if a.opt.Large == 0 {
		missing = append(missing, "large_loan")
	}
	if a.opt.Medium == 0 {
		missing = append(missing, "medium_loan")
	}
	if len(missing) > 0 {
		a.note(CheckTier, NoThreshold, strings.Join(missing, ", "))
	}
	who := h.officer()
	if who == "" {
		return
	}
	post := ""
	if s := a.opt.Staff[who]; s != nil {
		post = s.Post
	}
	have := TierOfPost(post)
	if have == "" {
		a.note(CheckTier, NoPost, "")
		return
	}
	var balance loan.Fen
	class := loan.Normal
	for i := range h.Loans {
		balance += h.Loans[i].Balance
		if h.Loans[i].Class.Rank() > class.Rank() {
			class = h.Loans[i].Class
		}
	}
	want := TiersOf(balance, class, a.opt.Large, a.opt.Medium)
	if !slices.Contains(want, have) {
		words := make([]string, len(want))
		for i, t := range want {
			words[i] = string(t)
		}
		a.borrower(h, CheckTier, WrongTier, who+" "+post, strings.Join(words, "|"))
	}
}
