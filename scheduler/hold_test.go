package scheduler_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
)

// big drops and moves far more than a tenth of the plan; small does not.
var (
	big   = replacing("due: on period.end", "due: 3 workdays before period.end")(replacing("15 workdays after period.end", "12 workdays after period.end")(tested))
	small = replacing("due: 10 workdays after loan.maturity", "due: 12 workdays after loan.maturity")(tested)
)

var (
	ann = scheduler.Actor{OSUser: "ann", Person: "S100"}
	bob = scheduler.Actor{OSUser: "bob", Person: "S200"}
)

func (b *branch) activate(a scheduler.Actor, text string, change ...func(*api.ActivateRequest)) (*api.ActivateReply, error) {
	r := api.ActivateRequest{Book: api.Book{Name: "new.yaml", Text: []byte(text)}}
	for _, f := range change {
		f(&r)
	}
	b.staff([]string{"ops"}, "", "S100", "S200", "S300")
	return b.s.Activate(context.Background(), a, r)
}

// staff enters people with their roles.
func (b *branch) staff(roles []string, at string, ids ...string) {
	b.t.Helper()
	for _, id := range ids {
		if _, err := b.s.User(context.Background(), scheduler.Actor{System: true}, api.UserRequest{Staff: id, Name: id, Roles: roles, Branch: at}); err != nil {
			b.t.Fatal(err)
		}
	}
}

// enlist enters officers of branch B01 who are supervisors too.
func (b *branch) enlist(ids ...string) {
	b.t.Helper()
	b.staff([]string{"officer", "supervisor"}, "B01", ids...)
}

