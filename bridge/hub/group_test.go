package hub

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

func TestGroupsDeliverWhatAModelDeliversToEachClient(t *testing.T) {
	filters := []string{
		`{}`, `{"sender": "a"}`, `{"sender": ["b", "a"]}`, `{"sender": ["a", "b"]}`, `{"sender": "?"}`, `{"message_code": ["i", ":"]}`,
		`{"sender": "c", "message_code": "i"}`, `{"internal": true}`, `{"routing_key": "reply.x.#"}`, `{"commander": ["x.*"]}`, `{"command_id": "1"}`,
	}
	forEachSeed(t, 7, func(t *testing.T, random *rand.Rand) {
		s, m := newHarness(t), newModel()
		var all []*recordingClient
		for range 12 {
			l := s.connect()
			s.ask(l, "ok", `{"op": "subscribe", "id": "first"}`)
			l.specs["first"] = modelSpec{filter: mustFilter(t, `{}`)}
			m.move(l)
			all = append(all, l)
		}
		names := 0
		for range 600 {
			l := all[random.IntN(len(all))]
			switch action := random.IntN(10); {
			case action == 0 && len(l.specs) < 5:
				names++
				f, name := pick(random, filters...), fmt.Sprint(names)
				// The lengths have no small common multiples, so no two windows end at the same moment.
				w := modelSpec{mustFilter(t, f), pick[time.Duration](random, 0, 0, 17, 29, 43) * time.Millisecond, random.IntN(4) == 0, pick[time.Duration](random, 0, 0, 2, 1000) * time.Millisecond}
				s.ask(l, "ok", fmt.Sprintf(`{"op": "subscribe", "id": %q, "filter": %s, "throttle_ms": %d, "ordered": %v, "batch_ms": %d}`, name, f, w.throttle.Milliseconds(), w.ordered, w.batch.Milliseconds()))
				l.specs[name] = w
				m.move(l)
			case action == 1 && len(l.specs) > 0:
				name := pick(random, slices.Sorted(maps.Keys(l.specs))...)
				s.ask(l, "ok", fmt.Sprintf(`{"op": "unsubscribe", "id": %q}`, name))
				delete(l.specs, name)
				m.move(l)
			case action < 4:
				d := time.Duration(random.IntN(30)) * time.Millisecond
				s.pass(d)
				m.pass(d)
			default:
				r := filter.Reply{Sender: pick(random, "a", "b", "c", ""), Code: pick(random, "i", "i", "i", "w", ":", "f", "e", ">"), RoutingKey: pick(random, "reply.x", "reply.x.y", "reply.broadcast"),
					CommandID: pick(random, "", "1", "2"), Commander: pick(random, "", "x.a", "y.a"), Internal: random.IntN(4) == 0}
				order := int64(random.IntN(4))
				s.says(r, order)
				m.says(r, order)
				// No two windows begin, and so end, at the same moment.
				s.pass(time.Microsecond)
				m.pass(time.Microsecond)
			}
		}
		for i, l := range all {
			s.ask(l, "pong", `{"op": "ping"}`)
			l.mu.Lock()
			if !slices.Equal(l.heard, l.want) {
				same := 0
				for same < min(len(l.heard), len(l.want)) && l.heard[same] == l.want[same] {
					same++
				}
				t.Errorf("client %d: after %d replies it heard %v, want %v", i, same, l.heard[same:min(same+10, len(l.heard))], l.want[same:min(same+10, len(l.want))])
			}
			l.mu.Unlock()
		}
		delivered := 0
		for _, l := range all {
			delivered += len(l.want)
		}
		if delivered < 500 {
			t.Errorf("only %d deliveries were compared", delivered)
		}
	})
}
