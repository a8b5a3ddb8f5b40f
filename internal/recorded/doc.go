// Package recorded holds traffic that was recorded from CLU 2.6.1 and RabbitMQ
// 3.10, for the tests: what a WebSocket client sent, the messages that followed
// on the exchange, and what CLU's own server wrote to its clients.
package recorded
