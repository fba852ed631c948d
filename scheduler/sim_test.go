package scheduler_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
	"tickler/store/storetest"
)

var (
	simSeed  = flag.Uint64("sim.seed", 0, "replay the one life of this seed; 0 takes new ones")
	simYears = flag.Float64("sim.years", 0.4, "years that a simulated branch lives")
	simRuns  = flag.Int("sim.runs", 1, "how many branches are simulated")
	simLog   = flag.Bool("sim.log", false, "say what happens in a simulated branch")
)

// The simulation lets a branch live for years under the daemon's own loop, in
// the virtual time of synctest, twice: once on a store that fails at random,
// with the daemon killed and started again, and once with nothing failing. The
// inputs are the same: what they are follows from the seed alone, and of the
// seed's luck only the first life knows. In the end both branches must hold the
// same duties, and a tally that trusts no answer must find each acknowledged
// act once and each refused one not at all (sim_tally_test.go).
//
// The wall runs faster than the bubble, so that a year is four thousand wakes
// of the loop and not three million.
const simScale = 720 // the loop wakes every two hours of the wall

const simStart = "2026-11-23"

// simBook is the shipped rulebook, with a duty that is signed twice.
var simBook = withRules(`- id: sim-report
  set: manual
  name: 月度检查报告
  clause: 测试
  for: loan
  every: month
  due: 10 workdays after period.end
  by: officer
  sign: [supervisor, president]
  closes_on: inspection.reported
`)

// sim is one life of a branch.
type sim struct {
	t     *testing.T
	seed  uint64
	luck  *rand.Rand // of the faults; nil: nothing fails
	lie   *simLie    // a control
	dir   string
	began time.Time

	offset atomic.Int64 // ns that the wall was set forward

	turn turn // held by whoever starts or stops the daemon, or asks it
	p    *process

	tally    *tally
	world    *simWorld
	outcomes []string            // of the inputs, in their order
	seen     []map[string]string // of each checkpoint: what stood, by id
	struck   int                 // faults that struck
	boots    int
}

// simLie is a fault that no backend may have, at one of the inputs.
type simLie struct {
	fault storetest.Fault
	kind  string // of the input
}

// turn is a lock in whose waiting virtual time goes on: a mutex stops it.
type turn chan struct{}

func (t turn) take() { t <- struct{}{} }
func (t turn) give() { <-t }

// process is one daemon at work.
type process struct {
	faulty *storetest.Faulty
	st     *store.Store
	s      *scheduler.Scheduler
	stop   context.CancelFunc
	ended  chan struct{}
}

// Now is the wall's time, which may be set.
func (w *sim) Now() time.Time {
	return at(simStart).Add(w.Elapsed() + time.Duration(w.offset.Load()))
}

// Elapsed is the time that passed.
func (w *sim) Elapsed() time.Duration { return simScale * time.Since(w.began) }

func (w *sim) say(format string, args ...any) {
	if *simLog {
		w.t.Logf("%s "+format, append([]any{w.Now().Format("2006-01-02 15:04")}, args...)...)
	}
}

// boot starts the daemon, again and again until it stays. The caller holds the turn.
func (w *sim) boot() {
	for try := 0; ; try++ {
		w.boots++
		backend, err := bolt.Open(filepath.Join(w.dir, "tickler.db"), bolt.Options{})
		if err != nil {
			w.t.Fatalf("seed %d: the store does not open: %v", w.seed, err)
		}
		p := &process{faulty: &storetest.Faulty{Backend: backend}, ended: make(chan struct{})}
		p.faulty.Committed = func() { w.tally.transaction(backend) }
		p.st = store.New(p.faulty)
		if w.luck != nil && try == 0 && w.luck.IntN(5) == 0 {
			w.curse(p)
		}
		err = rescued(func() (err error) {
			p.s, err = scheduler.New(scheduler.Config{
				Store: p.st, RulesPath: filepath.Join(w.dir, "rules.yaml"), CalendarDir: filepath.Join(w.dir, "calendar"),
				Clock: w, Daemon: true, Hold: scheduler.HoldLimits{Least: 1 << 30}, Log: slog.New(slog.DiscardHandler),
			})
			return err
		})
		if err != nil {
			w.say("the daemon does not start: %v", err)
			if w.close(p); try > 3 || !injected(err) {
				w.t.Fatalf("seed %d: the daemon does not start: %v", w.seed, err)
			}
			continue
		}
		var ctx context.Context
		ctx, p.stop = context.WithCancel(context.Background())
		w.p = p
		go w.watch(ctx, p)
		return
	}
}

