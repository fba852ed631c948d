package promises

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
	"tickler/store/storetest"
	"tickler/web"
)

// desk is where clients bring their moves.
type desk interface {
	// ask makes a move, which is known by its nonce from then on.
	ask(m move, nonce string) answer

	// look says what became of a move whose outcome was unknown, once what
	// served it is gone.
	look(m move, nonce string) answer
}

// contend lets many clients act on few duties until an end, and gives what each
// asked and was told. Of the outcomes that nobody knew a few of each duty stay
// unknown; the others are looked up, as the answer's hint says: with many open
// the checker would not end, and accept nearly anything.
func contend(r *rand.Rand, d desk, duties []string, clients int, length time.Duration) []porcupine.Operation {
	began := time.Now()
	now := func() int64 { return time.Since(began).Nanoseconds() }
	history := make([][]porcupine.Operation, clients)
	var open sync.Map   // duty -> *atomic.Int64: outcomes that stay unknown
	var lately sync.Map // duty -> where it was when somebody last saw it
	var wg sync.WaitGroup
	for c := range clients {
		own := rand.New(rand.NewPCG(r.Uint64(), uint64(c)))
		wg.Go(func() {
			for n := 0; time.Since(began) < length; n++ {
				m := move{duty: duties[own.IntN(len(duties))]}
				if last, ok := lately.Load(m.duty); ok && own.IntN(4) > 0 {
					m.likely(own, last.(dutyState))
				} else {
					m.by, m.what = acting[own.IntN(len(acting))], moves[own.IntN(len(moves))]
				}
				nonce := fmt.Sprintf("move-%d-%d", c, n)
				call := now()
				a := d.ask(m, nonce)
				back := now()
				if a.how == "unknown" {
					back = never
					n, _ := open.LoadOrStore(m.duty, new(atomic.Int64))
					if own.IntN(3) > 0 || n.(*atomic.Int64).Add(1) > 2 {
						a = d.look(m, nonce)
						back = now()
					}
				}
				if (a.shown != dutyState{}) {
					lately.Store(m.duty, a.shown)
				}
				history[c] = append(history[c], porcupine.Operation{ClientId: c, Input: m, Output: a, Call: call, Return: back})
				if back == never && m.what == "read" {
					history[c] = history[c][:len(history[c])-1] // it changed nothing and said nothing
				}
			}
		})
	}
	wg.Wait()
	return slices.Concat(history...)
}

var moves = []string{"read", "submit", "sign", "return", "waive", "reopen"}

// likely makes it a move that fits where the duty was, so that many try the
// same at once.
func (m *move) likely(r *rand.Rand, s dutyState) {
	m.by = acting[1+r.IntN(len(acting)-1)]
	switch {
	case s.state == "raised" && r.IntN(4) > 0:
		m.by, m.what = officer, "submit"
	case s.state == "raised":
		m.what = "waive"
	case s.state == "submitted":
		m.what = []string{"sign", "sign", "return", "waive"}[r.IntN(4)]
	default:
		m.what = "reopen"
	}
}

// tallied says what a history holds, and that it holds something.
func tallied(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	n := map[string]int{}
	for _, op := range history {
		n[op.Input.(move).what+" "+op.Output.(answer).how]++
	}
	t.Logf("%d operations: %v", len(history), n)
	for _, what := range []string{"submit done", "sign done", "reopen done", "submit refused"} {
		if n[what] == 0 {
			t.Errorf("no operation is %q", what)
		}
	}
}

// contended is the rulebook and the ledger of the duties that are fought for:
// one of each loan, signed on two levels.
var contended = strings.Replace(rulebook, "sign: [supervisor]", "sign: [supervisor, president]", 1)

// contendedStaff enters who acts, each with the OS user that he is.
func contendedStaff(user func(person) string) string {
	var s strings.Builder
	s.WriteString("工号,姓名,机构,岗位,系统用户\n")
	for _, p := range acting {
		fmt.Fprintf(&s, "%s,某%s,B01,%s,%s\n", p.id, p.id, p.role, user(p))
	}
	return s.String()
}

