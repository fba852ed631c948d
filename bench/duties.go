//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"tickler/obligation"
	"tickler/scheduler"
	"tickler/store"
)

// dutyColumns are those that the peers keep of an obligation, each a text.
const dutyColumns = "id, rule, subject, loan, borrower, branch, owner, raise_on, due_on, state"

type dutiesRequest struct{ Data, Path string }

// writeDuties writes the obligations of a store as lines of dutyColumns with
// tabs between: what the peers are given is already worked out. It gives their
// number.
func writeDuties(ctx context.Context, r dutiesRequest) (n int, err error) {
	st, _, err := openScheduler(r.Data)
	if err != nil {
		return 0, err
	}
	defer st.Close()
	f, err := os.Create(r.Path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	err = st.View(ctx, func(tx *store.Tx) error {
		return tx.ScanPlans(func(p *store.Plan) error {
			for i := range p.Obligations {
				w.WriteString(dutyLine(&p.Obligations[i]))
				n++
			}
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	return n, f.Close()
}

func dutyLine(o *obligation.Obligation) string {
	return strings.Join([]string{o.Key.String(), o.Rule, o.Subject.String(), o.Loan, o.Borrower, o.Branch, o.Owner,
		o.Raise.String(), o.Due.String(), string(o.State)}, "\t") + "\n"
}

type boltRequest struct{ Rows, Path string }

// plainBolt puts the lines into a bbolt file: a record a line by its id, and two
// indexes, by branch and due day and by the day of raising. Each is sorted
// first: within one transaction a page of bbolt's is split at the end only, and
// keys in any other order take time by the square of their number.
func plainBolt(_ context.Context, r boltRequest) (rowsRead, error) {
	start := scheduler.Now()
	text, err := os.ReadFile(r.Rows)
	if err != nil {
		return rowsRead{}, err
	}
	type pair struct{ key, value []byte }
	var buckets [3][]pair
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		cell := bytes.Split(line, []byte("\t"))
		id, branch, raise, due := cell[0], cell[5], cell[7], cell[8]
		buckets[0] = append(buckets[0], pair{id, line})
		buckets[1] = append(buckets[1], pair{bytes.Join([][]byte{branch, due, id}, []byte{0}), nil})
		buckets[2] = append(buckets[2], pair{bytes.Join([][]byte{raise, id}, []byte{0}), nil})
	}
	db, err := bbolt.Open(r.Path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return rowsRead{}, err
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		for i, pairs := range buckets {
			b, err := tx.CreateBucket([]byte{byte('a' + i)})
			if err != nil {
				return err
			}
			slices.SortFunc(pairs, func(p, q pair) int { return bytes.Compare(p.key, q.key) })
			for _, p := range pairs {
				if err := b.Put(p.key, p.value); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return rowsRead{len(buckets[0]), scheduler.Now().Sub(start)}, err
}
