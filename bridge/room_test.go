package bridge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// withSources configures sources of rooms.
func withSources(texts ...string) func(*bridge.Config) {
	return func(c *bridge.Config) {
		for _, text := range texts {
			s, err := rooms.ParseSource(text)
			if err != nil {
				panic(err)
			}
			c.Sources = append(c.Sources, s)
		}
	}
}

// awaitSources waits until all sources of a bridge are linked.
func (r *running) awaitSources(t *testing.T, n int) {
	t.Helper()
	testkit.WaitUntil(t, "the sources are linked", func() bool {
		up := 0
		for line := range strings.SplitSeq(r.metrics(t), "\n") {
			if strings.HasPrefix(line, "cluws_source_up{") && strings.HasSuffix(line, " 1") {
				up++
			}
		}
		return up == n
	})
}

// broadcaster publishes to existing exchanges.
type broadcaster struct {
	t  *testing.T
	ch *amqp.Channel
}

func newBroadcaster(t *testing.T, url string) *broadcaster {
	t.Helper()
	ch := testkit.OpenChannel(t, url)
	return &broadcaster{t, ch}
}

func (p *broadcaster) publish(exchange, key, body string) {
	p.t.Helper()
	if err := p.ch.Publish(exchange, key, false, false, amqp.Publishing{Body: []byte(body)}); err != nil {
		p.t.Fatal(err)
	}
}

// expect reads the next text frames.
func (c *client) expect(texts ...string) {
	c.t.Helper()
	for _, want := range texts {
		if got := string(c.text()); got != want {
			c.t.Errorf("got %s, want %s", got, want)
		}
	}
}

// roomSilent checks that nothing came: the next message is the answer to the client's message.
func (c *client) roomSilent() {
	c.t.Helper()
	c.say("?")
	c.expect(`{"error":"a room takes no messages; connect to / to send commands"}`)
}

func TestARoomGetsWhatIsPublishedToItAndAboveItAndNothingElse(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url, withSources("exchange=live"))
		b.awaitSources(t, 1)
		x, deep, top := dialWith(t, b.addr, "/live/x"), dialWith(t, b.addr, "/live/x/y/"), dialWith(t, b.addr, "/live")
		p := newBroadcaster(t, url)
		newPeer(t, url).reply(`{"n": 1}`)
		p.publish("live", "/live/x", `to x`)
		p.publish("live", "/live/y", `to y`)
		p.publish("live", "/live/xx", `to xx`)
		p.publish("live", "/live", `to all`)
		p.publish("live", "x/y", `to x/y`)
		x.expect("to x", "to all")
		deep.expect("to x", "to all", "to x/y")
		top.expect("to all")
		for _, c := range []*client{x, deep, top} {
			c.roomSilent()
		}
	})
}

func TestRoomsBelowAPathMayHaveKeysThatAreNoPaths(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url, withSources("exchange=met,path=/weather,binding=weather.*", "exchange=all,type=fanout,path=/all"))
		b.awaitSources(t, 2)
		wind, all := dialWith(t, b.addr, "/weather/weather.wind"), dialWith(t, b.addr, "/all/any")
		p := newBroadcaster(t, url)
		p.publish("met", "other.wind", `not bound`)
		p.publish("met", "weather.rain", `rain`)
		p.publish("met", "weather.wind", `{"wind": 1}`)
		p.publish("all", "", `everyone`)
		p.publish("all", "any", `any`)
		wind.expect(`{"wind": 1}`)
		all.expect("everyone", "any")
	})
}

func TestBinaryMessagesComeInBinaryFrames(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, withSources("exchange=live"))
	b.awaitSources(t, 1)
	c := dialWith(t, b.addr, "/live/x")
	newBroadcaster(t, url).publish("live", "/live/x", "\xff\x00")
	_ = c.SetReadDeadline(time.Now().Add(testkit.Patience))
	got, op, err := wsutil.ReadServerData(c)
	equal(t, "the frame", fmt.Sprint(got, op, err), fmt.Sprint([]byte{0xff, 0}, ws.OpBinary, nil))
}

func TestAV1ClientSubscribesToRooms(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url, withSources("exchange=live"))
		b.awaitSources(t, 1)
		p, actors := newBroadcaster(t, url), newPeer(t, url)
		c, hello := dialV1(t, b.addr, "/")
		if !strings.Contains(fmt.Sprint(hello["capabilities"]), "rooms") {
			t.Errorf("the hello is %v", hello)
		}
		equal(t, "the answer", fmt.Sprint(c.ask(`{"op": "subscribe", "id": "r", "rooms": ["/live/x", "/live/y/"]}`)), "map[id:r op:ok]")
		c.ask(`{"op": "subscribe", "id": "s", "rooms": ["/live/x"], "filter": {"sender": "dome"}}`)
		actors.from("mount", "i", `{"ra": 1}`)
		p.publish("live", "/live/x", `"once"`)
		p.publish("live", "/live", `"once to both"`)
		p.publish("live", "/live/z", `"to z"`)
		p.publish("live", "/live/y", `"y"`)
		c.expect(`"once"`, `"once to both"`, `"y"`)
		actors.from("dome", "i", `{"dome_open": 1}`)
		c.expectBody(`{"dome_open":1}`)
		c.ask(`{"op": "unsubscribe", "id": "r"}`)
		p.publish("live", "/live/y", `"y"`)
		p.publish("live", "/live/x", `"x"`)
		c.expect(`"x"`)
	})
}

