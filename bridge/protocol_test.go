package bridge_test

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
)

// example is a message as docs/protocol.md shows it.
type example struct {
	line int // those of one line belong together: a request and its answers
	text string
	envelope
}

// kind is its op; without one it is a command or a reply.
func (e envelope) kind() string {
	switch op, _ := e["op"].(string); {
	case op != "":
		return op
	case e["consumer"] != nil:
		return "a plain command"
	}
	return "a reply"
}

// requests says for each message of a client what the last message in answer to it
// is. The ops that both sides have are told apart by what only the server's has.
var requests = map[string]string{
	"ping": "pong", "subscribe": "ok", "unsubscribe": "ok", "snapshot": "snapshot", "actors": "actors", "command": "result", "a plain command": "a reply",
}

func (e envelope) isRequest() bool {
	_, known := requests[e.kind()]
	return known && e["actors"] == nil
}

// theExample are the values that stand for a bridge's own in the document.
var theExample = regexp.MustCompile(`"5f0c2a9be1d4", "seq": 41`)

var inBackticks = regexp.MustCompile("`(\\{\"(?:op|consumer)\".*?)`")

// readProtocol gives the document and the examples in it.
func readProtocol(t *testing.T) (document string, examples []example) {
	t.Helper()
	text, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	document = string(text)
	block, inBlock := "", false
	for i, line := range strings.Split(document, "\n") {
		var found []string
		switch {
		case strings.HasPrefix(line, "```"):
			if inBlock = !inBlock; !inBlock {
				found = append(found, block)
			}
			block = ""
		case inBlock:
			block += line
		default:
			for _, m := range inBackticks.FindAllStringSubmatch(line, -1) {
				found = append(found, m[1])
			}
		}
		for _, text := range found {
			m, err := parse([]byte(text))
			if err != nil {
				t.Errorf("line %d is not JSON: %v\n%s", i+1, err, text)
				continue
			}
			examples = append(examples, example{i + 1, text, m})
		}
	}
	return document, examples
}

// shape is the keys of a message and the types of its values. What an actor or a
// client chooses has no shape.
func shape(key string, v any) string {
	if slices.Contains([]string{"body", "value", "data"}, key) {
		return "anything"
	}
	switch v := v.(type) {
	case envelope:
		return shape(key, map[string]any(v))
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if part := shape(name, v[name]); key == "actors" || key == "keywords" {
				parts = append(parts, part) // the names are the actors' own
			} else {
				parts = append(parts, name+" "+part)
			}
		}
		return "{" + strings.Join(slices.Compact(parts), ", ") + "}"
	case []any:
		var parts []string
		for _, element := range v {
			parts = append(parts, shape("", element))
		}
		return "[" + strings.Join(slices.Compact(parts), ", ") + "]"
	case nil:
		return "null"
	}
	return fmt.Sprintf("%T", v)
}

// theatre is a bridge in which everything happens that the document tells of.
type theatre struct {
	t     *testing.T
	b     *running
	p     *peer
	epoch string
	heard map[string][]envelope // by kind
}

func openTheatre(t *testing.T, url string) *theatre {
	t.Helper()
	b := linked(t, url, withHistory, func(c *bridge.Config) { c.Name, c.Version = "bridge", "0.1.0" })
	th := &theatre{t: t, b: b, p: newPeer(t, url), heard: map[string][]envelope{}}
	commands := th.p.hear("command.dome.#")
	acting := make(chan struct{})
	go func() {
		defer close(acting)
		for d := range commands {
			for _, code := range []string{">", "i", ":"} {
				_ = th.p.ch.Publish(d.Exchange, "reply.bridge.dome", false, false, domeSays(code, d.Headers["command_id"]))
			}
		}
	}()
	t.Cleanup(func() { th.p.ch.Close(); <-acting })
	witness := th.dial("/")
	th.p.publish("reply.broadcast", domeSays("i", nil))
	th.until(witness, "a reply")
	return th
}

