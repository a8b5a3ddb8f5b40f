// Package listen opens the sockets on which clients arrive. It also handles socket files,
// certificates, and notifications to the service manager. It knows nothing of WebSocket or
// CLU, and returns plain [net.Listener] values.
//
// # Where a listener comes from
//
//	"host:port"  ──► ParseAddress ──► Open ──┐
//	"unix:/path" ──► ParseAddress ──► Open ──┼──► Listener: Proxy? TLS? ──► the engine
//	LISTEN_FDS   ──► Inherited ──────────────┘
//
// A Unix socket is a file that outlives a process that was killed. [Open] removes such a
// file, but never one on which a running process listens, and the listener removes its own
// file when it is closed (unix.go). [Inherited] takes over the sockets that systemd opened
// before the program started, and that stay open while it restarts.
//
// # TLS
//
// [Listener.EnableTLS] enables TLS on a TCP listener; the engine implements it. A
// [Certificate] is reloaded when its files change. Existing connections keep the old one,
// and files that cannot be used change nothing. It may ask clients for certificates, too
// ([Certificate.SetClientCAs]).
//
// # The PROXY protocol
//
// A load balancer that forwards TCP names the client in a header before the client's
// bytes, and before TLS. The engine parses it.
//
// # The service manager
//
// A [Manager] is notified when the program is ready, reloads its files and stops, and, if
// it has a watchdog, that the program is alive. The protocol is systemd's; see
// sd_listen_fds(3) and sd_notify(3).
package listen
