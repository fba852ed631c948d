package promises

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A daemon that the machine starves: of room, of a disk that keeps its word, of
// descriptors, of somebody who reads its log.

// ask speaks to a daemon's socket as the commands do.
func (d *daemon) ask(method, path, body string) (status int, answer string, err error) {
	c := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", d.socket) },
	}}
	req, err := http.NewRequest(method, "http://tickler"+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// until waits for something to become true.
func until(t *testing.T, within time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

func (d *daemon) healthy() bool {
	status, _, err := d.ask("GET", "/healthz", "")
	return err == nil && status == http.StatusOK
}

// A sync that fails under a running daemon: who asked is told that the outcome is
// unknown, the daemon ends by itself with a status for which it is started anew,
// and the next one knows what is there.
func TestPromise10AFailedSyncStopsTheDaemon(t *testing.T) {
	t.Parallel()
	strace := tool(t, "strace")
	base := peopled(t, 6)
	base.must("tick")
	for _, fault := range []string{"fdatasync:error=EIO:when=1", "pwrite64:error=EIO:when=1+"}[:times(1, 2)] {
		b := base.copied()
		before := b.shows()
		d := b.serve()
		attached := exec.Command(strace, "-f", "-qq", "-o", filepath.Join(b.dir, "strace"), "-e", "trace="+fault[:strings.Index(fault, ":")], "-e", "inject="+fault,
			"-P", filepath.Join(b.data, "tickler.db"), "-p", fmt.Sprint(d.cmd.Process.Pid))
		must(t, attached.Start())
		until(t, 10*time.Second, "the tracer is there", func() bool {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
			return err == nil && !bytes.Contains(status, []byte("TracerPid:\t0\n"))
		})
		r := b.run("import", b.file("more.csv", ledger(9, today(), 0)))
		if r.code != 1 || !strings.Contains(r.err, "outcome") || !strings.Contains(r.err, "unknown") {
			t.Errorf("%s: who asked is told %s", fault, r)
		}
		select {
		case <-d.ended:
		case <-time.After(10 * time.Second):
			t.Errorf("%s: the daemon goes on: %s", fault, d.log)
			d.kill()
		}
		attached.Wait()
		if code := d.cmd.ProcessState.ExitCode(); code <= 0 || strings.Contains(d.log.String(), "goroutine ") {
			t.Errorf("%s: the daemon ends with %d: %s", fault, code, d.log)
		}
		next := b.serve()
		r = b.run("import", b.file("more.csv", ledger(9, today(), 0)))
		if r.code != 0 {
			t.Errorf("%s: after a restart: %s", fault, r)
		}
		if b.shows() == before || len(b.duties()) == 0 {
			t.Errorf("%s: it was not made", fault)
		}
		next.stop()
		b.sound()
	}
}

// filledDisk tries a daemon on a disk of its own that is filled.
func filledDisk(t *testing.T, mount string) {
	b := newBranch(t)
	b.data = filepath.Join(mount, "data")
	b.must("init", "--go-live", today().AddDays(-60).String())
	must(t, os.WriteFile(filepath.Join(b.data, "rules.yaml"), []byte(rulebook), 0o600))
	b.configure("min_free: 1MiB\n") // the disk is smaller than what it wants free otherwise
	b.must("import", b.file("staff.csv", staff), b.file("loans.csv", ledger(6, today(), 0)))
	d := b.serve()
	before := b.shows()
	filler := filepath.Join(mount, "filler")
	f, err := os.Create(filler)
	must(t, err)
	for size := 1 << 16; size >= 512; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	f.Close()
	big := b.file("big.csv", ledger(1500, today(), 0))
	text, err := os.ReadFile(big)
	must(t, err)
	status, answer, err := d.ask("POST", "/v1/import?request="+url.QueryEscape(`{"name":"big.csv"}`), string(text))
	if err != nil || status != http.StatusServiceUnavailable || !strings.Contains(answer, "no_space") || !strings.Contains(answer, "free some space") {
		t.Errorf("a full disk answers %d %s %v", status, answer, err)
	}
	if r := b.run("import", big); r.code != 1 || !strings.Contains(r.err, "no space left") {
		t.Errorf("the command says %s", r)
	}
	if there := b.shows(); there != before {
		t.Errorf("what is read is another:\n%s\nwas\n%s", there, before)
	}
	if d.healthy() {
		t.Error("a daemon that cannot write says it is healthy")
	}
	must(t, os.Remove(filler))
	until(t, 30*time.Second, "healthy again once there is room", d.healthy)
	if r := b.run("import", big); r.code != 0 {
		t.Errorf("once there is room: %s", r)
	}
	if code := d.stop(); code != 0 {
		t.Errorf("the daemon ends with %d: %s", code, d.log)
	}
	b.sound()
}

// mounted gives a small file system that goes away with the test.
func mounted(t *testing.T, args ...string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tk")
	must(t, err)
	t.Cleanup(func() { os.Remove(dir) })
	out, err := exec.Command("mount", append(args, dir)...).CombinedOutput()
	need(t, err == nil, fmt.Sprintf("right to mount (%s)", out))
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			exec.Command("umount", "-l", dir).Run()
			t.Errorf("umount: %s", out)
		}
	})
	return dir
}

