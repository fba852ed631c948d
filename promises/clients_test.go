//go:build linux

package promises

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// clients is what several clients ask of a daemon at once, and what it answered.
// It outlives daemons: nothing that one of them acknowledged may be gone.
type clients struct {
	branch *branch

	mu     sync.Mutex
	tried  map[string]bool // what was asked, as effects names it
	acked  map[string]bool // what was answered with done
	odd    []string        // answers that are neither done nor the daemon's end
	number int             // of the last request: each is another
	desk   []duty          // of S001, not yet asked for
}

// newClients makes a branch ready: root records and imports, S001 submits and asks
// for waivers.
func newClients(b *branch) *clients {
	b.mapped()
	b.socket = filepath.Join(b.dir, "sock") // for every user
	l := &clients{branch: b, tried: map[string]bool{}, acked: map[string]bool{}}
	for _, d := range b.duties() {
		if d.Owner == "S001" && d.State == "raised" {
			l.desk = append(l.desk, d)
		}
	}
	return l
}

// clientAs speaks to the daemon as an OS user; whose a connection is, the
// kernel notes when it is made.
func (l *clients) clientAs(name string) *http.Client {
	uid := 0
	if name != "" {
		uid, _ = ids(l.branch.t, name)
	}
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		runtime.LockOSThread() // the call below is of this thread alone
		defer runtime.UnlockOSThread()
		const same = ^uintptr(0)
		if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, same, uintptr(uid), same); e != 0 {
			return nil, e
		}
		defer unix.RawSyscall(unix.SYS_SETRESUID, same, 0, same)
		return net.Dial("unix", l.branch.socket)
	}}}
}

// ask posts one request. effect is what it brings about once. It gives false
// where nobody listened.
func (l *clients) ask(ctx context.Context, c *http.Client, effect, verb string, request any, file []byte) bool {
	l.mu.Lock()
	l.tried[effect] = true
	l.mu.Unlock()
	body, _ := json.Marshal(request)
	target := "http://tickler/v1/" + verb
	if file != nil {
		target, body = target+"?request="+url.QueryEscape(string(body)), file
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	resp, err := c.Do(r)
	if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
		time.Sleep(5 * time.Millisecond) // it begins to listen, or has ended
		return false
	}
	if err != nil {
		return true
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return true // cut off: not acknowledged
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if resp.StatusCode == http.StatusOK {
		l.acked[effect] = true
		return true
	}
	l.odd = append(l.odd, fmt.Sprintf("%s: %s %.200s", effect, resp.Status, text))
	return true
}

// run asks until ctx ends: three who record, one who imports, one who submits.
func (l *clients) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	next := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.number++
		return l.number
	}
	client := func(as string, one func(c *http.Client)) {
		all.Add(1)
		c := l.clientAs(as)
		go func() {
			defer all.Done()
			defer c.CloseIdleConnections()
			for ctx.Err() == nil {
				one(c)
			}
		}()
	}
	for range 3 {
		client("", func(c *http.Client) {
			n := next()
			l.ask(ctx, c, fmt.Sprintf("event.recorded E%d", n), "record",
				map[string]any{"event": "worklog.submitted", "subject": fmt.Sprintf("borrower/C%06d", n%30), "id": fmt.Sprintf("E%d", n)}, nil)
		})
	}
	client("", func(c *http.Client) {
		n := next()
		name := fmt.Sprintf("loans-%d.csv", n)
		l.ask(ctx, c, "ledger.imported "+name, "import", map[string]any{"name": name}, []byte(ledger(60, today(), n)))
		time.Sleep(20 * time.Millisecond)
	})
	client(officerUser, func(c *http.Client) {
		l.mu.Lock()
		if len(l.desk) == 0 {
			l.mu.Unlock()
			time.Sleep(20 * time.Millisecond)
			return
		}
		d := l.desk[0]
		l.mu.Unlock()
		asked := false
		if d.Rule == "monthly-report" {
			asked = l.ask(ctx, c, "obligation.submitted "+d.ID, "submit", map[string]any{"id": d.ID}, nil)
		} else {
			asked = l.ask(ctx, c, "obligation.waiver_asked "+d.ID, "waive", map[string]any{"id": d.ID, "reason": "借款人已进入破产程序"}, nil)
		}
		if asked {
			l.mu.Lock()
			l.desk = l.desk[1:]
			l.mu.Unlock()
		}
	})
}

