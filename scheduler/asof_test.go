package scheduler_test

import (
	"context"
	"fmt"
	"testing"

	"tickler/api"
	"tickler/obligation"
	"tickler/scheduler"
)

// What `--at` tells of a day is what a list told on that evening: whatever
// came after, files, events, acts, withdrawals, another rulebook.
func TestAPastDayIsToldAsItWasThen(t *testing.T) {
	ctx := context.Background()
	b := newBranchUnder(t, "2026-11-09", everySet)
	type evening map[string]string // obligation -> what was said of it
	said := map[string]evening{}
	tell := func(r *api.ListReply) evening {
		out := evening{}
		for _, o := range r.Obligations {
			if o.State == obligation.Cancelled || o.State == obligation.Lapsed {
				continue // kept for ever; the plan of then may not have had them
			}
			out[o.ID] = fmt.Sprint(o.State, " due ", o.Due, " raise ", o.Raise, " owner ", o.Owner, " submitted ", o.SubmittedOn, " done ", o.DoneOn)
		}
		return out
	}
	days := []string{}
	end := func(day string) {
		t.Helper()
		r, err := b.s.List(ctx, api.ListRequest{All: true})
		if err != nil {
			t.Fatal(err)
		}
		said[day], days = tell(r), append(days, day)
	}
	act := func(move func(context.Context, scheduler.Actor, api.ActRequest) (*api.ActReply, error), who, id, reason string) {
		t.Helper()
		if _, err := move(ctx, scheduler.Actor{Person: who, OSUser: who}, api.ActRequest{ID: id, Reason: reason}); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}

	b.ledger(row("到期日=2026-12-31"), row("借据号=JJ2 到期日=2026-12-31"))
	b.staff([]string{"officer"}, "B01", "S001")
	b.staff([]string{"supervisor"}, "B01", "S002")
	end("2026-11-09")
	b.on("2026-11-16")
	b.tell("worklog.submitted borrower/C1 2026-11-16 id=w1 period=2026-11")
	b.tell("incident.known borrower/C1 2026-11-16 id=i1")
	end("2026-11-16")
	b.on("2026-11-17")
	act(b.s.Submit, "S001", "maturity-notice:loan/JJ1:2026-12-31", "")
	act(b.s.Submit, "S002", "worklog-review:borrower/C1:w1", "")
	end("2026-11-17")
	b.on("2026-11-18")
	act(b.s.Reopen, "S002", "maturity-notice:loan/JJ1:2026-12-31", "误提交")
	b.withdraw("w1")
	end("2026-11-18")
	b.on("2026-11-20")
	b.ledger(row("到期日=2027-03-31 展期次数=1"), row("借据号=JJ2 到期日=2026-12-31 五级分类=关注 客户经理=S009"))
	end("2026-11-20")
	b.on("2026-11-23")
	b.tell("notice.maturity_sent loan/JJ2 2026-11-19 id=late")
	end("2026-11-23")

	for _, day := range days {
		r, err := b.s.List(ctx, api.ListRequest{All: true, At: date(day)})
		if err != nil {
			t.Fatal(err)
		}
		got := tell(r)
		for id, want := range said[day] {
			if got[id] != want {
				t.Errorf("%s: %s: %q, was %q", day, id, got[id], want)
			}
		}
		for id, x := range got {
			if said[day][id] == "" {
				t.Errorf("%s: %s: %q, was not there", day, id, x)
			}
		}
	}
	show, err := b.s.Show(ctx, api.ShowRequest{ID: "maturity-notice:loan/JJ1:2026-12-31", At: date("2026-11-17")})
	if err != nil || show.Obligation.State != obligation.Done || len(show.History) == 0 {
		t.Errorf("show: %v, %+v", err, show)
	}
	if _, err := b.s.List(ctx, api.ListRequest{At: date("2026-11-08")}); api.CodeOf(err) != api.NotFound {
		t.Errorf("before there was anything: %v", err)
	}
	if _, err := b.s.List(ctx, api.ListRequest{At: date("2026-11-24")}); api.CodeOf(err) != api.Usage {
		t.Errorf("a day to come: %v", err)
	}
}
