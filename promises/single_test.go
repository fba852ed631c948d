package promises

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// refuseWithin is how long a second daemon may take to say that it is one.
const refuseWithin = 5 * time.Second

// wakeUp is how often a daemon looks about.
const wakeUp = 10 * time.Second

// Whatever the path by which a second daemon comes, it is refused, and so is a
// command that would open the store itself.
func TestPromise09OneDaemonByEveryPath(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	first := b.serve()
	for name, to := range secondPaths {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			second := *b
			second.t, second.dir = t, t.TempDir()
			must(t, os.Chmod(second.dir, 0o755))
			second.data = to(t, b.data, filepath.Join(second.dir, "d"))
			if err := second.isRefused(first); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("at once", func(t *testing.T) { // twenty that begin in the same moment
		t.Parallel()
		b := newBranch(t)
		var all []*daemon
		for range 20 {
			all = append(all, b.start())
		}
		alive := len(all)
		for until := time.Now().Add(3 * refuseWithin); alive > 1 && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
			alive = 0
			for _, d := range all {
				select {
				case <-d.ended:
				default:
					alive++
				}
			}
		}
		if alive != 1 {
			t.Errorf("%d of 20 daemons run", alive)
		}
		for _, d := range all {
			select {
			case <-d.ended:
				if err := refusal(d); err != nil {
					t.Error(err)
				}
			default:
			}
		}
		b.must("status")
	})
	t.Cleanup(func() { // behind the parallel ones
		select {
		case <-first.ended:
			t.Errorf("the first daemon ended: %s", first.log)
		default:
			b.must("status")
		}
	})
}

// secondPaths give another path to a store, made at a place that is free.
var secondPaths = map[string]func(t *testing.T, data, at string) string{
	"same path": func(_ *testing.T, data, _ string) string { return data },
	"symlink to the directory": func(t *testing.T, data, at string) string {
		must(t, os.Symlink(data, at))
		return at
	},
	"symlink to the file": func(t *testing.T, data, at string) string {
		must(t, os.Mkdir(at, 0o700))
		must(t, os.Symlink(filepath.Join(data, "tickler.db"), filepath.Join(at, "tickler.db")))
		return at
	},
	"hard link": func(t *testing.T, data, at string) string {
		must(t, os.Mkdir(at, 0o700))
		must(t, os.Link(filepath.Join(data, "tickler.db"), filepath.Join(at, "tickler.db")))
		return at
	},
	"bind mount of the directory": func(t *testing.T, data, at string) string {
		must(t, os.Mkdir(at, 0o700))
		bind(t, data, at)
		return at
	},
	"bind mount of the file": func(t *testing.T, data, at string) string {
		must(t, os.Mkdir(at, 0o700))
		file := filepath.Join(at, "tickler.db")
		must(t, os.WriteFile(file, nil, 0o600))
		bind(t, filepath.Join(data, "tickler.db"), file)
		return at
	},
}

func bind(t *testing.T, from, to string) {
	t.Helper()
	needRoot(t)
	out, err := exec.Command(tool(t, "mount"), "--bind", from, to).CombinedOutput()
	need(t, err == nil, "right to mount: "+string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", to).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
}

// isRefused starts a second daemon, and a command that finds no socket, and
// gives what is wrong with the answers. A first that has ended meanwhile, as it
// lost its file, has no second.
func (b *branch) isRefused(first *daemon) error {
	b.t.Helper()
	d := b.start("--socket", filepath.Join(b.dir, "2.sock"))
	select {
	case <-d.ended:
	case <-first.ended:
		d.kill()
		return nil
	case <-time.After(refuseWithin):
		d.kill()
		return fmt.Errorf("a second daemon was not refused in %s: %s", refuseWithin, d.log)
	}
	if err := refusal(d); err != nil {
		return err
	}
	alone := *b
	alone.env = append([]string{"TICKLER_SOCKET=" + filepath.Join(b.dir, "none.sock")}, b.env...)
	began := time.Now()
	r := alone.run("tick")
	if took := time.Since(began); r.code != 11 || took > refuseWithin {
		return fmt.Errorf("a command beside the daemon: after %s %s", took, r)
	}
	return nil
}

// refusal looks at how a second daemon ended.
func refusal(d *daemon) error {
	if code := d.cmd.ProcessState.ExitCode(); code != 11 {
		return fmt.Errorf("a second daemon ended with %d: %s", code, d.log)
	}
	for _, part := range []string{"held by another process", "hint: ", "tickler status"} {
		if !strings.Contains(d.log.String(), part) {
			return fmt.Errorf("a second daemon does not say %q: %s", part, d.log)
		}
	}
	return nil
}

// A file that is put in the place of the held one lets no second daemon in, and
// the first stops, as what it wrote from then on nobody would find.
func TestPromise09SwappedFile(t *testing.T) {
	t.Parallel()
	for name, swap := range swaps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBranch(t)
			first := b.serve()
			first.scanned(t)
			swap.do(t, b)
			if swap.held {
				if err := b.isRefused(first); err != nil {
					t.Error(err)
				}
			}
			if err := first.stopsItself(); err != nil {
				t.Error(err)
			}
		})
	}
}

