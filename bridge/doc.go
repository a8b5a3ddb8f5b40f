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
// # Where things are
//
// Files of one concern begin with the same word:
//
//	bridge config drain durable handler   what is put together, from what, and how it ends
//	link replies                          the broker's side: the link's states, a delivery
//	http_ health                          requests of net/http: routes, what is checked first, the API
//	upgrade connect_ client               from an upgrade to a client, plain, v1 or in a room
//	requests                              the table of a v1 client's ops
//	access_                               who a client is and what it may do, while it is here
//	command_                              a command on its way, by each door, and its outcome
//	room_ presence                        rooms, and what applications hear of clients
//	dialects                              paths that speak the protocol of another system
//	observe                               which of the parts below are told of each reply
//	problem_ site                         what is wrong with actors, and what the operator said of them
//	model_                                what actors tell of their commands and keywords
//	history_ log                          what was: values of keywords, the kept replies a page at a time
//	consumers_                            which actors have somebody who takes their commands
//	audit metrics_ command_log            what is on record of all of this
//
// What stands on its own is in packages below, each of which opens with its own drawing: access,
// audit, hub, rooms, dialect, filter, quota, origin and so on. What remains here is what they do together.
//
// # In
//
//	upgrade ──► handler.go: Accept ──► origin, host ──► upgrade.go ──► plain, v1, or in a room
//	request ──► http_guard.go ──► http_routes.go ──► the page, health, metrics, the API
//
// For every request, the web page that it comes from and its client's address are checked first
// (http_guard.go, http_policies.go). An upgrade is then a plain client, a v1 client (connect.go,
// connect_query.go) or a client in a room (room_client.go), unless its path is that of a dialect. The engine calls the bridge through
// handler.go.
//
// # Access
//
//	Approach ──► Authority.Identify ──┬─► Principal ──► admit ──► Open ──► access_client.go: its life
//	             (package access)     ├─► Refusal ──► 401, 403, ...          ▲
//	                                  ├─► Later: the connection is parked    │ access_become.go: another principal
//	                                  └─► Awaits: the message auth ──────────┴─ auth, a renewal, a reload
//
// If it is configured (access_control.go), clients have to identify themselves: by an upgrade
// (access_identify.go), by a message (access_auth.go), by a request over HTTP (access_http.go). A
// client's principal says what it may do, and access.go asks it before anything is done. It is
// replaced when the client renews its credential (access_auth.go), when an application is asked
// again (access_renewal.go), and when the configuration is read again (access_reload.go); what the
// client hears follows (access_viewer.go). Deadlines share one timer (package deadline). What may
// block runs on workers (package workers), and never with a lock. An operator closes clients
// (access_kick.go), and a page asks who it is (access_whoami.go).
//
// # Down
//
//	delivery ──► actor.Envelope ──► hub.Reply ──┬─► one frame ──► plain log ──► every plain client
//	                                            ├─► numbered frame ──► groups' logs ──► v1 clients
//	                                            └─► observe.go ──┬─► problems.go ──► package problem ─┐
//	                                                             ├─► models.go ────► package model ───┼─► notices
//	                                                             └─► history.go ───► package history  │
//	                                  the broker ──► consumers.go ──► package snapshot ───────────────┘
//
// A reply is encoded once, whatever the number of clients (replies.go). A message that CLU would
// not pass on, or that cannot be read, is dropped, counted and logged; the next reply is not
// affected. Package hub does the rest: numbers, filters, throttling, history, snapshots. What a
// client may hear is decided there, too: its view is part of the key of what clients share.
//
// What follows what actors say is told of each reply after that (observe.go), and tells clients by notices
// what has changed. The bridge itself asks actors for their models (models.go), and the broker whether they
// have a queue for commands and a consumer (consumers.go). After a start on a stream, the past is read in the
// background for the history of keywords and for problems (history_refill.go, problem_past.go).
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
//	text ──► protocol.Parse ──► Validate ──► too late? ──► decide ──► ask ──► Inflight ──► record ──► Link.Publish
//	                                                                                                        │
//	  sender ◄── command_outgoing.go: every outcome except success ◄────────────────────────────────────────┘
//
// Every command is registered before it is sent: in CLU's own form (commands.go), tracked
// (command_tracked.go), or over HTTP (command_http.go, command_httpwaiter.go). The registry of the
// commands in flight ([hub.Inflight]) refuses an id that is in use, and matches replies with their
// commands. Whether a client may send it is decided before anything else may show that it was
// sent, and again right before it is written; the limits of a user count all its connections
// (access_limits.go, package quota). An application may decide, too, while the client's later
// messages wait (access_ask.go, package inorder). With an audit log, a command is recorded first
// (audit.go). A command is published within 0.9 s of being read or not at all (command_late.go),
// and fails at once if it cannot be published. Each is logged with its outcome (command_log.go).
// The sender is told every outcome except success, which the actor's reply shows:
//
//	bad input     an error envelope to the sender, unless the bridge is strict
//	returned      CLU's failed reply, published for every client (command_returned.go, command_returns.go)
//	not sent      an error envelope to the sender: it may be sent again
//	unknown       an error envelope to the sender: the actor may have it; also after a nack
//
// # Beside them
//
//	source ──► path of the room ──► its place ──► one raw frame ──► rooms' logs, groups' logs
//
// Exchanges other than the actors' feed rooms (room_sources.go, package rooms); a message may have a
// place among others (room_place.go). Clients that connected to a room follow its log; v1 clients
// have rooms among their subscriptions (room_request.go). Programs publish messages over HTTP
// (room_publishhttp.go), clients where that is granted (room_publish.go), and applications see on an
// exchange, or by the callback, which clients connect and leave (presence.go) and what they do in
// rooms (room_events.go).
//
//	source, an exchange or Redis ──► rooms.Sequencer ──► dialects.go ──► Dialect.Deliver ──► its clients
//	upgrade, request, message at its path ──► dialects.go ──► Dialect.Accept, Routes ──► Session
//
// A dialect (package dialect) serves a path in the words of another system. It has the bridge's loops,
// limits, sources and checks of pages, and its own rules about who its clients are.
//
// The engine's loops never wait for the broker, and the link never waits for a client.
package bridge
