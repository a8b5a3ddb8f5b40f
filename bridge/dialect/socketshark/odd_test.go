package socketshark_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/dialect/socketshark"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// plain is a subscription that keeps order and throttle by itself, as SocketShark's do.
type plain struct {
	orders    map[int]int
	throttles map[int]*plainThrottle
	timers    []*plainThrottle
	got       []int
}

type plainThrottle struct {
	last, due time.Duration
	pending   int // 0 for none
}

func (p *plain) publish(now time.Duration, data, order, key int, throttle time.Duration, throttleKey int) {
	if order > 0 {
		if order <= p.orders[key] {
			return
		}
		p.orders[key] = order
	}
	w := p.throttles[throttleKey]
	switch {
	case throttle == 0:
	case w == nil:
		p.throttles[throttleKey] = &plainThrottle{last: now}
	case w.pending > 0:
		w.pending = data
		return
	case now-w.last < throttle:
		w.pending, w.due = data, w.last+throttle
		p.timers = append(p.timers, w)
		return
	default:
		w.last = now
	}
	p.got = append(p.got, data)
}

func (p *plain) pass(now time.Duration) {
	slices.SortStableFunc(p.timers, func(a, b *plainThrottle) int { return int(a.due - b.due) })
	for len(p.timers) > 0 && p.timers[0].due <= now {
		w := p.timers[0]
		p.timers = p.timers[1:]
		p.got = append(p.got, w.pending)
		w.last, w.pending = w.due, 0
	}
}

// Subscriptions that share their order and throttle get what each would get by itself, whenever they come and go.
func TestSharedStateIsEachSubscriptionsOwn(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 9} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { playShared(t, rand.New(rand.NewPCG(seed, 17))) })
	}
}

func playShared(t *testing.T, random *rand.Rand) {
	s := newShark(t, `{"open": {"require-authentication": false, "filter-fields": ["user"]}}`)
	clients := make([]*client, 4)
	model := make([]*plain, len(clients)) // nil is not subscribed
	got, want := make([][]int, len(clients)), make([][]int, len(clients))
	for i := range clients {
		clients[i] = s.connect()
	}
	for data := 1; data <= 600; data++ {
		now := s.player.clock.Now().Sub(time.Unix(0, 0))
		switch i := random.IntN(len(clients)); random.IntN(9) {
		case 8: // a login moves the subscription
			clients[i].send(ws.OpText, []byte(`{"event": "auth", "ticket": "t"}`))
			s.answer("/auth", fmt.Sprintf(`{"status": "ok", "user": %d}`, random.IntN(2)))
			got[i] = append(got[i], s.allData(clients[i])...)
		case 0:
			event := "subscribe"
			if model[i] == nil {
				model[i] = &plain{orders: map[int]int{}, throttles: map[int]*plainThrottle{}}
			} else {
				event, want[i], model[i] = "unsubscribe", append(want[i], model[i].got...), nil
			}
			clients[i].send(ws.OpText, fmt.Appendf(nil, `{"event": %q, "subscription": "open.t"}`, event))
			got[i] = append(got[i], s.allData(clients[i])...) // an event behind another one waits for its end
		case 1, 2:
			d := time.Duration(random.IntN(4)) * 500 * time.Millisecond
			s.player.clock.Pass(d)
			for _, p := range model {
				if p != nil {
					p.pass(now + d)
				}
			}
		default:
			order, key := max(0, random.IntN(4)*random.IntN(data)-300), random.IntN(2) // the first have none
			throttle, throttleKey := random.IntN(3), random.IntN(2)
			if throttle > 0 {
				throttle = throttle*1000 + throttleKey // so that no two are due at a time
			}
			s.publish("open.t", fmt.Sprintf(`"data": %d, "options": {%s}`, data, plainOptions(order, key, throttle, throttleKey)))
			for _, p := range model {
				if p != nil {
					p.publish(now, data, order, key, time.Duration(throttle)*time.Millisecond, throttleKey)
				}
			}
		}
	}
	for i, c := range clients {
		if model[i] != nil {
			want[i] = append(want[i], model[i].got...)
		}
		if got[i] = append(got[i], s.allData(c)...); !slices.Equal(got[i], want[i]) || len(want[i]) < 20 {
			t.Errorf("client %d gets %v, not %v", i, got[i], want[i])
		}
	}
}

