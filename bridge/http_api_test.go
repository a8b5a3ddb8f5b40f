package bridge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// post sends a request to the API, and returns the status and the answer.
func (r *running) post(t *testing.T, target, body string) (int, envelope) {
	t.Helper()
	return r.postWith(t, t.Context(), target, "application/json", body)
}

func (r *running) postWith(t *testing.T, ctx context.Context, target, contentType, body string) (int, envelope) {
	t.Helper()
	w := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(ctx, "POST", target, strings.NewReader(body))
	request.Header.Set("Content-Type", contentType)
	r.Admin().ServeHTTP(w, request)
	return w.Code, parseEnvelope(t, w.Body.Bytes())
}

func TestAMessageReachesTheRoomsOfAllBridgesOnce(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		var bridges []*running
		var clients []*client
		for i := range 3 {
			b := linked(t, url, withSources("exchange=live", "exchange=met,path=/weather"), func(c *bridge.Config) { c.Name = fmt.Sprint("bridge", i) })
			b.awaitSources(t, 2)
			v1, _ := dialV1(t, b.addr, "/")
			v1.ask(`{"op": "subscribe", "id": "r", "rooms": ["/live/x", "/live", "/weather/wind"]}`)
			bridges = append(bridges, b)
			clients = append(clients, v1, dialWith(t, b.addr, "/live/x/y"))
		}
		code, answer := bridges[0].post(t, "/api/publish", `{"path": "/live/x", "body": {"a": [1, "ü"]}}`)
		equal(t, "the answer", fmt.Sprint(code, answer), "202 map[exchange:live path:/live/x routing_key:/live/x]")
		for _, c := range clients { // the other source has a link of its own, and may be faster
			c.expect(`{"a":[1,"ü"]}`)
		}
		code, answer = bridges[1].post(t, "/api/publish", `{"exchange": "met", "path": "/weather/wind", "text": "wind"}`)
		equal(t, "the answer", fmt.Sprint(code, answer), "202 map[exchange:met path:/weather/wind routing_key:wind]")
		for i := range bridges {
			clients[2*i].expect("wind")
			clients[2*i+1].roomSilent()
		}
		bridges[2].post(t, "/api/publish", `{"path": "/live", "text": "end"}`)
		for _, c := range clients {
			c.expect("end")
		}
	})
}

func TestTheAPIExplainsWhatIsWrong(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, withSources("exchange=live", "exchange=other"))
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		target, body string
		code         int
		words        string
	}{
		{"/api/publish", `no`, 400, "no JSON object"},
		{"/api/publish", `{"path": "/live/x", "text": "a", "x": 1}`, 400, `no field \"x\"`},
		{"/api/publish", `{"path": "/live/x"}`, 400, `either \"body\" or \"text\"`},
		{"/api/publish", `{"path": "/live/x", "text": "a", "body": 1}`, 400, `either \"body\" or \"text\"`},
		{"/api/publish", `{"path": "/live/x", "text": 1}`, 400, `must be a string`},
		{"/api/publish", `{"path": "/else", "text": "a"}`, 400, `those at and below /live, /other`},
		{"/api/publish", `{"path": "/live/x", "exchange": "other", "text": "a"}`, 400, `is not of the source other`},
		{"/api/publish", `{"path": "/live/x", "exchange": "sdss_exchange", "text": "a"}`, 400, `no source \"sdss_exchange\"`},
		{"/api/publish", `{"path": "/live/x", "text": "` + long + `"}`, 413, "longer than 1048576 bytes"},
		{"/api/command", `{"consumer": "x"}`, 400, "command_string"},
		{"/api/command", `{"consumer": "", "command_string": "x"}`, 400, "consumer is empty"},
		{"/api/command", `{"consumer": "x", "command_string": "x", "timeout_ms": 1}`, 400, `no field \"timeout_ms\"`},
		{"/api/command?wait=maybe", `{}`, 400, "write wait=1"},
		{"/api/command?timeout_ms=1", `{}`, 400, "needs wait=1"},
		{"/api/command?wait=1&timeout_ms=0", `{}`, 400, "from 1 to 3600000"},
		{"/api/command?wiat=1", `{}`, 400, "wait and timeout_ms"},
		{"/api/command?wait=1&wait=0", `{}`, 400, "give it once"},
		{"/api/command?wait=1;timeout_ms=5", `{}`, 400, "not understood"},
		{"/api/command", "{\"consumer\": \"x\", \"command_string\": \"y\xff\"}", 400, "not UTF-8"},
		{"/api/publish?exchange=live", `{"path": "/live/x", "text": "a"}`, 400, `no parameter \"exchange\"`},
		{"/api/publish", `{"path": "/live/x", "text": null}`, 400, `\"text\" is null`},
		{"/api/publish", `{}`, 400, `not the path of a room`},
		{"/api/commands", `{}`, 404, "there are /api/values, /api/publish, /api/command and /api/kick"},
		{"/api/publish/", `{}`, 404, "there are /api/values, /api/publish, /api/command and /api/kick"},
		{"/api/command", `{"consumer": "nobody", "command_string": "x", "command_id": "mine"}`, 404, "nobody"},
		{"/api/command?wait=1", `{"consumer": "nobody", "command_string": "x", "command_id": "mine"}`, 404, "nobody"},
	} {
		code, answer := b.post(t, c.target, c.body)
		if text := string(mustJSON(answer["error"])); code != c.code || !strings.Contains(text, c.words) {
			t.Errorf("%s %.80s: %d %s, want %d and words of %s", c.target, c.body, code, text, c.code, c.words)
		}
	}
	code, answer := b.postWith(t, t.Context(), "/api/publish", "text/plain", `{}`)
	equal(t, "another content type", code, http.StatusUnsupportedMediaType)
	if answer["error"] == nil {
		t.Errorf("it is not explained: %v", answer)
	}
	w := httptest.NewRecorder()
	b.Admin().ServeHTTP(w, httptest.NewRequest("GET", "/api/publish", nil))
	equal(t, "another method", fmt.Sprint(w.Code, w.Header()["Allow"], " ", strings.TrimSpace(w.Body.String())), `405 [POST] {"error":"only POST is allowed here"}`)
}

