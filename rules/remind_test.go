package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"tickler/calendar"
	"tickler/obligation"
	"tickler/rules"
)

// standing gives an obligation with its dates: raise, due, the period's end
// and the day it was really raised, "" where there is none.
func standing(raise, due, end, raised string) *obligation.Obligation {
	o := &obligation.Obligation{}
	o.Role, o.Raise, o.Due, o.PeriodEnd, o.RaisedOn = "officer", day(raise), day(due), day(end), day(raised)
	return o
}

func before(n int, u calendar.Unit) rules.Limit { return rules.Limit{N: -n, Unit: u} }

// National Day 2026 (国办发明电〔2025〕7号): Sunday 20 September is worked, off from
// Thursday 1 to Wednesday 7 October, Saturday 10 October is worked. Mid-autumn:
// off from Friday 25 to Sunday 27 September.
func TestRemindersAcrossNationalDay(t *testing.T) {
	five, one := before(5, calendar.Workdays), before(1, calendar.Workdays)
	for _, c := range []struct {
		name       string
		remind     []rules.Limit
		raise, due string
		want       string
	}{
		{"counted back over the holiday: 8 Oct is day 1, 30, 29, 28 Sep are 2 to 4, 24 Sep is 5", []rules.Limit{five, one}, "2026-09-10", "2026-10-09", "2026-09-24 2026-10-08"},
		{"the make-up Saturday is a day of work: 9, 8 Oct, 30, 29, 28 Sep before 10 Oct", []rules.Limit{five, one}, "2026-09-10", "2026-10-10", "2026-09-28 2026-10-09"},
		{"and it counts before Monday the 12th", []rules.Limit{five, one}, "2026-09-10", "2026-10-12", "2026-09-29 2026-10-10"},
		{"the make-up Sunday 20 September", []rules.Limit{one}, "2026-09-01", "2026-09-21", "2026-09-20"},
		{"in the order of days, whatever the rulebook's", []rules.Limit{one, five}, "2026-09-10", "2026-10-09", "2026-09-24 2026-10-08"},
		{"6 days before 10 October is off: the next working day", []rules.Limit{before(6, calendar.Days)}, "2026-09-10", "2026-10-10", "2026-10-08"},
		{"a week before a due day in the holiday: 28 September is worked", []rules.Limit{before(1, calendar.Weeks)}, "2026-09-10", "2026-10-05", "2026-09-28"},
		{"2 days before a due day in the holiday: the next working day would be late", []rules.Limit{before(2, calendar.Days)}, "2026-09-10", "2026-10-05", "2026-09-30"},
		{"on a due day that is off: the day before the holiday", []rules.Limit{before(0, calendar.Workdays)}, "2026-09-10", "2026-10-05", "2026-09-30"},
		{"on a due day that is worked", []rules.Limit{before(0, calendar.Days)}, "2026-09-10", "2026-10-10", "2026-10-10"},
		{"two that fall on one day are one", []rules.Limit{before(6, calendar.Days), before(5, calendar.Days), before(2, calendar.Workdays)}, "2026-09-10", "2026-10-10", "2026-10-08"},
		{"one that would come before the day of raising is dropped", []rules.Limit{five, one}, "2026-09-28", "2026-10-09", "2026-10-08"},
		{"and so is one on that day: raising said it", []rules.Limit{five, one}, "2026-10-08", "2026-10-09", ""},
		{"none in the rulebook", nil, "2026-09-10", "2026-10-09", ""},
	} {
		got, err := rules.Reminders(calendar.Builtin(), &rules.Rule{Remind: c.remind}, standing(c.raise, c.due, "", ""))
		if s := strings.Trim(fmt.Sprint(got), "[]"); err != nil || s != c.want {
			t.Errorf("%s: due %s: %s, %v; want %s", c.name, c.due, s, err, c.want)
		}
	}
	// Raised late: what came before was not told, and is not told now.
	got, err := rules.Reminders(calendar.Builtin(), &rules.Rule{Remind: []rules.Limit{five, one}}, standing("2026-09-10", "2026-10-09", "", "2026-09-29"))
	if s := strings.Trim(fmt.Sprint(got), "[]"); err != nil || s != "2026-10-08" {
		t.Errorf("raised on 29 September: %s, %v", s, err)
	}
}

