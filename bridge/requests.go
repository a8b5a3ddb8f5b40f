package bridge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// request is a message of a v1 client that has an op.
type request struct {
	conn   engine.Conn
	client *client
	id     *string
	fields protocol.Fields
	incoming
}

// requestHandler handles the requests with one op. do runs on the engine's loop, and must read
// what it needs of the message before it returns.
type requestHandler struct {
	fields []string // that the request may have beside op and id
	do     func(b *Bridge, s *hub.Session, r request) error
}

// requestHandlers holds the handler of each op.
type requestHandlers map[string]requestHandler

func newRequestHandlers() requestHandlers {
	return requestHandlers{
		"auth":        {[]string{"token", "ticket"}, (*Bridge).auth},
		"ping":        {[]string{"data"}, (*Bridge).ping},
		"subscribe":   {[]string{"filter", "rooms", "notices", "throttle_ms", "batch_ms", "ordered", "snapshot", "since", "extra"}, (*Bridge).subscribe},
		"unsubscribe": {nil, (*Bridge).unsubscribe},
		"snapshot":    {[]string{"filter"}, (*Bridge).snapshot},
		"actors":      {nil, (*Bridge).actors},
		"history":     {[]string{"keywords", "from", "to", "points"}, (*Bridge).history},
		"log":         {[]string{"before", "after", "limit", "filter", "epoch"}, (*Bridge).logPage},
		"commands":    {nil, (*Bridge).knownCommands},
		"clients":     {nil, (*Bridge).clients},
		"model":       {modelFields, (*Bridge).model},
		"command":     {[]string{"consumer", "command_string", "command_id", "timeout_ms", "expires_at", "extra"}, (*Bridge).trackedCommand},
		"problems":    {nil, (*Bridge).listProblems},
		"ack":         {[]string{"actor", "key", "seq", "epoch"}, (*Bridge).ack},
		"site":        {nil, (*Bridge).describeSite},
		"publish":     {publishFields, (*Bridge).publishToRoom},
	}
}

// ops returns the names of the ops, for people.
func (h requestHandlers) ops() string {
	return strings.Join(slices.Sorted(maps.Keys(h)), ", ")
}

// shortFilter is the longest filter that is parsed on the loop, in bytes. A longer one may have
// patterns that take as long to parse as a message of a hundred kilobytes.
const shortFilter = 256

// maxOp is the length of the longest op as it is written, in bytes: each character may be an
// escape.
const maxOp = 1 << 10

// request handles a message that has an op.
func (b *Bridge) request(conn engine.Conn, c *client, rawOp json.RawMessage, message protocol.Fields, in incoming) {
	s := c.v1.Load()
	id, err := message.ID()
	if err == nil {
		err = b.dispatch(s, request{conn, c, id, message, in}, rawOp)
	}
	if err != nil {
		b.failRequest(conn, s, id, err)
	}
}

// failRequest answers a request that is wrong or refused, behind the answers that are on their
// way.
func (b *Bridge) failRequest(conn engine.Conn, s *hub.Session, id *string, err error) {
	if b.hub.Answer(hubConn{conn}, s, 0, func() engine.Frame { return protocol.BadRequest(id, err) }) != nil {
		conn.Close(policyViolation, hub.ErrTooManyRequests.Error())
	}
}

func (b *Bridge) dispatch(s *hub.Session, r request, rawOp json.RawMessage) error {
	if len(rawOp) > maxOp {
		return fmt.Errorf(`"op" is %d bytes long; there are %s`, len(rawOp), b.requests.ops())
	}
	var name string
	if json.Unmarshal(rawOp, &name) != nil {
		return fmt.Errorf(`"op" is %s, but must be a string`, protocol.Kind(rawOp))
	}
	op, ok := b.requests[name]
	if !ok {
		return fmt.Errorf("there is no op %s; there are %s", quote.Text(name), b.requests.ops())
	}
	for _, field := range r.fields.Names() {
		if field != "op" && field != "id" && !slices.Contains(op.fields, field) {
			return fmt.Errorf("%q has no field %s; it has %s", name, quote.Text(field), strings.Join(append([]string{"id"}, op.fields...), ", "))
		}
	}
	return op.do(b, s, r)
}

