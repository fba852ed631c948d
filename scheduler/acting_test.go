package scheduler_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tickler/api"
	"tickler/obligation"
	"tickler/scheduler"
)

var bg = context.Background()

func (o *offices) user(r api.UserRequest) {
	o.t.Helper()
	if _, err := o.s.User(bg, setupActor, r); err != nil {
		o.t.Fatal(err)
	}
}

func (o *offices) must(reply *api.ActReply, err error) *api.Obligation {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
	return reply.Obligation
}

func wantCode(t rapid.TB, what string, err error, code api.Code) {
	t.Helper()
	if err == nil || api.CodeOf(err) != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// Fifty people make one move of the same duties at once: each duty has one
// winner, and the others are told who and when.
func TestFiftyPeopleAtOnce(t *testing.T) {
	o := newOffices(t, "2026-11-23")
	for i := range 50 {
		id := fmt.Sprintf("M%02d", i)
		o.user(api.UserRequest{Staff: id, Name: id, Roles: []string{"officer", "supervisor"}, Branch: "Q01", OSUser: "u." + id})
	}
	id, waived := reportOf("Q01"), "report:loan/JQ01-1:2026-11"
	rush := func(what string, winners int, do func(scheduler.Actor) (*api.ActReply, error)) (won []string) {
		t.Helper()
		var mu sync.Mutex
		var wg sync.WaitGroup
		var lost []string
		for i := range 50 {
			who := fmt.Sprintf("M%02d", i)
			wg.Go(func() {
				_, err := do(as(who))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, who)
				} else {
					lost = append(lost, err.Error())
				}
			})
		}
		wg.Wait()
		if len(won) != winners {
			t.Fatalf("%s: %d winners %v, want %d; %v", what, len(won), won, winners, lost)
		}
		for _, l := range lost {
			if !strings.Contains(l, "2026-11-23") || !slices.ContainsFunc(won, func(w string) bool { return strings.Contains(l, w) }) {
				t.Errorf("%s: it does not say who and when: %s", what, l)
			}
		}
		return won
	}
	for round := range 3 {
		if round == 0 {
			for i := range 50 { // all of them stand in for the officer
				_, err := o.s.Deputy(bg, setupActor, api.DeputyRequest{DeputyForm: api.DeputyForm{For: "Q01-officer", By: fmt.Sprintf("M%02d", i), From: date("2026-11-23"), To: date("2026-11-23")}})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		by := rush("submit", 1, func(a scheduler.Actor) (*api.ActReply, error) { return o.s.Submit(bg, a, api.ActRequest{ID: id}) })
		if got := o.all()[id]; got.State != obligation.Submitted || got.SubmittedBy != by[0] {
			t.Fatalf("submitted by %s: %+v", by, got)
		}
		rush("return", 1, func(a scheduler.Actor) (*api.ActReply, error) {
			return o.s.Return(bg, a, api.ActRequest{ID: id, Reason: "缺件"})
		})
	}
	two := rush("waive", 2, func(a scheduler.Actor) (*api.ActReply, error) {
		return o.s.Waive(bg, a, api.ActRequest{ID: waived, Reason: "破产"})
	})
	if got := o.all()[waived]; got.State != obligation.Waived || two[0] == two[1] {
		t.Errorf("waived by %v: %+v", two, got)
	}
	rush("reopen", 1, func(a scheduler.Actor) (*api.ActReply, error) {
		return o.s.Reopen(bg, a, api.ActRequest{ID: waived, Reason: "不实"})
	})
	o.verify()
}

func TestADeputyActsOnHisDaysAlone(t *testing.T) {
	o := newOffices(t, "2026-11-23")
	o.must(o.s.Submit(bg, as("Q02-officer"), api.ActRequest{ID: reportOf("Q02")}))
	for _, d := range []api.DeputyForm{
		{For: "Q02-officer", By: "Q01-monitor", From: date("2026-11-25"), To: date("2026-11-26")},
		{For: "Q02-supervisor", By: "Q01-officer", From: date("2026-11-25"), To: date("2026-11-26")},
	} {
		if _, err := o.s.Deputy(bg, setupActor, api.DeputyRequest{DeputyForm: d}); err != nil {
			t.Fatal(err)
		}
	}
	// Each day on a copy of the duties: notices of the two loans, one to submit a day.
	for _, day := range []struct {
		day    string
		stands bool
	}{{"2026-11-24", false}, {"2026-11-25", true}, {"2026-11-26", true}, {"2026-11-27", false}} {
		o.goTo(day.day)
		o.tick()
		notice := map[string]string{"2026-11-25": notice("Q02"), "2026-11-26": "notice:loan/JQ02-1:2026-12-28"}[day.day]
		if notice == "" {
			notice = "report:loan/JQ02-1:2026-11"
		}
		_, err := o.s.Submit(bg, as("Q01-monitor"), api.ActRequest{ID: notice})
		if day.stands && err != nil {
			t.Errorf("%s: %v", day.day, err)
		} else if !day.stands {
			wantCode(t, day.day, err, api.NotFound) // another branch's
		}
		_, err = o.s.Sign(bg, as("Q01-officer"), api.ActRequest{ID: reportOf("Q02")})
		switch {
		case day.day == "2026-11-25" && err != nil:
			t.Errorf("%s: the deputy of the supervisor signs: %v", day.day, err)
		case day.day == "2026-11-26":
			wantCode(t, "the president's level", err, api.NotAllowed)
		case !day.stands:
			wantCode(t, day.day, err, api.NotAllowed) // an officer signs nothing
		}
	}
	if got := o.all()[reportOf("Q02")]; len(got.Signatures) != 1 || got.Signatures[0].By != "Q01-officer" || got.Level != "president" {
		t.Errorf("signed: %+v", got.Signatures)
	}
	o.verify()
}

// Who stands in for an officer elsewhere has no say there as what he is at home.
func TestADeputyBringsNoRoleOfHisOwn(t *testing.T) {
	o := newOffices(t, "2026-11-23")
	if _, err := o.s.Deputy(bg, setupActor, api.DeputyRequest{DeputyForm: api.DeputyForm{For: "Q02-officer", By: "Q01-supervisor", From: date("2026-11-23"), To: date("2026-11-30")}}); err != nil {
		t.Fatal(err)
	}
	o.must(o.s.Submit(bg, as("Q02-officer"), api.ActRequest{ID: reportOf("Q02")}))
	a := as("Q01-supervisor")
	_, err := o.s.Sign(bg, a, api.ActRequest{ID: reportOf("Q02")})
	wantCode(t, "sign there", err, api.NotAllowed)
	_, err = o.s.Submit(bg, a, api.ActRequest{ID: meeting("Q02")})
	wantCode(t, "the meeting there", err, api.NotAllowed)
	_, err = o.s.Reassign(bg, a, api.ActRequest{ID: notice("Q02"), To: "Q01-officer"})
	wantCode(t, "give on there", err, api.NotAllowed)
	_, err = o.s.Reassign(bg, a, api.ActRequest{From: "Q02-officer", To: "Q01-officer"})
	wantCode(t, "give all on there", err, api.NotFound)
	if _, err := o.s.Sign(bg, as("Q02-supervisor"), api.ActRequest{ID: reportOf("Q02")}); err != nil {
		t.Error(err)
	}
}

func TestWhoMayNameADeputy(t *testing.T) {
	o := newOffices(t, "2026-11-23")
	for _, c := range []struct {
		who, whom, by string
		code          api.Code // "": taken
	}{
		{"Q01-officer", "Q01-officer", "Q01-monitor", ""},
		{"Q01-supervisor", "Q01-officer", "Q01-monitor", ""},
		{"Q01-president", "Q01-supervisor", "Q01-deputy_president", ""},
		{"Q01-ops", "Q01-president", "Q01-deputy_president", ""},
		{"Q01-supervisor", "Q01-president", "Q01-supervisor", api.NotAllowed}, // himself
		{"Q01-supervisor", "Q01-president", "Q01-monitor", api.NotAllowed},    // of one above
		{"Q01-supervisor", "Q01-supervisor", "Q01-ops", api.Usage},            // ops signs nothing
		{"Q01-supervisor", "Q01-officer", "Q01-auditor", api.Usage},
		{"Q01-officer", "Q01-monitor", "Q01-officer", api.NotAllowed},
		{"Q01-supervisor", "Q02-officer", "Q01-monitor", api.NotFound},
		{"Q01-supervisor", "Q01-officer", "Q02-monitor", api.NotFound},
		{"Q01-supervisor", "Q01-officer", "Q02-disabled", api.NotFound},
		{"Q01-supervisor", "Q01-officer", "nobody", api.NotFound},
	} {
		_, err := o.s.Deputy(bg, as(c.who), api.DeputyRequest{DeputyForm: api.DeputyForm{For: c.whom, By: c.by, From: date("2026-11-23"), To: date("2026-11-24")}})
		if what := fmt.Sprintf("%s: %s for %s", c.who, c.by, c.whom); c.code != "" {
			wantCode(t, what, err, c.code)
		} else if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A reassignment holds until the ledger names another officer than it did.
func TestAReassignmentHoldsUntilTheLedgerChanges(t *testing.T) {
	o := newOffices(t, "2026-11-23")
	reply, err := o.s.Reassign(bg, as("Q01-supervisor"), api.ActRequest{From: "Q01-officer", To: "Q01-monitor", Reason: "调离"})
	if err != nil || reply.Moved == 0 {
		t.Fatal(reply, err)
	}
	of := func(owner string) (n int) {
		for _, x := range o.all() {
			if x.Loan != "" && x.Branch == "Q01" && x.Owner == owner && !x.State.Ended() {
				n++
			}
		}
		return n
	}
	if of("Q01-officer") != 0 || of("Q01-monitor") != reply.Moved {
		t.Errorf("moved %d: %d and %d", reply.Moved, of("Q01-officer"), of("Q01-monitor"))
	}
	row := func(day, officer, class, maturity string) string {
		return "借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,结息方式,数据日期\n" +
			"JQ01-0,CQ01-0,Q01公司0,Q01," + officer + ",100000,50000,2025-12-31," + maturity + "," + class + ",常规,按季," + day + "\n" +
			"JQ01-1,CQ01-1,Q01公司1,Q01,Q01-officer,100000,50000,2025-12-31,2026-12-28,正常,常规,按季," + day + "\n"
	}
	o.goTo("2026-11-24")
	gone := func(r *api.ImportRequest) { r.AllowGone = true }
	o.importFile(row("2026-11-24", "Q01-officer", "关注", "2026-12-12"), gone) // other facts, the same officer
	for id, x := range o.all() {
		if x.Loan == "JQ01-0" && !x.State.Ended() && x.Owner != "Q01-monitor" && x.Occurrence != "2026-12-12" {
			t.Errorf("%s went to %s with other facts", id, x.Owner)
		}
	}
	o.goTo("2026-11-25")
	o.importFile(row("2026-11-25", "Q01-asset_manager", "关注", "2026-12-12"), gone)
	for id, x := range o.all() {
		if x.State.Ended() {
			continue
		}
		if want := map[string]string{"JQ01-0": "Q01-asset_manager", "JQ01-1": "Q01-monitor"}[x.Loan]; want != "" && x.Owner != want {
			t.Errorf("%s is %s's, want %s", id, x.Owner, want)
		}
	}
	for what, to := range map[string]string{"to ops": "Q01-ops", "to an auditor": "Q01-auditor", "to one who is disabled": "Q01-disabled"} {
		_, err := o.s.Reassign(bg, as("Q01-supervisor"), api.ActRequest{ID: notice("Q11"), To: to})
		wantCode(t, what, err, api.Usage)
	}
	_, err = o.s.Reassign(bg, as("Q01-supervisor"), api.ActRequest{ID: notice("Q11"), To: "Q02-officer"})
	wantCode(t, "to another branch", err, api.NotFound)
	o.verify()
}

func TestPeopleOfTheLedgerAndOfOps(t *testing.T) {
	o := newOffices(t, "2026-11-23")
	// From the 人员 sheet alone: he acts, until ops says otherwise.
	if _, err := o.s.Submit(bg, as("Q01-officer"), api.ActRequest{ID: notice("Q01")}); err != nil {
		t.Fatal(err)
	}
	o.user(api.UserRequest{Staff: "Q01-officer", Disable: true})
	_, err := o.s.Submit(bg, as("Q01-officer"), api.ActRequest{ID: reportOf("Q01")})
	wantCode(t, "disabled", err, api.NotAllowed)
	// The same ledger row again does not bring him back.
	o.goTo("2026-11-24")
	o.importFile("工号,姓名,机构,岗位,系统用户\nQ01-officer,某,Q01,行长,u.Q01-officer\n")
	_, err = o.s.Submit(bg, as("Q01-officer"), api.ActRequest{ID: reportOf("Q01")})
	wantCode(t, "disabled, and in the sheet again", err, api.NotAllowed)
	// His account is given on.
	o.user(api.UserRequest{Staff: "NEW", Name: "新人", Roles: []string{"officer"}, Branch: "Q01", OSUser: "u.Q01-officer"})
	o.must(o.s.Reassign(bg, as("Q01-supervisor"), api.ActRequest{ID: reportOf("Q01"), To: "NEW"}))
	if x := o.must(o.s.Submit(bg, as("Q01-officer"), api.ActRequest{ID: reportOf("Q01")})); x.SubmittedBy != "NEW" {
		t.Errorf("submitted by %s", x.SubmittedBy)
	}
	_, err = o.s.User(bg, setupActor, api.UserRequest{Staff: "Q01-officer", Enable: true})
	wantCode(t, "two persons of one OS user", err, api.Usage)
	// ops: of its branch, not of itself, and for no duties.
	ops := as("Q01-ops")
	for what, c := range map[string]struct {
		r    api.UserRequest
		code api.Code
	}{
		"his own role":                 {api.UserRequest{Staff: "Q01-ops", Roles: []string{"president"}}, api.NotAllowed},
		"ops with duties":              {api.UserRequest{Staff: "X1", Name: "x", Branch: "Q01", Roles: []string{"ops", "officer"}}, api.Usage},
		"one of another branch":        {api.UserRequest{Staff: "Q02-officer", Branch: "Q01"}, api.NotAllowed},
		"disable another branch's":     {api.UserRequest{Staff: "Q02-officer", Disable: true}, api.NotFound},
		"disable nobody":               {api.UserRequest{Staff: "nobody", Disable: true}, api.NotFound},
		"into another branch":          {api.UserRequest{Staff: "X2", Name: "x", Branch: "Q02", Roles: []string{"officer"}}, api.NotAllowed},
		"the OS user of another one's": {api.UserRequest{Staff: "X3", Name: "x", Branch: "Q01", Roles: []string{"officer"}, OSUser: "u.Q02-officer"}, api.Usage},
		"root":                         {api.UserRequest{Staff: "X4", Name: "x", Branch: "Q01", Roles: []string{"officer"}, OSUser: "root"}, api.Usage},
	} {
		_, err := o.s.User(bg, ops, c.r)
		wantCode(t, what, err, c.code)
		text := strings.NewReplacer(c.r.Staff, "", cmp.Or(c.r.OSUser, c.r.Staff), "", cmp.Or(c.r.Branch, c.r.Staff), "").Replace(err.Error())
		if strings.Contains(text, "Q02") {
			t.Errorf("%s: it tells of another branch: %v", what, err)
		}
	}
	o.verify()
}

// What ops of a branch imports stays in his branch.
func TestABranchImportsItsOwn(t *testing.T) {
	o := newOffices(t, "2026-11-23")
	loans := "借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,结息方式,数据日期\n"
	for what, text := range map[string]string{
		"a loan into another branch": loans + "X1,X1,x,Q02,x,1,1,2025-12-31,2026-12-10,正常,常规,按季,2026-11-23\n",
		"another branch's loan":      loans + "JQ02-0,CQ02-0,x,Q01,x,1,1,2025-12-31,2026-12-10,正常,常规,按季,2026-11-23\n",
		"another branch's person":    "工号,姓名,机构,岗位,系统用户\nQ02-president,x,Q01,行长,u.Q01-ops\n",
		"a person of another branch": "工号,姓名,机构,岗位,系统用户\nX9,x,Q02,行长,x9\n",
		"himself":                    "工号,姓名,机构,岗位,系统用户\nQ01-ops,x,Q01,行长,u.Q01-ops\n",
		"the tree":                   "机构号,机构名称,上级机构,级别\nQ02,x,Q01,1\n",
		"his own place in it":        "机构号,机构名称,上级机构,级别\nQ01,x,,1\n",
		"another branch's borrower":  "客户号,客户名称,机构\nCQ02-0,x,Q01\n",
	} {
		before := o.state()
		_, err := o.s.Import(bg, as("Q01-ops"), api.ImportRequest{Name: "x.csv", AllowGone: true}, []byte(text))
		wantCode(t, what, err, api.NotAllowed)
		for id, x := range o.state() {
			if before[id] != x {
				t.Errorf("%s: %s changed", what, id)
			}
		}
	}
	// What hangs on a loan of another branch is passed over, as on none.
	for _, loan := range []string{"JQ02-0", "J-none"} {
		r, err := o.s.Import(bg, as("Q01-ops"), api.ImportRequest{Name: "x.csv"}, []byte("借据号,保证人,证件号码\n"+loan+",某担保,91X\n"))
		if err != nil || !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, loan+" 不在台账中") }) {
			t.Errorf("a guarantor of %s: %v %+v", loan, err, r)
		}
	}
}

