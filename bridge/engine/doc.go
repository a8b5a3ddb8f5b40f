// Package engine sends frames to many WebSocket clients at little more than the cost of
// the system calls. It works on bytes, knows nothing of CLU or AMQP, and can be used on
// its own.
//
// # Use
//
//	e, err := engine.New(engine.Config{Handler: h})          // starts its loops
//	all := e.NewLog()                                        // before Listen, if h needs it
//	err = e.Listen(ln)                                       // returns at once
//	err = e.ListenWith(ln2, engine.ListenOptions{TLS: cert}) // another port
//	all.Append(engine.Text("to all who follow it"))          // from any goroutine
//	err = e.Shutdown(ctx, "restarting")                      // closes all connections
//
// A [Handler] decides on each request, chooses the [Log] that the connection follows and a
// session that comes back with every call for the connection, and receives the client's
// messages. It answers through a [Conn]. The engine does the rest: handshakes, fragments,
// masks, pings, close frames, slow and silent clients. [Limits] has its bounds, and the zero
// value is meant to be used. Two tasks are left to the Handler, and easily forgotten:
//
//   - A Handler that browsers can reach must check the Origin of requests ([Handler].Accept).
//   - A Handler runs on the loops: while it waits, for a database say, a share of all clients
//     waits with it. Such work belongs on another goroutine, which answers with [Conn.Send]
//     when it is done. A request that cannot be decided at once is parked ([Accepted].Later).
//
// Requests that are not upgrades go to [Config].HTTP, so a page and its WebSocket can share a
// port. Behind a proxy all clients have the proxy's address unless [ListenOptions].Proxy or
// [Config].ClientAddr is set. Linux, macOS and the BSDs can serve; elsewhere [New] returns
// an error.
//
// # Down: one frame to many clients
//
//	Log.Append(frame) ──► mailbox of each loop
//	                          │ one wake-up, however many frames wait
//	                          ▼
//	            ring: the log's frames on this loop
//	     tail ┌───┬───┬───┬───┬───┬───┐ head
//	          │ f │ f │ f │ f │ f │ f │
//	          └───┴───┴─▲─┴───┴───┴─▲─┘
//	            cursor of a slow    cursors of the others
//
// A [Log] is a stream of immutable frames, and a connection is a cursor into one: there is no
// queue, copy, lock or goroutine per client. A loop sweeps the ring's followers and writes
// everything between a cursor and the head with one write(2); the frames are joined once for
// all connections at the same place. A single frame leaves at once; under load, frames
// collect by themselves. A frame that may wait ([Log.AppendWithin]) is delayed until it is
// due or a frame comes that may not wait: one write(2) costs the same for one frame as for
// thirty. That takes no timer for any connection (delay.go).
//
// Sweeps are divided into slices, between which the loop handles input. A full socket is
// skipped until the poller reports that it is writable. A connection whose cursor falls
// behind the tail has lagged: it is closed with a reason, or continues with newer frames
// ([Config].Skip).
//
// # Up: bytes to messages
//
// A loop owns its connections: their sockets, their state, their slots in the slab. It reads
// into one buffer and parses the bytes where they lie (parser.go); a connection borrows
// memory only while it holds part of a message. Requests that are not upgrades leave the
// loop for net/http (handoff.go).
//
// # Pollers
//
// A loop waits in a poller (poller.go): epoll on Linux, and elsewhere one built on Go's own
// poller, with a goroutine for each idle socket (portable.go). The loop is the same for both.
//
// # In: a connection becomes a WebSocket
//
//	accept ──► incoming ──► PROXY header? ──► TLS? ──► whole head ──► Config.ClientAddr ──► admitted ──► Handler.Accept ──► 101
//	              │ connLimiter.enter                     │ Request.read checkHandshake      │ admit         │ parked ▲
//	              ▼                                       ▼                                  ▼               ▼        │
//	     the oldest is evicted                           400 413 426 431                    503        Accepted.Later
//
// Until its request is accepted, a connection has a record of its own (incoming.go) and may
// be evicted in favor of another (connlimiter.go): slow request heads lock no client out.
// Requests that HTTP parsers disagree on are rejected (requesthead.go), and so are requests
// with a body, whose end net/http would wait for. Every rejection is passed to
// [Config].Rejected.
//
// A request whose decision takes long is parked (park.go): the decision runs on a goroutine,
// the result on the loop if the client is still there. A parked connection may be evicted,
// too. What its client sends meanwhile is kept, within the bound of a request head.
//
// A client's share of a turn of the loop is bounded by the work done (its quantum), not by
// the bytes read: if a kilobyte inflates to a megabyte, other clients are served in between,
// and the rest of its bytes waits in its parser.
//
// A loop checks a clock that keeps running while the process is stopped. After a pause, all
// input that waits in a socket, an accept queue or a parser may be late, and its messages
// are marked ([Message]) until the socket was found empty once (pause.go).
//
// # TLS
//
//	socket ──► loop's buffer ──► records ──► tls.Conn.Read ──► the same code as without TLS
//	socket ◄── loop's buffer ◄── memory ◄── tls.Conn.Write ◄── frames, joined once for all
//
// TLS is a layer of a connection ([ListenOptions], tls.go): a [tls.Conn] over memory that the
// loop reads and writes like a socket that never blocks. It is given complete records only,
// so that nothing stays in buffers that it never frees. Frames are encrypted as they are
// written, up to a chunk. What the socket does not take waits as ciphertext in front of the
// connection's own frames, and is counted with them (outbound.go).
//
// crypto/tls cannot interrupt a handshake, so each has a goroutine, but only once its
// ClientHello is complete: a client that is silent or slow costs no more than its bytes and
// its place. Handshakes are bounded in number, and few compute at a time. One that waits a
// second for its client is evicted if others are queued, and a client that hangs up in the
// queue costs no handshake (tls_pool.go, tls_handshake.go). An HTTP request over TLS goes to
// net/http with its tls.Conn.
//
// # Memory
//
// Appended frames wait in the mailbox of each loop until the loop has written the ones before
// them (mailbox.go); each counts its bytes plus 64. [Engine.AwaitCapacity] waits from 4 MiB
// on. From 16 MiB on the loops read nothing from clients, so a [Handler] that appends what
// it receives exceeds that by no more than one message of each loop causes. From 32 MiB on,
// because a source does not wait, a loop moves frames into logs that are full: the logs drop
// their oldest frames, and clients that still need them have lagged.
//
// Logs are bounded and shared by their followers. Frames queued for single connections are
// counted, once if many connections share them, and have one bound for all
// (Limits.MaxOutbound); beyond it the connection with the largest queue is closed
// (outbound.go). Reading from a connection that does not read is paused, so that it cannot
// ask for more (pause.go).
//
// # Compression
//
// If it is enabled, clients may negotiate permessage-deflate (upgrade.go). A [Log] then
// consists of two logs; those clients follow the second one, whose frames are compressed once
// for all of them by the caller of Append (deflatedlog.go). To a loop both are rings like any
// other. A client's compressed message is inflated when it is complete, within the limit of
// any message (inflate.go). No context is kept between messages in either direction, so an
// idle connection needs a flag and no more.
//
// # Closing
//
// Answers come before the close: when the peer closes or violates the protocol, the handler
// is told ([Handler].Closing), and what it sends until [Conn.Finish] goes out before the
// close frame (finish.go).
//
// # Concurrency
//
// The methods of a [Handler] run on the loops and must not block. [Log.Append] and the
// methods of [Conn] never block and may be called from anywhere, including a Handler.
// [Engine.AwaitCapacity], [Engine.Each], [Engine.StopListening] and [Engine.Shutdown] wait
// for the loops, so they must not be called from a Handler.
//
// # Changing logs
//
// A connection may move from log to log ([Conn.Follow]). The frames that it still needs of
// the former log move to its own queue, then come frames given by the caller, then the new
// log. A loop's mailbox has appends and moves in order, so that nothing has to wait.
// Frames that only have to come after those of the log need no lock ([Conn.SendInOrder]).
package engine
