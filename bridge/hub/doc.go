// Package hub is the ordered fan-out of replies to v1 clients, and the registry of the commands
// in flight. It sees connections and logs through small interfaces (conn.go) and gets its clock
// from its configuration, so its tests need no socket, no broker and no waiting.
//
// # A reply
//
//	Reply ──► encode ──► matchCommand ──► matcher │ record ──► deliver ──► fanout ──► groups' logs
//	                            without the lock  │ with the lock
//
// Hub.Reply is a pipeline (deliver.go). A reply gets its number and the frame that all v1
// clients share. It is matched against the commands in flight and the filters of all
// subscriptions (match.go). Under the lock it is kept for clients that resume (history.go), and
// its keywords become the latest values. Then it is appended to the log of each group that
// wants it (fanout.go), now or at the end of a throttle window (throttle.go, pending.go). If it
// ends a command whose end is awaited, the result follows it directly (inflight_end.go). Then, without
// the lock again, the registry of everybody's commands (commands.go) and Config.Observe (observe.go)
// get it.
//
// When a reply was heard (heard.go) is part of its frame and of the values that it sets, so that
// an old value never looks like a new one.
//
// # Subscriptions
//
// Clients with the same set of subscriptions are a group with one log (group.go). Groups share
// equal subscriptions (index.go), so a filter is evaluated once per reply, however many
// clients have it.
//
// # What a client may hear
//
// A Viewer (viewer.go) says which replies a client may hear, whatever it asks for. Its view is part
// of the keys of shared subscriptions (index.go) and of encoded snapshots (snapshot.go), and is
// applied when a reply is matched (match.go), replayed (resume.go), or told in a result
// (inflight_end.go). It is evaluated once for each reply and distinct view, never once for each
// client. Replies to a client's own commands that its view does not select go to the client
// directly (own.go). When grants change, the client is regrouped, and its pending replies are
// delivered or discarded (grants.go). Plain clients with a view follow the log of a group of
// plain frames (plain.go). Clients without a viewer hear everything, and cost nothing of this.
//
// # Notices
//
// A subscription may ask for messages about what the bridge knows beside replies (notice.go): how alive
// the actors are (liveness.go), how commands go on (commands_told.go), and what other parts of the
// bridge tell. Its group gets those that its view allows.
//
// # Requests
//
//	Subscribe, Snapshot, Ping, ... ──► submit.go: bounded ──► queue.go: each client in its turn ──► answer
//
// The hub may be busy with a reply for many groups, so requests wait for their turn in a queue,
// and the engine's loops never wait. A long replay (resume.go), a page of the log (log.go) and the
// encoding of a snapshot (snapshot.go) are done without the lock, a bounded amount per turn. A subscription begins in
// one step under the lock, so that missed replies, the snapshot and live replies follow each
// other without gap or duplicate (subscribing.go). A request that refers to a reply that only
// another bridge has received so far waits until this bridge has it, too (wait.go). The
// resources that all clients share are divided among their addresses (weight.go and package
// quota).
//
// # Commands
//
// Inflight (inflight.go) registers each command before it is sent. It refuses an id whose
// replies could not be told apart, matches replies with their commands, and divides its
// capacity among addresses (inflight_callers.go, inflight_shares.go, ranking.go). The registry of
// everybody's commands (commands.go) decides nothing: it remembers those that run and the last that
// have ended, whoever sent them, for people.
//
// # Locks
//
// Hub.mu comes before Inflight.mu, commandRegistry.mu, plainGroups.mu, the queue's lock, and any lock
// of a Log or a Conn. The engine's loops take Inflight.mu, commandRegistry.mu, plainGroups.mu and
// the queue's lock, but never Hub.mu.
package hub
