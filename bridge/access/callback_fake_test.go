package access

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fakeApp stands for an application in a bubble, where there is no network. Requests wait until
// answers is closed or the requests are given up.
type fakeApp struct {
	*callback
	asked   atomic.Int64
	answers chan struct{}
	status  atomic.Int64
	body    atomic.Pointer[string]
	header  http.Header
	takes   atomic.Int64 // nanoseconds, once answers is closed
}

func newFakeApp(t testing.TB, cfg CallbackConfig) *fakeApp {
	t.Helper()
	app := &fakeApp{answers: make(chan struct{}), header: http.Header{}}
	app.says(200, `{"status": "ok", "name": "ada", "role": "viewer"}`)
	cfg.URL = "https://app.example/ws-login"
	c, err := newCallback(&cfg, parsedRoles(t), Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c.client.Transport = roundTrip(app.serve)
	app.callback = c
	return app
}

func (app *fakeApp) says(status int64, body string) {
	app.status.Store(status)
	app.body.Store(&body)
}

// comesBack makes it answer each request after a time.
func (app *fakeApp) comesBack(takes time.Duration) {
	app.takes.Store(int64(takes))
	close(app.answers)
}

func (app *fakeApp) serve(r *http.Request) (*http.Response, error) {
	app.asked.Add(1)
	select {
	case <-app.answers:
		time.Sleep(time.Duration(app.takes.Load()))
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: int(app.status.Load()), Header: app.header.Clone(), Body: io.NopCloser(strings.NewReader(*app.body.Load()))}, nil
}

// enter makes a number of clients with the same credential, or a ticket each, ask to enter.
func (app *fakeApp) enter(ctx context.Context, clients int) <-chan Verdict {
	verdicts := make(chan Verdict, clients)
	for range clients {
		go func() { verdicts <- app.identify(ctx, approach("", "Authorization: Token x"), "x") }()
	}
	return verdicts
}
