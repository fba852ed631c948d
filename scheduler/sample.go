package scheduler

import (
	"context"

	"tickler/api"
	"tickler/loan"
	"tickler/report"
	"tickler/store"
)

// Sample draws the sample of an on-site supervision from a branch's own loans,
// as known for the day. A branch below it is inspected, and drawn, by itself.
// A borrower whose loans all went to other branches since is no longer found.
func (s *Scheduler) Sample(ctx context.Context, r api.SampleRequest) (*api.SampleReply, error) {
	if r.Branch == "" {
		return nil, api.Errorf(api.Usage, "", "name the branch to inspect")
	}
	book, _ := s.inForce()
	reply := &api.SampleReply{Branch: api.Named{ID: r.Branch}}
	var all []report.Candidate
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		all = nil
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		view, err := s.look(ctx, tx)
		if err != nil {
			return err
		}
		if !view.branch(r.Branch) {
			return api.Errorf(api.NotFound, "", "branch %q has no loans", r.Branch)
		}
		reply.On = s.readingDay(&meta, book, r.On)
		branches, err := tx.Branches()
		if err != nil {
			return err
		}
		if b := branches[r.Branch]; b != nil {
			reply.Branch.Name = b.Name
		}
		var dossiers []*loan.Dossier
		pledged := map[string]bool{} // loan -> a collateral of this branch's borrowers secures it
		err = tx.DossiersOfBranch(r.Branch, func(d *loan.Dossier) error {
			dossiers = append(dossiers, d)
			for _, c := range d.Collaterals {
				for _, id := range c.Loans {
					pledged[id] = true
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, d := range dossiers {
			if c, ok := report.CandidateOf(d, r.Branch, reply.On, pledged); ok {
				all = append(all, c)
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.refused(ctx, actorOf(ctx), actRead, "branch/"+r.Branch, refine(err))
	}
	if len(all) == 0 {
		return nil, api.Errorf(api.NotFound, "a branch is named as the ledger writes it under 机构", "branch %q has no open loan on %s", r.Branch, reply.On)
	}
	seed := report.SeedOf(r.Branch, reply.On)
	if r.Seed != nil {
		seed, reply.SeedGiven = *r.Seed, true
	}
	reply.Sample = report.Draw(seed, all, report.Quota{Borrowers: r.Size, Largest: r.Largest})
	return reply, nil
}
