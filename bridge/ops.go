package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// request is a message of a v1 client that has an op.
type opRequest struct {
	conn   engine.Conn
	client *client
	id     *string
	fields fields
	incoming
}

// An op is what such a message may ask for: which fields it has beside op and id,
// and what it does. do runs on the engine's loop: what it reads of the message it
// must read before it returns.
type op struct {
	fields []string
	do     func(b *Bridge, s *session, r opRequest) error
}

// ops are the requests that there are.
func ops() map[string]op {
	return map[string]op{
		"ping":        {[]string{"data"}, (*Bridge).ping},
		"subscribe":   {[]string{"filter", "rooms", "throttle_ms", "batch_ms", "ordered", "snapshot", "since"}, (*Bridge).subscribe},
		"unsubscribe": {nil, (*Bridge).unsubscribe},
		"snapshot":    {[]string{"filter"}, (*Bridge).snapshot},
		"actors":      {nil, (*Bridge).actors},
		"clients":     {nil, (*Bridge).clients},
		"command":     {[]string{"consumer", "command_string", "command_id", "timeout_ms", "expires_at"}, (*Bridge).trackedCommand},
	}
}

// maxID is the longest id of a request, in bytes: it is kept until the answer, and
// that of a subscription as long as that.
const maxID = 255

// shortFilter is the longest filter that is read at once, in bytes. A longer one may
// have patterns that take as long as the reading of a hundred kilobytes.
const shortFilter = 256

// Bounds of texts as they are written, in bytes: what is longer is not decoded. Each
// character may be an escape.
const (
	longestEscape = len(`\u0000`)
	maxOp         = 1 << 10
	maxRawID      = maxID*longestEscape + 2
	maxFlag       = len("false")
)

// request takes a message that has an op.
func (b *Bridge) request(conn engine.Conn, c *client, rawOp json.RawMessage, message fields, in incoming) {
	s := c.v1.Load()
	id, err := message.id()
	if err == nil {
		err = b.dispatch(s, opRequest{conn, c, id, message, in}, rawOp)
	}
	if err != nil {
		// Over the desk, behind the answers that are on their way.
		if b.answer(s, conn, 0, func() engine.Frame { return badRequest(id, err) }) != nil {
			conn.Close(tooMuchCode, errTooMuchAsked.Error())
		}
	}
}

func badRequest(id *string, err error) engine.Frame {
	return frameOf(errorMessage{Op: "error", ID: id, Code: "bad_request", Message: err.Error()})
}

func (b *Bridge) dispatch(s *session, r opRequest, rawOp json.RawMessage) error {
	if len(rawOp) > maxOp {
		return fmt.Errorf(`"op" is %d bytes long; there are %s`, len(rawOp), strings.Join(b.opNames, ", "))
	}
	var name string
	if json.Unmarshal(rawOp, &name) != nil {
		return fmt.Errorf(`"op" is %s, but must be a string`, kind(rawOp))
	}
	op, ok := b.ops[name]
	if !ok {
		return fmt.Errorf("there is no op %s; there are %s", quote.Text(name), strings.Join(b.opNames, ", "))
	}
	for field := range r.fields {
		if field != "op" && field != "id" && !slices.Contains(op.fields, field) {
			return fmt.Errorf("%q has no field %s; it has %s", name, quote.Text(field), strings.Join(append([]string{"id"}, op.fields...), ", "))
		}
	}
	return op.do(b, s, r)
}

// id is the client's own name for its request, or nil.
func (f fields) id() (*string, error) {
	raw, ok := f["id"]
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	if len(raw) > maxRawID {
		return nil, fmt.Errorf(`"id" is %d bytes long; a string of at most %d comes back in the answer`, len(raw), maxID)
	}
	var id string
	if json.Unmarshal(raw, &id) != nil {
		return nil, fmt.Errorf(`"id" is %s, but must be a string; it comes back in the answer`, kind(raw))
	}
	if halfSurrogate(raw) {
		return nil, errors.New(`"id" has half of a surrogate pair, which cannot come back in the answer; write both halves`)
	}
	if len(id) > maxID {
		return nil, fmt.Errorf(`"id" has %d bytes; at most %d come back in the answer`, len(id), maxID)
	}
	return &id, nil
}