// swaps take the file from a running daemon. Where it is held, the place is not
// free before the daemon has noticed.
var swaps = map[string]struct {
	held bool
	do   func(t *testing.T, b *branch)
}{
	"copied and moved over": {true, copyOver},
	"removed": {false, func(t *testing.T, b *branch) {
		must(t, os.Remove(filepath.Join(b.data, "tickler.db")))
		if r := b.run("init"); r.code != 11 {
			t.Errorf("init in the place of a store that a daemon holds: %s", r)
		}
	}},
	"another directory": {false, func(t *testing.T, b *branch) {
		old := b.data + ".old"
		must(t, os.Rename(b.data, old))
		must(t, os.Mkdir(b.data, 0o700))
		text, err := os.ReadFile(filepath.Join(old, "tickler.db"))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(b.data, "tickler.db"), text, 0o600))
	}},
}

func copyOver(t *testing.T, b *branch) {
	db := filepath.Join(b.data, "tickler.db")
	text, err := os.ReadFile(db)
	must(t, err)
	must(t, os.WriteFile(db+".new", text, 0o600))
	must(t, os.Rename(db+".new", db))
}

// scanned waits until a daemon that was just started has looked about once.
func (d *daemon) scanned(t *testing.T) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !strings.Contains(d.log.String(), "msg=day"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("the daemon does not scan: %s", d.log)
		}
	}
}

// stopsItself waits for two wake-ups until a daemon has ended by itself and
// said why.
func (d *daemon) stopsItself() error {
	select {
	case <-d.ended:
	case <-time.After(2*wakeUp + 2*time.Second):
		return fmt.Errorf("the first daemon goes on with a file that nobody finds: %s", d.log)
	}
	if code := d.cmd.ProcessState.ExitCode(); code <= 0 || !strings.Contains(d.log.String(), "was replaced while it was open") {
		return fmt.Errorf("the first daemon ended with %d, and says: %s", code, d.log)
	}
	return nil
}

// A daemon that is stopped holds its store all the same; one that was killed
// holds nothing, not even for a second.
func TestPromise09StoppedAndKilled(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	first := b.serve()
	must(t, first.cmd.Process.Signal(syscall.SIGSTOP))
	if err := b.isRefused(first); err != nil {
		t.Error(err)
	}
	must(t, first.cmd.Process.Signal(syscall.SIGCONT))
	b.must("status")
	for range times(5, 100) {
		first.kill()
		began := time.Now()
		first = b.serve()
		if took := time.Since(began); took > refuseWithin {
			t.Errorf("behind a killed daemon the next one took %s to start", took)
		}
		b.must("status")
	}
	first.stop()
	b.sound()
}

// Controls: without the lock beside the file the swap lets a second daemon in;
// without the look at the file the first goes on.
func TestPromise09ControlsAreCaught(t *testing.T) {
	t.Parallel()
	t.Run("no lock of the directory", func(t *testing.T) {
		t.Parallel()
		b := newBranch(t)
		b.program = planted(t, "store/bolt/bolt.go", "l, err := takeLock(path, o.ReadOnly, o.timeout())", "l, err := &lock{}, error(nil)")
		first := b.serve()
		first.scanned(t)
		copyOver(t, b)
		if b.isRefused(first) == nil {
			t.Error("a second daemon on a swapped file was not noticed")
		}
	})
	t.Run("no look at the file", func(t *testing.T) {
		t.Parallel()
		b := newBranch(t)
		b.program = planted(t, "store/bolt/bolt.go", "err == nil && !os.SameFile(info, db.file)", "err == nil && info == nil")
		first := b.serve()
		first.scanned(t)
		copyOver(t, b)
		if first.stopsItself() == nil {
			t.Error("a daemon that goes on with a lost file was not noticed")
		}
	})
}
