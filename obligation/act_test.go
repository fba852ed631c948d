package obligation_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tickler/obligation"
)

var moment = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)

// moves are what people do, each by somebody who is not the owner.
var moves = map[string]func(o *obligation.Obligation) error{
	"submit": func(o *obligation.Obligation) error { return o.Submit("S007", day("2026-11-20")) },
	"sign":   func(o *obligation.Obligation) error { return o.SignNext("S010", day("2026-11-23"), "") },
	"return": func(o *obligation.Obligation) error { return o.Return("S010", day("2026-11-23"), moment, "缺件") },
	"waive": func(o *obligation.Obligation) error {
		_, err := o.Waive("S010", day("2026-11-23"), "破产")
		return err
	},
	"reopen":   func(o *obligation.Obligation) error { return o.Reopen("S010", day("2026-11-23"), moment, "不实") },
	"reassign": func(o *obligation.Obligation) error { return o.Reassign("S012") },
}

// standing gives an obligation in a state, with so many signatures to come.
func standing(state obligation.State, sign ...string) *obligation.Obligation {
	o := &obligation.Obligation{Duty: duty("1", "2026-11-16", "2026-11-30"), State: state, RaisedOn: day("2026-11-16")}
	o.Owner, o.Sign = "S007", sign
	switch state {
	case obligation.Planned:
		o.RaisedOn = 0
	case obligation.Submitted:
		o.Submitted, o.SubmittedBy = day("2026-11-20"), "S007"
	case obligation.Done:
		o.Submitted, o.DoneOn, o.SubmittedBy = day("2026-11-20"), day("2026-11-20"), "S007"
	case obligation.Waived:
		o.DoneOn, o.Cause = day("2026-11-20"), "豁免：破产"
	}
	return o
}

func TestMovesLeadFromStateToState(t *testing.T) {
	const no = ""
	for _, c := range []struct {
		state obligation.State
		signs int
		move  string
		to    obligation.State // "": refused
	}{
		{"planned", 0, "submit", "done"}, {"planned", 1, "submit", "submitted"}, {"planned", 0, "sign", no}, {"planned", 0, "return", no},
		{"planned", 0, "waive", "planned"}, {"planned", 0, "reopen", no}, {"planned", 0, "reassign", "planned"},
		{"raised", 0, "submit", "done"}, {"raised", 1, "submit", "submitted"}, {"raised", 1, "sign", no}, {"raised", 0, "return", no},
		{"raised", 0, "waive", "raised"}, {"raised", 0, "reopen", no}, {"raised", 0, "reassign", "raised"},
		{"submitted", 1, "submit", no}, {"submitted", 1, "sign", "done"}, {"submitted", 2, "sign", "submitted"}, {"submitted", 1, "return", "raised"},
		{"submitted", 1, "waive", "submitted"}, {"submitted", 1, "reopen", no}, {"submitted", 1, "reassign", "submitted"},
		{"done", 1, "submit", no}, {"done", 1, "sign", no}, {"done", 1, "return", no}, {"done", 1, "waive", no}, {"done", 1, "reopen", "raised"}, {"done", 1, "reassign", no},
		{"waived", 0, "submit", no}, {"waived", 0, "sign", no}, {"waived", 0, "return", no}, {"waived", 0, "waive", no}, {"waived", 0, "reopen", "raised"}, {"waived", 0, "reassign", no},
		{"cancelled", 0, "submit", no}, {"cancelled", 0, "sign", no}, {"cancelled", 0, "return", no}, {"cancelled", 0, "waive", no}, {"cancelled", 0, "reopen", no}, {"cancelled", 0, "reassign", no},
		{"lapsed", 0, "submit", no}, {"lapsed", 0, "sign", no}, {"lapsed", 0, "return", no}, {"lapsed", 0, "waive", no}, {"lapsed", 0, "reopen", no}, {"lapsed", 0, "reassign", no},
	} {
		o := standing(c.state, []string{"supervisor", "president"}[:c.signs]...)
		was := *o
		err := moves[c.move](o)
		switch {
		case c.to == no && err == nil:
			t.Errorf("%s of a %s one: taken, want a refusal", c.move, c.state)
		case c.to == no:
			if fmt.Sprint(*o) != fmt.Sprint(was) {
				t.Errorf("%s of a %s one: refused, and changed all the same: %+v", c.move, c.state, o)
			}
			if !strings.Contains(err.Error(), string(c.state)) {
				t.Errorf("%s of a %s one: the refusal does not say where it is: %v", c.move, c.state, err)
			}
		case err != nil || o.State != c.to:
			t.Errorf("%s of a %s one with %d signatures to come: %s, %v; want %s", c.move, c.state, c.signs, o.State, err, c.to)
		}
		if o.Due != was.Due {
			t.Errorf("%s moved the due day to %s", c.move, o.Due)
		}
	}
}

