package bridge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The clients run the same cases, each against a bridge that follows them to the letter.
func TestTheBridgePassesEveryCaseOfTheProtocol(t *testing.T) {
	cases, err := conformance.Cases()
	if err != nil {
		t.Fatal(err)
	}
	played := 0
	for _, c := range cases {
		if c.Only == "client" {
			continue
		}
		played++
		t.Run(c.Name, func(t *testing.T) {
			p := newCasePlayer(t)
			for i, step := range c.Steps {
				p.where = fmt.Sprintf("step %d", i+1)
				p.step(step)
			}
			p.end()
		})
	}
	if played < 35 {
		t.Errorf("%d cases were played", played)
	}
}

// casePlayer plays the client's side of a case.
type casePlayer struct {
	t        *testing.T
	where    string // in the case
	bridge   *running
	peer     *peer
	commands <-chan amqp.Delivery
	vars     conformance.Variables

	epoch string
	base  int64 // the number before the first reply of the case
	count int64 // of replies of the case
	gone  bool  // the replies that were missed cannot be resumed

	c        *client
	subs     []conformance.Subscribe
	ids      map[string]*conformance.Command // commands, by the name of their step
	messages []conformance.Message           // that came and were not expected yet
	replies  []conformance.Message
}

func newCasePlayer(t *testing.T) *casePlayer {
	t.Helper()
	url := embeddedBroker(t)
	p := &casePlayer{t: t, vars: conformance.Variables{}, ids: map[string]*conformance.Command{}, peer: newPeer(t, url)}
	p.bridge = linked(t, url, withHistory, func(c *bridge.Config) { c.Name, c.KeywordHistory, c.Site = "bridge", 1<<20, docSite() })
	p.commands = p.peer.hear("command.#")
	return p
}

func (p *casePlayer) fatal(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("%s: %s", p.where, fmt.Sprintf(format, args...))
}

func (p *casePlayer) step(s conformance.Step) {
	p.t.Helper()
	switch {
	case s.Connect != nil:
		p.connect(*s.Connect)
	case s.Subscribe != nil:
		p.subscribe(*s.Subscribe)
	case s.Unsubscribe != "":
		p.say(conformance.Message{"op": "unsubscribe", "id": s.Unsubscribe})
		p.expect(conformance.Message{"op": "ok", "id": s.Unsubscribe})
	case s.Command != nil:
		p.command(*s.Command)
	case s.Reply != nil:
		p.publish(*s.Reply)
		if len(s.Reply.On) > 0 || len(p.subs) == 0 {
			p.expectReply(p.base+p.count, s.Reply)
		}
	case s.Away != nil:
		p.publish(*s.Away)
	case s.Resumed != nil:
		for n := s.Resumed.From; n <= s.Resumed.To; n++ {
			p.expectResumed(p.base + n)
		}
	case s.Restart != nil:
		p.gone = true
	case s.Ask != nil:
		p.ask(*s.Ask)
	case s.Bridge != nil:
		p.expect(s.Bridge)
	case s.Client != nil:
		filled, _ := p.vars.Fill(s.Client).(map[string]any)
		p.say(filled)
	case s.Cut != nil:
		p.c.Close()
	}
}

func (p *casePlayer) connect(c conformance.Connect) {
	p.t.Helper()
	target := "/"
	if p.c != nil {
		target = "/?silent=1"
	}
	first := p.c == nil
	p.c, p.messages, p.replies = dialWith(p.t, p.bridge.addr, target, bridge.Subprotocol), nil, nil
	hello := p.expect(conformance.Message{"op": "hello", "epoch": "$epoch"})
	if first {
		p.epoch = hello["epoch"].(string)
		p.base = integer(hello["seq"])
		return
	}
	for _, sub := range p.subs {
		request := subscribeRequest(sub)
		since := conformance.Message{"epoch": p.epoch, "seq": p.base}
		switch {
		case p.gone:
			since["epoch"] = "another"
		case c.Since == nil:
			p.fatal("the case does not say where the client resumes")
		default:
			since["seq"] = p.base + *c.Since
		}
		request["since"] = since
		p.say(request)
		p.expect(conformance.Message{"op": "ok", "id": sub.As, "resumed": !p.gone})
		if p.gone {
			p.expect(conformance.Message{"op": "snapshot", "id": sub.As})
		}
	}
}

func subscribeRequest(s conformance.Subscribe) conformance.Message {
	m := conformance.Message{"op": "subscribe", "id": s.As}
	if s.Filter != nil {
		m["filter"] = s.Filter
	}
	if s.Notices != nil {
		m["notices"] = s.Notices
	}
	if s.Throttle > 0 {
		m["throttle_ms"] = s.Throttle
	}
	if s.Ordered {
		m["ordered"] = true
	}
	return m
}

func (p *casePlayer) subscribe(s conformance.Subscribe) {
	p.t.Helper()
	p.subs = append(p.subs, s)
	request := subscribeRequest(s)
	if len(s.Snapshot) > 0 {
		request["snapshot"] = true
	}
	p.say(request)
	p.expect(conformance.Message{"op": "ok", "id": s.As})
	if len(s.Snapshot) == 0 {
		return
	}
	actors := conformance.Message{}
	for name, value := range s.Snapshot {
		actor, keyword, _ := strings.Cut(name, ".")
		actors[actor] = conformance.Message{"keywords": conformance.Message{keyword: conformance.Message{"value": value}}}
	}
	p.expect(conformance.Message{"op": "snapshot", "id": s.As, "actors": actors})
}

