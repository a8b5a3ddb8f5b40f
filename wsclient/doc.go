// Package wsclient is a client of a bridge for Go programs: replies, values and commands over a WebSocket, as clu.js has
// them for web pages.
//
//	Client ──► connection ──► session ──┬──► lane ──► queue ──► Subscription.Next
//	 (conn.go: again and again)         ├──► own replies ──► Command.Wait
//	                                    └──► answers ──► Value, History, Model ...
//
// # What it keeps to
//
//   - A command is sent once, or not at all. Without a connection it is [Rejected] at once; it is never kept for later.
//     If the connection is lost, it becomes [Unknown]: its actor may go on. It becomes [Done] or [Failed] later if its
//     replies come after all.
//   - After a lost connection a subscription goes on where it was: each reply once, in order. If the bridge no longer has
//     what was missed, a [Gap] says so.
//   - A program that reads too slowly is told by a [Dropped] how many replies were left out. With
//     [SubscribeOptions.Lossless] none is left out, and the bridge waits. With [SubscribeOptions.MaxLag] it skips to the
//     present.
//   - Ages count by the bridge's clock: [Client.Age].
//   - Numbers keep all their digits: values are [encoding/json.RawMessage].
//
// It also speaks with CLU's own server, as far as that goes: it sends every reply to everyone, so filters are applied
// here; questions are [ErrUnsupported], and every lost connection is a [Gap].
package wsclient
