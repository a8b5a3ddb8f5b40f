package engine

import (
	"cmp"
	"math"
	"time"
)

// Limits bound what clients may take. The zero value of each is its default. No value
// is too large: durations beyond a year are a year, MaxHead and MaxMessage beyond 2 GiB
// are that.
type Limits struct {
	// MaxHead is the longest request head in bytes. 0 is 8 KiB.
	MaxHead int
	// HeadTimeout is how long a client may take to send its request. 0 is 10 s.
	HeadTimeout time.Duration
	// MaxMessage is the longest message from a client in bytes, over all its
	// fragments. 0 is 1 MiB.
	MaxMessage int
	// LogBytes bounds what a log keeps for slow clients, on each loop. 0 is 16 MiB.
	LogBytes int
	// LogAge bounds how long a log keeps a frame for slow clients. 0 is 30 s.
	LogAge time.Duration
	// MaxConnections bounds the connections in all; more are answered with 503. A
	// connection whose request has not come yet is evicted first. 0 is what the limit
	// on open files leaves room for.
	MaxConnections int
	// MaxPerAddress bounds the connections from one address, this machine's own
	// apart; more are answered with 503. 0 is no limit.
	MaxPerAddress int
	// MessageRate bounds the messages of one client a second, with ten seconds'
	// worth in a burst; more close it with 1008. 0 is 200.
	MessageRate int
	// MaxInbound bounds the bytes of all messages that are incomplete; whoever passes
	// it is closed with 1013. What waits in TLS handshakes has as much again.
	// 0 is 256 MiB.
	MaxInbound int
	// MaxOutbound bounds the bytes queued for all connections outside the logs:
	// answers, frames given to Follow, pongs. A frame queued for many connections
	// counts once. Beyond it the connection with the most queued bytes is closed with
	// 1008, then the next. 0 is 256 MiB.
	MaxOutbound int
	// StallAfter is how long the process must have stood still for the messages that
	// waited to be handed over as late: see [Message]. 0 is 1 s.
	StallAfter time.Duration
	// PingAfter is how long a connection may be silent before it is pinged; each
	// ping is drawn between this and 2.25 times this. 0 is 20 s.
	PingAfter time.Duration
	// PongTimeout is how long a pinged client may take to give a sign of life. 0 is 20 s.
	PongTimeout time.Duration
}

// maxDuration bounds every duration, so that ticks do not wrap.
const maxDuration = 365 * 24 * time.Hour

func (l *Limits) setDefaults() {
	l.MaxHead = min(cmp.Or(l.MaxHead, 8<<10), math.MaxInt32)
	l.HeadTimeout = min(cmp.Or(l.HeadTimeout, 10*time.Second), maxDuration)
	l.MaxMessage = min(cmp.Or(l.MaxMessage, 1<<20), math.MaxInt32)
	l.LogBytes = cmp.Or(l.LogBytes, 16<<20)
	l.LogAge = min(cmp.Or(l.LogAge, 30*time.Second), maxDuration)
	l.MessageRate = cmp.Or(l.MessageRate, 200)
	l.MaxInbound = cmp.Or(l.MaxInbound, 256<<20)
	l.MaxConnections = cmp.Or(l.MaxConnections, maxOpenConnections())
	l.MaxOutbound = cmp.Or(l.MaxOutbound, 256<<20)
	l.StallAfter = min(cmp.Or(l.StallAfter, time.Second), maxDuration)
	l.PingAfter = min(cmp.Or(l.PingAfter, 20*time.Second), maxDuration)
	l.PongTimeout = min(cmp.Or(l.PongTimeout, 20*time.Second), maxDuration)
}
