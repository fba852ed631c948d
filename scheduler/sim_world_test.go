package scheduler_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/scheduler"
	"tickler/store"
)

// simWorld is what lies outside the daemon: the bank's files, and what was put
// in. It follows from the seed and from what the branch shows, never from
// faults.
type simWorld struct {
	rows  []map[string]string // of the ledger
	book  *rules.Book
	kinds []string // of events, sorted
	text  string   // of the rulebook's file
}

var (
	scanner = scheduler.Actor{System: true}
	clerk   = scheduler.Actor{OSUser: "ops", Owner: true}
)

func newSimWorld(w *sim) *simWorld {
	book, err := rules.Parse("rules.yaml", []byte(simBook))
	if err != nil {
		w.t.Fatal(err)
	}
	return &simWorld{book: book, kinds: sorted(book.Events), text: simBook, rows: []map[string]string{
		{"借据号": "JJ1"}, {"借据号": "JJ2", "客户号": "C2", "机构": "B02", "客户经理": "S002"}, {"借据号": "JJ3", "客户号": "C2", "到期日": "2026-12-31"},
		{"借据号": "JJ4", "客户号": "C4", "到期日": "2027-03-31", "管理方式": "重点", "保证人": "丙公司、丁公司"}, {"借据号": "JJ5", "客户号": "C5", "到期日": "2028-12-31", "结息方式": "按月"},
	}}
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// input puts one thing in, and goes on until the daemon has answered.
func (w *sim) input(i int, r *rand.Rand) {
	w.scanned()
	kind := "people"
	if i >= len(simFirst) {
		kind = pick(r, "ledger", "ledger", "ledger", "record", "record", "close", "close", "withdraw", "submit", "submit", "submit", "sign", "sign", "return", "waive", "grant", "reopen", "reassign", "rulebook", "bad rulebook", "calendar", "clock", "restart", "down")
	} else {
		kind = simFirst[i]
	}
	if l := w.lie; l != nil && l.kind == kind && i >= len(simFirst) {
		w.p.faulty.Set(l.fault)
		w.lie = nil
	}
	err := w.put(kind, i, r)
	outcome := "done"
	if err != nil {
		outcome = string(api.CodeOf(err))
	}
	if err != nil && outcome != string(api.Usage) && outcome != string(api.NotAllowed) && outcome != string(api.NotFound) {
		w.tally.find("%s: %v", kind, err)
	}
	w.say("%d %s: %s %v", i, kind, outcome, err)
	w.outcomes = append(w.outcomes, fmt.Sprintf("%d %s: %s", i, kind, outcome))
}

// simFirst is what a branch begins with.
var simFirst = []string{"branches", "people", "first ledger", "collateral"}

func (w *sim) put(kind string, i int, r *rand.Rand) error {
	switch kind {
	case "branches":
		return w.file(i, "机构号,机构名称,上级机构,开业日\nB00,分行,,2000-01-01\nB01,一支行,B00,2000-01-01\nB02,二支行,B00,2000-01-01\n")
	case "people":
		return w.file(i, "工号,姓名,机构,岗位,系统用户\nS001,甲,B01,客户经理,u.S001\nS002,乙,B02,客户经理,u.S002\nS010,丙,B00,主管,u.S010\nS011,丁,B00,主管,u.S011\nS020,戊,B00,行长,u.S020\n")
	case "first ledger":
		return w.ledger(i)
	case "collateral":
		return w.file(i, "押品号,借据号,名称,种类\nK1,JJ1,厂房,房产\nK2,JJ4,设备,机器\n")
	case "ledger":
		for range r.IntN(3) {
			w.change(r)
		}
		return w.ledger(i)
	case "record":
		return w.record(i, r)
	case "close":
		return w.closing(i, r)
	case "withdraw":
		return w.withdraw(i, r)
	case "submit", "sign", "return", "waive", "grant", "reopen", "reassign":
		return w.act(kind, i, r)
	case "rulebook":
		days := pick(r, "10 workdays after loan.maturity", "12 workdays after loan.maturity", "8 workdays after loan.maturity")
		w.world.text = strings.ReplaceAll(simBook, "10 workdays after loan.maturity", days)
		w.write("rules.yaml", w.world.text)
	case "bad rulebook":
		bad := pick(r, w.world.text[:len(w.world.text)/2]+"\n- {", strings.Replace(w.world.text, "workdays after", "wd after", 1), "")
		w.write("rules.yaml", bad)
		w.reloaded()
		w.write("rules.yaml", w.world.text)
	case "calendar":
		name := filepath.Join(w.dir, "calendar", fmt.Sprintf("%d.yaml", r.IntN(3)))
		if r.IntN(3) == 0 {
			if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
				w.t.Fatal(err)
			}
			break
		}
		day := w.today().AddDays(r.IntN(200))
		for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			day = day.AddDays(1)
		}
		w.write(filepath.Join("calendar", filepath.Base(name)), fmt.Sprintf("version: 1\noverlay:\n- {source: 本行〔2026〕%d号, issued: 2026-11-01, off: [%s 行庆]}\n", i, day))
	case "clock":
		by := pick(r, time.Second, 15*time.Minute, time.Hour, 10*time.Hour, -time.Second, -15*time.Minute, -time.Hour, -24*time.Hour, -5*24*time.Hour)
		w.say("the clock goes by %s", by)
		w.offset.Add(int64(by))
	case "restart":
		if w.luck != nil {
			w.restart()
		}
	case "down":
		days := pick(r, 1, 3, 10, 31)
		if w.luck != nil {
			w.p.stop()
			<-w.p.ended
			w.close(w.p)
		}
		w.sleep(time.Duration(days) * 24 * time.Hour / simScale)
		if w.luck != nil {
			w.boot()
		}
	}
	w.reloaded()
	return nil
}

