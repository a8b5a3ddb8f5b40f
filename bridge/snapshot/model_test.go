package snapshot

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/rhythm"
)

// model is the store as its doc tells it, in the plainest form: lists that are
// searched, costs that are added up anew each time.
type model struct {
	Limits
	actors                         []*modelActor // who was heard last is at the end
	evictedActors, evictedKeywords uint64
}

type modelActor struct {
	name     string
	last     *Reply
	beat     *Reply // the last broadcast
	rhythm   rhythm.Rhythm
	keywords []modelKeyword // what was updated last is at the end
	evicted  uint64
}

type modelKeyword struct {
	name  string
	value string
	from  *Reply
}

func (k modelKeyword) tooLarge(m *model) bool { return len(k.value) > m.Value }

func (m *model) note(r Reply) {
	if len(r.Sender) > m.Value {
		m.evictedActors++
		return
	}
	if len(r.CommandID) > m.Value {
		r.CommandID = ""
	}
	at := slices.IndexFunc(m.actors, func(a *modelActor) bool { return a.name == r.Sender })
	a := &modelActor{name: r.Sender}
	if at >= 0 {
		a = m.actors[at]
		m.actors = slices.Delete(m.actors, at, at+1)
	} else if len(m.actors) == m.Actors {
		m.forget(m.actors[0])
	}
	m.actors = append(m.actors, a)
	a.last = &r
	if r.Broadcast {
		a.beat = &r
		a.rhythm.Note(r.Time)
	}
	d := json.NewDecoder(strings.NewReader(string(r.Body)))
	if token, _ := d.Token(); token == json.Delim('{') {
		var said []modelKeyword
		for d.More() {
			key, _ := d.Token()
			var value json.RawMessage
			_ = d.Decode(&value)
			said = append(said, modelKeyword{key.(string), string(value), &r})
		}
		if len(said) > m.Keywords {
			said = m.last(a, said)
		}
		for _, k := range said {
			m.set(a, k)
		}
	}
	for m.bytes() > m.Bytes {
		victim := slices.MaxFunc(m.actors, func(a, b *modelActor) int { return m.cost(a) - m.cost(b) })
		if len(victim.keywords) > 0 {
			m.forgetOldest(victim)
		} else {
			m.forget(victim)
		}
	}
}

// last leaves out what cannot be known at the end: names that come again, are too long,
// or have too many others behind them.
func (m *model) last(a *modelActor, said []modelKeyword) (last []modelKeyword) {
	behind := map[string]bool{}
	for _, k := range slices.Backward(said) {
		long := len(k.name) > m.Value
		if behind[k.name] && !long {
			continue
		}
		if long || len(last) == m.Keywords {
			a.evicted++
			m.evictedKeywords++
		} else {
			last = append(last, k)
		}
		behind[k.name] = true
	}
	slices.Reverse(last)
	return last
}

func (m *model) set(a *modelActor, k modelKeyword) {
	if len(k.name) > m.Value {
		a.evicted++
		m.evictedKeywords++
		return
	}
	at := slices.IndexFunc(a.keywords, func(l modelKeyword) bool { return l.name == k.name && l.from.Internal == k.from.Internal })
	if at >= 0 {
		a.keywords = slices.Delete(a.keywords, at, at+1)
	} else if len(a.keywords) == m.Keywords {
		m.forgetOldest(a)
	}
	a.keywords = append(a.keywords, k)
}

func (m *model) forgetOldest(a *modelActor) {
	a.keywords = a.keywords[1:]
	a.evicted++
	m.evictedKeywords++
}

func (m *model) forget(a *modelActor) {
	m.actors = slices.DeleteFunc(m.actors, func(b *modelActor) bool { return a == b })
	m.evictedActors++
	m.evictedKeywords += uint64(len(a.keywords))
}

func (m *model) bytes() (n int) {
	for _, a := range m.actors {
		n += m.cost(a)
	}
	return n
}

func (m *model) cost(a *modelActor) int {
	n := actorCost + len(a.name)
	replies := map[*Reply]bool{a.last: true}
	if a.beat != nil {
		replies[a.beat] = true
	}
	for _, k := range a.keywords {
		n += keywordCost + len(k.name)
		if !k.tooLarge(m) {
			n += len(k.value)
		}
		replies[k.from] = true
	}
	for r := range replies {
		n += keptReplyCost + len(r.Code) + len(r.RoutingKey) + len(r.CommandID) + len(r.Commander)
	}
	return n
}

type dict = map[string]any

// tree is what the store must write, by the filter.
func (m *model) tree(keep func(Entry) bool) any {
	all := dict{}
	for _, a := range m.actors {
		keywords := dict{}
		for _, k := range a.keywords { // the newer one of both kinds comes later
			if keep != nil && !keep(Entry{a.name, k.name, k.from.Code, k.from.RoutingKey, k.from.CommandID, k.from.Commander, k.from.Internal, k.from.Time, k.from.Seq, nil, false, false, 0}) {
				continue
			}
			o := k.from.tree()
			if k.tooLarge(m) {
				o["too_large"] = len(k.value)
			} else {
				o["value"] = json.RawMessage(k.value)
			}
			if k.from.Internal {
				o["internal"] = true
			}
			keywords[k.name] = o
		}
		if len(keywords) > 0 || keep == nil {
			o := a.tree()
			o["keywords"] = keywords
			all[a.name] = o
		}
	}
	return all
}