func plainOptions(order, key, throttle, throttleKey int) string {
	options := fmt.Sprintf(`"order_key": %d, "throttle_key": %d`, key, throttleKey)
	if order > 0 {
		options += fmt.Sprintf(`, "order": "%d.0"`, order)
	}
	if throttle > 0 {
		options += fmt.Sprintf(`, "throttle": "%d.%03d"`, throttle/1000, throttle%1000)
	}
	return options
}

// allData returns the data of the messages that a client has got.
func (s *shark) allData(c *client) (all []int) {
	s.t.Helper()
	c.send(ws.OpText, []byte(`{"event": "ping"}`))
	for {
		var m struct {
			Event string
			Data  int
		}
		if err := json.Unmarshal([]byte(s.gets(c)), &m); err != nil {
			s.t.Fatal(err)
		}
		switch m.Event {
		case "message":
			all = append(all, m.Data)
		case "pong":
			return all
		}
	}
}

// Events of any form have an answer, and names of any characters are names.
func TestOddEvents(t *testing.T) {
	t.Parallel()
	s := newShark(t, open)
	c := s.connect()
	const invalid = "Messages must be JSON and contain an event field."
	for _, e := range []struct {
		op           ws.OpCode
		sent, answer string
	}{
		{ws.OpText, ``, invalid},
		{ws.OpText, strings.Repeat("[", 20_000), invalid},
		{ws.OpText, `{"event": ` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, invalid},
		{ws.OpText, `{"event": "ping", "x": ` + strings.Repeat(`{"x":`, 9000) + "1" + strings.Repeat("}", 9000) + `}`, `"pong"`},
		{ws.OpText, `{"event": "auth", "event": "ping", "data": 1, "data": "last"}`, `"last"`},
		{ws.OpText, `{"\u0065vent": "ping", "data": "` + strings.Repeat("é", 500_000) + `"}`, strings.Repeat("é", 128) + `"`},
		{ws.OpText, `{"event": "ping", "data": "\ud800"}`, `"pong"`},
		{ws.OpText, `{"event": {"event": "ping"}}`, invalid},
		{ws.OpText, `{"EVENT": "ping"}`, invalid},
		{ws.OpText, `{"event": "subscribe", "subscription": 1.5}`, "Invalid subscription format."},
		{ws.OpText, `{"event": "subscribe", "subscription": {"open": "t"}}`, "Invalid subscription format."},
		{ws.OpText, `{"event": "subscribe", "subscription": "."}`, "Invalid subscription format."},
		{ws.OpText, `{"event": "subscribe", "subscription": "open.x", "x": [` + strings.Repeat("1e308,", 100) + `1]}`, `"ok"`},
		{ws.OpBinary, `{"event": "ping", "data": "binary"}`, `"binary"`},
		{ws.OpBinary, "{\"event\": \"ping\", \"data\": \"\xff\"}", invalid},
	} {
		c.send(e.op, []byte(e.sent))
		if got := s.gets(c); !strings.Contains(got, e.answer) {
			t.Errorf("%.60q is answered %.200s", e.sent, got)
		}
	}
	for n := range 0x180 {
		name, err := json.Marshal("open." + string(rune(n)) + "/..")
		if err != nil {
			t.Fatal(err)
		}
		c.send(ws.OpText, fmt.Appendf(nil, `{"event": "subscribe", "subscription": %s}`, name))
		if got := s.gets(c); !strings.Contains(got, `"ok"`) {
			t.Fatalf("%s: got %s", name, got)
		}
		s.player.dialect.Deliver(&rooms.Message{Path: "/s/" + rooms.EscapeName("open."+string(rune(n))+"/.."), Format: rooms.FormatSocketShark, Whole: fmt.Appendf(nil, `{"subscription": %s, "data": %d}`, name, n)})
		s.getsData(c, fmt.Sprint(n))
	}
}

