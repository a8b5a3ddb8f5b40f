package reddit

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

const (
	broadcastExchange = "sutro"
	statusExchange    = "reddit_exchange"
	adminToken        = "aHVudGVyMg=="
	secretsFile       = `{"secrets": {"secret/websockets/authorization_key": {"type": "versioned", "current": "abcdefghijklmnopqrstuvwxyz0123456789"}}}`
)

// harness is a bridge that speaks the dialect on all paths, and a backend of it.
type harness struct {
	t      *testing.T
	addr   string
	amqp   *amqp.Channel
	status <-chan amqp.Delivery
	ended  chan error

	publisher dialect.Publish // nil for none
}

// newHarness starts a bridge and a broker. The dialect sees its host with the hooks' changes.
func newHarness(t *testing.T, change func(b *bridge.Config, c *Config), hooks ...func(*dialect.Host)) *harness {
	t.Helper()
	secrets := filepath.Join(t.TempDir(), "secrets.json")
	if err := os.WriteFile(secrets, []byte(secretsFile), 0o600); err != nil {
		t.Fatal(err)
	}
	server := broker.New(broker.Config{})
	t.Cleanup(func() { server.Close() })
	h := &harness{t: t, ended: make(chan error, 1)}
	h.startBackend(server)
	spoken := &Config{Secrets: secrets, StatusExchange: statusExchange, AdminToken: adminToken}
	place := dialect.Place{Path: "/", Rooms: "/"}
	cfg := bridge.Config{
		Limits: engine.Limits{PongTimeout: testkit.PongTimeout},
		Broker: []string{"amqp://guest:guest@localhost/"}, Dial: server.Dial, Origins: []string{"*"}, Compress: true, Logger: slog.New(slog.DiscardHandler),
		Sources: []rooms.Source{{Exchange: broadcastExchange, Type: "fanout", Path: "/"}},
		Dialects: []dialect.Mount{{Place: place, New: func(host dialect.Host) (dialect.Dialect, error) {
			for _, hook := range append(hooks, h.keepPublisher) {
				hook(&host)
			}
			return New(spoken, place, host)
		}}},
	}
	change(&cfg, spoken)
	linked := make(chan struct{}, 10)
	cfg.OnLink = func(s amqpx.State) {
		if s.Up {
			linked <- struct{}{}
		}
	}
	h.run(cfg)
	testkit.Await(t, linked)
	h.awaitBinding()
	h.awaitPublisher()
	return h
}

// keepPublisher keeps the function by which the dialect publishes.
func (h *harness) keepPublisher(host *dialect.Host) {
	publisher := host.NewPublisher
	host.NewPublisher = func(exchange string) (dialect.Publish, error) {
		var err error
		h.publisher, err = publisher(exchange)
		return h.publisher, err
	}
}

// awaitPublisher waits until the dialect can publish.
func (h *harness) awaitPublisher() {
	h.t.Helper()
	if h.publisher == nil {
		return
	}
	testkit.WaitUntil(h.t, "the dialect cannot publish", func() bool {
		confirmed := make(chan bool, 1)
		h.publisher("websocket.ready", nil, func(ok bool) { confirmed <- ok })
		return testkit.Await(h.t, confirmed)
	})
	h.told()
}

// startBackend connects to the broker as the backends do.
func (h *harness) startBackend(server *broker.Broker) {
	h.t.Helper()
	conn, err := amqp.DialConfig("amqp://guest:guest@localhost/", amqp.Config{Dial: server.Dial})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	if h.amqp, err = conn.Channel(); err != nil {
		h.t.Fatal(err)
	}
	for name, kind := range map[string]string{broadcastExchange: "fanout", statusExchange: "topic"} {
		if err := h.amqp.ExchangeDeclare(name, kind, false, false, false, false, nil); err != nil {
			h.t.Fatal(err)
		}
	}
	queue, err := h.amqp.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.amqp.QueueBind(queue.Name, "websocket.#", statusExchange, false, nil); err != nil {
		h.t.Fatal(err)
	}
	if h.status, err = h.amqp.Consume(queue.Name, "", true, true, false, false, nil); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) run(cfg bridge.Config) {
	h.t.Helper()
	b, err := bridge.New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.addr = ln.Addr().String()
	if err := b.Listen(ln); err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.ended <- b.Run(ctx) })
	h.t.Cleanup(func() { stop(); running.Wait() })
}

