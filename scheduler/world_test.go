package scheduler_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tickler"
	"tickler/api"
	"tickler/loan"
	"tickler/obligation"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
)

// everySet is the shipped rulebook with all of its sets in force.
var everySet = strings.Replace(string(tickler.Rulebook), "enable: [manual]", "enable: [manual, county, policy]", 1)

// withRules adds rules to the shipped rulebook, with all of its sets in force.
func withRules(more string) string { return everySet + "\n" + more }

// newBranchUnder makes a branch under a rulebook of its own.
func newBranchUnder(t *testing.T, today, rulebook string) *branch {
	t.Helper()
	dir := t.TempDir()
	b := &branch{t: t, path: filepath.Join(dir, "tickler.db")}
	b.cfg.RulesPath = filepath.Join(dir, "rules.yaml")
	b.cfg.Hold.Least = 1 << 30 // nothing is held
	b.rulebook(rulebook)
	if err := bolt.Create(b.path); err != nil {
		t.Fatal(err)
	}
	b.goTo(today)
	b.open()
	t.Cleanup(func() { b.st.Close() })
	return b
}

// rulebook writes the file; the next opening reads it.
func (b *branch) rulebook(text string) {
	b.t.Helper()
	if err := os.WriteFile(b.cfg.RulesPath, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// under goes on with another rulebook.
func (b *branch) under(text string) {
	b.t.Helper()
	b.rulebook(text)
	b.st.Close()
	b.open()
	b.tick()
}

// on goes to a day and scans.
func (b *branch) on(day string) {
	b.t.Helper()
	b.goTo(day)
	b.tick()
}

// row is a line of a ledger; fields are 借据号=value, over those of loan JJ1 of C1.
func row(fields string) string {
	const first = "借据号=JJ1 客户号=C1 客户名称=甲公司 机构=B01 客户经理=S001 发放金额=100000 余额=100000 发放日=2026-01-15 到期日=2027-06-30 五级分类=正常 管理方式=常规 保证人= 结息方式=利随本清 欠息=0"
	at := map[string]string{}
	for _, f := range strings.Fields(first + " " + fields) {
		k, v, _ := strings.Cut(f, "=")
		at[k] = v
	}
	var cells []string
	for _, k := range strings.Split(strings.TrimSuffix(header, ",数据日期\n"), ",") {
		cells = append(cells, at[k])
	}
	return strings.Join(cells, ",")
}

// ledger imports the rows as the ledger of today.
func (b *branch) ledger(rows ...string) *api.ImportReply {
	b.t.Helper()
	day := b.now.Load().Format("2006-01-02")
	return b.importFile(header + strings.Join(rows, ","+day+"\n") + "," + day + "\n")
}

// sheet imports a sheet of another kind; cells are parted by blanks, - is empty.
func (b *branch) sheet(head string, rows ...string) *api.ImportReply {
	b.t.Helper()
	lines := []string{strings.Join(strings.Fields(head), ",")}
	for _, r := range rows {
		cells := strings.Fields(r)
		for i := range cells {
			cells[i] = strings.TrimPrefix(cells[i], "-")
		}
		lines = append(lines, strings.Join(cells, ","))
	}
	return b.importFile(strings.Join(lines, "\n")+"\n", func(r *api.ImportRequest) { r.Name = strings.Fields(head)[0] + ".csv" })
}

// tell records an event: "kind subject day [name=value...]"; closes= and id=
// are its own.
func (b *branch) tell(text string) *api.RecordReply {
	b.t.Helper()
	r, err := b.tryTell(text)
	if err != nil {
		b.t.Fatalf("record %s: %v", text, err)
	}
	return r
}

func (b *branch) tryTell(text string) (*api.RecordReply, error) {
	words := strings.Fields(text)
	r := api.RecordRequest{Event: words[0], Subject: words[1], Set: map[string]string{}}
	for _, w := range words[2:] {
		switch k, v, set := strings.Cut(w, "="); {
		case !set:
			r.Happened = date(w)
		case k == "id":
			r.ID = v
		case k == "closes":
			r.Closes = append(r.Closes, v)
		default:
			r.Set[k] = v
		}
	}
	return b.s.Record(context.Background(), scheduler.Actor{OSUser: "ops", Owner: true}, r)
}

func (b *branch) withdraw(id string) *api.WithdrawReply {
	b.t.Helper()
	r, err := b.tryWithdraw(id, "录入有误")
	if err != nil {
		b.t.Fatalf("withdraw %s: %v", id, err)
	}
	return r
}

func (b *branch) tryWithdraw(id, reason string) (*api.WithdrawReply, error) {
	return b.s.Withdraw(context.Background(), scheduler.Actor{OSUser: "ops", Owner: true}, api.WithdrawRequest{ID: id, Reason: reason})
}

// holds says what becomes of obligations: id -> state, with the due day behind
// it where that matters: "raised 2026-11-30". "" is none.
func (b *branch) holds(want map[string]string) {
	b.t.Helper()
	all := b.all()
	for _, id := range slices.Sorted(func(yield func(string) bool) {
		for id := range want {
			if !yield(id) {
				return
			}
		}
	}) {
		o, got := all[id], string(all[id].State)
		if strings.Contains(want[id], " ") {
			got += " " + o.Due.String()
		}
		if got != want[id] {
			b.t.Helper()
			b.t.Errorf("%s is %q, want %q (%s)", id, got, want[id], o.Cause)
		}
	}
}

// of lists the obligations of a rule, in order, each with its state.
func (b *branch) of(rule string) string {
	b.t.Helper()
	var out []string
	for id, o := range b.all() {
		if o.Rule == rule {
			out = append(out, strings.TrimPrefix(id, rule+":")+" "+string(o.State))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// progress gives have/need, or have/need of all.
func (b *branch) progress(id string) obligation.Progress {
	b.t.Helper()
	o, ok := b.all()[id]
	if !ok || o.Progress == nil {
		b.t.Errorf("%s has no progress", id)
		return obligation.Progress{}
	}
	return *o.Progress
}

// trail lists the audit's records of an action as "subject".
func (b *branch) trail(action string) []string {
	b.t.Helper()
	var out []string
	err := b.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanAudit(1, 0, func(r store.Record) error {
			if r.Action == action {
				out = append(out, r.Subject)
			}
			return nil
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// again plans every unit anew from the facts, which must change nothing.
func (b *branch) again() {
	b.t.Helper()
	before := b.all()
	if r := b.anew(); len(r.Plan) > 0 || len(r.Failed) > 0 {
		b.t.Errorf("planned anew on %s: %v %v", r.Today, r.Plan, r.Failed)
	}
	for _, l := range lines(before, b.all()) {
		b.t.Errorf("planned anew: %s", l)
	}
}

// anew plans every unit that the facts give.
func (b *branch) anew() *api.TickReply {
	b.t.Helper()
	err := b.st.Update(context.Background(), func(tx *store.Tx) error {
		var units []loan.Ref
		add := func(kind loan.Kind, id string) { units = append(units, loan.Ref{Kind: kind, ID: id}) }
		err := tx.ScanDossiers(func(d *loan.Dossier) error {
			add(loan.KindBorrower, d.ID)
			if d.Borrower != nil && d.Borrower.RiskManager != "" {
				add(loan.KindOfficer, d.Borrower.RiskManager)
			}
			for _, f := range d.Loans {
				for _, v := range f.History {
					add(loan.KindOfficer, v.Value.Officer)
					add(loan.KindBranch, v.Value.Branch)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		branches, err := tx.Branches()
		if err != nil {
			return err
		}
		for id := range branches {
			add(loan.KindBranch, id)
		}
		groups, err := tx.Groups()
		if err != nil {
			return err
		}
		for id := range groups {
			add(loan.KindGroup, id)
		}
		for _, u := range units {
			if u.ID == "" {
				continue
			}
			if err := tx.MarkDirty(u, ""); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.tick()
}
