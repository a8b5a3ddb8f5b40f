package hightemplar

import (
	"sync/atomic"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// counts are what status tells. They are those of the process.
type counts struct {
	connections atomic.Int64
	published   atomic.Int64 // messages of backends
	received    atomic.Int64 // messages of clients
	sent        atomic.Int64

	last *byte // of the message that was counted last, guarded by hub.mu
}

// count counts a message of a backend, which may be delivered to many rooms.
func (c *counts) count(whole []byte) {
	if len(whole) == 0 || &whole[0] == c.last {
		return
	}
	c.last = &whole[0]
	c.published.Add(1)
}

// status is the answer to the message status.
type status struct {
	Connections int64  `json:"open_connections"`
	Rooms       int    `json:"num_rooms"`
	OnlineSince string `json:"online_since"`
	Published   int64  `json:"rabbitmq_messages_received"`
	Received    int64  `json:"ws_messages_received"`
	Sent        int64  `json:"ws_messages_send"`
	SendErrors  int64  `json:"ws_messages_send_error"`
	SendQueued  int64  `json:"ws_messages_send_queued"`
}

func (d *service) status() engine.Frame {
	return engine.Text(string(protocol.JSON(status{
		Connections: d.counts.connections.Load(), Rooms: d.hub.len(), OnlineSince: d.online.Format("2006-01-02T15:04:05.000000"),
		Published: d.counts.published.Load(), Received: d.counts.received.Load(), Sent: d.counts.sent.Load(),
	})))
}
