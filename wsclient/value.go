package wsclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// ErrNoValue is the error of [Client.Value] for a keyword of which the bridge has no value.
var ErrNoValue = errors.New("the bridge has no value of this keyword")

// Value is the last value of a keyword.
type Value struct {
	Actor, Keyword string
	// Raw is the value as JSON, with all digits. It is nil if the value is too large for the bridge to keep.
	Raw json.RawMessage
	// Heard is when the bridge heard it, by the bridge's clock; see [Client.Age]. It is zero if that is not known.
	Heard    time.Time
	Code     string // of the reply that brought it
	Epoch    string
	Seq      uint64
	Internal bool
	TooLarge int // bytes of a value that is too large
	// Outdated reports whether the bridge may have missed a newer value: it was without its broker since it heard this one,
	// or is now.
	Outdated bool
}

// Decode reads the value into a variable. Into an any, a number becomes a [json.Number], which keeps its digits.
func (v Value) Decode(into any) error {
	d := json.NewDecoder(bytes.NewReader(v.Raw))
	d.UseNumber()
	return d.Decode(into)
}

// String returns a text as it is, and any other value as JSON.
func (v Value) String() string { return textOf(v.Raw) }

// ActorValues are the last values of an actor.
type ActorValues struct {
	Heard      time.Time // its last reply
	Code       string
	Seq        uint64
	IntervalMS *int64 // how often it usually broadcasts; nil if that is not known
	Consumer   *bool  // whether something takes its commands; nil if that is not known
	Keywords   map[string]Value
}

// Snapshot has the last values of keywords, up to a place among the replies.
type Snapshot struct {
	Epoch   string
	Seq     uint64
	Actors  map[string]ActorValues
	Evicted json.RawMessage // what the bridge had to drop; nil if nothing

	size int
}

// hearsActors reports whether a bridge with this link to its broker hears what actors say.
func hearsActors(broker string) bool { return broker != "down" && broker != "no_replies" }

// parseSnapshot reads a snapshot of a bridge that hears the actors, or does not.
func parseSnapshot(raw []byte, hears bool) (*Snapshot, error) {
	var w struct {
		Epoch    string
		Seq      uint64
		GapAfter uint64 `json:"gap_after"`
		Actors   map[string]struct {
			Time, Code string
			Seq        *uint64
			IntervalMS *int64 `json:"interval_ms"`
			Consumer   *bool
			Keywords   map[string]struct {
				Value      json.RawMessage
				Time, Code string
				Seq        *uint64
				Internal   bool
				TooLarge   int `json:"too_large"`
			}
		}
		Evicted json.RawMessage
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, fmt.Errorf("the bridge's snapshot is not understood: %w", err)
	}
	s := &Snapshot{Epoch: w.Epoch, Seq: w.Seq, Actors: map[string]ActorValues{}, Evicted: w.Evicted, size: len(raw)}
	for name, a := range w.Actors {
		actor := ActorValues{Heard: parseTime(a.Time), Code: a.Code, Seq: number(a.Seq), IntervalMS: a.IntervalMS, Consumer: a.Consumer, Keywords: map[string]Value{}}
		for keyword, k := range a.Keywords {
			actor.Keywords[keyword] = Value{
				Actor: name, Keyword: keyword, Raw: k.Value, Heard: parseTime(k.Time), Code: k.Code, Epoch: w.Epoch, Seq: number(k.Seq),
				Internal: k.Internal, TooLarge: k.TooLarge, Outdated: !hears || w.GapAfter > 0 && number(k.Seq) <= w.GapAfter,
			}
		}
		s.Actors[name] = actor
	}
	return s, nil
}

// number returns a number that may be absent.
func number(n *uint64) uint64 {
	if n == nil {
		return 0
	}
	return *n
}

