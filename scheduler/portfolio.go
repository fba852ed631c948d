package scheduler

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/report"
	"tickler/rules"
	"tickler/store"
)

// portfolioPage is how many borrowers are read in one View.
const portfolioPage = 20

// reported is the event that closes the duty to report an inspection.
const reported = "inspection.reported"

// Portfolio checks the facts of every borrower with an open loan, as known for
// the day, for what no deadline shows: who is missing, what was assumed, which
// loan no report rule sees.
func (s *Scheduler) Portfolio(ctx context.Context, r api.PortfolioRequest) (*api.PortfolioReply, error) {
	book, cal := s.inForce()
	var a *report.Auditor
	w := &watcher{book: reportRules(book), cal: cal}
	dir := directory{reach: w.book.Reach()}
	for after, begun := "", false; after != "" || !begun; begun = true {
		var page []*report.Holding
		err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
			page = nil
			meta, err := tx.Meta()
			if err != nil {
				return err
			}
			view, err := s.look(ctx, tx)
			if err != nil {
				return err
			}
			if a == nil {
				staff, err := dir.allStaff(tx)
				if err != nil {
					return err
				}
				w.today = s.readingDay(&meta, book, r.On)
				a = report.NewAuditor(report.Options{On: w.today, Enabled: book.Enabled, Staff: staff,
					Large: yuan(book.Params["large_loan"]), Medium: yuan(book.Params["medium_loan"])})
			}
			after, err = tx.ScanDossiersFrom(after, portfolioPage, func(d *loan.Dossier) error {
				unit := borrowerUnit(d.ID)
				if seen, err := view.subject(tx, unit); err != nil || !seen {
					return err
				}
				facts, err := gather(tx, unit, w.today, &dir)
				if err != nil {
					return err
				}
				w.view = view
				if h := w.holding(d.ID, facts); len(h.Loans) > 0 {
					page = append(page, h)
				}
				return nil
			})
			return err
		})
		if err != nil {
			return nil, s.refused(ctx, actorOf(ctx), actRead, "", refine(err))
		}
		for _, h := range page {
			a.Look(h)
		}
		if err := ctx.Err(); err != nil {
			return nil, refine(err)
		}
	}
	return &api.PortfolioReply{Portfolio: a.Report(), Warnings: unknownChecks(book)}, nil
}

// unknownChecks names the standing requirements whose check is none.
func unknownChecks(b *rules.Book) []string {
	out := []string{}
	for _, st := range b.Standing {
		if st.Check != "" && report.CheckOf(st.Check) == nil {
			out = append(out, fmt.Sprintf("规则簿 standing：没有 %q 这项检查（%s） / standing requirement %s: no check is called %q", st.Check, st.Name, strings.Join(st.Rows, " "), st.Check))
		}
	}
	return out
}

// yuan reads an amount of the rulebook's params; 0 where it is none.
func yuan(param any) loan.Fen {
	switch v := param.(type) {
	case int:
		return loan.Fen(v) * 100
	case float64:
		return loan.Fen(math.Round(v * 100))
	}
	return 0
}

// reportRules is the rulebook with those rules alone that ask for inspection
// reports.
func reportRules(b *rules.Book) *rules.Book {
	only := *b
	only.Rules = slices.DeleteFunc(slices.Clone(b.Rules), func(r *rules.Rule) bool { return !slices.Contains(r.ClosesOn, reported) })
	return &only
}

// watcher asks the report rules of every loan.
type watcher struct {
	book  *rules.Book
	cal   *calendar.Calendar
	today calendar.Date
	view  *sight
}

// holding gives a borrower's open loans, with what the report rules make of
// them.
func (w *watcher) holding(id string, f *loan.Facts) *report.Holding {
	h := &report.Holding{ID: id, Sheet: f.Borrowers[id], Events: f.Events}
	for _, file := range f.Loans {
		l := file.History.At(w.today)
		if l == nil || l.Borrower != id || !l.Open() || l.Disbursed > w.today || l.Branch != "" && !w.view.loan(l) {
			continue
		}
		h.Loans = append(h.Loans, report.Lent{Loan: l})
	}
	if len(h.Loans) == 0 {
		return h
	}
	unit := borrowerUnit(id)
	has := map[loan.Ref]bool{}
	for _, duty := range rules.Derive(w.book, w.cal, f, unit, rules.Window{From: w.today, To: windowEnd(w.today)}).Duties {
		if duty.Anchor >= w.today {
			has[duty.Key.Subject] = true
		}
	}
	for i := range h.Loans {
		l := &h.Loans[i]
		ref := loan.Ref{Kind: loan.KindLoan, ID: l.ID}
		if has[ref] || has[unit] {
			l.Watch.State = report.Reported
			continue
		}
		// Two years back: every period rule came round at least once.
		all := rules.Window{From: max(l.Disbursed, w.today.AddYears(-2)), To: windowEnd(w.today)}
		l.Watch = report.WatchOf(rules.Verdicts(w.book, w.cal, f, unit, ref, all), rules.Beyond(w.book, w.cal, f, unit, ref, all), w.today)
	}
	return h
}
