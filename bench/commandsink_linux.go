package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// commandSink is an actor that only consumes commands, and checks that none is lost, duplicated or out of order.
type commandSink struct {
	conn       *amqp.Connection
	deliveries <-chan amqp.Delivery
	next       uint64 // the number of the next command
}

func newCommandSink(url, exchange string) (*commandSink, error) {
	conn, deliveries, err := consume(url, exchange, "command."+consumer+".#")
	if err != nil {
		return nil, fmt.Errorf("the bare consumer of commands: %w", err)
	}
	return &commandSink{conn: conn, deliveries: deliveries, next: firstNumber}, nil
}

func (s *commandSink) close() { s.conn.Close() }

// receive waits for each commands from each of the senders, in the order of each sender, and returns when the last one
// arrived. The numbers of the first sender come before those of the second.
func (s *commandSink) receive(ctx context.Context, senders, each int, arrived func(sender int)) (time.Time, error) {
	first := s.next
	s.next += uint64(senders * each)
	streams := make([]stream, senders)
	for i := range streams {
		streams[i].next = first + uint64(i*each)
	}
	var faults faultCounts
	for n := range senders * each {
		select {
		case d, ok := <-s.deliveries:
			if !ok {
				return time.Time{}, errors.New("the bare consumer of commands lost its connection")
			}
			number, found := commandNumber(d.Body)
			if !found || number-first >= uint64(senders*each) {
				return time.Time{}, fmt.Errorf("a command arrived that was not sent in this round: %q", d.Body)
			}
			sender := int(number-first) / each
			streams[sender].add(number, &faults)
			arrived(sender)
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("%d of %d commands arrived: %w", n, senders*each, context.Cause(ctx))
		}
	}
	if faults != (faultCounts{}) {
		return time.Time{}, fmt.Errorf("commands: %v", faults)
	}
	return time.Now(), nil
}