// Who comes second is told who was first, and when.
func TestARefusedMoveSaysWhoWasFirst(t *testing.T) {
	o := standing(obligation.Raised, "supervisor")
	for _, c := range []struct{ move, again, who, when string }{
		{"submit", "submit", "S007", "2026-11-20"},
		{"return", "return", "S010", "2026-11-23"},
		{"submit", "submit", "S007", "2026-11-20"},
		{"sign", "sign", "S010", "2026-11-23"},
		{"reopen", "reopen", "S010", "2026-11-23"},
	} {
		if err := moves[c.move](o); err != nil {
			t.Fatal(err)
		}
		if err := moves[c.again](o); err == nil || !strings.Contains(err.Error(), c.who) || !strings.Contains(err.Error(), c.when) {
			t.Errorf("a second %s: %v; want %s and %s in it", c.again, err, c.who, c.when)
		}
	}
}

func TestFourEyes(t *testing.T) {
	o := standing(obligation.Submitted, "supervisor", "president")
	o.SubmittedBy = "S008" // for S007, whose it is
	for _, by := range []string{"S007", "S008"} {
		if err := o.SignNext(by, day("2026-11-23"), ""); !errors.Is(err, obligation.ErrSamePerson) {
			t.Errorf("%s signs: %v", by, err)
		}
	}
	if err := o.SignNext("S010", day("2026-11-23"), ""); err != nil {
		t.Fatal(err)
	}
	if err := o.SignNext("S010", day("2026-11-23"), ""); !errors.Is(err, obligation.ErrSamePerson) {
		t.Errorf("two levels by one person: %v", err)
	}
	w := standing(obligation.Raised)
	w.Waive("S008", day("2026-11-23"), "破产")
	for _, by := range []string{"S007", "S008"} {
		if granted, err := w.Waive(by, day("2026-11-23"), "破产"); granted || !errors.Is(err, obligation.ErrSamePerson) {
			t.Errorf("%s grants: %v", by, err)
		}
	}
}

// What a supervisor signed is no president's signature, should a rulebook ask
// for other levels meanwhile.
func TestSignaturesFollowTheLevelsThatAreAskedFor(t *testing.T) {
	for _, c := range []struct{ was, signed, is, kept, level string }{
		{"supervisor president", "supervisor", "supervisor president", "supervisor", "president"},
		{"supervisor president", "supervisor", "deputy_president president", "", "deputy_president"},
		{"supervisor deputy_president president", "supervisor deputy_president", "deputy_president president", "deputy_president", "president"},
		{"supervisor president", "supervisor", "supervisor deputy_president president", "supervisor", "deputy_president"},
		{"supervisor president", "supervisor", "president", "", "president"},
		{"supervisor president", "supervisor", "supervisor", "supervisor", ""},
		{"supervisor president", "supervisor", "", "", ""},
	} {
		o := standing(obligation.Submitted, strings.Fields(c.was)...)
		for i, role := range strings.Fields(c.signed) {
			if err := o.SignNext(fmt.Sprintf("M%d", i), day("2026-11-23"), ""); err != nil {
				t.Fatal(role, err)
			}
		}
		d := o.Duty
		d.Sign = strings.Fields(c.is)
		out, _ := obligation.Reconcile([]obligation.Obligation{*o}, []obligation.Duty{d}, on("2026-11-24"))
		got := &out[0]
		if r := signedRoles(got); strings.Join(r, " ") != c.kept || got.Level() != c.level || (got.State == obligation.Done) != (c.level == "") {
			t.Errorf("%q, signed %q, now %q: kept %q, %s, waits for %q; want %q, %q", c.was, c.signed, c.is, r, got.State, got.Level(), c.kept, c.level)
		}
	}
}

