package hightemplar

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// golden is what High-templar 3.1.0 did, one case a line.
//
//go:embed testdata/golden.jsonl
var golden string

// recordedCases is how many cases there are.
const recordedCases = 65

type recordedCase struct {
	Case   string            `json:"case"`
	Config map[string]string `json:"config"`
	Steps  []step            `json:"steps"`
}

// step is something that happened. The fields that are set say what.
type step struct {
	Client   int               `json:"client"`
	Connects string            `json:"connects"`
	Headers  map[string]string `json:"headers"`
	Callback string            `json:"callback"`
	Body     string            `json:"body"`
	Answers  reply             `json:"answers"`
	Late     string            `json:"backend_answers"`
	Gets     *string           `json:"gets"`
	Sends    json.RawMessage   `json:"sends"`
	Closes   int               `json:"closes"`
	Closed   int               `json:"closed"`
	Refused  int               `json:"refused"`
	HTTP     string            `json:"http"`
	Publish  *struct {
		Key  string `json:"routing_key"`
		Body string `json:"body"`
	} `json:"backend_publishes"`
}

// differs are the steps in which the dialect does something else, by case and the number of the step, and
// what happens instead. The reasons are in docs/migrating.md.
var differs = map[string]map[int]string{
	// Paths that are no dialect's are the bridge's own.
	"other path than /ws/": {2: ``, 3: ``},
	// Each of two subscriptions with one requestId can be ended.
	"subscribe same requestId twice, other room": {16: `{"client": 1, "gets": "{\"code\": \"success\"}"}`, 19: ``},
}

