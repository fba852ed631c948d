package scheduler_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tickler/api"
	"tickler/report"
	"tickler/rules"
	"tickler/scheduler"
	"tickler/store"
)

// asker is one who asks, and what he is to the branch Q01.
type asker struct {
	name  string
	actor scheduler.Actor
	role  string   // "setup", a role, or "" for nobody
	sees  []string // offices
}

// askers are all kinds of people: every role in Q01, who sets up, and strangers.
func askers() []asker {
	all := []string{"QH", "Q01", "Q11", "Q02"}
	out := []asker{
		{"root", scheduler.Actor{OSUser: "root", Owner: true}, "setup", all},
		{"the owner", scheduler.Actor{OSUser: "tickler", Owner: true}, "setup", all},
		{"an unmapped OS user", scheduler.Actor{OSUser: "stranger"}, "", nil},
		{"an OS user without a name", scheduler.Actor{}, "", nil},
		{"a disabled user", as("Q01-disabled"), "", nil},
	}
	for _, role := range rules.Roles {
		out = append(out, asker{role, as(staffOf("Q01", role)), role, []string{"Q01", "Q11"}})
	}
	return out
}

// readings are all ways to read, each asked about an office.
func readings(o *offices, office string) map[string]func(context.Context) (any, error) {
	book := api.Book{Name: "r.yaml", Text: []byte(strings.Replace(officesBook, "1 month before", "2 months before", 1))}
	s := o.s
	return map[string]func(context.Context) (any, error){
		"list":     func(c context.Context) (any, error) { return s.List(c, api.ListRequest{All: true}) },
		"list own": func(c context.Context) (any, error) { return s.List(c, api.ListRequest{Branch: office}) },
		"overdue": func(c context.Context) (any, error) {
			return s.List(c, api.ListRequest{Overdue: true, To: date("2030-01-01")})
		},
		"list of": func(c context.Context) (any, error) {
			return s.List(c, api.ListRequest{Owner: staffOf(office, "officer"), All: true})
		},
		"subject": func(c context.Context) (any, error) {
			return s.List(c, api.ListRequest{Subject: "loan/J" + office + "-0"})
		},
		"show":      func(c context.Context) (any, error) { return s.Show(c, api.ShowRequest{ID: reportOf(office)}) },
		"show part": func(c context.Context) (any, error) { return s.Show(c, api.ShowRequest{ID: "report:loan/J"}) },
		"show rule": func(c context.Context) (any, error) { return s.Show(c, api.ShowRequest{ID: "meeting"}) },
		"why":       func(c context.Context) (any, error) { return s.Why(c, api.WhyRequest{What: notice(office)}) },
		"why loan":  func(c context.Context) (any, error) { return s.Why(c, api.WhyRequest{What: "J" + office + "-0"}) },
		"why who": func(c context.Context) (any, error) {
			return s.Why(c, api.WhyRequest{What: "officer/" + staffOf(office, "officer")})
		},
		"status": func(c context.Context) (any, error) { return s.Status(c) },
		"users":  func(c context.Context) (any, error) { return s.Users(c) },
		"outbox": func(c context.Context) (any, error) { return s.Outbox(c, api.OutboxRequest{Items: true}) },
		"outbox of": func(c context.Context) (any, error) {
			return s.Outbox(c, api.OutboxRequest{To: staffOf(office, "officer")})
		},
		"message": func(c context.Context) (any, error) {
			id := messageOf(o, office)
			reply, err := s.Outbox(c, api.OutboxRequest{ID: id})
			if e := (*api.Error)(nil); errors.As(err, &e) {
				e.Text = strings.ReplaceAll(e.Text, id, "N") // it counts what others have
			}
			return reply, err
		},
		"ontime": func(c context.Context) (any, error) {
			return s.Ontime(c, api.FiguresRequest{By: []report.By{report.ByBranch, report.ByOfficer}})
		},
		"ageing": func(c context.Context) (any, error) {
			return s.Ageing(c, api.FiguresRequest{By: []report.By{report.ByBranch}})
		},
		"ageing of": func(c context.Context) (any, error) { return s.Ageing(c, api.FiguresRequest{Branch: office}) },
		"coverage":  func(c context.Context) (any, error) { return s.Coverage(c, api.FiguresRequest{}) },
		"score":     func(c context.Context) (any, error) { return s.Score(c, api.ScoreRequest{}) },
		"trail": func(c context.Context) (any, error) {
			return s.AuditAbout(c, api.AuditAboutRequest{What: reportOf(office)})
		},
		"trail who": func(c context.Context) (any, error) {
			return s.AuditAbout(c, api.AuditAboutRequest{What: "person/" + staffOf(office, "officer")})
		},
		"clock":     func(c context.Context) (any, error) { return s.Clock(c, scheduler.ActorOf(c), api.ClockRequest{}) },
		"head":      func(c context.Context) (any, error) { return s.AuditHead(c) },
		"export":    func(c context.Context) (any, error) { return s.AuditPage(c, api.AuditPageRequest{}) },
		"verify":    func(c context.Context) (any, error) { return s.AuditVerify(c, api.AuditVerifyRequest{}) },
		"history":   func(c context.Context) (any, error) { return s.History(c) },
		"book":      func(c context.Context) (any, error) { return s.Book(c, api.BookRequest{At: date("2026-11-23")}) },
		"portfolio": func(c context.Context) (any, error) { return s.Portfolio(c, api.PortfolioRequest{}) },
		"sample":    func(c context.Context) (any, error) { return s.Sample(c, api.SampleRequest{Branch: office}) },
		"diff":      func(c context.Context) (any, error) { return s.Diff(c, api.DiffRequest{New: &book}) },
		"check":     func(c context.Context) (any, error) { return s.Check(c) },
		"simulate": func(c context.Context) (any, error) {
			return s.Simulate(c, api.SimulateRequest{To: date("2026-12-31")})
		},
		"activate": func(c context.Context) (any, error) {
			return s.Activate(c, scheduler.ActorOf(c), api.ActivateRequest{Book: book, DryRun: true})
		},
	}
}

