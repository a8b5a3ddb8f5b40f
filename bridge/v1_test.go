package bridge_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// dialV1 connects a client that speaks v1, at a path and query, and returns it with the
// bridge's hello.
func dialV1(t *testing.T, addr, target string) (*client, envelope) {
	t.Helper()
	c := dialWith(t, addr, target, bridge.Subprotocol)
	hello := c.next()
	if hello["op"] != "hello" {
		t.Fatalf("the first message is %v", hello)
	}
	return c, hello
}

func dialWith(t *testing.T, addr, target string, subprotocols ...string) *client {
	t.Helper()
	c := testkit.DialWebSocketWith(t, ws.Dialer{Protocols: subprotocols}, "ws://"+addr+target)
	if len(subprotocols) > 0 && c.Handshake.Protocol != subprotocols[0] {
		t.Errorf("the subprotocol is %q", c.Handshake.Protocol)
	}
	return &client{t, c}
}

func (e envelope) seq() uint64 {
	n, _ := e["seq"].(json.Number)
	v, _ := n.Int64()
	return uint64(v)
}

// number returns the number in a body {"n": 1}, or -1.
func (e envelope) number() int {
	body, _ := e["body"].(map[string]any)
	n, _ := body["n"].(json.Number)
	v, err := n.Int64()
	if err != nil {
		return -1
	}
	return int(v)
}

// path returns the value under these nested keys.
func (e envelope) path(keys ...string) any {
	var v any = map[string]any(e)
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func withHistory(c *bridge.Config) { c.History.Replies = 1000 }

func TestAV1ClientIsGreetedAndItsRepliesAreNumbered(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, func(c *bridge.Config) { c.Name, c.Version = "bridge", "1.2" })
	p := newPeer(t, url)
	plain := dial(t, b.addr)
	p.reply(`{"n": 1}`)
	plain.next()

	c, hello := dialV1(t, b.addr, "/")
	epoch := hello["epoch"]
	for _, field := range []string{"name", "version", "broker", "seq"} {
		want := map[string]string{"name": "bridge", "version": "1.2", "broker": "up", "seq": "1"}[field]
		equal(t, "hello's "+field, fmt.Sprint(hello[field]), want)
	}
	if s, _ := hello["session"].(string); s == "" || epoch == "" {
		t.Errorf("the hello is %v", hello)
	}
	for n := 2; n < 5; n++ {
		p.reply(fmt.Sprintf(`{"n": %d}`, n))
		numbered, want := c.next(), plain.next()
		equal(t, "seq and epoch", []any{numbered.seq(), numbered["epoch"]}, []any{uint64(n), epoch})
		delete(numbered, "seq")
		delete(numbered, "epoch")
		if heard, err := strconv.ParseInt(fmt.Sprint(numbered["heard"]), 10, 64); err != nil || time.Since(time.UnixMicro(heard)).Abs() > time.Minute {
			t.Errorf("it was heard at %v", numbered["heard"])
		}
		delete(numbered, "heard")
		if !maps.EqualFunc(numbered, want, func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
			t.Errorf("the v1 client got %v, the plain one %v", numbered, want)
		}
	}
}

func TestAPlainClientSpeaksV1FromItsFirstOpOn(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	p := newPeer(t, url)
	c := dial(t, b.addr)
	p.reply(`{"n": 1}`)
	if e := c.next(); e["seq"] != nil {
		t.Errorf("a plain client got %v", e)
	}
	c.say(`{"op": "ping", "id": "a", "data": [1, "b"]}`)
	equal(t, "the first message", c.next()["op"], any("hello"))
	pong := c.next()
	equal(t, "the answer", []string{fmt.Sprint(pong["op"]), fmt.Sprint(pong["id"]), fmt.Sprint(pong["data"]), fmt.Sprint(pong["seq"])}, []string{"pong", "a", "[1 b]", "1"})
	p.reply(`{"n": 2}`)
	if e := c.next(); e.seq() != 2 || e.number() != 2 {
		t.Errorf("then came %v", e)
	}
}

