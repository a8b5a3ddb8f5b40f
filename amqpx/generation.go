package amqpx

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A stream that is deleted and declared again has the same name and the offsets of the old one. Its
// generation says how often that has happened, and the numbers of its messages are
//
//	generation * perGeneration + offset
//
// so that they go on: no number is given twice, and those of later messages are higher. Everybody who
// reads the stream finds the same generation at the broker, where exchanges to which nothing is
// published count it. Unlike messages, they can be declared while the broker is short of memory, and
// do not leave with the oldest part of the stream:
//
//	s_generation_0, _1 ...          one more each time a new stream is found; they stay, each bound to itself
//	s_number_sentinel ──► s         deleted with the stream; while it exists, the stream is that of the
//	                                last generation
//
// Whether an exchange exists is asked by deleting it if it has no binding (inUse).
//
// A stream that an earlier version made has neither. It is of generation 0, in which a number is the
// offset, as in that version.
const (
	perGeneration  = 10_000_000_000_000 // 10,000 messages a second for 30 years
	maxGenerations = 900                // numbers are below 2⁵³, which JSON readers can tell apart
)

func generationOf(stream string, n uint64) string { return fmt.Sprintf("%s_generation_%d", stream, n) }
func numberSentinelOf(stream string) string       { return stream + "_number_sentinel" }

// errStreamReplaced: the stream was deleted while the link subscribed to it.
var errStreamReplaced = errors.New("the stream was deleted at this moment")

// generation returns the generation of a stream that exists; that is new unless it existed before. known is
// false if the user may not, or something else has the names.
func (s *session) generation(ctx context.Context, cs *consumerState, existed bool) (n uint64, known bool, err error) {
	stream, last := cs.queue.Stream.Name, cs.numberBase.Load()/perGeneration
	if existed {
		n, known, err = s.currentGeneration(stream, last)
	}
	switch {
	case err != nil:
	case known:
		// Who declared the sentinel may have ended then, and one that is not bound would outlive the stream.
		err = s.withChannel(func(ch *amqp.Channel) error { return bindNumberSentinel(ch, stream) })
	default:
		n, known, err = s.beginGeneration(ctx, stream, last)
	}
	if refusedWith(err, amqp.AccessRefused) || refusedWith(err, amqp.PreconditionFailed) {
		s.link.logNoGeneration(stream, err)
		return last, false, nil
	}
	return n, known, err
}

// currentGeneration returns the generation of a stream, which is not before last. known is false if the
// stream is new.
func (s *session) currentGeneration(stream string, last uint64) (n uint64, known bool, err error) {
	known, err = s.found(func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive(numberSentinelOf(stream), amqp.ExchangeFanout, numbersDurable, true, numbersInternal, false, nil)
	})
	if err != nil || !known {
		return 0, false, err
	}
	n, err = s.lastGeneration(stream, last)
	return n, err == nil, err
}

// beginGeneration begins the next generation. One link does so at a time: the others find it.
func (s *session) beginGeneration(ctx context.Context, stream string, last uint64) (n uint64, known bool, err error) {
	lock, err := s.lock(ctx, stream+"_binding")
	if err != nil {
		return 0, false, err
	}
	defer lock.release()
	begun, err := s.inUse(numberSentinelOf(stream))
	if err == nil && !begun {
		err = s.countOn(stream, last)
	}
	if err != nil {
		return 0, false, err
	}
	// A link that did not wait for the lock may have counted on.
	n, err = s.lastGeneration(stream, last)
	return n, err == nil, err
}

// countOn declares what shows that a stream is of the next generation.
func (s *session) countOn(stream string, last uint64) error {
	next := uint64(0)
	counted, err := s.inUse(generationOf(stream, last))
	if err == nil && counted {
		last, err = s.lastGeneration(stream, last)
		next = last + 1
	}
	if err != nil {
		return err
	}
	if next > maxGenerations {
		return misnumbered(stream)
	}
	return s.withChannel(func(ch *amqp.Channel) error {
		name := generationOf(stream, next)
		if err := declareNumberExchange(ch, name, false); err != nil {
			return err
		}
		const noWait = false
		if err := ch.ExchangeBind(name, "", name, noWait, nil); err != nil {
			return err
		}
		// The sentinel is declared last: a link that ends before has skipped a generation.
		if err := declareNumberExchange(ch, numberSentinelOf(stream), true); err != nil {
			return err
		}
		return bindNumberSentinel(ch, stream)
	})
}

