package scheduler_test

import (
	"slices"
	"strings"
	"testing"

	"tickler/api"
	"tickler/obligation"
)

func TestWhatAWithdrawnEventClosedIsOpenAgain(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("到期日=2026-12-31"))
	const notice, report = "maturity-notice:loan/JJ1:2026-12-31", "incident-report:borrower/C1:i1"
	b.tell("notice.maturity_sent loan/JJ1 2026-11-23 id=n1")
	b.tell("incident.known borrower/C1 2026-11-23 id=i1")
	b.tell("incident.reported borrower/C1 2026-11-23 id=r1")
	b.holds(map[string]string{notice: "done 2026-11-30", report: "submitted 2026-11-24", "incident-filing:borrower/C1:r1:department/风险管理部": "raised 2026-11-24"})
	r := b.withdraw("n1")
	if len(r.Reopened) != 1 || r.Reopened[0].ID != notice || r.Reopened[0].State != obligation.Raised || len(r.Cancelled) != 0 {
		t.Errorf("withdrawn: %+v", r)
	}
	r = b.withdraw("r1")
	if len(r.Reopened) != 1 || len(r.Cancelled) != 2 {
		t.Errorf("withdrawn: %+v", r)
	}
	b.holds(map[string]string{notice: "raised 2026-11-30", report: "raised 2026-11-24", "incident-filing:borrower/C1:r1:department/风险管理部": "cancelled"})
	o := b.all()[report]
	if !o.SubmittedOn.IsZero() || o.ClosedBy != "" || !strings.Contains(o.Cause, "录入有误") {
		t.Errorf("open again: submitted %s by %q, cause %q", o.SubmittedOn, o.ClosedBy, o.Cause)
	}
	// It is closed by the next one.
	b.tell("notice.maturity_sent loan/JJ1 2026-11-23 id=n2")
	b.tell("incident.reported borrower/C1 2026-11-23 id=r2")
	b.holds(map[string]string{notice: "done 2026-11-30", report: "submitted 2026-11-24"})
	b.again()
}

// Done on time, and taken back after the due day: it is late by its old day.
func TestWhatIsOpenAgainKeepsItsOldDueDay(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("到期日=2026-12-31"))
	b.tell("notice.maturity_sent loan/JJ1 id=n1")
	b.on("2026-12-07")
	b.withdraw("n1")
	o := b.all()["maturity-notice:loan/JJ1:2026-12-31"]
	if o.State != obligation.Raised || o.Due != date("2026-11-30") || !o.Overdue || !o.WasDue.IsZero() {
		t.Errorf("open again: %s, due %s, overdue %v, was due %s", o.State, o.Due, o.Overdue, o.WasDue)
	}
}

func TestWhatAWithdrawnEventOpenedGoesAwayUnlessItWasDone(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row(""))
	b.tell("analysis.done borrower/C1 2026-11-20 id=a1") // log due on 24 November
	b.tell("analysis.done borrower/C1 2026-11-23 id=a2") // on 25 November
	b.tell("analysis.done borrower/C1 2026-11-23 id=a3")
	b.tell("worklog.submitted borrower/C1 2026-11-23 id=w1 closes=worklog-entry:borrower/C1:a3")
	b.on("2026-11-25")
	b.withdraw("a1")
	b.withdraw("a2")
	b.withdraw("a3")
	b.holds(map[string]string{
		"worklog-entry:borrower/C1:a1": "lapsed 2026-11-24", // was missed by then
		"worklog-entry:borrower/C1:a2": "cancelled 2026-11-25",
		"worklog-entry:borrower/C1:a3": "done 2026-11-25",
	})
	// Once what closed it is taken back too, there is nothing it stood for.
	b.withdraw("w1")
	b.holds(map[string]string{"worklog-entry:borrower/C1:a3": "cancelled 2026-11-25", "worklog-review:borrower/C1:w1": "cancelled"})
	b.again()
}

func TestASubmittedDutyWhoseEventsAreBothWithdrawnGoesAway(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row(""))
	b.tell("incident.known borrower/C1 id=i1")
	b.tell("incident.reported borrower/C1 id=r1")
	b.withdraw("i1")
	b.holds(map[string]string{"incident-report:borrower/C1:i1": "submitted"}) // the report was made
	b.withdraw("r1")
	b.holds(map[string]string{"incident-report:borrower/C1:i1": "cancelled"})
	b.again()
}