func TestEvidenceIsKeptByItsDigest(t *testing.T) {
	o := newOffices(t, "2026-11-23")
	pdf := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("x"), 100)...)
	file := func(name string, data []byte) api.ActRequest {
		return api.ActRequest{ID: reportOf("Q01"), Files: []api.File{{Name: name, Data: data}}}
	}
	a := as("Q01-officer")
	for what, r := range map[string]api.ActRequest{
		"empty":               file("a.pdf", nil),
		"too large":           file("a.pdf", append(bytes.Clone(pdf), make([]byte, scheduler.MaxEvidence)...)),
		"a program":           file("a.exe", []byte("text")),
		"a program in hiding": file("a.pdf", []byte("MZ\x90\x00\x03")),
		"a script":            file("a.txt", []byte("#!/bin/sh\n")),
		"a page":              file("a.pdf", []byte("<html><script>")),
		"a long name":         file(strings.Repeat("长", 100)+".exe", []byte("text")),
		"with a dot":          file("a.exe. ", []byte("text")),
		"eleven":              {ID: reportOf("Q01"), Files: slices.Repeat([]api.File{{Name: "a.pdf", Data: pdf}}, 11)},
	} {
		_, err := o.s.Submit(bg, a, r)
		wantCode(t, what, err, api.Usage)
	}
	files := filepath.Join(o.dir, "files")
	if _, err := os.Stat(files); err == nil {
		t.Error("what was refused was kept")
	}
	// Of who may not, nothing is kept either.
	_, err := o.s.Submit(bg, scheduler.Actor{OSUser: "stranger"}, file("a.pdf", pdf))
	wantCode(t, "a stranger", err, api.NotAllowed)
	if _, err := os.Stat(files); err == nil {
		t.Error("a stranger's file was kept")
	}
	long := strings.Repeat("很", 100) + ".pdf"
	r := api.ActRequest{ID: reportOf("Q01"), Files: []api.File{
		{Name: "../../etc/passwd", Data: pdf}, {Name: "回执\x00\n\x1b[31m\u202efdp.pdf", Data: pdf}, {Name: long, Data: []byte("另一份")}, {Name: "..", Data: []byte("又一份")}}}
	reply, err := o.s.Submit(bg, a, r)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range reply.Files {
		if strings.ContainsAny(e.Name, "/\\\x00\n\x1b\u202e") || e.Name == ".." || !utf8.ValidString(e.Name) || len(e.Name) > 200 {
			t.Errorf("kept as %q", e.Name)
		}
		sum := strings.TrimPrefix(e.Digest, "sha256:")
		data, err := os.ReadFile(filepath.Join(files, sum[:2], sum))
		got := sha256.Sum256(data)
		if err != nil || hex.EncodeToString(got[:]) != sum || !bytes.Equal(data, r.Files[i].Data) || e.Size != int64(len(data)) {
			t.Errorf("%s comes back otherwise: %v", e.Name, err)
		}
	}
	// Sent again, and damaged meanwhile: one file, whole.
	o.must(o.s.Return(bg, as("Q01-supervisor"), api.ActRequest{ID: reportOf("Q01"), Reason: "r"}))
	sum := strings.TrimPrefix(reply.Files[0].Digest, "sha256:")
	path := filepath.Join(files, sum[:2], sum)
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.must(o.s.Submit(bg, a, file("again.pdf", pdf)))
	if data, _ := os.ReadFile(path); !bytes.Equal(data, pdf) {
		t.Error("the damaged file stayed")
	}
	show, err := o.s.Show(bg, api.ShowRequest{ID: reportOf("Q01")})
	if err != nil || len(show.Evidence) != 3 {
		t.Errorf("show lists %+v, %v; want the three", show.Evidence, err)
	}
	o.verify()
}
