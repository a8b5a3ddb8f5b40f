// Package hub is the ordered fan-out of replies to v1 clients, and the registry of the
// commands that are in flight. It knows connections and logs by small interfaces (conn.go),
// and has its clock from its configuration: its tests need no socket, no broker and no
// waiting.
//
// # A reply
//
//	Reply ──► number ──► match (no lock) ──► lock ──► history, snapshot values ──► deliver ──► groups' logs
//
// Hub.Reply gives each reply its number and the frame that all v1 clients share (reply.go). Its
// filters are evaluated before the lock is taken (match.go). Under the lock it is kept for
// clients that resume (history.go), its keywords become the latest values, and each group that
// wants it has it appended to its log, now or at the end of a throttle window (group.go,
// throttle.go). If it ends a command that somebody waits for, the result comes right behind it
// (inflight_end.go).
//
// # Subscriptions
//
// Clients with the same set of subscriptions are a group with one log (group.go). What a
// subscription selects is shared by all groups that have it (index.go): its filter is evaluated
// once a reply, whoever subscribed.
//
// # Requests
//
//	Subscribe, Snapshot, Ping, ... ──► submit.go: bounded ──► queue.go: each client in its turn ──► answer
//
// The hub may be busy with a reply for many groups, so requests wait their turn in a queue, and
// the engine's loops wait for nothing. A long replay (resume.go) and the encoding of a snapshot
// (snapshot.go) are done without the lock, a bounded amount a turn. A subscription begins in one
// step under the lock, so that missed replies, the snapshot and live replies follow each other
// without gap or duplicate (subscribe.go). A client that has heard more than this bridge waits
// until the bridge has caught up (wait.go). What all clients share is divided among their
// addresses (weight.go and package quota).
//
// # Commands
//
// Inflight (inflight.go) registers each command before it is sent. It refuses an id whose replies
// could not be told apart, matches replies with their commands, and shares its room fairly among
// addresses (inflight_callers.go, inflight_shares.go, ranking.go).
//
// # Locks
//
// Hub.mu comes before Inflight.mu and before whatever a Log or a Conn takes. The engine's loops
// take neither.
package hub