func domeSays(code string, commandID any) amqp.Publishing {
	id, _ := commandID.(string)
	return amqp.Publishing{
		Headers:       amqp.Table{"message_code": code, "sender": "dome", "command_id": commandID, "commander_id": "bridge.dome", "internal": false},
		CorrelationId: id, MessageId: "2f1d", Timestamp: time.Now(), Body: []byte(`{"dome_open": true}`),
	}
}

// dial connects a v1 client.
func (th *theatre) dial(target string) *client {
	th.t.Helper()
	c, hello := dialV1(th.t, th.b.addr, target)
	th.epoch = hello["epoch"].(string)
	th.heard["hello"] = append(th.heard["hello"], hello)
	return c
}

// until reads up to a message of this kind. A reply that does not end a command is
// none, where one has been sent.
func (th *theatre) until(c *client, kind string) (all []envelope) {
	th.t.Helper()
	for {
		m := c.next()
		all = append(all, m)
		th.heard[m.kind()] = append(th.heard[m.kind()], m)
		if m.kind() == kind {
			return all
		}
	}
}

// play sends an example, and gives what came in answer.
func (th *theatre) play(e example) []envelope {
	th.t.Helper()
	text := theExample.ReplaceAllString(e.text, fmt.Sprintf(`%q, "seq": 1`, th.epoch))
	if e.kind() == "a plain command" {
		c := dial(th.t, th.b.addr)
		c.say(text)
		return th.until(c, "a reply")
	}
	c := th.dial("/")
	if e.kind() == "unsubscribe" {
		c.say(strings.Replace(text, "unsubscribe", "subscribe", 1))
		th.until(c, "ok")
	}
	c.say(text)
	return th.until(c, requests[e.kind()])
}

// others brings about what is no answer to an example.
func (th *theatre) others(b *broker.Broker) {
	th.t.Helper()
	c := th.dial(fmt.Sprintf("/?since=%s:1", th.epoch))
	th.until(c, "ok")
	c = th.dial("/?since=another:1")
	th.until(c, "ok")
	c = th.dial("/")
	c.say(`{"op": "dance", "id": "a"}`)
	th.until(c, "error")
	th.p.hear("command.mute.#")
	c.say(`{"op": "command", "id": "b", "consumer": "mute", "command_string": "open", "timeout_ms": 1}`)
	th.until(c, "result")
	b.DropConnections()
	th.until(c, "gap")
}

// away has a client send a command while there is no broker.
func (th *theatre) away() {
	th.t.Helper()
	c, _ := dialV1(th.t, startBridge(th.t, "amqp://127.0.0.1:1/").addr, "/")
	c.say(`{"consumer": "dome", "command_string": "open"}`)
	th.until(c, "error")
}

// slow has a client read nothing until replies are left out for it.
func (th *theatre) slow(url string) {
	th.t.Helper()
	b := linked(th.t, url, func(c *bridge.Config) { c.SkipSlow, c.Limits.LogBytes = true, 1<<20 })
	p := newPeer(th.t, url)
	c, _ := dialV1(th.t, b.addr, "/")
	if err := c.Conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		th.t.Fatal(err)
	}
	body := fmt.Sprintf(`{"text": %q}`, strings.Repeat("x", 100_000))
	for range 300 {
		p.reply(body)
	}
	th.until(c, "dropped")
}

func serveBroker(t *testing.T) (*broker.Broker, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := broker.New(broker.Config{})
	served := make(chan struct{})
	go func() { defer close(served); _ = b.Serve(ln) }()
	t.Cleanup(func() { b.Close(); <-served })
	return b, "amqp://guest:guest@" + ln.Addr().String() + "/"
}

