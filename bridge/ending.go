package bridge

import "github.com/clu-ws/clu-ws/bridge/engine"

// Closing finishes a client that closes once its messages are answered: the requests of
// a v1 client, queued in its lane, and the commands, which then have their outcomes.
func (b *Bridge) Closing(conn engine.Conn, v any) {
	c := v.(*client)
	c.set(clientSentClose)
	if s := c.v1.Load(); s != nil {
		b.hub.AfterRequests(s, func() { c.finish(conn) })
		return
	}
	c.finish(conn)
}

// finish ends the connection, now or at the outcome of its last command.
func (c *client) finish(conn engine.Conn) {
	c.set(clientClosing)
	if c.commands.Load() == 0 {
		conn.Finish()
	}
}
