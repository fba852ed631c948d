package rules_test

import (
	"errors"
	"strings"
	"testing"

	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
)

// desk gives obligations that stand open on a day: "id" or "id@raise"; raised
// where that is not after today.
func desk(today string, ids ...string) []obligation.Obligation {
	var out []obligation.Obligation
	for _, id := range ids {
		id, raise, _ := strings.Cut(id, "@")
		k, err := obligation.ParseKey(id)
		if err != nil {
			panic(err)
		}
		o := obligation.Obligation{Duty: obligation.Duty{Key: k, Raise: day("2026-11-01"), Due: day("2026-12-31"), Anchor: day("2026-11-01")}, State: obligation.Raised}
		if raise != "" {
			o.Raise = day(raise)
		}
		if o.Raise > day(today) {
			o.State = obligation.Planned
		}
		o.PartyName = strings.TrimPrefix(k.Party.ID, "x")
		out = append(out, o)
	}
	return out
}

func TestAnEventClosesWhatItNames(t *testing.T) {
	const book = `version: 1
rules:
- {id: report, for: loan, every: month, due: 10 workdays after period.end, closes_on: inspection.reported}
- {id: notice, for: loan, each: guarantor, due: on loan.maturity, closes_on: notice.guarantor_sent}
- {id: rating, for: borrower, each: [borrower, guarantor], every: year, due: 4 months after period.end, closes_on: rating.updated}
- {id: filing, on: incident.reported, each: [{department: [风险管理部, 公司业务部]}], due: 1 workday after event.date, closes_on: filing.receipted}
- {id: review, for: officer, every: quarter, due: on period.end, by: [supervisor, president], closes_on: duty.reviewed}
- {id: audited, for: borrower, every: year, due: 4 months after period.end, closes_on: [{event: statements.received, if: 'event.audited != "no"'}, statements.explained]}
- {id: thing, for: collateral, since: [collateral.inspected, loan.disbursed], due: 1 year after since, closes_on: collateral.inspected}
- {id: logged, on: analysis.done, due: 2 workdays after event.date, closes_on: worklog.submitted}
- {id: reviewed, on: worklog.submitted, due: 2 workdays after event.date, closes_on: worklog.reviewed}
`
	b := bookOf(t, book)
	for _, c := range []struct {
		name  string
		event string // kind subject [period=] [party=] [closes=] [field=]
		open  string
		want  string // ids, or "error: part"; both lists by blanks
	}{
		{"the only one that fits", "inspection.reported loan/L1", "report:loan/L1:2026-11 report:loan/L2:2026-11", "report:loan/L1:2026-11"},
		{"that of the period", "inspection.reported loan/L1 period=2026-10", "report:loan/L1:2026-10 report:loan/L1:2026-11", "report:loan/L1:2026-10"},
		{"none of another period", "inspection.reported loan/L1 period=2026-09", "report:loan/L1:2026-10", ""},
		{"several", "inspection.reported loan/L1", "report:loan/L1:2026-10 report:loan/L1:2026-11", `error: fits 2 obligations of rule "report"`},
		{"what is on the desk before what is to come", "inspection.reported loan/L1", "report:loan/L1:2026-10 report:loan/L1:2026-11@2026-12-01", "report:loan/L1:2026-10"},
		{"what is to come where the desk is empty", "inspection.reported loan/L1", "report:loan/L1:2026-11@2026-12-01", "report:loan/L1:2026-11"},
		{"what is to come by its period", "inspection.reported loan/L1 period=2026-11", "report:loan/L1:2026-10 report:loan/L1:2026-11@2026-12-01", "report:loan/L1:2026-11"},
		{"a guarantor by his id", "notice.guarantor_sent loan/L1 party=x丙", "notice:loan/L1:2026-12-31:guarantor/x丙 notice:loan/L1:2026-12-31:guarantor/x丁", "notice:loan/L1:2026-12-31:guarantor/x丙"},
		{"by his name", "notice.guarantor_sent loan/L1 party=丁", "notice:loan/L1:2026-12-31:guarantor/x丙 notice:loan/L1:2026-12-31:guarantor/x丁", "notice:loan/L1:2026-12-31:guarantor/x丁"},
		{"by kind and id", "notice.guarantor_sent loan/L1 party=guarantor/x丁", "notice:loan/L1:2026-12-31:guarantor/x丙 notice:loan/L1:2026-12-31:guarantor/x丁", "notice:loan/L1:2026-12-31:guarantor/x丁"},
		{"by the event of himself", "notice.guarantor_sent guarantor/x丁", "notice:loan/L1:2026-12-31:guarantor/x丙 notice:loan/L1:2026-12-31:guarantor/x丁", "notice:loan/L1:2026-12-31:guarantor/x丁"},
		{"a party that is none", "notice.guarantor_sent loan/L1 party=戊", "notice:loan/L1:2026-12-31:guarantor/x丙", "error: there is 丙"},
		{"no party of two", "notice.guarantor_sent loan/L1", "notice:loan/L1:2026-12-31:guarantor/x丙 notice:loan/L1:2026-12-31:guarantor/x丁", "error: notice:loan/L1:2026-12-31:guarantor/x丁"},
		{"his own rating, not his guarantor's", "rating.updated borrower/C1", "rating:borrower/C1:2026 rating:borrower/C1:2026:guarantor/x丙", "rating:borrower/C1:2026"},
		{"his guarantor's, named", "rating.updated borrower/C1 party=丙", "rating:borrower/C1:2026 rating:borrower/C1:2026:guarantor/x丙", "rating:borrower/C1:2026:guarantor/x丙"},
		{"nothing once his own is done", "rating.updated borrower/C1", "rating:borrower/C1:2026:guarantor/x丙", ""},
		{"himself, named", "rating.updated borrower/C1 party=C1", "rating:borrower/C1:2026 rating:borrower/C1:2026:guarantor/x丙", "rating:borrower/C1:2026"},
		{"a department", "filing.receipted loan/L1 party=公司业务部", "filing:loan/L1:e1:department/风险管理部 filing:loan/L1:e1:department/公司业务部", "filing:loan/L1:e1:department/公司业务部"},
		{"a role", "duty.reviewed officer/S1 party=president", "review:officer/S1:2026-Q4:role/supervisor review:officer/S1:2026-Q4:role/president", "review:officer/S1:2026-Q4:role/president"},
		{"what the event says is enough", "statements.received borrower/C1 audited=yes", "audited:borrower/C1:2026", "audited:borrower/C1:2026"},
		{"what the event does not say is no no", "statements.received borrower/C1", "audited:borrower/C1:2026", "audited:borrower/C1:2026"},
		{"what the event says is not enough", "statements.received borrower/C1 audited=no", "audited:borrower/C1:2026", ""},
		{"nor when it is named", "statements.received borrower/C1 audited=no closes=audited:borrower/C1:2026", "audited:borrower/C1:2026", "error: is not closed by statements.received"},
		{"several that are named", "worklog.submitted borrower/C1 closes=logged:borrower/C1:a1 closes=logged:loan/L1:a2", "logged:borrower/C1:a1 logged:loan/L1:a2 logged:borrower/C1:a3", "logged:borrower/C1:a1 logged:loan/L1:a2"},
		{"another loan's, named", "inspection.reported loan/L1 closes=report:loan/L2:2026-11", "report:loan/L2:2026-11", "error: is about loan/L2"},
		{"another guarantor's, named", "notice.guarantor_sent guarantor/x丙 closes=notice:loan/L1:2026-12-31:guarantor/x丁", "notice:loan/L1:2026-12-31:guarantor/x丁", "error: is about guarantor/x丁"},
		{"what another event closes, named", "worklog.reviewed borrower/C1 closes=logged:borrower/C1:a1", "logged:borrower/C1:a1", "error: is not closed by worklog.reviewed"},
		{"an interval that the event is after", "collateral.inspected collateral/K1", "thing:collateral/K1:2026-11-01", "thing:collateral/K1:2026-11-01"},
		{"an interval from that day on", "collateral.inspected collateral/K1 on=2026-11-01", "thing:collateral/K1:2026-11-01", ""},
		{"nor when it is named", "collateral.inspected collateral/K1 on=2026-11-01 closes=thing:collateral/K1:2026-11-01", "thing:collateral/K1:2026-11-01", "error: counts from 2026-11-01"},
		{"what was withdrawn", "inspection.reported loan/L1 withdrawn=yes", "report:loan/L1:2026-11", ""},
		{"not what is to come of an event that begins duties", "worklog.submitted borrower/C1", "logged:borrower/C1:a1@2026-12-01", ""},
		{"all that a file shows", "inspection.reported loan/L1 snapshot=yes", "report:loan/L1:2026-10 report:loan/L1:2026-11@2026-12-01 report:loan/L2:2026-10", "report:loan/L1:2026-10 report:loan/L1:2026-11"},
	} {
		words := strings.Fields(c.event)
		ref, err := loan.ParseRef(words[1])
		if err != nil {
			t.Fatal(err)
		}
		e := loan.Event{ID: "e9", Kind: words[0], Subject: ref, Happened: day("2026-11-23"), Fields: map[string]string{}}
		for _, w := range words[2:] {
			switch k, v, _ := strings.Cut(w, "="); k {
			case "period":
				e.Period = v
			case "party":
				e.Party = v
			case "closes":
				e.Closes = append(e.Closes, v)
			case "on":
				e.Happened = day(v)
			case "withdrawn":
				e.Withdrawn = &loan.Withdrawal{}
			case "snapshot":
				e.Snapshot = true
			default:
				e.Fields[k] = v
			}
		}
		keys, err := rules.Closings(b, desk("2026-11-23", strings.Fields(c.open)...), e)
		var got []string
		for _, k := range keys {
			got = append(got, k.String())
		}
		if want, fails := strings.CutPrefix(c.want, "error: "); fails {
			if err == nil || !strings.Contains(err.Error(), want) || got != nil {
				t.Errorf("%s: %s, %v; want an error with %s", c.name, strings.Join(got, " "), err, want)
			}
		} else if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, strings.Join(got, " "), err, c.want)
		}
	}
	var a *rules.Ambiguous
	_, err := rules.Closings(b, desk("2026-11-23", "report:loan/L1:2026-09", "report:loan/L1:2026-10", "report:loan/L1:2026-11"), loan.Event{Kind: "inspection.reported", Subject: loan.Ref{Kind: loan.KindLoan, ID: "L1"}, Happened: day("2026-11-23")})
	if !errors.As(err, &a) || len(a.Fits) != 3 {
		t.Errorf("several fit: %v", err)
	}
}
