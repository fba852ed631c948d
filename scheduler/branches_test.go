package scheduler_test

import (
	"strings"
	"testing"

	"tickler/obligation"
)

// tree gives B00 and the five branches below it a loan each.
func tree(t *testing.T, today string, more ...string) *branch {
	b := newBranchUnder(t, today, everySet)
	b.ledger(row("机构=B01"), row("借据号=JJ2 客户号=C2 机构=B02"), row("借据号=JJ3 客户号=C3 机构=B03"))
	b.sheet("机构号 机构名称 上级机构 开业日 上次督导日", append([]string{
		"B00 分行 - 2000-01-01 -",
		"B01 一支行 B00 2000-01-01 -",
		"B02 二支行 B00 2000-01-01 -",
		"B03 三支行 B00 2000-01-01 -",
		"B04 四支行 B00 2000-01-01 -",
		"B05 五支行 B00 2000-01-01 -",
		"B06 新支行 B00 2026-01-02 -",
	}, more...)...)
	return b
}

const coverage = "supervision-coverage-year:branch/B00:2026"

func TestAVisitBelowCountsAbove(t *testing.T) {
	b := tree(t, "2026-11-23")
	want := func(have int, state obligation.State) {
		t.Helper()
		// 40 % of the five that were there on 1 January; B06 was not.
		if p := b.progress(coverage); p != (obligation.Progress{Have: have, Need: 2, Of: 5}) {
			t.Errorf("progress %+v, want %d of 2", p, have)
		}
		b.holds(map[string]string{coverage: string(state)})
	}
	want(0, obligation.Raised)
	b.tell("supervision.planned branch/B01 2026-11-20 id=p1 planned=2026-11-25")
	sample := b.all()["supervision-sample:branch/B01:p1"]
	if sample.Branch != "B00" || sample.Due != date("2026-11-25") || sample.State != obligation.Raised {
		t.Errorf("the sample is %s's, due %s, %s", sample.Branch, sample.Due, sample.State)
	}
	b.tell("supervision.done branch/B01 2026-11-23 id=d1")
	b.holds(map[string]string{"supervision-sample:branch/B01:p1": "done"})
	want(1, obligation.Raised)
	b.tell("supervision.done branch/B01 2026-11-23 id=d2") // the same branch again
	want(1, obligation.Raised)
	b.tell("supervision.done branch/B06 2026-11-23 id=d6") // too new to count
	want(1, obligation.Raised)
	b.tell("supervision.done branch/B04 2026-11-23 id=d4") // a branch without loans
	want(2, obligation.Done)
	b.again()
	b.withdraw("d1") // d2 stands
	want(2, obligation.Done)
	b.withdraw("d2")
	want(1, obligation.Raised)
	b.again()
}

func TestAVisitClosesTheRollingTwoYears(t *testing.T) {
	b := tree(t, "2026-11-23", "B07 七支行 B00 2025-02-10 -", "B08 八支行 B00 2000-01-01 2025-03-20")
	b.ledger(row("机构=B07 借据号=JJ7"), row("机构=B08 借据号=JJ8"))
	b.holds(map[string]string{
		"supervision-coverage-two-years:branch/B07:2025-02-10": "raised 2027-02-10", // never yet: from its opening
		"supervision-coverage-two-years:branch/B08:2025-03-20": "raised 2027-03-22", // the directory's last visit, on a day off
	})
	if o := b.all()["supervision-coverage-two-years:branch/B08:2025-03-20"]; o.Branch != "B00" {
		t.Errorf("it is done by %q, want the branch above", o.Branch)
	}
	b.tell("supervision.done branch/B07 2025-01-10 id=old") // before it opened: closes nothing
	b.holds(map[string]string{"supervision-coverage-two-years:branch/B07:2025-02-10": "raised 2027-02-10"})
	b.tell("supervision.done branch/B07 2026-11-20 id=d7")
	b.holds(map[string]string{"supervision-coverage-two-years:branch/B07:2025-02-10": "done 2027-02-10"})
	b.again()
	b.withdraw("d7")
	b.holds(map[string]string{"supervision-coverage-two-years:branch/B07:2025-02-10": "raised 2027-02-10"})
	b.again()
}

