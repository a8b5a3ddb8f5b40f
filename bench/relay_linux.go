package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// relay is the bare consumer that writes: it consumes replies as the bridge does, with the same prefetch and acks, makes
// the same frames of them, and writes those that wait to all sockets at once. It checks nothing and knows only the
// replies of this package, whose fields need no escaping. What remains is the cost of AMQP and of the sockets.
type relay struct {
	deliveries <-chan amqp.Delivery
	ended      chan struct{} // closed when the deliveries have ended

	mu      sync.Mutex // guards the following fields
	frames  []byte     // consumed and not written yet
	taken   int        // replies in them
	arrived chan struct{}

	spare [][]byte // buffers of the previous burst
}

// Relay runs the bare consumer that writes as a process of its own. It prints its address, and reads the command
//
//	relay COUNT   write the next COUNT replies to all sockets; answered when everything is written
//
// from stdin. It ends with stdin, or with the context.
func Relay(ctx context.Context, url string, stdin io.Reader, stdout io.Writer) error {
	conn, err := amqp.Dial(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	queue, err := bindQueue(channel, bareExchange, "reply.#")
	if err != nil {
		return err
	}
	if err := channel.Qos(prefetch, 0, false); err != nil {
		return err
	}
	r := &relay{ended: make(chan struct{}), arrived: make(chan struct{}, 1)}
	if r.deliveries, err = channel.Consume(queue, "relay", false, true, false, false, nil); err != nil {
		return err
	}
	go r.consume()
	return serveBare(ctx, stdin, stdout, r.execute)
}

// consume consumes replies until the connection ends.
func (r *relay) consume() {
	defer close(r.ended)
	ackTimer := time.NewTimer(time.Hour)
	defer ackTimer.Stop()
	var last amqp.Delivery
	unacked := 0
	ack := func() {
		if unacked > 0 {
			_ = last.Ack(true) // an error ends the deliveries
		}
		unacked = 0
	}
	for {
		select {
		case d, ok := <-r.deliveries:
			if !ok {
				return
			}
			r.add(&d)
			if last = d; unacked == 0 {
				ackTimer.Reset(ackDelay)
			}
			if unacked++; unacked == prefetch/4 {
				ack()
			}
		case <-ackTimer.C:
			ack()
		}
	}
}

// ackDelay is how long a delivery stays unacknowledged at most, as in the bridge.
const ackDelay = 50 * time.Millisecond

func (r *relay) add(d *amqp.Delivery) {
	r.mu.Lock()
	r.frames = appendBareFrame(r.frames, d)
	r.taken++
	r.mu.Unlock()
	select {
	case r.arrived <- struct{}{}:
	default:
	}
}

// appendBareFrame appends the frame of a reply of this package, byte for byte as a bridge makes it.
func appendBareFrame(dst []byte, d *amqp.Delivery) []byte {
	const header = 4 // the length of all these replies takes two bytes
	start := len(dst)
	dst = append(dst, 0x81, 126, 0, 0)
	code, _ := d.Headers["message_code"].(string)
	sender, _ := d.Headers["sender"].(string)
	dst = append(dst, `{"headers": {"command_id": null, "commander_id": null, "internal": false, "message_code": "`...)
	dst = append(dst, code...)
	dst = append(dst, `", "sender": "`...)
	dst = append(dst, sender...)
	dst = append(dst, `"}, "exchange": "`...)
	dst = append(dst, d.Exchange...)
	dst = append(dst, `", "message_id": "`...)
	dst = append(dst, d.MessageId...)
	dst = append(dst, `", "routing_key": "`...)
	dst = append(dst, d.RoutingKey...)
	dst = append(dst, `", "timestamp": `...)
	dst = d.Timestamp.UTC().AppendFormat(dst, `"2006-01-02T15:04:05+00:00"`)
	dst = append(dst, `, "body": `...)
	dst = append(dst, d.Body...)
	dst = append(dst, '}')
	binary.BigEndian.PutUint16(dst[start+2:], uint16(len(dst)-start-header))
	return dst
}

// execute writes replies to all sockets.
func (r *relay) execute(b *baseline, command string) error {
	var count int
	if _, err := fmt.Sscanf(command, "relay %d", &count); err != nil {
		return err
	}
	r.spare = append(r.spare, b.writes...)
	b.writes = nil
	for _, s := range b.upgraded {
		s.at, s.off, s.blocked = 0, 0, false
	}
	for done := 0; done < count; {
		select {
		case <-r.arrived:
		case <-r.ended:
			return errors.New("the connection to the broker has ended")
		}
		r.mu.Lock()
		frames, taken := r.frames, r.taken
		r.frames, r.taken = nil, 0
		if n := len(r.spare); n > 0 {
			r.frames, r.spare = r.spare[n-1][:0], r.spare[:n-1]
		}
		r.mu.Unlock()
		if taken == 0 {
			continue
		}
		done += taken
		b.writes = append(b.writes, frames)
		b.pending = len(b.upgraded)
		full := false
		for _, s := range b.upgraded {
			b.write(s, len(b.writes))
			full = full || s.blocked
		}
		if full {
			b.poll(0)
		}
	}
	b.pending = 0
	for _, s := range b.upgraded {
		if s.at < len(b.writes) {
			b.pending++
		}
	}
	for b.pending > 0 {
		b.poll(-1)
	}
	return nil
}
