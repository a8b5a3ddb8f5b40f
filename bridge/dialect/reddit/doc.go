// Package reddit is the dialect of reddit's WebSocket service: a page connects to a signed URL, and
// gets what backends publish for its path, unchanged.
//
//	upgrade ──► signed? (query.go, package access) ──► Open ──► namespaces.go: follow the path's log
//	source ──► Deliver ──► the logs of that namespace and of those below it
//	Open, Closed ──► status exchange: websocket.connect, websocket.disconnect
//	GET /health, POST /quiesce ──► http.go
//
// A namespace is the path of a room. What clients send is ignored. Once the bridge is quiesced, it
// stops as on SIGTERM.
package reddit