// Disks that are really full: memory, and ext4 on a loop device.
func TestPromise10AFullDiskIsSurvived(t *testing.T) {
	t.Parallel()
	needRoot(t)
	t.Run("tmpfs", func(t *testing.T) {
		t.Parallel()
		filledDisk(t, mounted(t, "-t", "tmpfs", "-o", "size=8m", "none"))
	})
	t.Run("ext4", func(t *testing.T) {
		t.Parallel()
		if !*full {
			t.Skip("part of the full form")
		}
		image := filepath.Join(t.TempDir(), "image")
		must(t, os.WriteFile(image, nil, 0o600))
		must(t, os.Truncate(image, 16<<20))
		if out, err := exec.Command(tool(t, "mkfs.ext4"), "-q", "-F", "-m", "0", image).CombinedOutput(); err != nil {
			t.Fatalf("mkfs.ext4: %s", out)
		}
		filledDisk(t, mounted(t, "-o", "loop", image))
	})
}

// A limit on the length of files stands for a full disk, without root.
func TestPromise10AFileLimitChangesNothing(t *testing.T) {
	t.Parallel()
	b := peopled(t, 6)
	b.must("tick")
	before := b.shows()
	c := b.copied()
	c.wrap = []string{tool(t, "prlimit"), "--fsize=1000000", "--"}
	r := c.run("import", c.file("big.csv", ledger(1500, today(), 0)))
	if r.code != 1 || !strings.Contains(r.err, "file too large") || strings.Contains(r.err, "goroutine") {
		t.Errorf("a limit on files: %s", r)
	}
	c.wrap = nil
	if there := c.shows(); there != before {
		t.Errorf("it changed:\n%s", there)
	}
	c.sound()
}

// Where nothing may be written, commands say so and change nothing.
func TestPromise10ReadOnlyIsSaid(t *testing.T) {
	t.Parallel()
	needRoot(t)
	base := peopled(t, 6)
	base.must("tick")
	deny := func(what string, b *branch, args ...string) {
		was := b.database()
		r := b.run(args...)
		if r.code != 1 && r.code != 12 || !strings.Contains(r.err, "read-only") && !strings.Contains(r.err, "permission denied") && !strings.Contains(r.err, "数据目录") || strings.Contains(r.err, "goroutine") {
			t.Errorf("%s, %s: %s", what, args[0], r)
		}
		if !bytes.Equal(was, b.database()) {
			t.Errorf("%s, %s: the file changed", what, args[0])
		}
	}
	more := base.file("more.csv", ledger(9, today(), 0))
	dir := base.copied()
	dir.own("nobody")
	must(t, os.Chmod(dir.data, 0o500))
	must(t, os.Remove(filepath.Join(dir.data, "tickler.db.lock")))
	file := base.copied()
	file.own("nobody")
	must(t, os.Chmod(filepath.Join(file.data, "tickler.db"), 0o400))
	for _, args := range [][]string{{"import", more}, {"tick", "--on", today().AddDays(1).String()}, {"serve"}} {
		deny("directory", dir, args...)
		deny("file", file, args...)
	}
	disk := base.copied()
	disk.data = mounted(t, "--bind", disk.data)
	if out, err := exec.Command("mount", "-o", "remount,ro,bind", disk.data).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	for _, args := range [][]string{{"import", more}, {"tick", "--on", today().AddDays(1).String()}, {"serve"}} {
		deny("mount", disk, args...)
	}
	if r := disk.run("init", "--branch", "B01", "--go-live", "2026-01-01"); r.code != 1 {
		t.Errorf("init: %s", r)
	}
}