func TestAClientThatComesBackHasExactlyWhatItMissed(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, withHistory)
	p := newPeer(t, url)
	first, _ := dialV1(t, b.addr, "/")
	var last envelope
	for n := 1; n <= 3; n++ {
		p.reply(fmt.Sprintf(`{"n": %d}`, n))
		last = first.next()
	}
	first.Close()
	observer := dial(t, b.addr)
	for n := 4; n <= 9; n++ {
		p.reply(fmt.Sprintf(`{"n": %d}`, n))
		observer.next()
	}
	since := fmt.Sprintf("%v:%d", last["epoch"], last.seq())
	for name, resume := range map[string]func() *client{
		"by the URL": func() *client { c, _ := dialV1(t, b.addr, "/?since="+since); return c },
		"by the URL alone": func() *client {
			c := dialWith(t, b.addr, "/?since="+since)
			equal(t, "the hello", c.next()["op"], any("hello"))
			return c
		},
		"by a request": func() *client {
			c, _ := dialV1(t, b.addr, "/")
			c.say(fmt.Sprintf(`{"op": "subscribe", "id": "s", "since": {"epoch": %q, "seq": %d}}`, last["epoch"], last.seq()))
			return c
		},
	} {
		c := resume()
		ok := c.next()
		equal(t, name+": the answer", []any{ok["op"], ok["resumed"], fmt.Sprint(ok["seq"])}, []any{"ok", true, "9"})
		for n := 4; n <= 9; n++ {
			if e := c.next(); e.number() != n || e.seq() != uint64(n) {
				t.Fatalf("%s: instead of %d came %v", name, n, e)
			}
		}
		c.say(`{"op": "ping"}`)
		equal(t, name+": after it", c.next()["op"], any("pong"))
	}
}

func TestASilentClientGetsOnlyWhatItSubscribesTo(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, withHistory)
	p := newPeer(t, url)
	observer := dial(t, b.addr)
	c, hello := dialV1(t, b.addr, "/?silent=1")
	p.reply(`{"n": 1}`)
	observer.next()
	c.say(`{"op": "ping", "id": "before"}`)
	pong := c.next()
	equal(t, "what comes first", fmt.Sprint(pong["op"], pong["id"], pong["epoch"], pong["seq"]), fmt.Sprint("pong", "before", hello["epoch"], 1))
	c.say(`{"op": "subscribe", "id": "s"}`)
	equal(t, "the answer", c.next()["op"], any("ok"))
	p.reply(`{"n": 2}`)
	equal(t, "what it hears", c.next().number(), 2)
}

func TestASilentClientResumesEachOfItsSubscriptions(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, withHistory)
	p := newPeer(t, url)
	observer := dial(t, b.addr)
	_, hello := dialV1(t, b.addr, "/")
	for n := 1; n <= 6; n++ {
		p.reply(fmt.Sprintf(`{"n": %d, "%c": 1}`, n, "ab"[n%2]))
		observer.next()
	}
	c, _ := dialV1(t, b.addr, "/?silent=1")
	for _, keyword := range []string{"a", "b"} {
		c.say(fmt.Sprintf(`{"op": "subscribe", "id": %q, "filter": {"keyword": %q}, "since": {"epoch": %q, "seq": 1}}`, keyword, keyword, hello["epoch"]))
	}
	c.say(`{"op": "ping"}`)
	var heard []int
	for e := c.next(); e["op"] != "pong"; e = c.next() {
		if e["op"] == nil {
			heard = append(heard, e.number())
		}
	}
	equal(t, "the replies", heard, []int{2, 4, 6, 3, 5})
}

func TestSilentExcludesOtherParameters(t *testing.T) {
	b := linked(t, embeddedBroker(t))
	for path, words := range map[string]string{
		"/?silent=1&sender=dome": "silent=1 asks for nothing, but other parameters",
		"/?silent=perhaps":       "silent=perhaps: write silent=1 or silent=0",
	} {
		c, _ := dialV1(t, b.addr, path)
		if e := c.next(); e["op"] != "error" || !strings.Contains(fmt.Sprint(e["message"]), words) {
			t.Errorf("%s is answered with %v", path, e)
		}
	}
}

