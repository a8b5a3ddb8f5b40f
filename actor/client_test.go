package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// silent runs an actor that receives commands and never answers.
func (x *exchange) silent(name string) *tap {
	x.t.Helper()
	return x.tap("command." + name + ".#")
}

func TestACommandIsFollowedToItsEnd(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.run(x.actor(actor.Config{Name: "dome"}, withHandlers))
		c := x.client()
		r, err := x.do(c, "dome", "slew 1 2")
		if err != nil || r.Status != actor.StatusDone || r.Last().Code != actor.Done {
			t.Errorf("%+v, %v", r, err)
		}
		if got := lines(r.Replies); !slices.Equal(got, []string{`> {}`, `i {"args":["1","2"],"ra":1}`, `: {}`}) {
			t.Errorf("the replies are %q", got)
		}
		r, err = x.do(c, "dome", "refuse")
		e := failure(t, err)
		if r.Status != actor.StatusFailed || e.Status != actor.StatusFailed || e.Error() != "dome refuse: The dome is stuck." {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestRepliesAreReadAsTheyCome(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		next := make(chan struct{})
		x.run(x.actor(actor.Config{Name: "dome"}, func(a *actor.Actor) {
			a.Handle("count", "Counts.", func(_ context.Context, c *actor.Call) error {
				for n := range 3 {
					<-next
					c.Info(actor.Keywords{"n": n})
				}
				<-next
				return nil
			})
		}))
		var called []string
		p, err := x.client().Send(x.ctx, "dome", "count", actor.SendOptions{OnReply: func(r actor.Reply) { called = append(called, string(r.Code)) }})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for r := range p.Replies(x.ctx) {
			got = append(got, string(r.Code)+" "+string(r.Body))
			if len(got) < 5 {
				next <- struct{}{}
			}
		}
		if !slices.Equal(got, []string{`> {}`, `i {"n":0}`, `i {"n":1}`, `i {"n":2}`, `: {}`}) {
			t.Errorf("got %q", got)
		}
		if !slices.Equal(called, []string{">", "i", "i", "i", ":"}) {
			t.Errorf("OnReply got %q", called)
		}
		<-p.Done()
		for r := range p.Replies(x.ctx) { // again from the first
			if r.Code != actor.Running {
				t.Errorf("the first reply is %+v", r)
			}
			break
		}
	})
}

func TestReadingAndWaitingEndWithTheirContexts(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.silent("dome")
		p, err := x.client().Send(x.ctx, "dome", "wait", actor.SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(x.ctx)
		cancel()
		for r := range p.Replies(ctx) {
			t.Errorf("received %+v", r)
		}
		if r, err := p.Wait(ctx); !errors.Is(err, context.Canceled) || r.Status != actor.StatusUnknown {
			t.Errorf("%+v, %v", r, err)
		}
		select {
		case <-p.Done():
			t.Error("the command ended with its waiter")
		default:
		}
	})
}

func TestTheFailureOfAnUnroutableCommandIsPublished(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		tap := x.tap("reply.#")
		c := x.client()
		r, err := x.do(c, "nobody", "ping")
		e := failure(t, err)
		if r.Status != actor.StatusUnroutable || e.Status != actor.StatusUnroutable || e.Reason != "Failed routing message to consumer 'nobody'." {
			t.Errorf("%+v, %v", r, err)
		}
		if r.Last().Sender != "nobody" || r.Last().Code != actor.Failed {
			t.Errorf("the reply is %+v", r.Last())
		}
		got := tap.take()
		if len(got) != 1 || got[0].RoutingKey != "reply."+c.Name() || string(got[0].Body) != `{"error":"Failed routing message to consumer 'nobody'."}` {
			t.Errorf("on the exchange were %+v", got)
		}
	})
}

