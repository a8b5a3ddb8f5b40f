package chaos

import (
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// What a client misses, and how little of it each connection brings: an envelope has about 400 bytes.
const (
	missed   = 600
	lastsFor = 40_000 // bytes
)

// CatchUp lets a client with overlapping subscriptions miss far more than any of its next connections lasts for.
func CatchUp(t *testing.T, d *conformance.Driver) {
	t.Helper()
	w := start(t, serveBroker(t), false)
	p := &player{t: t, d: d, j: newJudge(w), world: w, proxy: testkit.StartChaosProxy(t, w.addr, 0), scenario: newScenario(0)}
	p.proxy.Shorten(lastsFor)
	p.begin()
	p.talk(1)
	p.reached("the first broadcast", w.said)
	p.proxy.Target("127.0.0.1:1") // where nobody listens
	p.proxy.Cut()
	for range missed {
		w.broadcast(t)
	}
	p.proxy.Target(w.addr)
	p.reached("what it has missed", w.said)
	p.end()
	if cuts, _ := p.proxy.Faults(); cuts < missed*400/lastsFor {
		t.Errorf("%d connections were cut, which proves little", cuts)
	}
}
