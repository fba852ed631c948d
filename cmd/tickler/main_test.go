package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "rewrite testdata/help and what the scripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tickler": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TICKLER_DATA", filepath.Join(e.WorkDir, "d"))
			return openSocket(e)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exitsWith, "notified": notified, "count": countLines, "mask": mask, "as": asUser},
		Condition: func(cond string) (bool, error) {
			if cond != "root" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			if os.Geteuid() != 0 && os.Getenv("CI") != "" {
				return false, errors.New("run the tests as root: some scripts want other OS users")
			}
			return os.Geteuid() == 0, nil
		},
	})
}

// exitsWith runs tickler and wants exactly this exit status:
//
//	exits 10 upcoming
func exitsWith(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec("tickler", args[1:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("tickler %s: exit status %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// asUser runs tickler as another OS user, over a daemon's socket, and wants
// exactly this exit status:
//
//	as nobody 12 submit ID
func asUser(ts *testscript.TestScript, neg bool, args []string) {
	program, err := exec.LookPath("tickler")
	ts.Check(err)
	dir, err := os.MkdirTemp("", "tk") // the tests' own directories are closed to others
	ts.Check(err)
	ts.Defer(func() { os.RemoveAll(dir) })
	ts.Check(os.Chmod(dir, 0o755))
	// A child forked while the copy is open for writing would keep it busy.
	syscall.ForkLock.RLock()
	err = copyFile(program, filepath.Join(dir, "tickler"))
	syscall.ForkLock.RUnlock()
	ts.Check(err)
	u, err := user.Lookup(args[0])
	ts.Check(err)
	uid, err := strconv.Atoi(u.Uid)
	ts.Check(err)
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	c := exec.Command(filepath.Join(dir, "tickler"), args[2:]...)
	c.Dir, c.Stdout, c.Stderr = "/", ts.Stdout(), ts.Stderr()
	c.Env = []string{"PATH=/usr/bin:/bin", "TICKLER_DATA=" + ts.Getenv("TICKLER_DATA"), "TICKLER_SOCKET=" + ts.Getenv("TICKLER_SOCKET"), "TICKLER_LANG=" + ts.Getenv("TICKLER_LANG")}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	var exit *exec.ExitError
	got := 0
	if err := c.Run(); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("tickler %s as %s: exit status %d, want %d", strings.Join(args[2:], " "), args[0], got, want)
	}
}

// openSocket names a socket that every user can reach.
func openSocket(e *testscript.Env) error {
	dir, err := os.MkdirTemp("", "tks")
	if err != nil {
		return err
	}
	e.Defer(func() { os.RemoveAll(dir) })
	e.Setenv("OPEN_SOCKET", filepath.Join(dir, "s"))
	return os.Chmod(dir, 0o755)
}

// notified listens where systemd would; with a state it waits until the daemon
// has said so:
//
//	notified
//	exec tickler serve &daemon&
//	notified READY=1
func notified(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		dir, err := os.MkdirTemp("", "notify") // a short path: a socket's is bounded
		ts.Check(err)
		path := filepath.Join(dir, "s")
		c, err := net.ListenPacket("unixgram", path)
		ts.Check(err)
		ts.Defer(func() { c.Close(); os.RemoveAll(dir) })
		ts.Setenv("NOTIFY_SOCKET", path)
		notifiers[path] = c
		return
	}
	c := notifiers[ts.Getenv("NOTIFY_SOCKET")]
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 256)
	n, _, err := c.ReadFrom(buf)
	ts.Check(err)
	if string(buf[:n]) != args[0] {
		ts.Fatalf("the daemon said %q, want %q", buf[:n], args[0])
	}
}

// mask writes the last stdout to a file, without the moments and digests that
// differ from run to run: mask out.json
func mask(ts *testscript.TestScript, _ bool, args []string) {
	out := moment.ReplaceAllString(ts.ReadFile("stdout"), "MOMENT")
	out = digest.ReplaceAllString(out, "sha256:DIGEST")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(out), 0o644))
}

var (
	moment = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	digest = regexp.MustCompile(`sha256:[0-9a-f]{64}`)
)

// notifiers are the sockets of the scripts that run one after another.
var notifiers = map[string]net.PacketConn{}

// countLines wants so many lines on the last stdout: count 366
func countLines(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := strings.Count(ts.ReadFile("stdout"), "\n"); got != want {
		ts.Fatalf("%d lines, want %d", got, want)
	}
}

// The help of every command is a promise about flags and exit statuses.
func TestHelpIsAsRecorded(t *testing.T) {
	var walk func(c *cobra.Command)
	seen := map[string]bool{}
	g := &global{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, env: map[string]string{}}
	walk = func(c *cobra.Command) {
		args := strings.Fields(c.CommandPath())[1:]
		name := strings.Join(append([]string{"tickler"}, args...), "-") + ".txt"
		seen[name] = true
		var out, errOut bytes.Buffer
		if code := Main(append(args, "--help"), strings.NewReader(""), &out, &errOut, nil); code != 0 {
			t.Errorf("%s --help: exit status %d, %s", c.CommandPath(), code, &errOut)
		}
		golden := filepath.Join("testdata", "help", name)
		if *update {
			if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Errorf("%v; run go test ./cmd/tickler -update", err)
		} else if string(want) != out.String() {
			t.Errorf("%s --help differs from %s; run go test ./cmd/tickler -update and look at the difference", c.CommandPath(), golden)
		}
		if c.HasParent() && c.Name() != "help" {
			if !strings.Contains(out.String(), "\nExamples:\n") {
				t.Errorf("%s --help has no examples", c.CommandPath())
			}
		}
		if !strings.Contains(out.String(), "\nExit status:\n  0  ") {
			t.Errorf("%s --help does not end with its exit statuses", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRootCommand(g))
	there, err := os.ReadDir("testdata/help")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if !seen[f.Name()] {
			t.Errorf("testdata/help/%s is of no command", f.Name())
		}
	}
}