func TestACommandWithoutABrokerFailsAtOnce(t *testing.T) {
	c, err := actor.NewClient(actor.Config{Link: amqpx.Config{URLs: []string{"amqp://localhost/"}}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Send(t.Context(), "dome", "open", actor.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Wait(t.Context())
	if e := failure(t, err); e.Status != actor.StatusUnsent || e.Reason != "The command was not sent: there is no connection to the broker." {
		t.Error(e)
	}
}

func TestCommandsOfALostLinkEndAsUnknownAndTheClientContinues(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		a := x.actor(actor.Config{Name: "dome"}, withHandlers)
		x.run(a)
		x.silent("mute")
		c := x.client()
		p, err := c.Send(x.ctx, "mute", "wait", actor.SendOptions{CommandID: "again"})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		x.broker.DropConnections()
		_, err = p.Wait(x.ctx)
		if e := failure(t, err); e.Status != actor.StatusUnknown || e.CommandID != "again" || !strings.Contains(e.Reason, "it may still run") {
			t.Error(e)
		}
		synctest.Wait()
		for _, r := range []runner{a, c} {
			if err := r.Ready(x.ctx); err != nil {
				t.Fatal(err)
			}
		}
		if p, err = c.Send(x.ctx, "dome", "ping", actor.SendOptions{CommandID: "again"}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Wait(x.ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestCommandsOfAClosedClientEndAsUnknown(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.silent("dome")
		c, err := actor.NewClient(actor.Config{Name: "me", Link: x.link})
		if err != nil {
			t.Fatal(err)
		}
		stop := x.run(c)
		p, err := c.Send(x.ctx, "dome", "wait", actor.SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		stop()
		_, err = p.Wait(x.ctx)
		if e := failure(t, err); e.Status != actor.StatusUnknown {
			t.Error(e)
		}
		if err := c.Ready(x.ctx); err == nil {
			t.Error("a closed client is ready")
		}
	})
}

func TestTheNumberOfRunningCommandsIsBounded(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.silent("mute")
		x.run(x.actor(actor.Config{Name: "dome"}, nil))
		c, err := actor.NewClient(actor.Config{Link: x.link, MaxCommands: 2})
		if err != nil {
			t.Fatal(err)
		}
		x.run(c)
		for range 10 { // a command that ends does not count any more
			if _, err := x.do(c, "dome", "ping"); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(x.ctx)
		var pending []*actor.Pending
		for range 2 {
			p, err := c.Send(ctx, "mute", "wait", actor.SendOptions{})
			if err != nil {
				t.Fatal(err)
			}
			pending = append(pending, p)
		}
		if _, err := c.Send(x.ctx, "dome", "ping", actor.SendOptions{}); err == nil || !strings.Contains(err.Error(), "2 commands are running already") {
			t.Errorf("got %v", err)
		}
		cancel()
		for _, p := range pending {
			_, err := p.Wait(x.ctx)
			if e := failure(t, err); e.Status != actor.StatusUnknown {
				t.Error(e)
			}
		}
		if _, err := x.do(c, "dome", "ping"); err != nil {
			t.Error(err)
		}
	})
}

func TestACommandThatAMQPCannotCarryIsNotSent(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		tap := x.silent("dome")
		c := x.client()
		if _, err := c.Send(x.ctx, "dome", "wait", actor.SendOptions{CommandID: "taken"}); err != nil {
			t.Fatal(err)
		}
		over, cancel := context.WithCancel(x.ctx)
		cancel()
		for name, send := range map[string]func() (*actor.Pending, error){
			"no consumer": func() (*actor.Pending, error) { return c.Send(x.ctx, "", "ping", actor.SendOptions{}) },
			"long id": func() (*actor.Pending, error) {
				return c.Send(x.ctx, "dome", "ping", actor.SendOptions{CommandID: strings.Repeat("x", 256)})
			},
			"id in use": func() (*actor.Pending, error) {
				return c.Send(x.ctx, "dome", "ping", actor.SendOptions{CommandID: "taken"})
			},
			"context over": func() (*actor.Pending, error) { return c.Send(over, "dome", "ping", actor.SendOptions{}) },
		} {
			if _, err := send(); err == nil {
				t.Errorf("%s: it was sent", name)
			}
		}
		if got := tap.take(); len(got) != 1 {
			t.Errorf("%d commands arrived, not 1", len(got))
		}
	})
}

func TestSendOptionsAreInTheCommand(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		tap := x.silent("dome")
		if _, err := x.client().Send(x.ctx, "dome", "open", actor.SendOptions{CommandID: "id", Internal: true, NoLog: true}); err != nil {
			t.Fatal(err)
		}
		got := tap.take()[0]
		if got.CorrelationId != "id" || got.Headers["internal"] != true || got.Headers["write_to_log"] != false {
			t.Errorf("got %+v", got)
		}
	})
}

