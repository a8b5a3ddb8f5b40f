package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// pingEvery is the shortest interval between two pings of a probe.
const pingEvery = 5 * time.Millisecond

// pinger is a probe that pings and waits for the answer, again and again.
type pinger struct {
	*neighbour
	plain bool   // it is a plain client, and gets every reply
	count uint64 // of its pings
	seq   uint64 // the number of the last reply, from the last pong of v1
}

// dialPinger connects a probe. A v1 probe is silent, so that no reply delays its pong.
func dialPinger(ctx context.Context, t *target, plain bool) (*pinger, error) {
	path := "/?silent=1"
	if plain {
		path = "/"
	}
	n, err := dialNeighbour(ctx, t, dialOptions{path: path})
	if err != nil {
		return nil, err
	}
	return &pinger{neighbour: n, plain: plain}, nil
}

// ping returns the time until the answer.
func (p *pinger) ping() (time.Duration, error) {
	p.count++
	asks := fmt.Appendf(nil, `{"op": "ping", "id": "%d"}`, p.count)
	if p.plain {
		asks = []byte("ping")
	}
	start := time.Now()
	if err := p.write(textFrame(asks)); err != nil {
		return time.Since(start), err
	}
	for {
		text, err := p.readText()
		switch {
		case err != nil || p.plain && string(text) == "pong":
			return time.Since(start), err
		case !p.plain && isOp(text, "pong"): // the answer to the only open ping
			took := time.Since(start)
			p.readSeq(text)
			return took, nil
		}
	}
}

// readSeq stores the seq of a pong.
func (p *pinger) readSeq(pong []byte) {
	_, behind, _ := bytes.Cut(pong, []byte(`"seq":`))
	p.seq = 0
	for _, c := range bytes.TrimPrefix(behind, []byte(" ")) {
		if c < '0' || c > '9' {
			return
		}
		p.seq = 10*p.seq + uint64(c-'0')
	}
}

// probe pings again and again until the context ends, and stops at the limit.
func (p *pinger) probe(ctx context.Context, limit time.Time) (delays, error) {
	if err := p.conn.SetDeadline(limit); err != nil {
		return nil, err
	}
	return probe(ctx, limit, pingEvery, p.ping)
}

// errProbeTimeout means that the measurement ended before the answer.
var errProbeTimeout = errors.New("the measurement ended before the answer arrived")

// probe sends requests until the context ends, one at a time and no more often than every interval. At the limit it
// returns errProbeTimeout, and counts the wait until then.
func probe(ctx context.Context, limit time.Time, every time.Duration, request func() (time.Duration, error)) (delays, error) {
	var found delays
	for ctx.Err() == nil && time.Now().Before(limit) {
		next := time.Now().Add(every)
		took, err := request()
		found.add(took, every)
		switch {
		case err != nil && !time.Now().Before(limit):
			return found, errProbeTimeout
		case err != nil:
			return found, fmt.Errorf("a probe: %w", err)
		}
		time.Sleep(time.Until(next))
	}
	return found, nil
}