// messageOf is the number of a message about a duty of an office.
func messageOf(o *offices, office string) string {
	id := "999999999"
	o.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanOutbox(func(m store.Message) error {
			if m.Branch == office {
				id = strconv.FormatUint(m.ID, 10)
			}
			return nil
		})
	})
	return id
}

// Every method that people reach is in the matrix: a new one is put there, or
// here with the reason why not.
func TestTheMatrixHasEveryMethod(t *testing.T) {
	text, err := os.ReadFile("matrix_test.go")
	if err != nil {
		t.Fatal(err)
	}
	no := map[string]string{"Run": "the loop", "Healthy": "for monitoring: no names", "Vitals": "for monitoring: no names", "Proving": "for monitoring: no names", "Admits": "asked before an import", "Reads": "asked before a large request", "Watches": "asked before figures of every branch", "Refused": "keeps a refusal",
		"Login": "asks who somebody is", "Session": "tells it", "Logout": "of a token that one has"}
	typ := reflect.TypeFor[*scheduler.Scheduler]()
	for i := range typ.NumMethod() {
		name := typ.Method(i).Name
		if no[name] == "" && !strings.Contains(string(text), "s."+name+"(") && !strings.Contains(string(text), "(s."+name+",") {
			t.Errorf("Scheduler.%s is not in the matrix", name)
		}
	}
}

// moments, digests and places in the audit differ by what others did.
var differs = regexp.MustCompile(`"(seq|hash|audit|data|file|message)":("[^"]*"|[0-9]+|\{[^}]*\})`)

// same says that two answers differ only in that; else where they part.
func same(a, b string) (string, bool) {
	a, b = differs.ReplaceAllString(a, ""), differs.ReplaceAllString(b, "")
	if a == b {
		return "", true
	}
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	from := max(0, i-80)
	return "…" + a[from:min(len(a), i+120)] + "\n…" + b[from:min(len(b), i+120)], false
}

// What a person reads holds no name of another branch, is the same to the byte
// however much there is in the others, and answers for what is there and not his
// as for what is not there.
func TestNobodyReadsAnotherBranch(t *testing.T) {
	small, large := newOffices(t, "2026-11-23"), newOffices(t, "2026-11-23", "QH", "Q02")
	for _, a := range askers() {
		ctx := scheduler.As(context.Background(), a.actor)
		for _, office := range []string{"Q01", "Q11", "Q02", "QH"} {
			there, bigger, none := readings(small, office), readings(large, office), readings(small, "Q99")
			for name := range there {
				before := small.refusals()
				reply, err := there[name](ctx)
				got := wire(reply, err)
				refused := small.refusals() - before
				if (api.CodeOf(err) == api.NotAllowed && err != nil) != (refused == 1) || refused > 1 {
					t.Errorf("%s, %s of %s: %d refusals in the audit: %s", a.name, name, office, refused, got)
				}
				if a.role == "" {
					if api.CodeOf(err) != api.NotAllowed {
						t.Errorf("%s, %s of %s: %s", a.name, name, office, got)
					}
					continue
				}
				if a.role == "setup" {
					if err != nil && name != "show part" && name != "show rule" && name != "simulate" && name != "trail who" && name != "message" {
						t.Errorf("%s, %s of %s: %s", a.name, name, office, got)
					}
					continue
				}
				seen := slices.Contains(a.sees, office)
				for _, other := range []string{"QH", "Q02"} {
					if plain := strings.ReplaceAll(got, office, ""); !seen && strings.Contains(plain, other) || seen && strings.Contains(got, other) {
						t.Errorf("%s, %s of %s: it tells of %s: %s", a.name, name, office, other, got)
					}
				}
				if parts, ok := same(got, wire(bigger[name](ctx))); !ok {
					t.Errorf("%s, %s of %s: it depends on what others have:\n%s", a.name, name, office, parts)
				}
				if !seen && name != "list of" {
					if parts, ok := same(got, strings.ReplaceAll(wire(none[name](ctx)), "Q99", office)); !ok {
						t.Errorf("%s, %s of %s: another answer than for what is not there:\n%s", a.name, name, office, parts)
					}
				}
				if seen && err != nil && slices.Contains([]string{"list", "list own", "show", "why", "why loan", "status", "users", "sample", "portfolio", "diff"}, name) {
					t.Errorf("%s, %s of %s: %s", a.name, name, office, got)
				}
			}
		}
	}
	small.verify()
}

