package scheduler_test

import (
	"context"
	"fmt"
	"testing"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
)

// counting is a backend that counts the records it gives to readers.
type counting struct {
	store.Backend
	given *int
}

func (c counting) View(ctx context.Context, fn func(store.Reader) error) error {
	return c.Backend.View(ctx, func(r store.Reader) error { return fn(countingReader{r, c.given}) })
}

type countingReader struct {
	store.Reader
	given *int
}

func (r countingReader) Get(bucket string, key []byte) ([]byte, error) {
	*r.given++
	return r.Reader.Get(bucket, key)
}

func (r countingReader) Scan(bucket string, from, to []byte, fn func(key, value []byte) error) error {
	return r.Reader.Scan(bucket, from, to, func(key, value []byte) error {
		*r.given++
		return fn(key, value)
	})
}

func (r countingReader) Last(bucket string, from, to []byte) (key, value []byte, err error) {
	*r.given++
	return r.Reader.Last(bucket, from, to)
}

// A list costs what it answers: the records that it reads are those of the
// branch and of the days that it asks for, however many there are of others.
func TestAListReadsNoMoreThanItsBranchAndItsDays(t *testing.T) {
	const own = 12 // loans of the branch that is asked for
	reads := func(others int, r api.ListRequest) (records, rows int) {
		b := newBranch(t, "2026-11-23")
		var ledger []string
		for i := range own + others {
			branch := "B01"
			if i >= own {
				branch = fmt.Sprintf("B%02d", 2+i%7)
			}
			ledger = append(ledger, row(fmt.Sprintf("借据号=JJ%04d 客户号=C%04d 机构=%s 结息方式=按月", i, i, branch)))
		}
		b.ledger(ledger...)
		cfg := b.cfg
		cfg.Store = store.New(counting{b.st.Backend(), &records})
		s, err := scheduler.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the first reads what the store keeps in mind
			records = 0
			reply, err := s.List(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			rows = len(reply.Obligations)
		}
		return records, rows
	}
	month := api.ListRequest{Branch: "B01", From: date("2026-11-23"), To: date("2026-12-23")}
	few, rows := reads(0, month)
	many, same := reads(300, month)
	if rows < own || same != rows {
		t.Fatalf("%d rows of %d loans, %d beside others", rows, own, same)
	}
	if many != few {
		t.Errorf("a list of %d rows reads %d records alone, %d beside 300 loans of others", rows, few, many)
	}
	day := month
	day.From, day.To = date("2026-11-28"), date("2026-11-28") // a Saturday
	if one, n := reads(300, day); n > 0 || one >= few/2 {
		t.Errorf("a day on which nothing is due: %d rows, %d records; the month reads %d", n, one, few)
	}
	// What looks through the plan is seen to read it: the counter counts.
	whole := api.ListRequest{Branch: "B01", All: true}
	if n, _ := reads(300, whole); n < few+300 {
		t.Errorf("the whole plan was looked through with %d records, a month of a branch with %d", n, few)
	}
}