// verdict holds the store against what was acknowledged. No daemon is at work.
func (l *clients) verdict() []string {
	b := l.branch
	if r := b.run("check"); r.code != 0 {
		return []string{"the store is not sound: " + r.String()}
	}
	s := b.state()
	bad := s.halves()
	effects, newest := map[string]int{}, ""
	for _, e := range s.audit {
		effects[e.Action+" "+e.Subject]++
		if e.Action == "ledger.imported" && strings.HasPrefix(e.Subject, "loans-") {
			newest = e.Subject
		}
	}
	states := map[string]string{}
	for _, d := range s.duties {
		states[d.ID] = d.State
	}
	h := b.horizon()
	bad = append(bad, expect(b.t, ledger(60, today(), 0), h, notices[0].limit, s.events(), today()).against(s.duties, h.Business)...)
	for e := range l.tried {
		n := effects[e]
		switch {
		case n == 0 && l.acked[e]:
			bad = append(bad, "acknowledged and lost: "+e)
		case n > 1:
			bad = append(bad, fmt.Sprintf("%d times: %s", n, e))
		}
		action, subject, _ := strings.Cut(e, " ")
		if n > 0 && action == "obligation.submitted" && states[subject] != "submitted" {
			bad = append(bad, fmt.Sprintf("%s was submitted and is %s", subject, states[subject]))
		}
	}
	// The facts are those of the newest file, all of them.
	if newest != "" {
		var n int
		fmt.Sscanf(newest, "loans-%d.csv", &n)
		path := b.file(newest, ledger(60, today(), n))
		if r := b.run("import", "--dry-run", "--exit-code", path); r.code != 0 {
			bad = append(bad, "the last file is not wholly there: "+r.String())
		}
		os.Remove(path)
	}
	return bad
}

// tally counts what was acknowledged, by kind, under "" all that was asked.
type tally map[string]int

func (n tally) add(l *clients) {
	n[""] += len(l.tried)
	for e := range l.acked {
		action, _, _ := strings.Cut(e, " ")
		n[action]++
	}
}

// enough fails where there was nothing to lose.
func (n tally) enough(t *testing.T) {
	t.Helper()
	for _, action := range []string{"event.recorded", "ledger.imported", "obligation.submitted"} {
		if n[action] == 0 {
			t.Errorf("no %s was acknowledged: that is no load: %v", action, n)
		}
	}
}

// warm says that something of each kind was acknowledged.
func (l *clients) warm() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := tally{}
	n.add(l)
	return n["event.recorded"] > 0 && n["ledger.imported"] > 0 && n["obligation.submitted"] > 0
}

// under loads a daemon, ends it by cut after a while, and waits for the clients.
// The first time it goes on until there is something of each kind to lose.
func (l *clients) under(d *daemon, while time.Duration, cut func()) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		l.run(ctx)
		close(ended)
	}()
	select {
	case <-time.After(while):
	case <-d.ended:
	}
	for wait := 0; !l.warm() && wait < 1000; wait++ {
		time.Sleep(20 * time.Millisecond)
	}
	cut()
	stop()
	<-ended
}

// A daemon is killed under load, at any moment from its start on. What it
// acknowledged is there when the next one starts, once and whole.
func TestPromise01RandomKillsUnderLoadLoseNothing(t *testing.T) {
	needRoot(t)
	t.Parallel()
	rng := random(t)
	base := peopled(t, 60)
	left, seen := times(12, 1000), tally{}
	for left > 0 {
		l := newClients(base.copied()) // a fresh store now and then: to look at a long history takes long
		for range min(left, 25) {
			left--
			d := l.branch.start()
			l.under(d, time.Duration(30+rng.IntN(times(200, 600)))*time.Millisecond, d.kill)
			if bad := l.verdict(); len(bad) > 0 {
				t.Fatalf("%d to go: %q\n%s", left, bad[:min(len(bad), 10)], d.log)
			}
		}
		if len(l.odd) > 0 {
			t.Errorf("answers without need (%d): %q", len(l.odd), l.odd[:min(len(l.odd), 3)])
		}
		seen.add(l)
		t.Logf("%d kills to go; acknowledged, and there: %v", left, seen)
		l.branch.discard()
	}
	seen.enough(t)
}
