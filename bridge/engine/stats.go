package engine

import "golang.org/x/sys/unix"

// Stats is how an engine is, for those who watch it.
type Stats struct {
	// Connections is how many WebSocket connections are open now.
	Connections int
	// SlowCloses is how many were closed because they fell off their log.
	SlowCloses int
	// Skips is how often a connection that fell off its log went on without.
	Skips int
	// Refused is how many connections were turned away for their number.
	Refused int
	// Held is how many bytes of incomplete messages are held now.
	Held int
}

// Stats gives the engine's numbers. It is cheap.
func (e *Engine) Stats() Stats {
	return Stats{
		Connections: int(e.open.Load()),
		SlowCloses:  int(e.slow.Load()),
		Skips:       int(e.skips.Load()),
		Refused:     int(e.refused.Load()),
		Held:        int(e.held.Load()),
	}
}

// spareFiles are the file descriptors that are not for clients: the broker,
// listeners, logs, requests of the page.
const spareFiles = 128

// roomForConnections is how many connections the limit on open files allows.
func roomForConnections() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<30 {
		return 1 << 30
	}
	return max(1, int(limit.Cur)-spareFiles)
}
