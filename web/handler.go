package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os/user"
	"runtime/debug"
	"strconv"

	"tickler/api"
	"tickler/scheduler"
)

// Options are what a Handler needs beside its scheduler; the zero value serves
// one command in its own process.
type Options struct {
	Log *slog.Logger // nil writes nothing
}

// Server answers requests: /v1/VERB for api.Client, /healthz and /metrics.
type Server struct {
	scheduler *scheduler.Scheduler
	log       *slog.Logger
	metrics   *metrics
	places    places
	sending   sending
	mux       *http.ServeMux
}

// New makes a Server.
func New(s *scheduler.Scheduler, o Options) *Server {
	h := &Server{scheduler: s, log: o.Log, metrics: newMetrics(s), places: newPlaces(), sending: newSending(), mux: http.NewServeMux()}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	h.routes()
	return h
}

// Handler serves /v1/VERB for api.Client, /healthz and /metrics.
func Handler(s *scheduler.Scheduler) http.Handler { return New(s, Options{}) }

// routes names what is answered. Each verb says what its requests weigh.
func (h *Server) routes() {
	s := h.scheduler
	handle(h, "list", reads, s.List)
	handle(h, "show", small, s.Show)
	handle(h, "why", small, s.Why)
	handle(h, "sample", reads, s.Sample)
	handle(h, "portfolio", reads, s.Portfolio)
	handle(h, "ontime", reads, s.Ontime)
	handle(h, "ageing", reads, s.Ageing)
	handle(h, "coverage", reads, s.Coverage)
	handle(h, "score", reads, s.Score)
	handle(h, "status", small, func(ctx context.Context, _ struct{}) (*api.StatusReply, error) { return s.Status(ctx) })
	handle(h, "check", reads, func(ctx context.Context, _ struct{}) (*api.CheckReply, error) { return s.Check(ctx) })
	handle(h, "backup", small, func(ctx context.Context, r api.BackupRequest) (*api.Copy, error) {
		return s.Backup(ctx, actor(ctx), r)
	})
	handle(h, "audit-head", small, func(ctx context.Context, _ struct{}) (*api.Head, error) { return s.AuditHead(ctx) })
	handle(h, "audit-verify", reads, s.AuditVerify)
	handle(h, "audit-page", reads, s.AuditPage)
	handle(h, "audit-about", small, s.AuditAbout)
	handle(h, "record", small, func(ctx context.Context, r api.RecordRequest) (*api.RecordReply, error) {
		return s.Record(ctx, actor(ctx), r)
	})
	for verb, move := range map[string]func(context.Context, scheduler.Actor, api.ActRequest) (*api.ActReply, error){
		"submit": s.Submit, "sign": s.Sign, "return": s.Return, "waive": s.Waive, "reopen": s.Reopen, "reassign": s.Reassign,
	} {
		handle(h, verb, carriesFiles, func(ctx context.Context, r api.ActRequest) (*api.ActReply, error) {
			return move(ctx, actor(ctx), r)
		})
	}
	handle(h, "user", small, func(ctx context.Context, r api.UserRequest) (*api.UserReply, error) {
		return s.User(ctx, actor(ctx), r)
	})
	handle(h, "users", small, func(ctx context.Context, _ struct{}) (*api.UsersReply, error) { return s.Users(ctx) })
	handle(h, "deputy", small, func(ctx context.Context, r api.DeputyRequest) (*api.DeputyReply, error) {
		return s.Deputy(ctx, actor(ctx), r)
	})
	handle(h, "withdraw", small, func(ctx context.Context, r api.WithdrawRequest) (*api.WithdrawReply, error) {
		return s.Withdraw(ctx, actor(ctx), r)
	})
	handle(h, "outbox", reads, s.Outbox)
	handle(h, "snooze", small, func(ctx context.Context, r api.SnoozeRequest) (*api.SnoozeReply, error) {
		return s.Snooze(ctx, actor(ctx), r)
	})
	handle(h, "clock", small, func(ctx context.Context, r api.ClockRequest) (*api.ClockReply, error) {
		return s.Clock(ctx, actor(ctx), r)
	})
	handle(h, "tick", small, func(ctx context.Context, r api.TickRequest) (*api.TickReply, error) {
		return s.Tick(ctx, actor(ctx), r)
	})
	handle(h, "simulate", reads, s.Simulate)
	handle(h, "diff", carriesDocuments, s.Diff)
	handle(h, "history", small, func(ctx context.Context, _ struct{}) (*api.HistoryReply, error) { return s.History(ctx) })
	handle(h, "book", small, s.Book)
	handle(h, "activate", carriesDocuments, func(ctx context.Context, r api.ActivateRequest) (*api.ActivateReply, error) {
		return s.Activate(ctx, actor(ctx), r)
	})
	h.mux.HandleFunc("POST /v1/import", h.counted("import", h.takeLedger))
	h.mux.HandleFunc("GET /healthz", h.Health)
	h.mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		// The figures go over all branches, and the socket may be for everybody.
		if err := s.Watches(r.Context()); err != nil {
			fail(w, r, err)
			return
		}
		h.Metrics(w, r)
	})
}

// ServeHTTP answers a request: who asks, and for whatever, goes with it.
func (h *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.recovered(w, r)
	h.mux.ServeHTTP(w, r.WithContext(scheduler.As(r.Context(), actor(r.Context()))))
}

// Watch serves what monitoring asks, to whoever can reach it: no names, no
// numbers of customers, no way to do anything.
func (h *Server) Watch() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", h.Health)
	mux.HandleFunc("GET /metrics", h.Metrics)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer h.recovered(w, r)
		mux.ServeHTTP(w, r)
	})
}

