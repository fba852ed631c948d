package scheduler_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tickler/api"
	"tickler/calendar"
	"tickler/obligation"
	"tickler/rules"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
)

// outbox gives every message to be sent.
func (b *branch) outbox() []store.Message {
	b.t.Helper()
	var out []store.Message
	err := b.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanOutbox(func(m store.Message) error { out = append(out, m); return nil })
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// nudgedOn gives what a day's scans told: who was reminded, what went up.
func (b *branch) nudgedOn(day calendar.Date) (reminded []string, escalated []api.SimulatedEscalated) {
	b.t.Helper()
	err := b.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanOutboxOn(day, day, func(m store.Message) error {
			switch m.Kind {
			case "remind":
				reminded = append(reminded, m.Obligation)
			case "escalate":
				escalated = append(escalated, api.SimulatedEscalated{ID: m.Obligation, To: m.Role})
			}
			return nil
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	slices.Sort(reminded)
	slices.SortFunc(escalated, func(a, b api.SimulatedEscalated) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.To, b.To))
	})
	return reminded, escalated
}

const autumnRules = `version: 1
enable: [manual]
defaults:
  remind: [5 workdays before due, 1 workday before due]
  escalate: [{after: 1 workday, to: supervisor}, {after: 5 workdays, to: president}]
rules:
- id: maturity-notice
  set: manual
  name: 发送贷款到期通知书
  clause: 篇三 二(二)
  for: loan
  due: 1 month before loan.maturity
  by: officer
  closes_on: notice.maturity_sent
`

