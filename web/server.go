package web

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// HTTP makes a server that no client can hold up: each step of a request has
// its time. That of the body and of the answer is the handler's (limits.go),
// since a ledger takes longer than a question.
func HTTP(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    256 << 10, // an import's request, with its mapping, is in the head
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// Limited has a server accept at most n connections at a time; others wait in
// the queue of the system. The connections stay what they are: PeerContext
// looks at them.
func Limited(server *http.Server, l net.Listener, n int) net.Listener {
	out := &limited{Listener: l, places: make(chan struct{}, n), closed: make(chan struct{})}
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			<-out.places
		}
	}
	return out
}

type limited struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Accept waits for a place, then for a connection.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
	}
	return c, err
}

// Close lets nobody in any more.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