// What a person does not record the directory may say: 上次督导日.
func TestTheDirectorysLastVisitCounts(t *testing.T) {
	b := tree(t, "2026-11-23", "B08 八支行 B00 2000-01-01 2025-03-20")
	b.ledger(row("机构=B08 借据号=JJ8"))
	b.sheet("机构号 机构名称 上级机构 开业日 上次督导日", "B08 八支行 B00 2000-01-01 2026-11-20", "B01 一支行 B00 2000-01-01 2025-12-31")
	if p := b.progress(coverage); p != (obligation.Progress{Have: 1, Need: 3, Of: 6}) {
		t.Errorf("progress %+v", p)
	}
	b.holds(map[string]string{"supervision-coverage-two-years:branch/B08:2025-03-20": "done"})
	b.tell("supervision.done branch/B08 2026-11-20 id=d8") // the same visit
	if p := b.progress(coverage); p.Have != 1 {
		t.Errorf("told twice: progress %+v", p)
	}
	b.again()
}

func TestABranchThatMovesCountsBelowItsNewParent(t *testing.T) {
	b := tree(t, "2026-11-23", "A00 另一分行 - 2000-01-01 -", "A01 所属 A00 2000-01-01 -")
	b.tell("supervision.done branch/B02 2026-11-20 id=d2")
	b.tell("supervision.planned branch/B02 2026-11-20 id=p2 planned=2026-11-30")
	if p := b.progress(coverage); p.Have != 1 || p.Of != 5 {
		t.Errorf("before the move: %+v", p)
	}
	b.sheet("机构号 机构名称 上级机构 开业日 上次督导日", "B02 二支行 A00 2000-01-01 -")
	if p := b.progress(coverage); p != (obligation.Progress{Have: 0, Need: 2, Of: 4}) {
		t.Errorf("after the move, where it was: %+v", p)
	}
	if o := b.all()["supervision-coverage-year:branch/A00:2026"]; o.State != obligation.Done || o.ClosedBy != "d2" {
		t.Errorf("after the move, where it is: %s by %q", o.State, o.ClosedBy)
	}
	if o := b.all()["supervision-sample:branch/B02:p2"]; o.Branch != "A00" {
		t.Errorf("the visit is still for %q to make", o.Branch)
	}
	b.again()
}

func TestANewLeaderVisitsEveryBorrower(t *testing.T) {
	b := newBranchUnder(t, "2026-11-20", everySet)
	rows := []string{row(""), row("借据号=JJ1b"), row("借据号=JJ2 客户号=C2"), row("借据号=JJ3 客户号=C3"), row("借据号=JJ4 客户号=C4 余额=0"), row("借据号=JJ5 客户号=C5 机构=B02")}
	b.ledger(rows...)
	b.tell("leader.appointed branch/B01 2026-11-20 id=n1 who=王行长")
	visit := func(c string) string { return "new-leader-visit:branch/B01:n1:borrower/" + c }
	b.holds(map[string]string{visit("C1"): "raised 2027-02-22", visit("C2"): "raised 2027-02-22", visit("C3"): "raised 2027-02-22", visit("C4"): "", visit("C5"): ""})
	r := b.tell("visit.made borrower/C1 id=v1")
	if len(r.Closed) != 1 || r.Closed[0].ID != visit("C1") {
		t.Errorf("the visit closed %+v", r.Closed)
	}
	if _, err := b.tryTell("visit.made branch/B01 id=v0"); err == nil || strings.Count(err.Error(), "new-leader-visit:") != 2 {
		t.Errorf("a visit to nobody: %v", err)
	}
	b.on("2026-11-23")
	rows[3] = row("借据号=JJ3 客户号=C3 余额=0")
	rows = append(rows, row("借据号=JJ6 客户号=C6 发放日=2026-11-23"), row("借据号=JJ2b 客户号=C2 发放日=2026-11-23"))
	b.ledger(rows...)
	b.holds(map[string]string{visit("C1"): "done", visit("C2"): "raised", visit("C3"): "cancelled", visit("C6"): ""})
	rows[2] = row("借据号=JJ2 客户号=C2 余额=0") // paid off by the new loan: still a borrower
	b.on("2026-11-24")
	b.ledger(rows...)
	b.holds(map[string]string{visit("C2"): "raised"})
	b.again()
	b.withdraw("v1")
	b.holds(map[string]string{visit("C1"): "raised 2027-02-22"})
	b.withdraw("n1")
	b.holds(map[string]string{visit("C1"): "cancelled", visit("C2"): "cancelled"})
	b.again()
}