// Without descriptors a command fails in words, and a daemon goes on after. With
// fewer than eight a Go program cannot begin.
func TestPromise10NoDescriptors(t *testing.T) {
	t.Parallel()
	prlimit := tool(t, "prlimit")
	base := peopled(t, 6)
	base.must("tick")
	before, after := base.shows(), ""
	for n := 8; n < 16; n += times(4, 1) {
		b := base.copied()
		b.wrap = []string{prlimit, fmt.Sprintf("--nofile=%d", n), "--"}
		r := b.run("import", b.file("more.csv", ledger(9, today(), 0)))
		b.wrap = nil
		there := b.shows()
		switch {
		case strings.Contains(r.err, "goroutine "):
			t.Errorf("%d descriptors: %s", n, r)
		case r.code == 0:
			if after = there; after == before {
				t.Errorf("%d descriptors: done, and not there: %s", n, r)
			}
		case !strings.Contains(r.err, "too many open files") || there != before:
			t.Errorf("%d descriptors: %s", n, r)
		}
		b.sound()
	}

	b := base.copied()
	b.wrap = []string{prlimit, "--nofile=24", "--"}
	d := b.serve()
	b.wrap = nil
	var idle []net.Conn
	for range 60 {
		if c, err := net.DialTimeout("unix", d.socket, time.Second); err == nil {
			idle = append(idle, c)
		}
	}
	if *full { // who is silent for ten seconds is hung up on: then it is one's turn
		if r := b.run("tick"); r.code != 0 {
			t.Errorf("beside %d silent connections: %s", len(idle), r)
		}
	}
	for _, c := range idle {
		c.Close()
	}
	until(t, 30*time.Second, "it goes on when there are descriptors again", d.healthy)
	b.must("import", b.file("more.csv", ledger(9, today(), 0)))
	if code := d.stop(); code != 0 {
		t.Errorf("the daemon ended with %d: %s", code, d.log)
	}
	b.sound()
}

// A file that is cut under a running daemon is damage: said, and the daemon stops.
func TestPromise10AFileCutWhileOpenStopsTheDaemon(t *testing.T) {
	t.Parallel()
	base := peopled(t, 6)
	base.must("tick")
	for _, keep := range []int64{0, 8192, 5 * 4096}[:times(2, 3)] {
		b := base.copied()
		d := b.serve()
		must(t, os.Truncate(filepath.Join(b.data, "tickler.db"), keep))
		for _, args := range [][]string{{"upcoming", "--all"}, {"import", b.file("more.csv", ledger(9, today(), 0))}, {"status"}} {
			if r := b.run(args...); r.code == 0 || strings.Contains(r.err, "goroutine ") {
				t.Errorf("cut to %d, %s: %s", keep, args[0], r)
			}
		}
		select {
		case <-d.ended:
		case <-time.After(25 * time.Second):
			t.Errorf("cut to %d: the daemon goes on: %s", keep, d.log)
			d.kill()
		}
		if code := d.cmd.ProcessState.ExitCode(); code <= 0 || strings.Contains(d.log.String(), "goroutine ") || !strings.Contains(d.log.String(), "cut short") {
			t.Errorf("cut to %d: the daemon ends with %d: %s", keep, code, d.log)
		}
	}
}