func (b *branch) file() string {
	b.t.Helper()
	text, err := os.ReadFile(b.cfg.RulesPath)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func (b *branch) status() *api.StatusReply {
	b.t.Helper()
	r, err := b.s.Status(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// inForce is the rulebook that the store ran last.
func (b *branch) inForce() string {
	var m store.Meta
	b.st.View(context.Background(), func(tx *store.Tx) (err error) { m, err = tx.Meta(); return err })
	return m.Rulebook
}

func (b *branch) audited(action string) []store.Record {
	var out []store.Record
	b.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanAudit(1, 0, func(r store.Record) error {
			if r.Action == action {
				out = append(out, r)
			}
			return nil
		})
	})
	return out
}

// same wants the plan to be what it was.
func (b *branch) same(when string, before map[string]api.Obligation) {
	b.t.Helper()
	if ls := lines(before, b.all()); len(ls) > 0 {
		b.t.Errorf("%s: the plan changed: %d, %s", when, len(ls), ls[0])
	}
}

func TestAnActivatedRulebookIsInForceAndInItsFile(t *testing.T) {
	b := inFile(t, "2026-11-23")
	b.importFile(portfolio(60))
	before := b.all()
	r, err := b.activate(ann, small, func(r *api.ActivateRequest) { r.DryRun = true })
	if err != nil || r.Outcome != api.Activated || r.Diff.Total.Changes() == 0 {
		t.Fatalf("dry run: %v, %+v", err, r)
	}
	if b.same("after a dry run", before); b.file() != tested {
		t.Error("a dry run wrote the file")
	}
	told, err := b.s.Diff(context.Background(), api.DiffRequest{New: &api.Book{Name: "new.yaml", Text: []byte(small)}})
	if err != nil {
		t.Fatal(err)
	}
	if r, err = b.activate(ann, small); err != nil || r.Outcome != api.Activated || r.Diff.Total != told.Total {
		t.Fatalf("%v, %+v", err, r)
	}
	if b.file() != small || b.inForce() != told.New {
		t.Error("it is not in force")
	}
	after := b.all()
	if got := len(lines(before, after)); got != told.Total.Changes() {
		t.Errorf("%d changed, %d told", got, told.Total.Changes())
	}
	if b.tick(); b.status().Rulebook.Problem != "" {
		t.Error("status has a problem")
	}
	b.reopen()
	b.tick()
	if b.same("after the next scans", after); len(b.audited("rulebook.activated")) != 2 {
		t.Errorf("activated %d times", len(b.audited("rulebook.activated")))
	}
	if rec := b.audited("rules.activate"); len(rec) != 1 || rec[0].OSUser != "ann" || rec[0].Actor != "S100" {
		t.Errorf("audit: %+v", rec)
	}
	if again, err := b.activate(bob, small); err != nil || again.Outcome != api.SameBook {
		t.Errorf("again: %v, %+v", err, again)
	}
}

func TestTooGreatAChangeTakesTwoPersons(t *testing.T) {
	b := inFile(t, "2026-11-23")
	b.importFile(portfolio(60))
	before, was := b.all(), b.inForce()
	dry, err := b.activate(ann, big, func(r *api.ActivateRequest) { r.DryRun = true })
	if err != nil || dry.Outcome != api.HeldBack || len(b.audited("rulebook.held")) != 0 {
		t.Fatalf("dry run: %v, %+v", err, dry)
	}
	r, err := b.activate(ann, big)
	if err != nil || r.Outcome != api.HeldBack || r.Hold == nil || r.Hold.By != "ann" || r.Hold.Dropped+r.Hold.Moved < 50 {
		t.Fatalf("first: %v, %+v", err, r)
	}
	untouched := func(when string) {
		t.Helper()
		if b.same(when, before); b.file() != tested || b.inForce() != was {
			t.Errorf("%s: it took effect", when)
		}
	}
	untouched("held")
	if w := b.status(); !w.Healthy || !strings.Contains(strings.Join(w.Warnings, "\n"), "second person") {
		t.Errorf("status: %v, %v", w.Problems, w.Warnings)
	}
	b.reopen() // it is kept, not remembered
	for name, a := range map[string]scheduler.Actor{"the same": ann, "the same user": {OSUser: "ann", Person: "S300"}, "the same person": {OSUser: "root", Person: "S100"}, "nobody": {}} {
		if _, err := b.activate(a, big); api.CodeOf(err) != api.NotAllowed {
			t.Errorf("%s: %v", name, err)
		}
	}
	untouched("refused")
	if r, err = b.activate(bob, strings.Replace(big, "version: 1\n", "version: 1\n# another\n", 1)); err != nil || r.Outcome != api.HeldBack {
		t.Errorf("another text is not seconded: %v, %+v", err, r)
	}
	untouched("another text")
	if r, err = b.activate(bob, big); err != nil || r.Outcome != api.Activated || r.By != "S100" || r.Second != "S200" {
		t.Fatalf("second: %v, %+v", err, r)
	}
	if b.file() != big || b.inForce() == was || len(lines(before, b.all())) < 50 {
		t.Error("it is not in force")
	}
	var detail struct{ By, Second string }
	rec := b.audited("rules.activate")
	if len(rec) != 1 || json.Unmarshal(rec[0].Detail, &detail) != nil || detail.By != "S100" || detail.Second != "S200" {
		t.Errorf("audit: %+v", rec)
	}
	h, err := b.s.History(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, x := range h.Books {
		states = append(states, x.State+" "+x.By+" "+x.Second)
	}
	if got := strings.Join(states, "; "); got != "past ops ; in_force S100 S200; held S200 " {
		t.Errorf("history: %s", got)
	}
}

// Whatever command finds the edited file first: it works on, under the
// rulebook before.
func TestAnEditedFileThatChangesTooMuchIsHeld(t *testing.T) {
	ctx := context.Background()
	for name, do := range map[string]func(*branch) error{
		"tick": func(b *branch) error {
			r, err := b.s.Tick(ctx, scheduler.Actor{OSUser: "ann", Owner: true}, api.TickRequest{})
			if err == nil && (len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "held")) {
				b.t.Errorf("the scan does not say so: %v", r.Problems)
			}
			return err
		},
		"import": func(b *branch) error {
			r, err := b.tryImport(strings.ReplaceAll(portfolio(60), "2026-11-20", "2026-11-23"))
			if err == nil && !strings.Contains(strings.Join(r.Warnings, "\n"), "held") {
				b.t.Errorf("the import does not say so: %v", r.Warnings)
			}
			return err
		},
		"dry run, then import": func(b *branch) error {
			b.importFile(strings.ReplaceAll(portfolio(60), "2026-11-20", "2026-11-23"), func(r *api.ImportRequest) { r.DryRun = true })
			_, err := b.tryImport(strings.ReplaceAll(portfolio(60), "2026-11-20", "2026-11-23"))
			return err
		},
		"record": func(b *branch) error {
			_, err := b.s.Record(ctx, scheduler.Actor{OSUser: "ann", Owner: true}, api.RecordRequest{Event: "account.checked", Subject: "loan/JJ001"})
			return err
		},
		"status, then tick": func(b *branch) error {
			b.status()
			_, err := b.s.Tick(ctx, scheduler.Actor{OSUser: "ann", Owner: true}, api.TickRequest{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := inFile(t, "2026-11-23")
			b.importFile(portfolio(60))
			b.tick()
			before, was := b.all(), b.inForce()
			b.write(big)
			for range 2 { // again from a process that knows nothing
				b.reopen()
				if err := do(b); err != nil {
					t.Fatal(err)
				}
				if b.same(name, before); b.inForce() != was {
					t.Fatal("the held rulebook is in force")
				}
			}
			if rec := b.audited("rulebook.held"); len(rec) != 1 {
				t.Errorf("%d records of its being held", len(rec))
			}
			st := b.status()
			if st.Healthy || st.Rulebook.Held == nil || st.Rulebook.Digest != was || !strings.Contains(st.Rulebook.Problem, "rules activate") {
				t.Errorf("status: %+v", st.Rulebook)
			}
			// Who edited the file is not known: it takes two by name.
			if r, err := b.activate(ann, big); err != nil || r.Outcome != api.HeldBack {
				t.Fatalf("first: %v, %+v", err, r)
			}
			b.reopen()
			if st := b.status(); !strings.Contains(st.Rulebook.Problem, "ann") || st.Healthy {
				t.Errorf("status after the first: %q", st.Rulebook.Problem)
			}
			if r, err := b.activate(bob, big); err != nil || r.Outcome != api.Activated {
				t.Fatalf("second: %v, %+v", err, r)
			}
			if st := b.status(); st.Rulebook.Digest == was || st.Rulebook.Problem != "" {
				t.Errorf("status after the second: %+v", st.Rulebook)
			}
		})
	}
}

// What is let in: a small change, a great one of few obligations, one within
// the limits that the bank set, any rulebook before there is a plan.
func TestWhatIsNotHeld(t *testing.T) {
	for name, c := range map[string]struct {
		rows int
		text string
		hold scheduler.HoldLimits
	}{
		"a small change":    {60, small, scheduler.HoldLimits{}},
		"few obligations":   {2, big, scheduler.HoldLimits{}},
		"under the share":   {60, big, scheduler.HoldLimits{Share: 1}},
		"under the number":  {60, big, scheduler.HoldLimits{Least: 1e6}},
		"nothing there yet": {0, big, scheduler.HoldLimits{Least: 1}},
	} {
		b := inFile(t, "2026-11-23", func(cfg *scheduler.Config) { cfg.Hold = c.hold })
		if c.rows > 0 {
			b.importFile(portfolio(c.rows))
		}
		b.tick()
		was := b.inForce()
		b.write(c.text)
		b.reopen()
		if r := b.tick(); len(r.Problems) > 0 || b.inForce() == was {
			t.Errorf("%s: held: %v", name, r.Problems)
		}
	}
}

func TestThePutBackFileEndsTheHold(t *testing.T) {
	b := inFile(t, "2026-11-23")
	b.importFile(portfolio(60))
	b.write(big)
	b.reopen()
	b.tick()
	if b.status().Healthy {
		t.Fatal("not held")
	}
	b.write(tested)
	b.reopen()
	if st := b.status(); !st.Healthy {
		t.Errorf("still: %v", st.Problems)
	}
	b.write(big)
	b.reopen()
	if r, err := b.activate(ann, tested); err != nil || r.Outcome != api.SameBook {
		t.Errorf("the one in force: %v, %+v", err, r)
	}
	if st := b.status(); !st.Healthy || b.file() != tested {
		t.Errorf("after activating the one in force: %v", st.Problems)
	}
}

func TestTheDaemonHoldsAnEditedFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(at("2026-11-23")))
		b := inFile(t, "2026-11-23", func(c *scheduler.Config) { c.Daemon, c.Log = true, slog.New(slog.DiscardHandler) })
		b.cfg.Clock = nil // the bubble's clock
		var err error
		if b.s, err = scheduler.New(b.cfg); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- b.s.Run(ctx) }()
		wait := func() { time.Sleep(2 * time.Minute); synctest.Wait() }
		wait()
		b.importFile(portfolio(60))
		before, was := b.all(), b.inForce()

		b.write(big)
		wait()
		if b.same("held", before); b.inForce() != was || b.status().Rulebook.Held == nil {
			t.Error("the daemon let it in")
		}
		if ok, problems := b.s.Healthy(ctx); ok || len(problems) != 1 {
			t.Errorf("health: %v", problems)
		}
		head := b.head()
		if wait(); b.head() != head {
			t.Error("a held rulebook is noted again and again")
		}
		if _, err := b.activate(ann, big); err != nil {
			t.Fatal(err)
		}
		if r, err := b.activate(bob, big); err != nil || r.Outcome != api.Activated {
			t.Fatalf("second: %v, %+v", err, r)
		}
		after := b.all()
		wait()
		if st := b.status(); !st.Healthy || b.inForce() == was {
			t.Errorf("not in force: %v", st.Problems)
		}
		b.same("after the next scans", after)

		// A small edit in place counts by itself.
		b.write(strings.Replace(big, "version: 1\n", "version: 1\n# a remark\n", 1))
		now := b.inForce()
		if wait(); b.inForce() == now || !b.status().Healthy {
			t.Error("a harmless edit is not in force")
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		b.st.Close()
	})
}

