package report

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

var today = calendar.MustDate(2026, 11, 23)

// whole is a borrower of whom nothing is missing.
func whole(id string) *Holding {
	l := &loan.Loan{ID: "J" + id, Borrower: id, BorrowerName: "甲公司", Branch: "B01", Officer: "S1", Balance: 1000_00, Disbursed: calendar.MustDate(2025, 1, 10),
		Maturity: calendar.MustDate(2027, 1, 10), Class: loan.Normal, Mode: loan.Regular, X: map[string]string{"经营责任认定": "已认定"}}
	return &Holding{ID: id, Loans: []Lent{{l, Watch{State: Reported}}},
		Sheet:  &loan.Borrower{ID: id, Name: "甲公司", RiskManager: "S2", Custodian: "S3", Exposure: 1, Industry: "油脂", X: map[string]string{"客户类别": "优良"}},
		Events: []loan.Event{{Kind: "worklog.submitted", Happened: calendar.MustDate(2026, 3, 1)}}}
}

func audit(hs ...*Holding) Portfolio {
	a := NewAuditor(Options{On: today, Enabled: []string{"manual", "county"}, Large: 100_000_00, Medium: 10_000_00,
		Staff: map[string]*loan.Staff{"S1": {ID: "S1", Post: "网点客户经理"}, "S8": {ID: "S8", Post: "客户部客户经理"}, "S9": {ID: "S9", Post: "客户经理"}}})
	for _, h := range hs {
		a.Look(h)
	}
	return a.Report()
}

// lines gives what was found as CHECK WHAT KIND/ID have want.
func lines(p Portfolio) []string {
	out := []string{}
	for _, g := range p.Groups {
		for _, f := range g.Findings {
			subject := fmt.Sprintf("all %d", f.Count)
			if f.Subject != nil {
				subject = f.Subject.String()
			}
			line := fmt.Sprintf("%s %s %s", g.Check, f.What, subject)
			if f.Have != "" {
				line += " " + f.Have
			}
			if f.Want != "" {
				line += " -> " + f.Want
			}
			if f.Note {
				line = "note: " + line
			}
			out = append(out, line)
		}
	}
	return out
}

func TestEachGapIsFoundByItsCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(*Holding)
		want []string
	}{
		{"nothing", func(*Holding) {}, []string{}},
		{"no officer", func(h *Holding) { h.Loans[0].Officer = "" }, []string{"staffed no_officer borrower/C2"}},
		{"his sheet's officer, none of the loan", func(h *Holding) { h.Sheet.Officer, h.Loans[0].Officer = "S1", "" }, []string{"staffed no_officer loan/JC2 S1"}},
		{"several officers", func(h *Holding) {
			second := *h.Loans[0].Loan
			second.Officer = "S0"
			h.Loans = append(h.Loans, Lent{&second, Watch{State: Reported}})
		}, []string{"staffed several_officers borrower/C2 S0, S1"}},
		{"several officers, his sheet decides", func(h *Holding) {
			second := *h.Loans[0].Loan
			second.Officer = "S0"
			h.Sheet.Officer = "S1"
			h.Loans = append(h.Loans, Lent{&second, Watch{State: Reported}})
		}, []string{}},
		{"no risk manager", func(h *Holding) { h.Sheet.RiskManager = "" }, []string{"staffed no_risk_manager borrower/C2"}},
		{"no custodian", func(h *Holding) { h.Sheet.Custodian = "" }, []string{"custodian no_custodian borrower/C2"}},
		{"no sheet", func(h *Holding) { h.Sheet = nil }, []string{"staffed no_risk_manager borrower/C2", "custodian no_custodian borrower/C2", "category no_category borrower/C2",
			"watch_facts no_exposure borrower/C2", "watch_facts no_industry borrower/C2"}},
		{"an NPL of the outlet", func(h *Holding) { h.Loans[0].Class, h.Loans[0].Mode = loan.Doubtful, loan.Key }, []string{"tier wrong_tier borrower/C2 S1 网点客户经理 -> assets"}},
		{"a large one of the outlet", func(h *Holding) { h.Loans[0].Balance = 100_000_00 }, []string{"tier wrong_tier borrower/C2 S1 网点客户经理 -> president"}},
		{"a medium one of the outlet", func(h *Holding) { h.Loans[0].Balance = 10_000_00 }, []string{"tier wrong_tier borrower/C2 S1 网点客户经理 -> department"}},
		{"a small one of the department", func(h *Holding) { h.Loans[0].Officer = "S8" }, []string{"tier wrong_tier borrower/C2 S8 客户部客户经理 -> outlet"}},
		{"a post that tells nothing", func(h *Holding) { h.Loans[0].Officer = "S9" }, []string{"note: tier no_post all 1"}},
		{"no category", func(h *Holding) { h.Sheet.X = nil }, []string{"category no_category borrower/C2"}},
		{"a person", func(h *Holding) { h.Sheet.X, h.Sheet.Type = nil, "自然人" }, []string{}},
		{"the category under 客户类型", func(h *Holding) { h.Sheet.X, h.Sheet.Type = nil, "严格限制类" }, []string{}},
		{"the category in the loan's row", func(h *Holding) { h.Sheet.X, h.Loans[0].X["客户分类"] = nil, "坚决退出" }, []string{}},
		{"a sixth category", func(h *Holding) { h.Sheet.X["客户类别"] = "一般" }, []string{"category unknown_category borrower/C2 一般"}},
		{"no responsibility", func(h *Holding) { h.Loans[0].X = nil }, []string{"category no_responsibility loan/JC2"}},
		{"an old log", func(h *Holding) { h.Events[0].Happened = calendar.MustDate(2025, 11, 23) }, []string{"stage_log no_log borrower/C2"}},
		{"another event", func(h *Holding) { h.Events[0].Kind = "class.changed" }, []string{"stage_log no_log borrower/C2"}},
		{"a new borrower without a log", func(h *Holding) { h.Events, h.Loans[0].Disbursed = nil, calendar.MustDate(2026, 10, 24) }, []string{}},
		{"an exposure of 0", func(h *Holding) { h.Sheet.Exposure, h.Sheet.X["敞口"] = 0, "0" }, []string{}},
		{"no exposure", func(h *Holding) { h.Sheet.Exposure = 0 }, []string{"watch_facts no_exposure borrower/C2"}},
		{"the industry in the loan's row", func(h *Holding) { h.Sheet.Industry, h.Loans[0].X["所属行业"] = "", "棉花" }, []string{}},
		{"no maturity", func(h *Holding) { h.Loans[0].Maturity = 0 }, []string{"maturity no_maturity loan/JC2"}},
		{"an NPL in mode regular", func(h *Holding) { h.Loans[0].Class, h.Loans[0].Officer = loan.Loss, "S9" }, []string{"note: tier no_post all 1", "npl_mode npl_regular loan/JC2 loss"}},
		{"assumed", func(h *Holding) { h.Loans[0].X["管理方式"], h.Loans[0].X["五级分类"] = "缺省", "缺省" }, []string{"assumed mode_assumed loan/JC2", "assumed class_assumed loan/JC2"}},
		{"unseen", func(h *Holding) { h.Loans[0].Watch = Watch{Unseen, "why"} }, []string{"reports no_report_rule loan/JC2 why"}},
		{"excused", func(h *Holding) { h.Loans[0].Watch = Watch{Excused, "why"} }, []string{"note: reports exempt_from_report loan/JC2 why"}},
		{"excused for want of a maturity", func(h *Holding) { h.Loans[0].Watch, h.Loans[0].Maturity = Watch{Excused, "short"}, 0 },
			[]string{"maturity no_maturity loan/JC2", "reports no_report_rule loan/JC2 没有到期日，被当作短期贷款豁免（short）"}},
	} {
		h := whole("C2")
		c.make(h)
		p := audit(whole("C1"), h)
		if got := lines(p); !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", c.name, got, c.want)
		}
		found := 0
		for _, g := range p.Groups {
			found += g.Count
		}
		notes := 0
		for _, l := range c.want {
			if l[:4] == "note" {
				notes++
			}
		}
		if found != len(c.want)-notes {
			t.Errorf("%s: counted %d", c.name, found)
		}
	}
}