func TestEveryExampleOfTheProtocolIsTrue(t *testing.T) {
	document, examples := readProtocol(t)
	br, url := serveBroker(t)
	th := openTheatre(t, url)
	asked := map[string]bool{}
	shown := map[string][]string{} // the shapes of the server's messages, by kind
	for _, e := range examples {
		if !e.isRequest() {
			shown[e.kind()] = append(shown[e.kind()], shape("", e.envelope))
			continue
		}
		asked[e.kind()] = true
		answers := th.play(e)
		for _, answer := range examples {
			if answer.line == e.line && !answer.isRequest() && !slices.ContainsFunc(answers, sameAs(answer)) {
				t.Errorf("line %d: %s is not answered with %s, but with %v", e.line, e.text, answer.text, answers)
			}
		}
	}
	for kind := range requests {
		if !asked[kind] {
			t.Errorf("the document has no example of %s from a client", kind)
		}
	}
	th.others(br)
	th.away()
	th.slow(url)
	for _, e := range examples {
		if !e.isRequest() && !slices.ContainsFunc(th.heard[e.kind()], sameAs(e)) {
			t.Errorf("line %d: no such message came: %s\nbut %v", e.line, e.text, th.heard[e.kind()])
		}
		if e.kind() == "hello" {
			equal(t, "the capabilities", th.heard["hello"][0]["capabilities"], e.envelope["capabilities"])
		}
	}
	for kind, messages := range th.heard {
		if shown[kind] == nil {
			t.Errorf("the document has no example of %s from the server: %v", kind, messages[0])
		}
		for _, m := range messages {
			for key := range m {
				if !strings.Contains(document, `"`+key+`"`) && !strings.Contains(document, "`"+key+"`") {
					t.Errorf("the document does not know the key %q of %v", key, m)
				}
			}
		}
	}
}

// sameAs tells whether a message has the same shape as an example.
func sameAs(e example) func(envelope) bool {
	want := shape("", e.envelope)
	return func(m envelope) bool { return m.kind() == e.kind() && shape("", m) == want }
}

var sentOps = regexp.MustCompile(`(?:Op: |"op": |\.Op, m\.ID = )"([a-z]+)"`)

func TestTheProtocolTellsOfEveryMessageThatTheBridgeSendsAndTakes(t *testing.T) {
	_, examples := readProtocol(t)
	told := map[bool]map[string]bool{true: {}, false: {}} // by whether it is a request
	for _, e := range examples {
		told[e.isRequest()][e.kind()] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range sentOps.FindAllStringSubmatch(string(text), -1) {
			sent++
			if !told[false][m[1]] {
				t.Errorf("%s sends %q, of which the document has no example", file, m[1])
			}
		}
	}
	if sent < 9 {
		t.Errorf("only %d places that send a message were found", sent)
	}
	c, _ := dialV1(t, startBridge(t, "amqp://127.0.0.1:1/").addr, "/")
	c.say(`{"op": "dance"}`)
	e := c.next()
	for e["op"] != "error" {
		e = c.next()
	}
	words, _ := e["message"].(string)
	_, list, _ := strings.Cut(words, "there are ")
	for op := range strings.SplitSeq(list, ", ") {
		if !told[true][op] {
			t.Errorf("a client may ask for %q, of which the document has no example", op)
		}
	}
}

func TestTheProtocolTellsOfEveryCodeOfAnError(t *testing.T) {
	document, _ := readProtocol(t)
	_, table, _ := strings.Cut(document, "| code | means |\n| --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var told []string
	for row := range strings.SplitSeq(table, "\n") {
		codes, _, _ := strings.Cut(strings.TrimPrefix(row, "|"), "|")
		for code := range strings.SplitSeq(codes, ",") {
			told = append(told, strings.Trim(strings.TrimSpace(code), "`"))
		}
	}
	want := []string{"bad_request", "forbidden", "invalid", "leaving"}
	for o := amqpx.Confirmed + 1; o <= amqpx.Unknown; o++ {
		want = append(want, o.String())
	}
	slices.Sort(told)
	slices.Sort(want)
	equal(t, "the codes", told, want)
}