// awaitBinding waits until the bridge gets what is published.
func (h *harness) awaitBinding() {
	h.t.Helper()
	returned := h.amqp.NotifyReturn(make(chan amqp.Return, 1))
	confirmed := h.amqp.NotifyPublish(make(chan amqp.Confirmation, 1))
	if err := h.amqp.Confirm(false); err != nil {
		h.t.Fatal(err)
	}
	testkit.WaitUntil(h.t, "the bridge is not bound to the exchange", func() bool {
		if err := h.amqp.PublishWithContext(h.t.Context(), broadcastExchange, "/nobody", true, false, amqp.Publishing{}); err != nil {
			h.t.Fatal(err)
		}
		testkit.Await(h.t, confirmed)
		select {
		case <-returned:
			return false
		default:
			return true
		}
	})
	go func() { // so that the channel does not wait for its reader
		for range confirmed {
		}
	}()
}

// publish publishes as a backend.
func (h *harness) publish(key string, body []byte) {
	h.t.Helper()
	if err := h.amqp.PublishWithContext(h.t.Context(), broadcastExchange, key, false, false, amqp.Publishing{Body: body}); err != nil {
		h.t.Fatal(err)
	}
}

// told returns the next status message.
func (h *harness) told() (key, body string) {
	h.t.Helper()
	d := testkit.Await(h.t, h.status)
	return d.RoutingKey, string(d.Body)
}

// request makes a request that is no upgrade.
func (h *harness) request(method, path string, fields map[string]string) (status int, body string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, "http://"+h.addr+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	for name, value := range fields {
		r.Header.Set(name, value)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// page is a client. It shows the frames as they come.
type page struct {
	t      *testing.T
	conn   net.Conn
	in     *bufio.Reader
	answer *http.Response // to the upgrade
}

// connect sends an upgrade request, whose fields may be replaced.
func (h *harness) connect(target string, fields map[string]string) *page {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	head := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	for name, value := range fields {
		head.Set(name, value)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "GET %s HTTP/1.1\r\nHost: %s\r\n", target, h.addr)
	if err := head.Write(&out); err != nil {
		h.t.Fatal(err)
	}
	out.WriteString("\r\n")
	if _, err := conn.Write(out.Bytes()); err != nil {
		h.t.Fatal(err)
	}
	p := &page{t: h.t, conn: conn, in: bufio.NewReader(conn)}
	if err := conn.SetReadDeadline(time.Now().Add(testkit.Patience)); err != nil {
		h.t.Fatal(err)
	}
	if p.answer, err = http.ReadResponse(p.in, nil); err != nil {
		h.t.Fatalf("%s: %v", target, err)
	}
	return p
}

// read returns the next frame, inflated. Pings are answered, and skipped unless they are wanted.
func (p *page) read(pings bool) ws.Frame {
	p.t.Helper()
	for {
		if err := p.conn.SetReadDeadline(time.Now().Add(testkit.Patience)); err != nil {
			p.t.Fatal(err)
		}
		f, err := testkit.ReadFrame(p.in)
		if err != nil {
			p.t.Fatalf("no frame: %v", err)
		}
		if f.Header.OpCode == ws.OpPing {
			p.write(ws.NewPongFrame(f.Payload))
			if !pings {
				continue
			}
		}
		if f.Header.Rsv1() {
			inflated := flate.NewReader(io.MultiReader(bytes.NewReader(f.Payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
			if f.Payload, err = io.ReadAll(inflated); err != nil {
				p.t.Fatalf("cannot inflate: %v", err)
			}
		}
		return f
	}
}

// gets compares the next frame.
func (p *page) gets(want []byte, op ws.OpCode) {
	p.t.Helper()
	if f := p.read(false); f.Header.OpCode != op || !bytes.Equal(f.Payload, want) {
		p.t.Errorf("the client got %x %.80q, want %x %.80q", f.Header.OpCode, f.Payload, op, want)
	}
}

// closed returns the code of the next frame, which must be a close frame.
func (p *page) closed() int {
	p.t.Helper()
	f := p.read(false)
	if f.Header.OpCode != ws.OpClose {
		p.t.Fatalf("the client got %x %.80q, want a close frame", f.Header.OpCode, f.Payload)
	}
	if len(f.Payload) < 2 {
		return 1005
	}
	return int(binary.BigEndian.Uint16(f.Payload))
}

// write sends a frame.
func (p *page) write(f ws.Frame) {
	p.t.Helper()
	if err := ws.WriteFrame(p.conn, ws.MaskFrame(f)); err != nil {
		p.t.Fatal(err)
	}
}
