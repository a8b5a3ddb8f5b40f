package bridge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// problemClient is a v1 client that gets notices of problems, and no replies.
type problemClient struct {
	*client
	notices []envelope
}

func watchProblems(t *testing.T, b *running) *problemClient {
	t.Helper()
	c, _ := dialV1(t, b.addr, "/?silent=1")
	w := &problemClient{client: c}
	w.ask(`{"op": "subscribe", "id": "n", "notices": ["problems"]}`)
	return w
}

// ask sends a request, and returns its answer.
func (w *problemClient) ask(request string) envelope {
	w.t.Helper()
	w.say(request)
	return w.answer()
}

// answer reads the next answer.
func (w *problemClient) answer() envelope {
	w.t.Helper()
	for {
		switch m := w.next(); m["op"] {
		case "problem":
			w.notices = append(w.notices, m)
		case "broker", "gap":
		default:
			return m
		}
	}
}

// told waits until the last notice says that these are an actor's problems.
func (w *problemClient) told(want string) {
	w.t.Helper()
	for len(w.notices) == 0 || w.notices[len(w.notices)-1].state() != want {
		if m := w.next(); m["op"] == "problem" {
			w.notices = append(w.notices, m)
		}
	}
}

// state describes the problems in a message: level, text and count, and whether they are acknowledged.
func (e envelope) state() string {
	var all []string
	problems, _ := e["problems"].([]any)
	for _, p := range problems {
		p := envelope(p.(map[string]any))
		s := fmt.Sprintf("%v %v %v x%v", p["actor"], p["level"], p["text"], p["count"])
		if p["acked"] != nil {
			s += " acked"
		}
		if p["active"] == false {
			s += " ended"
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}

// until waits until the problems that the bridge knows are these.
func (w *problemClient) until(want string) {
	w.t.Helper()
	testkit.Eventually(w.t, testkit.Patience, want, func() error {
		if got := w.ask(`{"op": "problems"}`).state(); got != want {
			return fmt.Errorf("there are %s", got)
		}
		return nil
	})
}

// lastSeq returns the number of the last reply that told of a problem.
func (w *problemClient) lastSeq() string {
	w.t.Helper()
	var last string
	for _, p := range w.ask(`{"op": "problems"}`)["problems"].([]any) {
		if seq := fmt.Sprint(p.(map[string]any)["seq"]); len(seq) > len(last) || len(seq) == len(last) && seq > last {
			last = seq
		}
	}
	return last
}

// tells publishes a broadcast of an actor.
func (p *peer) tells(actor, code, body string) {
	p.t.Helper()
	p.publish("reply.broadcast", amqp.Publishing{
		Headers:   amqp.Table{"message_code": code, "sender": actor, "command_id": nil, "commander_id": nil, "internal": false},
		Timestamp: time.Now(), DeliveryMode: amqp.Persistent, Body: []byte(body),
	})
}

func TestAllBridgesKnowTheSameProblemsAndAcknowledgements(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		a, b := linked(t, url), linked(t, url)
		p := newPeer(t, url)
		onA, onB, plain := watchProblems(t, a), watchProblems(t, b), dial(t, b.addr)
		p.tells("chiller", "!", `{"error": "coolant leak"}`)
		p.tells("chiller", "w", `{"text": "disk 80 % full"}`)
		for _, w := range []*problemClient{onA, onB} {
			w.until("chiller critical coolant leak x1, chiller warn disk 80 % full x1")
		}
		if m := onA.ask(`{"op": "ack", "id": "a", "actor": "chiller", "seq": ` + onA.lastSeq() + `}`); m["op"] != "ok" {
			t.Fatal(m)
		}
		for _, w := range []*problemClient{onA, onB} {
			w.until("chiller critical coolant leak x1 acked, chiller warn disk 80 % full x1 acked")
			w.told("chiller critical coolant leak x1 acked, chiller warn disk 80 % full x1 acked")
		}
		p.tells("chiller", "!", `{"error": "fire"}`)
		onB.until("chiller critical fire x1, chiller critical coolant leak x1 acked, chiller warn disk 80 % full x1 acked")
		testkit.WaitUntil(t, "a plain client sees the acknowledgement", func() bool {
			e := plain.next()
			_, is := e["body"].(map[string]any)["clu_ws_ack"]
			return is && e.header("internal") == true && e["routing_key"] == "reply."+a.Name()
		})
		if actors := fmt.Sprint(onB.ask(`{"op": "actors"}`)["actors"]); strings.Contains(actors, a.Name()) {
			t.Errorf("a bridge that acknowledges is an actor: %s", actors)
		}
	})
}

