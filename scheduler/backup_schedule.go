package scheduler

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"tickler/api"
)

// BackupPlan says when the daemon copies the store, and what it keeps. The zero
// value makes none.
type BackupPlan struct {
	Dir  string // made where it is not there; "" makes none
	At   string // as cron has it, in the rulebook's zone; required with Dir
	Keep Keep
}

// backupName names a backup by its moment, in UTC, so that names sort by time.
const (
	backupPrefix = "tickler-"
	backupLayout = "20060102T150405Z"
	backupSuffix = ".db"
)

func backupName(at time.Time) string {
	return backupPrefix + at.UTC().Format(backupLayout) + backupSuffix
}

// backupTime reads what backupName wrote.
func backupTime(name string) (time.Time, bool) {
	s, ok := strings.CutPrefix(name, backupPrefix)
	if !ok {
		return time.Time{}, false
	}
	if s, ok = strings.CutSuffix(s, backupSuffix); !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(backupLayout, s)
	return at, err == nil
}

// retryBackup is how long a backup that failed is let be.
const retryBackup = 10 * time.Minute

// keeper makes the backups of the loop, one at a time and beside it: copying a
// large store must not hold up what is due.
type keeper struct {
	plan    BackupPlan
	work    sync.WaitGroup
	mu      sync.Mutex
	busy    bool
	tried   time.Time // the last one, whatever became of it
	last    time.Time // of the newest that is there; zero where there is none
	problem string    // why the last one failed; ""
}

// keepBackups begins a backup where one is due: the schedule's last time has
// passed since the newest that is there, or since the store was made. However
// many were missed, one makes up for them.
func (s *Scheduler) keepBackups(ctx context.Context, now time.Time) {
	k := &s.keeper
	if k.plan.Dir == "" {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	wait := now.Sub(k.tried)
	if k.busy || k.problem != "" && wait >= 0 && wait < retryBackup {
		return
	}
	due, err := s.backupDue(ctx, now)
	if err != nil {
		k.tried, k.problem = now, err.Error()
		s.log.Error("backup", "error", err)
		return
	}
	if !due {
		return
	}
	k.busy, k.tried = true, now
	k.work.Go(func() {
		err := s.scheduledBackup(ctx, now)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.busy = false
		switch {
		case err == nil:
			k.last, k.problem = now, ""
		case ctx.Err() == nil:
			k.problem = err.Error()
			s.log.Error("backup", "error", err)
		}
	})
}

// backupDue asks the names in the directory. One from the future, of a clock
// that was wrong, does not put the next one off. The caller holds the keeper's
// lock.
func (s *Scheduler) backupDue(ctx context.Context, now time.Time) (bool, error) {
	book, _ := s.inForce()
	sched, err := ParseSchedule(s.keeper.plan.At)
	if err != nil {
		return false, err
	}
	made, err := backupsIn(s.keeper.plan.Dir)
	if err != nil {
		return false, err
	}
	for _, at := range made {
		if !at.After(now) {
			s.keeper.last = at
			return !sched.Next(at.In(book.Zone)).After(now), nil
		}
	}
	created, err := s.created(ctx)
	return err == nil && !sched.Next(created.In(book.Zone)).After(now), err
}

// backupsIn lists the moments of the scheduled backups of a directory, newest
// first.
func backupsIn(dir string) (made []time.Time, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for backups: %w", err)
	}
	for _, e := range entries {
		if at, ok := backupTime(e.Name()); ok && e.Type().IsRegular() {
			made = append(made, at)
		}
	}
	slices.SortFunc(made, func(a, b time.Time) int { return b.Compare(a) })
	return made, nil
}

// scheduledBackup makes one, and only then lets old ones go.
func (s *Scheduler) scheduledBackup(ctx context.Context, now time.Time) error {
	plan := s.keeper.plan
	if err := os.MkdirAll(plan.Dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of backups: %w", err)
	}
	c, err := s.backup(ctx, Actor{System: true}, filepath.Join(plan.Dir, backupName(now)), func(*api.Copy) (map[string]any, error) {
		removed, err := s.forget(plan)
		if err != nil || removed == nil {
			return nil, err
		}
		return map[string]any{"removed": removed}, nil
	})
	if err != nil {
		return err
	}
	s.log.Info("backup", "file", c.File, "size", c.Size, "business_date", c.Business, "audit_seq", c.Audit.Seq, "audit_head", c.Audit.Hash)
	return nil
}

// forget removes the backups that the plan does not keep, and names them.
func (s *Scheduler) forget(plan BackupPlan) (removed []string, err error) {
	made, err := backupsIn(plan.Dir)
	if err != nil {
		return nil, err
	}
	book, _ := s.inForce()
	_, drop := retain(made, plan.Keep, book.Zone)
	for _, at := range drop {
		name := backupName(at)
		if err := os.Remove(filepath.Join(plan.Dir, name)); err != nil {
			return removed, fmt.Errorf("remove an old backup: %w", err)
		}
		removed = append(removed, name)
	}
	return removed, nil
}

// trouble says why the last scheduled backup failed; "".
func (k *keeper) trouble() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.problem == "" {
		return ""
	}
	return "备份失败 / backup: " + k.problem
}

// newest is the moment of the newest scheduled backup; zero where there is none.
func (k *keeper) newest() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.last
}
