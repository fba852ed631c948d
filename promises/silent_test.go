package promises

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Promise 6: a silent stop is seen. The schedule is short, so that two of its
// intervals are a few seconds; slack is for a busy machine.
const (
	interval = 2 * time.Second
	slack    = 3 * time.Second

	everyTwoSeconds = "schedule: \"@every 2s\"\nmin_free: 1MiB\n"
)

// everyInterval makes a branch whose daemon scans so often.
func everyInterval(t *testing.T, loans int) *branch {
	t.Helper()
	b := peopled(t, loans)
	b.configure(everyTwoSeconds)
	return b
}

func (b *branch) configure(text string) {
	b.t.Helper()
	f, err := os.OpenFile(filepath.Join(b.data, "config.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	must(b.t, err)
	_, err = f.WriteString(text)
	must(b.t, errors.Join(err, f.Close()))
}

// get asks the daemon over its socket, as curl would.
func (d *daemon) get(path string, within time.Duration) (code int, body string, err error) {
	client := http.Client{Timeout: within, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", d.socket)
	}}}
	resp, err := client.Get("http://tickler" + path)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// health gives what /healthz complains of; "" is healthy.
func (d *daemon) health() string {
	code, body, err := d.get("/healthz", time.Second)
	var r struct {
		Healthy  bool
		Problems []string
	}
	switch {
	case err != nil:
		return "unreachable: " + err.Error()
	case json.Unmarshal([]byte(body), &r) != nil, r.Healthy != (code == 200), r.Healthy != (len(r.Problems) == 0):
		return fmt.Sprintf("no answer of /healthz: %d %s", code, body)
	}
	return strings.Join(r.Problems, "\n")
}

// within waits for health to complain with some words, or with "" to be
// healthy, and says what it was at the end where that did not come.
func (d *daemon) within(limit time.Duration, words string) error {
	var last string
	for until := time.Now().Add(limit + slack); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if last = d.health(); last == words || words != "" && strings.Contains(last, words) {
			return nil
		}
	}
	return fmt.Errorf("after %s /healthz says %q, want %q", limit+slack, last, words)
}

// metric gives the value of a metric without labels.
func (d *daemon) metric(name string) float64 {
	d.t.Helper()
	_, body, err := d.get("/metrics", 5*time.Second)
	must(d.t, err)
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(body)
	if m == nil {
		d.t.Fatalf("no metric %s in\n%s", name, body)
	}
	v, err := strconv.ParseFloat(m[1], 64)
	must(d.t, err)
	return v
}

const lastScan = "tickler_last_scan_success_timestamp_seconds"

// scans fails where no scan succeeds within two intervals.
func (d *daemon) scans() {
	d.t.Helper()
	before := d.metric(lastScan)
	for until := time.Now().Add(2*interval + slack); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if d.metric(lastScan) > before {
			return
		}
	}
	d.t.Errorf("no scan for two intervals: %s", d.log)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func TestPromise06AStoppedDaemonIsSeen(t *testing.T) {
	t.Parallel()
	b := everyInterval(t, 20)
	d := b.serve()
	must(t, d.within(2*interval, ""))
	before := d.metric(lastScan)
	must(t, d.cmd.Process.Signal(syscall.SIGSTOP))
	check(t, d.within(0, "unreachable")) // a signal takes its time
	time.Sleep(2*interval + interval/2)
	must(t, d.cmd.Process.Signal(syscall.SIGCONT))
	check(t, d.within(2*interval, ""))
	if d.metric(lastScan) <= before {
		t.Error("healthy, and nothing was scanned since")
	}
}

// A rule is added, so that every unit is planned anew.
const anotherRule = "- {id: another, set: manual, name: 又一条, clause: 篇三, for: loan, due: on loan.maturity, by: officer}\n"

// haveAnother gives how many loans have a duty of the rule that was added.
func (b *branch) haveAnother() (loans int) {
	b.t.Helper()
	for _, x := range b.duties() {
		if x.Rule == "another" {
			loans++
		}
	}
	return loans
}

// brokenCondition fails at run time with one loan alone.
const brokenCondition = `- {id: broken, set: manual, name: 坏, clause: 篇三, for: loan, when: 'loan.id == "JJ000004" and date(loan.x["到期"]) > loan.disbursed', due: on loan.maturity, by: officer}
`