func contendedLedger(loans int) string {
	var s strings.Builder
	s.WriteString("借据号,客户号,客户名称,机构,客户经理,发放金额,余额,发放日,到期日,五级分类,管理方式,数据日期\n")
	for i := range loans {
		fmt.Fprintf(&s, "JJ%d,C%d,客户%d,B01,S001,1000000,1000000,%s,%s,正常,常规,%s\n", i, i, i, today().AddDays(-400), today().AddDays(700), today())
	}
	return s.String()
}

// fought are the ids of the duties: the newest report on a desk of each loan.
func fought(all []duty) []string {
	newest := map[string]duty{}
	for _, d := range all {
		if d.Rule == "monthly-report" && d.State == "raised" && d.Occurrence > newest[d.Subject.ID].Occurrence {
			newest[d.Subject.ID] = d
		}
	}
	var out []string
	for _, d := range newest {
		out = append(out, d.ID)
	}
	slices.Sort(out)
	return out
}

func stateOf(o *api.Obligation) dutyState {
	s := dutyState{state: string(o.State), by: o.SubmittedBy}
	for _, x := range o.Signatures {
		s.signed += x.By + " "
	}
	if o.Waiver != nil {
		s.asked = o.Waiver.By
	}
	return s
}

// handled is a desk in this process: the handlers of the daemon, without a
// socket, on a store that fails at random.
type handled struct {
	t   *testing.T
	dir string

	mu     sync.RWMutex // held for writing while the store is opened again
	faulty *storetest.Faulty
	st     *store.Store
	web    http.Handler
	starts int
}

func newHandled(t *testing.T, loans int) *handled {
	h := &handled{t: t, dir: t.TempDir()}
	must(t, os.WriteFile(filepath.Join(h.dir, "rules.yaml"), []byte(contended), 0o600))
	path := filepath.Join(h.dir, "tickler.db")
	must(t, bolt.Create(path))
	backend, err := bolt.Open(path, bolt.Options{})
	must(t, err)
	st := store.New(backend)
	must(t, scheduler.Init(t.Context(), st, scheduler.InitOptions{GoLive: today().AddDays(-60), Now: time.Now()}))
	must(t, st.Close())
	h.open()
	t.Cleanup(func() { h.st.Close() })
	owner := scheduler.Actor{OSUser: "root", Owner: true}
	for name, text := range map[string]string{"staff.csv": contendedStaff(handledUser), "loans.csv": contendedLedger(loans)} {
		request, err := json.Marshal(api.ImportRequest{Name: name})
		must(t, err)
		if code, body := h.post(owner, "import?request="+url.QueryEscape(string(request)), []byte(text)); code != http.StatusOK {
			t.Fatalf("import %s: %s", name, body)
		}
	}
	return h
}

func handledUser(p person) string { return "u." + p.id }

// open opens the store for the first time, or again as after a crash.
func (h *handled) open() {
	backend, err := bolt.Open(filepath.Join(h.dir, "tickler.db"), bolt.Options{})
	must(h.t, err)
	h.faulty = &storetest.Faulty{Backend: backend}
	h.st = store.New(h.faulty)
	s, err := scheduler.New(scheduler.Config{Store: h.st, RulesPath: filepath.Join(h.dir, "rules.yaml"), Daemon: true})
	must(h.t, err)
	h.web = web.Handler(s)
	h.starts++
}

func (h *handled) post(as scheduler.Actor, verb string, body []byte) (code int, reply []byte) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/v1/"+verb, bytes.NewReader(body))
	h.web.ServeHTTP(w, r.WithContext(web.WithActor(r.Context(), as)))
	return w.Code, w.Body.Bytes()
}

