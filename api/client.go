package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Client speaks to the process that holds the store: over a socket, or to a
// handler in the same process. Both go the same way.
type Client struct {
	HTTP *http.Client // required; its transport leads to the handler
}

// base is a host that no network ever sees.
const base = "http://tickler"

// InProcess gives a client whose requests are answered by the handler itself.
func InProcess(h http.Handler) *Client {
	return &Client{HTTP: &http.Client{Transport: local{h}}}
}

type local struct{ handler http.Handler }

// RoundTrip answers a request with the handler, on the caller's goroutine.
func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &memory{header: http.Header{}, code: http.StatusOK}
	l.handler.ServeHTTP(w, r)
	return &http.Response{
		StatusCode: w.code, Status: http.StatusText(w.code), Header: w.header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

type memory struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (m *memory) Header() http.Header         { return m.header }
func (m *memory) WriteHeader(code int)        { m.code = code }
func (m *memory) Write(b []byte) (int, error) { return m.body.Write(b) }

// call posts a request and reads its reply. A file travels as it is, with the
// request in the URL.
func call[Reply any](ctx context.Context, c *Client, verb string, req any, file *Upload) (*Reply, error) {
	q, err := json.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", verb, err)
	}
	target := base + "/v1/" + verb
	body := io.Reader(bytes.NewReader(q))
	if file != nil {
		target += "?request=" + url.QueryEscape(string(q))
		body = io.NopCloser(file) // its owner closes it
		if file.Size == 0 {
			body = http.NoBody
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, body)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", verb, err)
	}
	if file != nil {
		r.ContentLength = file.Size
	}
	r.Header.Set("Content-Type", "application/json")
	reply := new(Reply)
	packed, packs := any(reply).(unpackable)
	if packs {
		r.Header.Set("Accept", PackedList)
	}
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return nil, unanswered(ctx, verb, err)
	}
	defer resp.Body.Close()
	if packs && resp.Header.Get("Content-Type") == PackedList {
		var text bytes.Buffer
		text.Grow(int(max(0, resp.ContentLength)) + bytes.MinRead)
		_, err := text.ReadFrom(resp.Body)
		if err == nil {
			err = packed.Unpack(text.Bytes())
		}
		if err != nil {
			return nil, unanswered(ctx, verb, err)
		}
		return reply, nil
	}
	dec := json.NewDecoder(resp.Body)
	if resp.StatusCode != http.StatusOK {
		e := &Error{Code: Failed}
		if dec.Decode(e) != nil || e.Text == "" {
			e.Text = fmt.Sprintf("%s: the daemon answered %s", verb, resp.Status)
		}
		return nil, e
	}
	if err := dec.Decode(reply); err != nil {
		return nil, unanswered(ctx, verb, err)
	}
	return reply, nil
}

// unanswered is the error of a request whose reply did not come: the daemon may
// have ended before, or after, it did what was asked.
func unanswered(ctx context.Context, verb string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("ask for %s: %w", verb, ctx.Err())
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // without the request, which may be a page long
	}
	return Errorf(Unknown, "run the same command again; a change is made whole or not at all", "%s: the daemon went away before it answered (%v)", verb, err)
}

// List asks for obligations by due date.
func (c *Client) List(ctx context.Context, r ListRequest) (*ListReply, error) {
	return call[ListReply](ctx, c, "list", r, nil)
}

// Show asks for one obligation with its history.
func (c *Client) Show(ctx context.Context, r ShowRequest) (*ShowReply, error) {
	return call[ShowReply](ctx, c, "show", r, nil)
}

// Why asks for the reason of an obligation, or the verdicts on a subject.
func (c *Client) Why(ctx context.Context, r WhyRequest) (*WhyReply, error) {
	return call[WhyReply](ctx, c, "why", r, nil)
}

// Upload is a file to be sent, of a size that is known before it is read.
type Upload struct {
	io.Reader
	Size int64
}

// Import sends a ledger file.
func (c *Client) Import(ctx context.Context, r ImportRequest, file Upload) (*ImportReply, error) {
	return call[ImportReply](ctx, c, "import", r, &file)
}

// Withdraw takes an event back.
func (c *Client) Withdraw(ctx context.Context, r WithdrawRequest) (*WithdrawReply, error) {
	return call[WithdrawReply](ctx, c, "withdraw", r, nil)
}

// Record records an event.
func (c *Client) Record(ctx context.Context, r RecordRequest) (*RecordReply, error) {
	reply, err := call[RecordReply](ctx, c, "record", r, nil)
	if e := (*Error)(nil); r.ID == "" && errors.As(err, &e) && e.Code == Unknown {
		e.Hint = fmt.Sprintf("look whether it is there (tickler audit show %s) before you record it again: without --id it would be there twice", r.Subject)
	}
	return reply, err
}

// Tick asks for one scan.
func (c *Client) Tick(ctx context.Context, r TickRequest) (*TickReply, error) {
	return call[TickReply](ctx, c, "tick", r, nil)
}

// Status asks how things are.
func (c *Client) Status(ctx context.Context) (*StatusReply, error) {
	return call[StatusReply](ctx, c, "status", struct{}{}, nil)
}

// Clock asks how the system's clock is, or confirms it.
func (c *Client) Clock(ctx context.Context, r ClockRequest) (*ClockReply, error) {
	return call[ClockReply](ctx, c, "clock", r, nil)
}

// Check asks for the store to be checked.
func (c *Client) Check(ctx context.Context) (*CheckReply, error) {
	return call[CheckReply](ctx, c, "check", struct{}{}, nil)
}
