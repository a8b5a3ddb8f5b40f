package bench

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// peerClients connects clients that count all numbers in what they get.
func (b *bench) peerClients(ctx context.Context, p *runningPeer, n int) (*clientSet, error) {
	set := newClientSet(b.loop, dialer{to: p.addr, path: p.path, host: p.addr.String(), headers: p.dialect.headers(), window: p.window})
	set.dialect = p.dialect
	if p.dialect != nil {
		for _, topic := range topicNames(p.topics) {
			set.steps = append(set.steps, p.dialect.steps(topic))
		}
	}
	if topics := uint64(p.topics); topics > 1 {
		set.subset = func(i int) subset { return subset{modulus: topics, remainder: uint64(i) % topics} }
	}
	set.checker.data = func(payload []byte) { set.current.message(payload) }
	if _, err := set.connect(ctx, n); err != nil {
		set.disconnect()
		return nil, err
	}
	return set, nil
}

// headers returns the header field for the subprotocol.
func (d *dialect) headers() []string {
	if d == nil || d.protocol == "" {
		return nil
	}
	return []string{"Sec-WebSocket-Protocol: " + d.protocol + "\r\n"}
}

// greet sends the message of the current step, or opens the client after the last. An error shows at the next read.
func (c *client) greet() {
	if c.step == len(c.steps) {
		c.state = stateOpen
		c.set.opened(c)
		return
	}
	_, _ = unix.Write(c.fd, c.set.dialect.frame([]byte(c.steps[c.step].send)))
}

// message handles a data frame.
func (c *client) message(payload []byte) {
	if d := c.set.dialect; c.state != stateGone && d.pings(payload) {
		_, _ = unix.Write(c.fd, d.frame([]byte(d.pong)))
	}
	switch {
	case c.state == stateGone:
	case c.state == stateOpen:
		c.set.checker.scan(&c.stream, payload)
	case c.state == stateGreeting && c.set.dialect.refused(payload):
		c.fail(fmt.Sprintf("was answered %q", payload[:min(len(payload), 200)]))
	case c.state == stateGreeting && c.steps[c.step].done(payload):
		c.step++
		c.greet()
	}
}
