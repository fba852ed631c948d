package scheduler_test

import (
	"strings"
	"testing"

	"tickler/obligation"
)

func TestAQuotaOnceMetStaysMetWhateverTheRulebookAsksLater(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row(""))
	const quota = "worklog-quota:borrower/C1:2026-11"
	b.tell("worklog.submitted borrower/C1 2026-11-20 id=w1")
	b.tell("incident.known borrower/C1 2026-11-20 id=i1")
	b.holds(map[string]string{quota: "done"})
	b.under(strings.Replace(everySet, `'borrower.mode == "key" ? 2 : 1'`, "3", 1))
	b.holds(map[string]string{quota: "done", "worklog-quota:borrower/C1:2026-12": "planned"})
	if p := b.progress("worklog-quota:borrower/C1:2026-12"); p.Need != 3 {
		t.Errorf("December needs %d", p.Need)
	}
	b.withdraw("i1") // what never counted
	b.holds(map[string]string{quota: "done"})
	b.withdraw("w1")
	b.holds(map[string]string{quota: "raised"})
	if p := b.progress(quota); p != (obligation.Progress{Have: 0, Need: 3}) {
		t.Errorf("open again: %+v", p)
	}
	b.again()
}

func TestAModeChangeInMidMonthChangesTheNeed(t *testing.T) {
	b := newBranchUnder(t, "2026-11-20", everySet)
	b.ledger(row("管理方式=重点"))
	const quota = "worklog-quota:borrower/C1:2026-11"
	b.tell("worklog.submitted borrower/C1 2026-11-20 id=w1")
	if p := b.progress(quota); p != (obligation.Progress{Have: 1, Need: 2}) {
		t.Errorf("key: %+v", p)
	}
	b.on("2026-11-23")
	b.ledger(row(""))
	b.holds(map[string]string{quota: "done"}) // the month's last day decides; today's facts stand for it
	b.again()
	const other = "worklog-quota:borrower/C1:2026-12"
	b.on("2026-12-07")
	if p := b.progress(other); p != (obligation.Progress{Have: 0, Need: 1}) {
		t.Errorf("regular: %+v", p)
	}
	b.ledger(row("管理方式=重点"))
	if p := b.progress(other); p != (obligation.Progress{Have: 0, Need: 2}) {
		t.Errorf("key again: %+v", p)
	}
	b.again()
}

func TestAClassChangeInMidPeriodChangesTheReport(t *testing.T) {
	b := newBranchUnder(t, "2026-11-20", everySet)
	b.ledger(row(""))
	b.holds(map[string]string{
		"inspection-report-half-year:loan/JJ1:2026-H2": "planned", "inspection-half-year:loan/JJ1:2026-H2": "raised",
		"inspection-report-quarter:loan/JJ1:2026-Q4": "", "inspection-report-month:loan/JJ1:2026-11": "",
	})
	b.on("2026-11-23")
	b.ledger(row("五级分类=关注"))
	b.holds(map[string]string{
		"inspection-report-half-year:loan/JJ1:2026-H2": "cancelled", "inspection-half-year:loan/JJ1:2026-H2": "cancelled",
		"inspection-report-quarter:loan/JJ1:2026-Q4": "planned 2027-01-22", "inspection-quarter:loan/JJ1:2026-Q4": "raised 2026-12-31",
	})
	if o := b.all()["inspection-half-year:loan/JJ1:2026-H2"]; o.Cause != "导入 ledger.csv" {
		t.Errorf("cause %q", o.Cause)
	}
	if o := b.all()["inspection-quarter:loan/JJ1:2026-Q4"]; o.Late != "导入时触发日已过" {
		t.Errorf("late: %q", o.Late)
	}
	b.on("2026-11-24")
	b.ledger(row("五级分类=次级"))
	b.holds(map[string]string{
		"inspection-report-quarter:loan/JJ1:2026-Q4": "cancelled", "inspection-report-month:loan/JJ1:2026-11": "planned",
		"inspection-month:loan/JJ1:2026-11": "raised", "npl-dunning:loan/JJ1:2026-11": "raised",
		"npl-plan:borrower/C1:class.changed%2Floan%2FJJ1%2F2026-11-24": "raised 2026-12-08",
	})
	b.again()
	b.on("2026-11-25") // and back: what was cancelled is there again
	b.ledger(row(""))
	b.holds(map[string]string{
		"inspection-half-year:loan/JJ1:2026-H2": "raised", "inspection-report-half-year:loan/JJ1:2026-H2": "planned",
		"inspection-month:loan/JJ1:2026-11": "cancelled", "npl-dunning:loan/JJ1:2026-11": "cancelled",
	})
	b.again()
}

// The class of the period's last day counts, also when it is asked later.
func TestTheLastDayOfThePeriodDecides(t *testing.T) {
	b := newBranchUnder(t, "2026-12-28", everySet)
	b.ledger(row(""))
	b.on("2027-01-06")
	b.ledger(row("五级分类=关注"))
	b.holds(map[string]string{
		"inspection-report-half-year:loan/JJ1:2026-H2": "raised 2027-01-22", "inspection-report-quarter:loan/JJ1:2026-Q4": "",
		"inspection-report-quarter:loan/JJ1:2027-Q1": "planned",
	})
	b.again()
}

