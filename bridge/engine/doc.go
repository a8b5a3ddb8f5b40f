// Package engine carries frames to many WebSocket clients at the cost of the
// system calls it cannot avoid. It knows bytes; it knows nothing of CLU or AMQP
// and can be used on its own.
//
// # Use
//
//	e, err := engine.New(engine.Config{Handler: h})          // its loops run from here on
//	all := e.NewLog()                                        // before Listen, if h accepts with it
//	err = e.Listen(ln)                                       // returns at once
//	err = e.ListenWith(ln2, engine.ListenOptions{TLS: cert}) // another port
//	all.Append(engine.Text("to all who follow it"))          // from any goroutine
//	err = e.Shutdown(ctx, "restarting")                      // says goodbye to everybody
//
// A [Handler] decides on each request, names the [Log] that the connection follows and a
// session, which comes back with every call about the connection, and is told what the
// client says. A [Conn] is by what it answers, or whoever keeps it. Handshakes, fragments,
// masks, pings, close frames, slow and silent clients are the engine's; [Limits] says
// where it draws the line, and the zero value is meant to serve. Two things are not the
// engine's, and easily forgotten:
//
//   - A Handler that browsers reach must check the Origin of requests ([Handler].Accept).
//   - A Handler runs on the loops: while it waits, for a database say, a share of all clients
//     waits with it. Such work belongs on a goroutine of its own, which answers with
//     [Conn.Send] when it is done.
//
// Requests that are no upgrade are answered by [Config].HTTP, so that a page and its
// WebSocket share a port. Behind a proxy see [ListenOptions].Proxy and
// [Config].ClientAddr, without which all clients have the proxy's address. Linux, macOS
// and the BSDs can serve; elsewhere [New] returns an error.
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
// A [Log] is a stream of immutable frames, and a connection is a cursor into
// one: no queue, no copy, no lock and no goroutine for each client. A loop sweeps
// the ring's members and writes everything between a cursor and the head with
// one write(2); the run of frames is joined once for all connections at the
// same place. A frame that comes alone leaves at once; under load the runs grow
// by themselves. A frame that may wait ([Log.AppendWithin]) is held in the ring until
// it is due, or until something comes that may not wait: a write(2) costs the same
// whether it brings one frame or thirty. That takes no timer for any connection: a loop
// knows the rings that hold something, and when the first of them is due (hold.go).
//
// Sweeps are cut into slices, between which the loop serves what came in. A
// socket that is full is left alone until the poller reports room. A cursor
// that falls off the log belongs to a client that is too slow: it is closed
// with a reason.
//
// # Up: bytes to messages
//
// Each loop owns its connections outright: their sockets, their state, their
// place in the slab. Bytes are read into the loop's one buffer and parsed where
// they lie (parser.go); a connection borrows memory only while it holds part of
// a message. What is no WebSocket upgrade leaves the loop and goes to net/http
// (handoff.go).
//
// # Pollers
//
// What a loop waits for comes from a poller (poller.go): epoll on Linux, and on any
// other Unix one made of Go's own, where a goroutine waits for each socket that is idle
// (portable.go). A loop works the same on both.
//
// # In: a connection becomes a WebSocket
//
//	accept ──► incoming ──► PROXY header? ──► TLS? ──► whole head ──► Config.ClientAddr ──► place kept ──► Handler.Accept ──► 101
//	              │ connLimiter.enter                     │ Request.read checkHandshake      │ admit
//	              ▼                                       ▼                                  ▼
//	     the oldest gives way                            400 413 426 431                    503
//
// Until its request is accepted a connection has a record of its own (incoming.go),
// and holds its place only until somebody else needs it (connlimiter.go): a head that
// trickles in keeps nobody out. What readers of HTTP disagree on is refused
// (head.go), and so is a request with a body, for whose end net/http would wait.
// Every refusal is told to [Config].Rejected.
//
// A turn is bounded by the work done, not by the bytes read: when a client's kilobyte
// inflates to a megabyte, other clients are served in between, and the rest of its
// bytes waits in its parser.
//
// A loop checks a clock that keeps running while the process is stopped. If the loop
// stood still, all input that waits in a socket, an accept queue or a parser is late,
// and its messages say so ([Message]) until the socket was found empty once (stall.go).
//
// # TLS
//
//	socket ──► loop's buffer ──► records ──► tls.Conn.Read ──► the same code as without TLS
//	socket ◄── loop's buffer ◄── memory ◄── tls.Conn.Write ◄── frames, joined once for all
//
// TLS is a layer of a connection ([ListenOptions], secure.go): a [tls.Conn] over memory
// that the loop reads and writes like a socket that never blocks. It is given whole
// records only, so nothing is left in the buffers that it never gives back. Frames are
// sealed when they are written, a chunk at most; what the socket does not take waits as
// ciphertext in front of the connection's own frames, and is counted like them
// (outbound.go).
//
// crypto/tls cannot interrupt a handshake, so each has a goroutine, but only from a whole
// ClientHello on: a client that is silent or trickles holds its bytes and its place, no
// more. Handshakes are bounded in number, and few compute at a time; one that waits for
// its client for a second gives way if others wait for their turn, and a client that hangs
// up before its turn costs no handshake (secure_queue.go, secure_handshake.go).
// A page over TLS goes to net/http with its tls.Conn.
//
// # Memory
//
// What is appended waits in the mail of each loop until the loop has brought what was
// before it to its clients (mailbox.go); beside its bytes each frame counts 64. A source that calls [Engine.AwaitCapacity] leaves 4
// MiB there and a frame. From 16 MiB on the loops read nothing from clients, so that a
// [Handler] that appends what it is told leaves 16 MiB and what one message of each
// loop causes. From 32 MiB on, because a source waits for nothing, a loop takes the
// frames into the logs although there is no room: they drop what is oldest, and the
// clients that have not had it are too slow.
//
// Logs are bounded, and shared by all their followers. Frames queued for single
// connections are counted in a ledger, once if many connections share them (outbound.go),
// and have one bound for all (Limits.MaxOutbound): beyond it, the connection with the
// most queued bytes is closed (outbound.go). Reading from a connection that takes
// nothing is paused, so that it cannot ask for more (stall.go).
//
// # Compression
//
// Where it is switched on, clients may negotiate permessage-deflate
// (upgrade.go). A [Log] is then two: those who did follow the other one, whose
// frames are made of the first one's, compressed once for all of them by whoever
// appends (deflate.go). To a loop both are rings like any other. A client's
// compressed message is inflated when it is complete, within the bound of any
// message (inflate.go). Nothing is remembered from one message to the next, in
// either direction, so that an idle connection holds a flag and no more.
//
// # Who calls what
//
// Answers come before the close: when the peer closes, or breaks the protocol, the
// handler is told ([Handler], Closing), and the close frame follows what it sends until
// [Conn.Finish] (ending.go).
//
// A [Handler]'s methods run on the loops and must not block. [Log.Append] and the
// methods of [Conn] never block and may be called from anywhere, so also from a
// Handler. [Engine.AwaitCapacity], [Engine.Each], [Engine.StopListening] and
// [Engine.Shutdown] wait for the loops, so they must not be called from one.
//
// # Changing logs
//
// A connection may be moved from log to log ([Conn.Follow]). What it has not had
// of the former one becomes its own, then come frames that the caller gives it,
// then the new log. A loop's mailbox has the order in which frames were appended
// and connections moved, so that nobody waits for anybody. What goes to one connection
// behind what its log has, and needs to be at no certain place in it, takes no lock of
// the caller's ([Conn.SendInOrder]).
package engine