// Health answers 200 where the daemon does its work, and 503 with what keeps it
// from it.
func (h *Server) Health(w http.ResponseWriter, r *http.Request) {
	ok, problems := h.scheduler.Healthy(r.Context())
	if problems == nil {
		problems = []string{}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	state := map[string]any{"healthy": ok, "problems": problems}
	if h.scheduler.Proving() {
		state["proving"] = true // changes wait for it
	}
	json.NewEncoder(w).Encode(state)
}

// Metrics answers a scrape of Prometheus.
func (h *Server) Metrics(w http.ResponseWriter, r *http.Request) { h.metrics.handler().ServeHTTP(w, r) }

// recovered keeps a fault of the program at one request from all others.
func (h *Server) recovered(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	h.metrics.faults.Inc()
	h.log.Error("a fault of the program", "at", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	// After the commit as well as before it: nobody knows here.
	fail(w, r, api.Errorf(api.Unknown, "look, and do again what is missing; the daemon's log has the details", "a fault of the program at this request: whether it was done is not known (程序错误，是否已生效不明)"))
}

// takeLedger takes a ledger file, whose request is in the URL.
func (h *Server) takeLedger(w http.ResponseWriter, r *http.Request) error {
	var req api.ImportRequest
	if err := json.Unmarshal([]byte(r.URL.Query().Get("request")), &req); err != nil {
		return api.Errorf(api.Usage, "", "read the request: %v", err)
	}
	if err := h.scheduler.Admits(r.Context()); err != nil { // before a file is taken from him
		return err
	}
	return h.answered(w, r, carriesLedger, func(ctx context.Context, data []byte) (any, error) {
		return h.scheduler.Import(ctx, actor(ctx), req, data)
	})
}

// handle makes a handler of a function from request to reply.
func handle[Request, Reply any](h *Server, verb string, weight weight, do func(context.Context, Request) (*Reply, error)) {
	h.mux.HandleFunc("POST /v1/"+verb, h.counted(verb, func(w http.ResponseWriter, r *http.Request) error {
		return h.answered(w, r, weight, func(ctx context.Context, body []byte) (any, error) {
			var req Request
			if err := json.Unmarshal(body, &req); err != nil {
				return nil, api.Errorf(api.Usage, "", "read the request: %v", err)
			}
			return do(ctx, req)
		})
	}))
}

// counted counts a verb's requests by how they end. An error is answered here.
func (h *Server) counted(verb string, serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		outcome := string(api.Failed) // where the program failed
		defer func() { h.metrics.requests.WithLabelValues(verb, outcome).Inc() }()
		err := serve(w, r)
		if outcome = "ok"; err != nil {
			outcome = string(api.CodeOf(err))
			fail(w, r, err)
		}
	}
}

// answered reads a request, waits for a place, does the work, waits for room
// for the answer, leaves the place, and sends: who takes it slowly holds the
// memory that it fills, and neither a place nor the store.
func (h *Server) answered(w http.ResponseWriter, r *http.Request, weight weight, work func(context.Context, []byte) (any, error)) error {
	leave, body, err := h.enter(w, r, weight)
	if err != nil {
		return err
	}
	var kind string
	text, done, err := func() (text []byte, done func(), err error) {
		defer leave()
		reply, err := work(r.Context(), body)
		if err != nil {
			return nil, nil, err
		}
		if text, kind, err = encoded(r, reply); err != nil || !weight.send {
			return text, func() {}, err
		}
		done, ok := h.sending.take(r.Context(), len(text))
		if !ok {
			return nil, nil, h.busy()
		}
		return text, done, nil
	}()
	if err != nil {
		return err
	}
	defer done()
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	send(w, r, text)
	return nil
}

// encoded gives a reply as JSON, or in its packed form to who asks for it by
// name.
func encoded(r *http.Request, reply any) (text []byte, kind string, err error) {
	if p, ok := reply.(api.Packer); ok && r.Header.Get("Accept") == api.PackedList {
		return p.Pack(), api.PackedList, nil
	}
	if text, err = json.Marshal(reply); err != nil {
		return nil, "", err
	}
	return append(text, '\n'), "application/json; charset=utf-8", nil
}

// statusOf maps what went wrong to HTTP, once.
var statusOf = map[api.Code]int{
	api.Usage: http.StatusBadRequest, api.NotFound: http.StatusNotFound, api.NotAllowed: http.StatusForbidden,
	api.BadFile: http.StatusUnprocessableEntity, api.Locked: http.StatusServiceUnavailable, api.NoStore: http.StatusServiceUnavailable,
	api.NoSpace: http.StatusServiceUnavailable, api.Busy: http.StatusServiceUnavailable, api.TooLarge: http.StatusRequestEntityTooLarge,
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	var e *api.Error
	if !errors.As(err, &e) {
		e = &api.Error{Code: api.Failed, Text: err.Error()}
	}
	status := statusOf[e.Code]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if e.Code == api.Busy {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(status)
	text, _ := json.Marshal(e) // of two texts and a code
	send(w, r, append(text, '\n'))
}

type actorKey struct{}

// WithActor says who asks, for the requests of a context.
func WithActor(ctx context.Context, a scheduler.Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// actor gives who asks: the peer of the socket, or the user of this process.
func actor(ctx context.Context) scheduler.Actor {
	if a, ok := ctx.Value(actorKey{}).(scheduler.Actor); ok {
		return a
	}
	// The process that holds the store: only its owner, and root, could open it.
	a := scheduler.Actor{Owner: true}
	if u, err := user.Current(); err == nil {
		a.OSUser = u.Username
	}
	return a
}
