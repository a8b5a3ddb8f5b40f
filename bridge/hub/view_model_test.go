package hub

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// modelViewer is what a client may hear, in the model.
type modelViewer struct {
	hear, hide    []*filter.Filter
	own, detailed bool
	self          string
}

// viewTexts are hear and hide filters that overlap in many ways.
var viewTexts = [][2]string{
	{`{}`, ``},
	{`{}`, `{"sender": "a"}`},
	{`{}`, `{"message_code": ["w", "e"]}`},
	{`{}`, `{"keyword": "secret"}`},
	{`{"sender": "a"}`, ``},
	{`{"sender": ["b", "a"]}`, ``},
	{`{"sender": "?"}|{"sender": ""}`, `{"internal": true}`},
	{`{"sender": "a"}|{"message_code": [":", "f"]}`, `{"sender": "b"}`},
	{`{"keyword": "p*"}`, ``},
	{`{"routing_key": "reply.x.#"}|{"commander": ["x.*"]}`, `{"sender": "c", "internal": true}`},
	{`{"sender": "nobody"}`, ``},
	{``, ``},
}

func randomViewer(c *groupCourse, self string) *modelViewer {
	return newModelViewer(c.random, self, func(text string) *filter.Filter { return mustFilter(c.t, text) })
}

func newModelViewer(random *rand.Rand, self string, parse func(string) *filter.Filter) *modelViewer {
	texts := pick(random, viewTexts...)
	v := &modelViewer{own: random.IntN(2) == 0, detailed: random.IntN(2) == 0, self: self}
	for i, into := range []*[]*filter.Filter{&v.hear, &v.hide} {
		for text := range strings.SplitSeq(texts[i], "|") {
			if text != "" {
				*into = append(*into, parse(text))
			}
		}
	}
	return v
}

// viewer returns the same for the hub. Everything is sometimes said by no viewer at all.
func (v *modelViewer) viewer() *Viewer {
	if v.everything() && v.detailed && !v.own {
		return nil
	}
	return &Viewer{View: filter.NewView(v.hear, v.hide), Own: v.own, Self: v.self, Detailed: v.detailed}
}

func (v *modelViewer) everything() bool {
	return len(v.hide) == 0 && slices.ContainsFunc(v.hear, func(f *filter.Filter) bool { return f.Key() == "{}" })
}

// sees reports whether the viewer may hear a reply, whoever's it is.
func (v *modelViewer) sees(r *filter.Reply) bool {
	selects := func(f *filter.Filter) bool { return f.Match(r) }
	return slices.ContainsFunc(v.hear, selects) && !slices.ContainsFunc(v.hide, selects)
}

// ownOnly reports whether the viewer may hear a reply only because it answers a command of its own.
func (v *modelViewer) ownOnly(r *modelled) bool {
	hides := slices.ContainsFunc(v.hide, func(f *filter.Filter) bool { return f.Match(&r.Reply) })
	return v.own && v.self != "" && r.from != nil && r.from.self == v.self && !hides && !v.sees(&r.Reply)
}

// key is the same for all viewers and filters that share the windows and orders of a subscription:
// those that select the same, as far as that is seen easily.
func (v *modelViewer) key(f *filter.Filter) string {
	var keys []string
	for _, one := range v.hear {
		keys = append(keys, one.Key())
	}
	slices.Sort(keys)
	switch {
	case v.everything():
		return f.Key()
	case !v.own && len(v.hide) == 0 && slices.Contains(keys, f.Key()):
		return f.Key()
	case !v.own && len(v.hide) == 0 && len(keys) == 1 && f.Key() == "{}":
		return keys[0]
	}
	for _, one := range v.hide {
		keys = append(keys, "not "+one.Key())
	}
	return fmt.Sprint(f.Key(), keys)
}

// setViewer gives a client another viewer.
func (m *model) setViewer(l *recordingClient, v *modelViewer, said []modelled) {
	marks := map[string]map[string]int64{} // of the former specs, by the new ones
	for name, w := range l.specs {
		old := m.orders[w.key()]
		w.viewer = v
		l.specs[name] = w
		if key := w.key(); w.ordered && m.orders[key] == nil {
			if marks[key] == nil {
				marks[key] = map[string]int64{}
			}
			for sender, order := range old {
				marks[key][sender] = max(order, marks[key][sender])
			}
		}
	}
	l.viewer = v
	for key, mark := range marks {
		if len(mark) > 0 {
			m.orders[key] = mark
		}
	}
	m.moveTo(l, func(seq uint64) bool {
		r := &said[seq-1]
		return v.sees(&r.Reply) || v.ownOnly(r)
	})
}

// saysOwn delivers the current reply to the clients that hear it only because it is their own, after
// the pending replies of the same sender.
func (m *model) saysOwn(r *modelled) {
	for _, set := range m.sets {
		var own []*recordingClient
		for _, l := range set.clients {
			asks := false
			for _, w := range l.specs {
				asks = asks || w.asks(r)
			}
			if asks && l.viewer.ownOnly(r) {
				own = append(own, l)
			}
		}
		if len(own) == 0 {
			continue
		}
		var pending []uint64
		for key, seq := range set.pending {
			if strings.HasSuffix(key, "/"+r.Sender) {
				pending = append(pending, seq)
			}
		}
		slices.Sort(pending)
		for _, seq := range slices.Compact(pending) {
			set.deliver(seq)
		}
		for _, l := range own {
			l.want = append(l.want, m.seq)
		}
	}
}
