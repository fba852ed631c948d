package bolt

import (
	"fmt"
	"os"
	"testing"
	"time"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/store"
)

// BenchmarkBranch writes the first import of a branch, 18 obligations a
// borrower, derives nothing, and lists a month of it.
func BenchmarkBranch(b *testing.B) {
	const borrowers = 50_000
	for b.Loop() {
		b.StopTimer()
		path := created(b)
		db := opened(b, path)
		s := store.New(db)
		b.StartTimer()
		start := time.Now()
		must(b, s.Update(ctx, func(tx *store.Tx) error {
			for i := range borrowers {
				id := fmt.Sprintf("C%07d", i*7919%borrowers)
				p := &store.Plan{Unit: loan.Ref{Kind: loan.KindBorrower, ID: id}, Facts: uint64(i), Next: calendar.Date(739000 + i%90), Rulebook: "sha256:r", Calendar: "sha256:c"}
				d := dossier(id)
				for k := range 18 {
					o := obligation.Obligation{State: obligation.Planned, Rulebook: p.Rulebook, Calendar: p.Calendar}
					o.Rule, o.Subject, o.Occurrence = fmt.Sprint("rule-", k%9), loan.Ref{Kind: loan.KindLoan, ID: d.Loans[0].ID}, "2026-Q4"
					o.Borrower, o.Loan, o.Branch, o.Role, o.Owner = id, d.Loans[0].ID, fmt.Sprint("B", i%40), "officer", fmt.Sprint("S", i%400)
					o.Due = calendar.Date(739000 + (i*31+k*37)%400)
					o.Anchor, o.Raise = o.Due-10, o.Due-5
					p.Obligations = append(p.Obligations, o)
				}
				if err := tx.PutDossier(d); err != nil {
					return err
				}
				if err := tx.PutPlan(p); err != nil {
					return err
				}
			}
			return nil
		}))
		wrote := time.Since(start)
		start = time.Now()
		units, due := map[loan.Ref]bool{}, 0
		must(b, s.View(ctx, func(tx *store.Tx) error {
			if err := tx.Due("B7", 739000, 739030, func(u loan.Ref) error { units[u] = true; return nil }); err != nil {
				return err
			}
			for u := range units {
				p, err := tx.Plan(u)
				if err != nil {
					return err
				}
				due += len(p.Obligations)
			}
			return nil
		}))
		listed := time.Since(start)
		start = time.Now()
		n := 0
		must(b, s.View(ctx, func(tx *store.Tx) error { return tx.ScanPlans(func(*store.Plan) error { n++; return nil }) }))
		scanned := time.Since(start)
		info, err := os.Stat(path)
		must(b, err)
		b.ReportMetric(float64(wrote.Nanoseconds())/borrowers/18, "ns/obligation")
		b.ReportMetric(float64(listed.Microseconds())/1000, "ms/month")
		b.ReportMetric(float64(len(units)), "units")
		b.ReportMetric(scanned.Seconds(), "s/scan")
		b.ReportMetric(float64(info.Size())/borrowers/18, "B/obligation")
		start = time.Now()
		must(b, db.Close())
		opened(b, path)
		b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "ms/reopen")
	}
}