// duties lists what is fought for.
func (h *handled) duties() []string {
	h.t.Helper()
	code, body := h.post(scheduler.Actor{OSUser: "root", Owner: true}, "list", []byte(`{"all": true}`))
	var reply struct{ Obligations []duty }
	if err := json.Unmarshal(body, &reply); err != nil || code != http.StatusOK {
		h.t.Fatalf("list: %d %s", code, body)
	}
	return fought(reply.Obligations)
}

func (h *handled) ask(m move, nonce string) (a answer) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	defer func() {
		if p := recover(); p != nil { // a server goes on, and its client hears nothing
			if _, ok := p.(storetest.Panic); !ok {
				panic(p)
			}
			a.how = "unknown"
		}
	}()
	as := scheduler.Actor{OSUser: handledUser(m.by)}
	if m.what == "read" {
		request, _ := json.Marshal(api.ShowRequest{ID: m.duty})
		code, body := h.post(as, "show", request)
		return said(h.t, m, code, body)
	}
	request, _ := json.Marshal(api.ActRequest{ID: m.duty, Reason: nonce, Note: nonce})
	code, body := h.post(as, m.what, request)
	return said(h.t, m, code, body)
}

// said reads an answer of the handlers.
func said(t *testing.T, m move, code int, body []byte) answer {
	if code == http.StatusOK {
		var reply struct {
			Obligation *api.Obligation
			Pending    bool
		}
		if err := json.Unmarshal(body, &reply); err != nil || reply.Obligation == nil {
			t.Errorf("%s: %v: %s", m, err, body)
			return answer{how: "unknown"}
		}
		a := answer{how: "done", shown: stateOf(reply.Obligation)}
		if reply.Pending {
			a.how = "asked"
		}
		return a
	}
	var e api.Error
	if err := json.Unmarshal(body, &e); err != nil {
		t.Errorf("%s: %v: %s", m, err, body)
	}
	switch {
	case e.Code == api.Usage, e.Code == api.NotAllowed:
		return answer{how: "refused"}
	case e.Code == api.Unknown, strings.Contains(e.Text, store.ErrOutcomeUnknown.Error()):
		return answer{how: "unknown"}
	case strings.Contains(e.Text, storetest.ErrInjected.Error()):
		return answer{how: "failed"}
	}
	t.Errorf("%s: %s", m, body)
	return answer{how: "unknown"}
}

// mend opens the store again where its outcome is unknown or its power was cut.
func (h *handled) mend() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.st.Err() != nil || h.faulty.Dead() {
		must(h.t, h.st.Close())
		h.open()
	}
}

// look looks for the move in the audit of the store that is open after it.
func (h *handled) look(m move, nonce string) answer {
	h.mend()
	h.mu.RLock()
	defer h.mu.RUnlock()
	a := answer{how: "failed"}
	err := store.New(h.faulty.Backend).View(h.t.Context(), func(tx *store.Tx) error {
		return tx.ScanAudit(1, 0, func(r store.Record) error {
			var d struct{ Reason string }
			if strings.HasSuffix(r.Action, ".by_person") && json.Unmarshal(r.Detail, &d) == nil && d.Reason == nonce {
				a.how = how(r.Action)
			}
			return nil
		})
	})
	if err != nil {
		h.t.Errorf("look: %v", err)
	}
	return a
}

// how is what a record of a move says that was answered.
func how(action string) string {
	if strings.Contains(action, "waiver_asked") {
		return "asked"
	}
	return "done"
}

// curse has the store fail at random until stop is closed.
func (h *handled) curse(r *rand.Rand, every time.Duration, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(every):
		}
		h.mend()
		hows := []storetest.How{storetest.Fail, storetest.Throw, storetest.PowerCut, storetest.UnknownNot, storetest.UnknownDone, storetest.UnknownDone}
		f := storetest.Fault{Op: storetest.OpCommit, How: hows[r.IntN(len(hows))], N: 1}
		if f.How == storetest.Fail && r.IntN(2) == 0 {
			f.Op, f.N = storetest.Ops[r.IntN(len(storetest.Ops))], 1+r.IntN(20)
		}
		h.mu.RLock()
		h.faulty.Set(f)
		h.mu.RUnlock()
	}
}

