package main

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// faultyNetwork relays between bridges and their broker, and fails as networks do.
type faultyNetwork struct {
	ln   net.Listener
	to   string
	done sync.WaitGroup

	mu      sync.Mutex // guards the following fields
	pairs   []*pair
	refuses bool
}

// pair is the two sides of a relayed connection.
type pair struct {
	client, broker net.Conn
	flow           sync.RWMutex // locked: nothing is relayed
	once           sync.Once
}

func newFaultyNetwork(t *testing.T, to string) *faultyNetwork {
	t.Helper()
	broker, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &faultyNetwork{ln: ln, to: broker.Host}
	f.done.Go(f.serve)
	t.Cleanup(f.close)
	return f
}

// through returns a broker's URL by way of the network.
func (f *faultyNetwork) through(t *testing.T, broker string) string {
	t.Helper()
	u, err := url.Parse(broker)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = f.ln.Addr().String()
	return u.String()
}

func (f *faultyNetwork) serve() {
	for {
		client, err := f.ln.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", f.to)
		if err != nil {
			client.Close()
			continue
		}
		f.mu.Lock()
		p := &pair{client: client, broker: broker}
		f.pairs = append(f.pairs, p)
		if f.refuses {
			client.Close()
			broker.Close()
		}
		f.mu.Unlock()
		f.done.Go(func() { p.pump(broker, client) })
		f.done.Go(func() { p.pump(client, broker) })
	}
}

// pump relays bytes until one side ends, which ends the other, unless the network is silent.
func (p *pair) pump(to, from net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		p.flow.RLock()
		if err == nil {
			_, err = to.Write(buf[:n])
		}
		if err != nil {
			to.Close()
		}
		p.flow.RUnlock()
		if err != nil {
			return
		}
	}
}

// silence stops relaying on all current connections, even their end.
func (f *faultyNetwork) silence() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.pairs {
		p.once.Do(p.flow.Lock)
	}
}

// halfOpen resets the bridges' side of all connections, which the broker does not notice.
func (f *faultyNetwork) halfOpen() {
	f.silence()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.pairs {
		_ = p.client.(*net.TCPConn).SetLinger(0)
		p.client.Close()
	}
}

// dropAll closes all connections and, if refuse is set, all later ones until dropAll(false).
func (f *faultyNetwork) dropAll(refuse bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuses = refuse
	for _, p := range f.pairs {
		p.client.Close()
		p.broker.Close()
	}
}

func (f *faultyNetwork) close() {
	f.ln.Close()
	f.dropAll(true)
	f.mu.Lock()
	for _, p := range f.pairs {
		silent := true
		p.once.Do(func() { silent = false })
		if silent {
			p.flow.Unlock()
		}
	}
	f.mu.Unlock()
	f.done.Wait()
}
