package terminal

import (
	"context"
	"encoding/json"
	"time"
)

// Link is a connection to a bridge. Its methods may be called at once.
type Link interface {
	Hello() Hello
	// Now returns the time by the bridge's clock.
	Now() time.Time
	// Ask makes a request that has one answer, such as snapshot, and returns that. If the bridge refuses it,
	// the error is a [*BridgeError].
	Ask(ctx context.Context, op string, fields map[string]any) (json.RawMessage, error)
	// Send sends a command once, and returns when it has ended, or its end cannot be known any more. heard is
	// called with each of its replies, and started when it is sent.
	Send(ctx context.Context, c Command, started func(id string), heard func(*Reply)) Outcome
	// Listen calls each with what the selections select, until that returns an error, which it returns. It
	// connects again when the connection is lost. The values that a reply points to are valid during the call.
	Listen(ctx context.Context, selections []Selection, each func(Event) error) error
	Close() error
}

// Hello is what a bridge says of itself first.
type Hello struct {
	Session string    `json:"session"`
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Time    time.Time `json:"time"`
	Epoch   string    `json:"epoch"`
	Seq     *uint64   `json:"seq"`
	Broker  string    `json:"broker"`
}

// Command is a command that is to be sent.
type Command struct {
	Consumer string
	String   string
	ID       string        // "": a new one
	Timeout  time.Duration // how long its end is waited for; 0: to its end
	Expires  time.Duration // it is not sent later than this; 0: as soon as the bridge can
	// Told is called with what happens besides replies while its end is waited for, such as a [LinkState]; nil is nobody.
	Told func(Event)
}

// The states in which a command has ended for its sender.
const (
	StateDone     = "done"
	StateFailed   = "failed"   // the actor says so
	StateRejected = "rejected" // it was not sent
	StateNobody   = "nobody"   // nobody listens to its consumer
	StateUnknown  = "unknown"  // it may have been executed
	StateTimeout  = "timeout"  // it may still be running
)

// Outcome is how a command ended.
type Outcome struct {
	ID      string
	State   string
	Code    string // the bridge's error code, if it has one
	Message string
}

// Selection is what a subscription selects.
type Selection struct {
	Filter   map[string]any
	Snapshot bool   // begin with the last values
	Since    *Since // begin after this reply
}

// Since is the number of a reply.
type Since struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// Event is what a subscription brings: a [*Reply], [Values], [Gap], [Dropped] or [LinkState].
type Event any

// Reply is a reply of an actor.
type Reply struct {
	Raw       []byte // the envelope
	Sender    string
	Commander string
	CommandID string
	Code      string
	Internal  bool
	Body      json.RawMessage
	Seq       uint64
	Epoch     string
	Heard     time.Time // by the bridge's clock; zero if it is not known
}

// Values is a snapshot: the last value of every keyword that was selected.
type Values struct {
	GapAfter uint64                 `json:"gap_after"` // replies after this number may be missing; 0 if none are
	Actors   map[string]ActorValues `json:"actors"`
}

// ActorValues are the last values of an actor.
type ActorValues struct {
	Time       *time.Time         `json:"time"`
	IntervalMS *float64           `json:"interval_ms"`
	Consumer   *bool              `json:"consumer"`
	Keywords   map[string]Keyword `json:"keywords"`
}

// Keyword is the last value of a keyword.
type Keyword struct {
	Value    json.RawMessage `json:"value"`
	Time     *time.Time      `json:"time"`
	Code     string          `json:"code"`
	Seq      uint64          `json:"seq"`
	TooLarge int             `json:"too_large"` // the bytes of a value that the bridge does not keep
	Outdated bool            `json:"-"`         // the bridge may have missed a newer one
}

// Gap says that replies may be missing here.
type Gap struct {
	Seconds *float64 // nil if its beginning is not known
	Reason  string
}

// Dropped says that replies were left out here, because they were read too slowly.
type Dropped struct{ Count int }

// LinkState says that the connection to the bridge, or the bridge's to its broker, is lost or there again.
type LinkState struct {
	Up     bool
	Reason string
}
