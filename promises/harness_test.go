package promises

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tickler/calendar"
)

var (
	full = flag.Bool("promises.full", false, "the full form of each promise")
	seed = flag.Uint64("promises.seed", 0, "replay this seed; 0 takes a new one")
)

// program is the binary under test, root the module's directory.
var program, root string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "tkp")
	if err == nil {
		root, err = filepath.Abs("..")
	}
	if err == nil {
		err = os.Chmod(dir, 0o755) // other users run it
	}
	if err == nil {
		program = filepath.Join(dir, "tickler")
		err = build(program)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func build(to string, flags ...string) error {
	c := exec.Command("go", slices.Concat([]string{"build", "-trimpath"}, flags, []string{"-o", to, "./cmd/tickler"})...)
	c.Dir, c.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build tickler: %w\n%s", err, out)
	}
	return nil
}

// planted builds the program with one piece of one file exchanged, for a
// control: a fault that a harness has to find. file is relative to the module,
// or, with a leading "go.etcd.io/", in a module of the cache.
func planted(t *testing.T, file, old, new string) string {
	t.Helper()
	path := filepath.Join(root, file)
	if strings.HasPrefix(file, "go.etcd.io/") {
		parts := strings.SplitN(file, "/", 3)
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", parts[0]+"/"+parts[1]).Output()
		if err != nil {
			t.Fatalf("find %s: %v", file, err)
		}
		path = filepath.Join(strings.TrimSpace(string(out)), parts[2])
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), old); n != 1 {
		t.Fatalf("plant a fault: %s holds %d times\n%s\nthe control has to follow the source", file, n, old)
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	patched, overlay, to := filepath.Join(dir, "patched.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "tickler")
	must(t, os.WriteFile(patched, []byte(strings.Replace(string(text), old, new, 1)), 0o644))
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{path: patched}})
	must(t, err)
	must(t, os.WriteFile(overlay, list, 0o644))
	must(t, build(to, "-overlay", overlay))
	return to
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// need fails where a part that the test stands on is missing: in CI that is a
// failure, at a desk the test says what it left out.
func need(t *testing.T, there bool, what string) {
	t.Helper()
	if there {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("this machine has no %s", what)
	}
	t.Skipf("left out: this machine has no %s", what)
}

func needRoot(t *testing.T) { t.Helper(); need(t, os.Geteuid() == 0, "root for the tests") }

// tool gives the path of a program that the test needs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	need(t, err == nil, name+" (make tools installs it)")
	return path
}

// times is how often something is done: in the quick form, and in the full one.
func times(quick, inFull int) int {
	if *full {
		return inFull
	}
	return quick
}

// random gives the test's own numbers, and says how to have them again.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("replay with -run '^%s$' -args -promises.seed=%d", t.Name(), s)
	return rand.New(rand.NewPCG(s, 0))
}

// today is the wall's day where the branch is.
func today() calendar.Date {
	return calendar.DateIn(time.Now(), time.FixedZone("Asia/Shanghai", 8*3600))
}

// branch is a data directory and how to speak to it.
type branch struct {
	t       *testing.T
	program string
	dir     string // holds all of it; short, since a socket's path is
	data    string
	as      string // OS user; "" is the one who runs the tests
	env     []string
	wrap    []string // command line put before the program's: strace, prlimit
	scratch string   // directory for copies of it; "" is the system's for temporary files
	socket  string   // where the daemon listens; "" is in the data directory
}

// rulebook is small, and has every way of being closed: by an event, by a
// signature chain, by a count.
const rulebook = `version: 1
zone: Asia/Shanghai
enable: [manual]
rules:
- id: maturity-notice
  set: manual
  name: 发送贷款到期通知书
  clause: 篇三 二(二)
  for: loan
  due: 1 month before loan.maturity
  by: officer
  closes_on: notice.maturity_sent
- id: overdue-notice
  set: manual
  name: 催收
  clause: 篇三 二(三)
  for: loan
  each: guarantor
  when: loan.unpaid
  due: 10 workdays after loan.maturity
  by: officer
- id: monthly-report
  set: manual
  name: 月度贷后检查报告
  clause: 篇三 二(七)2
  for: loan
  every: month
  due: 10 workdays after period.end
  by: officer
  sign: [supervisor]
  closes_on: inspection.reported
- id: worklog-review
  set: manual
  name: 审阅工作日志
  clause: 篇三 二(五)
  on: worklog.submitted
  by: supervisor
  due: 2 workdays after event.date
`

