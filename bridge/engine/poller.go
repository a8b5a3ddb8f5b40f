package engine

import (
	"os"
	"time"
)

// poller reports to one loop which of its sockets are readable or writable. There are two:
// epoll (epoll_linux.go), and one built on Go's own poller (portable.go), which works on
// every Unix.
//
// An event carries slot and generation, so that a late event of a closed socket is never
// taken for one of its successor's. Only the loop may call these methods, except wake.
type poller interface {
	// wait returns what happened, at the latest after the timeout; 0 does not wait. The
	// events are valid until the next call.
	wait(timeout time.Duration) []event
	// wake interrupts wait, from any goroutine.
	wake()
	// add starts reporting a connection's socket.
	add(fd int, slot int32, gen uint32) error
	// oneShot reports whether each report must be requested again: by awaitReadable after a
	// read found the socket empty, by awaitWritable after a write found it full, and by
	// listen after connections were accepted. It never changes.
	oneShot() bool
	// awaitReadable requests a report of input, or of its end.
	awaitReadable(slot int32)
	// awaitWritable requests a report when the socket is writable.
	awaitWritable(slot int32)
	// closeSocket closes a connection's socket, whether it was added or not.
	closeSocket(c *conn)
	// release stops reporting a connection that was added, and returns its socket.
	release(c *conn) *os.File
	// listen reports a listening socket while connections wait on it.
	listen(fd int) error
	// pause stops that until listen is called again.
	pause(fd int)
	// unlisten stops it for good; the caller closes the socket.
	unlisten(fd int)
	// close closes the poller, whose connections are gone.
	close()
}

// event is what happened to a socket.
type event struct {
	slot int32
	gen  uint32
	what uint8
}

// What an event may report.
const (
	eventReadable = 1 << iota // there is input, or its end
	eventEnded                // the peer sends nothing more; only epoll knows
	eventWritable
)

// listenSlot marks an event of a listening socket, which is in gen.
const listenSlot = -1

// eventsPerTurn bounds the events of one wait.
const eventsPerTurn = 256
