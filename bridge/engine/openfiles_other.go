//go:build !unix

package engine

// roomForConnections returns no limit: where there is no Unix, the system sets
// none on open sockets.
func roomForConnections() int { return 1 << 30 }
