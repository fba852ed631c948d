package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os/user"

	"tickler/api"
	"tickler/scheduler"
)

// maxBody bounds a request: a ledger of a million rows is some 300 MiB.
const maxBody = 1 << 30

// maxRequest bounds what is no ledger: a move with two files of evidence of the
// largest size, in base64.
const maxRequest = 64 << 20

// Handler serves /v1/VERB for api.Client, and /healthz.
func Handler(s *scheduler.Scheduler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/list", verb(s.List))
	mux.HandleFunc("POST /v1/show", verb(s.Show))
	mux.HandleFunc("POST /v1/why", verb(s.Why))
	mux.HandleFunc("POST /v1/sample", verb(s.Sample))
	mux.HandleFunc("POST /v1/portfolio", verb(s.Portfolio))
	mux.HandleFunc("POST /v1/ontime", verb(s.Ontime))
	mux.HandleFunc("POST /v1/ageing", verb(s.Ageing))
	mux.HandleFunc("POST /v1/coverage", verb(s.Coverage))
	mux.HandleFunc("POST /v1/score", verb(s.Score))
	mux.HandleFunc("POST /v1/status", verb(func(ctx context.Context, _ struct{}) (*api.StatusReply, error) { return s.Status(ctx) }))
	mux.HandleFunc("POST /v1/check", verb(func(ctx context.Context, _ struct{}) (*api.CheckReply, error) { return s.Check(ctx) }))
	mux.HandleFunc("POST /v1/audit-head", verb(func(ctx context.Context, _ struct{}) (*api.Head, error) { return s.AuditHead(ctx) }))
	mux.HandleFunc("POST /v1/audit-verify", verb(s.AuditVerify))
	mux.HandleFunc("POST /v1/audit-page", verb(s.AuditPage))
	mux.HandleFunc("POST /v1/audit-about", verb(s.AuditAbout))
	mux.HandleFunc("POST /v1/record", verb(func(ctx context.Context, r api.RecordRequest) (*api.RecordReply, error) {
		return s.Record(ctx, actor(ctx), r)
	}))
	for verbWord, move := range map[string]func(context.Context, scheduler.Actor, api.ActRequest) (*api.ActReply, error){
		"submit": s.Submit, "sign": s.Sign, "return": s.Return, "waive": s.Waive, "reopen": s.Reopen, "reassign": s.Reassign,
	} {
		mux.HandleFunc("POST /v1/"+verbWord, verb(func(ctx context.Context, r api.ActRequest) (*api.ActReply, error) {
			return move(ctx, actor(ctx), r)
		}))
	}
	mux.HandleFunc("POST /v1/user", verb(func(ctx context.Context, r api.UserRequest) (*api.UserReply, error) {
		return s.User(ctx, actor(ctx), r)
	}))
	mux.HandleFunc("POST /v1/users", verb(func(ctx context.Context, _ struct{}) (*api.UsersReply, error) { return s.Users(ctx) }))
	mux.HandleFunc("POST /v1/deputy", verb(func(ctx context.Context, r api.DeputyRequest) (*api.DeputyReply, error) {
		return s.Deputy(ctx, actor(ctx), r)
	}))
	mux.HandleFunc("POST /v1/withdraw", verb(func(ctx context.Context, r api.WithdrawRequest) (*api.WithdrawReply, error) {
		return s.Withdraw(ctx, actor(ctx), r)
	}))
	mux.HandleFunc("POST /v1/outbox", verb(s.Outbox))
	mux.HandleFunc("POST /v1/snooze", verb(func(ctx context.Context, r api.SnoozeRequest) (*api.SnoozeReply, error) {
		return s.Snooze(ctx, actor(ctx), r)
	}))
	mux.HandleFunc("POST /v1/tick", verb(func(ctx context.Context, r api.TickRequest) (*api.TickReply, error) {
		return s.Tick(ctx, actor(ctx), r)
	}))
	mux.HandleFunc("POST /v1/clock", verb(func(ctx context.Context, r api.ClockRequest) (*api.ClockReply, error) {
		return s.Clock(ctx, actor(ctx), r)
	}))
	mux.HandleFunc("POST /v1/simulate", verb(s.Simulate))
	mux.HandleFunc("POST /v1/diff", verb(s.Diff))
	mux.HandleFunc("POST /v1/history", verb(func(ctx context.Context, _ struct{}) (*api.HistoryReply, error) { return s.History(ctx) }))
	mux.HandleFunc("POST /v1/book", verb(s.Book))
	mux.HandleFunc("POST /v1/activate", verb(func(ctx context.Context, r api.ActivateRequest) (*api.ActivateReply, error) {
		return s.Activate(ctx, actor(ctx), r)
	}))
	mux.HandleFunc("POST /v1/import", func(w http.ResponseWriter, r *http.Request) {
		var req api.ImportRequest
		if err := json.Unmarshal([]byte(r.URL.Query().Get("request")), &req); err != nil {
			fail(w, api.Errorf(api.Usage, "", "read the request: %v", err))
			return
		}
		if err := s.Admits(r.Context()); err != nil { // before a file is taken from him
			fail(w, err)
			return
		}
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			fail(w, api.Errorf(api.BadFile, "split the file by branch", "read the file: %v", err))
			return
		}
		reply, err := s.Import(r.Context(), actor(r.Context()), req, data)
		answer(w, reply, err)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ok, problems := s.Healthy(r.Context())
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		json.NewEncoder(w).Encode(map[string]any{"healthy": ok, "problems": problems})
	})
	// Whoever asks, and for whatever: who he is goes with the request.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r.WithContext(scheduler.As(r.Context(), actor(r.Context()))))
	})
}

// verb makes a handler of a function from request to reply.
func verb[Request, Reply any](do func(context.Context, Request) (*Reply, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var req Request
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&req); err != nil {
			fail(w, api.Errorf(api.Usage, "", "read the request: %v", err))
			return
		}
		reply, err := do(r.Context(), req)
		answer(w, reply, err)
	}
}

func answer(w http.ResponseWriter, reply any, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(reply)
}

// statusOf maps what went wrong to HTTP, once.
var statusOf = map[api.Code]int{
	api.Usage: http.StatusBadRequest, api.NotFound: http.StatusNotFound, api.NotAllowed: http.StatusForbidden,
	api.BadFile: http.StatusUnprocessableEntity, api.Locked: http.StatusServiceUnavailable, api.NoStore: http.StatusServiceUnavailable,
}

func fail(w http.ResponseWriter, err error) {
	var e *api.Error
	if !errors.As(err, &e) {
		e = &api.Error{Code: api.Failed, Text: err.Error()}
	}
	status := statusOf[e.Code]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(e)
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
