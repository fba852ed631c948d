package scheduler_test

import (
	"strings"
	"testing"
)

const borrowerHead = "客户号 客户名称 机构 客户经理 风险经理"

// owners lists who owns the open obligations of a rule.
func (b *branch) owners(rule string) string {
	b.t.Helper()
	var out []string
	seen := map[string]bool{}
	for _, o := range b.all() {
		if o.Rule == rule && !o.State.Ended() && !seen[o.Owner] {
			seen[o.Owner] = true
			out = append(out, o.Owner)
		}
	}
	return strings.Join(out, " ")
}

func TestOwnersFollowTheOfficerAndTheRiskManager(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("管理方式=重点"))
	b.sheet(borrowerHead, "C1 甲公司 B01 - R001")
	for rule, want := range map[string]string{"inspection-quarter": "S001", "key-onsite-quarter": "R001", "worklog-quota": "S001", "fund-flow-sheet-annual": "S001"} {
		if got := b.owners(rule); got != want {
			t.Errorf("%s is with %q, want %q", rule, got, want)
		}
	}
	b.on("2026-11-24")
	r := b.ledger(row("管理方式=重点 客户经理=S002"))
	if r.Events["officer.changed"] != 1 {
		t.Errorf("events %v", r.Events)
	}
	b.sheet(borrowerHead, "C1 甲公司 B01 - R002")
	for rule, want := range map[string]string{"inspection-quarter": "S002", "key-onsite-quarter": "R002", "worklog-quota": "S002", "fund-flow-sheet-annual": "S002"} {
		if got := b.owners(rule); got != want {
			t.Errorf("%s is with %q, want %q", rule, got, want)
		}
	}
	b.holds(map[string]string{
		"assessment-month:officer/S001:2026-11":                            "cancelled",
		"file-handover:loan/JJ1:officer.changed%2Floan%2FJJ1%2F2026-11-24": "raised 2026-12-08",
	})
	b.again()
}

func TestARiskManagerSignsHisLetters(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row("到期日=2029-06-30"), row("借据号=JJ2 客户号=C2 到期日=2029-06-30"))
	const letter = "responsibility-letter:officer/"
	b.holds(map[string]string{letter + "S001:2027:letter/经营目标": "planned 2027-02-01", letter + "R001:2027:letter/经营目标": ""})
	b.sheet(borrowerHead, "C1 甲公司 B01 - R001")
	b.holds(map[string]string{
		letter + "R001:2027:letter/经营目标":        "planned 2027-02-01",
		letter + "R001:2027:letter/管户目标":        "planned 2027-02-01",
		letter + "R001:2027:letter/贷后管理及目标":     "planned 2027-02-01",
		"assessment-month:officer/R001:2026-11": "", // an officer's alone
	})
	b.again()
	b.tell("letter.signed officer/R001 期间=2027 party=管户目标")
	b.holds(map[string]string{letter + "R001:2027:letter/管户目标": "done", letter + "R001:2027:letter/经营目标": "planned", letter + "S001:2027:letter/管户目标": "planned"})
	// His only borrower settles: there is nothing left in his care.
	b.on("2026-11-24")
	b.ledger(row("到期日=2029-06-30 余额=0"), row("借据号=JJ2 客户号=C2 到期日=2029-06-30"))
	b.holds(map[string]string{letter + "R001:2027:letter/经营目标": "cancelled", letter + "R001:2027:letter/管户目标": "done", letter + "S001:2027:letter/经营目标": "planned"})
	b.again()
	b.on("2026-11-25")
	b.sheet(borrowerHead, "C2 乙公司 B01 - R001")
	b.holds(map[string]string{letter + "R001:2027:letter/经营目标": "planned"})
	b.sheet(borrowerHead, "C2 乙公司 B01 - R009")
	b.holds(map[string]string{letter + "R001:2027:letter/经营目标": "cancelled", letter + "R009:2027:letter/经营目标": "planned"})
	b.again()
}

func TestABalanceIsCarriedForwardLoanByLoan(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row(""), row("借据号=JJ2 客户号=C2"))
	b.on("2027-01-04")
	const duty = "ledger-carry-forward:officer/S001:2026"
	b.holds(map[string]string{duty: "raised"})
	b.tell("ledger.carried_forward loan/JJ1 2027-01-04 id=f1")
	if p := b.progress(duty); p.Have != 1 || p.Need != 2 || p.Of != 2 {
		t.Errorf("progress %+v", p)
	}
	b.again()
	b.tell("ledger.carried_forward loan/JJ2 2027-01-04 id=f2")
	b.holds(map[string]string{duty: "submitted"})
	b.withdraw("f1")
	b.holds(map[string]string{duty: "raised"})
	b.again()
}