// autumn is a branch of September 2026 under autumnRules. JJ9's notice is due
// on Friday 9 October, JJ5's would be on the 5th, which is off: Wednesday 30
// September. JJ19's is due on Monday 19 October.
//
// National Day 2026 (国办发明电〔2025〕7号): Sunday 20 September is worked, off from
// Thursday 1 to Wednesday 7 October, Saturday 10 October is worked. Mid-autumn:
// off from Friday 25 to Sunday 27 September.
func autumn(t testing.TB, today string, loans ...string) *branch {
	dir := t.TempDir()
	b := &branch{path: filepath.Join(dir, "tickler.db")}
	if tt, ok := t.(*testing.T); ok {
		b.t = tt
	}
	if err := bolt.Create(b.path); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(b.path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.goTo(today)
	st := store.New(db)
	if err := scheduler.Init(context.Background(), st, scheduler.InitOptions{GoLive: date("2026-09-01"), Now: *b.now.Load()}); err != nil {
		t.Fatal(err)
	}
	st.Close()
	b.cfg.RulesPath = filepath.Join(dir, "rules.yaml")
	b.rules(autumnRules)
	b.open()
	t.Cleanup(func() { b.st.Close() })
	b.importFile(autumnLedger("2026-09-01", "S001", loans...))
	return b
}

func (b *branch) rules(text string) {
	if err := os.WriteFile(b.cfg.RulesPath, []byte(text), 0o644); err != nil {
		panic(err)
	}
}

// autumnLedger has the loans of that officer; JJ9 matures on 9 November.
func autumnLedger(dataDate, officer string, loans ...string) string {
	var text strings.Builder
	text.WriteString(header)
	for _, id := range loans {
		day := strings.TrimPrefix(id, "JJ")
		fmt.Fprintf(&text, "%s,C%s,客户%s,B01,%s,100000,90000,2025-11-05,2026-11-%02s,正常,常规,,按季,0,%s\n", id, day, day, officer, day, dataDate)
	}
	return text.String()
}

// live takes the branch from one day to another, a scan a day.
func (b *branch) live(from, to string) {
	b.t.Helper()
	for d := date(from); d <= date(to); d++ {
		b.goTo(d.String())
		b.tick()
	}
}

// told gives the messages about a loan's notice: on which day, what, for which
// day where that is another, to whom.
func (b *branch) told(loan string) []string {
	b.t.Helper()
	out := []string{}
	for _, m := range b.outbox() {
		if !strings.Contains(m.Obligation, "loan/"+loan+":") {
			continue
		}
		line := m.On.String() + " " + m.Kind
		if m.Day != m.On {
			line += " of " + m.Day.String()
		}
		if m.To != "" {
			line += " " + m.To
		} else {
			line += " " + m.Role + "@" + m.Branch
		}
		if (m.Day != m.On) != (m.Late != "") {
			b.t.Errorf("%s: late is %q", line, m.Late)
		}
		out = append(out, line)
	}
	return out
}

func (b *branch) wantTold(loan string, want ...string) {
	b.t.Helper()
	if got := b.told(loan); !slices.Equal(got, want) {
		b.t.Errorf("told of %s:\n%s\nwant\n%s", loan, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// JJ9: 10 workdays before 9 October are 8 Oct, 30, 29, 28, 24, 23, 22, 21, 20
// (worked), 18 September; 5 before is the 24th. After it come Saturday 10
// (worked), 12, 13, 14, 15 October. JJ5: 16 September; 22 and 29; then 8
// October, and 9, 10, 12, 13.
func TestRemindersAndEscalationsAreRecordedAcrossNationalDay(t *testing.T) {
	b := autumn(t, "2026-09-14", "JJ9", "JJ5")
	b.live("2026-09-15", "2026-10-20")
	b.wantTold("JJ9",
		"2026-09-18 raised S001",
		"2026-09-24 remind S001",
		"2026-10-08 remind S001",
		"2026-10-10 escalate supervisor@B01",
		"2026-10-15 escalate president@B01")
	b.wantTold("JJ5",
		"2026-09-16 raised S001",
		"2026-09-22 remind S001",
		"2026-09-29 remind S001",
		"2026-10-08 escalate supervisor@B01",
		"2026-10-13 escalate president@B01")
	before := len(b.outbox())
	for range 10 {
		b.tick()
	}
	b.reopen()
	b.rules(autumnRules + "# edited\n")
	b.reopen()
	b.tick()
	b.live("2026-10-21", "2026-11-05")
	if after := b.outbox(); len(after) != before {
		t.Errorf("%d messages; %d before more scans: %+v", len(after), before, after[before:])
	}
	if err := b.st.Check(context.Background(), func(err error) { t.Error(err) }); err != nil {
		t.Error(err)
	}
	if _, err := b.st.VerifyAudit(context.Background()); err != nil {
		t.Error(err)
	}
}

// An escalation is a change of who answers: each has its record, a reminder has
// a number in the scan's.
func TestEscalationsHaveTheirAuditRecords(t *testing.T) {
	b := autumn(t, "2026-09-14", "JJ9")
	b.live("2026-09-15", "2026-10-20")
	var got []string
	b.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanAudit(1, 0, func(r store.Record) error {
			if r.Action == "obligation.escalated" {
				got = append(got, r.Business.String()+" "+r.Subject+" "+string(r.Detail))
			}
			if r.Action == "scan" && strings.Contains(string(r.Detail), "reminded") {
				got = append(got, r.Business.String()+" "+string(r.Detail))
			}
			return nil
		})
	})
	want := []string{
		`2026-09-24 {"since":"2026-09-23","told":{"reminded":1},"units":0}`,
		`2026-10-08 {"since":"2026-10-07","told":{"reminded":1},"units":0}`,
		`2026-10-10 maturity-notice:loan/JJ9:2026-11-09 {"to":"supervisor","branch":"B01","day":"2026-10-10","due":"2026-10-09"}`,
		`2026-10-15 maturity-notice:loan/JJ9:2026-11-09 {"to":"president","branch":"B01","day":"2026-10-15","due":"2026-10-09"}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The last scan before is that of 6 October, the next one that of Saturday the
// 17th. JJ19 would have been reminded on 12 and 16 October: once is enough, and
// it is read on Monday the 19th, the due day. JJ9's reminder would be read
// after its due day: it goes up instead, twice. JJ5 had nothing told of 8 and
// 13 October either.
func TestDownForTenDays(t *testing.T) {
	b := autumn(t, "2026-09-14", "JJ9", "JJ5", "JJ19")
	b.live("2026-09-15", "2026-10-06")
	b.live("2026-10-17", "2026-10-20")
	b.wantTold("JJ19",
		"2026-09-29 raised S001",
		"2026-10-17 remind of 2026-10-16 S001",
		"2026-10-20 escalate supervisor@B01")
	b.wantTold("JJ9",
		"2026-09-18 raised S001",
		"2026-09-24 remind S001",
		"2026-10-17 escalate of 2026-10-10 supervisor@B01",
		"2026-10-17 escalate of 2026-10-15 president@B01")
	b.wantTold("JJ5",
		"2026-09-16 raised S001",
		"2026-09-22 remind S001",
		"2026-09-29 remind S001",
		"2026-10-17 escalate of 2026-10-08 supervisor@B01",
		"2026-10-17 escalate of 2026-10-13 president@B01")
	for _, m := range b.outbox() {
		if m.On == date("2026-10-17") && m.Late != "停机补通知（2026-10-07 至 2026-10-16 未扫描）" {
			t.Errorf("late: %q", m.Late)
		}
	}
	r := b.digests(api.OutboxRequest{To: "S001", On: date("2026-10-19")})
	if len(r) != 1 || r[0].Counts[api.GroupReminders] != 1 {
		t.Errorf("digests of the 19th: %+v", r)
	}
}

func (b *branch) digests(r api.OutboxRequest) []api.Digest {
	b.t.Helper()
	reply, err := b.s.Outbox(context.Background(), r)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply.Digests
}

func (b *branch) record(event, subject string) *api.RecordReply {
	b.t.Helper()
	r, err := b.s.Record(context.Background(), scheduler.Actor{OSUser: "u", Owner: true}, api.RecordRequest{Event: event, Subject: subject})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func TestWhatIsDoneIsNotToldAgain(t *testing.T) {
	b := autumn(t, "2026-09-14", "JJ9", "JJ5")
	b.live("2026-09-15", "2026-09-23")
	b.record("notice.maturity_sent", "loan/JJ9")
	b.live("2026-09-24", "2026-10-10")
	e := b.record("notice.maturity_sent", "loan/JJ5")
	b.live("2026-10-11", "2026-10-12")
	b.wantTold("JJ9", "2026-09-18 raised S001", "2026-09-23 done S001")
	// It was not so: who was told stays told, who was not is told.
	if _, err := b.s.Withdraw(context.Background(), scheduler.Actor{OSUser: "u", Owner: true}, api.WithdrawRequest{ID: e.ID, Reason: "误记"}); err != nil {
		t.Fatal(err)
	}
	b.live("2026-10-12", "2026-10-20")
	b.wantTold("JJ5", "2026-09-16 raised S001", "2026-09-22 remind S001", "2026-09-29 remind S001", "2026-10-08 escalate supervisor@B01",
		"2026-10-10 done S001", "2026-10-12 reopened S001", "2026-10-13 escalate president@B01")
}

// 15 days before 9 November is Sunday 25 October, so Friday the 23rd: reminded
// on 16 (22, 21, 20, 19, 16) and 22 October.
func TestAMovedDutyIsRemindedByItsNewDate(t *testing.T) {
	b := autumn(t, "2026-09-14", "JJ9")
	b.live("2026-09-15", "2026-09-23")
	b.rules(strings.Replace(autumnRules, "due: 1 month before", "due: 15 days before", 1))
	b.reopen()
	b.live("2026-09-24", "2026-10-26")
	b.wantTold("JJ9", "2026-09-18 raised S001", "2026-09-24 moved S001", "2026-10-16 remind S001", "2026-10-22 remind S001", "2026-10-26 escalate supervisor@B01")
}

func TestAReassignedDutyRemindsItsNewOwner(t *testing.T) {
	b := autumn(t, "2026-09-14", "JJ9")
	b.live("2026-09-15", "2026-09-23")
	b.snooze("JJ9", "2026-10-09") // the first owner's word, not the second's
	b.live("2026-09-24", "2026-09-28")
	b.importFile(autumnLedger("2026-09-28", "S002", "JJ9"))
	b.live("2026-09-28", "2026-10-09")
	b.wantTold("JJ9", "2026-09-18 raised S001", "2026-09-28 remind of 2026-09-24 S002", "2026-10-08 remind S002")
}

// A rule that comes into force asks it of what is overdue already.
func TestTheRulebookInForceSaysWhatGoesUp(t *testing.T) {
	b := autumn(t, "2026-09-14", "JJ5")
	b.live("2026-09-15", "2026-10-14")
	b.rules(strings.Replace(autumnRules, "{after: 5 workdays, to: president}", "{after: 2 workdays, to: deputy_president}, {after: 5 workdays, to: president}", 1))
	b.reopen()
	b.live("2026-10-15", "2026-10-16")
	b.wantTold("JJ5", "2026-09-16 raised S001", "2026-09-22 remind S001", "2026-09-29 remind S001", "2026-10-08 escalate supervisor@B01",
		"2026-10-13 escalate president@B01", "2026-10-15 escalate of 2026-10-09 deputy_president@B01")
}

func (b *branch) trySnooze(loan, until string) (*api.SnoozeReply, error) {
	return b.s.Snooze(context.Background(), scheduler.Actor{System: true}, api.SnoozeRequest{ID: "maturity-notice:loan/" + loan, Until: date(until), Note: "已约定"})
}

func (b *branch) snooze(loan, until string) *api.SnoozeReply {
	b.t.Helper()
	r, err := b.trySnooze(loan, until)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// JJ9 would be reminded on 24 September and 8 October.
func TestSnoozingPutsRemindersOffAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		until, next string
		want        []string
	}{
		{"2026-09-28", "2026-09-28", []string{"2026-09-28 remind S001", "2026-10-08 remind S001"}},
		{"2026-10-08", "2026-10-08", []string{"2026-10-08 remind S001"}},
		{"2026-10-03", "2026-10-08", []string{"2026-10-08 remind S001"}}, // off
		{"2026-10-09", "2026-10-09", []string{"2026-10-09 remind S001"}},
		{"2026-09-24", "2026-09-24", []string{"2026-09-24 remind S001", "2026-10-08 remind S001"}},
	} {
		b := autumn(t, "2026-09-14", "JJ9")
		b.live("2026-09-15", "2026-09-23")
		if r := b.snooze("JJ9", c.until); r.Next != date(c.next) || r.Obligation.Due != date("2026-10-09") {
			t.Errorf("until %s: next %s, due %s", c.until, r.Next, r.Obligation.Due)
		}
		b.reopen()
		b.live("2026-09-23", "2026-10-15")
		want := append([]string{"2026-09-18 raised S001"}, c.want...)
		b.wantTold("JJ9", append(want, "2026-10-10 escalate supervisor@B01", "2026-10-15 escalate president@B01")...)
	}
}

func TestSnoozesThatMakeNoSense(t *testing.T) {
	b := autumn(t, "2026-09-14", "JJ9", "JJ5", "JJ19")
	b.live("2026-09-15", "2026-09-23")
	head := b.head()
	for _, c := range [][3]string{
		{"JJ9", "2026-10-10", "past the due day"},
		{"JJ9", "2026-09-23", "not after today"},
		{"JJ19", "2026-10-01", "planned"},
	} {
		if _, err := b.trySnooze(c[0], c[1]); err == nil || api.CodeOf(err) != api.Usage || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s until %s: %v; want %q", c[0], c[1], err, c[2])
		}
	}
	if b.head() != head {
		t.Error("something was recorded")
	}
	b.live("2026-10-08", "2026-10-08")
	if _, err := b.trySnooze("JJ5", "2026-10-09"); err == nil || !strings.Contains(err.Error(), "was due on") {
		t.Errorf("overdue: %v", err)
	}
}

// On Saturday 3 October JJ5 is settled: its officer reads that on the 8th,
// with what is to be said on the 8th.
func TestOneDigestAPersonAndWorkingDay(t *testing.T) {
	b := autumn(t, "2026-09-14", "JJ9", "JJ5", "JJ19")
	b.live("2026-09-15", "2026-10-03")
	settled := strings.ReplaceAll(autumnLedger("2026-10-02", "S001", "JJ9", "JJ5", "JJ19"), "JJ5,C5,客户5,B01,S001,100000,90000", "JJ5,C5,客户5,B01,S001,100000,0")
	b.importFile(settled)
	b.live("2026-10-04", "2026-10-10")
	if r := b.digests(api.OutboxRequest{On: date("2026-10-03")}); len(r) != 0 {
		t.Errorf("on a day off: %+v", r)
	}
	var got []string
	for _, d := range b.digests(api.OutboxRequest{Items: true}) {
		for _, g := range d.Groups {
			for _, x := range g.Items {
				got = append(got, d.ID+" "+g.Group+" "+x.Subject.ID)
			}
		}
		if seq, n := d.Audit.Seq, b.head(); seq != n || len(d.Audit.Hash) != 64 || d.Status != api.DigestWaits {
			t.Errorf("%s: %s, audit head %d %s; want %d", d.ID, d.Status, seq, d.Audit.Hash, n)
		}
	}
	want := []string{
		"2026-09-16/S001 raised JJ5", "2026-09-18/S001 raised JJ9", "2026-09-22/S001 reminders JJ5", "2026-09-24/S001 reminders JJ9",
		"2026-09-29/S001 raised JJ19", "2026-09-29/S001 reminders JJ5",
		"2026-10-08/S001 reminders JJ9", "2026-10-08/S001 cancelled JJ5",
		"2026-10-10/supervisor@B01 escalated JJ9",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	ids := func(r api.OutboxRequest) (out []string) {
		for _, d := range b.digests(r) {
			out = append(out, d.ID)
		}
		return out
	}
	for _, c := range []struct {
		r    api.OutboxRequest
		want string
	}{
		{api.OutboxRequest{On: date("2026-10-08")}, "[2026-10-08/S001]"},
		{api.OutboxRequest{Role: "supervisor", Branch: "B01"}, "[2026-10-10/supervisor@B01]"},
		{api.OutboxRequest{Role: "supervisor", Branch: "B02"}, "[]"},
		{api.OutboxRequest{To: "S002"}, "[]"},
		{api.OutboxRequest{ID: "2026-10-10/supervisor@B01"}, "[2026-10-10/supervisor@B01]"},
		{api.OutboxRequest{ID: "1"}, "[2026-09-16/S001]"},
	} {
		if got := fmt.Sprint(ids(c.r)); got != c.want {
			t.Errorf("%+v: %s, want %s", c.r, got, c.want)
		}
	}
	for _, bad := range []string{"2026-10-09/S001", "x", "99", "2026-10-08"} {
		if _, err := b.s.Outbox(context.Background(), api.OutboxRequest{ID: bad}); api.CodeOf(err) != api.NotFound {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// Whatever the days of scanning, whatever is done, taken back, given to another
// or asked by another rulebook: what the rule asks for goes up, once.
func TestEveryEscalationIsInTheOutboxExactlyOnce(t *testing.T) {
	cal := calendar.Builtin()
	books := []string{
		autumnRules,
		strings.Replace(autumnRules, "{after: 1 workday, to: supervisor}", "{after: 3 days, to: supervisor}, {after: 2 workdays, to: monitor}", 1),
		strings.Replace(autumnRules, "1 month before", "20 workdays before", 1),
	}
	rapid.Check(t, func(rt *rapid.T) {
		all := []string{"JJ5", "JJ9", "JJ12", "JJ19", "JJ23"}
		b := autumn(t, "2026-09-10", all...)
		defer b.st.Close()
		text, day, closed := books[0], date("2026-09-10"), map[string]string{}
		want := map[string]bool{}
		for range rapid.IntRange(4, 14).Draw(rt, "steps") {
			day = day.AddDays(rapid.SampledFrom([]int{0, 1, 1, 1, 2, 5, 10}).Draw(rt, "days"))
			b.goTo(day.String())
			id := rapid.SampledFrom(all).Draw(rt, "loan")
			switch rapid.SampledFrom([]string{"", "", "done", "back", "officer", "rules", "reload"}).Draw(rt, "act") {
			case "done":
				r, err := b.s.Record(context.Background(), scheduler.Actor{}, api.RecordRequest{Event: "notice.maturity_sent", Subject: "loan/" + id})
				if err == nil && len(r.Closed) > 0 {
					closed[id] = r.ID
				}
			case "back":
				if e := closed[id]; e != "" {
					delete(closed, id)
					if _, err := b.s.Withdraw(context.Background(), scheduler.Actor{}, api.WithdrawRequest{ID: e, Reason: "误记"}); err != nil {
						rt.Fatal(err)
					}
				}
			case "officer":
				b.importFile(autumnLedger(day.String(), rapid.SampledFrom([]string{"S001", "S002"}).Draw(rt, "officer"), all...))
			case "rules":
				text = rapid.SampledFrom(books).Draw(rt, "book")
				b.rules(text)
				b.reopen()
			case "reload":
				b.reopen()
			}
			b.tick()
			book, err := rules.Parse("rules.yaml", []byte(text))
			if err != nil {
				rt.Fatal(err)
			}
			b.st.View(context.Background(), func(tx *store.Tx) error {
				return tx.ScanPlans(func(p *store.Plan) error {
					for i := range p.Obligations {
						o := &p.Obligations[i]
						if o.State != obligation.Raised {
							continue
						}
						up, err := rules.Escalations(cal, book.Rule(o.Rule), o)
						if err != nil {
							rt.Fatal(err)
						}
						for _, e := range up {
							if e.Date <= day {
								want[o.Key.String()+" "+e.To] = true
							}
						}
					}
					return nil
				})
			})
		}
		got := map[string]bool{}
		for _, m := range b.outbox() {
			if k := m.Obligation + " " + m.Role; m.Kind == "escalate" {
				if got[k] {
					rt.Errorf("twice: %s", k)
				}
				got[k] = true
			}
		}
		if !maps.Equal(got, want) {
			rt.Errorf("in the outbox: %v; asked for: %v", got, want)
		}
		if err := b.st.Check(context.Background(), func(err error) { rt.Error(err) }); err != nil {
			rt.Error(err)
		}
	})
}

// A store of before there were nudges has them at its next scan.
func TestAnOlderStoreIsToldOfAtOnce(t *testing.T) {
	b := autumn(t, "2026-09-14", "JJ5")
	b.live("2026-09-15", "2026-09-30")
	err := b.st.Update(context.Background(), func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		meta.Extra = nil
		var plans []*store.Plan
		if err := tx.ScanPlans(func(p *store.Plan) error { plans = append(plans, p); return nil }); err != nil {
			return err
		}
		for _, p := range plans {
			for i := range p.Obligations {
				p.Obligations[i].Nudge = 0
			}
			if err := tx.PutPlan(p); err != nil {
				return err
			}
		}
		return tx.PutMeta(meta)
	})
	if err != nil {
		t.Fatal(err)
	}
	b.live("2026-09-30", "2026-10-08")
	if got := b.told("JJ5"); got[len(got)-1] != "2026-10-08 escalate supervisor@B01" {
		t.Errorf("%q", got)
	}
}
