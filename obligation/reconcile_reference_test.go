package obligation

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tickler/calendar"
	"tickler/loan"
)

// byMaps is Reconcile as it is said, with a map of the old keys and one of the
// derived ones.
func byMaps(old []Obligation, duties []Duty, c *Circumstances) ([]Obligation, []Change) {
	out := append([]Obligation(nil), old...)
	at := map[Key]int{}
	for i := range out {
		at[out[i].Key] = i
	}
	var changes []Change
	place := 0
	note := func(kind ChangeKind, o *Obligation, from calendar.Date) {
		changes = append(changes, Change{Kind: kind, Key: o.Key, At: place, From: from, To: o.Due, Cause: o.Cause, Visible: o.visible(kind)})
	}
	derived := map[Key]bool{}
	for i := range duties {
		d := &duties[i]
		if derived[d.Key] {
			continue
		}
		derived[d.Key] = true
		j, there := at[d.Key]
		if place = j; !there {
			out = append(out, Obligation{Duty: *d, State: Planned, Rulebook: c.Rulebook, Calendar: c.Calendar})
			place = len(out) - 1
			at[d.Key] = place
			note(ChangePlanned, &out[place], 0)
		} else {
			update(&out[j], d, c, note)
		}
		settle(&out[place], c, note)
	}
	for i := range out {
		o := &out[i]
		if place = i; derived[o.Key] || o.State.Ended() {
			continue
		}
		if how, ok := c.named(o); ok {
			_ = how
			settle(o, c, note)
			continue
		}
		if o.State == Submitted {
			continue
		}
		o.Cause = c.Cause
		if c.Today > max(o.Due, o.PeriodEnd) {
			o.State = Lapsed
			note(ChangeLapsed, o, o.Due)
		} else {
			o.State = Cancelled
			note(ChangeCancelled, o, o.Due)
		}
	}
	return out, changes
}

// Whatever the order in which duties are derived, and however often one comes,
// new, known, moved and gone come out as by maps; and what the reconciler calls
// unchanged is.
func TestReconcilingFindsEachDutyAgain(t *testing.T) {
	var r Reconciler // of all units, one after the other
	rapid.Check(t, func(t *rapid.T) {
		today := calendar.MustDate(2026, 11, 23)
		duty := rapid.Custom(func(t *rapid.T) Duty {
			n := rapid.IntRange(0, 25).Draw(t, "occurrence")
			d := Duty{Key: Key{Rule: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "rule"), Subject: loan.Ref{Kind: loan.KindLoan, ID: rapid.SampledFrom([]string{"JJ1", "JJ2"}).Draw(t, "loan")}, Occurrence: fmt.Sprint(n)}}
			if rapid.IntRange(0, 3).Draw(t, "party") == 0 {
				d.Party = loan.Ref{Kind: loan.KindGuarantor, ID: "G"}
			}
			d.Due = today.AddDays(rapid.IntRange(-20, 40).Draw(t, "due"))
			d.Raise = d.Due.AddDays(-rapid.IntRange(0, 15).Draw(t, "lead"))
			d.Owner = rapid.SampledFrom([]string{"S1", "S2"}).Draw(t, "owner")
			if rapid.IntRange(0, 5).Draw(t, "closed") == 0 {
				d.Closed = &Closing{On: today, Event: "e", At: time.Unix(1, 0)}
			}
			return d
		})
		var stands []Obligation
		for step := range 4 {
			c := Circumstances{Today: today.AddDays(step * 7), Now: time.Unix(int64(step), 0), Rulebook: fmt.Sprint(step), Cause: "why", Late: "late"}
			duties := rapid.SliceOfN(duty, 0, 40).Draw(t, "duties")
			if step > 0 && rapid.Bool().Draw(t, "as they were") {
				duties = nil
				for i := range stands {
					duties = append(duties, stands[i].Duty)
				}
			}
			want, wantChanges := byMaps(stands, duties, &c)
			got, changes := r.Reconcile(stands, duties, &c)
			if len(want) != len(got) || len(want) > 0 && !reflect.DeepEqual(got, want) {
				t.Fatalf("step %d: got\n%+v\nwant\n%+v", step, got, want)
			}
			if len(changes) != len(wantChanges) || len(changes) > 0 && !reflect.DeepEqual(changes, wantChanges) {
				t.Fatalf("step %d: changes\n%+v\nwant\n%+v", step, changes, wantChanges)
			}
			if len(changes) == 0 && !r.Quiet && len(got) > 0 && !reflect.DeepEqual(got, stands) {
				t.Fatalf("step %d: unchanged, and is\n%+v\nafter\n%+v", step, got, stands)
			}
			stands = append([]Obligation(nil), got...)
		}
	})
}
