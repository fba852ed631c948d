package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tickler/calendar"
)

// machine is one with a daemon and users, as a package sets it up: the data
// directory its daemon's alone, the socket for everybody.
type machine struct {
	t       *testing.T
	program string
	data    string
	env     []string
}

// run is one command of an OS user, "" for the one who runs the tests.
func (m *machine) run(as, stdin string, args ...string) (stdout, stderr string, code int) {
	m.t.Helper()
	c := m.command(as, args...)
	var out, errs bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		m.t.Fatal(err)
	}
	return out.String(), errs.String(), code
}

func (m *machine) command(as string, args ...string) *exec.Cmd {
	c := exec.Command(m.program, args...)
	c.Env, c.Dir = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/", "TICKLER_LANG=zh"}, m.env...), "/"
	if as != "" {
		uid, gid := ids(m.t, as)
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	}
	return c
}

func ids(t *testing.T, name string) (uid, gid uint32) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("this test wants the system's users: %v", err)
	}
	x, _ := strconv.Atoi(u.Uid)
	y, _ := strconv.Atoi(u.Gid)
	return uint32(x), uint32(y)
}

func (m *machine) want(code int, as, word string, args ...string) string {
	m.t.Helper()
	out, errs, got := m.run(as, "", args...)
	if got != code || !strings.Contains(out+errs, word) {
		m.t.Errorf("%s as %q: exit status %d, want %d with %q\n%s%s", strings.Join(args, " "), as, got, code, word, out, errs)
	}
	return out
}

// serve starts the daemon, and gives what stops it.
func (m *machine) serve(as, socket string) func() {
	m.t.Helper()
	c := m.command(as, "serve", "--socket", socket)
	var log bytes.Buffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		m.t.Fatal(err)
	}
	stop := func() {
		if c.Process.Signal(syscall.SIGTERM) == nil {
			c.Wait()
		}
	}
	m.t.Cleanup(stop)
	for range 200 {
		if conn, err := net.Dial("unix", socket); err == nil {
			conn.Close()
			return stop
		}
		time.Sleep(50 * time.Millisecond)
	}
	m.t.Fatalf("the daemon does not listen: %s", &log)
	return nil
}

const machineRules = `version: 1
enable: [manual]
rules:
- id: report
  set: manual
  name: 检查报告
  clause: 测试
  for: loan
  every: month
  due: 10 workdays after period.end
  by: officer
  sign: [supervisor]
  closes_on: inspection.reported
`

// newMachine sets a store up as its daemon's user.
func newMachine(t *testing.T, daemon string) *machine {
	t.Helper()
	dir, err := os.MkdirTemp("", "tk") // short: it is to hold a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	m := &machine{t: t, program: filepath.Join(dir, "tickler"), data: filepath.Join(dir, "data")}
	m.env = []string{"TICKLER_DATA=" + m.data}
	self, err := os.Executable()
	if err == nil {
		err = copyFile(self, m.program)
	}
	today := calendar.DateIn(time.Now(), time.FixedZone("CST", 8*3600))
	ledger := filepath.Join(dir, "a.csv")
	text := fmt.Sprintf("借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,数据日期\nJJ1,C1,甲公司,B01,S007,1000000,1000000,%s,%s,正常,常规,%s\n",
		today.AddDays(-300), today.AddDays(600), today)
	if err == nil {
		err = os.WriteFile(ledger, []byte(text), 0o644)
	}
	home := filepath.Join(dir, "home") // the daemon's own, where its data directory is made
	m.data = filepath.Join(home, "data")
	m.env[0] = "TICKLER_DATA=" + m.data
	if err == nil {
		err = errors.Join(os.Chmod(dir, 0o755), os.Mkdir(home, 0o755), os.Mkdir(filepath.Join(dir, "run"), 0o755))
	}
	if daemon != "" && err == nil {
		uid, gid := ids(t, daemon)
		err = errors.Join(os.Chown(home, int(uid), int(gid)), os.Chown(filepath.Join(dir, "run"), int(uid), int(gid)))
	}
	if err != nil {
		t.Fatal(err)
	}
	m.want(0, daemon, "", "init", "--go-live", today.AddDays(-60).String())
	c := m.command(daemon, "version")
	c.Path, c.Args = "/bin/sh", []string{"sh", "-c", "cat > " + filepath.Join(m.data, "rules.yaml")}
	c.Stdin = strings.NewReader(machineRules)
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	m.want(0, daemon, "", "import", ledger)
	return m
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func (m *machine) duty(as string) string {
	m.t.Helper()
	out, errs, code := m.run(as, "", "upcoming", "--all", "--state", "raised", "-o", "json")
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) == 0 {
		m.t.Fatalf("no duty is raised: exit status %d\n%s%s", code, out, errs)
	}
	return list[0].ID
}

