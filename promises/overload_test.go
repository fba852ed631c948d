package promises

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	slowClients = 500
	exports     = 100
	mostMemory  = 512 << 20 // bytes
	mostLate    = 5 * time.Second
)

// Abuse does not stop the clock: slow clients, bodies without end and answers
// that nobody takes leave the scan and an ordinary command alone.
func TestPromise06OverloadDoesNotStopTheClock(t *testing.T) {
	t.Parallel()
	b := peopled(t, times(1_000, 20_000))
	b.configure(everyTwoSeconds)
	d := b.serve()
	if late, err := overload(t, d, b); err != nil {
		t.Error(err)
	} else {
		t.Logf("a scan at most %s late, memory at most %d MiB", late.Round(time.Millisecond), d.mostMemory()>>20)
	}
	if m := d.mostMemory(); m > mostMemory {
		t.Errorf("%d MiB of memory", m>>20)
	}
	if code := d.stop(); code != 0 {
		t.Errorf("it ended with %d: %s", code, d.log)
	}
	b.sound()
}

// overload sets all of them on a daemon, and gives by how much a scan was late.
func overload(t *testing.T, d *daemon, b *branch) (late time.Duration, err error) {
	t.Helper()
	var clients []net.Conn
	leave := func() {
		for _, c := range clients {
			c.Close()
		}
	}
	defer leave()
	dial := func() net.Conn {
		c, err := net.Dial("unix", d.socket)
		must(t, err)
		clients = append(clients, c)
		return c
	}
	for i := range slowClients {
		c := dial()
		if i%2 == 0 {
			io.WriteString(c, "POST /v1/list HTTP/1.1\r\nHost: x\r\n") // a head without end
		} else {
			io.WriteString(c, "POST /v1/list HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
		}
	}
	for range exports {
		c := dial()
		io.WriteString(c, "POST /v1/list HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{\"all\":true}") // and never reads
	}
	ask := url.QueryEscape(`{"name":"huge.csv"}`)
	told := dial()
	fmt.Fprintf(told, "POST /v1/import?request=%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", ask, 1<<30)
	told.SetReadDeadline(time.Now().Add(20 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(told), nil)
	must(t, err)
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		text, _ := io.ReadAll(resp.Body)
		t.Errorf("a body of 1 GiB, as announced: %v %s", resp.Status, text)
	}
	untold := dial()
	refused := make(chan error, 1)
	go func() {
		fmt.Fprintf(untold, "POST /v1/import?request=%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", ask)
		part := bytes.Repeat([]byte("x"), 1<<20)
		for range 1 << 10 {
			if _, err := fmt.Fprintf(untold, "%x\r\n%s\r\n", len(part), part); err != nil {
				refused <- nil
				return
			}
		}
		refused <- fmt.Errorf("1 GiB was taken")
	}()

	last, at := d.metric(lastScan), time.Now()
	for until := time.Now().Add(time.Duration(times(8, 60)) * time.Second); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		if now := d.metric(lastScan); now > last {
			last, at = now, time.Now()
		}
		late = max(late, time.Since(at)-interval)
	}
	if late > mostLate {
		return late, fmt.Errorf("a scan was %s late", late)
	}
	if err := <-refused; err != nil {
		return late, err
	}
	began := time.Now()
	r := b.run("today")
	for r.code != 0 && strings.Contains(r.err, "try again") && time.Since(began) < 2*mostLate {
		r = b.run("today")
	}
	if r.code != 0 {
		return late, fmt.Errorf("today: %s", r)
	}
	if took := time.Since(began); took > 2*mostLate {
		return late, fmt.Errorf("today took %s", took)
	}
	leave()
	// No command needs a longer read than there may be.
	for _, args := range [][]string{{"upcoming", "--all", "-o", "json"}, {"report", "ontime"}, {"report", "ageing"}, {"status"}, {"check", "portfolio"}, {"audit", "verify"}} {
		if r := b.run(args...); r.code != 0 && !strings.Contains(r.err, "busy") {
			return late, fmt.Errorf("%s: %.300s", strings.Join(args, " "), r)
		}
	}
	if n := d.metric("tickler_store_reads_ended_total"); n > 0 {
		return late, fmt.Errorf("%v reads took too long", n)
	}
	return late, nil
}

// mostMemory is the most that the process has had in memory, in bytes.
func (d *daemon) mostMemory() int {
	d.t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(d.cmd.Process.Pid), "status"))
	must(d.t, err)
	m := regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		d.t.Fatalf("no VmHWM in %s", text)
	}
	n, err := strconv.Atoi(string(m[1]))
	must(d.t, err)
	return n << 10
}

// Control: a loop that stops for 8 s is found out.
func TestPromise06ControlALoopThatWaitsForClientsIsFound(t *testing.T) {
	t.Parallel()
	if !*full {
		t.Skip("with -promises.full")
	}
	b := peopled(t, 1_000)
	b.configure(everyTwoSeconds)
	b.program = planted(t, "scheduler/run.go", "	s.scanned(ctx, took, err)\n", "	s.scanned(ctx, took, err)\n	if s.cfg.Store.Vitals().Commits.Count > 0 {\n		time.Sleep(8 * time.Second)\n	}\n")
	d := b.serve()
	if _, err := overload(t, d, b); err == nil {
		t.Error("a loop that is 8 s late was not found")
	} else if !strings.Contains(err.Error(), "late") {
		t.Error(err)
	}
}
