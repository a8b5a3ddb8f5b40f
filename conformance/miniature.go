package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// base is the number that the first hello tells.
const base = 41

// kept is a reply that the scripted bridge keeps, as a bridge does.
type kept struct {
	seq    int64
	fields filter.Reply
	text   string
}

// miniature is what the scripted bridge knows without a script: it numbers replies, keeps them, filters, and resumes.
type miniature struct {
	epoch   string
	first   int64 // the number before the first reply of this epoch
	seq     int64
	oldest  int64  // replies before it are gone
	reason  string // why resuming is refused; "" if it is not
	history []kept
	values  map[string]map[string]any // actor -> keyword -> the entry of a snapshot

	// Of the connection.
	wire    *wire
	subs    map[string]*filter.Filter // nil selects no replies
	all     bool                      // it has not subscribed yet
	got     map[int64]bool            // what it was sent
	mine    map[string]bool           // ids of the commands that were sent over it
	resumes []int64                   // where the client resumed
	told    int64                     // the number in the last pong of the connection before
	pong    int64                     // and in the last one of this connection
}

func newMiniature() *miniature {
	return &miniature{epoch: "5f0c2a9be1d4", first: base, seq: base, oldest: base + 1, values: map[string]map[string]any{}}
}

// begin begins a connection.
func (m *miniature) begin(w *wire) {
	m.wire, m.subs, m.got, m.mine = w, map[string]*filter.Filter{}, map[int64]bool{}, map[string]bool{}
	m.resumes, m.told, m.pong = nil, m.pong, 0
	m.all = w.query.Get("silent") != "1" && !w.subscribesByURL()
}

func (m *miniature) send(msg any) { m.wire.send(format(msg)) }

func stamp() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000+00:00") }

// hello greets the client, and serves the subscription in its URL.
func (m *miniature) hello(more Message) {
	hello := Message{"op": "hello", "session": "bridge-1", "name": "bridge", "version": "0.1.0", "time": stamp(), "epoch": m.epoch, "seq": m.seq, "broker": "up",
		"capabilities": []string{"ping", "subscribe", "filter", "throttle", "batch", "ordered", "snapshot", "resume", "gap", "actors", "mine", "command", "expires",
			"silent", "heard", "notices", "log", "commands", "model", "problems", "site", "history", "rooms", "clients"}}
	for name, value := range more {
		hello[name] = value
	}
	m.send(hello)
	if !m.wire.subscribesByURL() {
		return
	}
	request := Message{"op": "subscribe", "id": "url", "filter": Message{}}
	fields := Message{}
	for name, values := range m.wire.query {
		switch name {
		case "since":
			epoch, seq, _ := strings.Cut(values[0], ":")
			request["since"] = Message{"epoch": epoch, "seq": json.Number(seq)}
		case "snapshot":
			request["snapshot"] = values[0] == "1"
		case "sender", "keyword", "routing_key", "message_code", "command_id", "commander":
			var list []any
			for value := range strings.SplitSeq(values[0], ",") {
				list = append(list, value)
			}
			fields[name] = list
		}
	}
	request["filter"] = fields
	m.subscribe(request, nil)
}

// subscribe serves a request, and sends what was missed.
func (m *miniature) subscribe(request Message, snapshot map[string]any) {
	id := fmt.Sprint(request["id"])
	answer := Message{"op": "ok", "id": request["id"]}
	var selects *filter.Filter
	fields, given := request["filter"].(map[string]any)
	if given || request["notices"] == nil && request["rooms"] == nil {
		var err error
		if selects, err = filter.Parse([]byte(format(fields))); err != nil {
			m.refuse(request, "bad_request", err.Error())
			return
		}
	}
	m.subs[id], m.all = selects, false
	since, resuming := request["since"].(map[string]any)
	resumed := false
	if resuming {
		epoch, _ := since["epoch"].(string)
		seq, _ := number(since["seq"])
		m.resumes = append(m.resumes, seq)
		resumed = epoch == m.epoch && seq+1 >= m.oldest
		answer["resumed"], answer["epoch"], answer["seq"] = resumed, m.epoch, m.seq
		if !resumed {
			answer["reason"] = m.reason
		}
		if resumed {
			defer m.replay(selects, seq)
		}
	}
	m.send(answer)
	if request["snapshot"] == true || resuming && !resumed {
		m.remember(snapshot)
		m.sendSnapshot(request["id"], selects)
	}
}

