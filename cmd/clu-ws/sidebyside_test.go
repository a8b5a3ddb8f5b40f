package main

import (
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Two bridges on one stream behind a proxy are replaced, one after the other, while replies stream and commands are sent:
// with the recipes of docs/deploying.md, as they are and sticky.
func TestBridgesSideBySideAreReplacedWithoutALoss(t *testing.T) {
	for name, c := range map[string]struct {
		recipe string
		fields http.Header
	}{
		"nginx":                {"nginx-several", nil},
		"HAProxy with cookies": {"haproxy-several", http.Header{"Cookie": {"BRIDGE=a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := prepare(t, name, recipesOf(t)[c.recipe])
			replaceInTurn(t, d, c.fields)
		})
	}
}

func replaceInTurn(t *testing.T, d *deployment, fields http.Header) {
	url := testkit.RabbitMQ(t).NewVHost(t)
	var bridges [2]child
	run := func(i int) {
		bridges[i] = child{testkit.StartProcess(t, command(t, d.args(i, url)...))}
		bridges[i].awaitLinked(t)
	}
	run(0)
	run(1)
	arrived, slow := echo(t, url), newSlowActor(t, url)
	d.serve(t)

	followers := d.followers(t, 6, fields)
	source := testkit.StartSource(t, url, 200)
	awaitNext(t, source, followers...)
	var commanders []*steadyCommander
	for i := range 4 {
		commanders = append(commanders, startCommander(t, fmt.Sprint("commander-", i), d.dialer("127.0.0.1", fields), d.url("wss")))
	}
	for _, c := range commanders {
		c.awaitEnds(t, 3)
		awaitArrival(t, slow.arrived, c.name+"-slow")
	}
	for i := range bridges {
		bridges[i].signal(t, syscall.SIGTERM)
		bridges[i].ends(t)
		if err := bridges[i].Err(); err != nil {
			t.Fatalf("bridge %d ended with %v:\n%s", i, err, bridges[i].Output)
		}
		awaitNext(t, source, followers...) // by the other bridge
		run(i)
		awaitNext(t, source, followers...)
		for _, c := range commanders {
			c.awaitEnds(t, 3)
		}
	}
	slow.finish()
	source.Stop()
	accepted := source.Accepted()
	awaitReceived(t, accepted[len(accepted)-1], followers...)
	resumed := mustHaveLostNothing(t, followers, accepted)
	sent, crossed := 0, 0
	for _, c := range commanders {
		c.stop(t)
		n, m := c.mustBeTrue(t, arrived)
		sent, crossed = sent+n, crossed+m
	}
	t.Logf("%d followers received each of %d replies once, and resumed %d times; of %d commands each had its end, except %d that no bridge had read",
		len(followers), len(accepted), resumed, sent, crossed)
}

// followers returns clients that reconnect and resume, through the proxy.
func (d *deployment) followers(t *testing.T, n int, fields http.Header) (all []*recordingClient) {
	t.Helper()
	for i := range n {
		all = append(all, followWith(t, fmt.Sprint("follower ", i), d.dialer("127.0.0.1", fields), d.url("wss")))
	}
	testkit.Eventually(t, testkit.Patience, "all are greeted", func() error {
		for _, e := range all {
			if len(e.messagesWith(`"hello"`)) == 0 {
				return fmt.Errorf("%s is not", e.name)
			}
		}
		return nil
	})
	return all
}

// mustHaveLostNothing checks that the followers received each reply once, and returns how often they resumed.
func mustHaveLostNothing(t *testing.T, followers []*recordingClient, accepted []int) int {
	t.Helper()
	resumed := 0
	for _, e := range followers {
		e.mustHaveReceived(t, accepted)
		if gaps := e.messagesWith(`"op":"gap"`); len(gaps) > 0 {
			t.Errorf("gaps were reported to %s: %v", e.name, gaps)
		}
		resumed += len(e.messagesWith(`"resumed":true`))
	}
	if resumed < len(followers) {
		t.Errorf("the followers resumed %d times; each was at a bridge that was stopped", resumed)
	}
	return resumed
}

// slowActor is an actor whose commands run until they are finished, longer than the bridges that sent them.
type slowActor struct {
	arrived func() map[string]int

	mu     sync.Mutex // guards the following field
	ending []func()
}

func newSlowActor(t *testing.T, url string) *slowActor {
	t.Helper()
	s := &slowActor{}
	s.arrived = count(t, url, "slow_commands", "command.slow.#", func(ch *amqp.Channel, d amqp.Delivery) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ending = append(s.ending, func() {
			// An error is the end of the broker or of the test.
			_ = ch.Publish(actor.Exchange, "reply.x", false, false, amqp.Publishing{
				CorrelationId: d.CorrelationId,
				Headers: amqp.Table{"message_code": ":", "sender": "slow", "command_id": d.Headers["command_id"],
					"commander_id": d.Headers["commander_id"], "internal": false},
				Body: []byte("{}"),
			})
		})
		return true
	})
	return s
}

// finish ends all commands.
func (s *slowActor) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, end := range s.ending {
		end()
	}
}