// The nearest branch above says what holds; a branch that moves takes over what
// holds where it now stands.
func TestTheNearestBranchsRuleHolds(t *testing.T) {
	rule := strings.Replace(everySet, "- id: maturity-notice\n", `- id: x-notice
  for: loan
  due: 10 workdays before loan.maturity
  closes_on: notice.maturity_sent
  overrides:
  - {branch: P01, due: 20 workdays before loan.maturity, why: 省行规定}
  - {branch: B01, due: 5 workdays before loan.maturity, why: 支行批复}
  - {branch: B02, off: true, why: 系统自动发送}
- id: x-maturing
  for: branch
  every: month
  due: 1 workday after period.end
  closes_on: branch.reported
  overrides:
  - {branch: B00, due: 3 workdays after period.end, why: 分行}
- id: maturity-notice
`, 1)
	b := newBranchUnder(t, "2026-11-23", rule)
	b.ledger(row("机构=B01 到期日=2026-12-31"), row("借据号=JJ2 客户号=C2 机构=B02 到期日=2026-12-31"),
		row("借据号=JJ3 客户号=C3 机构=B03 到期日=2026-12-31"), row("借据号=JJ4 客户号=C4 机构=B04 到期日=2026-12-31"))
	const all = ":2026-12-31"
	b.holds(map[string]string{ // no tree yet
		"x-notice:loan/JJ1" + all: "planned 2026-12-24", "x-notice:loan/JJ2" + all: "",
		"x-notice:loan/JJ3" + all: "planned 2026-12-17", "x-notice:loan/JJ4" + all: "planned 2026-12-17",
		"x-maturing:branch/B03:2026-11": "planned 2026-12-01",
	})
	head := "机构号 机构名称 上级机构 开业日"
	b.sheet(head, "P01 省行 - 2000-01-01", "B00 分行 P01 2000-01-01", "B01 一支行 B00 2000-01-01", "B02 二支行 B00 2000-01-01", "B03 三支行 B00 2000-01-01")
	b.holds(map[string]string{
		"x-notice:loan/JJ1" + all:       "planned 2026-12-24", // its own
		"x-notice:loan/JJ2" + all:       "",
		"x-notice:loan/JJ3" + all:       "raised 2026-12-03", // the province's, two levels up
		"x-notice:loan/JJ4" + all:       "planned 2026-12-17",
		"x-maturing:branch/B03:2026-11": "planned 2026-12-03",
	})
	if o := b.all()["x-notice:loan/JJ3"+all]; o.WasDue != date("2026-12-17") {
		t.Errorf("moved from %s", o.WasDue)
	}
	b.again()
	b.on("2026-11-24")
	b.sheet(head, "B03 三支行 B02 2000-01-01", "B01 一支行 - 2000-01-01")
	b.holds(map[string]string{
		"x-notice:loan/JJ1" + all:       "planned 2026-12-24",
		"x-notice:loan/JJ3" + all:       "cancelled",
		"x-maturing:branch/B03:2026-11": "planned 2026-12-03",
	})
	b.again()
	b.sheet(head, "B03 三支行 - 2000-01-01")
	b.holds(map[string]string{"x-notice:loan/JJ3" + all: "raised 2026-12-17", "x-maturing:branch/B03:2026-11": "planned 2026-12-01"})
	b.again()
}

