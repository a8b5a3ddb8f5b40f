package hub

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/unordered"
)

// modelSpec is a subscription in the model.
type modelSpec struct {
	filter   *filter.Filter
	throttle time.Duration
	ordered  bool
	batch    time.Duration
	client   *recordingClient
	viewer   *modelViewer
}

// key identifies what the spec selects for its client, without the batch time.
func (w modelSpec) key() string {
	who := ""
	if w.filter.Mine() {
		who = w.client.session.ID
	}
	return fmt.Sprint(w.viewer.key(w.filter), w.throttle, w.ordered, who)
}

// selects reports whether the client gets a reply by its group: it asks for it and its view selects it.
func (w modelSpec) selects(r *modelled) bool { return w.asks(r) && w.viewer.sees(&r.Reply) }

func (w modelSpec) asks(r *modelled) bool {
	return w.filter.MatchMine(&r.Reply, r.from != nil && r.from == w.client)
}

// modelled is a reply, and the client whose command it answers.
type modelled struct {
	filter.Reply
	from *recordingClient
}

// modelSet is a set of clients with the same specs and batch times, which get the same replies.
// Batch times change neither the replies nor their order.
type modelSet struct {
	clients []*recordingClient
	specs   []modelSpec
	pending map[string]uint64 // by spec and sender
}

// modelWindow is a throttle window of a spec, shared by all clients that have it.
type modelWindow struct {
	ends   time.Duration
	sender string
	spec   modelSpec
}

// model evaluates every filter for every client, and every window at each moment.
type model struct {
	sets    map[string]*modelSet
	windows map[string]*modelWindow     // by spec and sender
	orders  map[string]map[string]int64 // by spec, and sender
	now     time.Duration
	seq     uint64
}

func newModel() *model {
	return &model{sets: map[string]*modelSet{}, windows: map[string]*modelWindow{}, orders: map[string]map[string]int64{}}
}

func (m *model) move(l *recordingClient) { m.moveTo(l, nil) }

// moveTo moves a client to the set of its specs. Of what is pending in its former set, it gets what
// it may still hear.
func (m *model) moveTo(l *recordingClient, hears func(seq uint64) bool) {
	var old *modelSet
	for key, set := range m.sets {
		if slices.Contains(set.clients, l) {
			if key == setKey(l.specs) {
				return
			}
			old = set
			if set.clients = unordered.Remove(set.clients, l); len(set.clients) == 0 {
				delete(m.sets, key)
			}
		}
	}
	key := setKey(l.specs)
	if m.sets[key] == nil {
		set := &modelSet{pending: map[string]uint64{}}
		for _, w := range l.specs {
			if slices.ContainsFunc(set.specs, func(o modelSpec) bool { return o.key() == w.key() }) {
				continue
			}
			set.specs = append(set.specs, w)
			if old == nil || !slices.ContainsFunc(old.specs, func(o modelSpec) bool { return o.key() == w.key() }) {
				continue
			}
			for sender, seq := range old.pending { // what is pending for the same spec stays pending
				if strings.HasPrefix(sender, w.key()+"/") {
					set.pending[sender] = seq
				}
			}
		}
		m.sets[key] = set
	}
	if old != nil {
		for _, seq := range old.pendingReplies() {
			if !slices.Contains(m.sets[key].pendingReplies(), seq) && (hears == nil || hears(seq)) {
				l.want = append(l.want, seq)
			}
		}
	}
	m.sets[key].clients = append(m.sets[key].clients, l)
	m.forget()
}

// forget drops the windows and orders of specs that no client has any longer.
func (m *model) forget() {
	has := func(key string) bool {
		for _, set := range m.sets {
			if slices.ContainsFunc(set.specs, func(w modelSpec) bool { return w.key() == key }) {
				return true
			}
		}
		return false
	}
	maps.DeleteFunc(m.windows, func(_ string, w *modelWindow) bool { return !has(w.spec.key()) })
	maps.DeleteFunc(m.orders, func(spec string, _ map[string]int64) bool { return !has(spec) })
}

