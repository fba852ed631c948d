//go:build linux

package promises

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tickler/calendar"
)

// expectation is what is to be there, worked out here from the ledger's text
// and the small rulebook with no more than the calendar: the obligation's id,
// and its due day.
type expectation map[string]calendar.Date

// horizon is how far the store plans, and from where.
type horizon struct {
	Business calendar.Date `json:"business_date"`
	From     calendar.Date `json:"go_live"`
	To       calendar.Date `json:"window_end"`
}

func (b *branch) horizon() (h horizon) {
	b.t.Helper()
	must(b.t, json.Unmarshal([]byte(b.must("status", "-o", "json")), &h))
	return h
}

// expect works the set out. events are those recorded, worklog.submitted all,
// with the borrower of each, on day.
func expect(t *testing.T, file string, h horizon, notice string, events map[string]string, day calendar.Date) expectation {
	t.Helper()
	cal := calendar.Builtin()
	shift := func(d calendar.Date, limit string) calendar.Date {
		l, err := calendar.ParseLimit(limit)
		must(t, err)
		r, err := cal.Shift(d, l)
		must(t, err)
		return r.Date
	}
	out := expectation{}
	add := func(due calendar.Date, key string, args ...any) {
		if due >= h.From && due <= h.To {
			out[fmt.Sprintf(key, args...)] = due
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(file), "\n")[1:] {
		f := strings.Split(line, ",")
		id, guarantors := f[0], f[11]
		disbursed, err := calendar.ParseDate(f[7])
		must(t, err)
		maturity, err := calendar.ParseDate(f[8])
		must(t, err)
		landed, err := cal.Land(maturity, calendar.Following)
		must(t, err)
		unpaid := landed.Date < h.Business
		add(shift(maturity, notice), "maturity-notice:loan/%s:%s", id, maturity)
		for _, g := range strings.Split(guarantors, "、") {
			if unpaid && g != "" {
				add(shift(maturity, "10 workdays"), "overdue-notice:loan/%s:%s:guarantor/%s", id, maturity, g)
			}
		}
		for p := calendar.PeriodOf(calendar.Month, disbursed, calendar.Fiscal{}); p.Start <= h.To; p = p.Next(calendar.Fiscal{}) {
			if p.End <= maturity || unpaid && p.End > landed.Date {
				add(shift(p.End, "10 workdays"), "monthly-report:loan/%s:%s", id, p.Label(calendar.Fiscal{}))
			}
		}
	}
	for id, borrower := range events {
		add(shift(day, "2 workdays"), "worklog-review:borrower/%s:%s", borrower, id)
	}
	return out
}

// against matches the duties one to one: missing, extra, doubled, wrong day.
// others are what the same ledger gave under rulebooks that were in force for a
// while: a limit that was missed under one does not move later again.
func (want expectation) against(list []duty, today calendar.Date, others ...expectation) (bad []string) {
	seen := map[string]bool{}
	things := map[string]string{} // rule, subject, occurrence, party -> id
	for _, d := range list {
		party := ""
		if d.Party != nil {
			party = d.Party.Kind + "/" + d.Party.ID
		}
		thing := strings.Join([]string{d.Rule, d.Subject.Kind, d.Subject.ID, d.Occurrence, party}, "|")
		if things[thing] != "" || seen[d.ID] {
			bad = append(bad, "doubled: "+d.ID+" "+things[thing])
		}
		things[thing], seen[d.ID] = d.ID, true
		due, ok := want[d.ID]
		if !ok && d.State == "cancelled" && slices.ContainsFunc(others, func(o expectation) bool { return o[d.ID] != 0 }) {
			continue // within the horizon under another rulebook alone
		}
		if !ok {
			bad = append(bad, "extra: "+d.ID+", "+d.State)
			continue
		}
		right := d.Due == due.String()
		for _, o := range others {
			right = right || o[d.ID] < today && d.Due == o[d.ID].String()
		}
		if !right {
			bad = append(bad, fmt.Sprintf("%s is due %s, not %s", d.ID, d.Due, due))
		}
		if raise, err := calendar.ParseDate(d.Raise); err != nil || (raise <= today) != (d.State != "planned") {
			bad = append(bad, fmt.Sprintf("%s is to be raised on %s and is %s on %s", d.ID, d.Raise, d.State, today))
		}
	}
	for id := range want {
		if !seen[id] {
			bad = append(bad, "missing: "+id)
		}
	}
	slices.Sort(bad)
	return bad
}

// notices are the ways in which the rulebooks of this test date the notice of
// maturity, as they write it and as the calendar reads it.
var notices = []struct{ words, limit string }{
	{"1 month before", "-1 month preceding"}, {"2 months before", "-2 months preceding"}, {"20 days before", "-20 days preceding"},
}

// edition is the rulebook changed in all but the rules' own names: names,
// clauses, signatures, days.
func edition(n int) string {
	if n == 0 {
		return rulebook
	}
	return strings.NewReplacer(
		"due: 1 month before", "due: "+notices[n%len(notices)].words,
		"name: 催收", fmt.Sprintf("name: 催收第%d版", n),
		"name: 月度贷后检查报告", fmt.Sprintf("name: 月报%d", n),
		"clause: 篇三 二(二)\n", fmt.Sprintf("clause: 篇三 二(二)·%d\n", n),
		"clause: 篇三 二(七)2\n", fmt.Sprintf("clause: 篇三 二(七)2·%d\n", n),
	).Replace(rulebook)
}

// unheld lets a rulebook that moves much come into force by one person, so that
// the days really move back and forth.
func (b *branch) unheld() *branch {
	must(b.t, os.WriteFile(filepath.Join(b.data, "config.yaml"), []byte("hold: {share: 100%, least: 100000}\n"), 0o600))
	return b
}

// reloaded changes the rulebook again and again while a daemon scans, files
// come in and events are recorded; now and then the daemon is killed. At the
// end the first rulebook is in force again. It gives the events.
func reloaded(t *testing.T, b *branch, rng *rand.Rand, reloads int) map[string]string {
	t.Helper()
	b.socket = filepath.Join(b.dir, "sock")
	l := &clients{branch: b, tried: map[string]bool{}, acked: map[string]bool{}}
	d := b.serve()
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	client := func(one func(n int)) {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := 1; ctx.Err() == nil; n++ {
				one(n)
			}
		}()
	}
	root := l.clientAs("")
	client(func(int) { l.ask(ctx, root, "", "tick", map[string]any{}, nil) })
	client(func(n int) {
		l.ask(ctx, root, "", "import", map[string]any{"name": "loans.csv"}, []byte(ledger(60, today(), n)))
	})
	client(func(n int) {
		id, borrower := fmt.Sprintf("E%d", n), fmt.Sprintf("C%06d", n%30)
		request := map[string]any{"event": "worklog.submitted", "subject": "borrower/" + borrower, "id": id}
		for ctx.Err() == nil && !l.has(id) { // again until it is answered: the id is the same
			l.ask(ctx, root, id, "record", request, nil)
		}
		time.Sleep(20 * time.Millisecond)
	})
	for n := 1; n <= reloads; n++ {
		if n%2 == 0 { // by the file, which the next start finds, and by hand
			must(t, os.WriteFile(filepath.Join(b.dir, "next"), []byte(edition(n)), 0o600))
			must(t, os.Rename(filepath.Join(b.dir, "next"), filepath.Join(b.data, "rules.yaml")))
			time.Sleep(time.Duration(rng.IntN(30)) * time.Millisecond)
			d.kill()
			d = b.serve()
		} else {
			path, r := b.file("edition.yaml", edition(n)), result{code: 1}
			for try := 0; r.code != 0 && try < 20; try++ { // the file may have come into force meanwhile
				r = b.run("rules", "activate", path)
			}
			if r.code != 0 {
				t.Errorf("activate edition %d: %s", n, r)
			}
		}
		time.Sleep(time.Duration(rng.IntN(50)) * time.Millisecond)
	}
	stop()
	all.Wait()
	if code := d.stop(); code != 0 {
		t.Errorf("the daemon ended with %d: %s", code, d.log)
	}
	must(t, os.WriteFile(filepath.Join(b.data, "rules.yaml"), []byte(rulebook), 0o600))
	b.must("tick")
	events := b.state().events()
	for id := range l.acked {
		if id != "" && events[id] == "" {
			t.Errorf("event %s was acknowledged and is not there", id)
		}
	}
	if len(events) == 0 || !l.has("") {
		t.Errorf("nothing was recorded (%d) or imported: that is no load; answers: %q", len(events), l.odd[:min(3, len(l.odd))])
	}
	return events
}

