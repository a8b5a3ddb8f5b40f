// Package bridge is where actors and browsers meet: it relays every reply to
// every client, and turns a client's JSON into a command. It knows both sides:
// CLU through actor, sockets through engine.
//
// # In
//
//	request ──► guard.go: which page? whose? ──► Accept, the page, the API, the admin's port
//
// Every request is checked first for the web page it comes from and its client's
// address. An upgrade is then a plain client, a v1 client (connect.go, query.go) or a
// client in a room (path.go).
//
// # Down
//
//	delivery ──► actor.Envelope ──► hub.Reply ──┬─► one frame ──► plain log ──► every plain client
//	                                            └─► numbered frame ──► groups' logs ──► v1 clients
//
// A reply is written once, whatever the number of clients (replies.go, newreply.go). What CLU
// would not hand on, or cannot be read, is dropped, counted and logged; the next reply flows.
// Package hub does the rest: numbers, filters, throttling, history, snapshots.
//
// # Sessions
//
//	op ──► requests.go: parse ──► hub: subscribe, resume, snapshot ──► Conn.Follow(group's log)
//
// A client that speaks v1 has a [hub.Session] (client.go). Its requests are parsed on the
// engine's loop (package protocol, requests.go, connect.go) and done by the hub, in the client's turn.
//
// # Up
//
//	text ──► protocol.Parse ──► Command.Check ──► too late? ──► allow ──► inflight ──► Link.Publish ──► outcome
//
// Every command is registered before it is sent: in CLU's own form (commands.go),
// tracked (tracked.go), or over HTTP (apicommand.go, apicall.go). The registry of
// commands in flight ([hub.Inflight]) refuses an id that is in use, and matches replies with
// their commands and their ends. A late command is refused (late.go): it is published within 0.9 s after it was read or not at all (sending.go), and fails at
// once if it cannot be published. Each command is logged with its outcome
// (commandlog.go). The sender is told of every end but success, which the actor's own
// reply shows:
//
//	bad input     an error envelope to the sender, unless CLU's silence was asked for
//	returned      CLU's failed reply, published for everyone to see (unroutable.go, failurerate.go)
//	not sent      an error envelope to the sender: it may be sent again
//	unknown       an error envelope to the sender: the actor may have it; also after a nack
//
// # Beside them
//
//	source ──► path of the room ──► one raw frame ──► rooms' logs, groups' logs
//
// Exchanges other than the actors' feed rooms (sources.go, package rooms). Clients that
// connected to a room follow its log; v1 clients have rooms among their subscriptions. Programs publish and command over HTTP (api.go), and hear who
// comes and goes from an exchange (presence.go).
//
// The engine's loop never waits for the broker, and the link never waits for a
// client.
package bridge
