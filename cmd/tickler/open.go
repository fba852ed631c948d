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
func (g *global) open(_ context.Context) (*process, error) { return g.openAs(scheduler.Config{}) }

// openAs opens the store with what a caller wants otherwise than one command.
func (g *global) openAs(cfg scheduler.Config) (*process, error) {
	wait := lockWait
	if cfg.Daemon {
		wait = daemonLockWait
	}
	if err := g.owned(); err != nil {
		return nil, err
	}
	st, err := openStore(g.storePath(), wait)
	if err != nil {
		return nil, err
	}
	cfg.Store, cfg.RulesPath, cfg.CalendarDir = st, g.rulesPath(), filepath.Join(g.data, calendarDir)
	cfg.Version, cfg.Data, cfg.Hold = buildInfo().Version, g.data, g.hold
	cfg.Schedule, cfg.MinFree = g.schedule, g.minFree
	cfg.Copy = func(ctx context.Context) (*store.Store, error) { return copyStore(ctx, st) }
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Daemon {
		st.Watch(store.Watch{Now: scheduler.Now, View: scheduler.ViewLimit})
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

func openStore(path string, wait time.Duration) (*store.Store, error) {
	db, err := bolt.Open(path, bolt.Options{Timeout: wait})
	if err != nil {
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
	if err != nil {
		return nil, api.Errorf(api.Failed, "TMPDIR names a directory with room for a copy of the store", "%v", err)
	}
	return store.New(scratch), nil
}

// checkOffline looks at the database file itself, then at what is in it.
func (g *global) checkOffline(ctx context.Context) (*api.CheckReply, error) {
	faults, err := bolt.Check(ctx, g.storePath())
	if err != nil {
		return nil, coded(err)
	}
	r := &api.CheckReply{}
	for _, f := range faults {
		r.Problems = append(r.Problems, f.Error())
	}
	if len(faults) > 0 {
		return r, nil // what cannot be trusted page by page is not read record by record
	}
	p, err := g.open(ctx)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if r, err = p.client.Check(ctx); err != nil {
		return nil, fmt.Errorf("check the store: %w", err)
	}
	return r, nil
}
