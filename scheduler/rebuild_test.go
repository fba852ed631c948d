package scheduler_test

import (
	"context"
	"encoding/json"
	"testing"

	"tickler/api"
	"tickler/obligation"
	"tickler/scheduler"
	"tickler/store"
)

// wipe removes every record of a bucket, below everything that would notice.
func (b *branch) wipe(buckets ...string) {
	b.t.Helper()
	err := b.st.Backend().Update(bg, func(w store.Writer) error {
		for _, bucket := range buckets {
			var keys [][]byte
			err := w.Scan(bucket, nil, nil, func(key, _ []byte) error { keys = append(keys, append([]byte(nil), key...)); return nil })
			if err != nil {
				return err
			}
			for _, k := range keys {
				if err := w.Delete(bucket, k); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// damage flips a bit in the middle of the first record of a bucket.
func (b *branch) damage(bucket string) {
	b.t.Helper()
	err := b.st.Backend().Update(bg, func(w store.Writer) error {
		var key, rec []byte
		err := w.Scan(bucket, nil, nil, func(k, v []byte) error {
			if key == nil {
				key, rec = append(key, k...), append(rec, v...)
			}
			return nil
		})
		if err != nil {
			return err
		}
		rec[len(rec)/2] ^= 1
		return w.Put(bucket, key, rec)
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *branch) rebuild() *api.RebuildReply {
	b.t.Helper()
	r, err := scheduler.Rebuild(bg, b.st, scheduler.Actor{OSUser: "ops"}, *b.now.Load())
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *branch) checked() {
	b.t.Helper()
	if err := b.st.Check(bg, func(err error) { b.t.Error(err) }); err != nil {
		b.t.Error(err)
	}
}

// shown is all that a listing shows of a duty.
func shown(o api.Obligation) string {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// rebuilt loses the indexes, then the plans, and has them made again: what
// lists show is as it was.
func (y *year) rebuilt() {
	t := y.t.(*testing.T)
	before := y.all()
	y.wipe("post", "owner", "eventid")
	if r := y.rebuild(); r.Plans != 0 || r.Kept == 0 {
		t.Errorf("plans that were there: %+v", r)
	}
	y.checked()
	compare := func(what string) {
		t.Helper()
		after := y.all()
		lost, differ := 0, 0
		for id, o := range before {
			now, there := after[id]
			switch {
			case !there && o.State == obligation.Cancelled && o.RaisedAt == nil: // it was never on a desk, and no record has it
				lost++
			case !there:
				t.Errorf("%s: %s is lost", what, id)
			case shown(now) != shown(o):
				differ++
				if differ <= 5 {
					t.Errorf("%s: %s was\n%s\nis\n%s", what, id, shown(o), shown(now))
				}
			}
		}
		for id := range after {
			if _, there := before[id]; !there {
				t.Errorf("%s: %s is new", what, id)
			}
		}
		t.Logf("%s: %d duties, %d cancelled before they were raised are forgotten, %d differ", what, len(before), lost, differ)
	}
	compare("indexes made again")
	outbox := y.messages()
	y.wipe("plan")
	if r := y.rebuild(); r.Plans == 0 || r.Kept != 0 || len(r.Unknown) > 0 {
		t.Errorf("plans that were lost: %+v", r)
	}
	y.checked()
	compare("plans made again")
	// Of a record that cannot be read the same is made.
	y.damage("plan")
	if r := y.rebuild(); r.Plans != 1 || r.Dropped != 1 {
		t.Errorf("a plan that cannot be read: %+v", r)
	}
	y.checked()
	compare("a damaged plan made again")
	first := y.all()
	if r := y.rebuild(); r.Plans != 0 {
		t.Errorf("a second time: %+v", r)
	}
	for id, o := range y.all() {
		if shown(o) != shown(first[id]) {
			t.Errorf("a second time: %s changed", id)
		}
	}
	// The scan after it finds nothing new, and tells nobody anything again.
	if r := y.tick(); len(r.Plan) > 0 || len(r.Told) > 0 {
		t.Errorf("the scan after it: %v, told %v", r.Plan, r.Told)
	}
	if n := y.messages(); n != outbox {
		t.Errorf("%d messages, %d before", n, outbox)
	}
	compare("after a scan")
	y.verify()
}

func (b *branch) messages() (n int) {
	b.t.Helper()
	err := b.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanOutbox(func(store.Message) error { n++; return nil })
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}
