// Package bridge is where actors and browsers meet: it relays every reply to
// every client, and turns a client's JSON into a command. It knows both sides:
// CLU through actor, sockets through engine.
//
// # In
//
//	request ──► guard.go: which page? whose? ──► Accept, the page, the API, the admin's port
//
// Every request is checked first for the web page it comes from and its client's
// address. An upgrade is then a plain client, a v1 client (arrival.go, query.go) or a
// client in a room (path.go).
//
// # Down
//
//	delivery ──► actor.Envelope ──► hub ──┬─► one frame ──► plain log ──► every plain client
//	                                      ├─► numbered frame ──► groups' logs ──► v1 clients
//	                                      ├─► history: for those who resume
//	                                      └─► snapshot: the last value of every keyword
//
// A reply is written once, whatever the number of clients (replies.go, reply.go).
// What CLU would not hand on, or cannot be read, is dropped, counted and logged; the
// next reply flows. The hub (hub.go) gives each its number. Clients with the same
// wishes are a group with a log of its own (group.go); a filter is evaluated once a
// reply, for all groups that have it (selection.go), before the hub's lock is taken
// (index.go), and they share its windows and orders (window.go).
//
// # Sessions
//
//	op ──► desk ──► hub: subscribe, resume, snapshot ──► Conn.Follow(group's log)
//
// A client that speaks v1 has a session (session.go). What it asks for (ops.go,
// arrival.go) waits its turn at the desk (desk.go): the hub may be busy with
// a reply for many groups, so the loops never wait for it. Long work continues in the next turn: a long
// replay (resume.go) and a snapshot (picture.go) are done without the hub's lock, a
// bounded amount at a time and behind brief tasks; few snapshots are encoded at once.
// Answers that need nothing of the hub, such as pongs, take no lock (ask.go,
// [engine.Conn.Say]). A subscription begins in one step under the lock, so that
// missed replies, the snapshot and live replies follow each other without gap or double
// (subscribe.go). A client that has heard more than this bridge waits until the bridge
// has caught up (await.go). What all clients share is divided among their addresses
// (share.go).
//
// # Up
//
//	text ──► parseMessage ──► Command.Check ──► too late? ──► allow ──► inflight ──► Link.Publish ──► outcome
//
// Every command is registered before it is sent: in CLU's own form (commands.go),
// tracked (tracked.go), or over HTTP (apicommand.go, apicall.go). The registry of
// commands in flight (inflight.go) refuses an id that is in use, matches replies with
// their commands and their ends (inflight_end.go, commandend.go), and shares its room
// fairly among addresses (inflight_callers.go, inflight_shares.go, ranking.go). A late command is refused (late.go): it is
// published within 0.9 s after it was read or not at all (sending.go), and fails at
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
// Exchanges other than the actors' feed rooms (source.go, roomlinks.go). Clients
// that connected to a room follow its log (rooms.go); v1 clients have rooms among
// their wishes. Programs publish and command over HTTP (api.go), and hear who
// comes and goes from an exchange (presence.go).
//
// The engine's loop never waits for the broker, and the link never waits for a
// client.
package bridge
