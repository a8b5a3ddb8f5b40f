// Package listen makes the sockets at which clients arrive, and what belongs to
// them: files, certificates, and the word with the service manager. It knows
// nothing of WebSocket or CLU; what it gives is a [net.Listener].
//
// # Where a listener comes from
//
//	"host:port"  ──► ParseAddress ──► Open ──┐
//	"unix:/path" ──► ParseAddress ──► Open ──┼──► Listener: Proxy? TLS? ──► the engine
//	LISTEN_FDS   ──► Inherited ──────────────┘
//
// A Unix socket is a file that outlives a process that was killed. [Open] removes
// such a file, but never one that a living process serves, and the listener
// removes its own when it is closed (unix.go). [Inherited] takes the sockets that
// systemd opened before the program was there, and keeps while it is away.
//
// # TLS
//
// [Listener.EnableTLS] has the connections of TCP listeners speak TLS; the engine does that.
// A [Certificate] is read again when its files change; connections that are there keep
// what they have, and a file that cannot be used changes nothing.
//
// # The PROXY protocol
//
// A load balancer that forwards TCP names the client in a header before the client's
// bytes, and before TLS. The engine reads it.
//
// # The service manager
//
// A [Manager] is told when the program is ready, reads its files again, stops
// and, where it asks for that, that it is alive. It is systemd's protocol; see
// sd_listen_fds(3) and sd_notify(3).
package listen
