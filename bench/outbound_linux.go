package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/actor"
)

// Clients that request much and read nothing leave the answers in the bridge. The measure is the growth of its memory.

// outboundGoal is the goal in MiB: twice the default of --max-outbound, since Go collects garbage when the memory in use
// has doubled.
const outboundGoal = 2 * 256

// tooMuchMemory is where a run stops, in bytes, before the machine runs out of memory.
const tooMuchMemory = 6 << 30

// requestsInFlight is one less than the limit of a client's unanswered requests.
const requestsInFlight = 63

// unreadRequests is a scenario of clients that do not read the answers.
type unreadRequests struct {
	name    string // of the scenario
	what    string
	clients int
	tls     bool // they use TLS
	prepare func(*testbed, context.Context) error
	request func(t *testbed, client, i int) []byte
	answer  string // the op of the answer
}

func unreadScenarios() []unreadRequests {
	return []unreadRequests{
		{
			name: "outbound-snapshots", what: "40 clients request 63 snapshots each and do not read", clients: 40,
			prepare: (*testbed).publishLongValues, request: (*testbed).snapshotRequest, answer: "snapshot",
		}, {
			name: "outbound-pings", what: "45 clients send 63 pings of 1 MiB each and do not read", clients: 45,
			request: (*testbed).pingRequest, answer: "pong",
		}, {
			name: "outbound-tls", what: "10 TLS clients request 63 snapshots each and do not read", clients: 10, tls: true,
			prepare: (*testbed).publishLongValues, request: (*testbed).snapshotRequest, answer: "snapshot",
		},
	}
}

func outboundScenarios() []scenario {
	var all []scenario
	for _, u := range unreadScenarios() {
		all = append(all, scenario{
			name:    u.name,
			run:     func(b *bench, ctx context.Context) ([]Row, error) { return b.measureUnread(ctx, u) },
			files:   func(Sizes) int { return u.clients },
			seconds: func(s Sizes) float64 { return (2 * s.DisturbFor).Seconds() },
		})
	}
	return all
}

// measureUnread measures the memory of answers that are not read.
func (b *bench) measureUnread(ctx context.Context, u unreadRequests) ([]Row, error) {
	b.progress.begin(u.name, u.what, (2 * b.size.DisturbFor).Seconds())
	folder, err := os.MkdirTemp("", "clu-ws-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	t, err := b.newTestbed(ctx, folder, u.tls)
	if err != nil {
		return nil, err
	}
	defer t.stop()
	if u.prepare != nil {
		if err := u.prepare(t, ctx); err != nil {
			return nil, err
		}
	}
	before, err := b.proc.rss(t.server.pid)
	if err != nil {
		return nil, err
	}
	sending, stop := context.WithTimeout(ctx, b.size.MaxRound)
	defer stop()
	sent := make(chan error, 1)
	go func() { sent <- t.sendUnread(sending, u) }()
	most, err := t.peakMemory(sending)
	stop()
	err = errors.Join(err, <-sent)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	mib := func(bytes int64) []float64 { return []float64{float64(bytes) / (1 << 20)} }
	r := row(u.name, "memory, "+u.what, "MiB", mib(most), "before", mib(before), limit{by: Difference, bound: outboundGoal})
	if most > tooMuchMemory {
		r.Note = "the run stopped there"
	}
	if t.disconnected > 0 {
		r.Note = strings.TrimPrefix(fmt.Sprintf("%s; the bridge disconnected %d clients", r.Note, t.disconnected), "; ")
	}
	return []Row{r}, nil
}

// sendUnread has clients send the requests, after checking that one of them is answered.
func (t *testbed) sendUnread(ctx context.Context, u unreadRequests) error {
	if err := t.neighbours(ctx, 1, dialOptions{path: "/?silent=1"}, func(_ int, n *neighbour) error {
		if err := n.write(u.request(t, u.clients, 0)); err != nil {
			return err
		}
		_, err := n.readOp(u.answer)
		n.close()
		return err
	}); err != nil {
		return err
	}
	how := dialOptions{path: "/?silent=1", receiveBuffer: 16 << 10}
	return t.neighbours(ctx, t.scaled(u.clients), how, func(client int, n *neighbour) error {
		if _, err := n.readOp("hello"); err != nil {
			return err
		}
		for i := range requestsInFlight {
			if err := n.write(u.request(t, client, i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// peakMemory returns the bridge's peak memory once it has stopped growing.
func (t *testbed) peakMemory(ctx context.Context) (most int64, err error) {
	const step = 50 * time.Millisecond
	rest := t.size.DisturbFor / 2
	mark, grown := int64(0), time.Now()
	for ctx.Err() == nil && time.Since(grown) < rest && most <= tooMuchMemory {
		rss, err := t.proc.rss(t.server.pid)
		if err != nil {
			return most, fmt.Errorf("%w; the end of its log:\n%s", err, t.server.tail)
		}
		if rss > mark+mark/100 {
			mark, grown = rss, time.Now()
		}
		most = max(most, rss)
		time.Sleep(step)
	}
	return most, nil
}

const (
	longActors = 100
	longValues = 16
	valueBytes = 1000
)

// publishLongValues publishes replies for a snapshot of 1.8 MB.
func (t *testbed) publishLongValues(ctx context.Context) error {
	values := make(map[string]string, longValues)
	for i := range longValues {
		values[keywordName(i)] = strings.Repeat("v", valueBytes)
	}
	body := json.RawMessage(jsonOf(values))
	if err := t.publish(ctx, t.scaled(longActors), func(i int) actor.Reply {
		return actor.Reply{Code: actor.Info, Sender: senderOf(i), Body: body}
	}); err != nil {
		return err
	}
	return t.awaitDelivered(ctx)
}

// snapshotRequest returns a request for everything, with a filter unlike any other, since equal snapshots are cached.
func (t *testbed) snapshotRequest(client, i int) []byte {
	filter := map[string]any{"sender": []string{"actor*", fmt.Sprintf("nobody-%d-%d", client, i)}}
	return snapshotFrame(filter)
}

// pingRequest returns a ping with the maximum of data.
func (t *testbed) pingRequest(_, i int) []byte {
	const around = `{"op":"ping","id":"00","data":""}`
	return textFrame(fmt.Appendf(nil, `{"op":"ping","id":"%02d","data":"%s"}`, i, strings.Repeat("x", t.scaled(maxMessageBytes-len(around)))))
}
