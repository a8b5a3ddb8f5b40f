// Package topic matches routing keys against the patterns of AMQP's topic exchanges. The embedded broker routes
// with it, and the bridge's filters select with it, so that a pattern means the same to both.
//
// Keys and patterns are words separated by dots. In a pattern * matches exactly one word, and # any number of
// words, including none; a word that merely contains one of the two is an ordinary word. The empty key has no
// words, and "a." has two. RabbitMQ does the same.
//
//	pattern "reply.#"     matches "reply", "reply.a", "reply.a.b"
//	pattern "reply.*"     matches "reply.a" only
//	pattern "#.a.#.b"     matches every key that ends with b and has an a before it
package topic
