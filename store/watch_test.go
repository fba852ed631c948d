package store_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tickler/loan"
	"tickler/store"
	"tickler/store/storetest"
)

// A View that lasts longer than it may is ended between two records, and says
// so; the others go on.
func TestALongViewIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := store.New(storetest.NewMemory())
		st.Watch(store.Watch{Now: time.Now, View: time.Second})
		err := st.Update(t.Context(), func(tx *store.Tx) error {
			for _, id := range []string{"C1", "C2", "C3"} {
				if err := tx.PutDossier(&loan.Dossier{ID: id}); err != nil {
					return err
				}
			}
			return tx.PutMeta(store.Meta{})
		})
		if err != nil {
			t.Fatal(err)
		}
		read := func(each time.Duration) (seen int, err error) {
			err = st.View(t.Context(), func(tx *store.Tx) error {
				return tx.ScanDossiers(func(*loan.Dossier) error {
					if seen++; seen == 1 {
						time.Sleep(each)
						if v := st.Vitals(); v.Views != 1 || v.Oldest != each {
							t.Errorf("vitals within: %+v", v)
						}
					}
					return nil
				})
			})
			return seen, err
		}
		if seen, err := read(time.Millisecond); seen != 3 || err != nil {
			t.Errorf("a short one: %d, %v", seen, err)
		}
		if seen, err := read(1500 * time.Millisecond); seen != 1 || !errors.Is(err, store.ErrTooLong) {
			t.Errorf("a long one: %d, %v", seen, err)
		}
		if v := st.Vitals(); v.Views != 0 || v.TooLong != 1 || v.Commits.Count != 1 {
			t.Errorf("vitals: %+v", v)
		}
	})
}
