package bolt

import (
	"encoding/binary"
	"errors"
	"flag"
	"math/rand/v2"
	"testing"

	"tickler/store"
)

var soak = flag.Int("soak", 60, "how many changes TestASoundFileIsNeverCalledDamaged makes")

// A false alarm stops a daemon as surely as a true one. Trees of all shapes,
// grown and shrunk at random, in one place and everywhere, must be found
// sound, and whole.
func TestASoundFileIsNeverCalledDamaged(t *testing.T) {
	path := created(t)
	db := opened(t, path)
	r := rand.New(rand.NewPCG(*flipSeed, 5))
	model := map[uint32]int{} // key -> size
	wrong := errors.New("wrong")
	key := func(k uint32) []byte { return binary.BigEndian.AppendUint32(nil, k) }
	for round := range *soak {
		bucket := "row"
		n, span, from := r.IntN(3000), uint32(1)<<(4+r.IntN(13)), uint32(r.IntN(1<<16))
		shrink := r.IntN(3) == 0
		fail := r.IntN(5) == 0
		next := map[uint32]int{}
		for k, v := range model {
			next[k] = v
		}
		err := db.Update(ctx, func(w store.Writer) error {
			for range n {
				k := from + r.Uint32N(span)
				v, err := w.Get(bucket, key(k))
				if size, there := next[k]; err != nil || there != (v != nil) || there && len(v) != size+5 {
					t.Fatalf("round %d: get %d: %d bytes, %v; want %d, %v", round, k, len(v), err, size, there)
				}
				if shrink || r.IntN(4) == 0 {
					must(t, w.Delete(bucket, key(k)))
					delete(next, k)
				} else {
					size := r.IntN(1 << (1 + r.IntN(13)))
					must(t, w.Put(bucket, key(k), store.SealRecord(bucket, key(k), 1, make([]byte, size))))
					next[k] = size
				}
				if r.IntN(50) == 0 {
					to := k + r.Uint32N(100)
					got, _, err := w.Last(bucket, key(k), key(to))
					want := uint32(0)
					for x := k; x < to; x++ {
						if _, ok := next[x]; ok {
							want = x
						}
					}
					if err != nil || (got != nil) != (want != 0) && want != 0 || got != nil && binary.BigEndian.Uint32(got) != want {
						t.Fatalf("round %d: last of %d to %d: %x, %v; want %d", round, k, to, got, err, want)
					}
				}
			}
			if shrink && r.IntN(2) == 0 {
				lo := from + r.Uint32N(span)
				must(t, w.Scan(bucket, key(lo), key(lo+span/2), func(k, _ []byte) error {
					delete(next, binary.BigEndian.Uint32(k))
					return w.Delete(bucket, append([]byte(nil), k...))
				}))
			}
			if fail {
				return wrong
			}
			return nil
		})
		if fail != (err != nil) || fail && !errors.Is(err, wrong) {
			t.Fatalf("round %d: %v", round, err)
		}
		if !fail {
			model = next
		}
		if r.IntN(8) == 0 {
			must(t, db.Close())
			db = opened(t, path)
		}
		seen := 0
		must(t, db.View(ctx, func(r store.Reader) error {
			return r.Scan(bucket, nil, nil, func(k, v []byte) error {
				if size, ok := model[binary.BigEndian.Uint32(k)]; !ok || len(v) != size+5 {
					t.Fatalf("round %d: %x has %d bytes", round, k, len(v))
				}
				seen++
				return nil
			})
		}))
		if seen != len(model) {
			t.Fatalf("round %d: %d keys, want %d", round, seen, len(model))
		}
		must(t, db.CheckPages(ctx, func(err error) { t.Fatalf("round %d: %v", round, err) }))
	}
	must(t, db.Close())
	errs, err := Check(ctx, path)
	if len(errs) > 0 || err != nil {
		t.Fatalf("%v, %v", errs, err)
	}
}
