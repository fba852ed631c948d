package scheduler_test

import (
	"strings"
	"testing"

	"tickler/obligation"
)

const groupHead = "集团号 集团名称 成员客户号 成员行 角色"

// A group whose lead branch is elsewhere, and whose sheet comes after the loans.
func TestAParticipantReportsToTheLeadAndTheDepartment(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row(""), row("借据号=JJ2 客户号=C2 机构=B02 客户经理=S002"))
	if got := b.of("group-info-report"); got != "" {
		t.Errorf("before there is a group: %s", got)
	}
	b.sheet(groupHead, "G1 某集团 C9 B09 牵头行", "G1 某集团 C1 B01 参与行", "G1 某集团 C2 B02 参与行")
	const report = "group-info-report:borrower/"
	b.holds(map[string]string{
		report + "C1:2026-Q4:branch/B09":                          "planned 2027-01-22",
		report + "C1:2026-Q4:department/风险管理部":                    "planned 2027-01-22",
		report + "C2:2026-Q4:branch/B09":                          "planned 2027-01-22",
		report + "C9:2026-Q4:branch/B09":                          "", // not ours
		"group-feedback-half-year:group/G1:2026-H2:to_lead/B01":   "raised 2026-12-31",
		"group-feedback-half-year:group/G1:2026-H2:to_member/B01": "raised 2026-12-31",
		"group-feedback-half-year:group/G1:2026-H2:to_lead/B02":   "raised 2026-12-31",
		"group-feedback-half-year:group/G1:2026-H2:to_lead/B09":   "",
	})
	if _, err := b.tryTell("group.reported borrower/C1 期间=2026-Q4"); err == nil || !strings.Contains(err.Error(), "fits 2 obligations") {
		t.Errorf("a report to nobody in particular: %v", err)
	}
	b.tell("group.reported borrower/C1 期间=2026-Q4 部门=风险管理部")
	b.tell("group.reported borrower/C1 期间=2026-Q4 party=B09")
	b.tell("group.feedback group/G1 party=to_lead/B01")
	b.holds(map[string]string{
		report + "C1:2026-Q4:branch/B09":                          "done",
		report + "C1:2026-Q4:department/风险管理部":                    "done",
		report + "C2:2026-Q4:branch/B09":                          "planned",
		"group-feedback-half-year:group/G1:2026-H2:to_lead/B01":   "done",
		"group-feedback-half-year:group/G1:2026-H2:to_member/B01": "raised",
	})
	b.again()
}

func TestAMemberJoinsAndLeavesAGroup(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row(""), row("借据号=JJ2 客户号=C2 机构=B02 客户经理=S002"), row("借据号=JJ3 客户号=C3 机构=B03 客户经理=S003"))
	b.sheet(groupHead, "G1 某集团 C1 B01 牵头行", "G1 某集团 C2 B02 参与行")
	const feedback, report = "group-feedback-half-year:group/G1:2026-H2:", "group-info-report:borrower/"
	b.holds(map[string]string{feedback + "to_lead/B02": "raised", feedback + "to_member/B02": "raised", feedback + "to_lead/B03": "", report + "C2:2026-Q4:branch/B01": "planned", report + "C3:2026-Q4:branch/B01": ""})
	if o := b.all()[feedback+"to_member/B02"]; o.Branch != "B01" || o.Owner != "S001" {
		t.Errorf("the lead's part is %s's, of %s", o.Branch, o.Owner)
	}
	if o := b.all()[feedback+"to_lead/B02"]; o.Branch != "B02" || o.Owner != "S002" {
		t.Errorf("the member's part is %s's, of %s", o.Branch, o.Owner)
	}
	b.on("2026-11-24")
	b.sheet(groupHead, "G1 某集团 C1 B01 牵头行", "G1 某集团 C3 B03 参与行")
	b.holds(map[string]string{
		feedback + "to_lead/B02": "cancelled", feedback + "to_member/B02": "cancelled", report + "C2:2026-Q4:branch/B01": "cancelled",
		feedback + "to_lead/B03": "raised", feedback + "to_member/B03": "raised", report + "C3:2026-Q4:branch/B01": "planned",
	})
	b.again()
	// The lead's loan is settled, and comes back as another's.
	b.on("2026-11-25")
	b.ledger(row("余额=0"), row("借据号=JJ2 客户号=C2 机构=B02 客户经理=S002"), row("借据号=JJ3 客户号=C3 机构=B03 客户经理=S003"))
	b.again()
	b.on("2026-11-26")
	b.sheet(groupHead, "G1 某集团 C2 B02 牵头行", "G1 某集团 C3 B03 参与行")
	b.holds(map[string]string{report + "C3:2026-Q4:branch/B01": "cancelled", report + "C3:2026-Q4:branch/B02": "planned"})
	b.again()
}

func TestAGroupWithoutALeadIsOwedToTheLeadThatIsMissing(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row(""))
	b.sheet(groupHead, "G1 某集团 C1 B01 参与行", "G1 某集团 C8 B08 参与行")
	b.holds(map[string]string{
		"group-info-report:borrower/C1:2026-Q4:branch/牵头行":        "planned",
		"group-feedback-half-year:group/G1:2026-H2:to_lead/B01":   "raised",
		"group-feedback-half-year:group/G1:2026-H2:to_member/B01": "raised",
	})
	b.tell("incident.submitted borrower/C1 id=i1")
	b.holds(map[string]string{"group-incident-share:borrower/C1:i1": "raised"})
	b.again()
}

const guarantorHead = "借据号 保证人 证件号码"

