package chaos

import (
	"math/rand/v2"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// fault is something that happens to a client, to its network or to the bridge.
type fault string

// The faults. Beside them, the proxy cuts and stalls each connection after a random number of bytes.
const (
	cut      fault = "cut"        // the connection is lost, twice
	drain    fault = "drain"      // the bridge says goodbye (1001) and starts anew
	crash    fault = "crash"      // the same without a goodbye
	stall    fault = "stall"      // nothing passes for a while
	stallOut fault = "stall up"   // what the client says does not pass for a while
	stallIn  fault = "stall down" // what the client is to hear does not
	deaf     fault = "half open down"
	mute     fault = "half open up"
	late     fault = "late" // a stall in which a command expires
)

// deck has the faults of each scenario: each has them in an order of its own.
var deck = []fault{cut, cut, drain, drain, crash, crash, stall, stallOut, stallIn, deaf, mute, late, late}

// lateMS is for how long a command is good that is to be late, and lateMargin by how much it is late: clocks differ.
const (
	lateMS     = 300
	lateMargin = 300 * time.Millisecond
)

// scenario is what a seed stands for.
type scenario struct {
	faults []fault
	rng    *rand.Rand
}

func newScenario(seed uint64) scenario {
	rng := rand.New(rand.NewPCG(seed, 2))
	s := scenario{faults: append([]fault(nil), deck...), rng: rng}
	rng.Shuffle(len(s.faults), func(i, k int) { s.faults[i], s.faults[k] = s.faults[k], s.faults[i] })
	return s
}

// moment is a random time, too short for anybody to give up.
func (s *scenario) moment() time.Duration { return time.Duration(s.rng.IntN(200)) * time.Millisecond }

// fault makes a fault happen. Actors and the client go on meanwhile.
func (p *player) fault(f fault) {
	p.t.Helper()
	switch f {
	case cut:
		p.proxy.Cut()
		p.murmur()
		p.proxy.Cut()
	case drain:
		p.restart()
	case crash:
		p.proxy.Target("127.0.0.1:1") // where nobody listens
		p.proxy.Cut()
		p.restart()
	case stall:
		p.hold(testkit.Upstream, testkit.Downstream)
	case stallOut:
		p.hold(testkit.Upstream)
	case stallIn:
		p.hold(testkit.Downstream)
	case deaf:
		p.proxy.Swallow(testkit.Downstream)
		p.murmur()
	case mute:
		p.proxy.Swallow(testkit.Upstream)
		p.murmur()
	case late:
		p.late()
	}
}

// murmur has something said and commanded, without waiting for the client.
func (p *player) murmur() {
	p.t.Helper()
	for range 1 + p.scenario.rng.IntN(5) {
		p.world.broadcast(p.t)
	}
	p.send(0)
	p.world.broadcast(p.t)
}

func (p *player) hold(directions ...testkit.Direction) {
	p.t.Helper()
	p.proxy.Hold(directions...)
	p.murmur()
	p.pass(p.scenario.moment())
	p.murmur()
	p.proxy.Release()
}

// restart stops the bridge, lets the actors go on, and starts it again. Without a stream, the client has to be told that
// something may be missing, and the ends of its commands may be lost.
func (p *player) restart() {
	p.t.Helper()
	p.world.stop(p.t)
	p.murmur()
	p.pass(p.scenario.moment())
	p.world.run(p.t)
	p.murmur()
	p.awaitOr("the bridge's link", p.world.linked, time.Millisecond, func() {})
	if !p.world.stream {
		p.j.lossTill(p.world.said)
	}
	p.proxy.Target(p.world.addr)
}

// late sends a command that reaches the bridge after it has expired.
func (p *player) late() {
	p.t.Helper()
	p.proxy.Hold(testkit.Upstream)
	as := p.send(lateMS)
	p.j.commands.TooLate(as)
	p.await("the client's word that it sends a command", func() bool { return p.j.commands.State(as) != "" })
	p.pass(lateMS*time.Millisecond + lateMargin)
	p.proxy.Release()
}
