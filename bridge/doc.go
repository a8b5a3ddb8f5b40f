// Package bridge is where actors and browsers meet: it relays every reply to
// every client, and turns a client's JSON into a command. It knows both sides:
// CLU through actor, sockets through engine.
//
// # Down
//
//	delivery ──► actor.Envelope ──► one frame ──► engine.Log ──► every client
//
// A reply is written once, whatever the number of clients (replies.go). What
// CLU would not hand on, or cannot be read, is dropped, counted and logged; the
// next reply flows.
//
// # Up
//
//	text ──► parseRequest ──► Command.Check ──► allow ──► Link.Publish ──► outcome
//
// A command is published at once or fails at once (commands.go). Its sender is
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
