package hub

import (
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// joinPlain connects a plain client, but does not open its connection.
func (s *hubHarness) joinPlain(v *Viewer) (*recordingClient, *PlainClient) {
	s.t.Helper()
	l := &recordingClient{plain: true}
	c, err := s.hub.JoinPlain(v, "127.0.0.1")
	if err != nil {
		s.t.Fatal(err)
	}
	l.Follow(c.Log())
	return l, c
}

// done waits until the urgent tasks so far are done.
func (s *hubHarness) done() {
	done := make(chan struct{})
	s.hub.Do(func() { close(done) })
	testkit.Await(s.t, done)
}

// leaves ends a client's connection, and waits until the hub has forgotten it.
func (s *hubHarness) leaves(l *recordingClient) {
	s.hangUp(l)
	done := make(chan struct{})
	s.hub.AfterRequests(l.session, func() { close(done) })
	testkit.Await(s.t, done)
}

// number delivers a reply with its number as a keyword, for plain clients.
func (s *hubHarness) number(sender, n string) {
	s.saysBody(filter.Reply{Sender: sender, Code: "i"}, `{"n": `+n+`}`)
}

func TestAPlainClientWhoseGrantsChangeBeforeItIsOpenFollowsTheNewLog(t *testing.T) {
	s := newHarness(t)
	l, c := s.joinPlain(nil)
	c.SetViewer(&Viewer{View: viewOf(t, `{"sender": "a"}`, "")})
	s.done()
	c.Open(l)
	s.number("a", "1")
	s.number("b", "2")
	if heard := l.replies(); !slices.Equal(heard, []uint64{1}) {
		t.Errorf("it got %v", heard)
	}
}

func TestTheGroupsOfPlainClientsEndWithTheirLastClient(t *testing.T) {
	s := newHarness(t)
	view := viewOf(t, `{"keyword": "n"}`, "")
	l, c := s.joinPlain(&Viewer{View: view, Own: true, Self: "x"})
	_, again := s.joinPlain(&Viewer{View: view})
	if c.Log() != again.Log() {
		t.Error("clients with the same view follow different logs")
	}
	c.Open(l)
	s.number("a", "1")
	h := s.hub
	if len(h.matcher.plain) != 1 || len(h.matcher.views) != 1 || h.matcher.keywords != 1 || len(h.plain.own["x"]) != 1 {
		t.Errorf("there are %d groups, %d views and %d own clients", len(h.matcher.plain), len(h.matcher.views), len(h.plain.own))
	}
	c.Leave()
	c.Leave()
	c.SetViewer(&Viewer{View: view})
	s.done()
	again.Leave()
	c.Open(l)
	s.number("a", "2")
	if len(h.matcher.plain)+len(h.matcher.views)+h.matcher.keywords+len(h.plain.own)+len(h.plain.byView)+h.plain.shares.Taken() != 0 {
		t.Errorf("something is left: %d groups, %d views, %d own clients", len(h.matcher.plain), len(h.matcher.views), len(h.plain.own))
	}
	if heard := l.replies(); !slices.Equal(heard, []uint64{1}) {
		t.Errorf("it got %v", heard)
	}
}

func TestThePlainGroupsOfAnAddressAreBounded(t *testing.T) {
	s := newHarness(t)
	_, c := s.joinPlain(&Viewer{View: viewOf(t, `{"sender": "a"}`, "")})
	s.hub.plain.mu.Lock()
	s.hub.plain.shares.Take("127.0.0.1", maxGroups/2-1, 0)
	s.hub.plain.mu.Unlock()
	view := &Viewer{View: viewOf(t, `{"sender": "b"}`, "")}
	if _, err := s.hub.JoinPlain(view, "127.0.0.1"); err == nil || !strings.Contains(err.Error(), "different views of plain clients") {
		t.Errorf("one view more: %v", err)
	}
	c.SetViewer(view) // it must not keep the former one
	s.done()
	c.Leave()
	if n := s.hub.plain.shares.Taken(); n != maxGroups/2-1 {
		t.Errorf("%d are taken", n)
	}
}

func TestAPlainClientThatBecomesV1LeavesItsGroupWithTheHello(t *testing.T) {
	s := newHarness(t)
	v := &Viewer{View: viewOf(t, `{"sender": "a"}`, "")}
	_, c := s.joinPlain(v)
	l := &recordingClient{answers: make(chan map[string]any, 10), session: NewSession("bridge-7", "127.0.0.1")}
	l.session.Restrict(v, c)
	s.hub.Greet(l, l.session, &ConnectRequest{}, protocol.Hello{Op: "hello"})
	s.await(l, "hello")
	s.done()
	if n := len(s.hub.plain.byView); n != 0 {
		t.Errorf("%d groups of plain clients are left", n)
	}
	s.from("a", 0)
	s.from("b", 0)
	s.hears(l, 1)
}

func TestAPlainClientHearsTheRepliesToItsOwnCommands(t *testing.T) {
	s := newHarness(t)
	viewer := func(self string) *Viewer {
		return &Viewer{View: viewOf(t, `{"sender": "a"}`, `{"keyword": "secret"}`), Own: true, Self: self}
	}
	mine, c := s.joinPlain(viewer("x"))
	c.Open(mine)
	other, d := s.joinPlain(viewer("y"))
	d.Open(other)
	sender := &recordingClient{self: "x"}
	reply := s.sendsAs(sender, "1")
	reply("i", `{"n": 1}`)
	reply("i", `{"n": 2, "secret": 1}`)
	s.number("b", "3")
	reply(":", `{"n": 4}`)
	if heard := mine.replies(); !slices.Equal(heard, []uint64{1, 4}) {
		t.Errorf("it got %v", heard)
	}
	if heard := other.replies(); heard != nil {
		t.Errorf("another got %v", heard)
	}
}
