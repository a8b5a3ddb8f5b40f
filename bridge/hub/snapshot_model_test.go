package hub

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// modelReply is a reply with one keyword.
type modelReply struct {
	filter.Reply
	keyword string
	value   float64
}

// modelSnapshot returns the last value of every keyword of the actors that a filter selects.
func modelSnapshot(said []modelReply, f *filter.Filter) map[string]map[string]float64 {
	actors := map[string]map[string]float64{}
	for _, r := range said {
		if !f.Match(&r.Reply) {
			continue
		}
		if actors[r.Sender] == nil {
			actors[r.Sender] = map[string]float64{}
		}
		actors[r.Sender][r.keyword] = r.value
	}
	return actors
}

// snapshotValues returns the values in a snapshot message.
func snapshotValues(t testing.TB, message map[string]any) map[string]map[string]float64 {
	t.Helper()
	text, err := json.Marshal(message["actors"])
	if err != nil {
		t.Fatal(err)
	}
	var actors map[string]struct {
		Keywords map[string]struct{ Value float64 }
	}
	if err := json.Unmarshal(text, &actors); err != nil {
		t.Fatal(err)
	}
	values := map[string]map[string]float64{}
	for name, a := range actors {
		values[name] = map[string]float64{}
		for keyword, k := range a.Keywords {
			values[name][keyword] = k.Value
		}
	}
	return values
}

// Snapshots are encoded while replies come, in turns and from a cache. Each must be that of
// a single moment, and exactly the replies after this moment must follow.
func TestASnapshotIsThatOfOneMomentAndTheRepliesBehindItFollow(t *testing.T) {
	filters := []string{`{}`, `{"sender": ["actor1", "actor2"]}`, `{"sender": "actor*"}`, `{"sender": "actor1*"}`}
	forEachSeed(t, 17, func(t *testing.T, random *rand.Rand) {
		s := newHarness(t)
		var said []modelReply
		says := func(n int) {
			for range n {
				r := modelReply{filter.Reply{Sender: fmt.Sprint("actor", random.IntN(20)), Code: "i"}, fmt.Sprint("keyword", random.IntN(30)), float64(len(said))}
				said = append(said, r)
				s.saysBody(r.Reply, fmt.Sprintf(`{%q: %v}`, r.keyword, r.value))
			}
		}
		says(600) // more than is written at once, with the lock held
		for range 6 {
			text := pick(random, filters...)
			f := mustFilter(t, text)
			l := s.dialAt("/?silent=1")
			s.await(l, "hello")
			s.tell(l, fmt.Sprintf(`{"op": "subscribe", "filter": %s, "snapshot": true}`, text))
			says(random.IntN(400)) // while it is encoded
			s.await(l, "ok")
			message := s.await(l, "snapshot")
			says(random.IntN(20))
			s.ask(l, "pong", `{"op": "ping"}`)
			seq := uint64(message["seq"].(float64))
			if got, want := snapshotValues(t, message), modelSnapshot(said[:seq], f); !reflect.DeepEqual(got, want) {
				t.Fatalf("the snapshot of reply %d for %s is %v, want %v", seq, text, got, want)
			}
			var want []uint64
			for i := seq; i < uint64(len(said)); i++ {
				if f.Match(&said[i].Reply) {
					want = append(want, i+1)
				}
			}
			if heard := l.replies(); !slices.Equal(heard, want) {
				t.Fatalf("after reply %d came %v, want %v", seq, heard, want)
			}
			s.hangUp(l)
		}
	})
}