func TestAWrongRoomIsExplained(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, withSources("exchange=live"))
	c, _ := dialV1(t, b.addr, "/")
	many := `"/live/x"` + strings.Repeat(`, "/live/x"`, 64)
	for rooms, words := range map[string]string{
		`"/live"`:      `"rooms" is a string, but must be a list of paths`,
		`[]`:           `names 0 rooms`,
		`["live"]`:     `begin it with /`,
		`["/"]`:        `there is no room "/"; there are those at and below /live`,
		`["/lives"]`:   `there is no room "/lives"`,
		`["/live//x"]`: `an empty part`,
		`["/live` + strings.Repeat("/x", 20) + `"]`:  `has 21 parts`,
		`["/live/` + strings.Repeat("x", 300) + `"]`: `a room's may have 255`,
		`[` + many + `]`:                                 `names 65 rooms`,
		`["/live/x"], "snapshot": true`:                  `"snapshot" is about replies`,
		`["/live/x"], "since": {"epoch": "a", "seq": 1}`: `"since" is about replies`,
	} {
		e := c.ask(`{"op": "subscribe", "id": "x", "rooms": ` + rooms + `}`)
		if m := fmt.Sprint(e["message"]); e["code"] != "bad_request" || !strings.Contains(m, words) {
			t.Errorf("%s: %v, want words of %q", rooms, e, words)
		}
	}
	roomless, _ := dialV1(t, linked(t, url).addr, "/")
	if e := roomless.ask(`{"op": "subscribe", "id": "x", "rooms": ["/live"]}`); !strings.Contains(fmt.Sprint(e["message"]), "no rooms; start it with --source") {
		t.Errorf("a bridge without rooms: %v", e)
	}
}

func TestRepliesAreNotAskedForInARoom(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, withSources("exchange=live"))
	b.awaitSources(t, 1)
	c := dialWith(t, b.addr, "/live/x?sender=dome")
	c.expect(`{"error":"the URL asks for replies, and there are none in a room; connect to / for them"}`)
	newBroadcaster(t, url).publish("live", "/live/x", "hello")
	c.expect("hello")
	_, _, _, err := ws.Dialer{}.Dial(t.Context(), "ws://"+b.addr+"/live"+strings.Repeat("/x", 20))
	if err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("a path that is too deep: %v", err)
	}
}

func TestAnExchangeThatExistsIsUsedAsItIs(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		p := newBroadcaster(t, url)
		const durable, autoDelete = true, false
		if err := p.ch.ExchangeDeclare("kept", "topic", durable, autoDelete, false, false, nil); err != nil {
			t.Fatal(err)
		}
		b := linked(t, url, withSources("exchange=kept"))
		b.awaitSources(t, 1)
		c := dialWith(t, b.addr, "/kept/x")
		p.publish("kept", "/kept/x", "hello")
		c.expect("hello")
	})
}

func TestRoomsAreThereAgainAfterARestartOfTheBroker(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	b := linked(t, n.URL(), withSources("exchange=live", "exchange=other"))
	b.awaitSources(t, 2)
	c := dialWith(t, b.addr, "/live/x")
	v1, _ := dialV1(t, b.addr, "/")
	v1.ask(`{"op": "subscribe", "id": "r", "rooms": ["/other/x"]}`)
	n.Restart(t)
	b.awaitUp(t)
	b.awaitSources(t, 2)
	p := newBroadcaster(t, n.URL())
	p.publish("live", "/live/x", `"hello"`)
	p.publish("other", "/other/x", `"hello, too"`)
	c.expect(`"hello"`)
	for text := string(v1.text()); text != `"hello, too"`; text = string(v1.text()) {
		if !strings.Contains(text, `"broker"`) && !strings.Contains(text, `"gap"`) {
			t.Errorf("it got %s", text)
		}
	}
	if m := b.metrics(t); !strings.Contains(m, `cluws_source_gaps_total{exchange="live"} 1`) {
		t.Error("the gap is not counted")
	}
}

func TestARoomIsForgottenWithItsLastClient(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, withSources("exchange=live"))
	c, d := dialWith(t, b.addr, "/live/x"), dialWith(t, b.addr, "/live/x")
	other := dialWith(t, b.addr, "/live/y")
	is := func(rooms, clients int) func() bool {
		return func() bool {
			m := b.metrics(t)
			return strings.Contains(m, fmt.Sprintf("\ncluws_rooms %d\n", rooms)) &&
				strings.Contains(m, fmt.Sprintf("cluws_clients{protocol=\"room\"} %d\n", clients))
		}
	}
	testkit.WaitUntil(t, "three clients are in two rooms", is(2, 3))
	c.Close()
	testkit.WaitUntil(t, "the room has one", is(2, 2))
	d.Close()
	other.Close()
	testkit.WaitUntil(t, "no room is left", is(0, 0))
}
