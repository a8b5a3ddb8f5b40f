package socketshark

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// message is what a backend has published.
type message struct {
	options
	published   *rooms.Message
	data        json.RawMessage
	publishedAt string
	receivedAt  time.Time
	filters     map[string]string // canonical values of the service's filter fields that it has
	size        int
	holders     int // subscriptions and throttles that keep it; its topic's lock guards it
}

// options are what a message says about its place among others.
type options struct {
	ordered     bool
	order       float64
	orderKey    string
	throttled   bool
	throttle    time.Duration
	throttleKey string
}

// maxThrottle is the longest throttle; longer ones count as this.
const maxThrottle = time.Hour

// hold notes that the message is kept until it is released. Whoever keeps it beside others costs nothing.
func (m *message) hold(d *Dialect) {
	if m.holders++; m.holders == 1 {
		d.waiting.Add(int64(m.size))
	}
}

func (m *message) release(d *Dialect) {
	if m.holders--; m.holders == 0 {
		d.waiting.Add(-int64(m.size))
	}
}

// optionsOf returns the options of a message or an answer. What is unusable counts as absent.
func optionsOf(o object) (opt options) {
	raw := o.get("options")
	if len(raw) == 0 || raw[0] != '{' {
		return opt
	}
	given := membersOf(raw)
	if opt.order, opt.ordered = number(given.get("order")); opt.ordered {
		opt.orderKey = canonical(given.get("order_key"))
	}
	seconds, ok := number(given.get("throttle"))
	if opt.throttled = ok; ok {
		opt.throttle = time.Duration(max(0, min(seconds, maxThrottle.Seconds())) * float64(time.Second))
		opt.throttleKey = canonical(given.get("throttle_key"))
	}
	return opt
}

// number returns the number that a value is for Python's float().
func number(v json.RawMessage) (f float64, ok bool) {
	text := string(v)
	switch {
	case text == "true":
		return 1, true
	case text == "false":
		return 0, true
	case len(v) > 0 && v[0] == '"':
		text, _ = textOf(v)
		text = strings.TrimSpace(text)
		if strings.ContainsAny(text, "xXpP") {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && !math.IsNaN(f)
}

// Why a message is dropped.
var (
	errNoObject = errors.New("it is no JSON object")
	errNoData   = errors.New("it has no data")
	errOther    = errors.New("its subscription is not the channel's")
)

// parseMessage parses what was published to a topic.
func (t *topic) parseMessage(published *rooms.Message) (*message, error) {
	o, ok := parseObject(published.Whole)
	if !ok {
		return nil, errNoObject
	}
	m := &message{options: optionsOf(o), published: published, data: o.get("data"), receivedAt: t.d.host.Now(), size: len(published.Whole)}
	if name, _ := textOf(o.get("subscription")); name != t.name {
		return nil, errOther
	}
	if m.data == nil {
		return nil, errNoData
	}
	if text, ok := textOf(o.get("published_at")); ok {
		m.publishedAt = isoTime(text)
	}
	m.filters = filtersOf(o, t.service.FilterFields)
	return m, nil
}

// filtersOf returns the canonical values of the fields that filter.
func filtersOf(o object, fields []string) (values map[string]string) {
	for _, f := range fields {
		if v := o.get(f); v != nil {
			if values == nil {
				values = map[string]string{}
			}
			values[f] = canonical(v)
		}
	}
	return values
}

// frame returns a message as the subscribers of a group get it. One that had to wait has no times but its
// own, as at SocketShark.
func (g *group) frame(t *topic, m *message, waited, provisional bool) engine.Frame {
	o := make(object, 0, 8+len(g.extra))
	o.set("event", json.RawMessage(`"message"`))
	o.set("subscription", quoted(t.name))
	o.set("data", m.data)
	if g.placed {
		seq := m.published.Seq
		if waited && !provisional { // others have come before it
			seq = max(seq, t.last)
		}
		o.set(placeField, quoted(t.d.host.Resuming.Place(seq)))
	}
	if m.publishedAt != "" && (!waited || provisional) {
		o.set("published_at", quoted(m.publishedAt))
	}
	if !waited {
		o.set("received_at", pythonTime(m.receivedAt))
		o.set("queue_size", json.RawMessage("0"))
	}
	o.update(g.extra)
	o.set("sent_at", pythonTime(t.d.host.Now()))
	return engine.Text(string(o.encode()))
}

// pythonTime returns a time as Python's isoformat writes it.
func pythonTime(t time.Time) json.RawMessage {
	return t.UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000000-07:00"`)
}

// isoTime returns a time that a backend has given as SocketShark passes it on, which rewrites it; "" if
// it is none.
func isoTime(text string) string {
	layouts := []struct{ in, out string }{
		{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.000000-07:00"},
		{"2006-01-02T15:04:05-0700", "2006-01-02T15:04:05.000000-07:00"},
		{"2006-01-02T15:04:05", "2006-01-02T15:04:05.000000"},
		{"2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.000000-07:00"},
		{"2006-01-02T15:04", "2006-01-02T15:04:05.000000"},
		{"2006-01-02", "2006-01-02T15:04:05.000000"},
	}
	if len(text) > 10 && text[10] == ' ' {
		text = text[:10] + "T" + text[11:]
	}
	for _, l := range layouts {
		if at, err := time.Parse(l.in, text); err == nil {
			return strings.Replace(at.Format(l.out), ".000000", "", 1)
		}
	}
	return ""
}
