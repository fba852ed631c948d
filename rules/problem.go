package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a rulebook, where it stands and what was expected.
type Problem struct {
	File string `json:"file"`
	Line int    `json:"line"` // 1-based
	Col  int    `json:"col"`  // 1-based, in characters; 0 where only the line is known
	Rule string `json:"rule,omitempty"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"` // the next step
}

// String gives file:line:column: rule "id": text; hint.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
		if p.Col > 0 {
			fmt.Fprintf(&b, ":%d", p.Col)
		}
	}
	b.WriteString(": ")
	if p.Rule != "" {
		fmt.Fprintf(&b, "rule %q: ", p.Rule)
	}
	b.WriteString(p.Text)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems are all the mistakes of one file, in the order of the file.
type Problems []Problem

// Error gives one line a problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// sorted puts them in the order of the file, each once.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	said := make(map[Problem]bool, len(ps))
	return slices.DeleteFunc(ps, func(p Problem) bool {
		twice := said[p]
		said[p] = true
		return twice
	})
}

// didYouMean gives `did you mean "x"?` for the nearest of the words, or "".
func didYouMean(word string, words []string) string {
	if w := english[word]; w != "" && slices.Contains(words, w) {
		return fmt.Sprintf("did you mean %q? (%s)", w, word)
	}
	best, at := "", max(1, len([]rune(word))/3)
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d <= at {
			best, at = w, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// english gives the rulebook's word for what people call it.
var english = map[string]string{
	"正常": "normal", "关注": "special_mention", "次级": "substandard", "可疑": "doubtful", "损失": "loss", "常规": "regular", "重点": "key",
	"客户经理": "officer", "主管": "supervisor", "公司业务部主管": "supervisor", "监控专岗": "monitor", "风险经理": "risk_manager",
	"主管行长": "deputy_president", "行长": "president", "运维": "ops", "审计": "auditor", "资产经营部": "asset_manager",
	"手册": "manual", "县支行": "county", "政策性银行": "policy",
	"周": "week", "半月": "half_month", "月": "month", "季": "quarter", "半年": "half_year", "年": "year", "付息日": "interest_date", "付费日": "fee_date",
	"顺延": "following", "提前": "preceding", "借据": "loan", "贷款": "loan", "客户": "borrower", "借款人": "borrower", "保证人": "guarantor",
	"押品": "collateral", "集团": "group", "机构": "branch", "下级机构": "subordinate_branches",
}

// distance is the number of letters to insert, drop, change or swap with a
// neighbour.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	var prev2 []int
	prev := make([]int, len(t)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row := make([]int, len(t)+1)
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev = prev, row
	}
	return prev[len(t)]
}