// newBranch makes a store with loans of three officers in two branches, as if
// it had gone live sixty days ago. Nothing is imported yet.
func newBranch(t *testing.T) *branch {
	t.Helper()
	dir, err := os.MkdirTemp("", "tk")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	b := &branch{t: t, program: program, dir: dir, data: filepath.Join(dir, "data")}
	b.must("init", "--go-live", today().AddDays(-60).String())
	must(t, os.WriteFile(filepath.Join(b.data, "rules.yaml"), []byte(rulebook), 0o600))
	return b
}

// peopled is newBranch with so many loans imported, and staff: S001, S002, S003
// officers, S010 the supervisor.
func peopled(t *testing.T, loans int) *branch {
	t.Helper()
	b := newBranch(t)
	b.must("import", b.file("staff.csv", staff), b.file("loans.csv", ledger(loans, today(), 0)))
	return b
}

const staff = "工号,姓名,机构,岗位\nS001,甲,B01,客户经理\nS002,乙,B01,客户经理\nS003,丙,B01,客户经理\nS010,丁,B01,主管\n"

// ledger is a loan file of a data date. Loans mature around that day, so that
// some are unpaid, some due soon, some far; every third has two guarantors.
// version changes the balance of every fifth loan.
func ledger(loans int, day calendar.Date, version int) string {
	var s strings.Builder
	s.WriteString("借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,保证人,数据日期\n")
	for i := range loans {
		balance := 1_000_000
		if i%5 == 0 {
			balance -= version
		}
		guarantors := ""
		if i%3 == 0 {
			guarantors = fmt.Sprintf("保证人%d甲、保证人%d乙", i, i)
		}
		fmt.Fprintf(&s, "JJ%06d,C%06d,客户%d,B01,S%03d,1000000,%d,%s,%s,正常,常规,%s,%s\n",
			i, i/2, i/2, i%3+1, balance, day.AddDays(-400-i%7), day.AddDays(i*37%700-25), guarantors, day)
	}
	return s.String()
}

// file writes a file into the branch's directory and gives its path.
func (b *branch) file(name, text string) string {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	must(b.t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// copied gives the same branch, with its own copy of the data directory. No
// daemon may be at work on it.
func (b *branch) copied() *branch {
	b.t.Helper()
	dir, err := os.MkdirTemp(b.scratch, "tk")
	must(b.t, err)
	b.t.Cleanup(func() { os.RemoveAll(dir) })
	must(b.t, os.Chmod(dir, 0o755))
	c := *b
	c.dir, c.data = dir, filepath.Join(dir, "data")
	must(b.t, os.CopyFS(c.data, os.DirFS(b.data)))
	must(b.t, filepath.WalkDir(c.data, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	}))
	if b.as != "" {
		c.own(b.as)
	}
	return &c
}

// own gives the data directory to an OS user, as whom everything is run then.
func (b *branch) own(name string) {
	b.t.Helper()
	uid, gid := ids(b.t, name)
	must(b.t, filepath.WalkDir(b.dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	}))
	b.as = name
}

func ids(t *testing.T, name string) (uid, gid int) {
	t.Helper()
	u, err := user.Lookup(name)
	must(t, err)
	uid, err = strconv.Atoi(u.Uid)
	must(t, err)
	gid, err = strconv.Atoi(u.Gid)
	must(t, err)
	return uid, gid
}

// result is how a command ended.
type result struct {
	out, err string
	code     int // exit status; -1 where a signal ended it
}

func (r result) String() string { return fmt.Sprintf("exit status %d\n%s%s", r.code, r.out, r.err) }

