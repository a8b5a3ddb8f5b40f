// Package hightemplar is the dialect of High-templar, which serves the pages of an API that speaks
// HTTP only.
//
//	upgrade ──► headers.go: what is forwarded ──► backend.go: GET bootstrap/ ──► grants.go: the rooms
//	                                                                             that it allows
//	subscribe, unsubscribe ──► client.go ──► hub.go: rooms ◄── Deliver ◄── source of the format hightemplar
//	connect, "ping", the end ──► presence.go ──► backend.go: POST notify_online, notify_offline
//
// The connection is parked until the backend has answered, so that the client's 101 comes with the
// greeting. A room is a JSON object; its messages go out as they are, with the requestId of each
// subscription. What is long is shared by all of them (hub.go). Callbacks about a client's presence
// run aside, in their order for each client, and decide about nothing.
package hightemplar
