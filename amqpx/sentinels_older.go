package amqpx

import (
	amqp "github.com/rabbitmq/amqp091-go"
)

// Earlier versions gave the sentinels other names.
func olderSentinelOf(queue string) string        { return queue + "_tie" }
func olderRestartSentinelOf(queue string) string { return queue + "_witness" }

// adoptOlderSentinels takes over the bindings of an earlier version, at the link's first
// connection. The new sentinels are declared while the older ones exist, so that a loss of
// the bindings is noticed at any moment. It reports whether the bindings are intact.
func (s *session) adoptOlderSentinels(ch *amqp.Channel, cs *consumerState) (intact bool, err error) {
	queue := cs.queueName()
	if cs.served {
		return false, nil
	}
	if exists, err := s.sentinelExists(olderRestartSentinelOf(queue)); err != nil || !exists {
		return false, err
	}
	if err := s.openSentinel(cs); err != nil {
		return false, err
	}
	// A user who may not write to the exchange had no sentinel with the earlier version either.
	intact = !s.canBindExchanges() || cs.noSentinel && s.link.checkWrite() != nil
	if !intact {
		if intact, err = s.sentinelExists(olderSentinelOf(queue)); err != nil {
			return false, err
		}
	}
	if intact {
		if err := makeRestartSentinel(ch, queue); err != nil {
			return false, err
		}
		if intact, err = s.sentinelExists(olderRestartSentinelOf(queue)); err != nil {
			return false, err
		}
		if !intact {
			if err := removeRestartSentinel(ch, queue); err != nil {
				return false, err
			}
		}
	}
	return intact, s.removeOlderSentinels(cs)
}

// removeOlderSentinels deletes what an earlier version left, at the link's first connection.
// Those of a stream stay: another program of the earlier version may be reading it.
func (s *session) removeOlderSentinels(cs *consumerState) error {
	if cs.served || cs.queue.Stream != nil || !cs.hasSentinel {
		return nil
	}
	if cs.queue.Expires > 0 {
		if err := s.deleteExchange(olderRestartSentinelOf(cs.queueName())); err != nil {
			return err
		}
	}
	return s.deleteExchange(olderSentinelOf(cs.queueName()))
}
