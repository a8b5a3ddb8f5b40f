package hub

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// changeNow changes what a client may hear between two turns of its requests.
func (s *hubHarness) changeNow(l *recordingClient, v *Viewer) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.setViewer(l.session, v, nil)
}

// stepAll runs a task to its end.
func (s *hubHarness) stepAll(step Task) {
	s.t.Helper()
	for range 100 {
		if step() {
			return
		}
	}
	s.t.Fatal("it does not end")
}

func TestAReplayBeginsAnewWhenGrantsChangeMeanwhile(t *testing.T) {
	for name, withSnapshot := range map[string]bool{"a replay": false, "a replay and a snapshot": true} {
		s := newHarness(t)
		s.hub.values.KeepNames()
		l := s.enter("/?silent=1", nil)
		s.from("a", 0)
		s.from("b", 0)
		id := "x"
		sub := &subscribing{hub: s.hub, conn: l, session: l.session, answered: func() {}, request: SubscribeRequest{
			ID: &id, Spec: Spec{Filter: all()}, Snapshot: withSnapshot, Since: &protocol.Since{Epoch: s.hub.Epoch, Seq: 0},
		}}
		if !sub.start() || !sub.replay.turn() || len(sub.replay.found) != 2 {
			t.Fatal("nothing was found")
		}
		s.changeNow(l, &Viewer{View: viewOf(t, `{"sender": "b"}`, "")})
		s.stepAll(sub.step)
		if ok := s.await(l, "ok"); ok["resumed"] != true {
			t.Errorf("%s: it is told %v", name, ok)
		}
		if withSnapshot {
			if got := snapshotValues(t, s.await(l, "snapshot")); !reflect.DeepEqual(got, map[string]map[string]float64{"b": {}}) {
				t.Errorf("%s: the snapshot has %v", name, got)
			}
		}
		s.hears(l, 2)
	}
}

func TestSnapshotsAndActorsBeginAnewWhenGrantsChangeMeanwhile(t *testing.T) {
	s := newHarness(t)
	l := s.enter("/?silent=1", nil)
	s.saysBody(filter.Reply{Sender: "a", Code: "i"}, `{"x": 1}`)
	s.saysBody(filter.Reply{Sender: "b", Code: "i"}, `{"x": 2}`)
	onlyB := &Viewer{View: viewOf(t, `{"sender": "b"}`, "")}
	request := &snapshotRequest{hub: s.hub, conn: l, session: l.session, filter: all(), answered: func() {}}
	request.snapshot = s.hub.snapshots.of(request.filter, nil) // its first turn
	actors := &actorsRequest{hub: s.hub, conn: l, session: l.session, answered: func() {}}
	actors.begin()
	s.changeNow(l, onlyB)
	s.stepAll(request.step)
	if got := snapshotValues(t, s.await(l, "snapshot")); !reflect.DeepEqual(got, map[string]map[string]float64{"b": {"x": 2}}) {
		t.Errorf("the snapshot has %v", got)
	}
	s.stepAll(actors.step)
	if got := readActors(s.await(l, "actors")); !reflect.DeepEqual(got, map[string]string{"b": "2 1"}) {
		t.Errorf("the actors are %v", got)
	}
}

// The snapshot of one view is not that of another, and what was evicted is told to those alone who
// may hear everything.
func TestWhatWasEvictedInAllIsNotToldToAClientWithAView(t *testing.T) {
	s := newHarness(t)
	s.hub.values = snapshot.New(snapshot.Limits{Keywords: 1})
	s.saysBody(filter.Reply{Sender: "a", Code: "i"}, `{"x": 1}`)
	s.saysBody(filter.Reply{Sender: "a", Code: "i"}, `{"y": 1}`)
	s.saysBody(filter.Reply{Sender: "b", Code: "i"}, `{"x": 1}`)
	for text, evicted := range map[string]bool{`{}`: true, `{"sender": "b"}`: false} {
		l := s.enter("/?silent=1", &Viewer{View: viewOf(t, text, "")})
		s.tell(l, `{"op": "snapshot"}`)
		if m := s.await(l, "snapshot"); (m["evicted"] != nil) != evicted {
			t.Errorf("%s is told %v", text, m["evicted"])
		}
	}
}

func TestAReplyOfWhichTheKeywordsAreNotKnownIsInNoSnapshotOfAViewThatHidesSome(t *testing.T) {
	s := newHarness(t) // without the names
	s.saysBody(filter.Reply{Sender: "a", Code: "i"}, `{"x": 1, "secret": 2}`)
	s.saysBody(filter.Reply{Sender: "a", Code: "i"}, `{"secret": 3}`)
	for _, c := range []struct{ hear, hide, want string }{
		{`{}`, `{"keyword": "secret"}`, "map[]"},
		{`{"keyword": "x"}`, ``, "map[a:map[x:1]]"}, // of the other it is not known that the reply had x
		{`{}`, `{"sender": "b", "keyword": "secret"}`, "map[a:map[secret:3 x:1]]"},
	} {
		s.says(filter.Reply{Sender: "cut", Code: "i", Commander: strings.Repeat("x", 1<<17)}, 0) // too long to be kept
		l := s.enter("/?silent=1", &Viewer{View: viewOf(t, c.hear, c.hide)})
		s.tell(l, `{"op": "snapshot"}`)
		if got := fmt.Sprint(snapshotValues(t, s.await(l, "snapshot"))); got != c.want {
			t.Errorf("who hears %s but not %s gets %s, want %s", c.hear, c.hide, got, c.want)
		}
	}
}
