package engine

import (
	"os"
	"time"
)

// poller reports to one loop which of its sockets can be read or written. There are
// two: epoll (epoll_linux.go), and one made of Go's own poller (portable.go), which
// works on every Unix.
//
// An event carries slot and generation, so that one of a socket that is closed
// meanwhile can never be taken for its successor's. All methods but wake are the
// loop's alone.
type poller interface {
	// wait returns what happened, after the timeout at the latest; 0 does not wait. The
	// events are valid until the next call.
	wait(timeout time.Duration) []event
	// wake interrupts wait, from any goroutine.
	wake()
	// add starts to report a connection's socket.
	add(fd int, slot int32, gen uint32) error
	// oneShot reports whether a socket must be asked for again: by awaitInput after a
	// read found it empty, by awaitRoom after a write found it full, and by listen after
	// connections were accepted. It never changes.
	oneShot() bool
	// awaitInput has the connection reported once there is input, or its end.
	awaitReadable(slot int32)
	// awaitRoom has the connection reported once its socket has room.
	awaitWritable(slot int32)
	// closeSocket closes a connection's socket, whether it was added or not.
	closeSocket(c *conn)
	// release stops reporting a connection that was added, and gives its socket away.
	release(c *conn) *os.File
	// listen reports a listening socket while connections wait on it.
	listen(fd int) error
	// pause stops that until listen is called again.
	pause(fd int)
	// unlisten ends it; the caller closes the socket.
	unlisten(fd int)
	// close ends the poller, whose connections are gone.
	close()
}

// event is what happened to a socket.
type event struct {
	slot int32
	gen  uint32
	what uint8
}

// What an event may say.
const (
	eventReadable = 1 << iota // there is input, or its end
	eventEnded                // the peer sends nothing more; only epoll knows
	eventWritable             // the socket has room
)

// listenSlot is no connection's: the generation is the listening socket.
const listenSlot = -1

// eventsPerTurn bounds the events of one wait.
const eventsPerTurn = 256
