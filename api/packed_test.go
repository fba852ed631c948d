package api_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// some draws one of a few texts, so that they repeat, or any one.
func some(t *rapid.T, what string) string {
	return rapid.OneOf(rapid.SampledFrom([]string{"", "officer", "S007", "贷后检查", "\xff\xfe", "a,b"}), rapid.String()).Draw(t, what)
}

func someDay(t *rapid.T, what string) calendar.Date {
	day := calendar.MustDate(2026, 11, 23)
	return rapid.SampledFrom([]calendar.Date{0, day, day.AddDays(30), calendar.MustDate(9999, 12, 31), 1}).Draw(t, what)
}

// someRow draws an obligation as present makes one.
func someRow(t *rapid.T) api.Obligation {
	yes := func(what string) bool { return rapid.Bool().Draw(t, what) }
	n := func(what string) int { return rapid.IntRange(-400, 400).Draw(t, what) }
	o := api.Obligation{
		ID: some(t, "id"), Rule: some(t, "rule"), Name: some(t, "name"), Clause: some(t, "clause"), Set: some(t, "set"),
		Subject: loan.Ref{Kind: loan.KindLoan, ID: some(t, "subject")}, Loan: some(t, "loan"), Branch: some(t, "branch"), Owner: some(t, "owner"), Role: some(t, "role"),
		Occurrence: some(t, "occurrence"), Anchor: someDay(t, "anchor"), Raise: someDay(t, "raise"), Due: someDay(t, "due"),
		Provisional: yes("provisional"), State: rapid.SampledFrom(obligation.States).Draw(t, "state"), Overdue: yes("overdue"), WorkdaysLeft: n("left"), LateWorkdays: n("late"),
		Signatures: []api.Signature{}, Rulebook: some(t, "rulebook"), Calendar: some(t, "calendar"),
		Short: some(t, "short"), PeriodEnd: someDay(t, "period end"), Stated: yes("stated"), Notice: some(t, "notice"),
	}
	if yes("party") {
		o.Party = &obligation.Party{Kind: loan.KindGuarantor, ID: some(t, "party id"), Name: some(t, "party name")}
	}
	if yes("borrower") {
		o.Borrower = &api.Named{ID: some(t, "borrower id"), Name: some(t, "borrower name")}
	}
	if yes("raised") {
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "raised at"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
		o.RaisedAt = &at
	}
	if yes("submitted") {
		o.SubmittedOn, o.SubmittedBy = someDay(t, "submitted"), some(t, "submitted by")
		for range rapid.IntRange(0, 3).Draw(t, "signatures") {
			o.Signatures = append(o.Signatures, api.Signature{Role: some(t, "role"), By: some(t, "by"), On: someDay(t, "on"), Note: some(t, "note")})
		}
	}
	if yes("progress") {
		o.Progress = &obligation.Progress{Have: n("have"), Need: n("need"), Of: n("of")}
	}
	for range rapid.IntRange(0, 5).Draw(t, "signs") {
		o.Signs = append(o.Signs, some(t, "sign"))
	}
	if yes("waiver") {
		o.Waiver = &obligation.Request{By: some(t, "asked by"), On: someDay(t, "asked on"), Reason: some(t, "reason")}
	}
	if yes("rest") {
		o.ClosedBy, o.Late, o.Cause, o.Level = some(t, "closed by"), some(t, "late"), some(t, "cause"), some(t, "level")
		o.DoneOn, o.WasDue = someDay(t, "done"), someDay(t, "was due")
	}
	return o
}

func someReply(t *rapid.T) *api.ListReply {
	r := &api.ListReply{Today: someDay(t, "today"), Warnings: []string{}, Obligations: []api.Obligation{}}
	for range rapid.IntRange(0, 2).Draw(t, "warnings") {
		r.Warnings = append(r.Warnings, some(t, "warning"))
	}
	for range rapid.IntRange(0, 4).Draw(t, "rows") {
		r.Obligations = append(r.Obligations, someRow(t))
	}
	return r
}