// acts are all ways to change something, each on an office's things; the words
// are those of the table of who may do what.
func acts(o *offices, office string) map[string]func(scheduler.Actor) (any, error) {
	c, s := context.Background(), o.s
	move := func(do func(context.Context, scheduler.Actor, api.ActRequest) (*api.ActReply, error), r api.ActRequest) func(scheduler.Actor) (any, error) {
		return func(a scheduler.Actor) (any, error) { return do(c, a, r) }
	}
	row := "J" + office + "-9,C" + office + "-9," + office + "公司9," + office + "," + staffOf(office, "officer") + ",1,1,2025-12-31,2026-12-10,正常,常规,按季,2026-11-23\n"
	return map[string]func(scheduler.Actor) (any, error){
		"submit": move(s.Submit, api.ActRequest{ID: notice(office)}),
		"sign":   move(s.Sign, api.ActRequest{ID: reportOf(office)}),
		"return": move(s.Return, api.ActRequest{ID: "report:loan/J" + office + "-1:2026-10", Reason: "r"}),
		"waive":  move(s.Waive, api.ActRequest{ID: "report:loan/J" + office + "-1:2026-11", Reason: "r"}),
		"reopen": move(s.Reopen, api.ActRequest{ID: meeting(office), Reason: "r"}),
		"snooze": func(a scheduler.Actor) (any, error) {
			return s.Snooze(c, a, api.SnoozeRequest{ID: "notice:loan/J" + office + "-1:2026-12-28", Until: date("2026-11-26"), Note: "n"})
		},
		"reassign": move(s.Reassign, api.ActRequest{ID: "notice:loan/J" + office + "-1:2026-12-28", To: staffOf("Q01", "monitor")}),
		"record": func(a scheduler.Actor) (any, error) {
			return s.Record(c, a, api.RecordRequest{Event: "notice.maturity_sent", Subject: "loan/J" + office + "-2"})
		},
		"withdraw": func(a scheduler.Actor) (any, error) {
			return s.Withdraw(c, a, api.WithdrawRequest{ID: "E-" + office, Reason: "r"})
		},
		"deputy": func(a scheduler.Actor) (any, error) {
			return s.Deputy(c, a, api.DeputyRequest{DeputyForm: api.DeputyForm{For: staffOf(office, "officer"), By: staffOf(office, "monitor"), From: date("2026-11-23"), To: date("2026-11-30")}})
		},
		"user": func(a scheduler.Actor) (any, error) {
			return s.User(c, a, api.UserRequest{Staff: staffOf(office, "monitor"), Disable: true})
		},
		"import": func(a scheduler.Actor) (any, error) {
			return s.Import(c, a, api.ImportRequest{Name: "more.csv", AllowGone: true}, []byte("借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,结息方式,数据日期\n"+row))
		},
		"tick": func(a scheduler.Actor) (any, error) { return s.Tick(c, a, api.TickRequest{}) },
		"clock confirm": func(a scheduler.Actor) (any, error) {
			return o.jumped().Clock(c, a, api.ClockRequest{Confirm: true})
		},
		"rules activate": func(a scheduler.Actor) (any, error) {
			return s.Activate(c, a, api.ActivateRequest{Book: api.Book{Name: "r.yaml", Text: []byte(officesBook + "\n")}})
		},
		"simulate": func(a scheduler.Actor) (any, error) {
			return s.Simulate(scheduler.As(c, a), api.SimulateRequest{To: date("2026-12-31")})
		},
		"backup": func(a scheduler.Actor) (any, error) {
			return s.Backup(c, a, api.BackupRequest{File: "/backup.db"})
		},
		"read": func(a scheduler.Actor) (any, error) {
			return s.Show(scheduler.As(c, a), api.ShowRequest{ID: notice(office)})
		},
	}
}

