package bridge

import (
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
)

// hubConn is a connection as the hub has it.
type hubConn struct{ engine.Conn }

// Follow implements [Conn].
func (c hubConn) Follow(log hub.Log, first ...engine.Frame) {
	followed, _ := log.(*engine.Log) // nil follows nothing
	c.Conn.Follow(followed, first...)
}
