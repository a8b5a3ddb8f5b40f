package actor_test

import (
	"slices"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAnActorAndAClientCommunicateOverRabbitMQ(t *testing.T) {
	x := newExchange(t, amqpx.Config{URLs: []string{testkit.RabbitMQ(t).NewVHost(t)}, PublishTimeout: 10 * time.Second})
	defer x.close()
	x.run(x.actor(actor.Config{Name: "dome"}, withHandlers))
	c := x.client()
	r, err := x.do(c, "dome", "slew 1 2")
	if got := lines(r.Replies); err != nil || !slices.Equal(got, []string{`> {}`, `i {"args":["1","2"],"ra":1}`, `: {}`}) {
		t.Errorf("%q, %v", got, err)
	}
	_, err = x.do(c, "dome", "boom")
	if e := failure(t, err); e.Status != actor.StatusFailed {
		t.Error(e)
	}
	r, err = x.do(c, "nobody", "ping")
	if e := failure(t, err); e.Status != actor.StatusUnroutable || len(r.Replies) != 1 {
		t.Errorf("%v after %q", e, lines(r.Replies))
	}
}
