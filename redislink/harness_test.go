package redislink

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// recorder is a link to a server, and what it has delivered.
type recorder struct {
	*Link
	t     *testing.T
	redis *testkit.Redis

	mu    sync.Mutex // guards the following fields
	got   []string
	gaps  []gap
	downs []string      // why it did not stand, as it was logged
	seen  int           // how many of them are of outages that a test has seen the end of
	block chan struct{} // Deliver waits for it
}

type gap struct{ from, to time.Time }

// record runs a link until the test ends.
func record(t *testing.T, r *testkit.Redis, change func(*Config), channels ...string) *recorder {
	t.Helper()
	rec := &recorder{t: t, redis: r}
	cfg := Config{URL: r.URL(), Channels: channels, PingEvery: time.Minute, Deliver: rec.deliver, OnGap: rec.gap, Logger: slog.New(outages{rec})}
	if change != nil {
		change(&cfg)
	}
	var err error
	if rec.Link, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { rec.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return rec
}

// outages is a log of which a recorder keeps why its link did not stand. The state tells that too, but only until the link
// stands again, which may be before a busy machine looks.
type outages struct{ of *recorder }

func (o outages) Enabled(context.Context, slog.Level) bool { return true }
func (o outages) WithAttrs([]slog.Attr) slog.Handler       { return o }
func (o outages) WithGroup(string) slog.Handler            { return o }

func (o outages) Handle(_ context.Context, line slog.Record) error {
	line.Attrs(func(a slog.Attr) bool {
		if a.Key == "error" {
			o.of.mu.Lock()
			o.of.downs = append(o.of.downs, a.Value.String())
			o.of.mu.Unlock()
		}
		return true
	})
	return nil
}

func (r *recorder) deliver(channel string, body []byte) {
	r.mu.Lock()
	block := r.block
	r.mu.Unlock()
	if block != nil {
		<-block
	}
	text := string(body)
	if len(text) > 20 {
		text = fmt.Sprintf("%.4s... (%d)", text, len(text))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, channel+":"+text)
}

func (r *recorder) gap(from, to time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, "gap")
	r.gaps = append(r.gaps, gap{from, to})
}

func (r *recorder) publish(channel, message string) {
	r.t.Helper()
	r.redis.Do("PUBLISH", channel, message)
}

func (r *recorder) awaitUp() {
	r.t.Helper()
	testkit.WaitUntil(r.t, "the link stands", func() bool { return r.State().Up })
	r.outageEnded()
}

// outageEnded has awaitDown wait for another outage.
func (r *recorder) outageEnded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = len(r.downs)
}

// askOften has a server that does not answer noticed soon. A machine that stands still for that time cuts the link, too.
func askOften(c *Config) {
	c.PingEvery = 300 * time.Millisecond
	c.silence = 2 * time.Second
}

// askPatiently is askOften for a link that must stay, however long the machine stands still.
func askPatiently(c *Config) {
	askOften(c)
	c.silence = time.Hour
}

// awaitPings waits while several pings are sent.
func (r *recorder) awaitPings() {
	r.t.Helper()
	began := time.Now()
	testkit.WaitUntil(r.t, "pings are sent", func() bool { return time.Since(began) > 4*r.cfg.PingEvery })
}

// awaitDown waits until the link does not stand, or did not since the last awaitUp or awaitGap, for a reason.
func (r *recorder) awaitDown(reason string) {
	r.t.Helper()
	testkit.WaitUntil(r.t, "the link does not stand: "+reason, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.ContainsFunc(r.downs[r.seen:], func(why string) bool { return strings.Contains(why, reason) })
	})
}

// await waits until exactly that was delivered since the last call.
func (r *recorder) await(want ...string) {
	r.t.Helper()
	testkit.WaitUntil(r.t, "so much is delivered", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.got) >= len(want)
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := strings.Join(r.got, " "); got != strings.Join(want, " ") {
		r.t.Errorf("got %s, want %s", got, want)
	}
	r.got = nil
}

// awaitGap waits for a gap, and checks that it has a time.
func (r *recorder) awaitGap(lost time.Time) {
	r.t.Helper()
	r.await("gap")
	r.outageEnded()
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.gaps[len(r.gaps)-1]
	if !g.from.Before(lost) || !g.to.After(lost) {
		r.t.Errorf("the gap is from %v to %v, without %v", g.from, g.to, lost)
	}
}