// answering runs an actor x that answers each command with these codes.
func (p *peer) answering(codes ...string) { p.answeringWith(`{"n": %d}`, codes...) }

// answeringWith is answering with a body, in which %d stands for the index of the reply.
func (p *peer) answeringWith(body string, codes ...string) {
	commands := p.hear("command.x.#")
	go func() {
		for d := range commands {
			for n, code := range codes {
				// Publishing fails when the test ends.
				_ = p.ch.Publish("sdss_exchange", "reply."+d.Headers["commander_id"].(string), false, false, amqp.Publishing{
					Headers:       amqp.Table{"message_code": code, "sender": "x", "command_id": d.Headers["command_id"], "commander_id": d.Headers["commander_id"], "internal": false},
					Body:          []byte(strings.ReplaceAll(body, "%d", fmt.Sprint(n))),
					CorrelationId: d.CorrelationId,
				})
			}
		}
	}()
}

func TestTheAPISendsACommandAndGivesItsReplies(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url)
		newPeer(t, url).answering(">", "i", ":")
		hears := dial(t, b.addr)
		code, answer := b.post(t, "/api/command", `{"consumer": "x", "command_string": "go", "command_id": "first"}`)
		equal(t, "sent", fmt.Sprint(code, answer), "202 map[command_id:first]")
		hears.untilEnd("first")
		code, answer = b.post(t, "/api/command?wait=1&timeout_ms=15000", `{"consumer": "x", "command_string": "go"}`)
		equal(t, "ended", fmt.Sprintf("%v %v %v", code, answer["status"], answer["omitted"]), "200 done 0")
		replies, _ := answer["replies"].([]any)
		var got []string
		for _, r := range replies {
			e := envelope(r.(map[string]any))
			got = append(got, fmt.Sprintf("%v %v %v", e.code(), e.body(), e.header("command_id") == answer["command_id"]))
		}
		equal(t, "the replies", got, []string{`> {"n":0} true`, `i {"n":1} true`, `: {"n":2} true`})
		if answer["duration_ms"] == nil {
			t.Errorf("how long it took is not told: %v", answer)
		}
	})
}

func TestTheAPIReportsThatACommandFailedOrTakesTooLong(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	p := newPeer(t, url)
	silent := p.hear("command.silent.#")
	newPeer(t, url).answering("f")
	code, answer := b.post(t, "/api/command?wait=1&timeout_ms=15000", `{"consumer": "x", "command_string": "go"}`)
	equal(t, "failed", fmt.Sprintf("%v %v", code, answer["status"]), "422 failed")
	code, answer = b.post(t, "/api/command?wait=1&timeout_ms=20", `{"consumer": "silent", "command_string": "go", "command_id": "mine"}`)
	equal(t, "too long", fmt.Sprintf("%v %v %v %v", code, answer["status"], answer["replies"], answer["command_id"]), "504 timeout [] mine")
	testkit.Await(t, silent)

	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		b.postWith(t, ctx, "/api/command?wait=1", "application/json", `{"consumer": "silent", "command_string": "go", "command_id": "again"}`)
	}()
	testkit.Await(t, silent)
	code, _ = b.post(t, "/api/command?wait=1", `{"consumer": "silent", "command_string": "go", "command_id": "again"}`)
	equal(t, "twice", code, http.StatusConflict)
	cancel()
	receiveEnd(t, answered)
}

func TestTheAPIKeepsNoMoreRepliesThanItMay(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	codes := make([]string, 1011)
	for i := range codes {
		codes[i] = "i"
	}
	codes[len(codes)-1] = ":"
	newPeer(t, url).answering(codes...)
	_, answer := b.post(t, "/api/command?wait=1&timeout_ms=15000", `{"consumer": "x", "command_string": "go"}`)
	replies, _ := answer["replies"].([]any)
	equal(t, "kept and omitted", fmt.Sprintf("%v %v %v", len(replies), answer["omitted"], answer["status"]), "1000 11 done")
}

func receiveEnd(t *testing.T, ended <-chan struct{}) {
	t.Helper()
	testkit.WaitUntil(t, "it ends", func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
}

func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