func signedRoles(o *obligation.Obligation) []string {
	var out []string
	for _, s := range o.Signatures {
		out = append(out, s.Role)
	}
	return out
}

// A return and a reopening stand against the event that closed it before; one
// that is learnt later closes it again, and a withdrawal of that one opens it.
func TestAnOldEventDoesNotUndoAReturn(t *testing.T) {
	for _, sign := range [][]string{nil, {"supervisor"}} {
		d := duty("1", "2026-11-16", "2026-11-30")
		d.Sign, d.Owner = sign, "S007"
		id := d.Key.String()
		first := obligation.Closing{On: day("2026-11-20"), Event: "e1", By: "S007", At: moment}
		c := on("2026-11-23")
		c.Closings = map[string][]obligation.Closing{id: {first}}
		obs, _ := obligation.Reconcile(nil, []obligation.Duty{d}, c)
		if len(sign) > 0 {
			if err := obs[0].Return("S010", day("2026-11-23"), moment, "缺件"); err != nil { // in the same second
				t.Fatal(err)
			}
		} else if err := obs[0].Reopen("S010", day("2026-11-23"), moment, "不实"); err != nil {
			t.Fatal(err)
		}
		obs, _ = obligation.Reconcile(obs, []obligation.Duty{d}, c)
		if obligation.Settle(obs, c); obs[0].State != obligation.Raised || obs[0].ClosedBy != "" {
			t.Fatalf("sign %v: the old event closed it again: %+v", sign, obs[0])
		}
		second := obligation.Closing{On: day("2026-11-24"), Event: "e2", By: "S007", At: obs[0].ReopenedAt.Add(1)}
		c.Closings[id] = []obligation.Closing{first, second}
		obs, _ = obligation.Reconcile(obs, []obligation.Duty{d}, c)
		if obs[0].ClosedBy != "e2" || obs[0].Submitted != second.On {
			t.Fatalf("sign %v: the new event did not close it: %+v", sign, obs[0])
		}
		c.Closings[id] = []obligation.Closing{first}
		c.Gone = func(id string) bool { return id == "e2" }
		obs, _ = obligation.Reconcile(obs, []obligation.Duty{d}, c)
		if obs[0].State != obligation.Raised {
			t.Errorf("sign %v: its event was withdrawn, and it is %s", sign, obs[0].State)
		}
		// Its cause goes away: the old event does not keep it on a desk.
		obs, _ = obligation.Reconcile(obs, nil, c)
		if obs[0].State != obligation.Cancelled {
			t.Errorf("sign %v: its cause went away, and it is %s", sign, obs[0].State)
		}
	}
}