// Ten thousand borrowers without a category are one line: there is no column.
func TestWhatNobodyHasIsOneLine(t *testing.T) {
	var hs []*Holding
	for i := range 50 {
		h := whole(fmt.Sprint(i))
		h.Sheet, h.Loans[0].X, h.Events = nil, nil, nil
		hs = append(hs, h)
	}
	want := []string{"staffed no_risk_manager all 50", "custodian no_custodian all 50", "category no_category all 50", "category no_responsibility all 50",
		"stage_log no_log all 50", "watch_facts no_exposure all 50", "watch_facts no_industry all 50"}
	p := audit(hs...)
	if got := lines(p); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if n := p.Amiss(); n != 200 { // not the last two, which only set policy asks for
		t.Errorf("%d amiss, want 200", n)
	}
}

func TestARiskManagerIsAskedForWhereCountyIsFollowed(t *testing.T) {
	h := whole("C1")
	h.Sheet.RiskManager = ""
	a := NewAuditor(Options{On: today, Enabled: []string{"manual"}, Large: 1e9, Medium: 1e8})
	a.Look(h)
	for _, g := range a.Report().Groups {
		if g.Count > 0 {
			t.Errorf("%+v", g)
		}
	}
}

// Whatever the portfolio, a report has every check once, counts what it lists,
// and lists nobody twice for one thing.
func TestAReportAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var hs []*Holding
		for i := range rapid.IntRange(0, 6).Draw(t, "borrowers") {
			h := whole(fmt.Sprintf("C%d", i))
			yes := func(what string) bool { return rapid.Bool().Draw(t, what) }
			if yes("sheet") {
				h.Sheet = nil
			}
			if yes("x") {
				h.Loans[0].X = nil
			}
			if yes("officer") {
				h.Loans[0].Officer = ""
			}
			if yes("maturity") {
				h.Loans[0].Maturity = 0
			}
			h.Loans[0].Class = loan.Classes[rapid.IntRange(0, 4).Draw(t, "class")]
			h.Loans[0].Watch.State = []Watching{Reported, Excused, Unseen}[rapid.IntRange(0, 2).Draw(t, "watch")]
			hs = append(hs, h)
		}
		p := audit(hs...)
		if len(p.Groups) != len(Checks) || p.Borrowers != len(hs) {
			t.Fatalf("%d groups of %d borrowers", len(p.Groups), p.Borrowers)
		}
		amiss := 0
		for i, g := range p.Groups {
			n := 0
			seen := map[string]bool{}
			for _, f := range g.Findings {
				if !f.Note {
					n += f.Count
				}
				if f.Subject != nil {
					k := f.What + f.Subject.String()
					if seen[k] {
						t.Fatalf("%s twice", k)
					}
					seen[k] = true
				}
			}
			if g.Check != Checks[i].Word || n != g.Count {
				t.Fatalf("%s: counts %d, lists %d", g.Check, g.Count, n)
			}
			if g.Followed {
				amiss += n
			}
		}
		if p.Amiss() != amiss {
			t.Fatalf("%d amiss, want %d", p.Amiss(), amiss)
		}
	})
}