// watch runs the loop, and starts the daemon again where it dies. It begins
// between two milliseconds, and inputs come on one: so the loop never wakes at
// the moment of an input, and a seed is always the same life.
func (w *sim) watch(ctx context.Context, p *process) {
	time.Sleep(500 * time.Microsecond)
	err := rescued(func() error { return p.s.Run(ctx) })
	close(p.ended)
	w.turn.take()
	defer w.turn.give()
	if ctx.Err() == nil {
		w.say("the daemon ended: %v", err)
		if !injected(err) {
			w.tally.find("the daemon ended: %v", err)
		}
		w.close(p)
		w.boot()
	}
}

// restart ends the daemon however it is, waits, and starts it. The caller
// holds the turn.
func (w *sim) restart() {
	p := w.p
	p.stop()
	<-p.ended
	w.close(p)
	w.boot()
}

func (w *sim) close(p *process) {
	w.struck += p.faulty.Struck()
	p.faulty.Clear()
	if err := p.st.Close(); err != nil {
		w.tally.find("close the store: %v", err)
	}
}

// curse sets a fault that will strike at some time.
func (w *sim) curse(p *process) {
	f := storetest.Fault{Op: storetest.Ops[w.luck.IntN(len(storetest.Ops))], N: 1 + w.luck.IntN([]int{1, 5, 50, 1000}[w.luck.IntN(4)])}
	hows := []storetest.How{storetest.Fail, storetest.Throw, storetest.PowerCut}
	if w.luck.IntN(2) == 0 {
		f.Op = storetest.OpCommit
	}
	if f.Op == storetest.OpCommit {
		f.N = 1 + w.luck.IntN(3)
		hows = append(hows, storetest.UnknownNot, storetest.UnknownDone, storetest.UnknownDone)
	}
	f.How = hows[w.luck.IntN(len(hows))]
	f.ForEver = w.luck.IntN(6) == 0
	w.say("to come: %s", f)
	p.faulty.Set(f)
}

// rescued gives a panic as an error.
func rescued(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			x, ok := p.(storetest.Panic)
			if !ok {
				panic(p)
			}
			err = fmt.Errorf("%w: panic: %s", storetest.ErrInjected, x)
		}
	}()
	return do()
}

// injected says that an error is a fault's doing.
func injected(err error) bool {
	return errors.Is(err, storetest.ErrInjected) || errors.Is(err, store.ErrOutcomeUnknown) || api.CodeOf(err) == api.Unknown
}

// doubtful says that the change may have happened though nobody said so.
func doubtful(err error) bool {
	return errors.Is(err, store.ErrOutcomeUnknown) || api.CodeOf(err) == api.Unknown || strings.Contains(err.Error(), "panic: ")
}

// try asks the daemon until it answers: with an error where it refuses. done
// says whether what was asked is in the store, for when the outcome is
// unknown. The caller holds the turn.
func (w *sim) try(done func() bool, do func(*scheduler.Scheduler) error) error {
	for n := 1; ; n++ {
		err := rescued(func() error { return do(w.p.s) })
		if err == nil || !injected(err) {
			return err
		}
		w.say("  %v", err)
		unknown := doubtful(err)
		if unknown || w.p.faulty.Dead() || n%3 == 0 {
			w.restart()
		}
		switch is := done(); {
		case is && unknown:
			w.say("  it was done all the same")
			return nil
		case is:
			w.tally.find("it failed and is done: %v", err)
			return nil
		}
	}
}

