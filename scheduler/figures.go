package scheduler

import (
	"context"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/report"
	"tickler/rules"
	"tickler/store"
)

// obligationFilter narrows what eachObligation goes through; the zero value
// is everything.
type obligationFilter struct {
	Branch   string
	From, To calendar.Date // due days, both included; zero is open
}

func (f *obligationFilter) wants(o *obligation.Obligation) bool {
	return (f.Branch == "" || o.Branch == f.Branch) && (f.From.IsZero() || o.Due >= f.From) && (f.To.IsZero() || o.Due <= f.To)
}

// eachObligation calls fn for every obligation, in every state, that the filter
// wants: all figures are gathered through it, and nothing else counts
// obligations for a report. It goes through the plans once, one in memory at a
// time. fn may read with the transaction; the obligation is its own until it
// returns.
func (s *Scheduler) eachObligation(ctx context.Context, view viewer, f obligationFilter, fn func(*store.Tx, *obligation.Obligation) error) error {
	var sees *sight
	err := view(func(tx *store.Tx) (err error) { sees, err = s.look(ctx, tx); return err })
	if err != nil {
		return err
	}
	return eachPlan(view, func(tx *store.Tx, p *store.Plan) error {
		for i := range p.Obligations {
			if o := &p.Obligations[i]; f.wants(o) && sees.sees(o) {
				if err := fn(tx, o); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// figures is one read that gathers figures: the whole report is of one state
// of the store, so that its totals tie.
type figures struct {
	s    *Scheduler
	view viewer
	tx   *store.Tx // of the page at hand
	book *rules.Book
	cal  *calendar.Calendar
	head api.FiguresHead

	made     map[string]string // rule id -> digest of a rulebook that had it, of rules no longer there
	branches map[string]*loan.Branch
	staff    map[string]*loan.Staff
}

// figuresView runs fn, which may run many times, with what every report needs.
func (s *Scheduler) figuresView(ctx context.Context, r api.FiguresRequest, fn func(*figures) error) error {
	if err := report.CheckBy(r.By); err != nil {
		return api.Errorf(api.Usage, "", "--by: %v", err)
	}
	book, cal := s.inForce()
	err := s.steady(ctx, func(view viewer) error {
		f := &figures{s: s, view: view, book: book, cal: cal, made: map[string]string{}}
		if err := f.begin(ctx, r); err != nil {
			return err
		}
		return fn(f)
	})
	return s.refused(ctx, actorOf(ctx), actRead, "report", refine(err))
}

// begin reads what every report needs.
func (f *figures) begin(ctx context.Context, r api.FiguresRequest) error {
	return f.view(func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		view, err := f.s.look(ctx, tx)
		if err != nil {
			return err
		}
		f.head = api.FiguresHead{On: f.s.readingDay(&meta, f.book, r.On), From: r.From, To: r.To, Branch: r.Branch, By: r.By, GoLive: meta.GoLiveOf(r.Branch), Business: meta.BusinessDate,
			Rulebook: f.book.Digest(), Calendar: f.cal.Version()}
		if !view.branch(r.Branch) {
			f.head.GoLive = meta.GoLive
		}
		if f.head.By == nil {
			f.head.By = []report.By{}
		}
		f.head.Warnings = append([]string{}, calendarWarnings(f.cal, f.head.On)...)
		if f.branches, err = tx.Branches(); err != nil {
			return err
		}
		f.staff, err = tx.Staff()
		return err
	})
}

// each goes through the obligations of the head's branch and range.
func (f *figures) each(ctx context.Context, fn func(*obligation.Obligation) error) error {
	return f.s.eachObligation(ctx, f.view, obligationFilter{Branch: f.head.Branch, From: f.head.From, To: f.head.To}, func(tx *store.Tx, o *obligation.Obligation) error {
		f.tx = tx
		if f.book.Rule(o.Rule) == nil {
			f.made[o.Rule] = o.Rulebook
		}
		return fn(o)
	})
}

// span settles the range of due days: by default from the first day of the
// quarter to the day. What is not known is read from what is.
func (f *figures) span() error {
	h := &f.head
	if h.To.IsZero() {
		h.To = h.On
	}
	if h.From.IsZero() {
		h.From = calendar.PeriodOf(calendar.Quarter, h.To, calendar.Fiscal{}).Start
	}
	if h.From > h.To {
		return api.Errorf(api.Usage, "", "--from %s is after --to %s", h.From, h.To)
	}
	if h.To > h.On {
		h.Warnings = append(h.Warnings, "范围到 "+h.To.String()+"，晚于 "+h.On.String()+"：其中提前办结的已计入按时，尚未办的不计 / the range ends after the day: what was done ahead counts as in time, what is still open does not count")
	}
	return nil
}

// name gives a group its name.
func (f *figures) name(by report.By, key string) string {
	switch by {
	case report.ByBranch:
		if b := f.branches[key]; b != nil {
			return b.Name
		}
	case report.ByOfficer:
		if p := f.staff[key]; p != nil {
			return p.Name
		}
	case report.ByRule:
		name, _ := f.rule(key)
		return name
	}
	return ""
}

// rule gives a rule's name and clause: of the rulebook in force, or else of one
// that made an obligation by it.
func (f *figures) rule(id string) (name, clause string) {
	r := f.book.Rule(id)
	if digest := f.made[id]; r == nil && digest != "" {
		err := f.view(func(tx *store.Tx) error {
			b, err := f.s.bookIn(tx, digest)
			if err == nil {
				r = b.Rule(id)
			}
			return err
		})
		if err != nil {
			return "", ""
		}
	}
	if r == nil {
		return "", ""
	}
	return r.Name, r.Clause
}

// Ontime counts, of the obligations due in a range, what was done in time.
func (s *Scheduler) Ontime(ctx context.Context, r api.FiguresRequest) (*api.OntimeReply, error) {
	var reply *api.OntimeReply
	err := s.figuresView(ctx, r, func(f *figures) error {
		if err := f.span(); err != nil {
			return err
		}
		total := &report.Node[report.Tally]{}
		err := f.each(ctx, func(o *obligation.Obligation) error {
			if report.StandingOf(o, f.head.On) == report.Cancelled {
				return nil // no group of nothing
			}
			return report.Count(total, r.By, o, f.head.On, f.cal)
		})
		report.Finish(total, f.name)
		reply = &api.OntimeReply{FiguresHead: f.head, Total: total}
		return err
	})
	return reply, err
}

// Ageing counts what is overdue by its age.
func (s *Scheduler) Ageing(ctx context.Context, r api.FiguresRequest) (*api.AgeingReply, error) {
	r.From, r.To = 0, 0
	var reply *api.AgeingReply
	err := s.figuresView(ctx, r, func(f *figures) error {
		total := &report.Node[report.Ages]{}
		err := f.each(ctx, func(o *obligation.Obligation) error {
			if report.StandingOf(o, f.head.On) != report.Overdue {
				return nil // no group of nothing
			}
			return report.Count(total, r.By, o, f.head.On, f.cal)
		})
		report.Finish(total, f.name)
		reply = &api.AgeingReply{FiguresHead: f.head, Total: total}
		return err
	})
	return reply, err
}

// Coverage gathers how far the quotas and coverages have come.
func (s *Scheduler) Coverage(ctx context.Context, r api.FiguresRequest) (*api.CoverageReply, error) {
	if !r.From.IsZero() && !r.To.IsZero() && r.From > r.To {
		return nil, api.Errorf(api.Usage, "", "--from %s is after --to %s", r.From, r.To)
	}
	var reply *api.CoverageReply
	err := s.figuresView(ctx, r, func(f *figures) error {
		if f.head.On < f.head.Business {
			f.head.Warnings = append(f.head.Warnings, "完成数是 "+f.head.Business.String()+" 的计数，不能还原到 "+f.head.On.String()+"；之后才办结的按未完成列示 / the counts are as of "+f.head.Business.String()+"; what was completed after "+f.head.On.String()+" is shown as not yet complete")
		}
		p := report.Progress{On: f.head.On, From: r.From, To: r.To}
		names := map[string]string{} // borrower -> name
		err := f.each(ctx, func(o *obligation.Obligation) error {
			if !p.Wanted(o) {
				return nil
			}
			t := p.Count(o)
			if t.Missing == 0 {
				return nil
			}
			var err error
			t.Name, err = f.subjectName(o, names)
			return err
		})
		if err != nil {
			return err
		}
		reply = &api.CoverageReply{FiguresHead: f.head, Coverages: p.Report()}
		for i := range reply.Coverages {
			c := &reply.Coverages[i]
			c.Name, c.Clause = f.rule(c.Rule)
		}
		return nil
	})
	return reply, err
}

// subjectName is the branch's, the person's, or the borrower's.
func (f *figures) subjectName(o *obligation.Obligation, names map[string]string) (string, error) {
	switch {
	case o.Subject.Kind == loan.KindBranch:
		return f.name(report.ByBranch, o.Subject.ID), nil
	case o.Subject.Kind == loan.KindOfficer:
		return f.name(report.ByOfficer, o.Subject.ID), nil
	case o.Borrower == "":
		return "", nil
	}
	name, ok := names[o.Borrower]
	if !ok {
		var err error
		if name, err = f.tx.BorrowerName(o.Borrower, f.head.On); err != nil {
			return "", err
		}
		names[o.Borrower] = name
	}
	return name, nil
}