func TestTheTierFollowsClassThenBalance(t *testing.T) {
	for _, c := range []struct {
		balance, large, medium loan.Fen
		class                  loan.Class
		want                   []Tier
	}{
		{500, 500, 100, loan.Normal, []Tier{TierPresident}},
		{499, 500, 100, loan.SpecialMention, []Tier{TierDepartment}},
		{99, 500, 100, loan.Normal, []Tier{TierOutlet}},
		{500, 500, 100, loan.Substandard, []Tier{TierAssets}},
		{99, 500, 0, loan.Normal, []Tier{TierDepartment, TierOutlet}},
		{500, 0, 100, loan.Normal, []Tier{TierPresident, TierDepartment}},
		{500, 0, 0, loan.Normal, []Tier{TierPresident, TierDepartment, TierOutlet}},
	} {
		if got := TiersOf(c.balance, c.class, c.large, c.medium); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v", c, got)
		}
	}
	for post, want := range map[string]Tier{"客户经理": "", "": "", "风险经理": "", "行长": TierPresident, "主管行长": TierPresident, "公司业务部主管": TierDepartment,
		"客户部客户经理": TierDepartment, "营业部客户经理": TierOutlet, "资产经营部客户经理": TierAssets, "不良清收专员": TierAssets} {
		if got := TierOfPost(post); got != want {
			t.Errorf("%q: %q, want %q", post, got, want)
		}
	}
}

func TestAnExemptionIsNoGapInTheRules(t *testing.T) {
	period := func(m, d int) *calendar.Period { return &calendar.Period{End: calendar.MustDate(2026, m, d)} }
	v := func(rule string, p *calendar.Period, o obligation.Outcome) *obligation.Reason {
		r := &obligation.Reason{Rule: rule, Period: p, Outcome: o}
		if o == obligation.Exempt {
			r.Tests = []obligation.Test{{Kind: "except", Holds: false, Why: "no"}, {Kind: "except", Holds: true, Why: "short"}}
		}
		return r
	}
	type list = []*obligation.Reason
	old, next := period(6, 30), period(12, 31)
	for _, c := range []struct {
		name             string
		verdicts, beyond list
		want             Watch
	}{
		{"a duty to come", list{v("q", old, obligation.WhenFalse), v("q", next, obligation.Derived)}, nil, Watch{State: Reported}},
		{"waived", list{v("q", next, obligation.WhenFalse), v("h", next, obligation.Exempt)}, nil, Watch{Excused, "h：short"}},
		{"waived before, asked by none now", list{v("h", old, obligation.Exempt), v("h", next, obligation.WhenFalse)}, nil, Watch{Unseen, "条件均不成立：h"}},
		{"a duty before, asked by none now", list{v("h", old, obligation.Derived), v("h", next, obligation.WhenFalse)}, nil, Watch{Unseen, "条件均不成立：h"}},
		{"short and waived, between two ends", list{v("q", next, obligation.WhenFalse), v("h", next, obligation.NotSeen)}, list{v("h", next, obligation.Exempt)}, Watch{Excused, "h：short"}},
		{"short and not waived, between two ends", list{v("h", next, obligation.NotSeen)}, list{v("h", next, obligation.Derived)}, Watch{Unseen, "h：期末 2026-12-31 在到期日之后"}},
		{"at the end of its life", list{v("h", old, obligation.Derived), v("h", next, obligation.NotSeen)}, list{v("h", next, obligation.Derived)}, Watch{State: Reported}},
		{"past its maturity, for a day", list{v("m", old, obligation.Derived), v("m", next, obligation.NotSeen)}, nil, Watch{State: Reported}},
		{"no rule at all", nil, nil, Watch{Unseen, "没有以 inspection.reported 办结的规则"}},
	} {
		if got := WatchOf(c.verdicts, c.beyond, today); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestEveryCheckIsFoundByItsWord(t *testing.T) {
	for i := range Checks {
		if c := CheckOf(Checks[i].Word); c != &Checks[i] || c.Clause == "" || len(c.Rows) == 0 {
			t.Errorf("%+v", Checks[i])
		}
	}
	if CheckOf("nosuch") != nil {
		t.Error("a check called nosuch")
	}
}
