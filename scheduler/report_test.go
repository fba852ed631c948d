package scheduler_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tickler"
	"tickler/api"
	"tickler/report"
	"tickler/rules"
	"tickler/scheduler"
)

// A sample holds borrowers of the inspected branch alone, comes again for the
// same day, and writes nothing.
func TestASampleIsDrawnFromTheBranchAsOfTheDay(t *testing.T) {
	b := newBranch(t, "2026-11-20")
	row := func(i int, branch, class, guarantee string, date string) string {
		return fmt.Sprintf("JJ%02d,C%02d,公司%d,%s,S001,100000,%d,2025-10-30,2027-10-30,%s,重点,%s,%s\n", i, i, i, branch, 1000*(i+1), class, guarantee, date)
	}
	ledger := func(date, last string) string {
		text := "借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,担保方式,数据日期\n"
		for i := range 30 {
			branch, class, guarantee := "B01", "正常", "信用"
			if i >= 20 {
				branch = "B02"
			}
			if i%3 == 1 {
				class = "关注"
			}
			if i%5 == 0 {
				guarantee = "抵押"
			}
			if i == 2 {
				class = last
			}
			text += row(i, branch, class, guarantee, date)
		}
		return text
	}
	b.importFile(ledger("2026-11-20", "正常"))
	b.goTo("2026-11-23")
	b.importFile(ledger("2026-11-23", "可疑"))
	before := b.head()
	ask := func(r api.SampleRequest) *api.SampleReply {
		t.Helper()
		s, err := b.s.Sample(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := ask(api.SampleRequest{Branch: "B01"})
	if s.On != date("2026-11-23") || s.SeedGiven || s.Seed != report.SeedOf("B01", s.On) || s.Population != 20 || len(s.Picks) != 10 {
		t.Errorf("%s, seed %d, %d of %d", s.On, s.Seed, len(s.Picks), s.Population)
	}
	want := map[string][4]int{ // want, there, at least, met
		report.InSize: {10, 20, 10, 1}, report.InLoans: {1, 20, 10, 1}, report.InNormal: {4, 12, 4, 1}, report.InSpecial: {5, 7, 5, 1},
		report.InNPL: {1, 1, 1, 1}, report.InLargest: {3, 10, 3, 1}, report.InSecured: {5, 4, 4, 0},
	}
	for _, c := range s.Constraints {
		w := want[c.Word]
		if c.Want != w[0] || c.There != w[1] || c.Got < w[2] || (c.State == report.Met) != (w[3] == 1) {
			t.Errorf("%+v, want %v", c, w)
		}
	}
	for _, p := range s.Picks {
		if p.Borrower >= "C20" {
			t.Errorf("%s is of another branch", p.Borrower)
		}
	}
	if again := ask(api.SampleRequest{Branch: "B01"}); !reflect.DeepEqual(s, again) {
		t.Error("the second draw differs")
	}
	seed := s.Seed
	if again := ask(api.SampleRequest{Branch: "B01", Seed: &seed}); !reflect.DeepEqual(s.Picks, again.Picks) || !again.SeedGiven {
		t.Error("the printed seed gives another sample")
	}
	for _, c := range ask(api.SampleRequest{Branch: "B01", On: date("2026-11-21")}).Constraints {
		if c.Word == report.InNPL && c.There != 0 {
			t.Errorf("on the 21st: %+v", c)
		}
	}
	if _, err := b.s.Sample(context.Background(), api.SampleRequest{Branch: "B09"}); api.CodeOf(err) != api.NotFound {
		t.Errorf("a branch without loans: %v", err)
	}
	if b.head() != before {
		t.Error("something was written")
	}
}

// What is missing is found in what a real store holds, loan by loan.
func TestTheGapsOfAPortfolioAreFound(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	b.cfg.RulesPath = filepath.Join(t.TempDir(), "rules.yaml")
	book := strings.Replace(string(tickler.Rulebook), "enable: [manual]", "enable: [manual, county]", 1)
	book = strings.Replace(book, "check: custodian", "check: custodain", 1)
	if err := os.WriteFile(b.cfg.RulesPath, []byte(book), 0o644); err != nil {
		t.Fatal(err)
	}
	b.st.Close()
	b.open()
	b.importFile("借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,发放类型,状态,责任认定,行业,数据日期\n"+
		"JJ1,C1,甲公司,B01,S001,10000,1000,2025-10-30,2027-10-30,正常,常规,新发放,,已认定,棉花,2026-11-23\n"+
		"JJ2,C2,乙公司,B01,S001,10000,1000,2025-10-30,2027-10-30,次级,常规,新发放,,已认定,,2026-11-23\n"+
		"JJ3,C3,丙公司,B01,,10000,1000,2025-10-30,,正常,,新发放,,,棉花,2026-11-23\n"+
		"JJ4,C4,丁公司,B01,S002,10000,1000,2026-07-20,2026-12-15,正常,常规,新发放,,已认定,棉花,2026-11-23\n"+ // exempt, though no half-year ends
		"JJ5,C5,戊公司,B01,S002,10000,1000,2026-07-20,2026-12-15,正常,常规,借新还旧,,已认定,棉花,2026-11-23\n"+ // slips through
		"JJ6,C6,己公司,B01,S002,10000,1000,2025-10-30,2027-10-30,可疑,重点,新发放,移交,已认定,棉花,2026-11-23\n"+ // no rule for what was handed over
		"JJ7,C7,庚公司,B01,S002,10000,1000,2026-11-10,2026-12-20,正常,常规,新发放,,已认定,棉花,2026-11-23\n"+ // exempt, and too young for a log
		"JJ8,C8,辛公司,B01,S002,10000,1000,2024-10-30,2026-12-10,正常,常规,新发放,,已认定,棉花,2026-11-23\n"+ // reported on, and nearly over
		"JJ9,C9,壬公司,B01,S002,10000,0,2025-10-30,2027-10-30,次级,常规,新发放,,,,2026-11-23\n", // settled
		func(r *api.ImportRequest) { r.Name = "借据.csv" })
	b.importFile("客户号,客户名称,客户分类,风险经理,档案管理人,敞口\nC1,甲公司,优良,S003,S004,0\nC2,乙公司,限制,S003,S004,\nC4,丁公司,一般,,S004,1\n",
		func(r *api.ImportRequest) { r.Name = "客户.csv" })
	b.importFile("工号,姓名,机构,岗位\nS001,张三,B01,营业部客户经理\nS002,李四,B01,客户经理\n", func(r *api.ImportRequest) { r.Name = "人员.csv" })
	for _, id := range []string{"C1", "C2"} {
		if _, err := b.s.Record(context.Background(), scheduler.Actor{OSUser: "ops"}, api.RecordRequest{Event: "worklog.submitted", Subject: "borrower/" + id, Happened: date("2026-11-20")}); err != nil {
			t.Fatal(err)
		}
	}
	before := b.head()
	r, err := b.s.Portfolio(context.Background(), api.PortfolioRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if b.head() != before {
		t.Error("something was written")
	}
	if r.On != date("2026-11-23") || r.Borrowers != 8 || r.Loans != 8 {
		t.Errorf("%s: %d borrowers, %d loans", r.On, r.Borrowers, r.Loans)
	}
	got := map[string]string{} // what -> subjects
	for _, g := range r.Groups {
		for _, f := range g.Findings {
			subject := fmt.Sprint("all ", f.Count)
			if f.Subject != nil {
				subject = f.Subject.ID
			}
			got[f.What] = strings.TrimSpace(got[f.What] + " " + subject)
		}
	}
	want := map[string]string{
		report.NoOfficer: "C3", report.NoRiskManager: "C3 C4 C5 C6 C7 C8", report.NoCustodian: "C3 C5 C6 C7 C8",
		report.WrongTier: "C2", report.NoPost: "all 5", // C1 is small, of the outlet; C2 is an NPL
		report.NoCategory: "C3 C5 C6 C7 C8", report.UnknownCategory: "C4", report.NoResponsibility: "JJ3",
		report.NoLog: "C3 C4 C5 C6 C8", report.NoExposure: "C2 C3 C5 C6 C7 C8", report.NoIndustry: "C2",
		report.NoMaturity: "JJ3", report.NPLRegular: "JJ2", report.ModeAssumed: "JJ3",
		report.NoReportRule: "JJ5 JJ6", report.ExemptFromReport: "JJ4 JJ7",
	}
	if !reflect.DeepEqual(got, want) {
		for _, m := range []map[string]string{got, want} {
			for k := range m {
				if got[k] != want[k] {
					t.Errorf("%s: %q, want %q", k, got[k], want[k])
				}
			}
		}
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "custodain") {
		t.Errorf("a misspelt check: %q", r.Warnings)
	}
	words := []string{}
	for _, g := range r.Groups {
		if !g.Followed {
			words = append(words, g.Check)
		}
	}
	if !slices.Equal(words, []string{report.CheckStageLog, report.CheckWatchFacts}) {
		t.Errorf("for information: %q", words)
	}
}

// What the shipped rulebook says of its standing requirements is what a check
// is for, and serves.
func TestTheStandingRequirementsHaveTheirChecks(t *testing.T) {
	b, err := rules.Parse("rules.yaml", tickler.Rulebook)
	if err != nil {
		t.Fatal(err)
	}
	served := 0
	for _, st := range b.Standing {
		if st.Check == "" {
			continue
		}
		served++
		if c := report.CheckOf(st.Check); c == nil || !slices.Equal(c.Rows, st.Rows) || c.Name != st.Name {
			t.Errorf("%+v: %+v", st, c)
		}
	}
	if served == 0 {
		t.Error("no standing requirement has a check")
	}
}
