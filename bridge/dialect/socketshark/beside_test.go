package socketshark_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// SocketShark itself still does what was recorded, with the same moves of the clients and the backends. That the dialect
// does, too, shows [TestRecordedTraffic]. Cases that depend on time are not repeated. What was recorded is a later
// SocketShark than the release of the same number, whose messages lack the members in added.
func TestSocketSharkDoesWhatWasRecorded(t *testing.T) {
	t.Parallel()
	var current atomic.Pointer[player]
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { current.Load().serve(w, r, r.URL.Path) }))
	t.Cleanup(backend.Close)
	var cases []*goldenCase
	services := map[string]map[string]any{}
	for _, c := range goldenCases(t) {
		if c.dependsOnTime() || c.Config.Authentication != nil {
			continue
		}
		cases = append(cases, c)
		for name, s := range c.Config.Services {
			services[name] = s
		}
	}
	if len(cases) != 80 {
		t.Fatalf("there are %d such cases, not 80", len(cases))
	}
	redis, port := testkit.StartRedis(t), testkit.FreePort(t)
	testkit.StartSocketShark(t, sharkConfig(t, redis, port, backend.URL, services))
	for i, c := range cases {
		p := &player{goldenCase: c, number: i, asked: make(chan *asked, 100), clients: map[int]*client{}, over: make(chan struct{}), left: make(chan string, 100)}
		p.url = fmt.Sprintf("ws://127.0.0.1:%d", port)
		p.publish = func(channel, body string) { redis.Do("PUBLISH", channel, body) }
		for i, s := range c.Steps {
			if s.Gets != nil {
				text := added.ReplaceAllString(*s.Gets, "")
				c.Steps[i].Gets = &text
			}
		}
		current.Store(p)
		t.Run(c.Case, p.play)
		p.takeLeave(t)
	}
}

// added are the members of messages that the release does not have.
var added = regexp.MustCompile(`, "(received_at|queue_size|sent_at|published_at)": ("[^"]*"|0)`)

func sharkConfig(t *testing.T, redis *testkit.Redis, port int, backend string, services map[string]map[string]any) string {
	t.Helper()
	text, err := json.Marshal(services)
	if err != nil {
		t.Fatal(err)
	}
	_, redisPort, _ := strings.Cut(redis.Addr(), ":")
	return fmt.Sprintf(`import json
WS_PORT = %d
WS_PING = {"interval": None}
REDIS = {"host": "127.0.0.1", "port": %s}
HTTP = {"timeout": 60, "tries": 2, "wait": 0.3}
AUTHENTICATION = {"ticket": {"validation_url": %q, "auth_fields": ["session_id", "user_id"]}}
SERVICES = json.loads(%q)
`, port, redisPort, backend+"/auth/ticket/", strings.ReplaceAll(string(text), "http://127.0.0.1:29002", backend))
}

// dependsOnTime reports whether a case has times, or depends on what comes first.
func (c *goldenCase) dependsOnTime() bool {
	return strings.HasPrefix(c.Case, "published during") || slices.ContainsFunc(c.Steps, func(s step) bool { return s.At > 0 })
}

// takeLeave waits until the backend knows that the clients' last subscriptions have ended, so that the next case is
// not told of it.
func (p *player) takeLeave(t *testing.T) {
	open := map[string]bool{}
	for _, s := range p.Steps {
		var m struct{ Event, Status, Subscription string }
		if s.Gets == nil || p.clients[s.Client].done || json.Unmarshal([]byte(*s.Gets), &m) != nil || m.Status != "ok" {
			continue
		}
		switch m.Event {
		case "subscribe":
			open[m.Subscription] = true
		case "unsubscribe":
			delete(open, m.Subscription)
		}
	}
	for name := range open {
		service, _, _ := strings.Cut(name, ".")
		for _, hook := range []string{"before_unsubscribe", "on_unsubscribe"} {
			if p.Config.Services[service][hook] != nil {
				testkit.Receive(t, p.left)
			}
		}
	}
}

// What a backend publishes on Redis reaches the clients. If Redis goes away, they stay until it is back; then they are
// closed, so that they subscribe again.
func TestRedisThatIsRestarted(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	source, err := rooms.ParseSource("redis=" + redis.URL() + ",path=/s,prefix=live:,channel=live:*,format=socketshark")
	if err != nil {
		t.Fatal(err)
	}
	s := newSharkFrom(t, []rooms.Source{source}, open)
	c := s.connect()
	s.does(c, `{"event": "subscribe", "subscription": "open.a/b"}`)
	testkit.WaitUntil(t, "the bridge listens to Redis", func() bool {
		return redis.Do("PUBLISH", "live:open.other", `{"subscription": "open.other", "data": 0}`) == int64(1)
	})
	redis.Do("PUBLISH", "live:open.a/b", `{"subscription": "open.a/b", "data": 1}`)
	s.getsData(c, "1")
	redis.Restart()
	// The clock of the dialect stands still, so it closes nobody until it is told to.
	testkit.WaitUntil(t, "the gap is told", func() bool { return s.player.clock.Timers() == 1 })
	s.getsNothing(c)
	s.player.clock.Pass(time.Minute)
	if got := testkit.Receive(t, c.events); got.code != 1012 {
		t.Errorf("got %v", got)
	}
	again := s.connect()
	s.does(again, `{"event": "subscribe", "subscription": "open.a/b"}`)
	redis.Do("PUBLISH", "live:open.a/b", `{"subscription": "open.a/b", "data": 2}`)
	s.getsData(again, "2")
}
