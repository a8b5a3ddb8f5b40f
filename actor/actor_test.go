package actor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/recorded"
)

// The expected replies were recorded from CLU 2.6.1.
func TestAnActorAnswersInCLUsWords(t *testing.T) {
	model := json.RawMessage(`{"type": "object", "properties": {"ra": {"type": "number", "description": "RA"}}}`)
	withExchange(t, func(t *testing.T, x *exchange) {
		x.run(x.actor(actor.Config{Name: "plain", Version: "1.2.3"}, withHandlers))
		x.run(x.actor(actor.Config{Name: "modelled", Schema: model}, nil))
		c := x.client()
		for _, test := range []struct {
			consumer, command string
			want              []string // after the first >
		}{
			{"plain", "ping", []string{`: {"text":"Pong."}`}},
			{"plain", "version", []string{`: {"version":"1.2.3"}`}},
			{"modelled", "version", []string{`: {"version":"?"}`}},
			{"plain", "help ping", []string{`: {"help":["Usage: plain ping [OPTIONS]","","  Pings the actor.","","Options:","  --help  Show this message and exit."]}`}},
			{"plain", "ping --help", []string{`: {"help":["Usage: plain ping [OPTIONS]","","  Pings the actor.","","Options:","  --help  Show this message and exit."]}`}},
			{"plain", "help  keyword", []string{`: {"help":["Usage: plain keyword [OPTIONS] KEYWORD","","  Prints human-readable information about a keyword.","","Options:","  --help  Show this message and exit."]}`}},
			{"plain", "help bogus", []string{`f {"error":"command bogus not found."}`}},
			{"plain", "bogus --help", []string{`f {"error":"command bogus not found."}`}},
			{"plain", "help ping x", []string{`f {"error":"command x not found."}`}},
			{"plain", "help --", []string{`f {"error":"command -- not found."}`}},
			{"plain", "help it's", []string{`f {"error":"command it's not found."}`}},
			{"plain", "bogus", []string{`w {"help":["NoSuchCommand: No such command 'bogus'."]}`, `f {"error":"Command 'bogus' does not exist or cannot be parsed."}`}},
			{"plain", "bo'gus'", []string{`w {"help":["NoSuchCommand: No such command 'bogus'."]}`, `f {"error":"Command \"bo'gus'\" does not exist or cannot be parsed."}`}},
			{"plain", "PING", []string{`w {"help":["NoSuchCommand: No such command 'PING'."]}`, `f {"error":"Command 'PING' does not exist or cannot be parsed."}`}},
			{"plain", "-h", []string{`w {"help":["NoSuchOption: No such option '-h'."]}`, `f {"error":"Command '-h' does not exist or cannot be parsed."}`}},
			{"plain", "'", []string{`w {"help":["UsageError: No closing quotation"]}`, `f {"error":"Command \"'\" does not exist or cannot be parsed."}`}},
			{"plain", "ping extra", []string{`w {"help":["UsageError: Got unexpected extra argument (extra)"]}`, `f {"error":"Command 'ping extra' does not exist or cannot be parsed."}`}},
			{"plain", "slew", []string{`w {"help":["MissingParameter: Missing argument 'RA'."]}`, `f {"error":"Command 'slew' does not exist or cannot be parsed."}`}},
			{"plain", "slew x 1", []string{`w {"help":["BadParameter: Invalid value for 'RA': 'x' is not a valid float."]}`, `f {"error":"Command 'slew x 1' does not exist or cannot be parsed."}`}},
			{"plain", "slew -1 2", []string{`i {"args":["-1","2"],"ra":-1}`, `: {}`}},
			{"plain", "boom", []string{`f {"error":"Command 'boom' failed because of an uncaught error 'panic: it's bad'. See traceback in the log for more information."}`}},
			{"plain", "late", []string{`: {"text":"one"}`, `i {"text":"Command 'late' failed because of an uncaught error 'panic: too late'. See traceback in the log for more information."}`}},
			{"plain", "twice", []string{`: {"text":"one"}`}},
			{"plain", "refuse", []string{`f {"error":"The dome is stuck."}`}},
			{"plain", "talk", []string{`i {"text":"x"}`, `d {"text":"y"}`, `w {"text":"z"}`, `e {"error":"bad"}`, `! {"error":"worse"}`}},
			{"plain", "get-command-model nothing", []string{`f {"error":"Cannot find command nothing."}`}},
			{"plain", "get-command-model ping", []string{`: {"command_model":{"name":"ping","params":[{"name":"_click_default_help","param_type_name":"option","opts":["--help"],"secondary_opts":[],"type":{"param_type":"Bool","name":"boolean"},"required":false,"nargs":1,"multiple":false,"default":false,"envvar":null,"help":"Show this message and exit.","prompt":null,"is_flag":true,"flag_value":true,"count":false,"hidden":false}],"help":"Pings the actor.","epilog":null,"short_help":null,"hidden":false,"deprecated":false}}`}},
			{"plain", "get_schema", []string{`f {"error":"The actor does not know its own schema."}`}},
			{"plain", "keyword", []string{`w {"help":["MissingParameter: Missing argument 'KEYWORD'."]}`, `f {"error":"Command 'keyword' does not exist or cannot be parsed."}`}},
			{"plain", "keyword text", []string{`f {"error":"Actor does not have a data model."}`}},
			{"modelled", "keyword bogus", []string{`f {"error":"Keyword 'bogus' is not part of the data model."}`}},
			{"modelled", "keyword text", []string{`i {"text":"text = {          "}`, `i {"text":"  type: string    "}`, `i {"text":"}                 "}`, `: {}`}},
		} {
			r, _ := x.do(c, test.consumer, test.command)
			synctest.Wait() // for replies after the end
			if r.Replies[0].Code != actor.Running || !r.Replies[0].Internal || string(r.Replies[0].Body) != "{}" {
				t.Errorf("%s: the first reply is %+v", test.command, r.Replies[0])
			}
			want := test.want
			if test.command == "late" {
				want = want[:1] // the client does not follow a command past its end
			}
			if got := lines(r.Replies[1:]); !slices.Equal(got, want) {
				t.Errorf("%s:\ngot  %q\nwant %q", test.command, got, want)
			}
		}
	})
}