func TestABridgeThatStartsOnAStreamKnowsProblemsAndAcknowledgements(t *testing.T) {
	url := testkit.RabbitMQ(t).NewVHost(t)
	onStream := func(c *bridge.Config) {
		c.Name, c.Durable.Stream, c.History.Replies, c.Site = "bridge", &bridge.Stream{Bytes: 100 << 20}, 1000, docSite()
	}
	first := linked(t, url, onStream)
	p := newPeer(t, url)
	w := watchProblems(t, first)
	p.tells("chiller", "!", `{"error": "coolant leak"}`)
	p.tells("weather", "i", `{"is_safe": false}`)
	w.until("weather critical The weather is not safe x1, chiller critical coolant leak x1")
	if m := w.ask(`{"op": "ack", "actor": "chiller", "seq": ` + w.lastSeq() + `}`); m["op"] != "ok" {
		t.Fatal(m)
	}
	w.until("weather critical The weather is not safe x1, chiller critical coolant leak x1 acked")
	if err := first.end(t, first.stop()); err != nil {
		t.Fatal(err)
	}
	// The stream has both before the next bridge looks where it ends.
	if err := p.ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	confirms := p.ch.NotifyPublish(make(chan amqp.Confirmation, 2))
	p.tells("chiller", "!", `{"error": "coolant leak"}`)
	p.tells("chiller", "w", `{"text": "disk 80 % full"}`)
	for range 2 {
		testkit.Receive(t, confirms)
	}
	again := watchProblems(t, linked(t, url, onStream))
	if got, want := again.ask(`{"op": "problems"}`).state(), "weather critical The weather is not safe x1, chiller warn disk 80 % full x1, chiller critical coolant leak x2 acked"; got != want {
		t.Errorf("after a restart there are %s\nwant %s", got, want)
	}
}

func TestABridgeThatStartsOnAStreamKnowsProblemsFromBeforeTheRepliesThatItKeeps(t *testing.T) {
	url := testkit.RabbitMQ(t).NewVHost(t)
	onStream := func(c *bridge.Config) {
		c.Name, c.Durable.Stream, c.History.Replies, c.KeywordHistory, c.Site = "bridge", &bridge.Stream{Bytes: 100 << 20}, 5, 16<<20, docSite()
	}
	first := linked(t, url, onStream)
	p := newPeer(t, url)
	w := watchProblems(t, first)
	p.tells("chiller", "!", `{"error": "coolant leak"}`)
	p.tells("chiller", "w", `{"text": "disk 80 % full"}`)
	p.tells("weather", "i", `{"is_safe": false}`)
	w.until("weather critical The weather is not safe x1, chiller critical coolant leak x1, chiller warn disk 80 % full x1")
	key := w.ask(`{"op": "problems"}`)["problems"].([]any)[1].(map[string]any)["key"].(string)
	if m := w.ask(`{"op": "ack", "actor": "chiller", "key": "` + key + `"}`); m["op"] != "ok" {
		t.Fatal(m)
	}
	want := "weather critical The weather is not safe x1, chiller warn disk 80 % full x1, chiller critical coolant leak x1 acked"
	w.until(want)
	for i := range 50 {
		p.tells("mount", "i", fmt.Sprintf(`{"n": %d}`, i))
	}
	testkit.WaitUntil(t, "all has come", func() bool {
		return strings.Contains(fmt.Sprint(w.ask(`{"op": "snapshot", "filter": {"keyword": "n"}}`)), "value:49")
	})
	if err := first.end(t, first.stop()); err != nil {
		t.Fatal(err)
	}
	watchProblems(t, linked(t, url, onStream)).until(want)
}

