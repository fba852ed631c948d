package scheduler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tickler/api"
	"tickler/rules"
	"tickler/scheduler"
	"tickler/store"
)

// officesBook has a duty of every kind of owner: a loan's officer, without and
// with signatures, and a role of the branch.
const officesBook = `version: 1
zone: Asia/Shanghai
enable: [manual]
rules:
- id: notice
  set: manual
  name: 发送到期通知书
  clause: 测试 1
  for: loan
  due: 1 month before loan.maturity
  by: officer
  closes_on: notice.maturity_sent
- id: report
  set: manual
  name: 检查报告
  clause: 测试 2
  for: loan
  every: month
  due: 10 workdays after period.end
  by: officer
  sign: [supervisor, president]
  closes_on: inspection.reported
- id: meeting
  set: manual
  name: 贷后例会
  clause: 测试 3
  for: branch
  every: month
  due: on period.end
  by: supervisor
  closes_on: meeting.held
`

// offices is a bank of four: QH above Q01, which is above Q11, and Q02 beside
// it. Their names occur in all that is theirs, and in nothing else.
//
//	QH ─┬─ Q01 ── Q11
//	    └─ Q02
type offices struct {
	*branch
	dir string
}

var officeTree = []struct{ id, parent string }{{"QH", ""}, {"Q01", "QH"}, {"Q11", "Q01"}, {"Q02", "QH"}}

func staffOf(office, role string) string { return office + "-" + role }

func as(staff string) scheduler.Actor { return scheduler.Actor{OSUser: "u." + staff} }

var setupActor = scheduler.Actor{OSUser: "root", Owner: true}

// newOffices makes the bank with a person of every role in every office. Of the
// offices that are named in more there are three times as many loans.
func newOffices(t *testing.T, today string, more ...string) *offices {
	t.Helper()
	dir := t.TempDir()
	o := &offices{dir: dir}
	book := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(book, []byte(officesBook), 0o600); err != nil {
		t.Fatal(err)
	}
	o.branch = newBranchWith(t, today, scheduler.Config{RulesPath: book, Data: dir})
	var loans, tree, staff strings.Builder
	loans.WriteString("借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,结息方式,数据日期\n")
	tree.WriteString("机构号,机构名称,上级机构,级别\n")
	staff.WriteString("工号,姓名,机构,岗位,系统用户\n")
	for i, b := range officeTree {
		fmt.Fprintf(&tree, "%s,%s支行,%s,%d\n", b.id, b.id, b.parent, i)
		n := 3
		if slices.Contains(more, b.id) {
			n = 9
		}
		for k := range n {
			day := 10 + k
			if k == 1 {
				day = 28 // its notice is not overdue yet
			}
			fmt.Fprintf(&loans, "J%s-%d,C%s-%d,%s公司%d,%s,%s,100000,50000,2025-12-31,2026-12-%d,正常,常规,按季,%s\n", b.id, k, b.id, k, b.id, k, b.id, staffOf(b.id, "officer"), day, today)
		}
		for _, role := range rules.Roles {
			id := staffOf(b.id, role)
			fmt.Fprintf(&staff, "%s,%s某,%s,%s,u.%s\n", id, id, b.id, role, id)
		}
		id := staffOf(b.id, "disabled")
		fmt.Fprintf(&staff, "%s,%s某,%s,officer,u.%s\n", id, id, b.id, id)
	}
	for _, text := range []string{tree.String(), staff.String(), loans.String()} {
		o.importFile(text)
	}
	for _, b := range officeTree {
		if _, err := o.s.User(context.Background(), setupActor, api.UserRequest{Staff: staffOf(b.id, "disabled"), Disable: true}); err != nil {
			t.Fatal(err)
		}
	}
	o.tick()
	return o
}

func newBranchWith(t *testing.T, today string, cfg scheduler.Config) *branch {
	t.Helper()
	b := &branch{t: t, path: filepath.Join(t.TempDir(), "tickler.db"), cfg: cfg}
	b.create()
	b.goTo(today)
	b.open()
	t.Cleanup(func() { b.st.Close() })
	return b
}

// notice, report and meeting are the ids of an office's duties.
func notice(office string) string {
	return "notice:loan/J" + office + "-0:2026-12-10"
}
func reportOf(office string) string { return "report:loan/J" + office + "-0:2026-10" }
func meeting(office string) string  { return "meeting:branch/" + office + ":2026-11" }

// state gives everything that stands, by id, for a comparison.
func (o *offices) state() map[string]string {
	out := map[string]string{}
	for id, x := range o.all() {
		text, _ := json.Marshal(x)
		out[id] = x.Branch + " " + string(text)
	}
	return out
}

// refusals counts the audit's records of refusals.
func (b *branch) refusals() (n int) {
	b.t.Helper()
	err := b.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanAudit(1, 0, func(r store.Record) error {
			if r.Action == "refused" {
				n++
			}
			return nil
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b *branch) verify() {
	b.t.Helper()
	if _, err := b.st.VerifyAudit(context.Background()); err != nil {
		b.t.Errorf("the audit does not verify: %v", err)
	}
}

// wire is a reply, or the error, as it goes over the wire.
func wire(reply any, err error) string {
	if err != nil {
		return string(api.CodeOf(err)) + ": " + err.Error()
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.Encode(reply)
	return buf.String()
}