func TestTheBranchAboveDoesItWhereverItsTreeMoves(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", withRules("- {id: x-above, for: borrower, every: month, branch: above, due: on period.end, closes_on: monitoring.onsite}\n"))
	b.ledger(row(""))
	for _, c := range []struct{ sheet, want string }{{"", "B01"}, {"B01 一支行 B00 2000-01-01", "B00"}, {"B01 一支行 A00 2000-01-01", "A00"}, {"B01 一支行 - 2000-01-01", "B01"}} {
		if c.sheet != "" {
			b.sheet("机构号 机构名称 上级机构 开业日", c.sheet)
		}
		if got := b.all()["x-above:borrower/C1:2026-11"].Branch; got != c.want {
			t.Errorf("%q: done by %q, want %q", c.sheet, got, c.want)
		}
		b.again()
	}
}

// What counts is the day that the limit counts from: both ends of the stretch
// in which the rule, or a branch's own, holds.
func TestARuleHoldsByItsAnchor(t *testing.T) {
	rule := strings.Replace(everySet, "\nrules:\n", `
rules:
- id: x-notice
  for: loan
  due: 10 workdays before loan.maturity
  effective_from: 2026-12-30
  effective_to: 2027-01-31
  overrides:
  - {branch: B02, effective_from: 2026-12-31, why: 支行推迟一天}
`, 1)
	b := newBranchUnder(t, "2026-11-23", rule)
	b.ledger(row("到期日=2026-12-29"), row("借据号=JJ2 到期日=2026-12-30"), row("借据号=JJ3 到期日=2027-01-31"), row("借据号=JJ4 到期日=2027-02-01"),
		row("借据号=JJ5 机构=B02 到期日=2026-12-30"), row("借据号=JJ6 机构=B02 到期日=2026-12-31"))
	if got, want := b.of("x-notice"), "loan/JJ2:2026-12-30 planned, loan/JJ3:2027-01-31 planned, loan/JJ6:2026-12-31 planned"; got != want {
		t.Errorf("there are %s; want %s", got, want)
	}
}

// The sheet's 上次检查日 does what a recorded inspection does, and a corrected
// sheet takes it back.
func TestTheSheetsLastInspectionCounts(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("发放日=2025-06-16 到期日=2028-06-15"))
	head := "押品号 借据号 名称 种类 上次检查日"
	b.sheet(head, "K1 JJ1 厂房 房产 2025-12-15")
	const old, next = "collateral-inspection:collateral/K1:2025-12-15", "collateral-inspection:collateral/K1:2026-11-20"
	b.holds(map[string]string{old: "raised 2026-12-15", next: ""})
	b.on("2026-11-24")
	b.sheet(head, "K1 JJ1 厂房 房产 2026-11-20")
	b.holds(map[string]string{old: "done 2026-12-15", next: "raised 2027-11-19"})
	if o := b.all()[old]; o.DoneOn != date("2026-11-20") {
		t.Errorf("done on %s", o.DoneOn)
	}
	b.again()
	b.on("2026-11-25")
	b.sheet(head, "K1 JJ1 厂房 房产 2025-12-15")
	b.holds(map[string]string{old: "raised 2026-12-15", next: "cancelled"})
	b.again()
}

// On the day of the payout everything is looked at: the next time is a year on.
func TestAnInspectionOnTheDayItCountsFromBeginsTheCount(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("发放日=2026-11-23 到期日=2028-06-15"))
	b.sheet("押品号 借据号 名称 种类", "K1 JJ1 厂房 房产")
	const duty = "collateral-inspection:collateral/K1:2026-11-23"
	b.tell("collateral.inspected collateral/K1 2026-11-23")
	b.tell("collateral.inspected collateral/K1 2026-11-20") // an older one
	b.holds(map[string]string{duty: "raised 2027-11-23"})
	b.on("2026-11-25")
	b.tell("collateral.inspected collateral/K1 2026-11-25")
	b.holds(map[string]string{duty: "done 2027-11-23", "collateral-inspection:collateral/K1:2026-11-25": "raised 2027-11-25"})
	b.again()
}
