package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
	"tickler/web"
)

// storeFile is the database in the data directory.
const storeFile = "tickler.db"

func (g *global) storePath() string { return filepath.Join(g.data, storeFile) }

// process is a store opened by this very command.
type process struct {
	store     *store.Store
	scheduler *scheduler.Scheduler
	handler   *web.Server
	client    *api.Client
}

func (p *process) close() error { return p.store.Close() }

// open opens the store here, as a daemon or for one command.
func (g *global) open(ctx context.Context) (*process, error) {
	return g.openAs(ctx, scheduler.Config{})
}

// openAs opens the store with what a caller wants otherwise than one command.
func (g *global) openAs(ctx context.Context, cfg scheduler.Config) (*process, error) {
	wait := lockWait
	if cfg.Daemon {
		wait = daemonLockWait
	}
	if err := g.owned(); err != nil {
		return nil, err
	}
	st, err := g.openStore(ctx, wait)
	if err != nil {
		return nil, err
	}
	cfg.Store, cfg.RulesPath, cfg.CalendarDir = st, g.rulesPath(), filepath.Join(g.data, calendarDir)
	cfg.Version, cfg.Data, cfg.Hold = buildInfo().Version, g.data, g.hold
	cfg.Prove, cfg.Backups = g.prove, g.backups
	cfg.Schedule, cfg.MinFree = g.schedule, g.minFree
	cfg.Copy = func(ctx context.Context) (*store.Store, error) { return copyStore(ctx, st) }
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Daemon {
		st.Watch(store.Watch{Now: scheduler.Now, View: scheduler.ViewLimit})
		st.Prove() // what it would meet in a month is said today
	}
	s, err := scheduler.New(cfg)
	if err != nil {
		st.Close()
		return nil, err
	}
	h := web.New(s, web.Options{Log: cfg.Log})
	return &process{store: st, scheduler: s, handler: h, client: api.InProcess(h)}, nil
}

// owned refuses to open the store of another user: who could read the files all
// the same would be taken for their owner.
func (g *global) owned() error {
	fi, err := os.Stat(g.data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // said where the store is opened
	}
	if err == nil && mine(fi) {
		_, err = os.Stat(g.storePath())
	} else if err == nil {
		err = fs.ErrPermission
	}
	if errors.Is(err, fs.ErrPermission) {
		return api.Errorf(api.NotAllowed, "start the daemon, and say where with --socket or TICKLER_SOCKET if it is not at "+packagedSocket,
			"data directory %q is another user's, and no daemon answers (数据目录属于其他用户)", g.data)
	}
	return nil
}

// How long a command, and how long a daemon, waits for another to end.
const (
	lockWait       = time.Second
	daemonLockWait = 3 * time.Second
)

// openStore opens the store. One that an older version wrote is brought to this
// one's form first, whatever the command: there is no reading it otherwise.
func (g *global) openStore(ctx context.Context, wait time.Duration) (*store.Store, error) {
	path, o := g.storePath(), bolt.Options{Timeout: wait}
	db, err := bolt.Open(path, o)
	if err != nil {
		return nil, coded(err)
	}
	st := store.New(db)
	head, err := st.Head(ctx)
	if err != nil || head.Schema >= store.Schema {
		return st, nil // what is wrong with it is found by whoever reads it
	}
	if err := st.Close(); err != nil {
		return nil, fmt.Errorf("close the store: %w", err)
	}
	// A second interrupt ends it where it is, which does no harm.
	kept, err := bolt.Upgrade(ctx, path, o, store.Migration{At: g.now(), OSUser: osUser(), Program: buildInfo().Version})
	if err != nil {
		return nil, coded(fmt.Errorf("migrate the store from schema %d to %d: %w", head.Schema, store.Schema, err))
	}
	if kept != "" {
		fmt.Fprintf(g.stderr, g.tr("数据库已由格式 %d 升级到 %d；原库保存为 %s\n", "the store was migrated from schema %d to %d; as it was it is kept as %s\n"), head.Schema, store.Schema, kept)
	}
	if db, err = bolt.Open(path, o); err != nil {
		return nil, coded(err)
	}
	return store.New(db), nil
}

// copyStore gives a copy to be thrown away. It is where TMPDIR says.
func copyStore(ctx context.Context, st *store.Store) (*store.Store, error) {
	db, ok := st.Backend().(interface {
		Scratch(ctx context.Context, dir string) (*bolt.DB, error)
	})
	if !ok {
		return nil, fmt.Errorf("copy this store: %w", errors.ErrUnsupported)
	}
	scratch, err := db.Scratch(ctx, "")
	if errors.Is(err, store.ErrCorrupt) {
		return nil, err
	}
	if err != nil {
		return nil, api.Errorf(api.Failed, "TMPDIR names a directory with room for a copy of the store", "%v", err)
	}
	return store.New(scratch), nil
}

// checkOffline has the database file read in a process of its own.
func (g *global) checkOffline(ctx context.Context) (*api.CheckReply, error) {
	if err := g.owned(); err != nil {
		return nil, err
	}
	p, err := proveElsewhere(ctx, g.storePath(), "--store")
	if err != nil {
		return nil, err
	}
	if len(p.Problems) > 0 {
		p.Backup = g.newestGood(ctx)
	}
	return &p.CheckReply, nil
}