// Who a person is at the command line is the kernel's word, and nobody else's:
// over a socket that all can reach, with a data directory that none can read.
func TestPeersOfTheSocket(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("run the tests as root: this one wants other users at the socket")
		}
		t.Run("own user", ownUser)
		return
	}
	const daemon, officer, supervisor, stranger = "daemon", "nobody", "games", "bin"
	m := newMachine(t, daemon)
	if fi, err := os.Stat(m.data); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("the data directory: %v %v", fi.Mode(), err)
	}
	// Without a daemon the store is its owner's, and root's.
	m.want(12, officer, "其他用户", "upcoming")
	m.want(0, daemon, "", "upcoming")
	m.want(0, "", "", "status")

	// The packaged place, where this machine has none of its own; else any other.
	socket := packagedSocket
	if os.Mkdir(filepath.Dir(socket), 0o755) == nil {
		t.Cleanup(func() { os.RemoveAll(filepath.Dir(packagedSocket)) })
		uid, gid := ids(t, daemon)
		os.Chown(filepath.Dir(socket), int(uid), int(gid))
	} else {
		socket = filepath.Join(filepath.Dir(m.program), "run", "tickler.sock")
		m.env = append(m.env, "TICKLER_SOCKET="+socket)
	}
	stop := m.serve(daemon, socket)
	if fi, err := os.Stat(socket); err != nil || fi.Mode().Perm() != 0o666 {
		t.Errorf("the socket: %v %v", fi.Mode(), err)
	}
	// Each way to name it, and none.
	m.want(12, officer, "未登记", "upcoming")
	m.want(12, officer, "未登记", "--data", "/", "--socket", socket, "upcoming")

	// Root sets up, the stranger does nothing.
	m.want(0, "", "S007", "user", "add", "S007", "--name", "张三", "--role", "officer", "--branch", "B01", "--os-user", officer)
	m.want(0, "", "S010", "user", "add", "S010", "--name", "李四", "--role", "supervisor", "--branch", "B01", "--os-user", supervisor)
	for _, args := range [][]string{{"upcoming"}, {"status"}, {"user", "list"}, {"user", "add", "X", "--name", "x", "--role", "president", "--os-user", stranger}, {"tick"}, {"import", filepath.Join(filepath.Dir(m.program), "a.csv")}} {
		m.want(12, stranger, "未登记", args...)
	}
	id := m.duty(officer)
	m.want(12, stranger, "未登记", "submit", id)
	m.want(12, "", "root", "submit", id)
	m.want(12, "", "root", "waive", id, "--reason", "r")
	m.want(12, daemon, "", "submit", id) // the owner of the data directory
	m.want(12, supervisor, "不是本人", "submit", id)
	m.want(0, officer, "主管签批", "submit", id, "--note", "已检查")
	m.want(12, officer, "无权操作", "sign", id)
	m.want(12, "", "root", "sign", id)
	m.want(0, supervisor, "", "sign", id)
	out := m.want(0, supervisor, "", "show", id, "-o", "json")
	for _, word := range []string{`"submitted_by": "S007"`, `"os_user": "nobody"`, `"by": "S010"`, `"state": "done"`, `"action": "refused"`} {
		if !strings.Contains(out, word) {
			t.Errorf("show has no %s: %s", word, out)
		}
	}
	m.want(0, "", "", "user", "disable", "S007")
	m.want(12, officer, "disabled", "upcoming")
	stop()
	m.want(12, supervisor, "其他用户", "upcoming")
	m.want(0, "", "", "check")
}

// ownUser is what can be tested without other users: the owner, unmapped and
// mapped.
func ownUser(t *testing.T) {
	m := newMachine(t, "")
	socket := filepath.Join(filepath.Dir(m.program), "run", "tickler.sock")
	m.env = append(m.env, "TICKLER_SOCKET="+socket)
	m.serve("", socket)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	id := m.duty("")
	m.want(12, "", "", "submit", id)
	m.want(0, "", "S007", "user", "add", "S007", "--name", "张三", "--role", "officer", "--branch", "B01", "--os-user", me.Username)
	m.want(0, "", "主管签批", "submit", id)
	m.want(10, "", "", "upcoming", "--data", "/nowhere", "--socket", filepath.Join(filepath.Dir(socket), "none"))
}
