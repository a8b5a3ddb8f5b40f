package conformance

import "fmt"

var routingTests = []test{
	{"the default exchange routes to the queue of that name", func(s *session) {
		ch := s.channel().confirming()
		one, two := ch.queue(), ch.queue()
		ch.send("", one, "for one")
		s.equal("the named queue", ch.take(one), []string{"for one"})
		s.equal("the other queue", ch.take(two), nil)
	}},
	{"a direct exchange compares whole keys", func(s *session) {
		ch := s.channel().confirming()
		exchange, queue := ch.exchange("direct"), ch.queue()
		ch.bind(queue, "a.b", exchange)
		ch.bind(queue, "#", exchange)
		for _, key := range []string{"a.b", "a", "a.b.c", "#", ""} {
			ch.send(exchange, key, key)
		}
		s.equal("the queue", ch.take(queue), []string{"a.b", "#"})
	}},
	{"a fanout exchange ignores the key", func(s *session) {
		ch := s.channel().confirming()
		exchange, one, two := ch.exchange("fanout"), ch.queue(), ch.queue()
		ch.bind(one, "x", exchange)
		ch.bind(two, "", exchange)
		ch.send(exchange, "y", "to all")
		for _, queue := range []string{one, two} {
			s.equal("a bound queue", ch.take(queue), []string{"to all"})
		}
	}},
	{"a topic exchange compares words", topicWords},
	{"a queue with several matching bindings gets one copy", func(s *session) {
		ch := s.channel().confirming()
		exchange, queue := ch.exchange("topic"), ch.queue()
		for _, pattern := range []string{"a.b", "a.*", "#", "#", "*.b"} {
			ch.bind(queue, pattern, exchange)
		}
		ch.send(exchange, "a.b", "once")
		s.equal("the queue", ch.take(queue), []string{"once"})
	}},
	{"bindings can be removed and added again", func(s *session) {
		ch := s.channel().confirming()
		exchange, queue, other := ch.exchange("topic"), ch.queue(), ch.queue()
		ch.bind(other, "nothing", exchange) // keeps the exchange alive
		for i := range 3 {
			ch.bind(queue, "a", exchange)
			ch.send(exchange, "a", fmt.Sprint("bound ", i))
			ch.must(ch.QueueUnbind(queue, "a", exchange, nil))
			ch.send(exchange, "a", fmt.Sprint("unbound ", i))
		}
		s.equal("the queue", ch.take(queue), []string{"bound 0", "bound 1", "bound 2"})
	}},
	{"without a queue and a key, the last declared queue is bound by its name", func(s *session) {
		ch := s.channel().confirming()
		exchange, queue := ch.exchange("direct"), ch.queue()
		ch.bind("", "", exchange)
		ch.send(exchange, queue, "by name")
		s.equal("the queue", ch.take(""), []string{"by name"})
	}},
}

// topicRules are pattern, key, and whether the one matches the other.
var topicRules = []struct {
	pattern, key string
	match        bool
}{
	{"a", "a", true},
	{"a", "b", false},
	{"a", "", false},
	{"", "", true},
	{"", "a", false},
	{"*", "a", true},
	{"*", "", false},
	{"*", "a.b", false},
	{"#", "", true},
	{"#", "a", true},
	{"#", "a.b.c", true},
	{"a.*", "a", false},
	{"a.*", "a.b", true},
	{"a.*", "a.", true},
	{"a.*", "a.b.c", false},
	{"a.#", "a", true},
	{"a.#", "a.b.c", true},
	{"a.#", "ab.c", false},
	{"#.a", "a", true},
	{"#.a", "b.c.a", true},
	{"#.a", "a.b", false},
	{"#.a.#", "b.a.c", true},
	{"#.a.#", "b.c", false},
	{"*.#", "", false},
	{"*.#", "a", true},
	{"#.*", "a.b", true},
	{"#.*.#.*", "a", false},
	{"#.*.#.*", "a.b", true},
	{"a.*.c", "a.b.c", true},
	{"a.*.c", "a..c", true},
	{"a.*.c", "a.c", false},
	{"a.#.c", "a.c", true},
	{"a.#.c.#.e", "a.b.c.c.d.e", true},
	{"a.#.c.#.e", "a.b.d.e", false},
	{"##", "a", false},
	{"a*", "ab", false},
	{"command.lvmecp.#", "command.lvmecp", true},
	{"command.lvmecp.#", "command.lvmecp2", false},
	{"reply.#", "reply.client.lvmecp", true},
	{"reply.#", "reply", true},
	{"Reply.#", "reply.x", false},
}

// topicWords binds a fresh exchange and queue for each rule, so that no other pattern helps it.
func topicWords(s *session) {
	ch := s.channel().confirming()
	for _, rule := range topicRules {
		exchange, queue := ch.exchange("topic"), ch.queue()
		ch.bind(queue, rule.pattern, exchange)
		ch.send(exchange, rule.key, "")
		if got := ch.ready(queue) == 1; got != rule.match {
			s.Errorf("pattern %q, key %q: match %v, want %v", rule.pattern, rule.key, got, rule.match)
		}
	}
}