// reloaded lets the loop look at the files, as it does at its next wake.
func (w *sim) reloaded() {
	w.sleep(20 * time.Second)
	w.scanned()
}

// sleep lets the daemon be.
func (w *sim) sleep(d time.Duration) {
	w.turn.give()
	time.Sleep(d)
	w.turn.take()
}

// scanned scans until that succeeds, as the loop would at one of its wakes.
func (w *sim) scanned() {
	if err := w.try(func() bool { return false }, func(s *scheduler.Scheduler) error { _, err := s.Tick(bg, scanner, api.TickRequest{}); return err }); err != nil {
		w.tally.find("scan: %v", err)
	}
}

// today is the business day.
func (w *sim) today() (day calendar.Date) {
	w.look(func(tx *store.Tx) error { m, err := tx.Meta(); day = m.BusinessDate; return err })
	return day
}

// look reads the store as it stands, past all faults.
func (w *sim) look(fn func(*store.Tx) error) {
	if err := store.New(w.p.faulty.Backend).View(bg, fn); err != nil {
		w.t.Fatalf("seed %d: read the store: %v", w.seed, err)
	}
}

// file imports a file under a name of its own, by which its record is found.
// One that says nothing new has none.
func (w *sim) file(i int, text string) error {
	name, same := fmt.Sprintf("act-%d.csv", i), false
	err := w.try(func() bool { return w.tally.nonces[name] > 0 }, func(s *scheduler.Scheduler) error {
		r, err := s.Import(bg, clerk, api.ImportRequest{Name: name}, []byte(text))
		same = err == nil && r.Same
		return err
	})
	if !same || w.tally.nonces[name] > 0 {
		w.tally.told(name, err)
	}
	return err
}

func (w *sim) ledger(i int) error {
	var text strings.Builder
	text.WriteString(header)
	for _, r := range w.world.rows {
		var cells []string
		for _, k := range sorted(r) {
			cells = append(cells, k+"="+r[k])
		}
		fmt.Fprintf(&text, "%s,%s\n", row(strings.Join(cells, " ")), w.today())
	}
	return w.file(i, text.String())
}