// A rulebook that cannot be written where the daemon looks does not come into
// force behind its back.
func TestAnActivationWithoutItsFileDoesNotHappen(t *testing.T) {
	b := inFile(t, "2026-11-23")
	b.importFile(portfolio(60))
	before, was := b.all(), b.inForce()
	if err := os.Remove(b.cfg.RulesPath); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(b.cfg.RulesPath, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := b.activate(ann, small); err == nil {
		t.Error("it was taken")
	}
	if b.same("refused", before); b.inForce() != was {
		t.Error("it is in force")
	}
	if _, err := b.s.Tick(context.Background(), ann, api.TickRequest{}); err != nil || b.inForce() != was {
		t.Errorf("the next scan: %v", err)
	}
}

func TestTheRulebookOfADay(t *testing.T) {
	b := inFile(t, "2026-11-23")
	if _, err := b.s.Book(context.Background(), api.BookRequest{At: date("2026-11-23")}); api.CodeOf(err) != api.NotFound {
		t.Errorf("before the first run: %v", err)
	}
	b.importFile(portfolio(60))
	b.goTo("2026-11-25")
	if _, err := b.activate(ann, small); err != nil {
		t.Fatal(err)
	}
	b.goTo("2026-11-27")
	for day, want := range map[string]string{"2026-11-23": tested, "2026-11-24": tested, "2026-11-25": small, "2027-06-01": small, "2026-11-22": ""} {
		r, err := b.s.Book(context.Background(), api.BookRequest{At: date(day)})
		if want == "" {
			if api.CodeOf(err) != api.NotFound {
				t.Errorf("%s: %v", day, err)
			}
		} else if err != nil || string(r.Text) != want {
			t.Errorf("%s: %v, another text", day, err)
		}
	}
}
