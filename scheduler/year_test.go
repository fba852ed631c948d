package scheduler_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"

	"tickler/api"
	"tickler/calendar"
	"tickler/obligation"
	"tickler/scheduler"
	"tickler/store"
)

// nine are the people of the branch Y01: staff number -> role.
var nine = map[string]string{"S1": "officer", "S2": "officer", "SV": "supervisor", "MO": "monitor", "RM": "risk_manager",
	"DP": "deputy_president", "PR": "president", "OPS": "ops", "AUD": "auditor"}

// year is a branch's year, with a tally of its own: what the test did, and what
// every duty should therefore be.
type year struct {
	*branch
	tally   map[string]obligation.State // duties that somebody touched
	signed  map[string]int
	known   map[string]calendar.Date // every duty ever seen -> its due day then
	refused int
	counts  map[string]int
}

func hashOf(s string) uint32 { h := fnv.New32a(); h.Write([]byte(s)); return h.Sum32() }

// ledgerOf is the file of a week. A loan is settled, one is extended, one turns
// bad, one is new, one changes its officer.
func ledgerOf(week int, day string) string {
	var b strings.Builder
	b.WriteString("借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,保证人,结息方式,欠息,数据日期\n")
	row := func(n int, officer, balance, disbursed, maturity, class, mode, arrears string) {
		fmt.Fprintf(&b, "Y%d,C%d,公司%d,Y01,%s,1000000,%s,%s,%s,%s,%s,某担保%d,按季,%s,%s\n", n, n, n, officer, balance, disbursed, maturity, class, mode, n, arrears, day)
	}
	pick := func(after int, then, before string) string {
		if week >= after {
			return then
		}
		return before
	}
	row(1, "S1", pick(26, "0", "1000000"), "2025-06-30", "2026-06-30", "正常", "常规", "0")
	row(2, "S1", "500000", "2025-03-31", pick(10, "2026-09-30", "2026-03-31"), "正常", "重点", "0")
	row(3, "S2", "700000", "2025-09-15", "2027-09-15", pick(20, "次级", "正常"), "常规", pick(18, "1200", "0"))
	row(4, pick(30, "S2", "S1"), "300000", "2025-11-20", "2026-11-20", "关注", "常规", "0")
	if week >= 8 {
		row(5, "S2", "200000", "2026-02-20", "2026-08-20", "正常", "常规", "0")
	}
	return b.String()
}

func (y *year) touch(id, how string, to obligation.State) {
	y.tally[id] = to
	y.counts[how]++
}

func (y *year) ok(what string, err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatalf("%s, %s: %v", *y.now.Load(), what, err)
	}
}

// no is an attempt that has to be refused.
func (y *year) no(what string, _ any, err error) {
	y.t.Helper()
	y.refused++
	wantCode(y.t, what, err, api.NotAllowed)
}

// whose says who does a duty: its owner, or who has its role.
func whose(o *api.Obligation) string {
	if o.Owner != "" {
		return o.Owner
	}
	for staff, role := range nine {
		if role == o.Role && staff != "S2" {
			return staff
		}
	}
	return ""
}

// submitted is what the manual means a duty to be once it is submitted.
func submitted(o *api.Obligation) obligation.State {
	if len(o.Signs) > 0 {
		return obligation.Submitted
	}
	return obligation.Done
}

