// Package bridge connects CLU's actors with WebSocket clients: it relays every reply to every
// client, and turns a client's JSON into a command. It knows CLU through package actor, and
// sockets through package engine. A program serves clients with
//
//	b, err := bridge.New(bridge.Config{Broker: []string{"amqp://guest:guest@localhost:5672/"}})
//	...
//	ln, err := net.Listen("tcp", ":9876")
//	...
//	err = b.Listen(ln) // serve the clients that connect
//	...
//	err = b.Run(ctx)   // relay until the context ends, then close the clients
//
// The zero values of a [Config] are not the defaults of clu-ws websocket: there is no page, no
// history and no log of commands. The page is the Handler of package web-demo.
//
// # In
//
//	request ──► guard.go: which page? whose? ──► handler.Accept, the page, the API, the admin's port
//
// For every request, the web page that it comes from and its client's address are checked
// first. An upgrade is then a plain client, a v1 client (connect.go, query.go) or a client in a
// room (path.go, roomclient.go). The engine calls the bridge through handler.go.
//
// # Access
//
//	Approach ──► Authority.Identify ──┬─► Principal ──► admit ──► Open ──► clientaccess.go: its life
//	             (package access)     ├─► Refusal ──► 401, 403, ...          ▲
//	                                  ├─► Later: the connection is parked    │ become.go: another principal
//	                                  └─► Awaits: the message auth     authop.go, renewal.go, reload.go
//
// If it is configured, clients have to identify themselves (identify.go, identifyhttp.go). A client's
// principal says what it may do. It is replaced when the client renews its credential, when an
// application is asked again, and when the configuration is read again; what the client hears
// follows (viewer.go). Deadlines share one timer (deadlines.go). What may block runs on workers
// (workers.go), and never with a lock.
//
// # Down
//
//	delivery ──► actor.Envelope ──► hub.Reply ──┬─► one frame ──► plain log ──► every plain client
//	                                            └─► numbered frame ──► groups' logs ──► v1 clients
//
// A reply is encoded once, whatever the number of clients (replies.go, newreply.go). A message
// that CLU would not pass on, or that cannot be read, is dropped, counted and logged; the next
// reply is not affected. Package hub does the rest: numbers, filters, throttling, history,
// snapshots.
//
// # Sessions
//
//	op ──► requests.go: parse ──► hub: subscribe, resume, snapshot ──► Conn.Follow(group's log)
//
// A client that speaks v1 has a [hub.Session] (client.go). Its requests are parsed on the
// engine's loop (package protocol, requests.go) and carried out by the hub on the client's
// turn.
//
// # Up
//
//	text ──► protocol.Parse ──► Command.Validate ──► too late? ──► decide ──► ask ──► Inflight ──► record ──► Link.Publish ──► outcome
//
// Every command is registered before it is sent: in CLU's own form (commands.go), tracked
// (tracked.go), or over HTTP (apicommand.go, httpwaiter.go). The registry of the commands in
// flight ([hub.Inflight]) refuses an id that is in use, and matches replies with their commands.
// Whether a client may send it is decided in access.go, as for every other action, before
// anything else may show that it was sent, and again right before it is written; the limits of a
// user count all its connections (limits.go, usage.go). An application may decide, too, while the
// client's later messages wait (ask.go, askqueue.go). With an audit log, a command is recorded
// first (record.go). A command is
// published within 0.9 s of being read or not at all (lateness.go, outgoing.go), and fails at
// once if it cannot be published. Each is logged with its outcome (commandlog.go). The sender is
// told every outcome except success, which the actor's reply shows:
//
//	bad input     an error envelope to the sender, unless the bridge is strict
//	returned      CLU's failed reply, published for every client (pendingreturns.go, failurerate.go)
//	not sent      an error envelope to the sender: it may be sent again
//	unknown       an error envelope to the sender: the actor may have it; also after a nack
//
// # Beside them
//
//	source ──► path of the room ──► one raw frame ──► rooms' logs, groups' logs
//
// Exchanges other than the actors' feed rooms (sources.go, package rooms). Clients that
// connected to a room follow its log; v1 clients have rooms among their subscriptions. Programs
// publish messages and send commands over HTTP (api.go), clients publish where that is granted
// (roompublish.go), and applications see on an exchange, or by the callback, which clients
// connect and leave (presence.go) and what they do in rooms (roomevents.go). Operators have metrics and health (admin.go, metrics.go,
// health.go).
//
// The engine's loops never wait for the broker, and the link never waits for a client.
package bridge