func TestAnExtensionMovesWhatHangsOnTheMaturity(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("到期日=2026-12-31"))
	const week = "maturity-account-watch:loan/JJ1:2026-W53"
	b.holds(map[string]string{week: "planned 2026-12-31", "maturity-notice:loan/JJ1:2026-12-31": "raised 2026-11-30"})
	b.on("2026-11-24")
	r := b.ledger(row("到期日=2027-01-03")) // a Sunday
	if r.Events["loan.extended"] != 1 {
		t.Errorf("events %v", r.Events)
	}
	b.holds(map[string]string{
		week:                                  "planned 2026-12-31", // its last working day
		"maturity-notice:loan/JJ1:2026-12-31": "cancelled 2026-11-30",
		"maturity-notice:loan/JJ1:2027-01-03": "raised 2026-12-03",
		"maturity-check:loan/JJ1:2026-12-31":  "cancelled",
		"maturity-check:loan/JJ1:2027-01-03":  "planned 2027-01-04",
	})
	if o := b.all()["maturity-notice:loan/JJ1:2026-12-31"]; o.Cause != "导入 ledger.csv" {
		t.Errorf("cause %q", o.Cause)
	}
	b.again()
}

// What keeps its name moves, and says from where and why.
func TestWhatMovesKeepsItsOldDueDayAndTheCause(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("到期日=2026-12-30"))
	const week = "maturity-account-watch:loan/JJ1:2026-W53"
	b.holds(map[string]string{week: "planned 2026-12-30"})
	b.on("2026-11-24")
	b.ledger(row("到期日=2026-12-31"))
	o := b.all()[week]
	if o.Due != date("2026-12-31") || o.WasDue != date("2026-12-30") || o.Cause != "导入 ledger.csv" {
		t.Errorf("due %s, was %s, cause %q", o.Due, o.WasDue, o.Cause)
	}
	b.again()
}

func TestASettlementCancelsWhatIsComingAndLapsesWhatWasMissed(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("到期日=2026-11-06"), row("借据号=JJ2 客户号=C2"))
	b.holds(map[string]string{"overdue-notice-borrower:loan/JJ1:2026-11-06": "raised 2026-11-20", "maturity-check:loan/JJ1:2026-11-06": "raised 2026-11-06", "worklog-quota:borrower/C1:2026-11": "raised"})
	b.on("2026-11-24")
	b.ledger(row("到期日=2026-11-06 余额=0"), row("借据号=JJ2 客户号=C2"))
	b.holds(map[string]string{
		"overdue-notice-borrower:loan/JJ1:2026-11-06": "lapsed 2026-11-20",
		"maturity-check:loan/JJ1:2026-11-06":          "done 2026-11-06", // closed by the settlement, late
		"worklog-quota:borrower/C1:2026-11":           "cancelled",
		"worklog-quota:borrower/C2:2026-11":           "raised",
	})
	for id, o := range b.all() {
		if (o.Borrower != nil && o.Borrower.ID == "C1") && !o.State.Ended() && !strings.Contains(id, "loan.settled") {
			t.Errorf("%s is %s", id, o.State)
		}
	}
	b.again()
}

// A thing that secures two borrowers' loans stands with the first; what befalls
// the second counts as well.
func TestASharedCollateralFollowsBothItsLoans(t *testing.T) {
	b := newBranchUnder(t, "2026-11-20", everySet)
	first, second := "到期日=2026-12-31", "借据号=JJ2 客户号=C2 到期日=2026-12-31"
	b.ledger(row(first), row(second))
	b.sheet("押品号 借据号 名称 种类", "K1 JJ1 厂房 房产", "K1 JJ2 厂房 房产")
	if got := b.of("collateral-inspection"); got != "" {
		t.Errorf("of a year or less, and normal: %s", got)
	}
	b.on("2026-11-23")
	b.ledger(row(first), row(second+" 五级分类=关注"))
	if got := b.of("collateral-inspection"); got != "collateral/K1:2026-01-15 raised" {
		t.Errorf("one of two is special mention: %q", got)
	}
	b.again()
	b.on("2026-11-24")
	b.tell("warning.opened loan/JJ2")
	b.ledger(row(first), row(second))
	b.again()
	if got := b.of("collateral-inspection"); got != "collateral/K1:2026-01-15 raised" {
		t.Errorf("one of two has a warning: %q", got)
	}
	b.tell("warning.closed loan/JJ2")
	b.again()
	b.on("2027-01-04") // past the maturity, and unpaid
	if got := b.of("collateral-inspection"); got != "collateral/K1:2026-01-15 raised" {
		t.Errorf("both are unpaid: %q", got)
	}
	b.ledger(row(first+" 余额=0"), row(second))
	b.again()
	b.ledger(row(first+" 余额=0"), row(second+" 余额=0"))
	b.again()
}
