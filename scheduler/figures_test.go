package scheduler_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tickler"
	"tickler/api"
	"tickler/obligation"
	"tickler/report"
	"tickler/scheduler"
)

// What the figures count is what the list holds, and reading writes nothing.
func TestFiguresTieToTheList(t *testing.T) {
	b := newBranch(t, "2026-11-20")
	b.importFile(friday)
	b.goTo("2026-11-23")
	b.tick()
	ctx, before := context.Background(), b.head()
	_, err := b.s.Record(ctx, scheduler.Actor{OSUser: "ops", Owner: true}, api.RecordRequest{Event: "worklog.submitted", Subject: "borrower/C1", Happened: date("2026-11-05")})
	if err != nil {
		t.Fatal(err)
	}
	if b.head() == before {
		t.Fatal("nothing was recorded")
	}
	before = b.head()
	for _, on := range []string{"2026-11-23", "2026-12-24"} {
		list, err := b.s.List(ctx, api.ListRequest{On: date(on), All: true})
		if err != nil {
			t.Fatal(err)
		}
		overdue, due, closed := 0, 0, 0
		for _, o := range list.Obligations {
			if o.Overdue {
				overdue++
			}
			if o.Due >= date("2026-10-01") && o.Due <= date(on) && o.State != obligation.Cancelled {
				due++
				if o.State == obligation.Done {
					closed++
				}
			}
		}
		for _, by := range [][]report.By{nil, {report.ByRule}, {report.ByBranch, report.ByOfficer, report.ByRole}} {
			ages, err := b.s.Ageing(ctx, api.FiguresRequest{On: date(on), By: by})
			if err != nil {
				t.Fatal(err)
			}
			if overdue == 0 || ages.Total.Sum.Total != overdue {
				t.Errorf("%s by %v: %d are overdue, the list has %d", on, by, ages.Total.Sum.Total, overdue)
			}
			r, err := b.s.Ontime(ctx, api.FiguresRequest{On: date(on), By: by})
			if err != nil {
				t.Fatal(err)
			}
			if sum := r.Total.Sum; sum.All() != due || sum.InTime+sum.Late != closed || sum.Overdue != overdue {
				t.Errorf("%s by %v: %+v; the list has %d, %d done, %d overdue", on, by, sum, due, closed, overdue)
			}
		}
	}
	if b.head() != before {
		t.Error("something was written")
	}
	if _, err := b.s.Ontime(ctx, api.FiguresRequest{By: []report.By{"person"}}); api.CodeOf(err) != api.Usage {
		t.Errorf("by person: %v", err)
	}
}

// The newest score that was recorded for the quarter wins, from its day on.
func TestARecordedScoreWins(t *testing.T) {
	b := newBranch(t, "2026-11-20")
	b.cfg.RulesPath = filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(b.cfg.RulesPath, []byte(strings.Replace(string(tickler.Rulebook), "enable: [manual]", "enable: [manual, county]", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	b.st.Close()
	b.open()
	b.importFile(friday)
	b.goTo("2026-11-23")
	b.tick()
	ctx := context.Background()
	record := func(id, happened, score, period string) {
		t.Helper()
		_, err := b.s.Record(ctx, scheduler.Actor{OSUser: "ops", Owner: true}, api.RecordRequest{ID: id, Event: "unit.scored", Subject: "branch/B01", Happened: date(happened), Set: map[string]string{"score": score, "period": period}})
		if err != nil {
			t.Fatal(err)
		}
	}
	unit := func(on string) report.UnitScore {
		t.Helper()
		r, err := b.s.Score(ctx, api.ScoreRequest{On: date(on), Branch: "B01", Quarter: "2026-Q4"})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Followed || !r.Running || len(r.Units) != 1 || len(r.Warnings) > 1 {
			t.Fatalf("%+v", r)
		}
		return r.Units[0]
	}
	computed := *unit("2026-11-23").Computed
	record("a", "2026-11-19", "70", "2026-Q4")
	record("b", "2026-11-21", "85", "2026-Q4")
	record("c", "2026-11-22", "10", "2026-Q3") // of another quarter
	record("d", "2026-11-22", "20", "2026-Q4")
	if _, err := b.s.Withdraw(ctx, scheduler.Actor{OSUser: "ops", Owner: true}, api.WithdrawRequest{ID: "d", Reason: "记错"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		on    string
		score float64
		event string
		below bool
	}{{"2026-11-23", 85, "b", false}, {"2026-11-20", 70, "a", true}} {
		u := unit(c.on)
		if u.Recorded == nil || *u.Score != c.score || u.Recorded.Event != c.event || u.Below != c.below || (u.Yuan == 300) != c.below {
			t.Errorf("%s: %+v", c.on, u)
		}
	}
	if u := unit("2026-11-18"); u.Recorded != nil {
		t.Errorf("before any was recorded: %+v", u)
	}
	if u := unit("2026-11-23"); *u.Computed != computed {
		t.Errorf("the duty to score the unit costs it: %v, %v", *u.Computed, computed)
	}
}

// A day's figures take what was done later for open.
func TestFiguresAsOfAnEarlierDay(t *testing.T) {
	b := newBranch(t, "2026-11-20")
	b.importFile(friday)
	b.goTo("2026-11-23")
	b.tick()
	ctx := context.Background()
	at := func(on string) report.Tally {
		t.Helper()
		r, err := b.s.Ontime(ctx, api.FiguresRequest{On: date(on), To: date("2026-11-20")})
		if err != nil {
			t.Fatal(err)
		}
		return r.Total.Sum
	}
	open := at("2026-11-23")
	r, err := b.s.List(ctx, api.ListRequest{Overdue: true})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := b.s.Record(ctx, scheduler.Actor{OSUser: "ops", Owner: true}, api.RecordRequest{Event: "notice.collection_sent", Subject: "loan/JJ1", Happened: date("2026-11-23")})
	if err != nil {
		t.Fatal(err)
	}
	if len(rec.Closed) != 1 {
		t.Fatalf("closed %d of %d", len(rec.Closed), len(r.Obligations))
	}
	if got := at("2026-11-23"); got.Late != 1 || got.Overdue != open.Overdue-1 || got.LateMost == 0 {
		t.Errorf("on the day: %+v, before %+v", got, open)
	}
	if got := at("2026-11-22"); got.Late != 0 || got.Overdue != open.Overdue {
		t.Errorf("the day before: %+v, before %+v", got, open)
	}
}
