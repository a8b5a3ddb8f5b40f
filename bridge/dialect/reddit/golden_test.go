package reddit

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// golden is what reddit's service did, one case a line.
//
//go:embed testdata/golden.jsonl
var golden string

// recordedCases is how many cases there are.
const recordedCases = 48

type recordedCase struct {
	Case   string            `json:"case"`
	Config map[string]string `json:"config"`
	Steps  []step            `json:"steps"`
}

// step is something that happened. The fields that are set say what.
type step struct {
	Client   int                     `json:"client"`
	Headers  map[string]string       `json:"headers"`
	Connects string                  `json:"connects"`
	Accepted int                     `json:"accepted"`
	Refused  int                     `json:"refused"`
	Gets     testkit.RecordedPayload `json:"gets"`
	Binary   bool                    `json:"binary"`
	Sends    *string                 `json:"sends"`
	Closes   json.RawMessage         `json:"closes"`
	Closed   json.RawMessage         `json:"closed"`
	Drops    bool                    `json:"drops"`
	Pinged   *string                 `json:"pinged"`
	Waits    float64                 `json:"waits"`
	Ended    bool                    `json:"connection_ended"`
	HTTP     string                  `json:"http"`
	Answers  struct {
		Status int    `json:"status"`
		Body   string `json:"body"`
	} `json:"answers"`
	Publishes *published `json:"backend_publishes"`
	Tells     *published `json:"service_publishes"`
}

type published struct {
	Key  string                  `json:"routing_key"`
	Body testkit.RecordedPayload `json:"body"`
}

// differs are the steps in which the dialect does something else, by case and the number of the step, and what happens
// instead. The reasons are in docs/migrating.md.
var differs = map[string]map[int]string{
	"connect: non-ASCII path":                        {1: `{"client": 1, "accepted": 101}, {"service_publishes": {"routing_key": "websocket.connect", "body": "{\"namespace\": \"/café\"}"}}`},
	"connect Sec-WebSocket-Version 12":               {1: `{"client": 1, "refused": 426}`},
	"status messages: namespace with trailing slash": {5: `{"backend_publishes": {"routing_key": "/foo/", "body": "to /foo/"}}, {"client": 1, "gets": "to /foo/"}`},
	"namespace: the root itself":                     {3: `{"backend_publishes": {"routing_key": "/", "body": "to /"}}, {"client": 1, "gets": "to /"}`},
	"POST /quiesce with right token, other scheme":   {0: `{"http": "POST /quiesce", "headers": {"Authorization": "Bearer aHVudGVyMg=="}, "answers": {"status": 401, "body": "invalid authentication"}}`},
	"published body that is not UTF-8, then a good one": {
		3: `{"backend_publishes": {"routing_key": "/foo", "body": {"base64": "//4="}}}, {"client": 1, "gets": {"base64": "//4="}, "binary": true}`,
		4: `{"backend_publishes": {"routing_key": "/foo", "body": "good"}}, {"client": 1, "gets": "good"}`,
		6: `{"backend_publishes": {"routing_key": "/foo", "body": "later"}}, {"client": 1, "gets": "later"}`,
	},
}

// recorded returns the cases, with what the dialect does where it differs.
func recorded(t *testing.T) (cases []recordedCase) {
	t.Helper()
	left := 0
	for line := range strings.Lines(golden) {
		var c recordedCase
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		var steps []step
		for i, s := range c.Steps {
			instead := []step{s}
			if text, ok := differs[c.Case][i]; ok {
				left++
				instead = nil
				if err := json.Unmarshal([]byte("["+text+"]"), &instead); err != nil {
					t.Fatalf("%s, step %d: %v", c.Case, i, err)
				}
			}
			steps = append(steps, instead...)
		}
		c.Steps = steps
		cases = append(cases, c)
	}
	want := 0
	for _, of := range differs {
		want += len(of)
	}
	if len(cases) != recordedCases || left != want {
		t.Fatalf("there are %d cases and %d steps that differ, want %d and %d", len(cases), left, recordedCases, want)
	}
	return cases
}

// Pages and backends of reddit's service get from the bridge what they got from the service.
func TestWhatWasRecordedOfRedditsServiceHappensAgain(t *testing.T) {
	bridges := map[string]*harness{}
	for _, c := range recorded(t) {
		silent, often := c.Config["amqp.send_status_messages"] == "false", c.Config["web.ping_interval"] != ""
		key := fmt.Sprint(silent, often)
		if bridges[key] == nil {
			bridges[key] = newHarness(t, func(b *bridge.Config, spoken *Config) {
				if silent {
					spoken.StatusExchange = ""
				}
				if often {
					b.Limits.PingAfter = 50 * time.Millisecond
				}
			})
		}
		bridges[key].replay(t, &c)
	}
}

