// Package broker is a small AMQP 0-9-1 broker for one machine: for demonstrations, development and tests.
// Any client can connect to it, over TCP or within the process. In production, use RabbitMQ.
//
//	b := broker.New(broker.Config{})
//	defer b.Close()
//	go b.Serve(listener)                                             // over the network
//	amqp091.DialConfig("amqp://", amqp091.Config{Dial: b.Dial, ...}) // in the same process
//
// # What flows through it
//
// A connection has two goroutines. The reader (conn.go) shakes hands (handshake.go), cuts the bytes
// into frames (frame.go), decodes a method's arguments in place (args.go, table.go) and passes them
// to their channel (channel.go). The writer (outbound.go) writes everything in the outbound buffer
// at once.
//
// A message arrives as three kinds of frames (publish.go). Its properties are never decoded: the bytes of the
// content header are kept and sent on unchanged. An exchange (exchange.go, package topic) selects the queues
// for it. Each queue (queue.go) keeps it in order (deque.go) and delivers it to the next consumer in
// round-robin (consume.go, deliver.go), encoded directly into that connection's outbound buffer. It stays
// unacknowledged on the channel until it is settled (ack.go); a requeued message returns to its old place in
// the queue. Confirms (confirm.go) gather while there is input to handle, and are sent as one multiple ack; a
// return always precedes them.
//
// One lock, Broker.mu, guards topology, queues and deliveries. Each outbound buffer has its own
// lock, which is taken last.
//
// # What is bounded
//
// Everything that a client declares: frames, bodies, table depth, channels, exchanges, queues, bindings,
// consumers, connections ([Config]). Deliveries to a client that reads slowly pause at Config.MaxOutbound
// bytes, and go to other consumers; at four times that, nothing more is read from it; after
// Config.WriteTimeout without progress it is disconnected.
//
// The messages in all queues together are bounded by Config.MaxBytes. From three quarters of it on,
// publishers are sent connection.blocked, and connection.unblocked when half is free again. At the
// bound, a publish that would enter a queue is refused: with basic.nack in confirm mode; without
// confirms it is dropped, and counted in the log. Reading never stops, so acknowledgements always
// get through, and no client waits forever.
//
// # What RabbitMQ does differently
//
// Package amqpx/internal/conformance tests what both do alike. Otherwise, RabbitMQ
//
//   - keeps durable queues and persistent messages over a restart; here the flags are accepted and
//     compared, but nothing survives;
//   - stops reading from publishers when memory is short, and nacks nothing;
//   - supports the arguments listed in declare.go (x-expires, x-message-ttl, x-max-length,
//     x-dead-letter-exchange, x-single-active-consumer, quorum queues and streams, x-priority of a
//     consumer, alternate-exchange...); here a declaration with one of them is refused with 406
//     PRECONDITION_FAILED that names it. Other arguments are accepted and ignored, as RabbitMQ does;
//   - has headers exchanges, exchange-to-exchange bindings and transactions; here they are refused with
//     540 NOT_IMPLEMENTED;
//   - reads some properties: it expires messages by expiration, checks user-id, follows CC and BCC
//     headers, sorts by priority. Here none has an effect;
//   - refuses a body above its limit, of up to 128 MiB, only once it has come completely; here its
//     header is refused, above Config.MaxBody;
//   - takes frame_max from 8192 on, as of 4.1; here it is 4096, as in the specification and before;
//   - counts a global prefetch for each consumer, as of 4.3; here, as before, the consumers of a channel
//     share it;
//   - closes the connection over an exchange of an unknown type, before 4.0; here, as since 4.0, only the
//     channel is closed;
//   - closes the connection with 541 INTERNAL_ERROR over a truncated new secret; here that is 501 FRAME_ERROR;
//   - waits, or drops the connection without an error, after more body than was declared, or an unknown
//     method; here they are 501 FRAME_ERROR and 503 COMMAND_INVALID;
//   - has users, permissions and virtual hosts; here every user in Config.Users may do everything in "/", the
//     only virtual host, from any address that reaches the listener;
//   - supports logins by tokens that expire and are replaced (connection.update-secret), and ignores a new
//     password; here there are only passwords, and a new one is ignored;
//   - offers AMQPLAIN and other logins; here there is PLAIN only.
package broker