func withHandlers(a *actor.Actor) {
	a.Handle("slew RA DEC", "Slews.", func(_ context.Context, c *actor.Call) error {
		ra, err := c.Float("RA")
		if err != nil {
			return err
		}
		c.Info(actor.Keywords{"ra": ra, "args": c.Args})
		return nil
	})
	a.Handle("boom", "Panics.", func(context.Context, *actor.Call) error { panic("it's bad") })
	a.Handle("late", "Panics after its end.", func(_ context.Context, c *actor.Call) error {
		c.Finish(actor.Keywords{"text": "one"})
		panic("too late")
	})
	a.Handle("twice", "Ends twice.", func(_ context.Context, c *actor.Call) error {
		c.Finish(actor.Keywords{"text": "one"})
		c.Finish(actor.Keywords{"text": "two"})
		c.Fail("three")
		return nil
	})
	a.Handle("refuse", "Fails.", func(context.Context, *actor.Call) error { return errors.New("The dome is stuck.") })
	a.Handle("talk", "Says everything.", func(_ context.Context, c *actor.Call) error {
		c.Info(actor.Keywords{"text": "x"})
		c.Debug(actor.Keywords{"text": "y"})
		c.Warning(actor.Keywords{"text": "z"})
		c.Error(actor.Keywords{"error": "bad"})
		c.Reply(actor.Critical, actor.Keywords{"error": "worse"})
		return nil
	})
}

func TestRepliesOnTheWireEqualCLUs(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.run(x.actor(actor.Config{Name: "lvmecp", Version: "1.2.3"}, nil))
		tap := x.tap("reply.#")
		link := x.links()
		compared := 0
		for _, rec := range recorded.Cases(t) {
			if rec.Case == "status" || rec.Case == "odd values" {
				continue // commands that only the recorded actor has
			}
			for _, cmd := range rec.Commands {
				sent := amqpx.Message{Key: cmd.RoutingKey, Mandatory: true, Publishing: amqpx.Publishing{
					Headers: cmd.Table(), MessageId: "m", CorrelationId: cmd.Properties.CorrelationID, Body: []byte(cmd.Body)}}
				if o := x.publish(link, sent); o != amqpx.Confirmed {
					t.Fatal(o)
				}
				got := tap.take()
				if len(got) != len(rec.Replies) {
					t.Fatalf("%s: %d replies, CLU sent %d", rec.Case, len(got), len(rec.Replies))
				}
				for i, want := range rec.Replies {
					equalReply(t, rec.Case, got[i], want)
					compared++
				}
			}
		}
		if compared != 17 {
			t.Errorf("%d replies were compared, not 17", compared)
		}
	})
}