// ping answers with the client's data, so that a page can check the connection.
func (b *Bridge) ping(s *hub.Session, r request) error {
	return b.hub.Ping(hubConn{r.conn}, s, r.id, slices.Clone(r.fields["data"])) // the answer outlives the message
}

// subscribe adds a subscription.
func (b *Bridge) subscribe(s *hub.Session, r request) (err error) {
	d := hub.SubscribeRequest{ID: r.id}
	raw := r.fields["filter"]
	if len(raw) <= shortFilter {
		if d.Spec.Filter, err = filter.Parse(raw); err != nil {
			return err
		}
	}
	if err := readSubscribe(r.fields, &d, s.Batch); err != nil {
		return err
	}
	if err := b.readBeside(r.client, r.fields, &d); err != nil {
		return err
	}
	var long []byte
	if len(raw) > shortFilter {
		long = raw
	}
	if b.asks(opSubscribe) {
		return b.askSubscribe(s, r, d, bytes.Clone(long))
	}
	return b.hub.Subscribe(hubConn{r.conn}, s, d, long)
}

// readSubscribe reads the fields of a subscription other than its filter and rooms.
func readSubscribe(f protocol.Fields, d *hub.SubscribeRequest, defaultBatch time.Duration) (err error) {
	throttle, batch := 0, int(defaultBatch/time.Millisecond)
	for _, e := range []error{
		protocol.Optional(f, "throttle_ms", "a whole number of milliseconds", &throttle),
		protocol.Optional(f, "batch_ms", "a whole number of milliseconds", &batch),
		protocol.Optional(f, "ordered", "true or false", &d.Spec.Ordered),
		protocol.Optional(f, "snapshot", "true or false", &d.Snapshot),
	} {
		if e != nil {
			return e
		}
	}
	if d.Spec.Throttle, err = checkMilliseconds("throttle_ms", throttle, hub.MaxThrottle); err != nil {
		return err
	}
	if d.Spec.Batch, err = checkMilliseconds("batch_ms", batch, hub.MaxBatch); err != nil {
		return err
	}
	if raw, ok := f["since"]; ok && string(raw) != "null" {
		d.Since = new(protocol.Since)
		return d.Since.Read(raw)
	}
	return nil
}

// readBeside reads what a subscription selects beside replies: rooms and notices. With one of these,
// it selects replies only if it also has a filter.
func (b *Bridge) readBeside(c *client, f protocol.Fields, d *hub.SubscribeRequest) (err error) {
	if d.Spec.Notices, err = f.Notices(); err != nil {
		return err
	}
	if err := b.readRooms(c, f, d); err != nil {
		return err
	}
	what := "rooms"
	if d.Spec.Rooms == nil {
		what = "notices"
	}
	if raw, ok := f["filter"]; ok && string(raw) != "null" || d.Spec.Rooms == nil && d.Spec.Notices == 0 {
		return nil
	}
	for _, name := range []string{"throttle_ms", "ordered", "snapshot", "since"} {
		if _, ok := f[name]; ok {
			return fmt.Errorf(`%q is about replies, and a subscription to %s has none without a "filter"; leave it out`, name, what)
		}
	}
	d.Spec.Filter = nil
	return nil
}

// unsubscribe ends the subscription that has the request's id.
func (b *Bridge) unsubscribe(s *hub.Session, r request) error {
	return b.hub.Unsubscribe(hubConn{r.conn}, s, r.id)
}

// snapshot answers with the last value of every keyword that the filter selects.
func (b *Bridge) snapshot(s *hub.Session, r request) error {
	raw := r.fields["filter"]
	if len(raw) > shortFilter {
		return b.hub.Snapshot(hubConn{r.conn}, s, r.id, nil, raw)
	}
	f, err := filter.Parse(raw)
	if err != nil {
		return err
	}
	return b.hub.Snapshot(hubConn{r.conn}, s, r.id, f, nil)
}

// knownCommands answers with the commands of everybody.
func (b *Bridge) knownCommands(s *hub.Session, r request) error {
	return b.hub.Commands(hubConn{r.conn}, s, r.id)
}

// actors answers with the actors that have sent replies.
func (b *Bridge) actors(s *hub.Session, r request) error {
	return b.hub.Actors(hubConn{r.conn}, s, r.id)
}