// Whatever people do and files show, in whatever order.
func TestWhateverMovesCome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := duty("1", "2026-11-16", "2026-11-30")
		levels := []string{"supervisor", "deputy_president", "president"}
		d.Sign = levels[:rapid.IntRange(0, 3).Draw(t, "levels")]
		d.Owner = "P1"
		due := d.Due
		obs := []obligation.Obligation{{Duty: d, State: obligation.Raised, RaisedOn: day("2026-11-16")}}
		c := on("2026-11-23")
		c.Now, c.Closings = moment, map[string][]obligation.Closing{}
		gone := map[string]bool{}
		c.Gone = func(id string) bool { return gone[id] }
		person := rapid.SampledFrom([]string{"P1", "P2", "P3", "P4", "P5"})
		events := 0
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			o := &obs[0]
			before := o.State
			by := person.Draw(t, "by")
			step := rapid.SampledFrom([]string{"submit", "sign", "return", "waive", "reopen", "reassign", "reconcile", "event", "withdraw", "ask", "later"}).Draw(t, "step")
			switch step {
			case "submit":
				o.Submit(by, c.Today)
			case "sign":
				o.SignNext(by, c.Today, "")
			case "return":
				if o.Return(by, c.Today, c.Now, "r") == nil && o.State != obligation.Raised {
					t.Fatalf("returned, and %s", o.State)
				}
			case "waive":
				asked := o.Waiver
				if granted, err := o.Waive(by, c.Today, "w"); err == nil && granted && (asked == nil || asked.By == by) {
					t.Fatalf("%s granted what he asked for", by)
				}
			case "reopen":
				o.Reopen(by, c.Today, c.Now, "r")
			case "reassign":
				o.Reassign(by)
			case "event":
				if o.State == obligation.Raised {
					events++
					at := c.Now
					if !o.ReopenedAt.IsZero() && !at.After(o.ReopenedAt) {
						at = o.ReopenedAt.Add(1)
					}
					c.Closings[d.Key.String()] = append(c.Closings[d.Key.String()], obligation.Closing{On: c.Today, Event: fmt.Sprint("e", events), By: by, At: at})
				}
			case "withdraw":
				if o.ClosedBy != "" {
					gone[o.ClosedBy] = true
					id := d.Key.String()
					c.Closings[id] = slices.DeleteFunc(c.Closings[id], func(h obligation.Closing) bool { return h.Event == o.ClosedBy })
				}
			case "ask":
				d.Sign = levels[rapid.IntRange(0, 1).Draw(t, "from"):rapid.IntRange(1, 3).Draw(t, "to")]
			case "later":
				c.Now = c.Now.Add(time.Second)
			}
			if step == "event" || step == "withdraw" || step == "reconcile" || step == "ask" {
				obs, _ = obligation.Reconcile(obs, []obligation.Duty{d}, c)
				if o := &obs[0]; step == "event" && before == obligation.Raised && o.State != obligation.Submitted && o.State != obligation.Done {
					t.Fatalf("a new event did not close it: %s", o.State)
				}
				if o := &obs[0]; step == "reconcile" && before == obligation.Raised && o.State != before {
					t.Fatalf("reconciled again, and from %s to %s", before, o.State)
				}
			}
			o = &obs[0]
			if o.Due != due {
				t.Fatalf("%s moved the due day to %s", step, o.Due)
			}
			if o.State == obligation.Raised && (len(o.Signatures) > 0 || o.SubmittedBy != "" || !o.Submitted.IsZero() || !o.DoneOn.IsZero() || o.ClosedBy != "") {
				t.Fatalf("on its desk, with what was done before: %+v", o)
			}
			if o.State.Ended() && o.Waiver != nil {
				t.Fatalf("%s, and a waiver is asked for", o.State)
			}
			seen := map[string]bool{}
			for i, s := range o.Signatures {
				if s.By == o.SubmittedBy || seen[s.By] {
					t.Fatalf("%s stands on two sides: %+v", s.By, o)
				}
				seen[s.By] = true
				if o.State == obligation.Submitted && s.Role != o.Sign[i] {
					t.Fatalf("signatures %v, asked for %v", signedRoles(o), o.Sign)
				}
			}
			if o.State == obligation.Done && !slices.Equal(signedRoles(o), o.Sign) {
				t.Fatalf("done with %v, asked for %v", signedRoles(o), o.Sign)
			}
		}
	})
}
