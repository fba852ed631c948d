package storetest

import (
	"errors"
	"testing"

	"tickler/store"
)

// Without faults it is the backend within.
func TestFaultyWithoutFaults(t *testing.T) {
	Run(t, func(*testing.T) store.Backend { return &Faulty{Backend: NewMemory()} })
}

// Each fault does what it says: what its caller is told, and what remains.
func TestEachFaultDoesWhatItSays(t *testing.T) {
	for _, x := range []struct {
		how    How
		err    error // that the caller is told; nil with panics: that it panics
		panics bool
		there  bool // what was put remains
	}{
		{Fail, ErrInjected, false, false},
		{Throw, nil, true, false},
		{PowerCut, nil, true, false},
		{UnknownNot, store.ErrOutcomeUnknown, false, false},
		{UnknownDone, store.ErrOutcomeUnknown, false, true},
		{Lose, nil, false, false},
		{Deny, ErrInjected, false, true},
	} {
		memory := NewMemory()
		f := &Faulty{Backend: memory}
		put := func(key string) (err error, panicked bool) {
			defer func() {
				if p := recover(); p != nil {
					panicked = true
				}
			}()
			return f.Update(ctx, func(w store.Writer) error { return w.Put("row", []byte(key), rec("row", key, key)) }), false
		}
		there := func(key string) (yes bool) {
			memory.View(ctx, func(r store.Reader) error {
				v, err := r.Get("row", []byte(key))
				yes = v != nil
				return err
			})
			return yes
		}
		f.Set(Fault{Op: OpCommit, How: x.how, N: 2})
		if err, panicked := put("a"); err != nil || panicked || !there("a") {
			t.Errorf("%s: the first commit: %v", x.how, err)
		}
		err, panicked := put("b")
		if !errors.Is(err, x.err) || panicked != x.panics || there("b") != x.there || f.Struck() != 1 {
			t.Errorf("%s: %v, panicked %v, there %v", x.how, err, panicked, there("b"))
		}
		if err, _ := put("c"); (err != nil) != f.Dead() || f.Dead() != (x.how == PowerCut) {
			t.Errorf("%s: the commit after it: %v", x.how, err)
		}
	}
}

// A fault strikes at its own operation, and one for ever goes on.
func TestFaultsStrikeWhereTheyAreSet(t *testing.T) {
	for _, op := range Ops[:len(Ops)-1] {
		f := &Faulty{Backend: NewMemory()}
		f.Set(Fault{Op: op, How: Fail, N: 1, ForEver: true})
		err := f.Update(ctx, func(w store.Writer) error {
			for _, c := range []struct {
				op Op
				do func() error
			}{
				{OpPut, func() error { return w.Put("row", []byte("a"), rec("row", "a", "a")) }},
				{OpGet, func() error { _, err := w.Get("row", []byte("a")); return err }},
				{OpScan, func() error {
					return w.Scan("row", nil, nil, func(_, _ []byte) error { return nil })
				}},
				{OpLast, func() error { _, _, err := w.Last("row", nil, nil); return err }},
				{OpDelete, func() error { return w.Delete("row", []byte("a")) }},
			} {
				for range 2 {
					if err := c.do(); errors.Is(err, ErrInjected) != (c.op == op) {
						t.Errorf("fail at %s: %s gives %v", op, c.op, err)
					}
				}
			}
			return nil
		})
		if err != nil || f.Struck() != 2 {
			t.Errorf("%s: %v, struck %d times", op, err, f.Struck())
		}
	}
}