// has says that an effect was acknowledged.
func (l *clients) has(effect string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked[effect]
}

// doubledAfter lists what is wrong with the set of duties after all that.
func doubledAfter(t *testing.T, b *branch, rng *rand.Rand, reloads int) []string {
	t.Helper()
	events := reloaded(t, b, rng, reloads)
	h := b.horizon()
	file := ledger(60, today(), 0)
	want := expect(t, file, h, notices[0].limit, events, today())
	var others []expectation
	for _, n := range notices[1:] {
		others = append(others, expect(t, file, h, n.limit, events, today()))
	}
	s := b.state()
	t.Logf("%d reloads, %d duties, %d events", reloads, len(s.duties), len(events))
	return append(want.against(s.duties, h.Business, others...), s.halves()...)
}

// While the rulebook changes under a daemon that scans and takes files in, and
// the daemon is killed meanwhile, what is there stays one to one what the
// ledger asks for. Ten scans more bring nothing.
func TestPromise02OneDutyForEachKeyUnderReloads(t *testing.T) {
	needRoot(t)
	t.Parallel()
	rng := random(t)
	b := peopled(t, 60).unheld()
	if bad := doubledAfter(t, b, rng, times(12, 500)); len(bad) > 0 {
		t.Fatalf("%d: %q", len(bad), bad[:min(10, len(bad))])
	}
	before := b.state()
	for range 10 {
		b.must("tick")
	}
	if after := b.state(); after.told != before.told {
		t.Errorf("ten scans more: %s", differs(after, before))
	}
	b.sound()
}

