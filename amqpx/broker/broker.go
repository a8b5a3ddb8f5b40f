package broker

import (
	"errors"
	"log/slog"
	"net"
	"sync"
)

// ErrClosed is returned by Serve and Dial once the broker is closed.
var ErrClosed = errors.New("broker closed")

// Broker is one AMQP node with one virtual host, "/". Its methods may be called from any goroutine.
type Broker struct {
	cfg Config
	log *slog.Logger

	running sync.WaitGroup // Serve loops and connections
	closing chan struct{}  // closed by Close

	mu        sync.Mutex // guards the following fields, and every exchange, queue, consumer and channel's unacked
	closed    bool
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	exchanges map[string]*exchange
	queues    map[string]*queue
	bindings  int // how many, over all exchanges
	consumers int // how many, over all queues
	memory    int // bytes of the messages in all queues, see memory.go
	alarm     bool
	refused   int // publishes refused since the alarm was raised
}

// New returns a broker without clients. The caller closes it.
func New(cfg Config) *Broker {
	cfg = cfg.withDefaults()
	b := &Broker{
		cfg:       cfg,
		log:       cfg.Logger,
		closing:   make(chan struct{}),
		listeners: make(map[net.Listener]struct{}),
		conns:     make(map[*conn]struct{}),
		exchanges: make(map[string]*exchange),
		queues:    make(map[string]*queue),
	}
	b.predeclareExchanges()
	return b
}

// Connections returns how many clients are connected.
func (b *Broker) Connections() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.conns)
}

// DropConnections closes every connection without a closing handshake, as a broken network or a killed
// broker does, and returns once everything that belonged to them is gone: exclusive queues, consumers,
// auto-delete exchanges. New connections are still accepted.
func (b *Broker) DropConnections() {
	conns := b.snapshotConns()
	for _, c := range conns {
		_ = c.nc.Close()
	}
	for _, c := range conns {
		<-c.ended
	}
}

// DeleteQueue deletes a queue, exclusive or not, as an operator of the broker may, and reports whether it
// existed. Its consumers are cancelled and its messages discarded.
func (b *Broker) DeleteQueue(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[name]
	if q != nil {
		b.deleteQueue(q)
	}
	return q != nil
}

// Close stops listening, sends every client connection.close (320 CONNECTION_FORCED), waits up to a second
// for their answers, and returns when every goroutine of the broker has ended. It may be called again.
func (b *Broker) Close() error {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		close(b.closing)
	}
	for ln := range b.listeners {
		_ = ln.Close()
	}
	b.mu.Unlock()
	for _, c := range b.snapshotConns() {
		c.shutdown()
	}
	b.running.Wait()
	return nil
}

func (b *Broker) snapshotConns() []*conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	conns := make([]*conn, 0, len(b.conns))
	for c := range b.conns {
		conns = append(conns, c)
	}
	return conns
}