// work is one day of everybody: each duty has a character of its own.
func (y *year) work(day calendar.Date) {
	all := y.all()
	ids := make([]string, 0, len(all))
	for id := range all {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		o, h := all[id], hashOf(id)
		y.known[id] = o.Due
		// What is in the tally changes by nobody else, but what was never
		// submitted may lose its cause.
		if want, touched := y.tally[id]; touched && o.State != want && !(want == obligation.Raised && (o.State == obligation.Cancelled || o.State == obligation.Lapsed)) {
			y.t.Fatalf("%s: %s is %s, the tally has %s (%s)", day, id, o.State, want, o.Cause)
		}
		switch {
		case o.State == obligation.Raised && h%11 == 3:
			continue // nobody ever does it
		case o.State == obligation.Raised && o.Progress != nil && o.Progress.Have < o.Progress.Need:
			if h%5 == 0 && y.counts["short"] < 20 {
				_, err := y.s.Submit(bg, as(whose(&o)), api.ActRequest{ID: id})
				wantCode(y.t, "a quota that is short", err, api.Usage)
				y.counts["short"]++
			}
		case o.State == obligation.Raised && (day >= o.Due || h%3 == 0):
			by := whose(&o)
			if nine[by] == "" {
				continue // the posts that this branch has not
			}
			if by == "S1" && day >= date("2026-07-01") && day <= date("2026-07-31") {
				if y.counts["early"] == 0 {
					y.counts["early"]++
					y.no("S1 does the work of S2", nil, func() error { _, err := y.s.Submit(bg, as("MO"), api.ActRequest{ID: id}); return err }())
				}
				by = "S2" // who stands in
				y.counts["by deputy"]++
			}
			_, err := y.s.Submit(bg, as(by), api.ActRequest{ID: id, Note: "已办"})
			y.ok("submit "+id, err)
			y.touch(id, "submitted", submitted(&o))
			y.signed[id] = 0
		case o.State == obligation.Submitted && h%7 == 2 && y.counts["returned "+id] == 0:
			y.ok("return "+id, second(y.s.Return(bg, as(holder(o.Level)), api.ActRequest{ID: id, Reason: "缺件"})))
			y.touch(id, "returned", obligation.Raised)
			y.counts["returned "+id]++
		case o.State == obligation.Submitted:
			if o.SubmittedBy != "" && o.SubmittedBy != holder(o.Level) && y.counts["own signature"] < 10 {
				y.counts["own signature"]++
				y.no("he signs his own", nil, second(y.s.Sign(bg, as(o.SubmittedBy), api.ActRequest{ID: id})))
			}
			y.ok("sign "+id, second(y.s.Sign(bg, as(holder(o.Level)), api.ActRequest{ID: id})))
			y.signed[id]++
			to := obligation.Submitted
			if y.signed[id] == len(o.Signs) {
				to = obligation.Done
			}
			y.touch(id, "signed", to)
		}
	}
}

func second(_ *api.ActReply, err error) error { return err }

// holder is who has a role that signs.
func holder(role string) string {
	return map[string]string{"supervisor": "SV", "deputy_president": "DP", "president": "PR"}[role]
}

func TestAYearOfNinePeople(t *testing.T) {
	b := &branch{t: t, path: t.TempDir() + "/tickler.db", cfg: scheduler.Config{Data: t.TempDir()}, goLive: "2026-01-01"}
	b.create()
	b.goTo("2026-01-04")
	b.open()
	t.Cleanup(func() { b.st.Close() })
	y := &year{branch: b, tally: map[string]obligation.State{}, signed: map[string]int{}, known: map[string]calendar.Date{}, counts: map[string]int{}}
	b.importFile("机构号,机构名称,上级机构,级别\nY01,某支行,,1\n")
	staff := "工号,姓名,机构,岗位,系统用户\n"
	for id, role := range nine {
		staff += fmt.Sprintf("%s,%s某,Y01,%s,u.%s\n", id, id, role, id)
	}
	b.importFile(staff)
	_, err := b.s.Deputy(bg, as("SV"), api.DeputyRequest{DeputyForm: api.DeputyForm{For: "S1", By: "S2", From: date("2026-07-01"), To: date("2026-07-31")}})
	y.ok("deputy", err)
	week := 0
	for day := date("2026-01-05"); day <= date("2026-12-31"); day = day.AddDays(1) {
		b.goTo(day.String())
		if day.Weekday().String() == "Monday" {
			week++
			_, err := b.s.Import(bg, as("OPS"), api.ImportRequest{Name: fmt.Sprintf("week%d.csv", week), AllowGone: true}, []byte(ledgerOf(week, day.String())))
			y.ok("import", err)
			y.reap()
		}
		b.tick()
		if day.Weekday().String() == "Saturday" || day.Weekday().String() == "Sunday" {
			continue
		}
		y.special(day)
		y.work(day)
	}
	y.end()
	y.rebuilt()
}

