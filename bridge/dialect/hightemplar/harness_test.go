package hightemplar

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

const exchange = "hightemplar"

// installed is the configuration that is as install/serve.py of High-templar.
func installed(api string) Config {
	return Config{APIURL: api, NotifyOnline: "user/notify_online/", NotifyOffline: "user/notify_offline/", ConnectionHeaders: map[string]Header{
		"X-Session-Token": {Param: "session_token"}, "Referer": {Fixed: "http://app.example/api/"},
	}}
}

// api is a backend that answers as a test says.
type api struct {
	*httptest.Server
	calls chan *call
	kept  []*call // not expected yet
}

// call is a request that the backend has got and not answered.
type call struct {
	what   string // method and path
	header http.Header
	body   string
	answer chan reply
}

// reply is an answer of the backend. A status of 0 cuts the connection.
type reply struct {
	Status  int               `json:"status"`
	Body    string            `json:"body"`
	Headers map[string]string `json:"headers"`
	After   float64           `json:"after"`
}

func newAPI(t *testing.T) *api {
	a := &api{calls: make(chan *call, 1000)}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Set("Host", r.Host)
		c := &call{r.Method + " " + r.URL.Path, r.Header, string(body), make(chan reply, 1)}
		a.calls <- c
		var says reply
		select {
		case says = <-c.answer:
		case <-r.Context().Done():
			return
		}
		if says.Status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/json")
		for name, value := range says.Headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(says.Status)
		_, _ = io.WriteString(w, says.Body)
	}))
	a.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	t.Cleanup(a.Close)
	return a
}

// next returns the next request for a method and a path.
func (a *api) next(t *testing.T, what string) *call {
	t.Helper()
	for i, c := range a.kept {
		if c.what == what {
			a.kept = append(a.kept[:i], a.kept[i+1:]...)
			return c
		}
	}
	for {
		c := testkit.Await(t, a.calls)
		if c.what == what {
			return c
		}
		a.kept = append(a.kept, c)
	}
}

// allow answers the next question about a client.
func (a *api) allow(t *testing.T, rooms string) {
	t.Helper()
	a.next(t, "GET /api/bootstrap/").answer <- reply{Status: http.StatusOK, Body: `{"allowed_rooms": [` + rooms + `]}`}
}

// harness is an instance that speaks the protocol, its backend, and the backend's broker.
type harness struct {
	addr    string
	api     *api
	amqp    *amqp.Channel
	service *service // nil for High-templar itself
	stop    func()

	notifies bool // it tells the backend who is online
}

// newBroker returns an embedded broker, and a channel on which the exchange is declared.
func newBroker(t *testing.T) (*broker.Broker, *amqp.Channel) {
	t.Helper()
	server := broker.New(broker.Config{})
	t.Cleanup(func() { server.Close() })
	conn, err := amqp.DialConfig("amqp://guest:guest@localhost/", amqp.Config{Dial: server.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := channel.ExchangeDeclare(exchange, "direct", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	return server, channel
}

// newHarness starts a bridge that serves the backend's clients at /ws/, and waits until it gets what is
// published.
func newHarness(t *testing.T, a *api, channel *amqp.Channel, spoken Config, broker string, dial func(network, addr string) (net.Conn, error)) *harness {
	t.Helper()
	h := startHarness(t, a, channel, spoken, broker, dial)
	h.awaitSource(t)
	return h
}

// startHarness is newHarness without the wait.
func startHarness(t *testing.T, a *api, channel *amqp.Channel, spoken Config, broker string, dial func(network, addr string) (net.Conn, error)) *harness {
	t.Helper()
	h := &harness{api: a, amqp: channel, notifies: spoken.NotifyOnline != ""}
	place := dialect.Place{Path: "/ws/", Rooms: "/ws"}
	source, err := rooms.ParseSource("exchange=" + exchange + ",format=hightemplar,path=/ws")
	if err != nil {
		t.Fatal(err)
	}
	b, err := bridge.New(bridge.Config{
		Limits: engine.Limits{PongTimeout: testkit.PongTimeout},
		Broker: []string{broker}, Dial: dial, Origins: []string{"*"}, Logger: slog.New(slog.DiscardHandler), Compress: true,
		Sources: []rooms.Source{source},
		Dialects: []dialect.Mount{{Place: place, New: func(host dialect.Host) (dialect.Dialect, error) {
			d, err := New(&spoken, place, host)
			h.service, _ = d.(*service)
			return d, err
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = ln.Addr().String()
	if err := b.Listen(ln); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	h.stop = func() { stop(); running.Wait() }
	t.Cleanup(h.stop)
	return h
}

// newEmbedded starts a bridge and a broker in this process.
func newEmbedded(t *testing.T, change func(c *Config)) *harness {
	t.Helper()
	server, channel := newBroker(t)
	a := newAPI(t)
	cfg := Config{APIURL: a.URL + "/api/"}
	change(&cfg)
	return newHarness(t, a, channel, cfg, "amqp://guest:guest@localhost/", server.Dial)
}

// awaitSource waits until the instance gets what is published, and has read all of it.
func (h *harness) awaitSource(t *testing.T) {
	t.Helper()
	p := h.join(t, `{"tenant": "*"}`)
	defer h.leave(p)
	p.asks(`{"type": "subscribe", "room": {"tenant": "ready"}, "requestId": "ready"}`, `{"code": "success"}`)
	testkit.WaitUntil(t, "the instance gets nothing from the broker", func() bool {
		h.publish(t, "*", `{"rooms": [{"tenant": "other"}], "data": 1}`)
		p.says(`{"type": "status"}`)
		var s status
		if err := json.Unmarshal(p.text(), &s); err != nil {
			t.Fatal(err)
		}
		return s.Published > 0
	})
	h.publish(t, "*", `{"rooms": [{"tenant": "ready"}], "data": 1}`)
	p.gets(`{"type": "publish", "data": 1, "requestId": "ready"}`)
}

// publish publishes as a backend.
func (h *harness) publish(t *testing.T, key, body string) {
	t.Helper()
	if err := h.amqp.PublishWithContext(t.Context(), exchange, key, false, false, amqp.Publishing{Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
}

// join returns a client that may subscribe to rooms, and has been told so.
func (h *harness) join(t *testing.T, rooms string) *page {
	t.Helper()
	p := h.connect(t, "/ws/", nil)
	h.api.allow(t, rooms)
	p.gets(`{"is_authorized": true, "allowed_rooms": [` + rooms + `]}`)
	if h.notifies {
		h.api.next(t, "POST /api/user/notify_online/").answer <- reply{Status: http.StatusOK}
	}
	return p
}

// leave closes the connection of a client.
func (h *harness) leave(p *page) {
	p.t.Helper()
	p.leave()
	if h.notifies {
		h.api.next(p.t, "POST /api/user/notify_offline/").answer <- reply{Status: http.StatusOK}
	}
}

// lower returns header fields by lower-case names, without those of the connection.
func lower(h http.Header) map[string]string {
	fields := map[string]string{}
	for name, values := range h {
		switch name {
		case "Host", "Connection", "Content-Length", "Accept-Encoding":
		default:
			fields[strings.ToLower(name)] = strings.Join(values, "; ")
		}
	}
	return fields
}
