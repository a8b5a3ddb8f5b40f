package bridge

import (
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
)

// hubConn is a connection as the hub uses it. It implements [hub.Conn].
type hubConn struct{ engine.Conn }

// Follow implements [hub.Conn].
func (c hubConn) Follow(log hub.Log, first ...engine.Frame) {
	followed, _ := log.(*engine.Log) // nil if there is no log to follow
	c.Conn.Follow(followed, first...)
}
