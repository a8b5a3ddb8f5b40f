package bridge_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// shouting is a dialect that shouts what it gets.
type shouting struct {
	log   *engine.Log
	ended chan int // the close codes of clients that have left
}

type shoutingClient struct{ *shouting }

func (s *shouting) Accept(r *dialect.Request) (dialect.Accepted, error) {
	switch r.Query {
	case "refused":
		return dialect.Accepted{}, &engine.RejectError{Status: http.StatusForbidden, Reason: "no"}
	case "late":
		return dialect.Accepted{Later: func(context.Context) dialect.Decision {
			return func() (dialect.Accepted, error) {
				return dialect.Accepted{Log: s.log, Session: shoutingClient{s}}, nil
			}
		}}, nil
	}
	return dialect.Accepted{Log: s.log, Session: shoutingClient{s}}, nil
}

func (s *shouting) Deliver(m *rooms.Message) {
	s.log.Append(engine.Text(m.Path + " " + strings.ToUpper(string(m.Body))))
}
func (s *shouting) Gap(*rooms.Source, time.Time, time.Time) {}
func (s *shouting) Routes() map[string]http.Handler {
	return map[string]http.Handler{"GET /loud/state": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "LOUD") })}
}
func (s *shouting) Run(ctx context.Context) { <-ctx.Done() }

func (c shoutingClient) Open(conn engine.Conn) { conn.Send(engine.Text("HELLO")) }
func (c shoutingClient) Message(conn engine.Conn, m engine.Message) {
	conn.Send(engine.Text(strings.ToUpper(string(m.Payload))))
}
func (c shoutingClient) Closed(code int, _ string) { c.ended <- code }

// withShouting mounts a dialect on /loud, whose rooms are at and below /live.
func withShouting(s *shouting) func(*bridge.Config) {
	s.ended = make(chan int, 10)
	return func(c *bridge.Config) {
		c.Dialects = []dialect.Mount{{Place: dialect.Place{Path: "/loud", Rooms: "/live"}, Name: "shouting", New: func(h dialect.Host) (dialect.Dialect, error) {
			s.log = h.NewLog()
			return s, nil
		}}}
	}
}

func TestADialectHasItsPathsItsRoomsAndItsRequests(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	var s shouting
	b := linked(t, url, withSources("exchange=live"), withShouting(&s))
	b.awaitSources(t, 1)
	for i, target := range []string{"/loud", "/loud/x?late"} {
		c := dialWith(t, b.addr, target)
		c.expect("HELLO")
		c.say("aloud")
		c.expect("ALOUD")
		newBroadcaster(t, url).publish("live", "x", "message")
		c.expect("/live/x MESSAGE")
		if text := b.metrics(t); !strings.Contains(text, `cluws_clients{protocol="shouting"} 1`) || i == 0 && !strings.Contains(text, `cluws_clients{protocol="clu"} 0`) ||
			!strings.Contains(text, `cluws_dialect_messages_total{dialect="shouting"} `+fmt.Sprint(i+1)) {
			t.Errorf("%s: the metrics are\n%s", target, text)
		}
		c.Close()
		if code := testkit.Receive(t, s.ended); code != 1006 && code != 1005 && code != 1000 {
			t.Errorf("%s: it left with %d", target, code)
		}
	}
	if status, _ := b.shake(t, "/loud?refused"); status != http.StatusForbidden {
		t.Errorf("a client that the dialect refuses is answered with %d", status)
	}
	if _, body := ask(t, b.addr, "GET /loud/state HTTP/1.1", "Host: "+b.addr); body != "LOUD" {
		t.Errorf("its own request is answered with %q", body)
	}
	dialWith(t, b.addr, "/aloud") // another path
}

func TestTheRoomsOfADialectAreForItsClients(t *testing.T) {
	t.Parallel()
	var s shouting
	b := linked(t, testkit.RabbitMQ(t).NewVHost(t), withSources("exchange=live", "exchange=open"), withShouting(&s))
	if status, _ := b.shake(t, "/live/x"); status != http.StatusForbidden {
		t.Errorf("a client of the room is answered with %d", status)
	}
	c, _ := dialV1(t, b.addr, "/")
	c.say(`{"op":"subscribe","id":"a","rooms":["/live/x"]}`)
	if m := c.next(); m["op"] != "error" || m["code"] != "forbidden" || !strings.Contains(fmt.Sprint(m["message"]), "are for the clients of /loud") {
		t.Errorf("the subscription is answered with %v", m)
	}
	c.say(`{"op":"subscribe","id":"b","rooms":["/open/x"]}`)
	if m := c.next(); m["op"] == "error" {
		t.Errorf("another room is answered with %v", m)
	}
}

// Without sources, a path that is none is that of a plain client, but not if it may be a dialect's.
func TestAPathThatIsNoneIsNotAWayAroundADialect(t *testing.T) {
	t.Parallel()
	var s shouting
	b := startBridge(t, embeddedBroker(t), withShouting(&s))
	for _, target := range []string{"/loud/%2f", "/loud/../x", "/loud/%", "/loud/%00"} {
		if status, _ := b.shake(t, target); status != http.StatusBadRequest {
			t.Errorf("%s is answered with %d", target, status)
		}
	}
}

func TestTheClientsOfADialectAreClosedWhenTheBridgeStops(t *testing.T) {
	t.Parallel()
	var s shouting
	b := linked(t, testkit.RabbitMQ(t).NewVHost(t), withSources("exchange=live"), withShouting(&s))
	c := dialWith(t, b.addr, "/loud")
	c.expect("HELLO")
	b.stop()
	if code := testkit.Receive(t, s.ended); code != 1001 {
		t.Errorf("it left with %d", code)
	}
}
