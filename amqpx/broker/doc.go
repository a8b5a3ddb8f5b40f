// Package broker is a small AMQP 0-9-1 broker for one machine: for the demo, for development and for
// tests. Real clients connect to it, over TCP or within the process; RabbitMQ is for observing.
//
//	b := broker.New(broker.Config{})
//	defer b.Close()
//	go b.Serve(listener)                                             // real clients
//	amqp091.DialConfig("amqp://", amqp091.Config{Dial: b.Dial, ...}) // in the same process
//
// # What flows through it
//
// A connection has two goroutines. The reader (conn.go) shakes hands (handshake.go), cuts the bytes
// into frames (frame.go), decodes a method's arguments where they lie (args.go, table.go) and hands
// them to their channel (channel.go). The writer (outbound.go) takes whatever has gathered in the
// outbound buffer and writes it at once.
//
// A message comes in as three kinds of frames (publish.go). Its properties are never decoded: the
// content header's bytes are kept, and go out again as they came. An exchange (exchange.go, package
// topic) names the queues that want it, each queue (queue.go) keeps it in order (window.go) and hands
// it to the consumer whose turn it is (consume.go, deliver.go), encoded straight into that
// connection's outbound buffer. It stays on the channel's books until it is settled (ack.go); what
// comes back takes its old place in the queue. Confirms (confirm.go) gather while there is input left
// to handle, and leave as one multiple ack; a return is always in the buffer before them.
//
// One lock, Broker.mu, guards all topology, queues and deliveries. A connection's outbound buffer has
// its own, taken last.
//
// # What is bounded
//
// Everything that a peer declares: frames, bodies, table depth, channels, exchanges, queues, bindings,
// consumers, connections (Config). A client that reads slowly is paused: from Config.MaxOutbound bytes
// on it gets no deliveries, and others take its turn; from four times that on it is not read any more;
// after Config.WriteTimeout without progress it is dropped.
//
// The messages in all queues together are bounded by Config.MaxBytes. From three quarters of it on,
// those who publish are told connection.blocked, and connection.unblocked when half is free again. At
// the bound a publish that some queue wants is refused: basic.nack in confirm mode; without confirms it
// is dropped, and counted in the log. Reading never stops for it, so acknowledgements always get
// through, and nobody is held up for ever.
//
// # What RabbitMQ does differently
//
// Package conformance holds what both do alike. Apart from it, RabbitMQ
//
//   - keeps durable queues and persistent messages over a restart; here the flags are accepted and
//     compared, and nothing is kept;
//   - stops reading from publishers when memory is short, and nacks nothing;
//   - honours the arguments listed in declare.go (x-expires, x-message-ttl, x-max-length,
//     x-dead-letter-exchange, x-single-active-consumer, quorum queues and streams, x-priority of a
//     consumer, alternate-exchange...); here a declaration with one of them is refused with 406
//     PRECONDITION_FAILED that names it. Other arguments are accepted and ignored, as RabbitMQ does;
//   - has headers exchanges, exchange-to-exchange bindings and transactions; here they are refused with
//     540 NOT_IMPLEMENTED;
//   - reads some properties: it expires messages by expiration, checks user-id, follows CC and BCC
//     headers, sorts by priority. Here none has an effect;
//   - refuses a body above its limit once it has come whole, and up to 128 MiB; here the header is
//     refused already, above Config.MaxBody;
//   - takes frame_max from 8192 on, as of 4.1; here it is 4096, as in the specification and before;
//   - counts a global prefetch for each consumer, as of 4.3; here, as before, the consumers of a channel
//     share it;
//   - ends the connection over an exchange of an unknown type, before 4.0; here, as since, the channel;
//   - ends the connection with 541 INTERNAL_ERROR over a new secret cut short; here that is 501 FRAME_ERROR;
//   - waits, or drops the connection without a word, after more body than was declared, or an unknown
//     method; here they are 501 FRAME_ERROR and 503 COMMAND_INVALID;
//   - has users, permissions and virtual hosts; here every user of Config.Users may do everything in
//     "/", the only one, from wherever the listener is reached;
//   - may log in with tokens that expire, and be sent a new one (connection.update-secret); a new password
//     it does not look at, and here there are passwords only;
//   - offers AMQPLAIN and other logins; here there is PLAIN only.
package broker
