package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/actor"
)

// roundTrips measures the time from a client's command until it has the actor's answer, one at a time. The actor is on
// AMQP for the bridge and CLU's own server, and a second client of the peer for the others.
func (r *peersRun) roundTrips(ctx context.Context, t *peerTurn) error {
	if !t.asked {
		return nil
	}
	trip, end, err := r.tripper(ctx, t)
	if err != nil {
		return err
	}
	defer end()
	took := make([]float64, r.size.RoundTrips)
	for i := range took {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		d, err := trip(firstNumber + uint64(i))
		if err != nil {
			return err
		}
		took[i] = float64(d) / 1e6
	}
	t.result.RoundTrip = median(took)
	return nil
}

// tripper starts an actor and a client for round trips.
func (r *peersRun) tripper(ctx context.Context, t *peerTurn) (trip func(uint64) (time.Duration, error), end func(), err error) {
	if t.dialect != nil {
		return r.topicTripper(ctx, t)
	}
	source := t.source.(viaBroker)
	url := r.rabbitURL
	if url == "" {
		url = r.brokerURL
	}
	answering, err := startBareActor(url, []actor.Code{actor.Done}, source.exchange)
	if err != nil {
		return nil, nil, err
	}
	client, err := dialCommander(ctx, t.addr.String())
	if err != nil {
		answering.close()
		return nil, nil, err
	}
	return client.trip, func() { client.close(); answering.close() }, nil
}

func (r *peersRun) topicTripper(ctx context.Context, t *peerTurn) (trip func(uint64) (time.Duration, error), end func(), err error) {
	answering, err := dialTopic(ctx, t.runningPeer, commandsTopic)
	if err != nil {
		return nil, nil, err
	}
	asking, err := dialTopic(ctx, t.runningPeer, answersTopic)
	if err != nil {
		answering.close()
		return nil, nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		answering.answer()
	}()
	return asking.trip, func() { asking.close(); answering.close(); <-ended }, nil
}

// topicClient is a client of a peer with topics.
type topicClient struct {
	*commander
	dialect *dialect
	checker checker
	stream  stream // the numbers that it has received
}

// dialTopic connects a client that subscribes to a topic.
func dialTopic(ctx context.Context, p *runningPeer, topic string) (*topicClient, error) {
	dialer := ws.Dialer{}
	if p.dialect.protocol != "" {
		dialer.Protocols = []string{p.dialect.protocol}
	}
	conn, from, _, err := dialer.Dial(ctx, "ws://"+p.addr.String()+p.path)
	if err != nil {
		return nil, err
	}
	c := &topicClient{commander: newCommander(conn, from), dialect: p.dialect}
	for _, s := range p.dialect.steps(topic) {
		if err := c.take(s); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

// take takes a step of the dialect.
func (c *topicClient) take(s step) error {
	if err := c.conn.SetDeadline(time.Now().Add(tripTimeout)); err != nil {
		return err
	}
	if _, err := c.conn.Write(c.dialect.frame([]byte(s.send))); err != nil {
		return err
	}
	for {
		answer, err := c.readData()
		switch {
		case err != nil:
			return err
		case refused(answer):
			return fmt.Errorf("a client was answered %q", answer)
		case s.done(answer):
			return c.conn.SetDeadline(time.Time{})
		}
	}
}

// publish publishes a payload.
func (c *topicClient) publish(topic string, payload []byte) error {
	_, err := c.conn.Write(c.dialect.frame(c.dialect.publish(topic, payload)))
	return err
}

// receive reads a frame, and returns the number of the last message that has come.
func (c *topicClient) receive() (uint64, error) {
	payload, err := c.readData()
	if err != nil {
		return 0, err
	}
	if c.dialect.pings(payload) {
		if _, err := c.conn.Write(c.dialect.frame([]byte(c.dialect.pong))); err != nil {
			return 0, err
		}
	}
	c.checker.scan(&c.stream, payload)
	return c.stream.next - 1, nil
}

// answer answers each command with a reply of its number, until the connection is closed. An error shows at the client,
// which misses the answer.
func (c *topicClient) answer() {
	for last := uint64(firstNumber) - 1; ; {
		number, err := c.receive()
		if err != nil {
			return
		}
		if c.stream.next == 0 || number == last {
			continue
		}
		last = number
		reply, err := peerPayload(number)
		if err != nil || c.publish(answersTopic, reply) != nil {
			return
		}
	}
}

// trip sends a command, and returns the time until its answer has come.
func (c *topicClient) trip(number uint64) (time.Duration, error) {
	command := fmt.Appendf(nil, `{"consumer": %q, "command_string": "status", %s%0*d}`, consumer, marker, digits, number)
	if err := c.conn.SetDeadline(time.Now().Add(tripTimeout)); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := c.publish(commandsTopic, command); err != nil {
		return 0, err
	}
	for c.stream.next <= number {
		if _, err := c.receive(); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}
