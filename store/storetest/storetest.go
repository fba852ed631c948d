// Package storetest says what a store.Backend promises, as tests: run Run on
// each one. The promises of package store that rest on them are tested with
// it, so that every backend is seen to keep a plan, find it again, and hold
// the audit trail together.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tickler/store"
)

// Reopener is a Backend under test that can be closed and opened again with
// what it kept.
type Reopener interface {
	Reopen(t *testing.T) store.Backend
}

// Run tests a backend. open gives an empty one, and sees to its end.
func Run(t *testing.T, open func(t *testing.T) store.Backend) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) store.Backend){
		"KeysAreInTheOrderOfTheirBytes":      keyOrder,
		"ScanKeepsItsBounds":                 scanBounds,
		"LastIsTheGreatestOfARange":          last,
		"BucketsDoNotMix":                    buckets,
		"FailedUpdateLeavesNoTrace":          failedUpdate,
		"PanicLeavesNoTraceAndFreesTheLock":  panicked,
		"CancelledUpdateLeavesNoTrace":       cancelled,
		"AScanGoesOnOverWhatItsCallerWrites": writesWithinScan,
		"ValuesLastAsLongAsTheTransaction":   valuesLast,
		"AViewSeesOneState":                  oneState,
		"UpdatesComeOneAfterTheOther":        updatesSerial,
		"AnEmptyKeyIsRefused":                emptyKey,
		"BigAndManyRecords":                  bigAndMany,
		"RandomOperationsMatchAMap":          randomOperations,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
	t.Run("Store", func(t *testing.T) { runStore(t, open) })
}

var ctx = context.Background()

// rec is a record that says s.
func rec(bucket, key, s string) []byte {
	return store.SealRecord(bucket, []byte(key), 1, []byte(s))
}

// said is what a record says; it fails the test where that is not its key's.
func said(t testing.TB, bucket, key string, value []byte) string {
	t.Helper()
	if err := store.VerifyRecord(bucket, []byte(key), value); err != nil {
		t.Fatalf("%s %q: %v", bucket, key, err)
	}
	return string(value[1 : len(value)-4])
}

func put(t testing.TB, b store.Backend, bucket string, keys ...string) {
	t.Helper()
	must(t, b.Update(ctx, func(w store.Writer) error {
		for _, k := range keys {
			if err := w.Put(bucket, []byte(k), rec(bucket, k, "value of "+k)); err != nil {
				return err
			}
		}
		return nil
	}))
}

