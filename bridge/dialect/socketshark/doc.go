// Package socketshark is the dialect of SocketShark: its pages connect as before, its backends are asked
// by the same callbacks and publish the same messages.
//
//	client ──► session ──► event ──► auth, subscribe, message, unsubscribe, ping
//	              │ one after another      │ callback: POST, tries, rate limit
//	              │                        ▼
//	              │                     backend
//	              ▼
//	source ──► topic ──► group (extra and filter fields) ──► cohort (order, throttle) ──► one frame for all
//
// An event that asks no backend is handled on the engine's loop. Otherwise a goroutine handles it, and
// those of the client that come meanwhile, in their order. A client without such events has no goroutine.
//
// SocketShark keeps the order and the throttle of messages for each subscription. Subscriptions that had
// the same messages have the same state, so they share it, and what they get: they are a cohort. One that
// joins later begins its own, which ends as soon as both are equal.
package socketshark