// reap takes over what a ledger file closed by itself.
func (y *year) reap() {
	for id, o := range y.all() {
		if (o.State == obligation.Done || o.State == obligation.Submitted) && o.ClosedBy != "" {
			y.tally[id] = o.State
		}
	}
}

// open gives the first duty in sight that is as asked.
func (y *year) open(is func(api.Obligation) bool) (string, api.Obligation) {
	all := y.all()
	for _, id := range sortedIDs(all) {
		if is(all[id]) {
			return id, all[id]
		}
	}
	y.t.Fatalf("%s: there is none", *y.now.Load())
	return "", api.Obligation{}
}

func sortedIDs(m map[string]api.Obligation) []string {
	var out []string
	for id := range m {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// special are the days on which more happens than the daily round.
func (y *year) special(day calendar.Date) {
	s := y.s
	raised := func(o api.Obligation) bool {
		return o.State == obligation.Raised && o.Owner == "S1" && o.Progress == nil
	}
	switch day.String() {
	case "2026-03-10": // a waiver takes two
		id, _ := y.open(raised)
		y.ok("ask", second(s.Waive(bg, as("S1"), api.ActRequest{ID: id, Reason: "破产"})))
		y.no("he grants his own", nil, second(s.Waive(bg, as("S1"), api.ActRequest{ID: id, Reason: "破产"})))
		y.no("an officer grants", nil, second(s.Waive(bg, as("S2"), api.ActRequest{ID: id, Reason: "破产"})))
		y.ok("grant", second(s.Waive(bg, as("PR"), api.ActRequest{ID: id})))
		y.touch(id, "waived", obligation.Waived)
	case "2026-04-14": // a reopening
		id, _ := y.open(func(o api.Obligation) bool { return o.State == obligation.Done && o.SubmittedBy == "S1" })
		y.no("an officer reopens", nil, second(s.Reopen(bg, as("S1"), api.ActRequest{ID: id, Reason: "不实"})))
		y.ok("reopen", second(s.Reopen(bg, as("SV"), api.ActRequest{ID: id, Reason: "不实"})))
		y.touch(id, "reopened", obligation.Raised)
	case "2026-05-12": // a reassignment
		id, _ := y.open(raised)
		y.no("an officer gives on", nil, second(s.Reassign(bg, as("S1"), api.ActRequest{ID: id, To: "S2"})))
		y.ok("reassign", second(s.Reassign(bg, as("SV"), api.ActRequest{ID: id, To: "S2"})))
		y.counts["reassigned"]++
		y.no("no longer his", nil, second(s.Submit(bg, as("S1"), api.ActRequest{ID: id})))
	case "2026-08-18": // an event, and its withdrawal
		r, err := s.Record(bg, as("S2"), api.RecordRequest{Event: "incident.known", Subject: "borrower/C3", ID: "INC"})
		y.ok("incident", err)
		id, _ := y.open(func(o api.Obligation) bool { return o.Rule == "incident-report" })
		if len(r.Opened) == 0 {
			y.t.Error("the incident opens nothing")
		}
		y.counts["incident"]++
		_, err = s.Record(bg, as("S2"), api.RecordRequest{Event: "incident.reported", Subject: "borrower/C3", ID: "REP", Closes: []string{id}})
		y.ok("report", err)
		y.touch(id, "closed by an event", obligation.Submitted)
		y.no("an auditor withdraws", nil, func() error {
			_, err := s.Withdraw(bg, as("AUD"), api.WithdrawRequest{ID: "REP", Reason: "误"})
			return err
		}())
		_, err = s.Withdraw(bg, as("S2"), api.WithdrawRequest{ID: "REP", Reason: "误"})
		y.ok("withdraw", err)
		y.touch(id, "withdrawn", obligation.Raised)
	case "2026-09-15": // who never takes part
		id, _ := y.open(func(o api.Obligation) bool { return o.State == obligation.Raised })
		for _, who := range []string{"OPS", "AUD"} {
			y.no(who+" submits", nil, second(s.Submit(bg, as(who), api.ActRequest{ID: id})))
			y.no(who+" waives", nil, second(s.Waive(bg, as(who), api.ActRequest{ID: id, Reason: "r"})))
		}
		y.no("root submits", nil, second(s.Submit(bg, setupActor, api.ActRequest{ID: id})))
		_, err := s.List(scheduler.As(bg, scheduler.Actor{OSUser: "stranger"}), api.ListRequest{})
		y.no("a stranger looks", nil, err)
	}
}

// end holds the store against the tally.
func (y *year) end() {
	t := y.t.(*testing.T)
	all := y.all() // which finds what is there twice
	for id := range y.known {
		if _, there := all[id]; !there {
			t.Errorf("%s is lost", id)
		}
	}
	states := map[obligation.State]int{}
	for id, o := range all {
		states[o.State]++
		want, touched := y.tally[id]
		switch {
		case touched && want == obligation.Raised && (o.State == obligation.Cancelled || o.State == obligation.Lapsed):
		case touched && o.State != want:
			t.Errorf("%s is %s, the tally has %s", id, o.State, want)
		case !touched && (o.State == obligation.Done && o.ClosedBy == "" || o.State == obligation.Waived || o.State == obligation.Submitted):
			t.Errorf("%s is %s, and nobody did that", id, o.State)
		}
		if o.State == obligation.Done && len(o.Signatures) != len(o.Signs) {
			t.Errorf("%s is done with %d of %d signatures", id, len(o.Signatures), len(o.Signs))
		}
		by := map[string]bool{o.SubmittedBy: true}
		for i, s := range o.Signatures {
			if s.Role != o.Signs[i] || by[s.By] || nine[s.By] != s.Role {
				t.Errorf("%s: signatures %+v, submitted by %s", id, o.Signatures, o.SubmittedBy)
			}
			by[s.By] = true
		}
		if o.State == obligation.Raised && o.Due < date("2026-12-31") && o.PeriodEnd < date("2026-12-31") && !o.Overdue {
			t.Errorf("%s was due %s, is %s and not overdue", id, o.Due, o.State)
		}
	}
	for _, how := range []string{"submitted", "signed", "returned", "by deputy", "waived", "reopened", "reassigned", "withdrawn", "incident", "own signature"} {
		if y.counts[how] == 0 {
			t.Errorf("nothing was %s in this year", how)
		}
	}
	// The manual's notice of each maturity: once, and of those that were moved or
	// settled none is open.
	notices := map[string]int{}
	for _, o := range all {
		if o.Rule == "maturity-notice" && o.State != obligation.Cancelled {
			notices[o.Loan+" "+o.Occurrence]++
		}
	}
	for _, want := range []string{"Y1 2026-06-30", "Y2 2026-09-30", "Y4 2026-11-20", "Y5 2026-08-20", "Y3 2027-09-15"} {
		if notices[want] != 1 {
			t.Errorf("%d notices of %s", notices[want], want)
		}
	}
	if got := y.refusals(); got != y.refused {
		t.Errorf("%d refused attempts in the audit, %d were made", got, y.refused)
	}
	y.verify()
	var moves int
	y.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanAudit(1, 0, func(r store.Record) error {
			if strings.HasSuffix(r.Action, ".by_person") {
				moves++
			}
			return nil
		})
	})
	if want := y.counts["submitted"] + y.counts["signed"] + y.counts["returned"] + y.counts["waived"]*2 + y.counts["reopened"] + y.counts["reassigned"]; moves != want {
		t.Errorf("%d moves in the audit, %d were made", moves, want)
	}
	t.Logf("%d duties: %v; %v refused", len(all), states, y.refused)
}