// A build that has the rule's version in the key is found out.
func TestPromise02AKeyWithTheVersionInItIsFound(t *testing.T) {
	needRoot(t)
	t.Parallel()
	b := peopled(t, 60).unheld()
	b.program = planted(t, "rules/decide.go", "Occurrence: o.name}", `Occurrence: o.name + strings.Join(strings.Split(r.Clause, "·")[1:], "")}`,
		"rules/short.go", "x.Occurrence, x.Loan = of.ref.ID, name, of.loan", `x.Occurrence, x.Loan = of.ref.ID, name+strings.Join(strings.Split(p.rule.Clause, "·")[1:], ""), of.loan`,
		"rules/short.go", "import (\n", "import (\n\t\"strings\"\n\n")
	bad := doubledAfter(t, b, rand.New(rand.NewPCG(1, 1)), 1)
	if !slices.ContainsFunc(bad, func(s string) bool { return strings.HasPrefix(s, "extra: ") }) {
		t.Errorf("not found: %q", bad)
	}
}

// The expectation itself tells a wrong day, a missing and a doubled duty.
func TestPromise02TheExpectationFindsEachKindOfFault(t *testing.T) {
	t.Parallel()
	b := peopled(t, 60)
	h := b.horizon()
	want := expect(t, ledger(60, today(), 0), h, notices[0].limit, nil, today())
	list := b.duties()
	if bad := want.against(list, h.Business); len(bad) > 0 {
		t.Fatalf("%d of %d: %q", len(bad), len(list), bad[:min(10, len(bad))])
	}
	for rule, least := range map[string]int{"maturity-notice": 20, "overdue-notice": 2, "monthly-report": 100} {
		n := 0
		for id := range want {
			if strings.HasPrefix(id, rule+":") {
				n++
			}
		}
		if n < least {
			t.Errorf("%d of %s are expected: that proves little", n, rule)
		}
	}
	wrong := slices.Clone(list)
	wrong[3].Due = "2020-01-01"
	for name, faulty := range map[string][]duty{"is due": wrong, "missing": list[1:], "doubled": append(slices.Clone(list), list[0])} {
		if bad := want.against(faulty, h.Business); len(bad) != 1 || !strings.Contains(bad[0], name) {
			t.Errorf("%s: %q", name, bad)
		}
	}
}