// list is what the store must write of its actors.
func (m *model) list() any {
	all := []dict{}
	for _, a := range m.actors {
		names := map[string]bool{}
		for _, k := range a.keywords {
			names[k.name] = true
		}
		o := a.tree()
		o["name"] = a.name
		o["keywords"] = len(names)
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b dict) int { return strings.Compare(a["name"].(string), b["name"].(string)) })
	return all
}

func (a *modelActor) tree() dict {
	o := a.last.tree()
	o["interval_ms"], o["consumer"] = nil, nil
	if ms := a.rhythm.Interval().Milliseconds(); ms > 0 {
		o["interval_ms"] = ms
	}
	if a.evicted > 0 {
		o["evicted"] = a.evicted
	}
	return o
}

func (r *Reply) tree() dict {
	return dict{"time": r.Time.UTC().Format("2006-01-02T15:04:05.000000-07:00"), "code": r.Code, "seq": r.Seq}
}

// randomReply says some of a few keywords of one of a few actors.
func randomReply(rnd *rand.Rand, seq uint64) Reply {
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	value := func() string {
		return pick("null", "-1.5", `"a\"b"`, `{"a": [1, {}]}`, "[ ]", `"`+strings.Repeat("x", rnd.IntN(400))+`"`)
	}
	name := func() string {
		return pick(fmt.Sprintf(`"k%d"`, rnd.IntN(30)), `"\u006b1"`, `"é"`, `"`+strings.Repeat("n", rnd.IntN(200))+`"`)
	}
	body := value()
	if rnd.IntN(8) > 0 {
		var members []string
		for range rnd.IntN(6) {
			members = append(members, name()+pick(":", ": ", " : ")+value())
		}
		body = "{" + strings.Join(members, pick(",", ", ")) + "}"
	}
	return Reply{
		Sender:     pick(fmt.Sprintf("actor%d", rnd.IntN(6)), "mount", "dome", strings.Repeat("s", 1+rnd.IntN(200))),
		Code:       pick(">", "i", ":"),
		RoutingKey: pick("reply.x", "reply.bridge.mount"),
		CommandID:  pick("", "id", strings.Repeat("c", rnd.IntN(200))),
		Commander:  pick("", "bridge.mount"),
		Internal:   rnd.IntN(4) == 0,
		Broadcast:  rnd.IntN(2) == 0,
		Time:       noon.Add(time.Duration(seq) * 40 * time.Millisecond),
		Seq:        seq,
		Body:       []byte(body),
	}
}

func TestTheStoreIsItsModel(t *testing.T) {
	filters := map[string]func(Entry) bool{
		"all":      nil,
		"people":   func(e Entry) bool { return !e.Internal },
		"internal": func(e Entry) bool { return e.Internal },
		"some": func(e Entry) bool {
			return e.Code == "i" && e.CommandID == "id" && e.Commander == "" && e.RoutingKey == "reply.x" || e.Keyword == "k3" || e.Actor == "dome" && e.Seq%2 == 0
		},
	}
	for run := range 30 {
		rnd := rand.New(rand.NewPCG(uint64(run), 1))
		limits := Limits{Actors: 1 + rnd.IntN(9), Keywords: 1 + rnd.IntN(30), Bytes: 600 + rnd.IntN(30_000), Value: 150}
		s, m := New(limits), &model{Limits: limits}
		m.setDefaults()
		for seq := range uint64(300) {
			r := randomReply(rnd, seq)
			s.Note(r)
			m.note(r)
			compareCounts(t, s, m)
			if seq%10 == 0 {
				compareTexts(t, s, m, filters)
			}
			if t.Failed() {
				t.Fatalf("run %d, reply %d: %+v, body %s, limits %+v", run, seq, r, r.Body, limits)
			}
		}
	}
}

// compareTexts expects that the store writes what the model says.
func compareTexts(t *testing.T, s *Store, m *model, filters map[string]func(Entry) bool) {
	t.Helper()
	want := func(what string, got []byte, model any) {
		t.Helper()
		text, err := json.Marshal(model)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(tree(t, got), tree(t, text)) {
			t.Errorf("%s: got %s, want %s", what, got, text)
		}
	}
	for name, keep := range filters {
		want(name, s.Append(nil, keep), m.tree(keep))
	}
	want("actors", s.AppendActors(nil), m.list())
}

// compareCounts expects of the store the model's figures.
func compareCounts(t *testing.T, s *Store, m *model) {
	t.Helper()
	if s.Bytes() != m.bytes() || s.Bytes() > m.Bytes {
		t.Errorf("it has %d bytes, want %d, at most %d", s.Bytes(), m.bytes(), m.Bytes)
	}
	keywords := 0
	for _, a := range m.actors {
		keywords += len(a.keywords)
	}
	if a, k := s.Len(); a != len(m.actors) || k != keywords {
		t.Errorf("it has %d actors and %d keywords, want %d and %d", a, k, len(m.actors), keywords)
	}
	if a, k := s.Evicted(); a != m.evictedActors || k != m.evictedKeywords {
		t.Errorf("it forgot %d actors and %d keywords, want %d and %d", a, k, m.evictedActors, m.evictedKeywords)
	}
}