// Whoever asks for the packed form reads what he would read in JSON.
func TestPackedSaysWhatJSONSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := someReply(t)
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var want, got api.ListReply
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if err := got.Unpack(r.Pack()); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("unpacked\n%+v\nin JSON\n%+v", got, want)
		}
	})
}

// An answer that was cut short, or is of somebody else, is an error.
func TestPackedIsReadWholeOrNotAtAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := someReply(t).Pack()
		if err := new(api.ListReply).Unpack(append(text, 0)); err == nil {
			t.Fatal("a byte too many was taken")
		}
		if cut := rapid.IntRange(0, len(text)-1).Draw(t, "cut"); new(api.ListReply).Unpack(text[:cut]) == nil {
			t.Fatalf("%d of %d bytes were taken for the whole", cut, len(text))
		}
	})
}

func FuzzUnpack(f *testing.F) {
	f.Add((&api.ListReply{Warnings: []string{"w"}, Obligations: []api.Obligation{{ID: "r:loan/1:2026", State: obligation.Raised}}}).Pack())
	f.Add([]byte{0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r, again api.ListReply
		if r.Unpack(b) != nil {
			return
		}
		if err := again.Unpack(r.Pack()); err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
	})
}

// packedFields is what a packed row holds, in form 1. A list that differs is
// another form: give PackedList another number, teach Pack and Unpack the
// field, and write the list anew.
const packedFields = `id rule name clause set subject party borrower loan branch owner role occurrence anchor raise due provisional state overdue ` +
	`workdays_left late_workdays raised_at submitted_on submitted_by signatures done_on rulebook calendar ` +
	`short period_end progress was_due late cause closed_by signs level waiver stated notice; ` +
	`kind id; kind id name; id name; role by on note; have need of; by on reason; today obligations warnings`

func TestPackedFormHasAllFields(t *testing.T) {
	var lists []string
	for _, v := range []any{api.Obligation{}, loan.Ref{}, obligation.Party{}, api.Named{}, api.Signature{}, obligation.Progress{}, obligation.Request{}, api.ListReply{}} {
		var names []string
		for i, form := 0, reflect.TypeOf(v); i < form.NumField(); i++ {
			name, _, _ := strings.Cut(form.Field(i).Tag.Get("json"), ",")
			names = append(names, name)
		}
		lists = append(lists, strings.Join(names, " "))
	}
	if got := strings.Join(lists, "; "); got != packedFields || api.PackedList != "application/vnd.tickler.list; form=1" {
		t.Errorf("the form is %s, and its fields are\n%s\nwant\n%s", api.PackedList, got, packedFields)
	}
}

// A thousand rows of a branch, as many bytes as the packed form gives them.
func BenchmarkPack(b *testing.B) {
	r := &api.ListReply{}
	for i := range 1000 {
		id := fmt.Sprintf("%06d", i/4)
		r.Obligations = append(r.Obligations, api.Obligation{ID: "worklog-quota:loan/JJ" + id + ":2026-11", Short: "1234abcd", Rule: "worklog-quota", Name: "每月工作日志", Clause: "篇三 二", Set: "manual",
			Subject: loan.Ref{Kind: loan.KindLoan, ID: "JJ" + id}, Borrower: &api.Named{ID: "C" + id, Name: "某某有限公司"}, Loan: "JJ" + id, Branch: "B01", Owner: "S007", Role: "officer", Occurrence: "2026-11",
			State: obligation.Raised, Rulebook: "sha256:1", Calendar: "sha256:2", Stated: true})
	}
	text := r.Pack()
	b.Run("pack", func(b *testing.B) {
		for b.Loop() {
			r.Pack()
		}
	})
	b.Run("unpack", func(b *testing.B) {
		for b.Loop() {
			if err := new(api.ListReply).Unpack(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}
