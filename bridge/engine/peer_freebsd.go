package engine

// peerPID returns 0: the system tells no process.
func peerPID(int) int { return 0 }