// answer publishes a reply to a command.
func (x *exchange) answer(l *amqpx.Link, p *actor.Pending, code actor.Code, commander, body string) {
	x.t.Helper()
	r := actor.Reply{Code: code, Sender: "dome", CommandID: p.Command.CommandID, CommanderID: commander, Body: []byte(body)}
	if o := x.publish(l, r.Message()); o != amqpx.Confirmed {
		x.t.Fatal(o)
	}
}

func TestACommandEndsWithTheReplyOfItsActorOnly(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.silent("dome")
		link := x.links()
		c := x.client()
		p, err := c.Send(x.ctx, "dome", "open", actor.SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		own := p.Command.CommanderID
		x.answer(link, p, actor.Error, own, `{"error": "not the end"}`)
		x.answer(link, p, actor.Done, own+".shutter", `{"text": "a command of the actor's own, under the same id"}`)
		x.answer(link, p, actor.Done, "", `{"text": "of an unknown actor"}`)
		x.answer(link, p, actor.Info, own, `this is not JSON`)
		synctest.Wait()
		select {
		case <-p.Done():
			t.Fatal("the command ended too early")
		default:
		}
		x.answer(link, p, actor.Failed, own, `{"error": ["Gave", "up."]}`)
		r, err := p.Wait(x.ctx)
		if e := failure(t, err); e.Reason != "Gave\nup." || len(r.Replies) != 4 {
			t.Errorf("%v after %q", e, lines(r.Replies))
		}
		x.answer(link, p, actor.Done, own, `{}`)
		synctest.Wait()
		if r, err := p.Wait(x.ctx); r.Status != actor.StatusFailed || err == nil || len(r.Replies) != 4 {
			t.Errorf("a second end changed the first: %+v, %v", r, err)
		}
	})
}

func TestAFailureWithoutAReasonHasOneOfTheClient(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.silent("dome")
		link := x.links()
		p, err := x.client().Send(x.ctx, "dome", "open", actor.SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		x.answer(link, p, actor.Critical, p.Command.CommanderID, `{}`)
		_, err = p.Wait(x.ctx)
		if e := failure(t, err); e.Reason != "The actor gave no reason." {
			t.Error(e)
		}
	})
}

func TestOfTooManyRepliesTheFirstAreDiscarded(t *testing.T) {
	const count = actor.MaxBufferedReplies + 10
	withExchange(t, func(t *testing.T, x *exchange) {
		x.run(x.actor(actor.Config{Name: "dome"}, func(a *actor.Actor) {
			a.Handle("flood", "Says much.", func(_ context.Context, c *actor.Call) error {
				for n := range count {
					c.Info(actor.Keywords{"n": n})
				}
				return nil
			})
		}))
		r, err := x.do(x.client(), "dome", "flood")
		if err != nil || r.Missed != actor.MaxBufferedReplies/2 || len(r.Replies)+r.Missed != count+2 {
			t.Fatalf("%d replies kept, %d missed, %v", len(r.Replies), r.Missed, err)
		}
		if want := fmt.Sprintf(`{"n":%d}`, r.Missed-1); string(r.Replies[0].Body) != want {
			t.Errorf("the first one kept is %s, want %s", r.Replies[0].Body, want)
		}
	})
}

func TestAPanicAfterTheEndDoesNotEndACommandAgain(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.run(x.actor(actor.Config{Name: "dome"}, withHandlers))
		tap := x.tap("reply.#")
		for command, want := range map[string]string{"late": ">:i", "twice": ">:"} {
			if _, err := x.do(x.client(), "dome", command); err != nil {
				t.Fatal(err)
			}
			codes := ""
			for _, d := range tap.take() {
				codes += d.Headers["message_code"].(string)
			}
			if codes != want {
				t.Errorf("%s: on the exchange were %q, want %q", command, codes, want)
			}
		}
	})
}