// Whatever many clients ask at once of few duties, and however the store fails
// meanwhile: some order of their moves, one after the other, explains every
// answer. An outcome may be unknown; a contradiction may not be.
func TestPromise13MovesHappenOneAfterTheOther(t *testing.T) {
	r := random(t)
	h := newHandled(t, times(4, 20))
	duties := h.duties()
	if len(duties) != times(4, 20) {
		t.Fatalf("%d duties", len(duties))
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	luck := rand.New(rand.NewPCG(r.Uint64(), 1))
	wg.Go(func() { h.curse(luck, 100*time.Millisecond, stop) })
	history := contend(r, h, duties, times(20, 200), time.Duration(times(3, 60))*time.Second)
	close(stop)
	wg.Wait()
	tallied(t, history)
	t.Logf("the store was opened %d times", h.starts)
	wantLinearizable(t, history)
	if _, err := h.st.VerifyAudit(t.Context()); err != nil && h.st.Err() == nil && !h.faulty.Dead() {
		t.Error(err)
	}
}

// The checker finds a store that loses what it acknowledged.
func TestPromise13ControlALostMoveIsFound(t *testing.T) {
	r := random(t)
	h := newHandled(t, 2)
	h.faulty.Set(storetest.Fault{Op: storetest.OpCommit, How: storetest.Lose, N: 10, ForEver: true})
	history := contend(r, h, h.duties(), 8, time.Second)
	if h.faulty.Struck() == 0 {
		t.Fatal("nothing was lost")
	}
	if linearizable(t, history) {
		t.Errorf("a lost move was not found among %d", len(history))
	}
}

// socket is a desk at the real daemon: every move is a command of another OS
// user. Before the daemon is killed new moves wait, those at work do not.
type socket struct {
	t    *testing.T
	b    *branch // the daemon's
	path string

	mu    sync.RWMutex // held for writing while no daemon is there
	d     *daemon
	kills atomic.Int64 // odd from before a kill until a daemon is there again
}

// osUsers are users that every system has, for those who act.
var osUsers = map[string]string{"S001": "nobody", "S010": "games", "S011": "bin", "S020": "mail", "S021": "news"}

func newSocket(t *testing.T, program string, loans int) *socket {
	t.Helper()
	needRoot(t)
	b := newBranch(t)
	b.program = program
	must(t, os.WriteFile(filepath.Join(b.data, "rules.yaml"), []byte(contended), 0o600))
	b.must("import", b.file("staff.csv", contendedStaff(func(p person) string { return osUsers[p.id] })), b.file("loans.csv", contendedLedger(loans)))
	b.own("daemon")
	k := &socket{t: t, b: b, path: filepath.Join(b.dir, "s")}
	k.serve()
	return k
}

func (k *socket) serve() {
	k.t.Helper()
	k.d = k.b.start("--socket", k.path)
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("unix", k.path); err == nil {
			conn.Close()
			return
		}
	}
	k.t.Fatalf("the daemon does not listen: %s", k.d.log)
}

// crash kills the daemon in the middle of whatever it does, and starts it.
func (k *socket) crash() {
	k.kills.Add(1)
	k.d.kill()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.serve()
	k.kills.Add(1)
}

func (k *socket) run(user string, args ...string) result {
	c := *k.b
	c.as, c.env = user, []string{"TICKLER_SOCKET=" + k.path}
	return c.run(args...)
}