// replay does and expects what a case says.
func (h *harness) replay(t *testing.T, c *recordedCase) {
	t.Helper()
	r := &replay{harness: h, t: t, pages: map[int]*page{}, paths: map[int]string{}, name: c.Case}
	for _, s := range c.Steps {
		if r.client(&s); s.Client == 0 {
			r.backend(&s)
		}
		if t.Failed() {
			t.Fatalf("%s: failed at %+v", c.Case, s)
		}
	}
	r.end()
}

// replay is a case that is under way.
type replay struct {
	*harness
	t     *testing.T
	name  string
	pages map[int]*page
	paths map[int]string
	told  int // connects less disconnects
}

// client does a client's step.
func (r *replay) client(s *step) {
	r.t.Helper()
	p := r.pages[s.Client]
	switch {
	case s.Client == 0:
	case s.Connects != "":
		r.pages[s.Client] = r.connect(s.Connects, s.Headers)
		r.paths[s.Client], _, _ = strings.Cut(s.Connects, "?")
	case s.Accepted != 0:
		if p.answer.StatusCode != s.Accepted || strings.ReplaceAll(s.Headers["sec-websocket-extensions"], " ", "") != p.answer.Header.Get("Sec-Websocket-Extensions") {
			r.t.Errorf("the client is answered with %s %v", p.answer.Status, p.answer.Header)
		}
	case s.Refused != 0:
		if body, _ := io.ReadAll(p.answer.Body); p.answer.StatusCode != s.Refused {
			r.t.Errorf("the client is answered with %s: %s", p.answer.Status, body)
		}
		delete(r.pages, s.Client)
	case s.Gets.Given:
		op := ws.OpText
		if s.Binary {
			op = ws.OpBinary
		}
		p.gets(s.Gets.Bytes, op)
	case s.Sends != nil:
		p.write(ws.NewTextFrame([]byte(*s.Sends)))
	case s.Closes != nil:
		p.write(closeFrame(r.t, s.Closes))
	case s.Closed != nil:
		p.closed()
		delete(r.pages, s.Client)
	case s.Drops:
		p.conn.Close()
		delete(r.pages, s.Client)
	case s.Pinged != nil:
		if f := p.read(true); f.Header.OpCode != ws.OpPing || string(f.Payload) != *s.Pinged {
			r.t.Errorf("the client got %x %q, want a ping", f.Header.OpCode, f.Payload)
		}
	case s.Waits == 0 && !s.Ended:
		r.t.Errorf("the step is not understood")
	}
}

func closeFrame(t *testing.T, code json.RawMessage) ws.Frame {
	t.Helper()
	if string(code) == "null" {
		return ws.NewCloseFrame(nil)
	}
	var n int
	if err := json.Unmarshal(code, &n); err != nil {
		t.Fatal(err)
	}
	return ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusCode(n), ""))
}

// backend does a step of a backend or of another program.
func (r *replay) backend(s *step) {
	r.t.Helper()
	switch {
	case s.Publishes != nil:
		r.publish(s.Publishes.Key, s.Publishes.Body.Bytes)
	case s.Tells != nil:
		if key, body := r.harness.told(); key != s.Tells.Key || !sameJSON(body, string(s.Tells.Body.Bytes)) {
			r.t.Errorf("the status exchange got %s %s", key, body)
		}
		r.told++
		if s.Tells.Key == "websocket.disconnect" {
			r.told -= 2
		}
	case s.HTTP != "":
		method, path, _ := strings.Cut(s.HTTP, " ")
		if status, body := r.request(method, path, s.Headers); status != s.Answers.Status || body != s.Answers.Body && !sameJSON(body, s.Answers.Body) {
			r.t.Errorf("%s is answered with %d %s", s.HTTP, status, body)
		}
	case s.Waits == 0:
		r.t.Error("the step is not understood")
	}
}

// end shows that nobody got anything else, and that all are forgotten when they have left.
func (r *replay) end() {
	r.t.Helper()
	for n, p := range r.pages {
		if p.answer.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		path := strings.NewReplacer("%20", " ", "%C3%A9", "é").Replace(r.paths[n])
		r.publish(path, []byte("the end"))
	}
	for n, p := range r.pages {
		for range r.onPath(n) {
			p.gets([]byte("the end"), ws.OpText)
		}
		p.conn.Close()
	}
	for range r.told {
		if key, _ := r.harness.told(); key != "websocket.disconnect" {
			r.t.Errorf("%s: a further %s", r.name, key)
		}
	}
	testkit.WaitUntil(r.t, r.name+": a client is not forgotten", func() bool {
		_, body := r.request("GET", "/health", nil)
		return sameJSON(body, `{"status": "OK", "connections": 0}`)
	})
	if len(r.status) > 0 {
		r.t.Errorf("%s: the status exchange got more", r.name)
	}
}

// onPath returns how many clients are on the path of one.
func (r *replay) onPath(n int) (count int) {
	for other := range r.pages {
		if r.paths[other] == r.paths[n] {
			count++
		}
	}
	return count
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return bytes.Equal([]byte(a), []byte(b))
	}
	return reflect.DeepEqual(x, y)
}
