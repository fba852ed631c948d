package scheduler_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tickler/api"
	"tickler/loan"
	"tickler/rules"
	"tickler/scheduler"
	"tickler/store"
)

// life is a small branch to which anything may happen, and what has become of
// it so far.
type life struct {
	*branch
	rt    *rapid.T
	today string
	rows  []map[string]string // of the ledger
	kinds []string            // of events, sorted
	book  *rules.Book
	known map[string]api.Obligation
	told  int
	did   []string
}

func (w *life) pick(what string, from ...string) string {
	return rapid.SampledFrom(from).Draw(w.rt, what)
}

func (w *life) say(format string, args ...any) {
	w.did = append(w.did, w.today+" "+fmt.Sprintf(format, args...))
}

func (w *life) text() []string {
	var out []string
	for _, r := range w.rows {
		var cells []string
		for _, k := range sorted(r) {
			cells = append(cells, k+"="+r[k])
		}
		out = append(out, row(strings.Join(cells, " ")))
	}
	return out
}

func sorted[T any](m map[string]T) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (w *life) wait() {
	days := rapid.SampledFrom([]int{1, 1, 1, 3, 10, 40}).Draw(w.rt, "days")
	w.today = date(w.today).AddDays(days).String()
	w.on(w.today)
	w.say("after %d days", days)
}

// file changes a row or two and imports the ledger of today, perhaps a second
// time.
func (w *life) file() {
	for range rapid.IntRange(0, 2).Draw(w.rt, "changes") {
		r := w.rows[rapid.IntRange(0, len(w.rows)-1).Draw(w.rt, "row")]
		switch k := w.pick("column", "余额", "五级分类", "管理方式", "客户经理", "机构", "到期日", "欠息", "客户号", "保证人"); k {
		case "余额":
			r[k] = w.pick(k, "0", "40000", "100000")
		case "五级分类":
			r[k] = w.pick(k, "正常", "关注", "次级")
		case "管理方式":
			r[k] = w.pick(k, "常规", "重点")
		case "客户经理":
			r[k] = w.pick(k, "S001", "S002")
		case "机构":
			r[k] = w.pick(k, "B01", "B02")
		case "到期日":
			r[k] = w.pick(k, "2026-12-31", "2027-01-15", "2027-06-30", "2029-06-30")
		case "欠息":
			r[k] = w.pick(k, "0", "100")
		case "客户号":
			r[k] = w.pick(k, "C1", "C2", "C3")
		case "保证人":
			r[k] = w.pick(k, "", "丙公司", "丙公司、丁公司")
		}
	}
	w.say("ledger %s", strings.Join(w.text(), " | "))
	w.ledger(w.text()...)
}

func (w *life) sheets() {
	switch w.pick("sheet", "branches", "borrowers", "groups", "collateral", "guarantors") {
	case "branches":
		parent := w.pick("parent", "B00", "B02", "-")
		w.say("branches: B01 below %s", parent)
		w.sheet("机构号 机构名称 上级机构 开业日 上次督导日", "B00 分行 - 2000-01-01 -", "B02 二支行 B00 2000-01-01 "+w.pick("visit", "-", "2026-10-01", "2025-03-01"), "B01 一支行 "+parent+" 2000-01-01 -")
	case "borrowers":
		who := w.pick("who", "C1", "C2", "C3")
		row := who + " " + who + "公司 " + w.pick("branch", "-", "B02") + " " + w.pick("officer", "-", "S002") + " " + w.pick("risk manager", "-", "R001", "R002")
		w.say("borrower %s", row)
		w.sheet(borrowerHead, row)
	case "groups":
		rows := []string{"G1 某集团 C1 B01 " + w.pick("role", "牵头行", "参与行"), "G1 某集团 C9 B09 参与行"}
		if rapid.Bool().Draw(w.rt, "C2 is a member") {
			rows = append(rows, "G1 某集团 C2 B02 参与行")
		}
		w.say("group %s", strings.Join(rows, " | "))
		w.sheet(groupHead, rows...)
	case "collateral":
		row := "K1 " + w.pick("loan", "JJ1", "JJ2") + " 厂房 房产 " + w.pick("inspected", "-", "2026-10-01", "2025-12-15")
		rows := []string{row}
		if rapid.Bool().Draw(w.rt, "secures another") {
			rows = append(rows, strings.NewReplacer("JJ1", "JJ2", "JJ2", "JJ3").Replace(row))
		}
		w.say("collateral %s", strings.Join(rows, " | "))
		w.sheet("押品号 借据号 名称 种类 上次检查日", rows...)
	case "guarantors":
		w.say("guarantors")
		w.sheet(guarantorHead, "JJ1 丙公司 G", "JJ3 丙公司 G")
	}
}

func (w *life) record() {
	kind := rapid.SampledFrom(w.kinds).Draw(w.rt, "event")
	k := w.book.Events[kind]
	of := rapid.SampledFrom(k.For).Draw(w.rt, "of")
	ids := map[loan.Kind][]string{
		loan.KindLoan: {"JJ1", "JJ2", "JJ3"}, loan.KindBorrower: {"C1", "C2"}, loan.KindGuarantor: {"G", "丙公司", "丁公司"}, loan.KindCollateral: {"K1"},
		loan.KindGroup: {"G1"}, loan.KindBranch: {"B00", "B01", "B02"}, loan.KindOfficer: {"S001", "S002", "R001"},
	}
	w.told++
	text := fmt.Sprintf("%s %s/%s %s id=t%d", kind, of, rapid.SampledFrom(ids[of]).Draw(w.rt, "subject"), date(w.today).AddDays(-rapid.SampledFrom([]int{0, 0, 1, 5}).Draw(w.rt, "ago")), w.told)
	for _, f := range k.Fields {
		if len(f.Values) > 0 && rapid.Bool().Draw(w.rt, "with "+f.Name) {
			text += " " + f.Name + "=" + rapid.SampledFrom(f.Values).Draw(w.rt, f.Name).Word
		} else if f.Required {
			text += " " + f.Name + "=" + map[rules.FieldType]string{rules.Number: "60", rules.DateField: w.today}[f.Type]
		}
	}
	w.trySaying(text)
}