// What is printed where nobody takes it: a reader that left, a full disk, streams
// that were closed before the start.
func TestPromise10OutputThatNobodyTakes(t *testing.T) {
	t.Parallel()
	b := peopled(t, 60)
	b.must("tick")
	before := b.shows()
	shell := func(line string) (string, int) {
		c := exec.Command("bash", "-c", line)
		c.Env = append(b.command().Env, "T="+b.program+" --data "+b.data)
		c.Dir = b.dir
		out, _ := c.CombinedOutput()
		return string(out), c.ProcessState.ExitCode()
	}
	for _, line := range []string{
		"$T upcoming --all | head -1",
		"$T dump | head -1",
		"$T audit export | head -1",
		"$T why --help | true",
	} {
		if out, code := shell(line); code != 0 || strings.Contains(out, "goroutine ") || strings.Contains(out, "tickler:") {
			t.Errorf("%s: %d %s", line, code, out)
		}
	}
	for _, command := range []string{"upcoming --all", "dump", "audit export", "status", "rules list", "report ageing", "calendar show 2026", "version", "upcoming -o json", "upcoming -o csv", "check", "outbox list"} {
		if out, code := shell("$T " + command + " > /dev/full"); code != 1 || !strings.Contains(out, "no space left") {
			t.Errorf("%s to a full disk: %d %s", command, code, out)
		}
	}
	// A descriptor that is free is taken by the database, were it not filled first.
	for i, closed := range []string{"2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"} {
		b.file("more.csv", ledger(61+i, today(), 0))
		if out, code := shell("$T import more.csv " + closed); code != 0 && code != 1 {
			t.Errorf("import %s: %d %s", closed, code, out)
		}
	}
	if b.shows() == before {
		t.Error("nothing was imported")
	}
	b.sound()
}

// The log must not end the daemon, or make it wait: a pipe without a reader, one
// that nobody reads, a full disk, no stderr at all.
func TestPromise10ALogThatNobodyTakes(t *testing.T) {
	t.Parallel()
	base := peopled(t, 6)
	nobody, gone, err := os.Pipe()
	must(t, err)
	nobody.Close()
	defer gone.Close()
	reader, stuck, err := os.Pipe()
	must(t, err)
	defer reader.Close()
	defer stuck.Close()
	fd := int(stuck.Fd()) // which makes it a blocking one
	must(t, syscall.SetNonblock(fd, true))
	for err = nil; err == nil; {
		_, err = syscall.Write(fd, make([]byte, 4096))
	}
	must(t, syscall.SetNonblock(fd, false))
	fullDisk, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	must(t, err)
	defer fullDisk.Close()
	for what, stderr := range map[string]*os.File{"no reader": gone, "a reader that sleeps": stuck, "a full disk": fullDisk} {
		b := base.copied()
		d := &daemon{t: t, cmd: b.command("serve"), socket: filepath.Join(b.data, "tickler.sock"), log: &lockedBuffer{}, ended: make(chan struct{})}
		d.cmd.Stdout, d.cmd.Stderr = stderr, stderr
		must(t, d.cmd.Start())
		go func() { d.cmd.Wait(); close(d.ended) }()
		until(t, 20*time.Second, what+": the daemon answers", func() bool { return d.healthy() })
		b.must("import", b.file("more.csv", ledger(9, today(), 0)))
		// Each bad rulebook is a line of the log.
		rules := filepath.Join(b.data, "rules.yaml")
		must(t, os.WriteFile(rules, []byte("version: 1\nrulez: []\n"), 0o600))
		b.run("tick")
		must(t, os.WriteFile(rules, []byte(rulebook), 0o600))
		b.must("tick")
		if code := d.stop(); code != 0 {
			t.Errorf("%s: the daemon ends with %d", what, code)
		}
		b.sound()
	}
}

// Memory that cannot be had is said in a line, and is no damage.
func TestPromise10NoMemoryIsNoDamage(t *testing.T) {
	t.Parallel()
	b := peopled(t, 6)
	plain := b.copied()
	b.wrap = []string{tool(t, "strace"), "-f", "-P", filepath.Join(b.data, "tickler.db"), "-e", "trace=mmap", "-e", "inject=mmap:error=ENOMEM", "-o", "/dev/null"}
	for _, args := range [][]string{{"upcoming"}, {"tick"}, {"status"}} {
		if r := b.run(args...); r.code != 1 || !strings.Contains(r.err, "cannot allocate memory") || strings.Contains(r.err, "goroutine") {
			t.Errorf("%s: %s", args[0], r)
		}
	}
	// Whatever ends the process that proves a file, the file is not to blame for a SIGKILL.
	plain.wrap = []string{tool(t, "strace"), "-f", "-e", "trace=exit_group,fstat,newfstatat", "-P", filepath.Join(plain.data, "tickler.db"), "-e", "inject=fstat,newfstatat:signal=SIGKILL:when=3+", "-o", "/dev/null"}
	if r := plain.run("check"); r.code == 3 {
		t.Errorf("a proof that was killed: %s", r)
	}
}
