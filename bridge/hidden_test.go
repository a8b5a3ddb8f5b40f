package bridge

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/problem"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// hiddenViews are grants from which the mirror and the rocket are hidden.
var hiddenViews = map[string]string{
	"hide":          `{"hear": [{}], "hide": [{"sender": ["mirror", "rocket"]}], "own": true, "command": [{}]}`,
	"hear":          `{"hear": [{"sender": "dome"}, {"sender": "bridge"}], "hide": [{"sender": ["mirror*", "rocket"]}]}`,
	"hear the dome": `{"hear": [{"sender": "dome"}], "own": true, "command": [{"consumer": "dome*"}]}`,
}

// aWorld does what all may see, and between that as many replies of the hidden actors as in any other
// world, with other contents.
type aWorld struct {
	*accessHarness
	random *rand.Rand
}

// hiddenReply says something of a hidden actor.
func (w *aWorld) hiddenReply() {
	pick := func(of ...string) string { return of[w.random.IntN(len(of))] }
	actor := pick("mirror", "rocket")
	r := filter.Reply{Sender: actor, Code: pick("i", "w", "e", "f", "!", ">", ":", "d"), RoutingKey: pick("reply.broadcast", "reply.x"), Internal: w.random.IntN(3) == 0}
	if w.random.IntN(2) == 0 {
		id := pick("h1", "h2", "h3")
		r.CommandID, r.Commander = id, pick("bridge.", "clu.")+actor
		if w.random.IntN(2) == 0 {
			consumer := actor + pick("", ".shutter")
			w.hub.CommandSent(hub.SentCommand{CommandKey: hub.CommandKey{ID: id, Consumer: consumer}, String: "secret " + pick("a", "b"), Client: "eng", Self: "name eng"})
		}
	}
	if w.random.IntN(5) == 0 {
		ack := problem.Ack{Actor: actor, Keys: []string{"limit:" + actor + ".temp"}, By: pick("eng", "eve")}
		m := w.ackMessage(&ack)
		w.deliver(&amqpx.Delivery{Headers: m.Headers, RoutingKey: m.Key, MessageId: m.MessageId, Timestamp: m.Timestamp, Body: m.Body}, false)
		return
	}
	w.saysAll(r, fmt.Sprintf(`{"text": "secret %d", "safe": %v, "temp": %d, "%s": 1}`, w.random.IntN(3), w.random.IntN(2) == 0, w.random.IntN(100), pick("p", "q", "r")), 0)
	w.hub.SetConsumer(actor, []snapshot.Presence{snapshot.Present, snapshot.Absent, snapshot.Unknown}[w.random.IntN(3)])
}

var (
	kinds   = regexp.MustCompile(`^\{"op":\s*"\w+"`)
	clients = regexp.MustCompile(`"(session|client)":\s*"bridge-\d+"`)
	uuids   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

// transcript is all that a client is told, whatever it asks, by the kinds of messages.
func (w *aWorld) transcript() []string {
	t := w.t
	var told strings.Builder
	c := w.open("/?silent=1", w.bearer("ana"))
	read := func(until string) {
		for {
			text := string(c.Receive())
			told.WriteString(text + "\n")
			if strings.Contains(text, until) {
				return
			}
		}
	}
	ping := func(id string) {
		for range 2 { // what is told on the hub's queue, and what that puts there
			done := make(chan struct{})
			w.hub.Do(func() { close(done) })
			testkit.Await(t, done)
		}
		c.Send(`{"op": "ping", "id": "` + id + `"}`)
		read(`"id":"` + id + `"`)
	}
	c.Send(`{"op": "subscribe", "id": "n", "filter": {}, "notices": ["actors", "commands", "problems", "models", "site"]}`)
	ping("begun")
	for i := range 40 {
		w.pass(time.Second)
		if i%3 == 0 {
			code := []string{"i", "w", ">"}[i/3%3]
			w.saysAll(filter.Reply{Sender: "dome", Code: code, RoutingKey: "reply.broadcast"}, fmt.Sprintf(`{"humidity": %d, "open": true, "text": "dome %d"}`, 60+i, i%7), 0)
		} else {
			w.hiddenReply()
		}
		ping(fmt.Sprint("step ", i))
	}
	for i, request := range []string{
		`"op": "problems"`, `"op": "commands"`, `"op": "actors"`, `"op": "snapshot"`, `"op": "site"`,
		`"op": "log"`, `"op": "log", "after": 0, "limit": 3`, `"op": "log", "before": 9, "filter": {"sender": "*i*"}`,
		`"op": "history", "keywords": ["mirror.temp", "rocket.temp", "mirror.safe", "dome.humidity", "mirror.p", "nobody.p"], "from": "-1h"`,
		`"op": "model", "actor": "mirror"`, `"op": "clients"`,
		`"op": "ack", "actor": "mirror", "key": "limit:mirror.temp"`, `"op": "ack", "actor": "rocket", "seq": 1000`, `"op": "ack", "actor": "rocket", "key": "silent"`,
		`"op": "subscribe", "filter": {"sender": ["mirror", "rocket"]}, "snapshot": true`,
		`"op": "subscribe", "filter": {"keyword": "*"}, "since": {"epoch": "` + w.hub.Epoch + `", "seq": 2}`,
	} {
		c.Send(fmt.Sprintf(`{"id": "q%d", %s}`, i, request))
		ping(fmt.Sprint("asked ", i))
	}
	c.Close()
	request := httptest.NewRequest("GET", keywordMetricsPath, nil)
	request.Header = w.bearer("ana")
	answer := httptest.NewRecorder()
	w.keywordMetrics(answer, request)
	told.WriteString(answer.Body.String())
	text := strings.ReplaceAll(told.String(), w.hub.Epoch, "EPOCH")
	lines := strings.Split(uuids.ReplaceAllString(clients.ReplaceAllString(text, `"$1": "CLIENT"`), "UUID"), "\n")
	// Notices and replies come by different ways, so each kind has its own order.
	slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(kinds.FindString(a), kinds.FindString(b)) })
	return lines
}

// What the hidden actors do makes no difference to anything that a client is told, whatever it asks: of
// two nights that differ in that alone, both are told alike.
func TestWhatIsHiddenMakesNoDifference(t *testing.T) {
	for seed := range testkit.Seeds(t, 0, 4) {
		for name, grants := range hiddenViews {
			var told [][]string
			for world := range uint64(2) {
				h := newAccessHarness(t, func(c *access.Config) { c.Roles["observer"] = json.RawMessage(grants) })
				s, err := site.Compile(observatory())
				if err != nil {
					t.Fatal(err)
				}
				h.reloading.Lock()
				h.setSite(observatory(), s)
				h.reloading.Unlock()
				w := &aWorld{h, rand.New(rand.NewPCG(seed, world))}
				told = append(told, w.transcript())
			}
			one, other := told[0], told[1]
			if slices.Equal(one, other) {
				continue
			}
			for i := range min(len(one), len(other)) {
				if one[i] != other[i] {
					t.Fatalf("seed %d, %s: line %d of %d and %d:\n%s\n%s", seed, name, i, len(one), len(other), one[i], other[i])
				}
			}
			t.Fatalf("seed %d, %s: one is told %d lines, the other %d", seed, name, len(one), len(other))
		}
	}
}