func TestPromise06APanickingConditionStopsNothingElse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		plant func(t *testing.T) string // nil: the program as it is
		rules string
		lost  int // loans without a duty of the other rule: those of the borrower who failed
	}{
		{"a condition", nil, anotherRule + brokenCondition, 0},
		{"the program, after a unit is written", func(t *testing.T) string {
			return planted(t, "scheduler/change.go", "	c.note(plan, changes)\n	return nil", "	if plan.Unit.ID == \"C000002\" {\n\t\tpanic(\"planted\")\n\t}\n	c.note(plan, changes)\n	return nil")
		}, anotherRule, 2},
		{"the program, in a condition", func(t *testing.T) string {
			return planted(t, "rules/loans.go", "	if !d.place(&o, r, now.Branch) {", "	if f.ID == \"JJ000004\" && r.ID == \"maturity-notice\" {\n\t\tpanic(\"planted\")\n\t}\n	if !d.place(&o, r, now.Branch) {")
		}, anotherRule, 0},
		{"the program, before a unit is written", func(t *testing.T) string {
			return planted(t, "scheduler/change.go", "	plan, err := c.tx.Plan(u)\n", "	if u.ID == \"C000002\" {\n\t\tpanic(\"planted\")\n\t}\n	plan, err := c.tx.Plan(u)\n")
		}, anotherRule, 2},
	}[:times(2, 4)] {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := everyInterval(t, 20)
			if c.plant != nil {
				b.program = c.plant(t)
			}
			d := b.serve()
			must(t, d.within(2*interval, ""))
			must(t, os.WriteFile(filepath.Join(b.data, "rules.yaml"), []byte(rulebook+c.rules), 0o600))
			check(t, d.within(2*interval, "1 subjects could not be worked out"))
			d.scans()
			if n := d.metric("tickler_failed_subjects"); n != 1 {
				t.Errorf("tickler_failed_subjects %v", n)
			}
			meanwhile := b.haveAnother()
			if r := b.run("status"); r.code != 1 || !strings.Contains(r.err, "C000002") {
				t.Errorf("status: %s", r)
			}
			if code := d.stop(); code != 0 {
				t.Errorf("it ended with %d: %s", code, d.log)
			}
			// The good program, or the good rulebook, makes up for it.
			b.program = program
			must(t, os.WriteFile(filepath.Join(b.data, "rules.yaml"), []byte(rulebook+anotherRule), 0o600))
			d = b.serve()
			check(t, d.within(2*interval, ""))
			if all := b.haveAnother(); meanwhile == 0 || meanwhile != all-c.lost {
				t.Errorf("%d loans had the new duty meanwhile, %d in the end; want %d fewer", meanwhile, all, c.lost)
			}
			b.sound()
		})
	}
}

func TestPromise06AFullDiskIsSeenAndOverWhenThereIsSpace(t *testing.T) {
	t.Parallel()
	needRoot(t)
	check(t, fullDisk(t, program))
}

// fullDisk fills the disk under a daemon, and gives it back.
func fullDisk(t *testing.T, program string) error {
	t.Helper()
	b := newBranch(t)
	b.program = program
	disk := filepath.Join(b.dir, "disk")
	must(t, os.Mkdir(disk, 0o755))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk).CombinedOutput(); err != nil {
		need(t, false, "right to mount: "+string(out))
	}
	t.Cleanup(func() { exec.Command("umount", "-l", disk).Run() })
	b.data = filepath.Join(disk, "data")
	b.must("init", "--go-live", today().AddDays(-60).String())
	b.must("import", b.file("loans.csv", ledger(20, today(), 0)))
	b.configure(everyTwoSeconds)
	d := b.serve()
	t.Cleanup(d.kill) // before the disk is taken away
	must(t, d.within(2*interval, ""))

	ballast := filepath.Join(disk, "ballast")
	f, err := os.Create(ballast)
	must(t, err)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	before := b.duties()
	r := b.run("import", b.file("more.csv", ledger(400, today(), 1)))
	if r.code != 1 || !strings.Contains(r.err, "no space left on device") {
		t.Errorf("import on a full disk: %s", r)
	}
	if err := d.within(2*interval, "the disk"); err != nil {
		return err
	}
	d.scans() // the loop goes on
	if n := len(b.duties()); n != len(before) {
		t.Errorf("%d duties, %d before the import that failed", n, len(before))
	}
	must(t, os.Remove(ballast))
	if err := d.within(2*interval, ""); err != nil {
		return err
	}
	b.must("import", b.file("more.csv", ledger(400, today(), 1)))
	if code := d.stop(); code != 0 {
		t.Errorf("it ended with %d: %s", code, d.log)
	}
	b.sound()
	return nil
}

func TestPromise06AStuckReaderIsSeen(t *testing.T) {
	t.Parallel()
	b := everyInterval(t, 20)
	// A reader that never comes back, in the View of "show".
	b.program = planted(t, "scheduler/query.go", "		o, err := s.find(tx, view, r.ID)\n		if err != nil {\n			return err\n		}\n		today := s.readingDay",
		"		<-make(chan struct{})\n		o, err := s.find(tx, view, r.ID)\n		if err != nil {\n			return err\n		}\n		today := s.readingDay")
	id := b.duties()[0].ID
	d := b.serve()
	must(t, d.within(2*interval, ""))
	stuck := b.command("show", id)
	must(t, stuck.Start())
	t.Cleanup(func() { stuck.Process.Kill(); stuck.Wait() })
	check(t, d.within(2*interval, "a read has held the store"))
	if n := d.metric("tickler_store_open_read_transactions"); n != 1 {
		t.Errorf("%v reads are open", n)
	}
	d.scans()
	b.must("import", b.file("more.csv", ledger(40, today(), 1)))
	check(t, d.within(2*interval, "a read has held the store"))
}

// Controls: a program whose health is always good is found out.
func TestPromise06ControlAnAlwaysGreenHealthIsFound(t *testing.T) {
	t.Parallel()
	needRoot(t)
	green := planted(t, "scheduler/health.go", "	return len(out) == 0, out\n", "	return true, nil\n")
	if err := fullDisk(t, green); err == nil {
		t.Error("an always green health was not found")
	} else {
		t.Logf("found: %v", err)
	}
}

// A daemon that nobody can find any more says so, by ending.
func TestPromise06ALostSocketEndsTheDaemon(t *testing.T) {
	t.Parallel()
	d := peopled(t, 6).serve()
	must(t, os.Remove(d.socket))
	select {
	case <-d.ended:
	case <-time.After(30 * time.Second):
		t.Fatal("it goes on, and no command finds it")
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(d.log.String(), "socket") {
		t.Errorf("it ended with %d: %s", code, d.log)
	}
}