// live runs one life to its end.
func (w *sim) live(days int) {
	w.began = time.Now()
	w.turn = make(turn, 1)
	w.tally = newTally()
	w.world = newSimWorld(w)
	w.write("rules.yaml", simBook)
	if err := errors.Join(os.Mkdir(filepath.Join(w.dir, "calendar"), 0o700), bolt.Create(filepath.Join(w.dir, "tickler.db"))); err != nil {
		w.t.Fatal(err)
	}
	backend, err := bolt.Open(filepath.Join(w.dir, "tickler.db"), bolt.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	st := store.New(backend)
	if err := scheduler.Init(bg, st, scheduler.InitOptions{GoLive: date("2026-11-01"), Now: w.Now()}); err != nil {
		w.t.Fatal(err)
	}
	w.tally.transaction(backend)
	if err := st.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.turn.take()
	w.boot()
	w.turn.give()
	until := date(simStart).AddDays(days)
	for i := 0; calendar.DateIn(w.Now(), time.FixedZone("CST", 8*3600)) < until && w.tally.sound(); i++ {
		// At least three wakes apart, and never at the moment of one.
		r := rand.New(rand.NewPCG(w.seed, uint64(i)))
		time.Sleep((30+time.Duration(r.IntN(240)))*time.Second - time.Since(w.began)%(10*time.Second) + time.Duration(1+i%9000)*time.Millisecond)
		w.turn.take()
		if w.luck != nil && w.luck.IntN(2) == 0 {
			w.curse(w.p)
		}
		w.input(i, r)
		if i%25 == 0 {
			w.checkpoint()
		}
		w.turn.give()
	}
	w.turn.take()
	defer w.turn.give()
	w.checkpoint()
	w.p.faulty.Clear()
	w.p.stop()
	<-w.p.ended
	w.final()
	w.close(w.p)
}

func (w *sim) write(name, text string) {
	if err := scheduler.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// simDir is in memory where the system has such a place: a life commits some
// thousand times, and what is tried is not the disk.
func simDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "tickler-sim-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// simulate lets one branch live twice, and gives what the tally found.
func simulate(t *testing.T, seed uint64, days int, lie *simLie) (failed, quiet *sim, findings []string) {
	for _, w := range []**sim{&failed, &quiet} {
		*w = &sim{t: t, seed: seed, dir: simDir(t)}
		if w == &failed {
			(*w).luck, (*w).lie = rand.New(rand.NewPCG(seed, 1<<40)), lie
			if lie != nil {
				(*w).luck = nil // the lie alone
			}
		}
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(at(simStart)))
			(*w).live(days)
		})
	}
	findings = append(slices.Concat(failed.tally.findings, quiet.tally.findings), contrastLives(failed, quiet)...)
	return failed, quiet, findings
}

// Years of a branch, with a store that fails at random and a daemon that is
// killed and started again, end in the duties of the same years without any of
// that: none lost, none doubled, each due on the same day; every change of a
// duty has its record and its message; what was acknowledged is there, what
// was refused is not.
func TestYearsUnderFaultsAreTheYearsWithout(t *testing.T) {
	seeds := []uint64{*simSeed}
	if *simSeed == 0 {
		seeds = nil
		for i := range *simRuns {
			seeds = append(seeds, uint64(time.Now().UnixNano())%1_000_000_000+uint64(i))
		}
	}
	for _, seed := range seeds {
		began := time.Now()
		failed, quiet, findings := simulate(t, seed, int(365**simYears), nil)
		t.Logf("seed %d: %d inputs, %d faults struck, %d starts of the daemon, %d duties, %d changes, %d transactions, %v (replay with -run %s -args -sim.seed %d -sim.years %g)",
			seed, len(failed.outcomes), failed.struck, failed.boots, len(quiet.seen[len(quiet.seen)-1]), failed.tally.changes, failed.tally.transactions, time.Since(began).Round(time.Millisecond), t.Name(), seed, *simYears)
		if failed.struck < 10 || failed.tally.changes < 100 {
			t.Errorf("seed %d: next to nothing happened", seed)
		}
		for i, f := range findings {
			if i == 20 {
				t.Errorf("and %d more", len(findings)-i)
				break
			}
			t.Errorf("seed %d: %s", seed, f)
		}
	}
}

// The simulation finds what it is there for: a backend that loses a change it
// acknowledged, that keeps one it denied, or that keeps a half.
func TestTheSimulationFindsPlantedFaults(t *testing.T) {
	for name, lie := range map[string]simLie{
		"an acknowledged import is lost": {storetest.Fault{Op: storetest.OpCommit, How: storetest.Lose, N: 1}, "ledger"},
		"an acknowledged act is lost":    {storetest.Fault{Op: storetest.OpCommit, How: storetest.Lose, N: 1}, "submit"},
		"a failed act was kept":          {storetest.Fault{Op: storetest.OpCommit, How: storetest.Deny, N: 1}, "submit"},
		"the audit lacks a record":       {storetest.Fault{Op: storetest.OpPut, How: storetest.Lose, N: 1}, "submit"},
		"the outbox lacks a message":     {storetest.Fault{Op: storetest.OpPut, How: storetest.Lose, N: 5}, "submit"},
		"the plan lacks the change":      {storetest.Fault{Op: storetest.OpPut, How: storetest.Lose, N: 6}, "submit"},
	} {
		t.Run(name, func(t *testing.T) {
			seed := *simSeed
			if seed == 0 {
				seed = 7
			}
			failed, _, findings := simulate(t, seed, 45, &lie)
			if failed.struck != 1 {
				t.Fatalf("the fault struck %d times", failed.struck)
			}
			if len(findings) == 0 {
				t.Error("nothing was found")
			} else {
				t.Logf("%d findings, the first: %s", len(findings), findings[0])
			}
		})
	}
}
