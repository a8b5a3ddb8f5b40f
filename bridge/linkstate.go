package bridge

import "github.com/clu-ws/clu-ws/amqpx"

// brokerWord returns the broker's state in one word.
func brokerWord(s amqpx.State) string {
	switch {
	case !s.Up:
		return "down"
	case s.Blocked != "":
		return "blocked"
	case s.QueueDown != "":
		return "no_replies"
	}
	return "up"
}

// brokerReason returns why the broker is not up, or "".
func brokerReason(s amqpx.State) string {
	switch {
	case !s.Up && s.Err != nil:
		return s.Err.Error()
	case s.Blocked != "":
		return s.Blocked
	}
	return s.QueueDown
}

// reportLink tells the hub the current state of the link.
func (b *Bridge) reportLink() {
	s := b.link.State()
	b.hub.Linked(brokerWord(s), brokerReason(s))
}