func TestAClientIsToldWhyItCannotResumeAndGoesOn(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, func(c *bridge.Config) { c.History.Replies = 2 })
	p := newPeer(t, url)
	observer, hello := dialV1(t, b.addr, "/")
	for n := 1; n <= 5; n++ {
		p.reply(fmt.Sprintf(`{"n": %d}`, n))
		observer.next()
	}
	// The order matters: each case adds one reply.
	for _, c := range []struct {
		name  string
		epoch any
		seq   int
		words string
	}{
		{"forgotten", hello["epoch"], 2, "not kept any more; those behind 3 are"},
		{"another epoch", "other", 4, "begun anew"},
	} {
		resumed, _ := dialV1(t, b.addr, fmt.Sprintf("/?since=%v:%d", c.epoch, c.seq))
		ok := resumed.next()
		if reason, _ := ok["reason"].(string); ok["op"] != "ok" || ok["resumed"] != false || !strings.Contains(reason, c.words) {
			t.Errorf("%s: the answer is %v", c.name, ok)
		}
		snapshot := resumed.next()
		equal(t, c.name+": in its place", []any{snapshot["op"], snapshot.path("actors", "peer", "keywords", "n", "value")}, []any{"snapshot", json.Number("5")})
		p.reply(`{"n": 5}`)
		equal(t, c.name+": what follows", resumed.next().number(), 5)
		observer.next()
	}
}

func TestAWrongRequestIsExplained(t *testing.T) {
	b := linked(t, embeddedBroker(t))
	c, _ := dialV1(t, b.addr, "/")
	for _, wrong := range []struct{ text, id, words string }{
		{`{"op": "dance", "id": "1"}`, "1", `no op "dance"; there are ack, actors, auth, clients, command, commands, history, log, model, ping, problems, publish, site, snapshot, subscribe, unsubscribe`},
		{`{"op": 5, "id": "2"}`, "2", `"op" is a number`},
		{`{"op": "ping", "id": 3}`, "<nil>", `"id" is a number`},
		{`{"op": "ping", "id": "4", "date": 1}`, "4", `no field "date"; it has id, data`},
		{`{"op": "subscribe", "id": "5", "since": 7}`, "5", `"since" is a number; write {"epoch"`},
		{`{"op": "subscribe", "id": "6", "since": {"seq": 7}}`, "6", `needs an "epoch"`},
		{`{"op": "subscribe", "id": "7", "since": {"epoch": "x"}}`, "7", `needs a "seq"`},
		{`{"op": "subscribe", "id": "8", "since": {"epoch": "x", "seq": -1}}`, "8", `the "seq" in "since" is -1`},
		{`{"op": "subscribe", "id": "8b", "since": {"epoch": "x", "seq": 1.5}}`, "8b", `the "seq" in "since" is 1.5, but must be a whole number; write {"epoch"`},
		{`{"op": "subscribe", "id": "8c", "throttle_ms": 1.5}`, "8c", `"throttle_ms" is 1.5, but must be a whole number of milliseconds`},
		{`{"op": "subscribe", "id": "9", "since": {"epoch": "x", "sequence": 1}}`, "9", `no field "sequence"`},
		{`hello`, "<nil>", `not JSON`},
		{`{"consumer": "dome"}`, "<nil>", `"command_string"`},
	} {
		c.say(wrong.text)
		e := c.next()
		if words, _ := e["message"].(string); e["op"] != "error" || fmt.Sprint(e["id"]) != wrong.id || e["code"] != "bad_request" || !strings.Contains(words, wrong.words) {
			t.Errorf("%s is answered with %v", wrong.text, e)
		}
	}
	odd, _ := dialV1(t, b.addr, "/?since=yesterday")
	if e := odd.next(); e["op"] != "error" || !strings.Contains(fmt.Sprint(e["message"]), "since=EPOCH:SEQ") {
		t.Errorf("since=yesterday is answered with %v", e)
	}
}

func TestACommandThatFailsIsAnErrorToAV1Client(t *testing.T) {
	b := startBridge(t, "amqp://127.0.0.1:1/")
	c, hello := dialV1(t, b.addr, "/")
	equal(t, "the broker in the hello", hello["broker"], any("down"))
	c.say(`{"consumer": "dome", "command_string": "open", "command_id": "mine"}`)
	e := c.next()
	for e["op"] == "broker" {
		e = c.next()
	}
	equal(t, "the error", []any{e["op"], e["command_id"], e["code"]}, []any{"error", "mine", "away"})
}
