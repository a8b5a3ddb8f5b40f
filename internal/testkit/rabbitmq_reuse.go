package testkit

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// resetTimeout bounds the reset of a node, which takes a tenth of a second; a start takes four seconds of a processor.
const resetTimeout = 20 * time.Second

// takeIdle returns the node with these options that an earlier test of this binary has left last, or nil.
func (s *sharedServices) takeIdle(opts rabbitOptions) *Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, n := range slices.Backward(s.idle) {
		if n.suits(opts) {
			s.idle = slices.Delete(s.idle, i, i+1)
			return n
		}
	}
	return nil
}

// release keeps a node for the next test that asks for one like it. It discards the node if its test has failed or has
// stopped it, and if it cannot be reset.
func (s *sharedServices) release(t testing.TB, n *Node) {
	if t.Failed() || n.proc == nil {
		n.discard()
		return
	}
	if err := n.reset(); err != nil {
		t.Logf("the node is not used again: %v", err)
		n.discard()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, n)
}

// suits reports whether the node serves a test that asks for these options. A listener for TLS is in nobody's way.
func (n *Node) suits(opts rabbitOptions) bool {
	sameTLS := n.opts.tls == opts.tls && n.opts.clientCerts == opts.clientCerts
	return (sameTLS || !opts.tls) && slices.Equal(n.opts.plugins, opts.plugins) && slices.Equal(n.opts.config, opts.config)
}

// reset removes all that a test has created: connections, virtual hosts with their contents, users, the memory alarm.
func (n *Node) reset() error {
	if err := n.proc.Signal(resumeSignal); err != nil {
		return err
	}
	_, err := n.evalWithin(resetTimeout, fmt.Sprintf(`
		By = <<"%s">>,
		%s,
		vm_memory_monitor:set_vm_memory_high_watermark(%s),
		[ok = rabbit_vhost:delete(V, By) || V <- rabbit_vhost:list_names()],
		[ok = rabbit_auth_backend_internal:delete_user(U, By) ||
		 [{user, U} | _] <- rabbit_auth_backend_internal:list_users(), U =/= <<"guest">>],
		rabbit_vhost:add(<<"/">>, By),
		rabbit_auth_backend_internal:set_permissions(<<"guest">>, <<"/">>, <<".*">>, <<".*">>, <<".*">>, By).`,
		actingUser, closeConnections("the test is over"), memoryWatermark))
	return err
}
