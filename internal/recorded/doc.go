// Package recorded holds traffic between CLU 2.6.1 and RabbitMQ 3.10, for tests to replay: what a WebSocket client sent,
// the messages that followed on the exchange, and what CLU's own server wrote to its clients.
//
//	client ── ClientSends ──▶ CLU's server ── Commands ──▶ exchange ──▶ actor
//	client ◀── Envelopes ──── CLU's server ◀── Replies ─── exchange ◀── actor
package recorded
