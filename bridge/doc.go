// Package bridge is where actors and browsers meet: it relays every reply to
// every client, and turns a client's JSON into a command. It knows both sides:
// CLU through actor, sockets through engine.
//
// # In
//
//	request ──► guard.go: which page? whose? ──► Accept, the page, the API, the admin's port
//
// Every request is asked first from which web page it comes and whose it is. An upgrade
// is then a plain client, a v1 one (arrival.go, query.go) or one in a room (path.go).
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
// arrival.go) waits its turn at the desk (desk.go): the hub may wait for the engine's
// loops, so they never wait for the hub. What takes long goes on in the next turn: a
// long past (resume.go) and a snapshot (picture.go) are worked on without the hub's
// lock, a bounded amount at a time, and behind what is brief; a few snapshots are written
// at once. Answers that need nothing of the hub, such as pongs, wait for no lock
// (ask.go, [engine.Conn.Say]). A subscription begins in one step under the lock,
// so that what was missed, the snapshot and what follows fit without gap or
// double (subscribe.go); who has heard more than this bridge waits for it (await.go).
// What all clients share is divided among their addresses (share.go).
//
// # Up
//
//	text ──► parseMessage ──► Command.Check ──► too late? ──► allow ──► inflight ──► Link.Publish ──► outcome
//
// Every command is noted before it is sent, however it came: in CLU's own form
// (commands.go), tracked (tracked.go), or over HTTP (apicommand.go). The commands in
// flight (inflight.go) refuse an id that is under way, know whose command a reply
// answers and when it has ended (inflight_end.go), and share their room fairly
// (inflight_shares.go). What waited too long is refused (late.go), also behind this:
// a command is published within 0.9 s of its reading or not at all (sending.go), and
// fails at once where it cannot be. Its sender is
// told of every end but success, whose witness is the actor's own reply:
//
//	bad input     an error envelope to the sender, unless CLU's silence was asked for
//	returned      CLU's failed reply, published for everyone to see (unroutable.go)
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