func keys(t testing.TB, b store.Backend, bucket string, from, to []byte) (out []string) {
	t.Helper()
	must(t, b.View(ctx, func(r store.Reader) error {
		return r.Scan(bucket, from, to, func(key, value []byte) error {
			if got, want := said(t, bucket, string(key), value), "value of "+string(key); got != want {
				t.Errorf("%q says %q, want %q", key, got, want)
			}
			out = append(out, string(key))
			return nil
		})
	}))
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

var oddKeys = []string{
	"\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "a", "a\x00", "a\x00b", "a\x01", "a\xff", "aa", "ab", "b",
	"\x7f", "\x80", "中", "借据", "借据号JJ2026001", "支行", "\xfe", "\xff", "\xff\x00", "\xff\xff", "\xff\xff\xff",
}

func keyOrder(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	shuffled := slices.Clone(oddKeys)
	slices.Reverse(shuffled)
	put(t, b, "keys", shuffled...)
	want := slices.Sorted(slices.Values(oddKeys))
	equal(t, "scan", keys(t, b, "keys", nil, nil), want)
	must(t, b.View(ctx, func(r store.Reader) error {
		for _, k := range oddKeys {
			v, err := r.Get("keys", []byte(k))
			must(t, err)
			if v == nil {
				t.Errorf("%q is not found", k)
			} else if got := said(t, "keys", k, v); got != "value of "+k {
				t.Errorf("%q says %q", k, got)
			}
			if v, err := r.Get("keys", []byte(k+"\x00none")); v != nil || err != nil {
				t.Errorf("what was never put gives %q, %v", v, err)
			}
		}
		return nil
	}))
}

func scanBounds(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	put(t, b, "keys", oddKeys...)
	sorted := slices.Sorted(slices.Values(oddKeys))
	bounds := append(slices.Clone(sorted), "", "\x00\x00\x00", "a\xfe", "zz", "\xff\xff\xff\xff")
	for _, from := range bounds {
		for _, to := range bounds {
			var want []string
			for _, k := range sorted {
				if k >= from && k < to {
					want = append(want, k)
				}
			}
			equal(t, fmt.Sprintf("scan %q to %q", from, to), keys(t, b, "keys", []byte(from), []byte(to)), want)
		}
	}
	equal(t, "scan of an empty bucket", keys(t, b, "none", nil, nil), nil)
	stop := errors.New("stop")
	n := 0
	err := b.View(ctx, func(r store.Reader) error {
		return r.Scan("keys", nil, nil, func(_, _ []byte) error {
			n++
			if n == 3 {
				return stop
			}
			return nil
		})
	})
	if !errors.Is(err, stop) || n != 3 {
		t.Errorf("a scan that was stopped at 3 gave %v after %d", err, n)
	}
}

func last(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	put(t, b, "keys", oddKeys...)
	put(t, b, "kex", "before")
	put(t, b, "kez", "after")
	sorted := slices.Sorted(slices.Values(oddKeys))
	bounds := append(slices.Clone(sorted), "", "\x00\x00\x00", "zz")
	must(t, b.View(ctx, func(r store.Reader) error {
		for _, from := range bounds {
			for i := range len(bounds) + 1 {
				var to []byte
				if i < len(bounds) {
					to = []byte(bounds[i])
				}
				want := ""
				for _, k := range sorted {
					if k >= from && (to == nil || k < string(to)) {
						want = k
					}
				}
				k, v, err := r.Last("keys", []byte(from), to)
				must(t, err)
				if string(k) != want || (k == nil) != (want == "") {
					t.Errorf("last of %q to %q is %q, want %q", from, to, k, want)
				} else if k != nil {
					said(t, "keys", want, v)
				}
			}
		}
		k, _, err := r.Last("none", nil, nil)
		if k != nil || err != nil {
			t.Errorf("last of an empty bucket is %q, %v", k, err)
		}
		return nil
	}))
}

func buckets(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	for _, bucket := range []string{"a", "ab", "b"} {
		put(t, b, bucket, "x", "b", "\xff\xff\xff")
	}
	equal(t, "a", keys(t, b, "a", nil, nil), []string{"b", "x", "\xff\xff\xff"})
	must(t, b.Update(ctx, func(w store.Writer) error { return w.Delete("a", []byte("x")) }))
	equal(t, "a", keys(t, b, "a", nil, nil), []string{"b", "\xff\xff\xff"})
	equal(t, "ab", keys(t, b, "ab", nil, nil), []string{"b", "x", "\xff\xff\xff"})
}

func failedUpdate(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	put(t, b, "keys", "stays", "changed")
	wrong := errors.New("wrong")
	err := b.Update(ctx, func(w store.Writer) error {
		must(t, w.Put("keys", []byte("new"), rec("keys", "new", "no")))
		must(t, w.Put("keys", []byte("changed"), rec("keys", "changed", "no")))
		must(t, w.Delete("keys", []byte("stays")))
		must(t, w.Put("other", []byte("new"), rec("other", "new", "no")))
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Errorf("Update gives %v, want fn's error", err)
	}
	equal(t, "keys", keys(t, b, "keys", nil, nil), []string{"changed", "stays"})
	equal(t, "other", keys(t, b, "other", nil, nil), nil)
}

func panicked(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	put(t, b, "keys", "stays")
	func() {
		defer func() {
			if r := recover(); r != "on purpose" {
				t.Errorf("Update panicked with %v, want what fn panicked with", r)
			}
		}()
		b.Update(ctx, func(w store.Writer) error {
			must(t, w.Put("keys", []byte("new"), rec("keys", "new", "no")))
			panic("on purpose")
		})
	}()
	func() {
		defer func() { recover() }()
		b.View(ctx, func(store.Reader) error { panic("on purpose") })
	}()
	equal(t, "keys", keys(t, b, "keys", nil, nil), []string{"stays"})
	put(t, b, "keys", "after") // and the lock is free
	equal(t, "keys", keys(t, b, "keys", nil, nil), []string{"after", "stays"})
}

func cancelled(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	c, cancel := context.WithCancel(ctx)
	err := b.Update(c, func(w store.Writer) error {
		must(t, w.Put("keys", []byte("new"), rec("keys", "new", "no")))
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update gives %v, want context.Canceled", err)
	}
	called := false
	err = b.View(c, func(store.Reader) error { called = true; return nil })
	if !errors.Is(err, context.Canceled) || called {
		t.Errorf("View gives %v, want context.Canceled before fn", err)
	}
	equal(t, "keys", keys(t, b, "keys", nil, nil), nil)
}

func writesWithinScan(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	var all, want []string
	for i := range 2000 { // many pages
		k := fmt.Sprintf("k%04d", i)
		all = append(all, k)
		if i%2 == 0 {
			want = append(want, k)
		}
	}
	put(t, b, "keys", all...)
	var seen []string
	must(t, b.Update(ctx, func(w store.Writer) error {
		seen = nil
		return w.Scan("keys", nil, nil, func(key, _ []byte) error {
			k := string(key)
			seen = append(seen, k)
			if strings.HasSuffix(k, "+") {
				return w.Delete("keys", []byte(k))
			}
			// The next one goes, one before appears, and after every hundredth
			// one ahead that the scan must come to.
			var i int
			fmt.Sscanf(k, "k%d", &i)
			must(t, w.Delete("keys", fmt.Appendf(nil, "k%04d", i+1)))
			must(t, w.Put("keys", []byte("a"+k), rec("keys", "a"+k, "value of a"+k)))
			if i%100 == 0 {
				return w.Put("keys", []byte(k+"+"), rec("keys", k+"+", "value of "+k+"+"))
			}
			return nil
		})
	}))
	var wantSeen, wantKeys []string
	for i, k := range want {
		wantKeys = append(wantKeys, "a"+k)
		wantSeen = append(wantSeen, k)
		if i%50 == 0 {
			wantSeen = append(wantSeen, k+"+")
		}
	}
	equal(t, "keys seen", seen, wantSeen)
	equal(t, "keys left", keys(t, b, "keys", nil, nil), append(wantKeys, want...))

	must(t, b.Update(ctx, func(w store.Writer) error { // each one deletes itself
		return w.Scan("keys", nil, nil, func(key, _ []byte) error { return w.Delete("keys", slices.Clone(key)) })
	}))
	equal(t, "keys left", keys(t, b, "keys", nil, nil), nil)
}

func valuesLast(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	put(t, b, "keys", "a", "b", "c")
	must(t, b.Update(ctx, func(w store.Writer) error {
		got := map[string][]byte{}
		for _, k := range []string{"a", "b", "c"} {
			v, err := w.Get("keys", []byte(k))
			must(t, err)
			got[k] = v
		}
		must(t, w.Delete("keys", []byte("a")))
		for i := range 500 {
			k := fmt.Sprintf("b%d", i)
			must(t, w.Put("keys", []byte(k), rec("keys", k, "value of "+k)))
		}
		must(t, w.Put("keys", []byte("b"), rec("keys", "b", "value of b")))
		for k, v := range got {
			equal(t, k, said(t, "keys", k, v), "value of "+k)
		}
		key := []byte("reused")
		must(t, w.Put("keys", key, rec("keys", "reused", "value of reused")))
		copy(key, "XXXXXX") // the key was copied
		return nil
	}))
	if got := keys(t, b, "keys", []byte("r"), nil); !slices.Equal(got, []string{"reused"}) {
		t.Errorf("keys from r: %q", got)
	}
}

func oneState(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	put(t, b, "keys", "old")
	must(t, b.View(ctx, func(r store.Reader) error {
		done := make(chan error)
		go func() {
			done <- b.Update(ctx, func(w store.Writer) error {
				if err := w.Delete("keys", []byte("old")); err != nil {
					return err
				}
				return w.Put("keys", []byte("new"), rec("keys", "new", "value of new"))
			})
		}()
		must(t, <-done)
		v, err := r.Get("keys", []byte("old"))
		must(t, err)
		if v == nil {
			t.Error("a View lost what was there when it began")
		}
		if v, err := r.Get("keys", []byte("new")); v != nil || err != nil {
			t.Errorf("a View sees what came after it began: %q, %v", v, err)
		}
		return nil
	}))
	equal(t, "keys", keys(t, b, "keys", nil, nil), []string{"new"})
}

func updatesSerial(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	const workers, each = 8, 20
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				err := b.Update(ctx, func(w store.Writer) error {
					v, err := w.Get("keys", []byte("n"))
					if err != nil {
						return err
					}
					n := 0
					if v != nil {
						fmt.Sscan(string(v[1:len(v)-4]), &n)
					}
					return w.Put("keys", []byte("n"), rec("keys", "n", fmt.Sprint(n+1)))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	must(t, b.View(ctx, func(r store.Reader) error {
		v, err := r.Get("keys", []byte("n"))
		must(t, err)
		equal(t, "count", said(t, "keys", "n", v), fmt.Sprint(workers*each))
		return nil
	}))
}

func emptyKey(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	for _, key := range [][]byte{nil, {}} {
		err := b.Update(ctx, func(w store.Writer) error { return w.Put("keys", key, rec("keys", "", "no")) })
		if err == nil {
			t.Error("an empty key was put")
		}
	}
	must(t, b.Update(ctx, func(w store.Writer) error { return w.Delete("keys", []byte("never there")) }))
	equal(t, "keys", keys(t, b, "keys", nil, nil), nil)
}

func bigAndMany(t *testing.T, open func(*testing.T) store.Backend) {
	b := open(t)
	big := strings.Repeat("重", 400_000)
	must(t, b.Update(ctx, func(w store.Writer) error {
		for i := range 20_000 {
			k := fmt.Sprintf("%05d", i*7919%20_000)
			if err := w.Put("many", []byte(k), rec("many", k, "value of "+k)); err != nil {
				return err
			}
		}
		return w.Put("big", []byte("big"), rec("big", "big", big))
	}))
	if r, ok := b.(Reopener); ok {
		b = r.Reopen(t)
	}
	if got := keys(t, b, "many", nil, nil); len(got) != 20_000 || !slices.IsSorted(got) {
		t.Errorf("%d keys, want 20000 in order", len(got))
	}
	must(t, b.View(ctx, func(r store.Reader) error {
		v, err := r.Get("big", []byte("big"))
		must(t, err)
		if said(t, "big", "big", v) != big {
			t.Error("the big value is another")
		}
		return nil
	}))
}

// randomOperations holds a backend against a map: any operations, in any
// transactions, committed, failed, panicked, and closed and opened again.
func randomOperations(t *testing.T, open func(*testing.T) store.Backend) {
	enough, cancel := context.WithTimeout(t.Context(), 20*time.Second) // under -race
	defer cancel()
	rapid.Check(t, func(rt *rapid.T) {
		if enough.Err() != nil {
			return
		}
		b := open(t)
		bucket := rapid.SampledFrom([]string{"a", "ab", "b"})
		part := rapid.SampledFrom([]string{"", "\x00", "\x01", "\xff", "a", "b", "户", "0", "7"})
		key := rapid.Custom(func(rt *rapid.T) string {
			return "k" + part.Draw(rt, "1") + part.Draw(rt, "2") + part.Draw(rt, "3")
		})
		type bk struct{ bucket, key string }
		model := map[bk]string{}
		inRange := func(m map[bk]string, bucket, from, to string) (out []string) {
			for k := range m {
				if k.bucket == bucket && k.key >= from && k.key < to {
					out = append(out, k.key)
				}
			}
			slices.Sort(out)
			return out
		}
		same := func(r store.Reader, m map[bk]string) {
			for _, bu := range []string{"a", "ab", "b"} {
				var got []string
				err := r.Scan(bu, nil, nil, func(k, v []byte) error {
					got = append(got, string(k))
					if s := said(t, bu, string(k), v); s != m[bk{bu, string(k)}] {
						rt.Fatalf("%s %q says %.40q, want %.40q", bu, k, s, m[bk{bu, string(k)}])
					}
					return nil
				})
				if want := inRange(m, bu, "", "z"); err != nil || !slices.Equal(got, want) {
					rt.Fatalf("%s holds %q, %v; want %q", bu, got, err, want)
				}
			}
		}
		wrong := errors.New("wrong")
		for range rapid.IntRange(1, 6).Draw(rt, "transactions") {
			next := maps.Clone(model)
			end := rapid.SampledFrom([]string{"commit", "commit", "commit", "fail", "panic"}).Draw(rt, "end")
			run := func() (err error) {
				defer func() {
					if r := recover(); r != nil {
						if r != "on purpose" {
							panic(r)
						}
						err = wrong
					}
				}()
				return b.Update(ctx, func(w store.Writer) error {
					for range rapid.IntRange(0, 30).Draw(rt, "operations") {
						bu, k := bucket.Draw(rt, "bucket"), key.Draw(rt, "key")
						switch op := rapid.IntRange(0, 9).Draw(rt, "operation"); {
						case op <= 4:
							s := strings.Repeat(k, rapid.SampledFrom([]int{0, 1, 50, 2000}).Draw(rt, "size"))
							if err := w.Put(bu, []byte(k), rec(bu, k, s)); err != nil {
								rt.Fatal(err)
							}
							next[bk{bu, k}] = s
						case op == 5:
							if err := w.Delete(bu, []byte(k)); err != nil {
								rt.Fatal(err)
							}
							delete(next, bk{bu, k})
						case op == 6:
							v, err := w.Get(bu, []byte(k))
							want, there := next[bk{bu, k}]
							if err != nil || there != (v != nil) || there && said(t, bu, k, v) != want {
								rt.Fatalf("get %s %q: %.40q, %v; want %v %.40q", bu, k, v, err, there, want)
							}
						case op == 7:
							to := key.Draw(rt, "to")
							want := inRange(next, bu, k, to)
							got, _, err := w.Last(bu, []byte(k), []byte(to))
							if err != nil || (got == nil) != (len(want) == 0) || got != nil && string(got) != want[len(want)-1] {
								rt.Fatalf("last %s %q to %q: %q, %v; want of %q", bu, k, to, got, err, want)
							}
						default: // delete a range from within a scan
							to := key.Draw(rt, "to")
							err := w.Scan(bu, []byte(k), []byte(to), func(k, _ []byte) error {
								k = bytes.Clone(k)
								delete(next, bk{bu, string(k)})
								return w.Delete(bu, k)
							})
							if left := inRange(next, bu, k, to); err != nil || len(left) > 0 {
								rt.Fatalf("deleted %s %q to %q: %v; left %q", bu, k, to, err, left)
							}
						}
					}
					same(w, next)
					switch end {
					case "fail":
						return wrong
					case "panic":
						panic("on purpose")
					}
					return nil
				})
			}
			if err := run(); end == "commit" {
				if err != nil {
					rt.Fatal(err)
				}
				model = next
			} else if !errors.Is(err, wrong) {
				rt.Fatalf("a failed Update gives %v", err)
			}
			if r, ok := b.(Reopener); ok && rapid.IntRange(0, 3).Draw(rt, "reopen") == 0 {
				b = r.Reopen(t)
			}
			if err := b.View(ctx, func(r store.Reader) error { same(r, model); return nil }); err != nil {
				rt.Fatal(err)
			}
		}
		b.Close()
	})
}
