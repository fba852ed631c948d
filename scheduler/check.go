package scheduler

import (
	"context"
	"errors"

	"tickler/api"
	"tickler/loan"
	"tickler/store"
)

// Check looks for damage in a copy of the store: a long read of the store
// itself would keep its old pages from being used again.
func (s *Scheduler) Check(ctx context.Context) (*api.CheckReply, error) {
	if err := s.allowed(ctx, actTry, true); err != nil {
		return nil, err
	}
	r := &api.CheckReply{Problems: []string{}, Records: map[string]int{}}
	st := s.cfg.Store
	if s.cfg.Copy != nil {
		copied, err := s.cfg.Copy(ctx)
		if errors.Is(err, store.ErrCorrupt) {
			r.Problems = append(r.Problems, err.Error())
			r.Backup = NewestGood(ctx, s.cfg.Data, s.cfg.Backups.Dir, s.cfg.Prove)
			return r, nil
		}
		if err != nil {
			return nil, refine(err)
		}
		defer copied.Close()
		st = copied
	}
	if err := CheckStore(ctx, st, r); err != nil {
		return nil, refine(err)
	}
	if len(r.Problems) > 0 && s.cfg.Prove != nil {
		r.Backup = NewestGood(ctx, s.cfg.Data, s.cfg.Backups.Dir, s.cfg.Prove)
	}
	return r, nil
}

// CheckStore reads every record of a store that nobody changes, and adds to the
// reply what is wrong; where nothing is, how much is in it.
func CheckStore(ctx context.Context, st *store.Store, r *api.CheckReply) error {
	err := st.Check(ctx, func(err error) { r.Problems = append(r.Problems, err.Error()) })
	if err != nil || len(r.Problems) > 0 {
		return err
	}
	return st.View(ctx, func(tx *store.Tx) (err error) {
		if r.Audit.Seq, r.Audit.Hash, err = tx.AuditHead(); err != nil {
			return err
		}
		r.Records["audit"] = int(r.Audit.Seq)
		err = tx.ScanDossiers(func(d *loan.Dossier) error {
			r.Records["borrowers"]++
			r.Records["loans"] += len(d.Loans)
			return nil
		})
		if err != nil {
			return err
		}
		err = tx.ScanPlans(func(p *store.Plan) error {
			r.Records["plans"]++
			r.Records["obligations"] += len(p.Obligations)
			return nil
		})
		if err != nil {
			return err
		}
		return tx.ScanEvents(func(loan.Ref, loan.Event) error { r.Records["events"]++; return nil })
	})
}
