package simulation

import (
	"math"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// brokerBytes bounds the memory of the broker, so that it is quickly filled.
const brokerBytes = 256 << 10

// fault is one kind of failure.
type fault struct {
	name string
	do   func(w *world)
}

var faults = []fault{
	{"reset every connection", func(w *world) { w.onPipes(2, (*pipe).reset) }},
	{"reset a connection", func(w *world) { w.onPipes(1, (*pipe).reset) }},
	{"cut a connection", func(w *world) { w.onPipes(1, w.cut) }},
	{"cut both connections", func(w *world) { w.onPipes(2, w.cut) }},
	{"stall a connection", func(w *world) { w.onPipes(1, w.stall) }},
	{"stall both connections", func(w *world) { w.onPipes(2, w.stall) }},
	{"a stall that ends in a reset", (*world).stallAndReset},
	{"silence", func(w *world) { w.onPipes(1+w.rng.IntN(2), w.silence) }},
	{"no network", (*world).noNetwork},
	{"new connections say nothing", (*world).muteNew},
	{"restart the broker", func(w *world) { w.restart(false) }},
	{"kill the broker", func(w *world) { w.restart(true) }},
	{"drop all connections", (*world).dropConnections},
	{"delete the queue", (*world).deleteQueue},
	{"an actor departs", (*world).actorDeparts},
	{"fill the broker", (*world).fillBroker},
}

// injectFaults injects random faults for a while.
func (w *world) injectFaults() {
	until := w.began.Add(faultsFor)
	mean := time.Duration(2+w.rng.IntN(8)) * time.Second
	for {
		pause := time.Duration(w.rng.ExpFloat64()*float64(mean)) + time.Duration(1+w.rng.IntN(1_000_000))
		if time.Now().Add(pause).After(until) {
			pass(time.Until(until))
			return
		}
		pass(pause)
		f := faults[w.rng.IntN(len(faults))]
		w.note("fault: %s", f.name)
		w.faults++
		f.do(w)
	}
}

// aWhile returns a duration between some milliseconds and nine seconds.
func (w *world) aWhile() time.Duration {
	return time.Duration(math.Exp(w.rng.Float64()*7.5) * float64(5*time.Millisecond))
}

// onPipes calls do with n of the open connections of the link.
func (w *world) onPipes(n int, do func(*pipe)) {
	open := w.net.open()
	w.rng.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	for _, p := range open[:min(n, len(open))] {
		do(p)
	}
}

// directions returns one direction of a connection, or both.
func (w *world) directions(p *pipe) []*half {
	return [][]*half{{p.up}, {p.down}, {p.up, p.down}}[w.rng.IntN(3)]
}

func (w *world) cut(p *pipe) {
	for _, h := range w.directions(p) {
		h.cutAfter(w.rng.IntN(600))
	}
}

func (w *world) stall(p *pipe) {
	until := time.Now().Add(w.aWhile())
	for _, h := range w.directions(p) {
		h.stallUntil(until)
	}
	w.note("until %v", until.Sub(w.began))
}

// stallAndReset lets part of the delayed data arrive before the connection breaks.
func (w *world) stallAndReset() {
	for _, p := range w.net.open() {
		w.stall(p)
		p.down.cutAfter(w.rng.IntN(2000))
	}
}

func (w *world) silence(p *pipe) {
	for _, h := range w.directions(p) {
		h.goSilent()
	}
}

func (w *world) noNetwork() {
	w.net.refuse(time.Now().Add(w.aWhile()), time.Time{})
	w.onPipes(2, (*pipe).reset)
}

func (w *world) muteNew() {
	w.net.refuse(time.Time{}, time.Now().Add(w.aWhile()))
	w.onPipes(2, (*pipe).reset)
}

// restart replaces the broker by an empty one.
func (w *world) restart(kill bool) {
	old := w.currentBroker()
	w.net.refuse(time.Now().Add(time.Hour), time.Time{})
	if kill {
		w.onPipes(100, (*pipe).reset)
		old.DropConnections()
	}
	w.actors.lose()
	_ = old.Close()
	pass(w.aWhile())
	fresh := newBroker()
	w.mu.Lock()
	w.broker = fresh
	w.mu.Unlock()
	w.actors.join(fresh)
	w.net.refuse(time.Time{}, time.Time{})
}

// dropConnections makes the broker close all connections without a handshake.
func (w *world) dropConnections() {
	w.currentBroker().DropConnections()
	w.actors.lose()
	w.actors.join(w.currentBroker())
}

func (w *world) deleteQueue() {
	w.note("deleted %v", w.currentBroker().DeleteQueue(repliesQueue))
}

func (w *world) actorDeparts() {
	name := actorNames[w.rng.IntN(len(actorNames))]
	w.actors.depart(name)
	pass(w.aWhile())
	w.actors.arrive(name)
}

// fillBroker fills the memory of the broker with messages that are not consumed. Either publishers are blocked in
// time, or the link is told too late, and the broker refuses what it sends.
func (w *world) fillBroker() {
	a := w.actors
	a.mu.Lock()
	conn := a.conn
	a.mu.Unlock()
	ch, err := conn.Channel()
	a.must(err)
	_, err = ch.QueueDeclare("junk", false, false, true, false, nil)
	a.must(err)
	junk := func(messages, size int) {
		for range messages {
			a.must(ch.Publish("", "junk", false, false, amqp.Publishing{Body: make([]byte, size)}))
		}
	}
	const large = 16 << 10
	if w.rng.IntN(2) == 0 {
		junk(12+w.rng.IntN(3), large)
		pass(w.aWhile())
	} else {
		if open := w.net.open(); len(open) > 0 { // the last one publishes
			open[len(open)-1].down.stallUntil(time.Now().Add(600 * time.Millisecond))
		}
		junk(brokerBytes/large, large)
		junk(120, 1)
		for range 60 { // acknowledgements make room for more
			junk(5, 1)
			pass(10 * time.Millisecond)
		}
	}
	_, err = ch.QueueDelete("junk", false, false, false)
	a.must(err)
	a.must(ch.Close())
}
