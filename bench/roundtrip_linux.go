package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
)

// addedRoundTrip is the goal for what the bridge adds to a command's round trip at p50, in milliseconds.
const addedRoundTrip = 0.3

// roundTrip measures the time from a command to the reply that it is done, one at a time: from a WebSocket client through
// the bridge, and from a bare AMQP commander. The same bare actor replies to both.
func (b *bench) roundTrip(ctx context.Context) ([]Row, error) {
	server, err := b.serverAt(ctx, b.rabbitURL, "--message-rate", "1000000")
	if err != nil {
		return nil, err
	}
	defer server.stop()
	answering, err := startBareActor(b.rabbitURL, []actor.Code{actor.Done}, exchange, bareExchange)
	if err != nil {
		return nil, err
	}
	defer answering.close()
	client, err := dialCommander(ctx, server.addr.String())
	if err != nil {
		return nil, err
	}
	defer client.close()
	bare, err := newBareCommander(b.rabbitURL)
	if err != nil {
		return nil, err
	}
	defer bare.close()

	var with, without []float64
	next := uint64(firstNumber)
	into := func(name string, list *[]float64, trip func(number uint64) (time.Duration, error)) func() error {
		return func() error {
			b.progress.begin("roundtrip", fmt.Sprintf("%d commands through %s, %d rounds done", b.size.RoundTrips, name, len(*list)), roundTripTime(b.size))
			took := make([]float64, b.size.RoundTrips)
			for i := range took {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				d, err := trip(next)
				if err != nil {
					return fmt.Errorf("through %s: %w", name, err)
				}
				next++
				took[i] = float64(d) / 1e6
			}
			*list = append(*list, percentile(took, 50))
			return nil
		}
	}
	// The first round of each warms up, and does not count.
	if err := alternate(1+b.size.Rounds, into("a bare commander", &without, bare.trip), into("the bridge", &with, client.trip)); err != nil {
		return nil, err
	}
	return []Row{row("roundtrip", "round trip of a command, p50", "ms", with[1:], "bare commander", without[1:],
		limit{by: Difference, bound: addedRoundTrip})}, nil
}

func roundTripTime(s Sizes) float64 { return 1e-3 * float64(s.RoundTrips) }

func roundTripSeconds(s Sizes) float64 { return float64(2+2*s.Rounds) * roundTripTime(s) }

// tripTimeout is how long a round trip may take.
const tripTimeout = 5 * time.Second

// trip sends a command, and returns the time until it is done.
func (c *commander) trip(number uint64) (time.Duration, error) {
	frame, id, err := commandFrame(number)
	if err != nil {
		return 0, err
	}
	if err := c.conn.SetDeadline(time.Now().Add(tripTimeout)); err != nil {
		return 0, err
	}
	start := time.Now()
	if _, err := c.conn.Write(frame); err != nil {
		return 0, err
	}
	text, err := c.readText()
	took := time.Since(start)
	if err == nil && (!bytes.Contains(text, []byte(id)) || !bytes.Contains(text, []byte(`"message_code": ":"`))) {
		err = fmt.Errorf("the answer to command %s is %s", id, text)
	}
	return took, err
}

// bareCommander sends commands and receives replies by AMQP alone.
type bareCommander struct {
	*publisher
	replies    *amqp.Connection
	deliveries <-chan amqp.Delivery
}

func newBareCommander(url string) (*bareCommander, error) {
	p, err := newPublisher(url, bareExchange)
	if err != nil {
		return nil, err
	}
	c := &bareCommander{publisher: p}
	if c.replies, c.deliveries, err = consume(url, bareExchange, "reply.#"); err != nil {
		p.close()
		return nil, fmt.Errorf("the bare commander: %w", err)
	}
	return c, nil
}

func (c *bareCommander) close() {
	c.replies.Close()
	c.publisher.close()
}

// trip does the same as that of a WebSocket client.
func (c *bareCommander) trip(number uint64) (time.Duration, error) {
	command := actor.NewCommand("bench", consumer, commandString(number), "")
	m := command.Message()
	start := time.Now()
	if err := c.channel.Publish(c.exchange, m.Key, m.Mandatory, false, m.Publishing); err != nil {
		return 0, err
	}
	select {
	case d := <-c.deliveries:
		took := time.Since(start)
		if d.CorrelationId != command.CommandID || d.Headers["message_code"] != string(actor.Done) {
			return 0, fmt.Errorf("the answer to command %s is %v %q", command.CommandID, d.Headers, d.Body)
		}
		return took, nil
	case <-time.After(tripTimeout):
		return 0, errors.New("no reply in time")
	}
}
