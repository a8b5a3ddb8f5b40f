package conformance

import amqp "github.com/rabbitmq/amqp091-go"

// accusation is a rule broken by hand-made frames on channel 1, and the close that must follow.
type accusation struct {
	name          string
	frames        []rawFrame
	channelOnly   bool // channel.close, and the connection lives on
	code          int
	class, method uint16
	text          string // of the close, "" for any
}

var (
	ticket    = []byte{0, 0}
	noTable   = long("")
	publishTo = func(exchange string) rawFrame {
		return method(1, 60, 40, ticket, short(exchange), short("key"), []byte{0})
	}
	headerOfThree = rawFrame{2, 1, []byte{0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0}}
	emptyHeader   = rawFrame{2, 1, []byte{0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}
)

var accusations = []accusation{
	{
		name: "publish to a missing exchange", channelOnly: true, code: amqp.NotFound, class: 60, method: 40,
		frames: []rawFrame{publishTo("conformance.nowhere"), emptyHeader},
		text:   "NOT_FOUND - no exchange 'conformance.nowhere' in vhost '/'",
	},
	{
		name: "passive declare of a missing queue", channelOnly: true, code: amqp.NotFound, class: 50, method: 10,
		frames: []rawFrame{method(1, 50, 10, ticket, short("conformance.nowhere"), []byte{1}, noTable)},
		text:   "NOT_FOUND - no queue 'conformance.nowhere' in vhost '/'",
	},
	{
		name: "a reserved queue name", channelOnly: true, code: amqp.AccessRefused, class: 50, method: 10,
		frames: []rawFrame{method(1, 50, 10, ticket, short("amq.x"), []byte{4}, noTable)},
		text:   "ACCESS_REFUSED - queue name 'amq.x' contains reserved prefix 'amq.*'",
	},
	{
		name: "a reserved exchange name", channelOnly: true, code: amqp.AccessRefused, class: 40, method: 10,
		frames: []rawFrame{method(1, 40, 10, ticket, short("amq.x"), short("topic"), []byte{4}, noTable)},
		text:   "ACCESS_REFUSED - exchange name 'amq.x' contains reserved prefix 'amq.*'",
	},
	{
		name: "a predeclared exchange of another type", channelOnly: true, code: amqp.PreconditionFailed, class: 40, method: 10,
		frames: []rawFrame{method(1, 40, 10, ticket, short("amq.topic"), short("direct"), []byte{2}, noTable)},
		text:   "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'amq.topic' in vhost '/': received 'direct' but current is 'topic'",
	},
	{
		name: "a predeclared exchange, but not durable", channelOnly: true, code: amqp.PreconditionFailed, class: 40, method: 10,
		frames: []rawFrame{method(1, 40, 10, ticket, short("amq.topic"), short("topic"), []byte{0}, noTable)},
		text:   "PRECONDITION_FAILED - inequivalent arg 'durable' for exchange 'amq.topic' in vhost '/': received 'false' but current is 'true'",
	},
	{
		name: "a bind to the default exchange", channelOnly: true, code: amqp.AccessRefused, class: 50, method: 20,
		frames: []rawFrame{
			method(1, 50, 10, ticket, short(""), []byte{4 | 16}, noTable),
			method(1, 50, 20, ticket, short(""), short(""), short("k"), []byte{0}, noTable),
		},
		text: "ACCESS_REFUSED - operation not permitted on the default exchange",
	},
	{
		name: "an unknown delivery tag", channelOnly: true, code: amqp.PreconditionFailed, class: 60, method: 80,
		frames: []rawFrame{method(1, 60, 80, []byte{0, 0, 0, 0, 0, 0, 0, 9, 0})},
		text:   "PRECONDITION_FAILED - unknown delivery tag 9",
	},
	{
		name: "a queue without a name that was never declared", channelOnly: true, code: amqp.NotFound, class: 60, method: 70,
		frames: []rawFrame{method(1, 60, 70, ticket, short(""), []byte{0})},
	},
	{
		name: "immediate", code: amqp.NotImplemented, class: 60, method: 40,
		frames: []rawFrame{method(1, 60, 40, ticket, short(""), short("key"), []byte{2}), emptyHeader},
		text:   "NOT_IMPLEMENTED - immediate=true",
	},
	{
		name: "a channel opened twice", code: amqp.ChannelError, class: 20, method: 10,
		frames: []rawFrame{method(1, 20, 10, []byte{0})},
		text:   "CHANNEL_ERROR - second 'channel.open' seen",
	},
	{
		name: "a channel that was not opened", code: amqp.ChannelError, class: 60, method: 80,
		frames: []rawFrame{method(7, 60, 80, []byte{0, 0, 0, 0, 0, 0, 0, 9, 0})},
		text:   "CHANNEL_ERROR - expected 'channel.open'",
	},
	{
		name: "a prefetch in bytes", code: amqp.NotImplemented, class: 60, method: 10,
		frames: []rawFrame{method(1, 60, 10, []byte{0, 0, 0, 5, 0, 1, 0})},
		text:   "NOT_IMPLEMENTED - prefetch_size!=0 (5)",
	},
	{
		name: "flow switched off", code: amqp.NotImplemented, class: 20, method: 20,
		frames: []rawFrame{method(1, 20, 20, []byte{0})},
		text:   "NOT_IMPLEMENTED - active=false",
	},
	{
		name: "a method where content must follow", code: amqp.UnexpectedFrame, class: 60, method: 40,
		frames: []rawFrame{publishTo(""), method(1, 60, 80, []byte{0, 0, 0, 0, 0, 0, 0, 9, 0})},
		text:   "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead",
	},
	{
		name: "a body where a header must follow", code: amqp.UnexpectedFrame, class: 60, method: 40,
		frames: []rawFrame{publishTo(""), {3, 1, []byte("body")}},
		text:   "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead",
	},
	{
		name: "a header where none is expected", code: amqp.UnexpectedFrame,
		frames: []rawFrame{emptyHeader},
		text:   "UNEXPECTED_FRAME - expected method frame, got non method frame instead",
	},
	{
		name: "a method where a body must follow", code: amqp.UnexpectedFrame, class: 60, method: 40,
		frames: []rawFrame{publishTo(""), headerOfThree, method(1, 60, 80, []byte{0, 0, 0, 0, 0, 0, 0, 9, 0})},
		text:   "UNEXPECTED_FRAME - expected content body, got non content body frame instead",
	},
	{
		name: "a queue in use that was to be deleted unused", channelOnly: true, code: amqp.PreconditionFailed, class: 50, method: 40,
		frames: []rawFrame{
			method(1, 50, 10, ticket, short("conformance.q.busy"), []byte{4 | 16}, noTable),
			method(1, 60, 20, ticket, short(""), short(""), []byte{8}, noTable),
			method(1, 50, 40, ticket, short(""), []byte{1}),
		},
		text: "PRECONDITION_FAILED - queue 'conformance.q.busy' in vhost '/' in use",
	},
	{
		name: "a full queue that was to be deleted empty", channelOnly: true, code: amqp.PreconditionFailed, class: 50, method: 40,
		frames: []rawFrame{
			method(1, 50, 10, ticket, short("key"), []byte{4 | 16}, noTable), publishTo(""), emptyHeader,
			method(1, 50, 40, ticket, short("key"), []byte{2}),
		},
		text: "PRECONDITION_FAILED - queue 'key' in vhost '/' not empty",
	},
	{
		name: "an exclusive consumer beside another", channelOnly: true, code: amqp.AccessRefused, class: 60, method: 20,
		frames: []rawFrame{
			method(1, 50, 10, ticket, short("conformance.q.shared"), []byte{4 | 16}, noTable),
			method(1, 60, 20, ticket, short(""), short(""), []byte{8}, noTable),
			method(1, 60, 20, ticket, short(""), short(""), []byte{4 | 8}, noTable),
		},
		text: "ACCESS_REFUSED - queue 'conformance.q.shared' in vhost '/' in exclusive use",
	},
	{
		name: "recover without requeue", code: amqp.NotImplemented, class: 60, method: 110,
		frames: []rawFrame{method(1, 60, 110, []byte{0})},
		text:   "NOT_IMPLEMENTED - requeue=false",
	},
	{
		name: "a consumer tag used twice", code: amqp.NotAllowed, class: 60, method: 20,
		frames: []rawFrame{
			method(1, 50, 10, ticket, short(""), []byte{4 | 16}, noTable),
			method(1, 60, 20, ticket, short(""), short("t"), []byte{8}, noTable),
			method(1, 60, 20, ticket, short(""), short("t"), []byte{8}, noTable),
		},
		text: "NOT_ALLOWED - attempt to reuse consumer tag 't'",
	},
	{
		name: "an unknown frame type", code: amqp.FrameError,
		frames: []rawFrame{{9, 1, nil}},
	},
	{
		name: "a method cut short", code: amqp.FrameError, class: 50, method: 10,
		frames: []rawFrame{method(1, 50, 10, ticket, short("x"))},
	},
}

func errorTests() (tests []test) {
	for _, a := range accusations {
		tests = append(tests, test{a.name, func(s *session) { a.run(s) }})
	}
	return append(tests,
		test{"a frame larger than agreed", func(s *session) {
			r := s.rawChannel()
			r.write([]byte{1, 0, 1, 0, 3, 0, 0})
			r.wantClose(10, 50, amqp.FrameError, 0, 0)
		}},
		test{"a frame without its end", func(s *session) {
			r := s.rawChannel()
			r.write([]byte{1, 0, 1, 0, 0, 0, 4, 0, 20, 0, 20, 0xCD})
			r.wantClose(10, 50, amqp.FrameError, 0, 0)
		}},
	)
}

func (a accusation) run(s *session) {
	r := s.rawChannel()
	r.send(a.frames...)
	var text string
	if a.channelOnly {
		text = r.wantClose(20, 40, a.code, a.class, a.method)
		// Frames that were on their way are ignored; then the number is free again.
		r.send(method(1, 60, 80, []byte{0, 0, 0, 0, 0, 0, 0, 9, 0}), method(1, 20, 41), method(1, 20, 10, []byte{0}))
		r.want(20, 11)
	} else {
		text = r.wantClose(10, 50, a.code, a.class, a.method)
		r.send(method(0, 10, 51))
	}
	if a.text != "" && text != a.text {
		s.Errorf("the broker says %q, want %q", text, a.text)
	}
	s.Log(text)
}
