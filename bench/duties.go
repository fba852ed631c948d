package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
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

// plainBolt puts the lines into a bbolt file as it comes: a record a line by
// its id, and two indexes, by branch and due day and by the day of raising.
func plainBolt(_ context.Context, r boltRequest) (rowsRead, error) {
	start := scheduler.Now()
	text, err := os.ReadFile(r.Rows)
	if err != nil {
		return rowsRead{}, err
	}
	db, err := bbolt.Open(r.Path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return rowsRead{}, err
	}
	defer db.Close()
	n := 0
	err = db.Update(func(tx *bbolt.Tx) error {
		var buckets []*bbolt.Bucket
		for _, name := range []string{"rows", "due", "raise"} {
			b, err := tx.CreateBucket([]byte(name))
			if err != nil {
				return err
			}
			buckets = append(buckets, b)
		}
		for line := range bytes.Lines(text) {
			line = bytes.TrimSuffix(line, []byte("\n"))
			cell := bytes.Split(line, []byte("\t"))
			id, branch, raise, due := cell[0], cell[5], cell[7], cell[8]
			for i, key := range [][]byte{id, bytes.Join([][]byte{branch, due, id}, []byte{0}), bytes.Join([][]byte{raise, id}, []byte{0})} {
				value := []byte{}
				if i == 0 {
					value = line
				}
				if err := buckets[i].Put(key, value); err != nil {
					return err
				}
			}
			n++
		}
		return nil
	})
	return rowsRead{n, scheduler.Now().Sub(start)}, err
}
