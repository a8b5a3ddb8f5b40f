package wsclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"
)

// Request asks the bridge something, and returns its whole answer. Every question goes through it; it is for those that have
// no method. The error is [ErrNotConnected], [ErrConnectionLost], [ErrUnsupported] or a [*RequestError].
func (c *Client) Request(ctx context.Context, fields map[string]any) (json.RawMessage, error) {
	op, _ := fields["op"].(string)
	if _, err := json.Marshal(fields); err != nil {
		return nil, err
	}
	select {
	case c.asking <- struct{}{}:
		defer func() { <-c.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	type answer struct {
		raw json.RawMessage
		err error
	}
	answers := make(chan answer, 1)
	c.mu.Lock()
	s := c.session
	switch {
	case c.state == Closed:
		defer c.mu.Unlock()
		return nil, c.why
	case s == nil || !s.greeted:
		c.mu.Unlock()
		return nil, ErrNotConnected
	case !s.v1:
		c.mu.Unlock()
		return nil, fmt.Errorf("%s: %w", op, ErrUnsupported)
	}
	id := c.newID("ask")
	s.ask(id, maps.Clone(fields), func(m *message, err error) bool {
		a := answer{err: err}
		if m != nil && err == nil {
			a.raw = m.raw
		}
		answers <- a
		return false
	})
	c.mu.Unlock()
	select {
	case a := <-answers:
		return a.raw, a.err
	case <-ctx.Done():
		return nil, ctx.Err() // the answer is discarded when it comes
	}
}

// ask asks a question, and reads the answer into a variable.
func (c *Client) ask(ctx context.Context, fields map[string]any, into any) error {
	raw, err := c.Request(ctx, fields)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("the bridge's answer is not understood: %w", err)
	}
	return nil
}

// change is ask for what changes something. If the connection is lost, or the context ends, before the answer, it may have.
func (c *Client) change(ctx context.Context, fields map[string]any) error {
	_, err := c.Request(ctx, fields)
	if err != nil && (errors.Is(err, ErrConnectionLost) || ctx.Err() != nil) {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return err
}

// Pong is the answer to a ping.
type Pong struct {
	Time  time.Time // by the bridge's clock
	Epoch string
	Seq   *uint64 // everything up to it that the client's subscriptions select has come; nil if it is not known
	Took  time.Duration
}

// Ping asks for a sign of life.
func (c *Client) Ping(ctx context.Context) (Pong, error) {
	began := time.Now()
	var p Pong
	err := c.ask(ctx, map[string]any{"op": "ping"}, &p)
	p.Took = time.Since(began)
	return p, err
}

// HistoryOptions say which part of the past is wanted: a span before now ("-6h"), a time, or milliseconds since 1970.
type HistoryOptions struct {
	From   string // default: an hour ago
	To     string // default: now
	Points int    // of each keyword at most
}

// History is what keywords were. Times are in milliseconds since 1970, by the bridge's clock.
type History struct {
	From    int64    `json:"from"`
	To      int64    `json:"to"`
	Series  []Series `json:"series"`
	Gaps    []Span   `json:"gaps"`
	Evicted []string `json:"evicted"`
	Filling bool     `json:"filling"` // the past is still being read from a stream
}

// Span is a span of time, in milliseconds since 1970: from and to.
type Span = json.RawMessage

// Series is what one keyword was: number, state, or "" if nothing is known of it. Values are as the actor wrote them.
type Series struct {
	Keyword  string            `json:"keyword"`
	Kind     string            `json:"kind"`
	BucketMS int64             `json:"bucket_ms"` // the length of each bucket; 0 for each change
	FineFrom int64             `json:"fine_from"`
	Oldest   int64             `json:"oldest"`
	Until    int64             `json:"until"`
	Silent   []Span            `json:"silent"`
	T        []int64           `json:"t"`
	Last     []json.RawMessage `json:"last"` // of a number
	Min      []json.RawMessage `json:"min"`
	Max      []json.RawMessage `json:"max"`
	Count    []int64           `json:"count"`
	Value    []json.RawMessage `json:"value"` // of a state
}

// History returns what keywords were. A keyword is "actor.keyword".
func (c *Client) History(ctx context.Context, keywords []string, o HistoryOptions) (*History, error) {
	fields := map[string]any{"op": "history", "keywords": keywords}
	if o.From != "" {
		fields["from"] = o.From
	}
	if o.To != "" {
		fields["to"] = o.To
	}
	if o.Points > 0 {
		fields["points"] = o.Points
	}
	h := &History{}
	return h, c.ask(ctx, fields, h)
}

// Model returns what an actor tells of its commands and keywords. With refresh the bridge asks the actor again.
func (c *Client) Model(ctx context.Context, actor string, refresh bool) (*Model, error) {
	fields := map[string]any{"op": "model", "actor": actor}
	if refresh {
		fields["refresh"] = true
	}
	m := &Model{}
	return m, c.ask(ctx, fields, m)
}

// Problems returns what is wrong with the actors, the most urgent first, and how many of each actor are not listed.
func (c *Client) Problems(ctx context.Context) ([]Problem, map[string]int, error) {
	var answer struct {
		Problems []Problem
		Omitted  map[string]int
	}
	err := c.ask(ctx, map[string]any{"op": "problems"}, &answer)
	return answer.Problems, answer.Omitted, err
}

// AckOptions say what is acknowledged: without Key all problems of the actor, without Seq as they are now.
type AckOptions struct {
	Key   string
	Seq   *uint64 // the number of the last reply that the operator has seen
	Epoch string  // of the number
}

// Acknowledge acknowledges problems of an actor, for everybody. The error is an [ErrUnknown] if that may have happened.
func (c *Client) Acknowledge(ctx context.Context, actor string, o AckOptions) error {
	fields := map[string]any{"op": "ack", "actor": actor}
	if o.Key != "" {
		fields["key"] = o.Key
	}
	if o.Seq != nil {
		fields["seq"] = *o.Seq
	}
	if o.Epoch != "" {
		fields["epoch"] = o.Epoch
	}
	return c.change(ctx, fields)
}

// LogOptions say which page of the log is wanted: the last one, or that before or after a number.
type LogOptions struct {
	Before, After *uint64
	Epoch         string // of the number
	Limit         int
	Filter        *Filter
}

// LogPage is a page of the replies that the bridge keeps, oldest first.
type LogPage struct {
	Epoch   string
	Oldest  *uint64 // the oldest number that is kept
	More    bool
	Next    *uint64 // is Before, or After, of the next page
	Entries []Event // each is a *Reply or a Gap
}

// Log returns a page of the replies that the bridge keeps.
func (c *Client) Log(ctx context.Context, o LogOptions) (*LogPage, error) {
	fields := map[string]any{"op": "log"}
	if o.Before != nil {
		fields["before"] = *o.Before
	}
	if o.After != nil {
		fields["after"] = *o.After
	}
	if o.Epoch != "" {
		fields["epoch"] = o.Epoch
	}
	if o.Limit > 0 {
		fields["limit"] = o.Limit
	}
	if o.Filter != nil {
		fields["filter"] = o.Filter
	}
	var answer struct {
		LogPage
		Entries []json.RawMessage
	}
	if err := c.ask(ctx, fields, &answer); err != nil {
		return nil, err
	}
	page := answer.LogPage
	for _, raw := range answer.Entries {
		if r, err := ParseReply(raw); err == nil {
			page.Entries = append(page.Entries, r)
			continue
		}
		var m message
		if err := json.Unmarshal(raw, &m); err != nil || m.Op != "gap" {
			continue // of a later version
		}
		g := Gap{To: parseTime(m.To)}
		if m.From != nil {
			g.From = parseTime(*m.From)
		}
		page.Entries = append(page.Entries, g)
	}
	return &page, nil
}

// Commands returns the commands that run, and the last ones that have ended, whoever sent them.
func (c *Client) Commands(ctx context.Context) ([]CommandEntry, error) {
	var answer struct{ Commands []CommandEntry }
	err := c.ask(ctx, map[string]any{"op": "commands"}, &answer)
	return answer.Commands, err
}

// Site returns what the operator configured about the observatory.
func (c *Client) Site(ctx context.Context) (*Site, error) {
	s := &Site{}
	return s, c.ask(ctx, map[string]any{"op": "site"}, s)
}

// Actors returns the actors that have sent replies.
func (c *Client) Actors(ctx context.Context) ([]ActorEntry, error) {
	var answer struct{ Actors []ActorEntry }
	err := c.ask(ctx, map[string]any{"op": "actors"}, &answer)
	return answer.Actors, err
}

// Clients returns who is connected, as the bridge's whole answer, where that is allowed.
func (c *Client) Clients(ctx context.Context) (json.RawMessage, error) {
	return c.Request(ctx, map[string]any{"op": "clients"})
}

// Publish publishes a message to a room. The error is an [ErrUnknown] if that may have happened.
func (c *Client) Publish(ctx context.Context, path string, body any) error {
	return c.change(ctx, map[string]any{"op": "publish", "path": path, "body": body})
}

// WhoAmI returns who this client is for the bridge; nil if the bridge has no access control.
func (c *Client) WhoAmI() *Access {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hello.Access
}