func setKey(specs map[string]modelSpec) string {
	var keys []string
	for _, w := range specs {
		keys = append(keys, fmt.Sprint(w.key(), w.batch))
		if !w.viewer.detailed {
			keys = append(keys, "without reasons")
		}
	}
	slices.Sort(keys)
	return strings.Join(slices.Compact(keys), "|")
}

func (set *modelSet) pendingReplies() (pending []uint64) {
	pending = slices.Sorted(maps.Values(set.pending))
	return slices.Compact(pending)
}

func (set *modelSet) deliver(seq uint64) {
	for _, l := range set.clients {
		l.want = append(l.want, seq)
	}
	maps.DeleteFunc(set.pending, func(_ string, pending uint64) bool { return pending == seq })
}

func (m *model) pass(d time.Duration) {
	for end := m.now + d; ; {
		var next *modelWindow
		for _, w := range m.windows {
			if w.ends <= end && (next == nil || w.ends < next.ends) {
				next = w
			}
		}
		if next == nil {
			m.now = end
			return
		}
		m.end(next)
	}
}

// end ends the windows of a sender that end with this one. Their pending replies come in
// order.
func (m *model) end(w *modelWindow) {
	due, gave := map[string]*modelWindow{}, map[string]bool{}
	for key, other := range m.windows {
		if other.sender == w.sender && other.ends == w.ends {
			due[key] = other
		}
	}
	for _, set := range m.sets {
		var pending []uint64
		for key := range due {
			if seq := set.pending[key]; seq > 0 {
				gave[key] = true
				pending = append(pending, seq)
			}
		}
		slices.Sort(pending)
		for _, seq := range slices.Compact(pending) {
			set.deliver(seq)
		}
	}
	for key, other := range due {
		if other.ends += other.spec.throttle; !gave[key] {
			delete(m.windows, key)
		}
	}
}

// wants returns the specs of all sets that select a reply, unless it is too old for their order,
// and whether they deliver it at once.
func (m *model) wants(r *modelled, order int64) map[string]bool {
	wanted := map[string]bool{}
	for _, set := range m.sets {
		for _, w := range set.specs {
			key := w.key()
			if _, done := wanted[key]; done || !w.selects(r) {
				continue
			}
			if last, known := m.orders[key][r.Sender]; w.ordered && order > 0 {
				if known && order < last {
					continue
				}
				if m.orders[key] == nil {
					m.orders[key] = map[string]int64{}
				}
				m.orders[key][r.Sender] = order
			}
			window := key + "/" + r.Sender
			wanted[key] = w.throttle == 0 || m.windows[window] == nil
			if w.throttle > 0 && m.windows[window] == nil {
				m.windows[window] = &modelWindow{ends: m.now + w.throttle, sender: r.Sender, spec: w}
			}
		}
	}
	return wanted
}

func (m *model) says(r modelled, order int64) {
	m.seq++
	urgent := strings.Contains(":f!e", r.Code)
	wanted := m.wants(&r, order)
	for _, set := range m.sets {
		var matched []string // keys of the pending replies
		now := urgent
		for _, w := range set.specs {
			if atOnce, ok := wanted[w.key()]; ok {
				matched = append(matched, w.key()+"/"+r.Sender)
				now = now || atOnce
			}
		}
		if len(matched) == 0 {
			continue
		}
		if urgent {
			var pending []uint64
			for _, key := range matched {
				if seq := set.pending[key]; seq > 0 && !slices.Contains(pending, seq) {
					pending = append(pending, seq)
				}
			}
			slices.Sort(pending)
			for _, seq := range pending {
				set.deliver(seq)
			}
		}
		for _, key := range matched {
			switch {
			case now:
				delete(set.pending, key)
			case m.windows[key] != nil:
				set.pending[key] = m.seq
			}
		}
		if now {
			set.deliver(m.seq)
		}
	}
	m.saysOwn(&r)
}