// change changes a row of the ledger, or adds one.
func (w *sim) change(r *rand.Rand) {
	rows := w.world.rows
	if len(rows) < 12 && r.IntN(6) == 0 {
		n := len(rows) + 1
		today := w.today()
		w.world.rows = append(rows, map[string]string{"借据号": fmt.Sprintf("JJ%d", n), "客户号": fmt.Sprintf("C%d", 1+n%7), "发放日": today.String(), "到期日": today.AddDays(60 + r.IntN(500)).String(), "客户经理": pick(r, "S001", "S002")})
		return
	}
	at := rows[r.IntN(len(rows))]
	k := pick(r, "余额", "五级分类", "管理方式", "客户经理", "到期日", "欠息", "保证人")
	at[k] = pick(r, map[string][]string{
		"余额": {"0", "40000", "100000"}, "五级分类": {"正常", "关注", "次级"}, "管理方式": {"常规", "重点"}, "客户经理": {"S001", "S002"},
		"到期日": {"2027-06-30", "2027-09-30", "2029-06-30"}, "欠息": {"0", "100"}, "保证人": {"", "丙公司", "丙公司、丁公司"},
	}[k]...)
}

// told gives an input that must be done once its name, and keeps what its
// caller was told.
func (w *sim) told(i int, do func(s *scheduler.Scheduler, nonce string) error) error {
	nonce := fmt.Sprintf("act-%d", i)
	err := w.try(func() bool { return w.tally.nonces[nonce] > 0 }, func(s *scheduler.Scheduler) error { return do(s, nonce) })
	w.tally.told(nonce, err)
	return err
}

func (w *sim) record(i int, r *rand.Rand) error {
	kind := pick(r, w.world.kinds...)
	k := w.world.book.Events[kind]
	of := pick(r, k.For...)
	ids := map[loan.Kind][]string{
		loan.KindLoan: {"JJ1", "JJ2", "JJ3", "JJ4", "JJ5"}, loan.KindBorrower: {"C1", "C2", "C4"}, loan.KindGuarantor: {"丙公司", "丁公司"}, loan.KindCollateral: {"K1", "K2"},
		loan.KindGroup: {"G1"}, loan.KindBranch: {"B00", "B01", "B02"}, loan.KindOfficer: {"S001", "S002"},
	}
	req := api.RecordRequest{Event: kind, Subject: string(of) + "/" + pick(r, ids[of]...), Happened: w.today().AddDays(-pick(r, 0, 0, 1, 5)), Set: map[string]string{}}
	for _, f := range k.Fields {
		if len(f.Values) > 0 && r.IntN(2) == 0 {
			req.Set[f.Name] = pick(r, f.Values...).Word
		} else if f.Required {
			req.Set[f.Name] = map[rules.FieldType]string{rules.Number: "60", rules.DateField: w.today().String()}[f.Type]
		}
	}
	return w.told(i, func(s *scheduler.Scheduler, nonce string) error {
		req.ID = nonce
		_, err := s.Record(bg, clerk, req)
		return err
	})
}

// closing records what closes one of the duties on a desk.
func (w *sim) closing(i int, r *rand.Rand) error {
	open := w.duties(func(o api.Obligation) bool {
		return o.State == obligation.Raised && w.world.book.Rule(o.Rule) != nil && len(w.world.book.Rule(o.Rule).ClosesOn) > 0
	})
	if len(open) == 0 {
		return nil
	}
	o := pick(r, open...)
	req := api.RecordRequest{Event: pick(r, w.world.book.Rule(o.Rule).ClosesOn...), Subject: o.Subject.String(), Happened: w.today(), Closes: []string{o.ID}}
	return w.told(i, func(s *scheduler.Scheduler, nonce string) error {
		req.ID = nonce
		_, err := s.Record(bg, clerk, req)
		return err
	})
}

