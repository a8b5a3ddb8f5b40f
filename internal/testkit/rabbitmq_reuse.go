package testkit

import (
	"fmt"
	"testing"
	"time"
)

// resetTimeout bounds the reset of a node, which takes a tenth of a second; a start takes four seconds of a processor.
const resetTimeout = 20 * time.Second

// takeIdle returns a node that an earlier test of this binary has left, or nil.
func (s *sharedServices) takeIdle() *Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) == 0 {
		return nil
	}
	n := s.idle[len(s.idle)-1]
	s.idle = s.idle[:len(s.idle)-1]
	return n
}

// release keeps a node for the next test that asks for one. It discards the node if its test has failed or has stopped
// it, if it cannot be reset, and if it was started with options.
func (s *sharedServices) release(t testing.TB, n *Node) {
	if t.Failed() || n.customized() || n.proc == nil || n.reset() != nil {
		n.discard()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, n)
}

// customized reports whether the node was started with options.
func (n *Node) customized() bool {
	return n.opts.tls || len(n.opts.plugins) > 0 || len(n.opts.config) > 0
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