// equalReply compares everything but message id and time.
func equalReply(t *testing.T, name string, got *amqpx.Delivery, want recorded.Message) {
	t.Helper()
	if len(got.MessageId) != 32 || got.Timestamp.IsZero() {
		t.Errorf("%s: the message id is %q, the time %v", name, got.MessageId, got.Timestamp)
	}
	d := want.Delivery()
	equalMessage(t, name, amqpx.Message{Key: got.RoutingKey, Mandatory: true, Publishing: amqpx.Publishing{
		Headers: got.Headers, ContentType: got.ContentType, DeliveryMode: got.DeliveryMode, CorrelationId: got.CorrelationId,
		ReplyTo: got.ReplyTo, Timestamp: d.Timestamp, Body: got.Body,
	}}, want)
}

func TestAnEmptyCommandIsDoneAtOnce(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.run(x.actor(actor.Config{Name: "dome"}, nil))
		c := x.client()
		for _, text := range []string{"", " \t"} {
			r, err := x.do(c, "dome", text)
			if got := lines(r.Replies); err != nil || !slices.Equal(got, []string{": {}"}) {
				t.Errorf("%q: %q, %v", text, got, err)
			}
		}
	})
}

func TestAMessageThatIsNotACommandFailsAndTheActorContinues(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.run(x.actor(actor.Config{Name: "dome"}, nil))
		tap := x.tap("reply.#")
		link := x.links()
		for _, test := range []struct {
			headers amqpx.Table
			body    string
			key     string
			want    string
		}{
			{nil, "ping", "reply.broadcast", `f {"error":"Could not parse the message as a command: `},
			{amqpx.Table{"command_id": "1", "commander_id": "c.dome"}, `["ping"]`, "reply.c.dome", `f {"error":"Could not parse the message as a command: `},
			{amqpx.Table{"task": true}, `{"task": "reload"}`, "reply.broadcast", `e {"error":"Unknown task 'reload'"}`},
			{amqpx.Table{"task": true}, `rubbish`, "reply.broadcast", `e {"error":"Unknown task None"}`},
		} {
			x.publish(link, amqpx.Message{Key: "command.dome", Publishing: amqpx.Publishing{Headers: test.headers, Body: []byte(test.body)}})
			got := tap.take()
			if len(got) != 1 || got[0].RoutingKey != test.key ||
				!strings.HasPrefix(fmt.Sprintf("%s %s", got[0].Headers["message_code"], got[0].Body), test.want) {
				t.Errorf("%q: %+v", test.body, got)
			}
		}
		if _, err := x.do(x.client(), "dome", "ping"); err != nil {
			t.Errorf("the actor does not answer any more: %v", err)
		}
	})
}

func TestRepliesToAnInternalCommandAreInternal(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.run(x.actor(actor.Config{Name: "dome"}, nil))
		p, err := x.client().Send(x.ctx, "dome", "ping", actor.SendOptions{Internal: true})
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Wait(x.ctx)
		if err != nil || !r.Last().Internal {
			t.Errorf("%+v, %v", r.Last(), err)
		}
	})
}

func TestManyRepliesOfOneCommandArriveInOrder(t *testing.T) {
	const count = 4000
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
		if err != nil || len(r.Replies) != count+2 {
			t.Fatalf("%d replies, %v", len(r.Replies), err)
		}
		for n, reply := range r.Replies[1 : count+1] {
			if want := fmt.Sprintf(`{"n":%d}`, n); string(reply.Body) != want {
				t.Fatalf("reply %d is %s", n, reply.Body)
			}
		}
	})
}

func TestAWrongConfigurationIsRefused(t *testing.T) {
	link := amqpx.Config{URLs: []string{"amqp://localhost/"}}
	for name, cfg := range map[string]actor.Config{
		"no name":        {Link: link},
		"a wild name":    {Name: "do*me", Link: link},
		"a spaced name":  {Name: "do me", Link: link},
		"too long":       {Name: strings.Repeat("x", 250), Link: link},
		"no URL":         {Name: "dome"},
		"a wrong schema": {Name: "dome", Link: link, Schema: json.RawMessage(`[]`)},
	} {
		if _, err := actor.New(cfg); err == nil {
			t.Errorf("%s: it was accepted", name)
		}
	}
}

func TestAClientWithTheSettingsOfAnActorIsRefused(t *testing.T) {
	link := amqpx.Config{URLs: []string{"amqp://localhost/"}}
	for name, cfg := range map[string]actor.Config{
		"a version":   {Link: link, Version: "1"},
		"a schema":    {Link: link, Schema: json.RawMessage(`{}`)},
		"a wild name": {Link: link, Name: "cons*le"},
		"no URL":      {},
	} {
		if _, err := actor.NewClient(cfg); err == nil {
			t.Errorf("%s: it was accepted", name)
		}
	}
	if c, err := actor.NewClient(actor.Config{Link: link}); err != nil || !strings.HasPrefix(c.Name(), "amqp-client-") {
		t.Errorf("without a name: %v", err)
	}
}
