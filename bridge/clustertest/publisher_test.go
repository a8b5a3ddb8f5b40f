//go:build cluster

package clustertest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
)

// What a publisher tolerates before it tries the next node.
const (
	handshakeTime = 2 * time.Second
	setupTime     = 5 * time.Second
	stallTime     = 5 * time.Second  // without any confirm, although some are outstanding
	nackTime      = 3 * time.Second  // with nothing but nacks
	lastConfirms  = 10 * time.Second // when it ends
	unconfirmed   = 5000             // it sends no more while this many confirms are outstanding
)

// publisher publishes numbered replies at a steady rate to any node that accepts them, and
// records the fate of each. It publishes none twice.
type publisher struct {
	id, rate int
	urls     []string
	cancel   context.CancelFunc
	ended    sync.WaitGroup

	// mu guards the following field.
	mu    sync.Mutex
	fates []fate // by number
}

// fate is what happened to a reply.
type fate struct {
	sent, settled time.Time // settled is zero if the broker never told
	accepted      bool      // confirmed, and some queue had it
	returned      bool      // no queue had it
	nacked        bool      // some queue did not take it
}

// startPublisher publishes until the test ends or it is stopped.
func startPublisher(t *testing.T, id, rate int, urls []string) *publisher {
	ctx, cancel := context.WithCancel(context.Background())
	p := &publisher{id: id, rate: rate, urls: urls, cancel: cancel}
	p.ended.Go(func() {
		for i := id; ctx.Err() == nil; i++ {
			p.connect(ctx, urls[i%len(urls)])
		}
	})
	t.Cleanup(p.stop)
	return p
}

// stop returns when the fate of the last reply is known, or the broker sends no more confirms.
func (p *publisher) stop() {
	p.cancel()
	p.ended.Wait()
}

// connect publishes on one node until that fails.
func (p *publisher) connect(ctx context.Context, url string) {
	var socket net.Conn
	conn, err := amqp.DialConfig(url, amqp.Config{
		Heartbeat: time.Minute, // a publisher has a watch of its own
		Dial: func(network, addr string) (net.Conn, error) {
			var err error
			socket, err = amqp.DefaultDial(handshakeTime)(network, addr)
			return socket, err
		},
	})
	if err != nil {
		pause(ctx, 20*time.Millisecond)
		return
	}
	// A call that hangs is blocked in the socket: closing that ends it.
	defer func() { socket.Close(); <-conn.NotifyClose(make(chan *amqp.Error, 1)) }()
	setup := time.AfterFunc(setupTime, func() { socket.Close() })
	ch, err := open(conn)
	if err == nil {
		err = ch.ExchangeDeclare(actor.Exchange, "topic", false, true, false, false, nil)
	}
	setup.Stop()
	if err != nil {
		pause(ctx, 20*time.Millisecond)
		return
	}
	(&turn{publisher: p, ch: ch, base: p.sent()}).run(ctx, socket)
}

func open(conn *amqp.Connection) (*amqp.Channel, error) {
	ch, err := conn.Channel()
	if err != nil {
		return nil, err
	}
	return ch, ch.Confirm(false)
}

// turn is a publisher's work on one connection.
type turn struct {
	*publisher
	ch      *amqp.Channel
	base    int          // the number of the first reply
	settled atomic.Int64 // how many confirms came, and
	nacks   atomic.Int64 // how many of them in a row, up to the last, were nacks
}

func (tn *turn) run(ctx context.Context, socket net.Conn) {
	returns := tn.ch.NotifyReturn(make(chan amqp.Return, 1<<16))
	confirms := tn.ch.NotifyPublish(make(chan amqp.Confirmation, 1<<16))
	var settling sync.WaitGroup
	settling.Go(func() { tn.settle(confirms, returns) })
	watch, stopWatch := context.WithCancel(context.Background())
	settling.Go(func() { tn.watch(watch, socket) })
	tn.send(ctx)
	if ctx.Err() != nil {
		tn.awaitConfirms()
	}
	stopWatch()
	socket.Close()
	settling.Wait()
}

// send keeps up the rate until the connection breaks or the context ends.
func (tn *turn) send(ctx context.Context) {
	began := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	skipped := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		due := int(time.Since(began).Seconds()*float64(tn.rate)) - skipped - (tn.sent() - tn.base)
		for range due {
			if tn.outstanding() >= unconfirmed {
				skipped++
				continue
			}
			n := tn.next()
			body := fmt.Sprintf(`{"p": %d, "n": %d}`, tn.id, n)
			err := tn.ch.Publish(actor.Exchange, "reply.broadcast", true, false, amqp.Publishing{
				MessageId: strconv.Itoa(n),
				Headers: amqp.Table{
					"message_code": "i", "sender": fmt.Sprintf("publisher%d", tn.id),
					"command_id": nil, "commander_id": nil, "internal": false,
				},
				Body: []byte(body),
			})
			if err != nil {
				return
			}
		}
	}
}

// outstanding returns how many confirms have not come.
func (tn *turn) outstanding() int { return tn.sent() - tn.base - int(tn.settled.Load()) }

// watch closes the socket of a broker that stalls with confirms outstanding, or sends only nacks:
// RabbitMQ 3.10 refuses everything that a channel publishes to a quorum queue if the first message
// came while the node of the queue's leader was down, until that node is back.
func (tn *turn) watch(ctx context.Context, socket net.Conn) {
	progress, since, taken := tn.settled.Load(), time.Now(), time.Now()
	for ctx.Err() == nil {
		pause(ctx, 100*time.Millisecond)
		if now := tn.settled.Load(); now != progress || tn.outstanding() == 0 {
			progress, since = now, time.Now()
		}
		if tn.nacks.Load() == 0 {
			taken = time.Now()
		}
		if time.Since(since) > stallTime || time.Since(taken) > nackTime {
			socket.Close()
			return
		}
	}
}

// settle records the broker's answer to each reply. A return comes before its confirm.
func (tn *turn) settle(confirms <-chan amqp.Confirmation, returns <-chan amqp.Return) {
	for c := range confirms {
		for more := true; more; {
			select {
			case r, ok := <-returns:
				if more = ok; ok {
					n, _ := strconv.Atoi(r.MessageId)
					tn.note(n, func(f *fate) { f.returned = true })
				}
			default:
				more = false
			}
		}
		tn.note(tn.base+int(c.DeliveryTag)-1, func(f *fate) {
			f.settled, f.accepted, f.nacked = time.Now(), c.Ack && !f.returned, !c.Ack
		})
		if tn.settled.Add(1); c.Ack {
			tn.nacks.Store(0)
		} else {
			tn.nacks.Add(1)
		}
	}
}

// awaitConfirms waits for the last ones.
func (tn *turn) awaitConfirms() {
	ctx, cancel := context.WithTimeout(context.Background(), lastConfirms)
	defer cancel()
	for tn.outstanding() > 0 && ctx.Err() == nil && !tn.ch.IsClosed() {
		pause(ctx, 5*time.Millisecond)
	}
}

// next records that a reply is sent now, and returns its number.
func (p *publisher) next() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fates = append(p.fates, fate{sent: time.Now()})
	return len(p.fates) - 1
}

// sent returns how many replies were sent.
func (p *publisher) sent() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.fates)
}

func (p *publisher) note(n int, change func(*fate)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.fates[n])
}

// lastAccepted returns the number of the last reply that was confirmed, or -1.
func (p *publisher) lastAccepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := len(p.fates) - 1; n >= 0; n-- {
		if p.fates[n].accepted {
			return n
		}
	}
	return -1
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