// jumped gives a Scheduler on the same store, whose clock waits to be confirmed.
func (o *offices) jumped() *scheduler.Scheduler {
	o.t.Helper()
	err := o.st.Update(context.Background(), func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		meta.Extra = maps.Clone(meta.Extra)
		meta.Extra["clock.held"] = json.RawMessage(`{"since":"2026-11-22T00:00:00Z","ahead":172800000000000}`)
		return tx.PutMeta(meta)
	})
	if err != nil {
		o.t.Fatal(err)
	}
	cfg := o.cfg
	cfg.Clock = wall(func() time.Time { return o.now.Load().Add(48 * time.Hour) })
	s, err := scheduler.New(cfg)
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}

// Every act x every role x own, below, beside and above: what the table refuses
// is refused once and changes nothing, what is of another branch is not there,
// and nothing of another branch ever changes.
func TestNobodyActsBeyondHisRoleAndBranch(t *testing.T) {
	may := scheduler.May()
	done := map[string]int{}
	var known []string
	for _, office := range []string{"Q01", "Q11", "Q02", "QH"} {
		for _, a := range askers() {
			o := newOffices(t, "2026-11-23")
			// Something to sign, to return, to reopen and to withdraw.
			must := func(_ any, err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(o.s.Record(context.Background(), setupActor, api.RecordRequest{Event: "notice.maturity_sent", Subject: "loan/J" + office + "-0", ID: "E-" + office}))
			must(o.s.Reopen(context.Background(), as(staffOf(office, "president")), api.ActRequest{ID: notice(office), Reason: "r"}))
			must(o.s.Submit(context.Background(), as(staffOf(office, "supervisor")), api.ActRequest{ID: meeting(office)}))
			must(o.s.Submit(context.Background(), as(staffOf(office, "officer")), api.ActRequest{ID: reportOf(office)}))
			must(o.s.Submit(context.Background(), as(staffOf(office, "officer")), api.ActRequest{ID: "report:loan/J" + office + "-1:2026-10"}))
			todo := acts(o, office)
			for name := range may {
				if todo[name] == nil {
					t.Fatalf("the table has %q, the matrix has not", name)
				}
			}
			known = slices.Sorted(func(yield func(string) bool) {
				for n := range todo {
					if !yield(n) {
						return
					}
				}
			})
			for _, name := range known {
				before, refused, head := o.state(), o.refusals(), o.head()
				reply, err := todo[name](a.actor)
				got := wire(reply, err)
				after := o.state()
				mine := slices.Contains(may[name], a.role) && a.role != "" || name == "deputy" && a.role == "officer" && office == "Q01"
				where := a.name + ", " + name + " of " + office
				n := o.refusals() - refused
				switch {
				case !mine && api.CodeOf(err) != api.NotAllowed:
					t.Errorf("%s: want a refusal: %s", where, got)
				case err != nil && api.CodeOf(err) == api.NotAllowed && n != 1:
					t.Errorf("%s: %d refusals in the audit", where, n)
				case err != nil && api.CodeOf(err) != api.NotAllowed && n != 0:
					t.Errorf("%s: it is a refusal in the audit: %s", where, got)
				case err != nil && o.head() != head+uint64(n):
					t.Errorf("%s: it failed and left %d records", where, o.head()-head)
				}
				changed := false
				for id, now := range after {
					if before[id] == now {
						continue
					}
					changed = true
					if b, _, _ := strings.Cut(now, " "); !slices.Contains(a.sees, b) {
						t.Errorf("%s: it changed %s of %s", where, id, b)
					}
				}
				if err != nil && changed {
					t.Errorf("%s: it failed, and something changed", where)
				}
				if err == nil {
					done[name]++
				}
				if slices.Contains(a.sees, office) || a.role == "" {
					continue
				}
				// Not his: as what is not there, and no word of it.
				if err == nil && name != "tick" {
					t.Errorf("%s: done: %s", where, got)
				}
				if missing := strings.ReplaceAll(wire(acts(o, "Q99")[name](a.actor)), "Q99", office); mine && missing != got && name != "tick" {
					t.Errorf("%s: another answer than for what is not there:\n%s\n%s", where, got, missing)
				}
				for _, other := range []string{"QH", "Q02"} {
					if strings.Contains(strings.ReplaceAll(got, office, ""), other) {
						t.Errorf("%s: it tells of %s: %s", where, other, got)
					}
				}
			}
			o.verify()
		}
	}
	for _, name := range known {
		if done[name] == 0 && name != "simulate" && name != "backup" { // they want a backend that copies itself
			t.Errorf("nobody could %s: the matrix proves nothing of it", name)
		}
	}
}
