package bridge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// embeddedBroker starts the embedded broker for one test, and returns its URL.
func embeddedBroker(t *testing.T) string { return embeddedBrokerWith(t, broker.Config{}) }

func embeddedBrokerWith(t *testing.T, config broker.Config) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := broker.New(config)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = b.Serve(ln)
	}()
	t.Cleanup(func() {
		b.Close()
		<-served
	})
	return "amqp://guest:guest@" + ln.Addr().String() + "/"
}

// onEachBroker runs a test on the embedded broker and on RabbitMQ.
func onEachBroker(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("embedded", func(t *testing.T) { test(t, embeddedBroker(t)) })
	t.Run("RabbitMQ", func(t *testing.T) { test(t, testkit.RabbitMQ(t).NewVHost(t)) })
}

// running is a bridge that serves until the test ends.
type running struct {
	*bridge.Bridge
	addr   string
	states chan amqpx.State
	stop   func() <-chan error // stops it, and returns its error
}

func startBridge(t *testing.T, url string, adjust ...func(*bridge.Config)) *running {
	t.Helper()
	r := &running{states: make(chan amqpx.State, 100)}
	cfg := bridge.Config{
		Broker: []string{url},
		Logger: slog.New(slog.DiscardHandler),
		OnLink: func(s amqpx.State) { r.states <- s },
		// The whole suite can run with the poller of systems without epoll.
		PortablePoller: os.Getenv("CLU_WS_TEST_POLLER") == "portable",
	}
	bridge.Unhurried(&cfg)
	for _, f := range adjust {
		f(&cfg)
	}
	var err error
	if r.Bridge, err = bridge.New(cfg); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	if err := r.Listen(ln); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		if err := r.Run(ctx); err != nil {
			ended <- err
		}
	}()
	r.stop = func() <-chan error { cancel(); return ended }
	t.Cleanup(func() {
		if err := <-r.stop(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// linked starts a bridge and waits until it is linked.
func linked(t *testing.T, url string, adjust ...func(*bridge.Config)) *running {
	t.Helper()
	r := startBridge(t, url, adjust...)
	r.awaitUp(t)
	return r
}

func (r *running) awaitUp(t *testing.T) {
	t.Helper()
	for deadline := time.After(testkit.Patience); ; {
		select {
		case s := <-r.states:
			if s.Up {
				return
			}
		case <-deadline:
			t.Fatal("the bridge is not linked")
		}
	}
}

// firstState returns the first state of the link, except that a crowded machine's broker takes its time.
func (r *running) firstState(t *testing.T) amqpx.State {
	t.Helper()
	for {
		s := testkit.Receive(t, r.states)
		if s.Up || !strings.Contains(s.Err.Error(), "does not answer in time") {
			return s
		}
	}
}

// health returns the bridge's answer at /healthz or /readyz.
func (r *running) health(t *testing.T, path string) (status int, says map[string]any) {
	t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	resp, err := http.Get("http://" + r.addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&says); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, says
}

// client is a WebSocket client that reads envelopes.
type client struct {
	t *testing.T
	*testkit.WebSocket
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	return &client{t, testkit.DialWebSocket(t, "ws://"+addr+"/")}
}

func (c *client) say(text string) {
	c.t.Helper()
	c.Send(text)
}

// text reads the next text frame.
func (c *client) text() []byte {
	c.t.Helper()
	return c.Receive()
}

// envelope is an envelope, decoded.
type envelope map[string]any

func (c *client) next() envelope {
	c.t.Helper()
	return parseEnvelope(c.t, c.text())
}

func parseEnvelope(t *testing.T, text []byte) envelope {
	t.Helper()
	e, err := parse(text)
	if err != nil {
		t.Fatalf("the frame is not JSON: %v\n%s", err, text)
	}
	return e
}

func parse(text []byte) (e envelope, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&e)
	return e, err
}

func (e envelope) header(name string) any {
	headers, _ := e["headers"].(map[string]any)
	return headers[name]
}

func (e envelope) code() actor.Code {
	s, _ := e.header("message_code").(string)
	return actor.Code(s)
}

// errorText returns the error in the body of a failed reply.
func (e envelope) errorText() string {
	body, _ := e["body"].(map[string]any)
	s, _ := body["error"].(string)
	return s
}

// untilEnd reads a command's replies to its last.
func (c *client) untilEnd(commandID string) (replies []envelope) {
	c.t.Helper()
	for {
		e := c.next()
		if e.header("command_id") != commandID {
			continue
		}
		replies = append(replies, e)
		if e.code().Ends() {
			return replies
		}
	}
}

// peer is a bare AMQP program on the exchange.
type peer struct {
	t  *testing.T
	ch *amqp.Channel
}

func newPeer(t *testing.T, url string) *peer {
	t.Helper()
	ch := testkit.OpenChannel(t, url)
	if err := ch.ExchangeDeclare(actor.Exchange, "topic", false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	return &peer{t, ch}
}

// hear consumes the messages published for a pattern.
func (p *peer) hear(pattern string) <-chan amqp.Delivery {
	p.t.Helper()
	q, err := p.ch.QueueDeclare("", false, false, true, false, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.ch.QueueBind(q.Name, pattern, actor.Exchange, false, nil); err != nil {
		p.t.Fatal(err)
	}
	deliveries, err := p.ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return deliveries
}

func (p *peer) publish(key string, m amqp.Publishing) {
	p.t.Helper()
	if err := p.ch.Publish(actor.Exchange, key, false, false, m); err != nil {
		p.t.Fatal(err)
	}
}

// reply publishes a plain broadcast with the body.
func (p *peer) reply(body string) {
	p.t.Helper()
	p.publish("reply.broadcast", amqp.Publishing{
		Headers: amqp.Table{"message_code": "i", "sender": "peer", "command_id": nil, "commander_id": nil, "internal": false},
		Body:    []byte(body),
	})
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

// end waits until the bridge has ended, and returns its error.
func (r *running) end(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(testkit.Patience):
		t.Fatal("the bridge does not end")
		panic("unreachable")
	}
}