func TestNothingIsAcknowledgedWhileTheLinkIsDown(t *testing.T) {
	br, url := serveBroker(t)
	b := linked(t, url)
	w := watchProblems(t, b)
	newPeer(t, url).tells("chiller", "!", `{"error": "coolant leak"}`)
	w.until("chiller critical coolant leak x1")
	seq := w.lastSeq()
	br.Close()
	testkit.WaitUntil(t, "the bridge has lost its link", func() bool {
		status, _ := b.health(t, "/readyz")
		return status == 503
	})
	m := w.ask(`{"op": "ack", "id": "a", "actor": "chiller", "seq": ` + seq + `}`)
	if m["op"] != "error" || m["code"] != "away" || !strings.HasPrefix(m["message"].(string), "Nothing was acknowledged: ") {
		t.Errorf("the answer is %v", m)
	}
	w.until("chiller critical coolant leak x1")
}

func TestTwoOperatorsMayAcknowledgeAtOnceWhileAWorseProblemArrives(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	p := newPeer(t, url)
	ana, eve := watchProblems(t, b), watchProblems(t, b)
	for i := range 20 {
		p.tells("chiller", "w", fmt.Sprintf(`{"text": "warning %d"}`, i))
		testkit.WaitUntil(t, "the warning is known", func() bool {
			return strings.Contains(ana.ask(`{"op": "problems"}`).state(), fmt.Sprintf("warning %d x1", i))
		})
		ack := `{"op": "ack", "actor": "chiller", "seq": ` + ana.lastSeq() + `}`
		ana.say(ack)
		eve.say(ack)
		p.tells("chiller", "!", fmt.Sprintf(`{"text": "alarm %d"}`, i))
		for _, w := range []*problemClient{ana, eve} {
			if m := w.answer(); m["op"] != "ok" {
				t.Fatal(m)
			}
		}
		alarm := fmt.Sprintf("chiller critical alarm %d x1, ", i)
		testkit.WaitUntil(t, "the alarm alone is not acknowledged", func() bool {
			state := eve.ask(`{"op": "problems"}`).state()
			rest, found := strings.CutPrefix(state, alarm)
			return found && strings.Count(rest, " acked") == strings.Count(rest, "chiller ")
		})
	}
}

func TestNumbersOfAnotherEpochAcknowledgeNothing(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	c, hello := dialV1(t, b.addr, "/?silent=1")
	w := &problemClient{client: c}
	newPeer(t, url).tells("chiller", "!", `{"error": "coolant leak"}`)
	w.until("chiller critical coolant leak x1")
	key := w.ask(`{"op": "problems"}`)["problems"].([]any)[0].(map[string]any)["key"].(string)
	for _, what := range []string{`"seq": 1000000`, `"key": "` + key + `"`} {
		m := w.ask(`{"op": "ack", "id": "a", "actor": "chiller", ` + what + `, "epoch": "of-a-bridge-that-was-restarted"}`)
		if text, _ := m["message"].(string); m["op"] != "error" || m["code"] != "gone" || !strings.HasPrefix(text, "Nothing was acknowledged: ") || !strings.Contains(text, hello["epoch"].(string)) {
			t.Errorf("%s of another epoch is answered with %v", what, m)
		}
		w.until("chiller critical coolant leak x1")
	}
	if m := w.ask(`{"op": "ack", "actor": "chiller", "seq": ` + w.lastSeq() + `, "epoch": "` + hello["epoch"].(string) + `"}`); m["op"] != "ok" {
		t.Errorf("the bridge's own epoch: %v", m)
	}
	w.until("chiller critical coolant leak x1 acked")
}

