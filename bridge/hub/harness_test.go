package hub

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// hubHarness is a hub with a clock that the test moves, and with clients that record what they
// receive. There are no sockets, and no test waits for time to pass.
type hubHarness struct {
	hub     *Hub
	t       testing.TB
	clock   testkit.Clock
	clients atomic.Int64
}

func newHarness(t testing.TB) *hubHarness {
	t.Helper()
	s := &hubHarness{t: t}
	history := History{Replies: 1000}
	history.SetDefaults()
	s.hub = New(Config{Name: "bridge", Epoch: "epoch", History: history, NewLog: func() Log { return &recordedLog{} }, Now: s.clock.Now, After: s.clock.After})
	t.Cleanup(s.hub.Close)
	return s
}

// pass moves the clock, and runs the timers that are due.
func (s *hubHarness) pass(d time.Duration) { s.clock.Pass(d) }

// says delivers a reply to the hub.
func (s *hubHarness) says(r filter.Reply, order int64) { s.saysAll(r, `{}`, order) }

func (s *hubHarness) saysBody(r filter.Reply, body string) { s.saysAll(r, body, 0) }

func (s *hubHarness) saysAll(r filter.Reply, body string, order int64) {
	envelope := append(make([]byte, engine.MaxHeaderSize), `{"body": `+body+`}`...)
	s.hub.Reply(&Reply{Reply: r, Plain: envelope, BodyAt: engine.MaxHeaderSize + len(`{"body": `), Ordered: order > 0, Order: order, OrderKey: r.Sender}, 0, false)
}

// connect returns a v1 client that gets every reply.
func (s *hubHarness) connect() *recordingClient {
	s.t.Helper()
	l := s.dialAt("/")
	s.await(l, "hello")
	return l
}

// dial returns a v1 client whose hello is on its way.
func (s *hubHarness) dial() *recordingClient { return s.dialAt("/") }

// dialAt is dial for a client with parameters in its URL.
func (s *hubHarness) dialAt(target string) *recordingClient { return s.dialAs(target, nil) }

// connectAs is dial for a client that may hear what a viewer says.
func (s *hubHarness) connectAs(v *Viewer) *recordingClient { return s.dialAs("/", v) }

func (s *hubHarness) dialAs(target string, v *Viewer) *recordingClient {
	s.t.Helper()
	id := "bridge-" + strconv.FormatInt(s.clients.Add(1), 10)
	l := &recordingClient{answers: make(chan map[string]any, 1000), specs: map[string]modelSpec{}}
	l.session = NewSession(id, "127.0.0.1")
	_, query, _ := strings.Cut(target, "?")
	request := s.connectRequest(query)
	l.session.Batch = request.Batch
	l.session.Restrict(v, nil)
	s.hub.Greet(l, l.session, request, protocol.Hello{Op: "hello"})
	return l
}

// connectRequest parses the query of a URL as far as these tests need it.
func (s *hubHarness) connectRequest(query string) *ConnectRequest {
	values, err := url.ParseQuery(query)
	if err != nil {
		s.t.Fatal(err)
	}
	text := func(name string) json.RawMessage { return json.RawMessage(cmp.Or(values.Get(name), "0")) }
	a := &ConnectRequest{Silent: values.Get("silent") == "1", Batch: s.milliseconds(text("batch_ms"))}
	if query == "" || a.Silent || len(values) == 1 && values.Has("batch_ms") {
		return a
	}
	id := "url"
	a.Subscribe = &SubscribeRequest{ID: &id, Snapshot: values.Get("snapshot") == "1"}
	d := &a.Subscribe.Spec
	if d.Filter, _, err = filter.FromQuery(values); err != nil {
		s.t.Fatal(err)
	}
	d.Throttle, d.Batch, d.Ordered = s.milliseconds(text("throttle_ms")), a.Batch, values.Get("ordered") == "1"
	if since := values.Get("since"); since != "" {
		epoch, seq, _ := strings.Cut(since, ":")
		n, err := strconv.ParseUint(seq, 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		a.Subscribe.Since = &protocol.Since{Epoch: epoch, Seq: n}
	}
	return a
}

func (s *hubHarness) milliseconds(raw json.RawMessage) time.Duration {
	var ms float64
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &ms); err != nil {
			s.t.Fatal(err)
		}
	}
	return time.Duration(ms * float64(time.Millisecond))
}

// longFilter is the length in bytes from which a bridge leaves the parsing of a filter to the hub.
const longFilter = 256

// tell sends a request, as the bridge does.
func (s *hubHarness) tell(l *recordingClient, request string) {
	s.t.Helper()
	waits, err := s.hub.BeforeHello(l.session, len(request), func() func() { return func() { s.do(l, request) } })
	switch {
	case err != nil:
		l.Close(1008, err.Error())
	case !waits:
		s.do(l, request)
	}
}

// harnessRequest is a request of a client, as far as these tests need it.
type harnessRequest struct {
	Op                string
	ID                *string
	Data, Filter      json.RawMessage
	Rooms             []string
	Notices           json.RawMessage
	ThrottleMS        json.RawMessage `json:"throttle_ms"`
	BatchMS           json.RawMessage `json:"batch_ms"`
	Ordered, Snapshot bool
	Since             *protocol.Since
	Consumer, Epoch   string
	Before, After     *uint64
	Limit             int
}

