package actor_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/clu-ws/clu-ws/actor"
)

// Each handler makes one mistake.
func withMistakes(a *actor.Actor) {
	finish := actor.Keywords{"text": "one"}
	a.Handle("error-late", "Fails after its end.", func(_ context.Context, c *actor.Call) error {
		c.Finish(finish)
		return errors.New("The dome is stuck.")
	})
	a.Handle("usage-late ANGLE", "Refuses an argument after its end.", func(_ context.Context, c *actor.Call) error {
		c.Finish(finish)
		_, err := c.Float("ANGLE")
		return err
	})
	a.Handle("info-late", "Replies after its end.", func(_ context.Context, c *actor.Call) error {
		c.Finish(finish)
		for range 3 {
			c.Info(actor.Keywords{"text": "late"})
		}
		return nil
	})
	a.Handle("misnamed N", "Asks for an argument that is not in the usage line.", func(_ context.Context, c *actor.Call) error {
		_, err := c.Float("M")
		return err
	})
	a.Handle("channel", "Replies with what JSON cannot hold, and goes on.", func(_ context.Context, c *actor.Call) error {
		c.Info(actor.Keywords{"ok": 1, "queue": make(chan int)})
		c.Info(actor.Keywords{"text": "late"})
		return nil
	})
	a.Handle("nan", "Replies with a number that is not finite.", func(_ context.Context, c *actor.Call) error {
		c.Finish(actor.Keywords{"alt_deg": math.NaN(), "az_deg": 90})
		return nil
	})
}

func TestAMistakeOfAHandlerIsLoggedOnceWithTheCommandID(t *testing.T) {
	const finished = `: {"text":"one"}`
	for _, test := range []struct {
		command string
		want    []string // replies after the first >, including those after the end
		log     string   // the only line above level info
	}{
		{"error-late", []string{finished, `e {"error":"The dome is stuck."}`}, "a handler failed after it had ended its command"},
		{"usage-late x", []string{finished, `w {"help":["BadParameter: Invalid value for 'ANGLE': 'x' is not a valid float."]}`,
			`e {"error":"Command 'usage-late x' does not exist or cannot be parsed."}`}, "a handler failed after it had ended its command"},
		{"info-late", []string{finished, `i {"text":"late"}`, `i {"text":"late"}`, `i {"text":"late"}`}, "a command replied after its end"},
		{"misnamed 1", []string{`f {"error":"Command 'misnamed 1' failed because of an uncaught error 'panic: actor: the usage of the command misnamed ` +
			`has no argument and no option with a value named \"M\"'. See traceback in the log for more information."}`}, "a command's handler panicked"},
		{"nan", []string{`: {"alt_deg":null,"az_deg":90}`}, "a keyword is not a finite number"},
	} {
		t.Run(test.command, func(t *testing.T) {
			withExchange(t, func(t *testing.T, x *exchange) {
				var log logs
				x.link.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
				x.run(x.actor(actor.Config{Name: "dome"}, withMistakes))
				tap := x.tap("reply.#")
				p, err := x.client().Send(x.ctx, "dome", test.command, actor.SendOptions{CommandID: "id-7"})
				if err != nil {
					t.Fatal(err)
				}
				<-p.Done()
				synctest.Wait()
				if got := codesAndBodies(tap.take()[1:]); !slices.Equal(got, test.want) {
					t.Errorf("the replies are %q\nwant %q", got, test.want)
				}
				if text := log.b.String(); log.count("level=") != 1 || !strings.Contains(text, test.log) || !strings.Contains(text, "command_id=id-7") {
					t.Errorf("the log is\n%s", text)
				}
			})
		})
	}
}

func TestAReplyThatJSONCannotHoldFailsItsCommandInWords(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		a := x.actor(actor.Config{Name: "dome"}, withMistakes)
		x.run(a)
		_, err := x.do(x.client(), "dome", "channel")
		if e := failure(t, err); e.Reason != "The reply cannot be written as JSON: keyword queue: json: unsupported type: chan int." {
			t.Error(e)
		}
		tap := x.tap("reply.broadcast")
		a.Broadcast(actor.Info, actor.Keywords{"ok": 1, "queue": make(chan int)})
		if got := codesAndBodies(tap.take()); !slices.Equal(got, []string{`i {"ok":1}`}) {
			t.Errorf("the broadcast is %q", got)
		}
	})
}

func TestOptionsReachTheirHandler(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		x.run(x.actor(actor.Config{Name: "camera"}, func(a *actor.Actor) {
			a.Handle("expose SECONDS [--fast] [--count N]", "Takes images.", func(_ context.Context, c *actor.Call) error {
				seconds, err := c.Float("SECONDS")
				if err != nil {
					return err
				}
				count := 1
				if _, given := c.Arg("--count"); given {
					if count, err = c.Int("--count"); err != nil {
						return err
					}
				}
				c.Finish(actor.Keywords{"seconds": seconds, "count": count, "fast": c.Flag("--fast"), "args": c.Args})
				return nil
			})
		}))
		c := x.client()
		for command, want := range map[string]string{
			"expose 10":                     `{"args":["10"],"count":1,"fast":false,"seconds":10}`,
			"expose --fast 10":              `{"args":["10"],"count":1,"fast":true,"seconds":10}`,
			"expose -5 --count=3":           `{"args":["-5"],"count":3,"fast":false,"seconds":-5}`,
			"expose --count '4' 1.5 --fast": `{"args":["1.5"],"count":4,"fast":true,"seconds":1.5}`,
		} {
			r, err := x.do(c, "camera", command)
			if err != nil || string(r.Last().Body) != want {
				t.Errorf("%s: %s, %v", command, r.Last().Body, err)
			}
		}
		r, _ := x.do(c, "camera", "expose 10 --count x")
		if got := lines(r.Replies[1:]); !slices.Equal(got, []string{
			`w {"help":["BadParameter: Invalid value for '--count': 'x' is not a valid integer."]}`,
			`f {"error":"Command 'expose 10 --count x' does not exist or cannot be parsed."}`}) {
			t.Errorf("%q", got)
		}
	})
}
