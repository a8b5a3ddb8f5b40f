package broker

import (
	"errors"
	"io"
	"time"
)

// How long a client may take to hang up after connection.close, and when the broker itself closes.
const (
	closeGrace    = 5 * time.Second
	shutdownGrace = time.Second
)

// sendClose sends connection.close.
func (c *conn) sendClose(e *amqpError) {
	buf, mark := beginMethod(c.out.begin(), 0, connectionClose)
	c.out.commit(endFrame(appendError(buf, e), mark))
}

// awaitHangup discards input until the client closes its end. Closing the broker's end first could
// discard the last frames on their way to the client.
func (c *conn) awaitHangup() error {
	c.closeBy.CompareAndSwap(0, time.Now().Add(closeGrace).UnixNano())
	_ = c.nc.SetReadDeadline(time.Unix(0, c.closeBy.Load()))
	for {
		fr, err := c.in.next()
		if refused := (*amqpError)(nil); errors.As(err, &refused) {
			_, err = io.Copy(io.Discard, c.in.r) // malformed frames do not matter now; wait for the end
			return err
		}
		if err != nil {
			return err
		}
		if fr.kind == frameMethod && fr.channel == 0 {
			a := args{b: fr.payload}
			if methodID(a.u32()) == connectionClose { // both sides close at once
				c.sendPlain(0, connectionCloseOk)
			}
		}
	}
}

// shutdown begins to close the connection because the broker closes. Any goroutine may call it.
func (c *conn) shutdown() {
	c.sendClose(errorf(connectionForced, "broker forced connection closure with reason 'shutdown'"))
	c.out.hurry(shutdownGrace)
	by := time.Now().Add(shutdownGrace)
	c.closeBy.Store(by.UnixNano())
	_ = c.nc.SetReadDeadline(by)
}

// afterShutdown handles the first frame that arrives after shutdown.
func (c *conn) afterShutdown(fr frame) error {
	c.release()
	if a := (args{b: fr.payload}); fr.kind == frameMethod && fr.channel == 0 && methodID(a.u32()) == connectionClose {
		c.sendPlain(0, connectionCloseOk)
	}
	return c.awaitHangup()
}
