package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"tickler/store"
)

// ErrInjected is the error of a fault that was asked for. Nothing of the
// transaction that it ends remains.
var ErrInjected = errors.New("injected fault")

// errDead is what a power cut leaves of the process.
var errDead = fmt.Errorf("%w: the process is dead", ErrInjected)

// Panic is what an injected panic is raised with.
type Panic string

// Op is where a fault strikes.
type Op string

// A transaction's commit is one Op, whatever the backend does for it.
const (
	OpGet    Op = "get"
	OpScan   Op = "scan"
	OpLast   Op = "last"
	OpPut    Op = "put"
	OpDelete Op = "delete"
	OpCommit Op = "commit"
)

// Ops lists them all.
var Ops = []Op{OpGet, OpScan, OpLast, OpPut, OpDelete, OpCommit}

// How is what a fault does.
type How string

const (
	Fail     How = "fail"      // ErrInjected, and nothing happened
	Throw    How = "panic"     // a panic, and nothing happened
	PowerCut How = "power cut" // a panic, and every later call fails: the backend has to be opened again

	// Of a commit alone.
	UnknownNot  How = "unknown, not done" // store.ErrOutcomeUnknown, and nothing happened
	UnknownDone How = "unknown, done"     // store.ErrOutcomeUnknown, and all happened

	// Lies that no backend may tell: for controls, which have to find them.
	Lose How = "lose" // no error, and nothing happened; of a commit or a put
	Deny How = "deny" // ErrInjected, and all happened
)

// Fault strikes at the N-th Op from when it was set: 1 is the next one. One
// that is for ever strikes at every Op from there on.
type Fault struct {
	Op      Op
	How     How
	N       int
	ForEver bool
}

func (f Fault) String() string {
	s := fmt.Sprintf("%s at the %d-th %s", f.How, f.N, f.Op)
	if f.ForEver {
		s += " and from there on"
	}
	return s
}

// Faulty is a Backend that fails when it is told to. Without a fault it is the
// one within.
type Faulty struct {
	store.Backend

	// Committed, where it is set, is called after each Update that was
	// committed, before anybody is told.
	Committed func()

	mu     sync.Mutex
	faults []Fault
	struck int
	dead   bool
}

// Set adds a fault to come.
func (f *Faulty) Set(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, fault)
}

// Clear takes back all faults to come. The dead stay dead.
func (f *Faulty) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// Struck says how many faults have struck.
func (f *Faulty) Struck() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.struck
}

// Dead says that the power was cut.
func (f *Faulty) Dead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// at counts an operation and gives what strikes at it, "" for nothing.
func (f *Faulty) at(op Op) How {
	f.mu.Lock()
	defer f.mu.Unlock()
	var how How
	kept := f.faults[:0]
	for _, x := range f.faults {
		if x.Op == op && x.N > 0 {
			x.N--
		}
		if x.Op == op && x.N == 0 && how == "" {
			how = x.How
			f.struck++
			if !x.ForEver {
				continue
			}
		}
		kept = append(kept, x)
	}
	f.faults = kept
	if how == PowerCut {
		f.dead = true
	}
	return how
}

// strike has an operation fail, where a fault strikes at it.
func (f *Faulty) strike(op Op) error {
	if f.Dead() {
		return errDead
	}
	switch how := f.at(op); how {
	case "":
		return nil
	case Throw, PowerCut:
		panic(Panic(fmt.Sprintf("%s at a %s", how, op)))
	case Lose:
		return errLost
	}
	return fmt.Errorf("%s: %w", op, ErrInjected)
}

// errLost ends what is lost, and its caller is told otherwise.
var errLost = errors.New("lost")

// View runs fn on a Reader that fails when it is told to.
func (f *Faulty) View(ctx context.Context, fn func(store.Reader) error) error {
	if f.Dead() {
		return errDead
	}
	return f.Backend.View(ctx, func(r store.Reader) error { return fn(faultyReader{r, f}) })
}

// Update runs fn on a Writer that fails when it is told to, and fails to
// commit when it is told to.
func (f *Faulty) Update(ctx context.Context, fn func(store.Writer) error) error {
	if f.Dead() {
		return errDead
	}
	var how How
	err := f.Backend.Update(ctx, func(w store.Writer) error {
		if err := fn(faultyWriter{faultyReader{w, f}, w}); err != nil {
			return err
		}
		if f.Dead() {
			return errDead
		}
		switch how = f.at(OpCommit); how {
		case Fail:
			return fmt.Errorf("commit: %w", ErrInjected)
		case Throw, PowerCut:
			panic(Panic(how + " at a commit"))
		case UnknownNot:
			return fmt.Errorf("%w: %w", store.ErrOutcomeUnknown, ErrInjected)
		case Lose:
			return errLost
		}
		return nil
	})
	if err == errLost {
		return nil
	}
	if err != nil {
		return err
	}
	if f.Committed != nil {
		f.Committed()
	}
	switch how {
	case UnknownDone:
		return fmt.Errorf("%w: %w", store.ErrOutcomeUnknown, ErrInjected)
	case Deny:
		return fmt.Errorf("commit: %w", ErrInjected)
	}
	return nil
}

type faultyReader struct {
	store.Reader
	f *Faulty
}

func (r faultyReader) Get(bucket string, key []byte) ([]byte, error) {
	if err := r.f.strike(OpGet); err != nil {
		return nil, err
	}
	return r.Reader.Get(bucket, key)
}

func (r faultyReader) Scan(bucket string, from, to []byte, fn func(key, value []byte) error) error {
	if err := r.f.strike(OpScan); err != nil {
		return err
	}
	return r.Reader.Scan(bucket, from, to, fn)
}

func (r faultyReader) Last(bucket string, from, to []byte) (key, value []byte, err error) {
	if err := r.f.strike(OpLast); err != nil {
		return nil, nil, err
	}
	return r.Reader.Last(bucket, from, to)
}

type faultyWriter struct {
	faultyReader
	w store.Writer
}

func (w faultyWriter) Put(bucket string, key, value []byte) error {
	err := w.f.strike(OpPut)
	if err == errLost {
		return nil
	}
	if err != nil {
		return err
	}
	return w.w.Put(bucket, key, value)
}

func (w faultyWriter) Delete(bucket string, key []byte) error {
	if err := w.f.strike(OpDelete); err != nil {
		return err
	}
	return w.w.Delete(bucket, key)
}