// close records what closes one of the duties on a desk.
func (w *life) close() {
	var open []string
	for _, id := range sorted(w.known) {
		if o := w.known[id]; o.State == "raised" && len(w.book.Rule(o.Rule).ClosesOn) > 0 {
			open = append(open, id)
		}
	}
	if len(open) == 0 {
		return
	}
	o := w.known[rapid.SampledFrom(open).Draw(w.rt, "duty")]
	w.told++
	w.trySaying(fmt.Sprintf("%s %s %s id=t%d closes=%s", rapid.SampledFrom(w.book.Rule(o.Rule).ClosesOn).Draw(w.rt, "by"), o.Subject, w.today, w.told, o.ID))
}

func (w *life) trySaying(text string) {
	_, err := w.tryTell(text)
	w.say("record %s: %v", text, err)
	if err != nil && api.CodeOf(err) != api.Usage && api.CodeOf(err) != api.NotFound {
		w.rt.Errorf("record %s: %v", text, err)
	}
}

// takeBack withdraws any event, also one that a file showed.
func (w *life) takeBack() {
	var ids []string
	w.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanEvents(func(_ loan.Ref, e loan.Event) error {
			if e.Withdrawn == nil {
				ids = append(ids, e.ID)
			}
			return nil
		})
	})
	if len(ids) == 0 {
		return
	}
	slices.Sort(ids)
	id := rapid.SampledFrom(ids).Draw(w.rt, "event")
	w.say("withdraw %s", id)
	if _, err := w.tryWithdraw(id, "有误"); err != nil {
		w.rt.Errorf("withdraw %s: %v", id, err)
	}
}

// check holds that nothing vanished and nothing is there twice.
func (w *life) check() {
	now := w.all()
	for id := range w.known {
		if _, there := now[id]; !there {
			w.rt.Errorf("%s vanished", id)
		}
	}
	for id, o := range now {
		if o.Raise > o.Due || !o.DoneOn.IsZero() != (o.State == "done") || o.State == "planned" && o.RaisedAt != nil {
			w.rt.Errorf("%s: %s, raised on %s, due %s, done on %s", id, o.State, o.Raise, o.Due, o.DoneOn)
		}
		if o.State == "planned" && o.Raise <= date(w.today) {
			w.rt.Errorf("%s was to be raised on %s and is planned on %s", id, o.Raise, w.today)
		}
	}
	w.known = now
}

// Whatever is recorded, withdrawn and imported in whatever order: nothing
// vanishes or comes twice, scanning again changes nothing, and the plan is the
// one that the facts give.
func TestThePlanIsWhatTheFactsGive(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of a minute")
	}
	book, err := rules.Parse("rules.yaml", []byte(everySet))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := &life{branch: newBranchUnder(t, "2026-11-23", everySet), rt: rt, today: "2026-11-23", book: book, kinds: sorted(book.Events)}
		defer w.st.Close()
		w.t = rt
		w.rows = []map[string]string{{"借据号": "JJ1"}, {"借据号": "JJ2", "客户号": "C2", "机构": "B02"}, {"借据号": "JJ3", "客户号": "C2", "到期日": "2026-12-31"}}
		w.ledger(w.text()...)
		w.sheet("机构号 机构名称 上级机构 开业日", "B00 分行 - 2000-01-01", "B01 一支行 B00 2000-01-01", "B02 二支行 B00 2000-01-01")
		w.sheet("押品号 借据号 名称 种类", "K1 JJ1 厂房 房产")
		for range rapid.IntRange(2, 9).Draw(rt, "steps") {
			switch w.pick("step", "wait", "file", "file", "sheet", "record", "record", "close", "close", "withdraw") {
			case "wait":
				w.wait()
			case "file":
				w.file()
			case "sheet":
				w.sheets()
			case "record":
				w.record()
			case "close":
				w.close()
			case "withdraw":
				w.takeBack()
			}
			w.check()
		}
		w.tick()
		head := w.head()
		for range 10 {
			if r := w.tick(); len(r.Plan) > 0 {
				rt.Errorf("a second scan of %s: %v", w.today, r.Plan)
			}
		}
		if w.head() != head {
			rt.Errorf("ten more scans wrote something")
		}
		left, err := scheduler.Leftover(context.Background(), w.s)
		if err != nil {
			rt.Fatal(err)
		}
		for _, l := range left {
			rt.Errorf("left over by the scans of %s: %s", w.today, l)
		}
		before := w.all()
		if r := w.anew(); len(r.Plan) > 0 || len(r.Failed) > 0 {
			rt.Errorf("planned anew: %v %v", r.Plan, r.Failed)
		}
		for _, l := range lines(before, w.all()) {
			rt.Errorf("planned anew: %s", l)
		}
		if rt.Failed() {
			rt.Fatalf("after\n%s", strings.Join(w.did, "\n"))
		}
	})
}
