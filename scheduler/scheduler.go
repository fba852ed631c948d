package scheduler

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"tickler"
	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
	"tickler/rules"
	"tickler/store"
)

// Config says what a Scheduler works with.
type Config struct {
	Store       *store.Store // required
	RulesPath   string       // the rulebook's file; "" is the one shipped
	CalendarDir string       // notices and overlays of the bank, *.yaml; may be missing
	Clock       Clock        // nil is the machine's; tests pass their own
	Daemon      bool         // the process goes on: the business day is the clock's alone
	Schedule    string       // when to scan, as cron has it; "" is every minute
	MinFree     uint64       // bytes that the disk must have free; 0 is MinFree
	Hold        HoldLimits   // how much a rulebook may change without a second person
	Version     string
	Data        string // the data directory, for status
	Log         *slog.Logger

	// Copy gives a copy of the store as it is now, to be changed and thrown
	// away: its Close removes it. nil: nothing can be simulated.
	Copy func(context.Context) (*store.Store, error)

	Prove   Prover     // reads a backup back; nil: none can be made
	Backups BackupPlan // that the loop makes by itself

	planAtOnce int // units that one transaction plans; 0 is planAtOnce
}

// Scheduler does everything that changes a store. It is safe for concurrent
// use.
type Scheduler struct {
	cfg     Config
	log     *slog.Logger
	now     func() time.Time // the wall's
	elapsed func() time.Duration

	mu       sync.RWMutex
	book     *rules.Book // in force, or about to be with the next change
	next     *rules.Book // found in the file and not weighed yet (hold.go)
	held     *heldBook   // found in the file and held
	cal      *calendar.Calendar
	bookErr  string // why the file as it stands is not in force
	calErr   string
	books    map[string]*rules.Book        // digest -> parsed, of past rulebooks
	cals     map[string]*calendar.Calendar // digest -> parsed
	started  time.Time
	lastScan time.Duration // elapsed when one succeeded last, or at the start
	scanErr  string
	looked   [sha256.Size]byte // of the files last read
	saidBook string            // the problem last logged
	saidCal  string
	bookRead time.Time // when the file was last read and good
	calRead  time.Time

	sched cron.Schedule
	pulse pulse

	anchor  anchor        // when the wall was last believed
	ahead   time.Duration // by how much it is known to be wrong since the start
	drifted time.Duration // when the loop looked last

	docs     sync.Mutex        // held while the rulebook's file is read or written
	glimpsed [sha256.Size]byte // of changed files, seen once; docs is held for it

	simulating sync.Mutex
	copying    sync.Mutex // held while a backup is made
	keeper     keeper
	// watch, where it is set, is told of every change of an obligation that
	// has been raised, in the transaction that makes it.
	watch func(*obligation.Obligation, obligation.Change)
	// mute leaves reminders and escalations to whoever holds this Scheduler.
	mute bool
	// elsewhere, where it is set, says that a unit is planned by another
	// Scheduler on a store of its own.
	elsewhere func(loan.Ref) bool
}

// Actor is who asks for a change.
type Actor struct {
	Person string // staff number, of who logged in; "" where the OS user says who he is
	OSUser string
	Owner  bool // the OS user that the data directory belongs to, or root
	System bool // the daemon's own loop
}

// moment is this one as it is kept: UTC, to the second.
func (s *Scheduler) moment() time.Time { return s.now().UTC().Truncate(time.Second) }

// Now reads the clock. It is the one place that does.
func Now() time.Time { return time.Now() }

