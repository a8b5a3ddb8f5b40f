package engine

import (
	"cmp"
	"math"
	"time"
)

// Limits bound the resources that clients may use. The zero value of each is its default.
// No value is too large: durations are capped at a year, MaxHead and MaxMessage at 2 GiB.
type Limits struct {
	// MaxHead is the longest request head in bytes. 0 means 8 KiB.
	MaxHead int
	// HeadTimeout is how long a client may take to send its request. 0 means 10 s.
	HeadTimeout time.Duration
	// DecisionTimeout is how long the decision on a parked connection may take
	// ([Accepted].Later); then it is answered with 503. 0 means 10 s.
	DecisionTimeout time.Duration
	// MaxMessage is the longest message from a client in bytes, over all its fragments. 0
	// means 1 MiB.
	MaxMessage int
	// LogBytes bounds the bytes that a log keeps for slow clients, on each loop. 0 means 16
	// MiB.
	LogBytes int
	// LogAge bounds how long a log keeps a frame for slow clients. 0 means 30 s.
	LogAge time.Duration
	// MaxConnections bounds all connections; more are answered with 503. Connections
	// without a complete request are evicted first. 0 means what the limit on open files
	// allows.
	MaxConnections int
	// MaxPerAddress bounds the connections from one address, except loopback; more are
	// answered with 503. 0 means no limit.
	MaxPerAddress int
	// MessageRate bounds the messages of one client per second, with a burst of ten
	// seconds' worth; more close it with 1008. 0 means 200.
	MessageRate int
	// MaxInbound bounds the bytes of all incomplete messages; the connection that exceeds
	// it is closed with 1013. TLS handshakes may use as much again. 0 means 256 MiB.
	MaxInbound int
	// MaxOutbound bounds the bytes queued for all connections outside the logs: answers,
	// frames given to Follow, pongs. A frame queued for many connections counts once.
	// Beyond it the connection with the largest queue is closed with 1008, then the next. 0
	// means 256 MiB.
	MaxOutbound int
	// LateAfter is how long the process, or reading, must have been paused before messages
	// are marked as late: see [Message]. 0 means 1 s.
	LateAfter time.Duration
	// PingAfter is how long a connection may be idle before it is pinged; each ping is sent
	// at a random time between 1 and 2.25 times this. 0 means 20 s.
	PingAfter time.Duration
	// PongTimeout is how long a pinged client may send nothing. 0 means 20 s.
	PongTimeout time.Duration
}

// maxDuration caps all durations, so that ticks do not wrap.
const maxDuration = 365 * 24 * time.Hour

func (l *Limits) setDefaults() {
	l.MaxHead = min(cmp.Or(l.MaxHead, 8<<10), math.MaxInt32)
	l.HeadTimeout = min(cmp.Or(l.HeadTimeout, 10*time.Second), maxDuration)
	l.DecisionTimeout = min(cmp.Or(l.DecisionTimeout, 10*time.Second), maxDuration)
	l.MaxMessage = min(cmp.Or(l.MaxMessage, 1<<20), math.MaxInt32)
	l.LogBytes = cmp.Or(l.LogBytes, 16<<20)
	l.LogAge = min(cmp.Or(l.LogAge, 30*time.Second), maxDuration)
	l.MessageRate = cmp.Or(l.MessageRate, 200)
	l.MaxInbound = cmp.Or(l.MaxInbound, 256<<20)
	l.MaxConnections = cmp.Or(l.MaxConnections, maxOpenConnections())
	l.MaxOutbound = cmp.Or(l.MaxOutbound, 256<<20)
	l.LateAfter = min(cmp.Or(l.LateAfter, time.Second), maxDuration)
	l.PingAfter = min(cmp.Or(l.PingAfter, 20*time.Second), maxDuration)
	l.PongTimeout = min(cmp.Or(l.PongTimeout, 20*time.Second), maxDuration)
}
