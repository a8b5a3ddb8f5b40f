package webdemo_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

const (
	stormActors   = 35
	stormKeywords = 40
)

// replyStorm publishes replies of many actors, each with all keywords of its actor. The keyword k0 is when the reply was
// published, in ms since 1970, so that what is shown can be held against the truth.
type replyStorm struct {
	ch   *amqp.Channel
	tb   testing.TB
	n    atomic.Int64 // replies so far
	last atomic.Int64 // the last k0 of the first actor
}

func (o *observatory) replyStorm(tb testing.TB) *replyStorm {
	tb.Helper()
	return &replyStorm{ch: testkit.OpenChannel(tb, o.url), tb: tb}
}

func stormActor(n int64) string { return fmt.Sprintf("a%02d", n%stormActors) }

// next publishes one reply of the next actor.
func (s *replyStorm) next() {
	n := s.n.Add(1) - 1
	at := time.Now().UnixMilli()
	body := append(make([]byte, 0, 1024), `{"k0":`...)
	body = strconv.AppendInt(body, at, 10)
	for k := 1; k < stormKeywords; k++ {
		body = fmt.Appendf(body, `,"k%d":%d.%d`, k, (n+int64(k))%1000, k)
	}
	body = append(body, '}')
	err := s.ch.Publish(actor.Exchange, "reply.broadcast", false, false, amqp.Publishing{
		Headers:   amqp.Table{"message_code": "i", "sender": stormActor(n), "command_id": nil, "commander_id": nil, "internal": false},
		Timestamp: time.Now(), Body: body,
	})
	if err != nil {
		s.tb.Error(err)
	}
	if n%stormActors == 0 {
		s.last.Store(at)
	}
}

// all publishes one reply of each actor.
func (s *replyStorm) all() {
	for range stormActors {
		s.next()
	}
}

// run publishes so many replies a second until it is stopped, or the test ends.
func (s *replyStorm) run(rate int) (stop func()) {
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		began, sent := time.Now(), 0
		for {
			select {
			case <-tick.C: // a late tick publishes what is due
				for due := int(time.Since(began).Seconds() * float64(rate)); sent < due; sent++ {
					s.next()
				}
			case <-stopping:
				return
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		close(stopping)
		<-stopped
	})
	s.tb.Cleanup(stop)
	return stop
}

// throttle makes the page's CPU so many times slower.
func throttle(factor float64) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: factor})
		return err
	})
}

// countSockets makes each page count the messages and the closes of its sockets, before any of its own code runs.
const countSockets = `(() => {
	const seen = window.sockets = { messages: 0, of: [], closes: [] };  // of: the messages of each socket
	const Original = window.WebSocket;
	window.WebSocket = class extends Original {
		constructor(...args) {
			super(...args);
			const n = seen.of.push(0) - 1;
			this.addEventListener("message", () => { seen.messages += 1; seen.of[n] += 1; });
			this.addEventListener("close", ({code, reason}) => { seen.closes.push(code + " " + reason); });
		}
	};
})()`