// command is the program on this branch.
func (b *branch) command(args ...string) *exec.Cmd {
	b.t.Helper()
	line := slices.Concat(b.wrap, []string{b.program, "--data", b.data}, args)
	c := exec.Command(line[0], line[1:]...)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "TMPDIR=" + b.dir, "TICKLER_LANG=en"}, b.env...)
	if b.socket != "" {
		c.Env = append(c.Env, "TICKLER_SOCKET="+b.socket)
	}
	c.Dir = b.dir
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if b.as != "" {
		uid, gid := ids(b.t, b.as)
		c.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return c
}

// run runs a command to its end.
func (b *branch) run(args ...string) result {
	b.t.Helper()
	c := b.command(args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	return result{out.String(), errs.String(), c.ProcessState.ExitCode()}
}

// must runs a command that has to succeed, and gives its stdout.
func (b *branch) must(args ...string) string {
	b.t.Helper()
	r := b.run(args...)
	if r.code != 0 {
		b.t.Fatalf("%s: %s", strings.Join(args, " "), r)
	}
	return r.out
}

// duty is an obligation as the command line shows it.
type duty struct {
	ID, Rule, State, Owner string
	Anchor, Raise, Due     string
	Occurrence             string
	RaisedAt               *time.Time `json:"raised_at"`
	Late                   string     `json:"late"`
	Submitted              string     `json:"submitted_on"`
	Done                   string     `json:"done_on"`
	Subject                struct{ Kind, ID string }
	Party                  *struct{ Kind, ID string }
}

// duties lists all there are, in every state, by id.
func (b *branch) duties() []duty {
	b.t.Helper()
	return b.dutiesIn(b.must("upcoming", "--all", "-o", "json"))
}

// dutiesIn reads a list of duties, by id.
func (b *branch) dutiesIn(text string) []duty {
	b.t.Helper()
	var list []duty
	if json.Unmarshal([]byte(text), &list) != nil {
		b.t.Fatalf("upcoming: no JSON: %.300s", text)
	}
	slices.SortFunc(list, func(x, y duty) int { return strings.Compare(x.ID, y.ID) })
	for i := 1; i < len(list); i++ {
		if list[i].ID == list[i-1].ID {
			b.t.Errorf("%s is there twice", list[i].ID)
		}
	}
	return list
}

// sound has the program look at its own store, page by page and record by
// record, and verifies the audit trail.
func (b *branch) sound() {
	b.t.Helper()
	b.must("check")
	b.must("audit", "verify")
}

// daemon is a running "serve".
type daemon struct {
	t      *testing.T
	cmd    *exec.Cmd
	socket string
	log    *lockedBuffer
	ended  chan struct{}
}

// serve starts the daemon and waits until it answers.
func (b *branch) serve(args ...string) *daemon {
	b.t.Helper()
	d := b.start(args...)
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		select {
		case <-d.ended:
			b.t.Fatalf("the daemon ended: %s", d.log)
		default:
		}
		if conn, err := net.Dial("unix", d.socket); err == nil {
			conn.Close()
			return d
		}
	}
	b.t.Fatalf("the daemon does not listen: %s", d.log)
	return nil
}

// start starts the daemon and does not wait.
func (b *branch) start(args ...string) *daemon {
	b.t.Helper()
	d := &daemon{t: b.t, cmd: b.command(slices.Concat([]string{"serve"}, args)...), socket: cmp.Or(b.socket, filepath.Join(b.data, "tickler.sock")), log: &lockedBuffer{}, ended: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	must(b.t, d.cmd.Start())
	go func() {
		d.cmd.Wait()
		close(d.ended)
	}()
	b.t.Cleanup(d.kill)
	return d
}

// kill ends it as a crash does, with all its children.
func (d *daemon) kill() {
	select {
	case <-d.ended: // its number may be another's by now
		return
	default:
	}
	syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	<-d.ended
}

// stop ends it as an operator does, and gives its exit status.
func (d *daemon) stop() int {
	d.t.Helper()
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
	case <-time.After(30 * time.Second):
		d.t.Errorf("the daemon does not stop: %s", d.log)
		d.kill()
	}
	return d.cmd.ProcessState.ExitCode()
}

// lockedBuffer takes what a running process writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

var _ io.Writer = (*lockedBuffer)(nil)

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
