package access

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	callbackTimeout  = 5 * time.Second
	callbackGrace    = 10 * time.Minute
	callbackInFlight = 16
	callbackWaiting  = 4096      // clients that wait for their turn
	answerMaxSize    = 256 << 10 // bytes
)

// callback asks a web application who a client is and what it may do.
//
//	client ──► identify ──► flights (proxy) ──► newcomers ──► slots ──► application
//	open socket ─ renew ──►    "        "           "           │            │
//	request ──── ask ───────────────────────────────────────────┘    yes, no or unknown
//	event ──── queue ──► run ───────────────────────────────────┘
//
// Yes and no are the application's. The outcome is unknown if it does not answer, or its answer
// cannot be understood: then newcomers have to try again, and connected clients stay for the grace
// period.
type callback struct {
	url     *url.URL
	post    bool            // style post; otherwise style proxy
	headers []string        // forwarded in style proxy
	cookies []string        // forwarded one by one, if Cookie is not among headers
	secret  string          // proves to the application that the bridge asks
	asks    map[string]bool // subscribe, command
	events  map[string]bool // subscribe, unsubscribe, message
	role    string          // if an answer names none
	roles   map[string]*Grants
	named   namedGrants
	timeout time.Duration
	grace   time.Duration
	now     func() time.Time
	log     *slog.Logger

	*traffic
	queue   *eventQueue
	dropped *atomic.Int64
}

// traffic is what is under way to an application, and what is known of how it answers.
type traffic struct {
	client    *http.Client
	slots     *slots // requests in flight
	newcomers *slots // the part of the slots that may identify new clients
	flights   flights
	hold      holdOff
	health    callbackHealth
}

func newTraffic(inFlight int, timeout time.Duration) *traffic {
	return &traffic{
		client: newHTTPClient(timeout, inFlight),
		slots:  newSlots(inFlight, callbackWaiting),
		// Who is in goes on giving commands while many come, so these leave a quarter for that.
		newcomers: newSlots(max(1, inFlight-inFlight/4), callbackWaiting),
	}
}

// adopt takes over what is under way of the callback of an earlier configuration: events, and, if
// it is the same application, requests and what is known of it.
func (c *callback) adopt(old *callback) {
	c.queue, c.dropped = old.queue, old.dropped
	if c.url.String() == old.url.String() && c.timeout == old.timeout && cap(c.slots.taken) == cap(old.slots.taken) {
		c.traffic = old.traffic
	}
}

// carries reports whether a client shows a credential that style proxy forwards.
func (c *callback) carries(ap *Approach) bool { return !c.post && len(c.forwarded(ap)) > 0 }

// forwards reports whether style proxy forwards a header field.
func (c *callback) forwards(field string) bool { return slices.Contains(c.headers, field) }

// identify asks who a client is. ticket is what it shows, in style post. It blocks.
func (c *callback) identify(ctx context.Context, ap *Approach, ticket string) Verdict {
	r := c.renewal(ap)
	q := c.question(ticket, r)
	result := c.decide(ctx, q)
	switch result.outcome {
	case unknown:
		return unavailable("the application that decides who may enter does not answer; try again soon", result.retry)
	case no:
		return refuse(401, "refused", result.reason("the application that decides who may enter does not know this credential; sign in again"))
	}
	p, refusal := c.principal(result.answer, r)
	return Verdict{Principal: p, Refusal: refusal}
}

// decide asks a question about the identity of a client. In style proxy, clients that show the same
// credential at the same time share one question; a ticket is valid once.
func (c *callback) decide(ctx context.Context, q question) result {
	ask := func(ctx context.Context) result {
		if err := c.takeFrom(ctx, c.newcomers); err != nil {
			return result{outcome: unknown}
		}
		defer c.newcomers.give()
		return c.send(ctx, q)
	}
	if c.post {
		return ask(ctx)
	}
	return c.flights.do(ctx, q.key(), ask)
}

// flights are questions under way, by what they ask.
type flights struct {
	mu  sync.Mutex // guards the following field
	all map[[32]byte]*flight
}

type flight struct {
	done   chan struct{}
	result result // valid once done is closed
}

// do asks a question, or waits for the answer if it is being asked. It is asked to its end even
// if the client that was first goes.
func (f *flights) do(ctx context.Context, key [32]byte, ask func(context.Context) result) result {
	f.mu.Lock()
	if same := f.all[key]; same != nil {
		f.mu.Unlock()
		select {
		case <-same.done:
			return same.result
		case <-ctx.Done():
			return result{outcome: unknown}
		}
	}
	own := &flight{done: make(chan struct{}), result: result{outcome: unknown}}
	if f.all == nil {
		f.all = map[[32]byte]*flight{}
	}
	f.all[key] = own
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.all, key)
		f.mu.Unlock()
		close(own.done)
	}()
	own.result = ask(context.WithoutCancel(ctx))
	return own.result
}

// CallbackStats are figures about the callback, for metrics.
type CallbackStats struct {
	InFlight, Peak int64 // requests now, and the most at the same time
	Waiting        int64 // clients that wait to be asked about
	Unknown        int64 // requests that were not answered, or by what is no answer
	DroppedEvents  int64
}

func (c *callback) stats() CallbackStats {
	return CallbackStats{c.slots.busy.Load(), c.slots.peak.Load(), c.newcomers.waiting.Load(), c.health.unknown.Load(), c.dropped.Load()}
}
