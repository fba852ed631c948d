package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/scheduler"
	"tickler/web"
)

func newServeCommand(g *global) *cobra.Command {
	var listen, logAs, logFrom string
	c := &cobra.Command{
		Use:   "serve [flags]",
		Short: "The daemon: raises what is due, answers the commands · 守护进程",
		Long: `serve opens the store, listens on DIR/tickler.sock, and scans until it is told to
stop (SIGTERM or SIGINT, after which it finishes what it is writing and exits 0).
While it runs every other command goes through it. A second one is refused.

A socket that is named (--socket, TICKLER_SOCKET, config.yaml) can be reached by
every user of the machine; each does what "tickler user" maps him to, and who is
mapped to nobody is refused. The data directory stays its owner's alone.

It answers at once, and reads every page of the store meanwhile: changes and the
first scan wait for that, and where a page is damaged it ends with status 3.
Once a day it copies the store to DIR/backups, as config.yaml says.

For monitoring it answers /healthz (200, or 503 with what is wrong) and /metrics
(Prometheus) on the socket, and with --listen on a TCP address as well: those two
and nothing else, and no names there. Whoever reaches the address reads how many
duties the bank has, so it should be the machine's own.`,
		Example: `  tickler serve
  tickler serve --data /var/lib/tickler --socket /run/tickler/tickler.sock
  tickler serve --data /var/lib/tickler --listen 127.0.0.1:8090 --log-format json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if listen == "" {
				listen = g.listen
			}
			g.logAs, g.logFrom = cmp.Or(logAs, g.logAs), cmp.Or(logFrom, g.logFrom)
			return runServe(c.Context(), g, listen)
		},
	}
	c.Flags().StringVar(&listen, "listen", "", "answer /healthz and /metrics on this `ADDR` (TICKLER_LISTEN)")
	c.Flags().StringVar(&logAs, "log-format", "", "`text|json` (TICKLER_LOG_FORMAT; default text)")
	c.Flags().StringVar(&logFrom, "log-level", "", "`LEVEL` from which on is logged: debug, info, warn, error (TICKLER_LOG_LEVEL; default info)")
	exits(c, exitOK, exitFailed, exitUsage, exitFindings, exitNoStore, exitLocked)
	return c
}

const (
	maxConnections = 1000 // on the socket; more wait to be accepted
	maxWatchers    = 100  // likewise on the TCP address

	// memoryLimit is where the collector works harder (GOMEMLIMIT wins). It is
	// no bound: what a large store needs it gets.
	memoryLimit = 384 << 20

	// collectAt is by how much the memory in use may grow before it is collected,
	// in percent (GOGC wins): a daemon holds little, and an answer is made and thrown
	// away. Above memoryLimit it is collected sooner.
	collectAt = 400
)

func runServe(ctx context.Context, g *global, listen string) (err error) {
	if !g.on.IsZero() {
		return usagef("--on: a daemon keeps the day by the clock")
	}
	g.patient.Store(true)
	// A log that nobody takes must neither end the daemon nor make it wait.
	// Files are looked at by themselves, so that a SIGHUP has nothing to say.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	g.stderr = newLossy(g.stderr) // Main closes it
	log, err := g.log()
	if err != nil {
		return err
	}
	if g.env["GOMEMLIMIT"] == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if g.env["GOGC"] == "" {
		debug.SetGCPercent(collectAt)
	}
	// Whoever holds the store may take away the socket of a daemon that died.
	p, err := g.openAs(ctx, scheduler.Config{Daemon: true, Log: log})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := p.close(); err == nil && closeErr != nil {
			err = fmt.Errorf("close the store: %w", closeErr)
		}
	}()
	socket, err := listenSocket(g)
	if err != nil {
		return err
	}
	defer socket.remove()

	server := web.HTTP(p.handler, log)
	server.ConnContext = web.PeerContext
	servers := []*http.Server{server}
	failed := make(chan error, 3)
	go func() { failed <- server.Serve(web.Limited(server, socket.listener, maxConnections)) }()
	if listen != "" {
		l, err := net.Listen("tcp", listen)
		if err != nil {
			server.Close()
			return fmt.Errorf("listen: %w", err)
		}
		watch := web.HTTP(p.handler.Watch(), log) // the api itself asks who is there only on the socket
		servers = append(servers, watch)
		go func() { failed <- watch.Serve(web.Limited(watch, l, maxWatchers)) }()
		log.Info("listening", "address", l.Addr().String())
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	ran := make(chan error, 1)
	go func() { ran <- p.scheduler.Run(run) }()
	log.Info("serving", "data", g.data, "socket", socket.path)
	sdNotify(g.env["NOTIFY_SOCKET"], "READY=1")

	select {
	case <-ctx.Done():
	case err = <-failed:
	case err = <-socket.lost(run):
		if gone := p.store.Err(); gone != nil { // the whole directory was exchanged: that is what happened
			err = gone
		}
	case err = <-ran:
		ran <- nil
		if err == nil && ctx.Err() == nil {
			err = errors.New("the loop ended by itself")
		}
	}
	log.Info("stopping")
	sdNotify(g.env["NOTIFY_SOCKET"], "STOPPING=1")
	stop()
	// What is being written is finished; who waits for an answer gets it.
	last, done := context.WithTimeout(context.Background(), 20*time.Second)
	defer done()
	for _, s := range servers {
		s.Shutdown(last)
	}
	if loopErr := <-ran; err == nil && !errors.Is(loopErr, context.Canceled) {
		err = loopErr
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	log.Info("stopped")
	return err
}

// lookAtSocket is how often the daemon looks whether it can still be found.
const lookAtSocket = 10 * time.Second

// listening is the daemon's socket and what tells others where it is.
type listening struct {
	listener net.Listener
	path     string
	note     string // the file that names it; "" if it is where everybody looks
	dir      string // a directory made for it; ""
}

// lost tells when the socket's file is gone or another's: nobody finds the daemon
// any more, and it has to be started anew.
func (l *listening) lost(ctx context.Context) <-chan error {
	told := make(chan error, 1)
	mine, err := os.Lstat(l.path)
	if err != nil {
		told <- fmt.Errorf("the socket: %w", err)
		return told
	}
	go func() {
		t := time.NewTicker(lookAtSocket)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				if now, err := os.Lstat(l.path); err != nil || !os.SameFile(now, mine) {
					told <- fmt.Errorf("the socket %s was removed or replaced: no command finds this daemon", l.path)
					return
				}
			}
		}
	}()
	return told
}

func (l *listening) remove() {
	l.listener.Close()
	os.Remove(l.path)
	if l.note != "" {
		os.Remove(l.note)
	}
	if l.dir != "" {
		os.Remove(l.dir)
	}
}

// listenSocket listens where the socket was named, for everybody; else in the
// data directory, which is the owner's alone, or where that path is too long in a short directory of its own. The caller
// holds the store, so that a socket that is there is a dead daemon's.
func listenSocket(g *global) (*listening, error) {
	l := &listening{path: g.socket}
	note := filepath.Join(g.data, socketNote)
	os.Remove(note)
	if l.path != "" {
		abs, err := filepath.Abs(l.path)
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		l.path = abs
	} else {
		abs, err := filepath.Abs(filepath.Join(g.data, socketFile))
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		l.path = abs
		if len(abs) > maxSocketPath {
			if l.dir, err = os.MkdirTemp("", "tickler"); err != nil {
				return nil, fmt.Errorf("listen: %w", err)
			}
			l.path, l.note = filepath.Join(l.dir, socketFile), note
		}
	}
	if len(l.path) > maxSocketPath {
		return nil, api.Errorf(api.Usage, "give a shorter path", "socket %q: longer than %d bytes", l.path, maxSocketPath)
	}
	// Only what can be a dead daemon's is taken away: socket: may name a file by mistake.
	if fi, err := os.Lstat(l.path); err == nil && fi.Mode().Type() != fs.ModeSocket && (!fi.Mode().IsRegular() || fi.Size() > 0) {
		return nil, api.Errorf(api.Usage, "name another path for the socket", "socket %q: there is something else already", l.path)
	}
	if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the socket of an earlier daemon: %w", err)
	}
	var err error
	if g.socket != "" {
		// Named, it is for every user of the machine: who connects is known by the
		// kernel's word, and may do what he is mapped to.
		if err := os.MkdirAll(filepath.Dir(l.path), 0o755); err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		l.note = note // for who can read the data directory, and was told nothing
	}
	if l.listener, err = net.Listen("unix", l.path); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if g.socket != "" && runtime.GOOS == "linux" { // elsewhere nobody says who connects
		if err := os.Chmod(l.path, 0o666); err != nil {
			l.remove()
			return nil, fmt.Errorf("listen: %w", err)
		}
	}
	if l.note != "" {
		if err := writeFile(l.note, []byte(l.path+"\n"), 0o600); err != nil {
			l.remove()
			return nil, err
		}
	}
	return l, nil
}
