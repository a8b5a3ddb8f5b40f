package actor_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/actor"
)

func TestCommandsRunSideBySideUpToTheLimit(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		release := make(chan struct{})
		x.run(x.actor(actor.Config{Name: "dome", MaxCommands: 2}, func(a *actor.Actor) {
			a.Handle("wait", "Waits.", func(context.Context, *actor.Call) error { <-release; return nil })
		}))
		c := x.client()
		var pending []*actor.Pending
		for range 2 {
			p, err := c.Send(x.ctx, "dome", "wait", actor.SendOptions{})
			if err != nil {
				t.Fatal(err)
			}
			pending = append(pending, p)
		}
		synctest.Wait()
		_, err := x.do(c, "dome", "ping")
		if e := failure(t, err); e.Reason != "The actor is busy with 2 commands; try again when one of them has ended." {
			t.Error(e)
		}
		close(release)
		for _, p := range pending {
			if _, err := p.Wait(x.ctx); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if _, err := x.do(c, "dome", "ping"); err != nil {
			t.Error(err)
		}
	})
}

func TestAStoppingActorCancelsItsCommands(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		stop := x.run(x.actor(actor.Config{Name: "dome"}, func(a *actor.Actor) {
			a.Handle("wait", "Waits.", func(ctx context.Context, _ *actor.Call) error { <-ctx.Done(); return ctx.Err() })
		}))
		p, err := x.client().Send(x.ctx, "dome", "wait", actor.SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		stop()
		_, err = p.Wait(x.ctx)
		if e := failure(t, err); e.Status != actor.StatusFailed || e.Reason != "This command has been cancelled." {
			t.Error(e)
		}
	})
}

func TestAHandlerThatIgnoresItsContextIsLeftRunning(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		release := make(chan struct{})
		stop := x.run(x.actor(actor.Config{Name: "dome"}, func(a *actor.Actor) {
			a.Handle("wait", "Waits.", func(context.Context, *actor.Call) error { <-release; return nil })
		}))
		if _, err := x.client().Send(x.ctx, "dome", "wait", actor.SendOptions{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		started := time.Now()
		stop()
		if took := time.Since(started); took < 5*time.Second || took > 10*time.Second {
			t.Errorf("the actor stopped after %v", took)
		}
		close(release)
	})
}

// logs collects log lines.
type logs struct {
	mu sync.Mutex // guards the following field
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

func TestRepliesDuringAnOutageAreLostAndCountedAndLoggedOnce(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		var log logs
		x.link.Logger = slog.New(slog.NewTextHandler(&log, nil))
		a := x.actor(actor.Config{Name: "dome"}, nil)
		x.run(a)
		x.broker.DropConnections()
		synctest.Wait()
		for range 3 {
			a.Broadcast(actor.Info, actor.Keywords{"text": "lost"})
		}
		if lost := a.LostReplies(); lost != 3 {
			t.Errorf("%d replies were lost, not 3", lost)
		}
		if err := a.Ready(x.ctx); err != nil {
			t.Fatal(err)
		}
		tap := x.tap("reply.#")
		a.Broadcast(actor.Info, actor.Keywords{"text": "back"})
		if got := tap.take(); len(got) != 1 || string(got[0].Body) != `{"text":"back"}` {
			t.Errorf("after the outage %d replies are received", len(got))
		}
		if log.count("replies cannot be published") != 1 || log.count("lost=3") != 1 {
			t.Errorf("the log is\n%s", log.b.String())
		}
	})
}

func TestACommandContinuesWhenTheLinkBreaks(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		release, ended := make(chan struct{}), make(chan error, 1)
		a := x.actor(actor.Config{Name: "dome"}, func(a *actor.Actor) {
			a.Handle("wait", "Waits.", func(ctx context.Context, _ *actor.Call) error {
				<-release
				ended <- ctx.Err()
				return nil
			})
		})
		x.run(a)
		p, err := x.client().Send(x.ctx, "dome", "wait", actor.SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		x.broker.DropConnections()
		_, err = p.Wait(x.ctx)
		if e := failure(t, err); e.Status != actor.StatusUnknown || !strings.Contains(e.Reason, "link to the broker broke") {
			t.Error(e)
		}
		if err := a.Ready(x.ctx); err != nil {
			t.Fatal(err)
		}
		close(release)
		if err := <-ended; err != nil {
			t.Errorf("the handler's context ended: %v", err)
		}
	})
}

func TestAnActorThatFailsFastReturnsTheError(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.link.URLs = []string{"amqp://guest:wrong@localhost/"}
		x.link.FailFast = true
		a := x.actor(actor.Config{Name: "dome"}, nil)
		if err := a.Run(x.ctx); err == nil || !strings.Contains(err.Error(), "refused user") {
			t.Errorf("got %v", err)
		}
		if err := a.Ready(x.ctx); err == nil {
			t.Error("it is ready")
		}
	})
}