func TestARatingOfAGuarantorIsEveryBorrowersHeGuarantees(t *testing.T) {
	b := newBranchUnder(t, "2027-02-01", everySet)
	b.ledger(row(""), row("借据号=JJ2 客户号=C2"), row("借据号=JJ3 客户号=C3"))
	b.sheet(guarantorHead, "JJ1 丙公司 G", "JJ2 丙公司 G", "JJ2 丁公司 H", "JJ3 丁公司 H")
	const rating = "rating-annual:borrower/"
	b.holds(map[string]string{rating + "C1:2026": "raised 2027-04-30", rating + "C1:2026:guarantor/G": "raised 2027-04-30", rating + "C2:2026:guarantor/G": "raised", rating + "C3:2026:guarantor/G": ""})
	r := b.tell("rating.updated guarantor/G id=r1")
	if len(r.Closed) != 2 {
		t.Errorf("it closed %d", len(r.Closed))
	}
	b.holds(map[string]string{
		rating + "C1:2026": "raised", rating + "C1:2026:guarantor/G": "done",
		rating + "C2:2026:guarantor/G": "done", rating + "C2:2026:guarantor/H": "raised",
	})
	b.again()
	b.withdraw("r1")
	b.holds(map[string]string{rating + "C1:2026:guarantor/G": "raised", rating + "C2:2026:guarantor/G": "raised"})
	b.tell("rating.updated borrower/C1")
	b.holds(map[string]string{rating + "C1:2026": "done", rating + "C1:2026:guarantor/G": "raised"})
	b.again()
}

func TestAGuarantorsChangeIsOneDuty(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("客户号=C2"), row("借据号=JJ2 客户号=C3"))
	b.sheet(guarantorHead, "JJ1 丙公司 G", "JJ2 丙公司 G")
	b.tell("guarantor.material_change guarantor/G 2026-11-20 id=m1 obtained=2026-11-23")
	const duty = "rating-dynamic:guarantor/G:m1"
	if got := b.of("rating-dynamic"); got != "guarantor/G:m1 raised" {
		t.Errorf("there are %s", got)
	}
	b.holds(map[string]string{duty: "raised 2026-12-14"})
	// He guarantees another one, who comes first; the duty is found all the same.
	b.on("2026-11-24")
	b.ledger(row("客户号=C2"), row("借据号=JJ2 客户号=C3"), row("借据号=JJ0 客户号=C1"))
	b.sheet(guarantorHead, "JJ0 丙公司 G", "JJ1 丙公司 G", "JJ2 丙公司 G")
	b.again()
	if got := b.of("rating-dynamic"); got != "guarantor/G:m1 raised" {
		t.Errorf("there are %s", got)
	}
	b.tell("rating.submitted guarantor/G closes=" + duty)
	b.holds(map[string]string{duty: "done"})
	b.again()
}

func TestNoObligationOfAnotherIsClosedByName(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("到期日=2026-12-31 保证人=丙公司、丁公司"), row("借据号=JJ2 到期日=2026-12-31"), row("借据号=JJ3 客户号=C2 到期日=2026-12-31"))
	b.tell("leader.appointed branch/B01 id=n1")
	b.tell("analysis.done loan/JJ1 id=a1")
	before, head := b.all(), b.head()
	for _, c := range []struct{ tell, want string }{
		{"notice.maturity_sent loan/JJ1 closes=maturity-notice:loan/JJ3:2026-12-31", "is about loan/JJ3"},
		{"notice.maturity_sent loan/JJ1 closes=maturity-notice:loan/JJ2:2026-12-31", "is about loan/JJ2"}, // of the same borrower
		{"visit.made borrower/C1 closes=new-leader-visit:branch/B01:n1:borrower/C2", "is about"},
		{"notice.maturity_sent loan/JJ1 closes=maturity-check:loan/JJ1:2026-12-31", "is not closed by notice.maturity_sent"},
		{"notice.maturity_sent loan/JJ1 closes=maturity-notice:loan/JJ9:2026-12-31", "no obligation"},
	} {
		if _, err := b.tryTell(c.tell); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %s", c.tell, err, c.want)
		}
	}
	b.same("refused", before)
	if b.head() != head {
		t.Error("a refusal left a trace")
	}
	// A log about the borrower does for his loan.
	b.tell("worklog.submitted borrower/C1 closes=worklog-entry:loan/JJ1:a1")
	b.holds(map[string]string{"worklog-entry:loan/JJ1:a1": "done"})
}

func TestWhatFitsSeveralIsRefusedWithAllOfThem(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row(""))
	for _, id := range []string{"a1", "a2", "a3"} {
		b.tell("analysis.done borrower/C1 id=" + id)
	}
	before, head := b.all(), b.head()
	_, err := b.tryTell("worklog.submitted borrower/C1 id=w1")
	for _, id := range []string{"a1", "a2", "a3"} {
		if err == nil || !strings.Contains(err.Error(), "worklog-entry:borrower/C1:"+id) {
			t.Errorf("%s is not named: %v", id, err)
		}
	}
	b.same("refused", before)
	if b.head() != head {
		t.Error("a refusal left a trace")
	}
	b.tell("worklog.submitted borrower/C1 id=w1 期间=a2")
	b.tell("worklog.submitted borrower/C1 id=w2 closes=worklog-entry:borrower/C1:a1 closes=worklog-entry:borrower/C1:a3")
	for id, o := range b.all() {
		if o.Rule == "worklog-entry" && o.State != obligation.Done {
			t.Errorf("%s is %s", id, o.State)
		}
	}
}