// values returns the values that an event brings of one keyword.
func values(e Event, actor, keyword string) (v Value, ok bool) {
	switch e := e.(type) {
	case *Snapshot:
		v, ok = e.Actors[actor].Keywords[keyword]
	case *Reply:
		if e.Sender != actor {
			return v, false
		}
		var raw json.RawMessage
		if raw, ok = e.Keywords()[keyword]; ok {
			v = Value{Actor: actor, Keyword: keyword, Raw: raw, Heard: e.Heard, Code: e.Code, Epoch: e.Epoch, Seq: e.Seq, Internal: e.Internal}
		}
	}
	return v, ok
}

// Values returns the last values that a filter selects.
func (c *Client) Values(ctx context.Context, f Filter) (*Snapshot, error) {
	before, _ := c.Hello()
	raw, err := c.Request(ctx, map[string]any{"op": "snapshot", "filter": f})
	if err != nil {
		return nil, err
	}
	after, _ := c.Hello()
	return parseSnapshot(raw, hearsActors(before.Broker) && hearsActors(after.Broker))
}

// Value returns the last value of a keyword. The error is [ErrNoValue] if the bridge has none.
func (c *Client) Value(ctx context.Context, actor, keyword string) (Value, error) {
	snapshot, err := c.Values(ctx, Filter{Sender: []string{literal(actor)}, Keyword: []string{literal(keyword)}})
	if err != nil {
		return Value{}, err
	}
	v, ok := values(snapshot, actor, keyword)
	if !ok {
		return v, fmt.Errorf("%s.%s: %w", actor, keyword, ErrNoValue)
	}
	return v, nil
}

// The rule of the bridge for a silent actor: it has said nothing for so many times its rhythm, but at least so long.
const (
	silentRhythms = 4
	silentAtLeast = 5 * time.Second
)

// silent reports whether an actor should be heard and is not: what it last said is no longer true for certain.
func (c *Client) silent(a ActorValues) bool {
	if a.Consumer != nil && !*a.Consumer {
		return true
	}
	if a.IntervalMS == nil {
		return false
	}
	rhythm := time.Duration(*a.IntervalMS) * time.Millisecond
	return c.Age(a.Heard) > max(silentRhythms*rhythm, silentAtLeast)
}

// WaitFor waits until a keyword has a value that is wanted, beginning with its last one, unless that is Outdated or its actor
// is silent or gone. How old it may be is for wanted to say: see [Client.Age].
func (c *Client) WaitFor(ctx context.Context, actor, keyword string, wanted func(Value) bool) (Value, error) {
	sub, err := c.Subscribe(ctx, SubscribeOptions{Filter: Filter{Sender: []string{literal(actor)}, Keyword: []string{literal(keyword)}}, Snapshot: true})
	if err != nil {
		return Value{}, err
	}
	defer sub.Close()
	for {
		event, err := sub.Next(ctx)
		if err != nil {
			return Value{}, err
		}
		if s, ok := event.(*Snapshot); ok && c.silent(s.Actors[actor]) {
			continue
		}
		if v, ok := values(event, actor, keyword); ok && !v.Outdated && wanted(v) {
			return v, nil
		}
	}
}

// Replies returns the replies that a filter selects, from now on. A gap, or replies that were left out because the program
// is too slow, end it with an error: a program that goes on after these uses [Client.Subscribe].
func (c *Client) Replies(ctx context.Context, f Filter) iter.Seq2[*Reply, error] {
	return func(yield func(*Reply, error) bool) {
		sub, err := c.Subscribe(ctx, SubscribeOptions{Filter: f})
		if err != nil {
			yield(nil, err)
			return
		}
		defer sub.Close()
		for event, err := range sub.Events(ctx) {
			var reply *Reply
			switch e := event.(type) {
			case *Reply:
				reply = e
			case Gap:
				err = fmt.Errorf("replies from %v to %v may be missing: %s", e.From, e.To, e.Reason)
			case Dropped:
				err = fmt.Errorf("%d replies were left out, because they were read too slowly", e.Count)
			default:
				if err == nil {
					continue
				}
			}
			if !yield(reply, err) || err != nil {
				return
			}
		}
	}
}

// literal returns a glob that matches a text alone.
func literal(text string) string { return globEscaper.Replace(text) }
