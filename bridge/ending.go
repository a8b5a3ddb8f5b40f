package bridge

import "github.com/clu-ws/clu-ws/bridge/engine"

// Ending lets a client go once its messages are answered: the requests of a v1
// client, which wait in its lane, and the commands of either kind, which have their
// outcome then.
func (b *Bridge) Ending(conn engine.Conn, v any) {
	c := v.(*client)
	c.set(clientGoodbye)
	if s := c.v1.Load(); s != nil {
		// What came before the greeting is read in the lane, and asks for the lane anew.
		b.desk.doFor(&s.lane, func() {
			b.desk.doFor(&s.lane, func() { c.finish(conn) })
		})
		return
	}
	c.finish(conn)
}

// finish ends the connection, now or with the outcome of its last command.
func (c *client) finish(conn engine.Conn) {
	c.set(clientEnding)
	if c.commands.Load() == 0 {
		conn.Finish()
	}
}
