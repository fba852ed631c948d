package scheduler

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/report"
	"tickler/store"
)

const (
	unitScored = "unit.scored" // the event that keeps a score somebody gave; 篇四 4
	scoreField = "score"
	setCounty  = "county"
)

// Score works out the 100-point score of every branch that had duties due in
// the quarter, and puts the score that was recorded beside it, which wins. 篇四 4
//
// The duty to score a unit, which its supervisor has, costs the unit nothing.
func (s *Scheduler) Score(ctx context.Context, r api.ScoreRequest) (*api.ScoreReply, error) {
	if r.Scheme == (report.Scheme{}) {
		r.Scheme = report.DefaultScheme
	}
	if err := checkScheme(r.Scheme); err != nil {
		return nil, err
	}
	var reply *api.ScoreReply
	err := s.figuresView(ctx, api.FiguresRequest{On: r.On, Branch: r.Branch}, func(f *figures) error {
		q, err := f.quarter(r.Quarter)
		if err != nil {
			return err
		}
		f.head.From, f.head.To = q.Start, min(q.End, f.head.On)
		scoring := map[string]bool{}
		for _, rule := range f.book.Rules {
			scoring[rule.ID] = slices.Contains(rule.ClosesOn, unitScored)
		}
		due := obligationFilter{From: q.Start, To: min(q.End, f.head.On)}
		total := &report.Node[report.Tally]{}
		units := map[string]*report.Node[report.Tally]{} // every branch that has an obligation -> its figures, nil without one that counts
		err = f.each(ctx, func(o *obligation.Obligation) error {
			units[o.Branch] = nil
			if scoring[o.Rule] || !due.wants(o) {
				return nil
			}
			return report.Count(total, []report.By{report.ByBranch, report.ByRule}, o, f.head.On, f.cal)
		})
		if err != nil {
			return err
		}
		report.Finish(total, f.name)
		f.head.From, f.head.To = due.From, due.To
		label := q.Label(calendar.Fiscal{})
		reply = &api.ScoreReply{FiguresHead: f.head, Quarter: label, Running: f.head.On < q.End, Followed: slices.Contains(f.book.Enabled, setCounty), Scheme: r.Scheme, Units: []report.UnitScore{}}
		for _, n := range total.Groups {
			units[n.Key] = n
		}
		for _, id := range sortedKeys(units) {
			m, bad, err := f.mark(id, label, q)
			if err != nil {
				return err
			}
			reply.Warnings = append(reply.Warnings, bad...)
			n := units[id]
			switch {
			case n == nil && m == nil:
				continue
			case n == nil:
				n = &report.Node[report.Tally]{By: report.ByBranch, Key: id, Name: f.name(report.ByBranch, id)}
			}
			reply.Units = append(reply.Units, r.Scheme.ScoreOf(n, m))
		}
		return nil
	})
	return reply, err
}

func checkScheme(s report.Scheme) error {
	for _, p := range []struct {
		name string
		n    int
	}{{"missed", s.Missed}, {"overdue", s.Overdue}, {"late", s.Late}, {"line", s.Line}} {
		if p.n < 0 || p.n > 100 {
			return api.Errorf(api.Usage, "", "--%s %d: want 0 to 100 points", p.name, p.n)
		}
	}
	if s.Yuan < 0 {
		return api.Errorf(api.Usage, "", "a deduction of %d yuan: want 0 or more", s.Yuan)
	}
	return nil
}

// quarter reads 2026-Q3; "" is the last one that ended, which is the one to be
// scored, or the running one where the branch went live since.
func (f *figures) quarter(label string) (calendar.Period, error) {
	running := calendar.PeriodOf(calendar.Quarter, f.head.On, calendar.Fiscal{})
	if label == "" {
		if last := running.Prev(calendar.Fiscal{}); f.head.GoLive <= last.End {
			return last, nil
		}
		return running, nil
	}
	q, err := calendar.ParsePeriod(label, calendar.Fiscal{})
	if err != nil || q.Every != calendar.Quarter {
		return q, api.Errorf(api.Usage, "", "--quarter %q: want a quarter such as %s", label, running.Label(calendar.Fiscal{}))
	}
	if q.Start > f.head.On {
		return q, api.Errorf(api.Usage, "", "--quarter %s has not begun on %s", label, f.head.On)
	}
	return q, nil
}

// mark gives the newest score of a unit that was recorded for the quarter and
// had happened on the day; nil where there is none. An event is of the quarter
// that its period names, or else of that of the scoring duty that it closed,
// or else of the one in which it happened.
func (f *figures) mark(branch, label string, q calendar.Period) (*report.Mark, []string, error) {
	if branch == "" {
		return nil, nil, nil
	}
	ref := loan.Ref{Kind: loan.KindBranch, ID: branch}
	var events []loan.Event
	err := f.view(func(tx *store.Tx) (err error) { events, err = tx.EventsOf(ref); return err })
	if err != nil {
		return nil, nil, err
	}
	var newest *loan.Event
	var m *report.Mark
	var bad []string
	for i := range events {
		e := &events[i]
		if e.Kind != unitScored || e.Subject != ref || e.Withdrawn != nil || e.Happened > f.head.On || !ofQuarter(e, label, q) {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(e.Fields[scoreField]), 64)
		if err != nil || math.IsNaN(v) || v < 0 || v > 100 {
			bad = append(bad, fmt.Sprintf("%s 的评分事件 %s：得分 %q 不是 0 到 100 的数，未采用 / event %s of %s: the score %q is no number from 0 to 100, and was left out", branch, e.ID, e.Fields[scoreField], e.ID, branch, e.Fields[scoreField]))
			continue
		}
		if newest == nil || e.Happened > newest.Happened || e.Happened == newest.Happened && e.Learned.After(newest.Learned) {
			newest, m = e, &report.Mark{Score: v, On: e.Happened, Event: e.ID, By: e.By}
		}
	}
	return m, bad, nil
}

func ofQuarter(e *loan.Event, label string, q calendar.Period) bool {
	if e.Period != "" {
		return e.Period == label
	}
	for _, id := range e.Closes {
		if k, err := obligation.ParseKey(id); err == nil && k.Subject == e.Subject {
			return k.Occurrence == label
		}
	}
	return e.Happened >= q.Start && e.Happened <= q.End
}