// optional reads a field that may be absent or null.
func optional[T any](f fields, name, what string, to *T) error {
	raw, ok := f[name]
	if !ok || string(raw) == "null" {
		return nil
	}
	number, counts := any(to).(*int)
	_, isFlag := any(to).(*bool)
	switch {
	case isFlag && len(raw) > maxFlag:
		return fmt.Errorf("%q is %s, but must be %s", name, kind(raw), what)
	case !counts && json.Unmarshal(raw, to) != nil:
		return fmt.Errorf("%q is %s, but must be %s", name, kind(raw), what)
	case counts && readInt(raw, number) != nil:
		return fmt.Errorf("%q is %s, but must be %s", name, shown(raw), what)
	}
	return nil
}

// ping is a sign of life that a page can see. It says how far the client has come, and
// that needs no lock; with the lock, if nobody has it, no reply comes between.
func (b *Bridge) ping(s *session, r opRequest) error {
	data := slices.Clone(r.fields["data"]) // the message is gone when the answer is written
	return b.askSteps(s, unlocked, len(data), func(answered func()) task {
		return func() bool {
			if b.hub.mu.TryLock() {
				defer b.hub.mu.Unlock()
			}
			r.conn.Say(pongFrame(r.id, data, b.hub.epoch, b.hub.delivered.load()))
			answered()
			return true
		}
	})
}

// subscribe has a client hear the replies that it wishes.
func (b *Bridge) subscribe(s *session, r opRequest) (err error) {
	d := demand{id: r.id}
	raw := r.fields["filter"]
	if len(raw) <= shortFilter {
		if d.wish.filter, err = filter.Parse(raw); err != nil {
			return err
		}
	}
	throttle, batch := 0, int(s.batch/time.Millisecond)
	for _, e := range []error{
		optional(r.fields, "throttle_ms", "a whole number of milliseconds", &throttle),
		optional(r.fields, "batch_ms", "a whole number of milliseconds", &batch),
		optional(r.fields, "ordered", "true or false", &d.wish.ordered),
		optional(r.fields, "snapshot", "true or false", &d.snapshot),
	} {
		if e != nil {
			return e
		}
	}
	if d.wish.throttle, err = checkMilliseconds("throttle_ms", throttle, maxThrottle); err != nil {
		return err
	}
	if d.wish.batch, err = checkMilliseconds("batch_ms", batch, maxBatch); err != nil {
		return err
	}
	if raw, ok := r.fields["since"]; ok && string(raw) != "null" {
		d.since = new(since)
		if err := d.since.read(raw); err != nil {
			return err
		}
	}
	if err := b.readRooms(r.fields, &d); err != nil {
		return err
	}
	subscribe := func(answered func()) task { return b.hub.subscribe(r.conn, s, d, answered) }
	switch {
	case len(raw) > shortFilter:
		return b.askFiltered(s, r, raw, func(f *filter.Filter, answered func()) task {
			d.wish.filter = f
			return subscribe(answered)
		})
	case d.waits():
		return b.askSteps(s, inTurns, 0, subscribe)
	}
	return b.askSteps(s, brief, 0, subscribe)
}

// askFiltered is askSteps for a request with a filter that takes long to read: the loop
// would serve none of its clients meanwhile.
func (b *Bridge) askFiltered(s *session, r opRequest, raw []byte, then func(f *filter.Filter, answered func()) task) error {
	raw = slices.Clone(raw) // the message is gone by then
	return b.askSteps(s, inTurns, len(raw), func(answered func()) task {
		var next task
		return func() bool {
			if next != nil {
				return next()
			}
			f, err := filter.Parse(raw)
			if err != nil {
				r.conn.Say(badRequest(r.id, err))
				answered()
				return true
			}
			next, raw = then(f, answered), nil
			return false
		}
	})
}

// unsubscribe ends the subscription that has the request's id.
func (b *Bridge) unsubscribe(s *session, r opRequest) error {
	d := demand{id: r.id}
	return b.ask(s, func() { b.hub.unsubscribe(r.conn, s, r.id, d.name()) })
}

// snapshot gives the last value of every keyword that the filter lets through.
func (b *Bridge) snapshot(s *session, r opRequest) error {
	snapshot := func(f *filter.Filter, answered func()) task {
		return (&waiter{hub: b.hub, session: s, do: b.snapshotTask(s, r.conn, r.id, f, answered)}).step
	}
	raw := r.fields["filter"]
	if len(raw) > shortFilter {
		return b.askFiltered(s, r, raw, snapshot)
	}
	f, err := filter.Parse(raw)
	if err != nil {
		return err
	}
	return b.askSteps(s, inTurns, 0, func(answered func()) task { return snapshot(f, answered) })
}

// actors tells who was heard.
func (b *Bridge) actors(s *session, r opRequest) error {
	return b.askPast(s, func(answered func()) task { return b.actorsTask(s, r.conn, r.id, answered) })
}