func TestEscalationsAcrossNationalDay(t *testing.T) {
	up := func(n int, u calendar.Unit, to string) rules.Escalation {
		return rules.Escalation{After: calendar.Limit{N: n, Unit: u}, To: to}
	}
	shipped := []rules.Escalation{up(1, calendar.Workdays, "supervisor"), up(5, calendar.Workdays, "president")}
	for _, c := range []struct {
		name               string
		escalate           []rules.Escalation
		due, end, raisedOn string
		want               string
	}{
		{"due before the holiday: 8 Oct is day 1; 9, 10 (worked), 12, 13 follow", shipped, "2026-09-30", "", "", "2026-10-08 supervisor, 2026-10-13 president"},
		{"due on the first day after it: 9, 10 (worked), 12, 13, 14 October", shipped, "2026-10-08", "", "", "2026-10-09 supervisor, 2026-10-14 president"},
		{"due on the make-up Saturday", shipped, "2026-10-10", "", "", "2026-10-12 supervisor, 2026-10-16 president"},
		{"due on a day off within the holiday", shipped, "2026-10-05", "", "", "2026-10-08 supervisor, 2026-10-13 president"},
		{"a duty of September is late after the 30th, though due on the 24th", shipped, "2026-09-24", "2026-09-30", "", "2026-10-08 supervisor, 2026-10-13 president"},
		{"days land on the next working day: 3 days after 30 September is off", []rules.Escalation{up(3, calendar.Days, "supervisor")}, "2026-09-30", "", "", "2026-10-08 supervisor"},
		{"0 days is the first working day on which it is late", []rules.Escalation{up(0, calendar.Workdays, "supervisor"), up(0, calendar.Days, "president")}, "2026-09-30", "", "", "2026-10-08 supervisor, 2026-10-08 president"},
		{"in the order of days", []rules.Escalation{shipped[1], shipped[0]}, "2026-09-30", "", "", "2026-10-08 supervisor, 2026-10-13 president"},
		{"once to a role", []rules.Escalation{shipped[0], up(3, calendar.Workdays, "supervisor")}, "2026-09-30", "", "", "2026-10-08 supervisor"},
		{"not to who performs it", []rules.Escalation{up(1, calendar.Workdays, "officer"), shipped[1]}, "2026-09-30", "", "", "2026-10-13 president"},
		{"raised late, between the two: 28, 29, 30 Sep, 8, 9 Oct", shipped, "2026-09-24", "", "2026-09-29", "2026-09-29 supervisor, 2026-10-09 president"},
		{"raised late, on a day off", shipped, "2026-09-24", "", "2026-10-03", "2026-10-08 supervisor, 2026-10-09 president"},
	} {
		got, err := rules.Escalations(calendar.Builtin(), &rules.Rule{Escalate: c.escalate}, standing("2026-09-10", c.due, c.end, c.raisedOn))
		var words []string
		for _, e := range got {
			words = append(words, e.Date.String()+" "+e.To)
		}
		if s := strings.Join(words, ", "); err != nil || s != c.want {
			t.Errorf("%s: due %s: %s, %v; want %s", c.name, c.due, s, err, c.want)
		}
	}
}

// A day that rests on a year without notice says so; one beyond the calendar
// is an error, not a day.
func TestRemindersSayWhatTheyRestOn(t *testing.T) {
	cal := calendar.Builtin()
	r := &rules.Rule{Remind: []rules.Limit{before(1, calendar.Workdays)}, Escalate: []rules.Escalation{{After: calendar.Limit{N: 1, Unit: calendar.Workdays}, To: "supervisor"}}}
	o := standing("2026-12-01", "2026-12-31", "", "")
	remind, err := rules.Reminders(cal, r, o)
	if err != nil || fmt.Sprint(remind) != "[2026-12-30]" {
		t.Errorf("reminders %v, %v", remind, err)
	}
	escalate, err := rules.Escalations(cal, r, o)
	if err != nil || len(escalate) != 1 || escalate[0].Date != day("2027-01-04") || !escalate[0].Provisional {
		t.Errorf("escalations %v, %v", escalate, err)
	}
	_, last := cal.Range()
	if _, err := rules.Escalations(cal, r, standing("2026-12-01", last.String(), "", "")); err == nil {
		t.Error("a day beyond the calendar is no error")
	}
}