func misnumbered(stream string) error {
	return fmt.Errorf("the stream %s was deleted %d times, and there are no numbers left for its messages: give it another name", stream, maxGenerations)
}

// lastGeneration returns the last generation of a stream, which had the generation from.
func (s *session) lastGeneration(stream string, from uint64) (n uint64, err error) {
	exists := func(n uint64) bool {
		var found bool
		if err == nil {
			found, err = s.inUse(generationOf(stream, n))
		}
		return found
	}
	step := uint64(1)
	for exists(from + step) {
		from += step
		step *= 2
	}
	for ; step > 1; step /= 2 { // from exists, and from + step does not
		if exists(from + step/2) {
			from += step / 2
		}
	}
	return from, err
}

// The exchanges outlive a restart of the broker, as the stream does.
const (
	numbersDurable  = true
	numbersInternal = true
)

func declareNumberExchange(ch *amqp.Channel, name string, autoDelete bool) error {
	return ch.ExchangeDeclare(name, amqp.ExchangeFanout, numbersDurable, autoDelete, numbersInternal, false, nil)
}

func bindNumberSentinel(ch *amqp.Channel, stream string) error {
	const noWait = false
	return ch.QueueBind(stream, "", numberSentinelOf(stream), noWait, nil)
}

// inUse reports whether an exchange exists that has a binding. If it has none, the link that declared it
// ended then, and it is deleted. Most of the time there is none, and RabbitMQ logs an error for a question
// after something that it does not have, but not for its deletion.
func (s *session) inUse(name string) (bool, error) {
	const ifUnused, noWait = true, false
	err := s.withChannel(func(ch *amqp.Channel) error { return ch.ExchangeDelete(name, ifUnused, noWait) })
	if refusedWith(err, amqp.PreconditionFailed) {
		return true, nil
	}
	return false, err
}

// withChannel calls f with a channel of its own, which the broker closes if it refuses something.
func (s *session) withChannel(f func(*amqp.Channel) error) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	return f(ch)
}

// confirmGeneration returns an error if a stream is not of this generation any more. It is called once
// the stream is consumed: if it is deleted later, the broker ends the consumer.
func (s *session) confirmGeneration(stream string, n uint64) error {
	now, known, err := s.currentGeneration(stream, n)
	if err == nil && (!known || now != n) {
		err = errStreamReplaced
	}
	return err
}

// logNoGeneration logs, once, that the generations of a stream cannot be counted.
func (l *Link) logNoGeneration(stream string, err error) {
	if l.loggedNoGeneration {
		return
	}
	l.loggedNoGeneration = true
	l.log.Warn("the stream's numbers begin again if it is deleted, and programs that remember a number ignore what comes then: let the user configure the exchanges that count its deletions",
		"stream", stream, "exchanges", []string{generationOf(stream, 0), numberSentinelOf(stream)}, "error", withoutPermission(err, l.cfg.Exchange))
}

// renumber notes the generation of the stream that a session reads, and where it reads on. What an
// earlier stream had and was not read is lost.
func (cs *consumerState) renumber(generation, end uint64, endKnown bool) (from *uint64) {
	p := &cs.stream
	base := generation * perGeneration
	p.anew = base != cs.numberBase.Load()
	cs.numberBase.Store(base)
	from = p.locate(cs.queue.Stream.Backlog, end, endKnown)
	if from != nil && !p.begun {
		p.begun = true
		cs.begunAt.Store(*from)
	}
	if !p.renumbered {
		return from
	}
	cs.begunAt.Store(0) // the past is gone
	lost := cs.completeUntil
	if after := p.readUntil(cs.latency); !after.IsZero() {
		lost = earlier(lost, after)
	}
	p.toldUntil = cs.boundAt.Add(cs.bindingLag)
	cs.gap, cs.gapAfter = &Gap{From: cs.gapStart(lost), To: p.toldUntil}, 0
	return from
}

// narrowTold takes off a gap that the stream has what was told already because the stream is new. ok is
// false if nothing is left.
func (p *position) narrowTold(g Gap) (_ Gap, ok bool) {
	told := p.toldUntil
	p.toldUntil = time.Time{}
	if told.IsZero() {
		return g, true
	}
	g.From = later(g.From, told)
	return g, g.To.After(told)
}