func (k *socket) ask(m move, nonce string) answer {
	k.mu.RLock()
	defer k.mu.RUnlock()
	kills := k.kills.Load()
	flag := map[string]string{"submit": "--note", "sign": "--note"}[m.what]
	if flag == "" {
		flag = "--reason"
	}
	args := []string{m.what, m.duty, flag, nonce, "-o", "json"}
	if m.what == "read" {
		args = []string{"show", m.duty, "-o", "json"}
	}
	r := k.run(osUsers[m.by.id], args...)
	switch {
	case r.code == 0:
		return k.shown(m, r)
	case kills%2 == 1 || k.kills.Load() > kills:
		return answer{how: "unknown"}
	case r.code == 2 || r.code == 12:
		return answer{how: "refused"}
	}
	k.t.Errorf("%s: %s", m, r)
	return answer{how: "unknown"}
}

// shown reads what a command that succeeded printed.
func (k *socket) shown(m move, r result) answer {
	var reply struct {
		api.Obligation
		Of      *api.Obligation `json:"obligation"` // of a move
		Pending bool            `json:"pending"`
	}
	if err := json.Unmarshal([]byte(r.out), &reply); err != nil {
		k.t.Errorf("%s: %v: %s", m, err, r)
	}
	o := &reply.Obligation
	if reply.Of != nil {
		o = reply.Of
	}
	a := answer{how: "done", shown: stateOf(o)}
	if reply.Pending {
		a.how = "asked"
	}
	return a
}

func (k *socket) look(m move, nonce string) answer {
	var reply struct {
		History []struct {
			Action string
			Detail struct{ Reason, Note string }
		}
	}
	for tries := 0; ; tries++ {
		k.mu.RLock() // a daemon is there
		r := k.run("daemon", "show", m.duty, "-o", "json")
		k.mu.RUnlock()
		if r.code == 0 && json.Unmarshal([]byte(r.out), &reply) == nil {
			break
		}
		if tries == 20 { // it may have been killed meanwhile, not as often as that
			k.t.Errorf("look at %s: %s", m, r)
			return answer{how: "unknown"}
		}
	}
	for _, x := range reply.History {
		if strings.HasSuffix(x.Action, ".by_person") && (x.Detail.Reason == nonce || x.Detail.Note == nonce) {
			return answer{how: how(x.Action)}
		}
	}
	return answer{how: "failed"}
}

// The same of the real binary: OS users at the socket of a daemon that is
// killed and started again.
func TestPromise13ManyUsersOneDaemonKilled(t *testing.T) {
	r := random(t)
	k := newSocket(t, program, times(2, 20))
	history := k.contend(r, times(8, 200), time.Duration(times(5, 60))*time.Second)
	tallied(t, history)
	wantLinearizable(t, history)
	if code := k.d.stop(); code != 0 {
		t.Errorf("the daemon ended with %d: %s", code, k.d.log)
	}
	k.b.sound()
}

// contend is contend on this desk, with the daemon killed now and then: of two
// hundred clients it answers few in two seconds.
func (k *socket) contend(r *rand.Rand, clients int, length time.Duration) []porcupine.Operation {
	k.t.Helper()
	var list []duty
	if out := k.run("daemon", "upcoming", "--all", "-o", "json"); json.Unmarshal([]byte(out.out), &list) != nil {
		k.t.Fatalf("upcoming: %s", out)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(times(2, 10)) * time.Second):
				k.crash()
			}
		}
	})
	history := contend(r, k, fought(list), clients, length)
	close(stop)
	wg.Wait()
	k.t.Logf("the daemon was killed %d times", k.kills.Load()/2)
	return history
}

// The checker finds a program that forgets a return which it acknowledged.
func TestPromise13ControlAForgottenReturnIsFound(t *testing.T) {
	r := random(t)
	needRoot(t)
	bad := planted(t, "scheduler/acts.go", "if err := m.keep(was); err != nil {", "if m.kind == obligation.ChangeReturned {\n\t\t} else if err := m.keep(was); err != nil {")
	k := newSocket(t, bad, 1)
	if history := k.contend(r, 6, 5*time.Second); linearizable(t, history) {
		t.Errorf("a forgotten return was not found among %d operations", len(history))
	}
}