// The names and extra fields of all subscriptions of a client are bounded together, until it leaves some.
func TestManyLongSubscriptions(t *testing.T) {
	t.Parallel()
	s := newShark(t, open)
	c := s.connect()
	event := func(event string, n int) string {
		return s.does(c, fmt.Sprintf(`{"event": %q, "subscription": "open.%d", "x": %q}`, event, n, strings.Repeat("x", 16_000)))
	}
	n := 0
	for strings.Contains(event("subscribe", n), `"ok"`) {
		n++
	}
	if n < 255 || n > 262 {
		t.Errorf("it has %d subscriptions", n)
	}
	for _, e := range []string{"unsubscribe", "subscribe"} {
		if got := event(e, 0); !strings.Contains(got, `"ok"`) {
			t.Errorf("got %.200s", got)
		}
	}
}

// A backend that redirects is followed. One that never ends its answer, or hangs up, is as one that does not answer.
func TestBackendsThatAnswerStrangely(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/here", http.StatusTemporaryRedirect)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusTemporaryRedirect)
		case "/here":
			fmt.Fprintf(w, `{"status": "ok", "data": %s}`, body)
		case "/endless", "/failing":
			if r.URL.Path == "/failing" {
				w.WriteHeader(http.StatusInternalServerError)
			}
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/closes":
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(backend.Close)
	services := map[string]socketshark.Service{}
	no := false
	answers := map[string]string{
		"moved": `"data":{"subscription":"moved.t"}`, "round": "Service unavailable.", "endless": "Service unavailable.", "failing": "Service unavailable.", "closes": "Service unavailable.",
	}
	for name := range answers {
		services[name] = socketshark.Service{RequireAuthentication: &no, BeforeSubscribe: backend.URL + "/" + name}
	}
	s := newShark(t, `{}`, func(c *socketshark.Config) { c.Services = services })
	c := s.connect()
	for name, answer := range answers {
		if got := s.does(c, fmt.Sprintf(`{"event": "subscribe", "subscription": "%s.t"}`, name)); !strings.Contains(got, answer) {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// Two paths of a bridge may be of two SocketSharks, which have nothing in common. Pages of other origins may not connect.
func TestTwoOfOneBridge(t *testing.T) {
	t.Parallel()
	s := &shark{t: t}
	dialects := map[string]dialect.Dialect{}
	var mounts []dialect.Mount
	no := false
	for path, service := range map[string]string{"/a": "open", "/a/b": "open", "/c": "other"} {
		cfg := &socketshark.Config{Services: map[string]socketshark.Service{service: {RequireAuthentication: &no}}}
		place := dialect.Place{Path: path, Rooms: "/rooms" + path}
		mounts = append(mounts, dialect.Mount{Place: place, New: func(h dialect.Host) (dialect.Dialect, error) {
			d, err := socketshark.New(cfg, place, h)
			dialects[path] = d
			return d, err
		}})
	}
	s.player.server = startServerWith(t, nil, nil, mounts...)
	clients := map[string]*client{}
	for path, answer := range map[string]string{"/a": `"ok"`, "/a/b": `"ok"`, "/c": "Invalid service."} {
		c, err := dial(t.Context(), "ws://"+s.player.server.addr+path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			c.conn.Close()
			<-c.ended
		})
		clients[path] = c
		if got := s.does(c, `{"event": "subscribe", "subscription": "open.t"}`); !strings.Contains(got, answer) {
			t.Errorf("%s: got %s", path, got)
		}
	}
	for path, d := range dialects {
		d.Deliver(&rooms.Message{Path: "/rooms" + path + "/open.t", Format: rooms.FormatSocketShark, Whole: fmt.Appendf(nil, `{"subscription": "open.t", "data": %q}`, path)})
	}
	s.getsData(clients["/a"], `"/a"`)
	s.getsData(clients["/a/b"], `"/a/b"`)
	for _, c := range clients {
		s.getsNothing(c)
	}
	stranger := ws.Dialer{Timeout: testkit.Patience, Header: ws.HandshakeHeaderHTTP{"Origin": {"https://evil.example"}}}
	if conn, err := testkit.OpenWebSocket(t.Context(), stranger, "ws://"+s.player.server.addr+"/a"); err == nil {
		conn.Close()
		t.Error("a page of another origin may connect")
	}
}