// refuse answers a request with an error.
func (m *miniature) refuse(request Message, code, text string) {
	m.send(Message{"op": "error", "id": request["id"], "code": code, "message": text})
}

// replay sends what a subscription missed.
func (m *miniature) replay(selects *filter.Filter, after int64) {
	for _, r := range m.history {
		if r.seq > after && r.seq >= m.oldest && !m.got[r.seq] && selects != nil && selects.MatchMine(&r.fields, m.mine[r.fields.CommandID]) {
			m.got[r.seq] = true
			m.wire.send(r.text)
		}
	}
}

// add numbers a reply and keeps it.
func (m *miniature) add(r Reply, commandID any, commander string) kept {
	m.seq++
	body := string(r.Body)
	if body == "" {
		body = "{}"
	}
	now := time.Now()
	text := fmt.Sprintf(`{"headers": {"command_id": %s, "commander_id": %q, "internal": %t, "message_code": %q, "sender": %q}, "exchange": "sdss_exchange", `+
		`"message_id": "2f1d", "routing_key": "reply.%s", "timestamp": %q, "body": %s, "seq": %d, "epoch": %q, "heard": %d}`,
		format(commandID), commander, r.Internal, r.Code, r.Sender, commander, now.UTC().Format("2006-01-02T15:04:05+00:00"), body, m.seq, m.epoch, now.UnixMicro())
	k := kept{seq: m.seq, text: text, fields: filter.Reply{Sender: r.Sender, Code: r.Code, RoutingKey: "reply." + commander, Commander: commander, Internal: r.Internal}}
	k.fields.CommandID, _ = commandID.(string)
	var keywords map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &keywords) == nil {
		for name, value := range keywords {
			k.fields.Keywords = append(k.fields.Keywords, name)
			m.setValue(r.Sender, name, value, r.Code)
		}
	}
	m.history = append(m.history, k)
	return k
}

// deliver sends a reply to the client, if it selects it.
func (m *miniature) deliver(k kept) {
	selected := m.all
	for _, selects := range m.subs {
		selected = selected || selects != nil && selects.MatchMine(&k.fields, m.mine[k.fields.CommandID])
	}
	if selected && !m.got[k.seq] {
		m.got[k.seq] = true
		m.wire.send(k.text)
	}
}

func (m *miniature) setValue(actor, keyword string, value any, code string) {
	if m.values[actor] == nil {
		m.values[actor] = map[string]any{}
	}
	m.values[actor][keyword] = Message{"value": value, "time": stamp(), "code": code, "seq": m.seq}
}

// remember takes values that were there before the case began.
func (m *miniature) remember(values map[string]any) {
	for name, value := range values {
		actor, keyword, _ := strings.Cut(name, ".")
		m.setValue(actor, keyword, value, "i")
	}
}

func (m *miniature) sendSnapshot(id any, selects *filter.Filter) {
	actors := Message{}
	for actor, keywords := range m.values {
		chosen := Message{}
		for name, entry := range keywords {
			if selects != nil && selects.Match(&filter.Reply{Sender: actor, Code: "i", Keywords: []string{name}}) {
				chosen[name] = entry
			}
		}
		if len(chosen) > 0 {
			actors[actor] = Message{"time": stamp(), "code": "i", "seq": m.seq, "interval_ms": nil, "consumer": true, "keywords": chosen}
		}
	}
	m.send(Message{"op": "snapshot", "id": id, "epoch": m.epoch, "seq": m.seq, "actors": actors})
}

// restart makes resuming impossible.
func (m *miniature) restart(r Restart) {
	m.reason = r.Reason
	if r.Forgets {
		m.oldest = m.seq + 1
		return
	}
	m.epoch, m.first, m.seq, m.oldest, m.history = "0a1b2c3d4e5f", 0, 0, 1, nil
}

// resumedAt returns what is wrong with where the client resumed, "" if nothing is. It may be later than the last reply
// that it has, as far as a pong has told; a hole shows in what it prints.
func (m *miniature) resumedAt(after int64) string {
	if len(m.resumes) == 0 {
		return "the client has not resumed"
	}
	for _, at := range m.resumes {
		if most := max(after, m.told); at > most {
			return fmt.Sprintf("it resumed after %d, want after %d at most", at-m.first, most-m.first)
		}
	}
	return ""
}