// command sends a command, and waits until its actor has it.
func (p *casePlayer) command(c conformance.Command) {
	p.t.Helper()
	if c.ID == "" {
		c.ID = "id-of-" + c.As
	}
	p.ids[c.As] = &c
	p.say(conformance.Message{"consumer": c.Consumer, "command_string": c.String, "command_id": c.ID})
	if d := testkit.Receive(p.t, p.commands); d.Headers["command_id"] != c.ID {
		p.fatal("the actor got the command %v, want %s", d.Headers["command_id"], c.ID)
	}
}

// publish is what an actor says.
func (p *casePlayer) publish(r conformance.Reply) {
	p.t.Helper()
	p.count++
	headers := amqp.Table{"message_code": r.Code, "sender": r.Sender, "command_id": nil, "commander_id": "." + r.Sender, "internal": r.Internal}
	key := "reply.broadcast"
	if c := p.ids[r.To]; c != nil {
		headers["command_id"], headers["commander_id"] = c.ID, "bridge."+c.Consumer
		key = "reply.bridge." + c.Consumer
	}
	id, _ := headers["command_id"].(string)
	p.peer.publish(key, amqp.Publishing{Headers: headers, CorrelationId: id, Body: r.Body})
}

func (p *casePlayer) ask(a conformance.Ask) {
	p.t.Helper()
	request := conformance.Message{"op": a.What, "id": a.As}
	for name, value := range a.Args {
		request[name] = value
	}
	p.say(request)
	want := conformance.Message{"op": a.What, "id": a.As}
	if a.Error != "" {
		want["op"], want["code"] = "error", a.Error
	}
	for name, value := range a.Real {
		want[name] = value
	}
	p.expect(want)
}

func (p *casePlayer) say(m conformance.Message) {
	p.t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		p.t.Fatal(err)
	}
	p.c.say(string(text))
}

// next reads a message or a reply into its queue.
func (p *casePlayer) next() {
	p.t.Helper()
	m, err := conformance.Parse(p.c.text())
	if err != nil {
		p.fatal("it is not JSON: %v", err)
	}
	if m["op"] == nil {
		p.replies = append(p.replies, m)
		return
	}
	p.messages = append(p.messages, m)
}

// expect reads the next message, which must match.
func (p *casePlayer) expect(want conformance.Message) conformance.Message {
	p.t.Helper()
	for len(p.messages) == 0 {
		p.next()
	}
	m := p.messages[0]
	p.messages = p.messages[1:]
	if diff := p.vars.Match(any(want), any(m)); diff != "" {
		p.fatal("got %v, want %v: %s", m, want, diff)
	}
	return m
}

// expectReply reads the next reply, which must have the number and, if it is known, the content.
func (p *casePlayer) expectReply(seq int64, r *conformance.Reply) {
	p.t.Helper()
	for len(p.replies) == 0 {
		p.next()
	}
	m := p.replies[0]
	p.replies = p.replies[1:]
	if got := integer(m["seq"]); got != seq {
		p.fatal("got the reply %d of the case, want %d: %v", got-p.base, seq-p.base, m)
	}
	if r == nil {
		return
	}
	want, err := conformance.Parse(fmt.Appendf(nil, `{"headers": {"sender": %q, "message_code": %q, "internal": %t}, "body": %s}`, r.Sender, r.Code, r.Internal, r.Body))
	if err != nil {
		p.t.Fatal(err)
	}
	if diff := p.vars.Match(any(want), any(m)); diff != "" {
		p.fatal("the reply %v: %s", m, diff)
	}
}

// expectResumed reads the reply with the number. Replies for several subscriptions may take turns, but those of a sender
// come in their order.
func (p *casePlayer) expectResumed(seq int64) {
	p.t.Helper()
	for {
		at := slices.IndexFunc(p.replies, func(m conformance.Message) bool { return integer(m["seq"]) == seq })
		if at < 0 {
			p.next()
			continue
		}
		for _, m := range p.replies[:at] {
			if senderOf(m) == senderOf(p.replies[at]) {
				p.fatal("the reply %d of the case came before %d", integer(m["seq"])-p.base, seq-p.base)
			}
		}
		p.replies = slices.Delete(p.replies, at, at+1)
		return
	}
}

func senderOf(m conformance.Message) any { return m["headers"].(map[string]any)["sender"] }

// end checks that nothing more came.
func (p *casePlayer) end() {
	p.t.Helper()
	p.where = "at the end"
	p.say(conformance.Message{"op": "ping", "id": "the end"})
	p.expect(conformance.Message{"op": "pong", "id": "the end"})
	if len(p.replies) > 0 {
		p.fatal("it also got the replies %v", p.replies)
	}
}

func integer(v any) int64 {
	n, _ := v.(json.Number)
	i, _ := n.Int64()
	return i
}