func TestWhatOnlyLooksLikeAnAcknowledgementChangesNothing(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	p := newPeer(t, url)
	w := watchProblems(t, b)
	p.tells("chiller", "!", `{"error": "coolant leak"}`)
	w.until("chiller critical coolant leak x1")
	key := w.ask(`{"op": "problems"}`)["problems"].([]any)[0].(map[string]any)["key"].(string)
	headers := func(change amqp.Table) amqp.Table {
		h := amqp.Table{"message_code": "i", "sender": "x", "command_id": nil, "commander_id": nil, "internal": true, "clu_ws": "ack"}
		for name, value := range change {
			h[name] = value
		}
		return h
	}
	good := `{"clu_ws_ack": {"actor": "chiller", "keys": ["` + key + `"], "seq": 99, "epoch": "x"}}`
	for _, c := range []struct {
		routing string
		headers amqp.Table
		body    string
	}{
		{"reply.x", headers(amqp.Table{"clu_ws": nil}), good},
		{"reply.x", headers(amqp.Table{"clu_ws": 1}), good},
		{"reply.x", headers(amqp.Table{"internal": false}), good},
		{"reply.x", headers(amqp.Table{"message_code": "d"}), good},
		{"reply.x", headers(amqp.Table{"sender": "y"}), good},
		{"reply.broadcast", headers(nil), good},
		{"reply.x", headers(nil), `{"clu_ws_ack": {"actor": "chiller", "keys": [5]}}`},
		{"reply.x", headers(nil), `{"clu_ws_ack": {"actor": "chiller", "keys": ["other"]}}`},
		{"reply.x", headers(nil), `[]`},
	} {
		p.publish(c.routing, amqp.Publishing{Headers: c.headers, Body: []byte(c.body)})
	}
	p.tells("chiller", "!", `{"error": "coolant leak"}`)
	w.until("chiller critical coolant leak x2")
	p.publish("reply.x", amqp.Publishing{Headers: headers(nil), Body: []byte(good)})
	w.until("chiller critical coolant leak x2 acked")
}

func TestARequestToAcknowledgeSaysWhatIsWrongWithIt(t *testing.T) {
	b := startBridge(t, "amqp://127.0.0.1:1/")
	w := watchProblems(t, b)
	for request, want := range map[string]string{
		`{"op": "ack", "seq": 5}`:                               `"ack" needs an "actor"`,
		`{"op": "ack", "actor": "dome"}`:                        `"ack" needs "seq"`,
		`{"op": "ack", "actor": "dome", "seq": "5"}`:            `"seq" is a string, but must be the number of a reply`,
		`{"op": "ack", "actor": 5, "seq": 5}`:                   `"actor" is a number, but must be the name of an actor`,
		`{"op": "ack", "actor": "dome", "key": "silent"}`:       "this actor has no problem with this key any more",
		`{"op": "ack", "actor": "dome", "seq": 5, "epoch": 5}`:  `"epoch" is a number, but must be a text, the epoch of the number`,
		`{"op": "ack", "actor": "dome", "seq": 5, "by": "eve"}`: `"ack" has no field "by"`,
		`{"op": "problems", "actor": "dome"}`:                   `"problems" has no field "actor"`,
	} {
		m := w.ask(request)
		if text, _ := m["message"].(string); m["op"] != "error" || m["code"] != "bad_request" || !strings.Contains(text, want) {
			t.Errorf("%s is answered with %v, want %s", request, m, want)
		}
	}
	if m := w.ask(`{"op": "ack", "id": "a", "actor": "dome", "seq": 5}`); m["op"] != "ok" {
		t.Errorf("nothing to acknowledge: %v", m)
	}
}
