package wsclient

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Filter selects replies: a reply must match every field that is given, and matches a field by one of its values.
type Filter struct {
	Sender      []string // globs; "" is a reply without it
	Keyword     []string // globs, of which one must match one of the body's keywords
	RoutingKey  []string // patterns of AMQP: reply.*
	MessageCode []string // among > i d w e : f !
	CommandID   []string // globs
	Commander   []string // globs; "me" selects the replies to this client's commands
	Internal    *bool    // true: replies that are not meant for people; false: the others
}

// MarshalJSON writes the filter as the bridge reads it.
func (f Filter) MarshalJSON() ([]byte, error) {
	fields := map[string]any{}
	for name, values := range map[string][]string{
		"sender": f.Sender, "keyword": f.Keyword, "routing_key": f.RoutingKey,
		"message_code": f.MessageCode, "command_id": f.CommandID, "commander": f.Commander,
	} {
		switch len(values) {
		case 0: // an empty list is an error of the bridge, nil is no field
			if values != nil {
				fields[name] = values
			}
		case 1:
			fields[name] = values[0]
		default:
			fields[name] = values
		}
	}
	if f.Internal != nil {
		fields["internal"] = *f.Internal
	}
	return json.Marshal(fields)
}

// Position is a place among the replies of a bridge.
type Position struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// SubscribeOptions say what a subscription selects.
type SubscribeOptions struct {
	// Filter selects replies; the zero Filter selects all. With NoReplies it selects none.
	Filter Filter
	// RawFilter is a filter as JSON, in place of Filter.
	RawFilter json.RawMessage
	// NoReplies is for a subscription to Notices or Rooms alone.
	NoReplies bool
	// Notices are the other messages to hear: actors, problems, commands, models, site.
	Notices []string
	// Rooms are the rooms to hear. Their messages come as they were published, and may look like the bridge's own: hear
	// rooms over a client of its own if those who may publish to them are not to be believed about actors and commands.
	Rooms []string
	// Snapshot begins with the last values.
	Snapshot bool
	// Since resumes from a place that was reached before. It is for a client that has no other subscription yet: replies that
	// another one was sent do not come again.
	Since *Position
	// Throttle lets through only the latest reply of each sender in this time.
	Throttle time.Duration
	// Batch is how long a reply may wait at the bridge for others, to share a write.
	Batch time.Duration
	// Ordered leaves out replies that are older than one that came, by their header "order".
	Ordered bool
	// MaxLag is for a program that acts on what is now, as one that guides a telescope does. A reply that reaches it later
	// than this after the bridge heard it, by the bridge's clock, is left out, and so are those after it until one is
	// current. A [Lag] says when that begins, and at its end come a [Dropped], a Lag and a [Snapshot] with the last
	// values. With Lossless nothing is left out, and the Lags say how it is. What was missed without a connection comes in any
	// case, as [Reply.Late]. 0 is no limit. See also [Subscription.Lag].
	MaxLag time.Duration
	// Extra is for an application that decides about subscriptions.
	Extra map[string]any

	// Buffer is how many events wait for [Subscription.Next] at most; the default is 4096. Beyond it, the oldest are left
	// out, and a [Dropped] says so. They also take at most 64 MiB.
	Buffer int
	// Lossless makes the client read no further instead of leaving out events. If that takes too long, the bridge closes
	// the connection; the client resumes where it was.
	Lossless bool
}

// Event is what a subscription brings: a [*Reply], [*Snapshot], [Gap], [Dropped], [Lag], [Notice] or [RoomMessage].
type Event interface{ event() }

func (*Reply) event()      {}
func (*Snapshot) event()   {}
func (Gap) event()         {}
func (Dropped) event()     {}
func (Notice) event()      {}
func (RoomMessage) event() {}

// Gap says that replies from this span of time may be missing here.
type Gap struct {
	From   time.Time // zero if the beginning is not known; by the bridge's clock
	To     time.Time
	Reason string // "" if the bridge itself may have missed them
}

// Dropped says that events are missing here because this client, or the connection to it, was too slow.
type Dropped struct {
	Count    int
	From, To time.Time // when the bridge heard the first and the last reply of them; zero if that is not known
}

// Notice is a message about what the bridge knows beside replies, see docs/protocol.md.
type Notice struct {
	Op  string          // actor, problem, command_state, model or site
	Raw json.RawMessage // the whole message
}

// RoomMessage is a message for a room of the subscription.
type RoomMessage struct {
	Data   []byte
	Binary bool
}

// Next returns the next event, and waits for it. After the last one, the error is [ErrClosed], a [*RequestError] if the
// bridge ended the subscription, or a [*RefusedError] if it no longer lets the client in.
func (s *Subscription) Next(ctx context.Context) (Event, error) {
	for {
		if e := s.lag.pending(); e != nil {
			return e, nil
		}
		e, err := s.queue.next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				if left := s.lag.atEnd(); left != nil {
					return left, nil
				}
			}
			return nil, err
		}
		if e := s.admit(e); e != nil {
			return e, nil
		}
	}
}

// Events returns the events until the context or the subscription ends. The last one may be an error.
func (s *Subscription) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			event, err := s.Next(ctx)
			if !yield(event, err) || err != nil {
				return
			}
		}
	}
}