func (w *sim) withdraw(i int, r *rand.Rand) error {
	var ids []string
	w.look(func(tx *store.Tx) error {
		return tx.ScanEvents(func(_ loan.Ref, e loan.Event) error {
			if e.Withdrawn == nil {
				ids = append(ids, e.ID)
			}
			return nil
		})
	})
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	id := pick(r, ids...)
	return w.told(i, func(s *scheduler.Scheduler, nonce string) error {
		_, err := s.Withdraw(bg, clerk, api.WithdrawRequest{ID: id, Reason: nonce})
		return err
	})
}

// act is one move of a person on a duty that it may be made of, mostly by one
// who may.
func (w *sim) act(kind string, i int, r *rand.Rand) error {
	managers := []string{"S010", "S011", "S020"}
	fits := map[string]func(o api.Obligation) bool{
		"submit": func(o api.Obligation) bool { return o.State == obligation.Raised },
		"sign":   func(o api.Obligation) bool { return o.State == obligation.Submitted },
		"return": func(o api.Obligation) bool { return o.State == obligation.Submitted },
		"waive":  func(o api.Obligation) bool { return o.State == obligation.Raised && o.Waiver == nil },
		"grant":  func(o api.Obligation) bool { return o.Waiver != nil },
		"reopen": func(o api.Obligation) bool {
			return o.State == obligation.Done || o.State == obligation.Waived
		},
		"reassign": func(o api.Obligation) bool { return o.State == obligation.Raised },
	}
	found := w.duties(fits[kind])
	if signed := slices.DeleteFunc(slices.Clone(found), func(o api.Obligation) bool { return len(o.Signs) == 0 }); kind == "submit" && len(signed) > 0 && r.IntN(2) == 0 {
		found = signed
	}
	if len(found) == 0 {
		return nil
	}
	o := pick(r, found...)
	who := pick(r, managers...)
	if kind == "submit" && o.Owner != "" && r.IntN(8) > 0 {
		who = o.Owner
	}
	req := api.ActRequest{ID: o.ID}
	if kind == "reassign" {
		req.To = pick(r, "S001", "S002")
	}
	return w.told(i, func(s *scheduler.Scheduler, nonce string) error {
		req.Reason = nonce
		_, err := map[string]func() (*api.ActReply, error){
			"submit": func() (*api.ActReply, error) { return s.Submit(bg, as(who), req) }, "sign": func() (*api.ActReply, error) { return s.Sign(bg, as(who), req) },
			"return": func() (*api.ActReply, error) { return s.Return(bg, as(who), req) }, "waive": func() (*api.ActReply, error) { return s.Waive(bg, as(who), req) },
			"grant": func() (*api.ActReply, error) { return s.Waive(bg, as(who), req) }, "reopen": func() (*api.ActReply, error) { return s.Reopen(bg, as(who), req) },
			"reassign": func() (*api.ActReply, error) { return s.Reassign(bg, as(who), req) },
		}[kind]()
		return err
	})
}

// listing asks for all duties.
func (w *sim) listing(to *[]api.Obligation) func(*scheduler.Scheduler) error {
	return func(s *scheduler.Scheduler) error {
		r, err := s.List(bg, api.ListRequest{All: true})
		if err == nil {
			*to = r.Obligations
		}
		return err
	}
}

// duties gives those that fit, in the order of their ids.
func (w *sim) duties(fit func(api.Obligation) bool) []api.Obligation {
	var list []api.Obligation
	if err := w.try(func() bool { return false }, w.listing(&list)); err != nil {
		w.tally.find("list: %v", err)
	}
	by := map[string]api.Obligation{}
	for _, o := range list {
		if fit(o) {
			by[o.ID] = o
		}
	}
	var out []api.Obligation
	for _, id := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[id])
	}
	return out
}
