//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postgres is a server of its own on a private socket, with the settings that
// initdb gives: fsync on, full_page_writes on, 128 MB of shared buffers.
type postgres struct {
	bin, dir string // of its programs; of its data and socket
	as       *syscall.Credential
	server   *exec.Cmd
}

// postgresPrograms is where Debian puts what is not on the PATH.
func postgresPrograms() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

// newPostgres makes a cluster and starts it. As root it runs as postgres, since
// it refuses to be root.
func newPostgres(ctx context.Context, dir string) (*postgres, error) {
	p := &postgres{bin: postgresPrograms(), dir: dir}
	if p.bin == "" {
		return nil, errors.New("postgresql is not installed")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		p.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	c := p.program(ctx, "initdb", "-D", p.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
	if _, _, err := measure(c); err != nil {
		return nil, err
	}
	return p, p.start(ctx)
}

func (p *postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *postgres) program(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...)
	c.Dir = p.dir
	c.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	return c
}

// start starts the server and returns once it answers.
func (p *postgres) start(ctx context.Context) error {
	p.server = p.program(context.WithoutCancel(ctx), "postgres", "-D", p.data(), "-k", p.dir, "-c", "listen_addresses=")
	if err := p.server.Start(); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if _, _, err := measure(p.psql(ctx, "select 1")); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return ctx.Err()
}

// psql runs one command, or a \copy, and prints rows as text with tabs.
func (p *postgres) psql(ctx context.Context, commands ...string) *exec.Cmd {
	args := []string{"-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", p.dir, "-U", "postgres", "-d", "postgres"}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	return exec.CommandContext(ctx, filepath.Join(p.bin, "psql"), args...)
}

// kill ends the server and all its processes as a fault would, and returns once
// they are gone.
func (p *postgres) kill() error {
	children := childrenOf(p.server.Process.Pid)
	if err := p.server.Process.Kill(); err != nil {
		return err
	}
	p.server.Wait()
	for _, pid := range children {
		syscall.Kill(pid, syscall.SIGKILL) // it may have seen its parent end
	}
	for range 500 {
		if !slices.ContainsFunc(children, func(pid int) bool { return syscall.Kill(pid, 0) == nil }) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("processes of PostgreSQL outlived a kill: %v", children)
}

// stop ends the server, by a fast shutdown and else by a kill.
func (p *postgres) stop() {
	p.server.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { p.server.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		p.server.Process.Kill()
		<-done
	}
}

func childrenOf(pid int) (pids []int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	for _, f := range strings.Fields(string(text)) {
		if n, err := strconv.Atoi(f); err == nil {
			pids = append(pids, n)
		}
	}
	return pids
}

// SQL of the same rows with three indexes, for both databases.
const (
	createDuties = `create table duty (id text primary key, rule text, subject text, loan text, borrower text, branch text, owner text, raise_on text, due_on text, state text)`
	indexDue     = `create index duty_due on duty (branch, due_on)`
	indexRaise   = `create index duty_raise on duty (raise_on)`
)

func listDuties(branch, from, to string) string {
	return fmt.Sprintf(`select %s from duty where branch = '%s' and due_on between '%s' and '%s' and state in ('planned', 'raised', 'submitted') order by due_on, id`, dutyColumns, branch, from, to)
}

// load puts the lines of a file into a new table, by COPY, in one transaction.
func (p *postgres) load(ctx context.Context, path string) (Usage, error) {
	if _, _, err := measure(p.psql(ctx, "drop table if exists duty", createDuties, indexDue, indexRaise, "checkpoint")); err != nil {
		return Usage{}, err
	}
	u, _, err := measure(p.psql(ctx, `\copy duty from '`+path+`'`))
	return u, err
}

// again gives it the same rows once more, where none changed.
func (p *postgres) again(ctx context.Context, path string) (Usage, error) {
	columns := strings.Split(dutyColumns, ", ")[1:]
	excluded := "excluded." + strings.Join(columns, ", excluded.")
	u, _, err := measure(p.psql(ctx, "begin", "create temp table fresh (like duty) on commit drop", `\copy fresh from '`+path+`'`,
		fmt.Sprintf("insert into duty select * from fresh on conflict (id) do update set (%s) = (%s) where (duty.%s) is distinct from (%s)",
			strings.Join(columns, ", "), excluded, strings.Join(columns, ", duty."), excluded), "commit"))
	return u, err
}