// New reads the rulebook and the calendar. Where a file is bad, the documents
// that were last in force stay, and Status says so; a store that never had any
// refuses to start.
func New(cfg Config) (*Scheduler, error) {
	if cfg.Clock == nil {
		cfg.Clock = machineClock{Now()}
	}
	s := &Scheduler{cfg: cfg, log: cfg.Log, now: cfg.Clock.Now, elapsed: cfg.Clock.Elapsed, books: map[string]*rules.Book{}, cals: map[string]*calendar.Calendar{}}
	if s.log == nil {
		s.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s.started, s.lastScan = s.now(), s.elapsed()
	s.keeper.plan = cfg.Backups
	var err error
	if s.sched, err = ParseSchedule(cmp.Or(cfg.Schedule, "* * * * *")); err != nil {
		return nil, err
	}
	var meta store.Meta
	err = cfg.Store.View(context.Background(), func(tx *store.Tx) error {
		var err error
		meta, err = tx.Meta()
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.recall(&meta); err != nil {
		return nil, err
	}
	s.reload()
	if s.book == nil {
		if meta.Rulebook == "" {
			return nil, api.Errorf(api.BadFile, "mend the file, then try again", "%s", s.bookErr)
		}
		err := cfg.Store.View(context.Background(), func(tx *store.Tx) (err error) { s.book, err = s.bookIn(tx, meta.Rulebook); return err })
		if err != nil {
			return nil, fmt.Errorf("read the rulebook in force: %w", err)
		}
	} else if meta.Rulebook != "" && meta.Rulebook != s.book.Digest() {
		s.comeBack(meta.Rulebook)
	}
	if s.cal == nil {
		if meta.Calendar == "" {
			return nil, api.Errorf(api.BadFile, "mend the file, then try again", "%s", s.calErr)
		}
		err := cfg.Store.View(context.Background(), func(tx *store.Tx) (err error) { s.cal, err = s.calendarIn(tx, meta.Calendar); return err })
		if err != nil {
			return nil, fmt.Errorf("read the calendar in force: %w", err)
		}
	}
	return s, nil
}

// How long a changed file must have stood still before a daemon reads it, and
// how often it is looked at again until the next wake-up. A file that is being
// written in place may be a good one at each of its lines: a rulebook of half the
// rules would cancel what the others asked for.
const (
	settleFor   = 100 * time.Millisecond
	settleTries = 5
)

// poll reloads, and waits a little for a file that somebody is writing.
func (s *Scheduler) poll() (changed bool) {
	changed, settled := s.reload()
	for range settleTries {
		if settled {
			break
		}
		time.Sleep(settleFor)
		changed, settled = s.reload()
	}
	return changed
}

// reload reads the rulebook and calendar files where they are not what was
// last looked at, and keeps what is in force where they are bad. It says
// whether something in force changed, and whether the files had settled: if not,
// nothing was read.
func (s *Scheduler) reload() (changed, settled bool) {
	s.docs.Lock()
	defer s.docs.Unlock()
	files, readErr := s.documents()
	s.mu.RLock()
	same := readErr == nil && s.book != nil && s.cal != nil && files == s.looked
	s.mu.RUnlock()
	if same {
		s.glimpsed = [sha256.Size]byte{} // what was seen before does not count for what comes
		return false, true
	}
	if s.cfg.Daemon && s.book != nil && readErr == nil && files != s.glimpsed {
		s.glimpsed = files
		return false, false
	}
	book, bookErr := loadBook(s.cfg.RulesPath)
	cal, calErr := LoadCalendar(s.cfg.CalendarDir)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bookErr, s.calErr, s.looked = "", "", files
	if bookErr != nil {
		s.bookErr, s.next, s.held = bookErr.Error(), nil, nil
	} else {
		s.bookRead = s.now()
		changed = s.offer(book)
	}
	if calErr != nil {
		s.calErr = calErr.Error()
	} else {
		s.calRead = s.now()
		if s.cal == nil || s.cal.Version() != cal.Version() {
			s.cal, changed = cal, true
		}
	}
	return changed, true
}

// documents gives a digest of the rulebook's and the calendar's files as they
// stand. They are polled, not watched: shares and renames work too.
func (s *Scheduler) documents() ([sha256.Size]byte, error) {
	var sum [sha256.Size]byte
	h := sha256.New()
	names, err := calendarFiles(s.cfg.CalendarDir)
	if err != nil {
		return sum, err
	}
	if s.cfg.RulesPath != "" {
		names = append(names, s.cfg.RulesPath)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return sum, err
		}
		fmt.Fprintf(h, "%q %d\n", name, len(text))
		h.Write(text)
	}
	h.Sum(sum[:0])
	return sum, nil
}

func loadBook(path string) (*rules.Book, error) {
	if path == "" {
		return rules.Parse("rules.yaml", tickler.Rulebook)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read rulebook: %w", err)
	}
	return rules.Parse(path, text)
}

func calendarFiles(dir string) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list calendar files: %w", err)
	}
	sort.Strings(files)
	return files, nil
}

// LoadCalendar gives the State Council's notices that the program ships with,
// and over them every notice and overlay of the directory, by file name. A
// missing directory adds nothing.
func LoadCalendar(dir string) (*calendar.Calendar, error) {
	cal := calendar.Builtin()
	files, err := calendarFiles(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("read calendar file: %w", err)
		}
		if cal, err = cal.Add(f, text); err != nil {
			return nil, err
		}
	}
	return cal, nil
}

// inForce gives the documents of this moment.
func (s *Scheduler) inForce() (*rules.Book, *calendar.Calendar) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.book, s.cal
}

// refine gives an error of the store the code that callers act on.
func refine(err error) error {
	var e *api.Error
	switch {
	case err == nil, errors.As(err, &e):
		return err
	case errors.Is(err, store.ErrOutcomeUnknown):
		return api.Errorf(api.Unknown, "look with \"tickler show\" or \"tickler status\", and do again what is missing; look after the disk", "结果不明，该变更要么完整存在，要么完全没有 / outcome unknown, the change is there whole or not at all: %v", err)
	case errors.Is(err, store.ErrNoSpace), noSpace(err):
		return api.Errorf(api.NoSpace, "free some space where the data directory is, then do it again", "磁盘空间不足，未作任何变更 / %v", err)
	case errors.Is(err, store.ErrProving):
		return api.Errorf(api.Busy, "try again in a moment (请稍后再试)", "启动后正在校验数据库，尚未作任何变更 / %v", err)
	case errors.Is(err, context.Canceled):
		return api.Errorf(api.Interrupted, "", "interrupted")
	case errors.Is(err, store.ErrCorrupt):
		return api.Errorf(api.Damaged, "run \"tickler check\"; restore the newest good backup", "%v", err)
	}
	return err
}
