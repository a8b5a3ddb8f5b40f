package hub

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// viewedActor is what a client may know of an actor: the seq of its last reply, and the values of its
// keywords.
type viewedActor struct {
	seq    float64
	values map[string]float64
}

// viewSnapshot returns the last values that a viewer may know, as far as a filter selects them: those
// whose reply it may hear. A reply without such a value counts only if it is its actor's last.
func viewSnapshot(said []modelReply, v *modelViewer, f *filter.Filter) map[string]viewedActor {
	all := map[string]viewedActor{}
	for _, sender := range []string{"a", "b", "c"} {
		a, newest, lastSeen := viewedActor{values: map[string]float64{}}, 0, 0
		done := map[string]bool{} // those that have a newer value, by name and kind
		written := map[string]bool{}
		for i := len(said) - 1; i >= 0; i-- {
			r := &said[i]
			if r.Sender != sender {
				continue
			}
			if lastSeen == 0 {
				lastSeen = i + 1
				if v.sees(&r.Reply) {
					newest = i + 1
				}
			}
			for _, name := range r.Keywords {
				key := fmt.Sprint(name, r.Internal)
				if done[key] {
					continue
				}
				done[key] = true
				if !v.sees(&r.Reply) {
					continue
				}
				newest = max(newest, i+1)
				if f.Match(&r.Reply) && !written[name] {
					written[name] = true
					a.values[name] = r.value
				}
			}
		}
		if a.seq = float64(newest); newest > 0 && (f.Key() == "{}" || len(a.values) > 0) {
			all[sender] = a
		}
	}
	return all
}

// readSnapshot returns what a snapshot message says.
func readSnapshot(t testing.TB, message map[string]any) map[string]viewedActor {
	t.Helper()
	values, all := snapshotValues(t, message), map[string]viewedActor{}
	for name, a := range message["actors"].(map[string]any) {
		all[name] = viewedActor{a.(map[string]any)["seq"].(float64), values[name]}
	}
	return all
}

// readActors returns the actors of a message, each with the number of its keywords.
func readActors(message map[string]any) map[string]string {
	all := map[string]string{}
	for _, a := range message["actors"].([]any) {
		a := a.(map[string]any)
		all[a["name"].(string)] = fmt.Sprint(a["seq"], a["keywords"])
	}
	return all
}

func TestSnapshotsAndActorsTellWhatAClientMayHear(t *testing.T) {
	forEachSeed(t, 29, func(t *testing.T, random *rand.Rand) {
		c := &viewCourse{hubHarness: newHarness(t), random: random}
		c.hub.ExpectViews()
		c.replies(random.IntN(10))
		for range 8 {
			v := c.randomViewer()
			l := c.enter("/?silent=1", v.viewer())
			f := mustFilter(t, pick(random, `{}`, `{"sender": ["a", "b"]}`, `{"message_code": ["i", "w"]}`))
			for range 2 {
				c.replies(random.IntN(300))
				if random.IntN(2) == 0 { // perhaps while a snapshot is encoded
					c.tell(l, `{"op": "snapshot", "filter": `+f.Key()+`}`)
					v = c.randomViewer()
					c.hub.SetViewer(l.session, v.viewer())
					c.await(l, "snapshot")
				}
				c.compareSnapshot(l, v, f)
				c.compareActors(l, v)
			}
			c.hangUp(l)
		}
	})
}

// viewCourse is a random course of replies, and of clients that ask what is known.
type viewCourse struct {
	*hubHarness
	random *rand.Rand
	said   []modelReply
}

func (c *viewCourse) randomViewer() *modelViewer {
	return newModelViewer(c.random, "x", func(text string) *filter.Filter { return mustFilter(c.t, text) })
}

// replies delivers n replies with up to three keywords each.
func (c *viewCourse) replies(n int) {
	for range n {
		r := modelReply{Reply: filter.Reply{
			Sender: pick(c.random, "a", "b", "c"), Code: pick(c.random, "i", "w", ":", "e"), Internal: c.random.IntN(3) == 0,
			RoutingKey: pick(c.random, "reply.x.y", "reply.broadcast"), Commander: pick(c.random, "", "x.a"),
		}, value: float64(len(c.said))}
		reply := r.Reply
		var members []string
		for range c.random.IntN(4) {
			name := pick(c.random, "public", "secret", "p"+strconv.Itoa(c.random.IntN(200)))
			if !slices.Contains(r.Keywords, name) {
				r.Keywords = append(r.Keywords, name)
				members = append(members, fmt.Sprintf("%q: %v", name, r.value))
			}
		}
		c.said = append(c.said, r)
		c.saysBody(reply, "{"+strings.Join(members, ", ")+"}")
	}
}

func (c *viewCourse) compareSnapshot(l *recordingClient, v *modelViewer, f *filter.Filter) {
	c.t.Helper()
	c.tell(l, `{"op": "snapshot", "filter": `+f.Key()+`}`)
	message := c.await(l, "snapshot")
	seq := uint64(message["seq"].(float64))
	if got, want := readSnapshot(c.t, message), viewSnapshot(c.said[:seq], v, f); !reflect.DeepEqual(got, want) {
		c.t.Fatalf("the snapshot of reply %d for %s seen by %s is %v, want %v", seq, f.Key(), v.viewer().view().Key(), got, want)
	}
}

func (c *viewCourse) compareActors(l *recordingClient, v *modelViewer) {
	c.t.Helper()
	want := map[string]string{}
	for name, a := range viewSnapshot(c.said, v, mustFilter(c.t, `{}`)) {
		want[name] = fmt.Sprint(a.seq, len(a.values))
	}
	c.tell(l, `{"op": "actors"}`)
	if got := readActors(c.await(l, "actors")); !reflect.DeepEqual(got, want) {
		c.t.Fatalf("after reply %d, %s sees the actors %v, want %v", len(c.said), v.viewer().view().Key(), got, want)
	}
}