// recorded returns the cases. ours are those with what the dialect does where it differs.
func recorded(t *testing.T, ours bool) (cases []recordedCase) {
	t.Helper()
	left, want := 0, 0
	for line := range strings.Lines(golden) {
		var c recordedCase
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		var steps []step
		for i, s := range c.Steps {
			instead := []step{s}
			if text, ok := differs[c.Case][i]; ok && ours {
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
	for _, of := range differs {
		want += len(of)
	}
	if len(cases) != recordedCases || ours && left != want {
		t.Fatalf("there are %d cases and %d steps that differ, want %d and %d", len(cases), left, recordedCases, want)
	}
	return cases
}

// Pages and backends of High-templar get from the bridge what they got from it.
func TestWhatWasRecordedOfHighTemplarHappensAgain(t *testing.T) {
	t.Parallel()
	server, channel := newBroker(t)
	a := newAPI(t)
	const url = "amqp://guest:guest@localhost/"
	instances := [2]*harness{
		newHarness(t, a, channel, Config{APIURL: a.URL + "/api/"}, url, server.Dial),
		newHarness(t, a, channel, installed(a.URL+"/api/"), url, server.Dial),
	}
	for _, c := range recorded(t, true) {
		t.Run(c.Case, func(t *testing.T) { replayCase(t, instances, &c) })
	}
}

// replay is a case that is under way.
type replay struct {
	t         *testing.T
	instances [2]*harness
	second    bool // all of it is for the second instance
	apart     bool // each client has its own instance
	pages     map[int]*page
	late      map[string]func() // give the answers that are due
	counts    [2]*status        // the last ones, as they are and as they were recorded
	either    bool              // of two rooms, the one that is left is that of the order of a set
}

// replayCase does and expects what a case says.
func replayCase(t *testing.T, instances [2]*harness, c *recordedCase) {
	t.Helper()
	r := &replay{t: t, instances: instances, second: c.Config["hooks"] != "", apart: strings.HasPrefix(c.Case, "two instances"), pages: map[int]*page{}, late: map[string]func(){}}
	r.either = instances[0].service == nil && c.Case == "subscribe same requestId twice, other room"
	if r.second || r.apart {
		instances[1].awaitSource(t) // it has read what was published for the other
	}
	for i := 0; i < len(c.Steps); i++ {
		s := c.Steps[i]
		switch more := c.Steps[i:]; {
		case s.Gets != nil:
			n := 1
			for n < len(more) && more[n].Gets != nil && more[n].Client == s.Client {
				n++
			}
			r.gets(more[:n])
			i += n - 1
		case s.Client > 0:
			r.client(&s)
		default:
			r.backend(&s)
		}
		if t.Failed() {
			t.Fatalf("failed at %+v", s)
		}
	}
	r.end()
}

// instance returns that of a client.
func (r *replay) instance(client int) *harness {
	if r.second || r.apart && client == 2 {
		return r.instances[1]
	}
	return r.instances[0]
}

// client does a client's step.
func (r *replay) client(s *step) {
	r.t.Helper()
	p := r.pages[s.Client]
	switch {
	case s.Connects != "":
		r.pages[s.Client] = r.instance(s.Client).connect(r.t, s.Connects, s.Headers)
	case s.Refused != 0:
		if got := p.status(); got != s.Refused || !strings.HasSuffix(p.answer.Header.Get("Location"), strings.TrimPrefix(s.Headers["location"], "ws://localhost")) {
			r.t.Errorf("the client is answered with %d %v", got, p.answer.Header)
		}
		delete(r.pages, s.Client)
	case s.Sends != nil:
		p.write(frameOf(r.t, s.Sends))
	case s.Closes != 0:
		p.leave()
		delete(r.pages, s.Client)
	case s.Closed != 0:
		if got := p.closed(); got != s.Closed {
			r.t.Errorf("the client is closed with %d", got)
		}
		delete(r.pages, s.Client)
	default:
		r.t.Error("the step is not understood")
	}
}

// gets compares the messages that a client gets one after the other, in any order: that of two
// subscriptions is a set's.
func (r *replay) gets(steps []step) {
	r.t.Helper()
	wanted := slices.Clone(steps)
	for range steps {
		got := string(r.pages[steps[0].Client].text())
		i := slices.IndexFunc(wanted, func(s step) bool { return r.same(got, *s.Gets) })
		if i < 0 {
			r.t.Errorf("the client got %s", got)
			return
		}
		wanted = slices.Delete(wanted, i, i+1)
	}
}

// frameOf returns the frame of a text, or of an object with the key base64.
func frameOf(t *testing.T, sends json.RawMessage) ws.Frame {
	t.Helper()
	var text string
	if json.Unmarshal(sends, &text) == nil {
		return ws.NewTextFrame([]byte(text))
	}
	var encoded struct {
		Base64 []byte `json:"base64"`
	}
	if err := json.Unmarshal(sends, &encoded); err != nil {
		t.Fatal(err)
	}
	return ws.NewBinaryFrame(encoded.Base64)
}

// backend does a step of the backend or of another program.
func (r *replay) backend(s *step) {
	r.t.Helper()
	h := r.instance(1)
	switch {
	case s.Callback != "":
		c := h.api.next(r.t, s.Callback)
		got := lower(c.header)
		delete(s.Headers, "accept-encoding")
		if !maps.Equal(got, s.Headers) || c.body != s.Body {
			r.t.Errorf("the backend got %v %q", got, c.body)
		}
		if s.Answers.After > 0 {
			r.late[s.Callback] = func() { c.answer <- s.Answers }
			return
		}
		c.answer <- s.Answers
	case s.Late != "":
		r.late[s.Late]()
	case s.Publish != nil:
		h.publish(r.t, s.Publish.Key, s.Publish.Body)
	case s.HTTP != "":
		method, path, _ := strings.Cut(s.HTTP, " ")
		if got := get(r.t, method, "http://"+h.addr+path); got != s.Answers.Status {
			r.t.Errorf("%s is answered with %d", s.HTTP, got)
		}
	default:
		r.t.Error("the step is not understood")
	}
}

// same compares a message with what was recorded. The order of the rooms is that of a set, the ids differ,
// and of the counters those of one message to the next count.
func (r *replay) same(got, want string) bool {
	var x, y map[string]any
	if json.Unmarshal([]byte(got), &x) != nil || json.Unmarshal([]byte(want), &y) != nil {
		return got == want
	}
	if y["requestId"] == "<id>" && x["requestId"] != "" {
		x["requestId"] = "<id>"
	}
	if y["online_since"] == "<time>" {
		return r.sameStatus(got, want) && slices.Equal(slices.Sorted(maps.Keys(x)), slices.Sorted(maps.Keys(y)))
	}
	if data, ok := x["data"].(string); ok && r.either {
		x["data"] = strings.Replace(data, "z", "w", 1)
	}
	sortRooms(x)
	sortRooms(y)
	return reflect.DeepEqual(x, y)
}

func sortRooms(message map[string]any) {
	if list, ok := message["allowed_rooms"].([]any); ok {
		slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
}

func (r *replay) sameStatus(got, want string) bool {
	r.t.Helper()
	var now [2]*status
	for i, text := range []string{got, want} {
		if err := json.Unmarshal([]byte(text), &now[i]); err != nil {
			r.t.Fatal(err)
		}
	}
	before := r.counts
	r.counts = now
	same := now[0].Rooms == now[1].Rooms && now[0].SendErrors == 0 && now[0].SendQueued == 0
	if before[0] != nil {
		same = same && now[0].Published-before[0].Published == now[1].Published-before[1].Published && now[0].Sent-before[0].Sent == now[1].Sent-before[1].Sent
	}
	return same
}

// end shows that nobody got anything else.
func (r *replay) end() {
	r.t.Helper()
	for n, p := range r.pages {
		h := r.instance(n)
		p.says(fmt.Sprintf(`{"type": "subscribe", "room": {"tenant": "end %d"}, "requestId": "end"}`, n))
		if got := string(p.text()); sameJSON(got, `{"code": "success"}`) {
			h.publish(r.t, "*", fmt.Sprintf(`{"rooms": [{"tenant": "end %d"}], "data": "end"}`, n))
			p.gets(`{"type": "publish", "data": "end", "requestId": "end"}`)
		} else if !sameJSON(got, `{"code": "error", "message": "room-not-found"}`) {
			r.t.Errorf("a client got %s more", got)
		}
		h.leave(p)
	}
	if a := r.instances[0].api; len(a.kept)+len(a.calls) > 0 {
		r.t.Error("the backend got more")
	}
}

func get(t *testing.T, method, url string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