func TestAWithdrawalIsRefused(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row(""))
	b.tell("analysis.done borrower/C1 id=a1")
	b.withdraw("a1")
	head := b.head()
	for _, c := range []struct {
		id, reason string
		code       api.Code
		text       string
	}{
		{"a1", "再撤一次", api.Usage, "was withdrawn on 2026-11-23: 录入有误"},
		{"a9", "没有的", api.NotFound, `no event "a9"`},
		{"", "没有的", api.NotFound, `no event ""`},
		{"a1", " ", api.Usage, "for a reason"},
	} {
		if _, err := b.tryWithdraw(c.id, c.reason); api.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.text) {
			t.Errorf("withdraw %q for %q: %v", c.id, c.reason, err)
		}
	}
	if _, err := b.tryTell("analysis.done borrower/C1 id=a1"); err == nil || !strings.Contains(err.Error(), "was withdrawn") {
		t.Errorf("the same --id after its withdrawal: %v", err)
	}
	if b.head() != head {
		t.Error("a refusal left a trace")
	}
}

func TestAQuotaIsShortAgainOnceALogIsWithdrawn(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("管理方式=重点"))
	const quota = "worklog-quota:borrower/C1:2026-11"
	b.tell("worklog.submitted borrower/C1 2026-11-20 id=w1")
	b.tell("worklog.submitted loan/JJ1 2026-11-23 id=w2") // a log about his loan is one about him
	b.holds(map[string]string{quota: "done 2026-11-30"})
	b.withdraw("w1") // not the one that filled it
	b.holds(map[string]string{quota: "raised 2026-11-30"})
	if p := b.progress(quota); p != (obligation.Progress{Have: 1, Need: 2}) {
		t.Errorf("progress %+v", p)
	}
	b.tell("worklog.submitted borrower/C1 2026-11-23 id=w3")
	b.tell("worklog.submitted borrower/C1 2026-11-23 id=w4")
	b.withdraw("w3") // one too many: it stays met
	b.holds(map[string]string{quota: "done 2026-11-30"})
	b.again()
}

func TestTheAuditHoldsAnEventAndItsWithdrawal(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("到期日=2026-12-31"))
	b.tell("notice.maturity_sent loan/JJ1 id=n1")
	b.withdraw("n1")
	for _, action := range []string{"event.recorded", "event.withdrawn"} {
		if got := b.trail(action); !slices.Equal(got, []string{"n1"}) {
			t.Errorf("%s: %v", action, got)
		}
	}
	for _, action := range []string{"obligation.done", "obligation.reopened"} {
		if got := b.trail(action); !slices.Equal(got, []string{"maturity-notice:loan/JJ1:2026-12-31"}) {
			t.Errorf("%s: %v", action, got)
		}
	}
}

// A corrected file of the same data date takes back what the first one seemed
// to show, opened and closed.
func TestAFileThatReplacesAnotherTakesItsEventsBack(t *testing.T) {
	b := newBranchUnder(t, "2026-11-20", everySet)
	b.ledger(row("到期日=2026-12-31"), row("借据号=JJ2 客户号=C2"))
	b.on("2026-11-23")
	const (
		entry    = "ledger-entry-change:loan/JJ1:loan.settled%2Floan%2FJJ1%2F2026-11-23"
		handover = "file-handover:loan/JJ1:loan.settled%2Floan%2FJJ1%2F2026-11-23"
		plan     = "npl-plan:borrower/C2:class.changed%2Floan%2FJJ2%2F2026-11-23"
	)
	b.ledger(row("到期日=2026-12-31 余额=0"), row("借据号=JJ2 客户号=C2 五级分类=次级"))
	b.holds(map[string]string{
		"maturity-check:loan/JJ1:2026-12-31":  "done", // settled
		"maturity-notice:loan/JJ1:2026-12-31": "cancelled",
		handover:                              "raised", entry: "done", plan: "raised",
	})
	b.ledger(row("到期日=2026-12-31"), row("借据号=JJ2 客户号=C2 五级分类=关注"))
	b.holds(map[string]string{
		"maturity-check:loan/JJ1:2026-12-31":  "planned 2026-12-31",
		"maturity-notice:loan/JJ1:2026-12-31": "raised 2026-11-30",
		handover:                              "cancelled", entry: "cancelled", plan: "cancelled",
	})
	if got := b.trail("event.withdrawn"); len(got) != 2 {
		t.Errorf("taken back: %v", got)
	}
	b.again()
	b.ledger(row("到期日=2026-12-31 余额=0"), row("借据号=JJ2 客户号=C2 五级分类=次级"))
	b.holds(map[string]string{"maturity-check:loan/JJ1:2026-12-31": "done", handover: "raised", entry: "done", plan: "raised"})
	b.again()
}
