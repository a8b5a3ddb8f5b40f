// Package topic matches routing keys against the patterns of AMQP's topic exchanges. The embedded
// broker routes by it, and the bridge's filters select by it, so that both mean the same.
//
// A key and a pattern are words with dots between. In a pattern * stands for exactly one word and #
// for any number of them, none included; a word that merely contains one of the two is an ordinary
// word. The empty key has no words, "a." has two. RabbitMQ does the same.
package topic
