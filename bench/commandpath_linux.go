package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// commandPath is a path for commands to the consumer that drains them.
type commandPath struct {
	name   string
	sink   *commandSink
	source commandSource
}

// commandSource sends numbered commands.
type commandSource interface {
	// prepare makes the commands from number first on, each of them for each sender, before anything is timed.
	prepare(first uint64, senders, each int) error
	// send sends them.
	send(ctx context.Context) error
	// arrived is called for every command that the consumer got.
	arrived(sender int)
	// unexpected receives the first error that a sender got.
	unexpected() <-chan error
	close()
}

func (p *commandPath) close() {
	p.source.close()
	p.sink.close()
}

// deliver sends each commands from each sender to the consumer, and returns the time from the first sent to the last
// arrived.
func (p *commandPath) deliver(ctx context.Context, senders, each int) (time.Duration, error) {
	if err := p.source.prepare(p.sink.next, senders, each); err != nil {
		return 0, err
	}
	ctx, stop := context.WithTimeoutCause(ctx, patience, fmt.Errorf("nothing more within %v", patience))
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel(nil)
	tasks.Go(func() {
		select {
		case err := <-p.source.unexpected():
			cancel(err)
		case <-ctx.Done():
		}
	})
	start := time.Now()
	sent := make(chan struct{})
	tasks.Go(func() {
		defer close(sent)
		if err := p.source.send(ctx); err != nil {
			cancel(err)
		}
	})
	at, err := p.sink.receive(ctx, senders, each, p.source.arrived)
	if err != nil {
		return 0, err
	}
	<-sent // the last confirm follows the last command
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return at.Sub(start), nil
}

// awaitQuiet waits until no sender can get an error any more, which is about a second.
func (p *commandPath) awaitQuiet(ctx context.Context) error {
	select {
	case err := <-p.source.unexpected():
		return fmt.Errorf("through %s: %w", p.name, err)
	case <-time.After(failureDeadline):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// clientsSource is a few WebSocket clients. Each has a limited number of commands in flight: sent, and not yet with the
// consumer.
type clientsSource struct {
	clients   []*commander
	slots     []chan struct{} // of each client, one for each command that it may send
	frames    [][][]byte      // of each client
	answers   chan error
	listening sync.WaitGroup
}

func newClientsSource(ctx context.Context, addr string, clients, inFlight int) (*clientsSource, error) {
	s := &clientsSource{answers: make(chan error, clients), frames: make([][][]byte, clients)}
	for range clients {
		c, err := dialCommander(ctx, addr)
		if err != nil {
			s.close()
			return nil, err
		}
		s.clients = append(s.clients, c)
		slots := make(chan struct{}, inFlight)
		for range inFlight {
			slots <- struct{}{}
		}
		s.slots = append(s.slots, slots)
		s.listening.Go(func() { s.answers <- c.expectSilence() })
	}
	return s, nil
}

// expectSilence waits for a text, which would be an error: these commands get no reply, and the server sends a text only
// if one has failed.
func (c *commander) expectSilence() error {
	text, err := c.readText()
	if err == nil {
		err = fmt.Errorf("a client received %s", text)
	}
	return err
}

func (s *clientsSource) prepare(first uint64, senders, each int) error {
	for i := range senders {
		s.frames[i] = s.frames[i][:0]
		for n := range each {
			frame, _, err := commandFrame(first + uint64(i*each+n))
			if err != nil {
				return err
			}
			s.frames[i] = append(s.frames[i], frame)
		}
	}
	return nil
}

func (s *clientsSource) send(ctx context.Context) error {
	var sending sync.WaitGroup
	failed := make([]error, len(s.clients))
	for i, c := range s.clients {
		sending.Go(func() { failed[i] = c.send(ctx, s.frames[i], s.slots[i]) })
	}
	sending.Wait()
	return errors.Join(failed...)
}

func (s *clientsSource) arrived(sender int) { s.slots[sender] <- struct{}{} }

func (s *clientsSource) unexpected() <-chan error { return s.answers }

func (s *clientsSource) close() {
	for _, c := range s.clients {
		c.close()
	}
	s.listening.Wait()
}

// confirmerSource is the bare publisher of the same commands.
type confirmerSource struct {
	*confirmer
	exchange string
	messages []amqpx.Message
}

func (s *confirmerSource) prepare(first uint64, senders, each int) error {
	s.messages = s.messages[:0]
	for i := range uint64(senders * each) {
		command := actor.NewCommand("bench", consumer, commandString(first+i), "")
		s.messages = append(s.messages, command.Message())
	}
	return nil
}

func (s *confirmerSource) send(ctx context.Context) error {
	return s.publish(ctx, s.exchange, len(s.messages), func(i int) amqpx.Message { return s.messages[i] })
}

func (s *confirmerSource) arrived(int) {}

func (s *confirmerSource) unexpected() <-chan error { return nil }