func (s *hubHarness) do(l *recordingClient, request string) {
	s.t.Helper()
	var r harnessRequest
	if err := json.Unmarshal([]byte(request), &r); err != nil {
		s.t.Errorf("%s: %v", request, err)
	}
	var f *filter.Filter
	var long []byte
	var err error
	switch {
	case len(r.Filter) > longFilter:
		long = r.Filter
	case r.Rooms == nil && r.Notices == nil || r.Filter != nil:
		f, err = filter.Parse(r.Filter)
	}
	switch {
	case err != nil:
	case r.Op == "log":
		d := LogRequest{ID: r.ID, Filter: f, Before: r.Before, After: r.After, Epoch: r.Epoch, Limit: cmp.Or(r.Limit, MaxLogLimit)}
		err = s.hub.Log(l, l.session, d, long)
	case r.Op == "subscribe":
		err = s.subscribe(l, &r, f, long)
	default:
		err = s.doBriefly(l, &r, f, long)
	}
	if err == nil {
		return
	}
	if err := s.hub.Answer(l, l.session, 0, func() engine.Frame { return protocol.BadRequest(r.ID, err) }); err != nil {
		l.Close(1008, err.Error())
	}
}

// doBriefly does a request that needs no more than a line.
func (s *hubHarness) doBriefly(l *recordingClient, r *harnessRequest, f *filter.Filter, long []byte) error {
	switch r.Op {
	case "ping":
		return s.hub.Ping(l, l.session, r.ID, r.Data)
	case "unsubscribe":
		return s.hub.Unsubscribe(l, l.session, r.ID)
	case "snapshot":
		return s.hub.Snapshot(l, l.session, r.ID, f, long)
	case "actors":
		return s.hub.Actors(l, l.session, r.ID)
	case "commands":
		return s.hub.Commands(l, l.session, r.ID)
	case "command":
		s.command(l, r.ID, r.Consumer)
		return nil
	}
	return errors.New("there is no op " + r.Op)
}

func (s *hubHarness) subscribe(l *recordingClient, r *harnessRequest, f *filter.Filter, long []byte) (err error) {
	d := SubscribeRequest{ID: r.ID, Snapshot: r.Snapshot, Since: r.Since}
	d.Spec = Spec{Filter: f, Rooms: r.Rooms, Throttle: s.milliseconds(r.ThrottleMS), Batch: l.session.Batch, Ordered: r.Ordered}
	if d.Spec.Notices, err = (protocol.Fields{"notices": r.Notices}).Notices(); r.Notices != nil && err != nil {
		return err
	}
	if r.BatchMS != nil && string(r.BatchMS) != "null" {
		d.Spec.Batch = s.milliseconds(r.BatchMS)
	}
	return s.hub.Subscribe(l, l.session, d, long)
}

// command registers a command that the client awaits and that then cannot be sent.
func (s *hubHarness) command(l *recordingClient, id *string, consumer string) {
	w := s.hub.ResultWaiter(l, l.session, id)
	c, err := s.hub.Inflight.Add(l, CommandKey{l.session.ID + *id, consumer}, w)
	if err == nil {
		l.Send(protocol.Encode(protocol.OK{Op: "ok", ID: id}))
		s.hub.Inflight.Start(c, w, MaxWait)
		if !s.hub.Inflight.Failed(c, false) {
			return
		}
		err = errors.New("there is no broker")
	}
	l.Send(protocol.BadRequest(id, err))
}

// hangUp ends a client's connection.
func (s *hubHarness) hangUp(l *recordingClient) {
	l.left = true
	l.Close(1006, "")
	s.hub.Inflight.Leave(l)
	s.hub.Forget(l.session)
}

// ask sends a request, and awaits the answer.
func (s *hubHarness) ask(l *recordingClient, op, request string) {
	s.t.Helper()
	s.tell(l, request)
	s.await(l, op)
}

// refused sends a request, and returns the message of its error.
func (s *hubHarness) refused(l *recordingClient, request string) string {
	s.t.Helper()
	s.tell(l, request)
	return s.await(l, "error")["message"].(string)
}

// await returns the next message that is not a reply, which must have the given op.
func (s *hubHarness) await(l *recordingClient, op string) map[string]any {
	s.t.Helper()
	select {
	case m := <-l.answers:
		if m["op"] != op {
			s.t.Fatalf("got %v, want %s", m, op)
		}
		return m
	case <-time.After(testkit.Patience):
		s.t.Fatalf("no %s", op)
		return nil
	}
}

// from delivers a reply from a sender, ordered unless the order is 0.
func (s *hubHarness) from(sender string, order int64) {
	s.says(filter.Reply{Sender: sender, Code: "i"}, order)
}

// hears compares the replies that a client has received since it connected.
func (s *hubHarness) hears(l *recordingClient, want ...uint64) {
	s.t.Helper()
	s.ask(l, "pong", `{"op": "ping"}`)
	if heard := l.replies(); fmt.Sprint(heard) != fmt.Sprint(want) {
		s.t.Errorf("it got the replies %v, want %v", heard, want)
	}
}

// since subscribes and resumes from a reply.
func (s *hubHarness) since(l *recordingClient, seq int, more string) {
	s.t.Helper()
	s.tell(l, fmt.Sprintf(`{"op": "subscribe", "since": {"epoch": %q, "seq": %d}, %s}`, s.hub.Epoch, seq, more))
}

func mustFilter(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
