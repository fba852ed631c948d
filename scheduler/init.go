package scheduler

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"tickler/calendar"
	"tickler/store"
)

// InitOptions say how a store begins.
type InitOptions struct {
	GoLive  calendar.Date // zero is today; nothing due before it is ever raised
	Branch  string        // "" is every branch
	OSUser  string
	Program string    // the version that makes it
	Now     time.Time // zero is this moment
}

// shanghai is the zone of a branch whose rulebook is not read yet.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// Init writes the head record of a new store, or, where it has one, sets the
// go_live day of one branch.
func Init(ctx context.Context, st *store.Store, o InitOptions) error {
	if o.Now.IsZero() {
		o.Now = Now()
	}
	if o.GoLive.IsZero() {
		o.GoLive = calendar.DateIn(o.Now, shanghai)
	}
	return st.Update(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if errors.Is(err, store.ErrNotFound) {
			meta = store.Meta{StoreID: rand.Text(), Created: o.Now.UTC(), GoLive: o.GoLive}
		} else if err != nil {
			return err
		}
		if o.Branch != "" {
			if meta.GoLiveBranch == nil {
				meta.GoLiveBranch = map[string]calendar.Date{}
			}
			meta.GoLiveBranch[o.Branch] = o.GoLive
			if err := markBranch(tx, o.Branch); err != nil {
				return err
			}
		}
		var about []string
		if o.Branch != "" {
			about = append(about, branchUnit(o.Branch).String())
		}
		by := underStanding(&meta, Actor{OSUser: o.OSUser}, o.Now.UTC().Truncate(time.Second))
		if err := by.write(tx, "store.init", "", map[string]any{"go_live": o.GoLive, "branch": o.Branch}, about...); err != nil {
			return err
		}
		meta.Program = o.Program
		return tx.PutMeta(meta)
	})
}

func markBranch(tx *store.Tx, branch string) error {
	ids, err := tx.BorrowersOfBranch(branch)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := tx.MarkDirty(borrowerUnit(id), ""); err != nil {
			return err
		}
	}
	return tx.MarkDirty(branchUnit(branch), "")
}
