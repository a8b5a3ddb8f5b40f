package soak

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// clientFaults are what happens between clients and bridges, and what clients do to a bridge.
var clientFaults = []fault{
	{"client: cut", func(_ context.Context, r *run) { r.anyClient().proxy.Cut() }},
	{"client: cut again and again", func(ctx context.Context, r *run) {
		c := r.anyClient()
		for range 5 {
			c.proxy.Cut()
			r.pass(ctx, r.moment(200*time.Millisecond))
		}
	}},
	{"client: stall", func(ctx context.Context, r *run) { r.hold(ctx, r.anyClient().proxy, 3*time.Second) }},
	{"client: half open", func(ctx context.Context, r *run) {
		r.anyClient().proxy.Swallow(testkit.Direction(r.rng.IntN(2)))
		r.pass(ctx, r.moment(time.Second))
	}},
	{"client: slow network", func(ctx context.Context, r *run) {
		c := r.anyClient()
		c.proxy.Slow(20_000)
		r.pass(ctx, r.moment(4*time.Second))
		c.proxy.Slow(0)
	}},
	{"client: away", func(ctx context.Context, r *run) {
		c := r.anyClient()
		c.proxy.Target("127.0.0.1:1") // where nobody listens
		c.proxy.Cut()
		r.pass(ctx, r.moment(5*time.Second))
		c.proxy.Target(r.bridges[0].addr)
	}},
	{"client: to the other bridge and back", func(ctx context.Context, r *run) {
		c := r.anyClient()
		for _, b := range []*bridgeProcess{r.bridges[1], r.bridges[0]} {
			c.proxy.Target(b.addr)
			c.proxy.Cut()
			r.pass(ctx, r.moment(3*time.Second))
		}
	}},
	{"others: many", func(ctx context.Context, r *run) {
		conns := r.dial(ctx, 100)
		for i, conn := range conns {
			_ = wsutil.WriteClientText(conn, fmt.Appendf(nil, `{"op": "subscribe", "id": "s", "filter": {"sender": ["weather", "%d"]}}`, i))
		}
		r.pass(ctx, r.moment(time.Second))
		for i, conn := range conns {
			if tcp, ok := conn.Conn.(*net.TCPConn); ok && i%2 == 0 {
				_ = tcp.SetLinger(0)
			}
			conn.Close()
		}
	}},
	{"others: deaf", func(ctx context.Context, r *run) { // they read nothing
		for _, conn := range r.dial(ctx, 10) {
			defer conn.Close()
			_ = wsutil.WriteClientText(conn, []byte(`{"op": "subscribe", "id": "s", "snapshot": true}`))
		}
		r.pass(ctx, r.moment(4*time.Second))
	}},
	{"others: flood", func(ctx context.Context, r *run) {
		for _, conn := range r.dial(ctx, 3) {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(testkit.Patience))
			go func() { _, _ = discard(conn) }()
			r.flood(conn)
		}
	}},
	{"others: gone", func(ctx context.Context, r *run) { // the bridge notices it by their silence
		proxy := r.goneNetwork()
		proxy.Target(r.anyBridge().addr)
		for range 10 {
			_, _ = testkit.OpenWebSocket(ctx, v1Dialer, "ws://"+proxy.Addr+"/")
		}
		proxy.Swallow(testkit.Upstream)
		proxy.Swallow(testkit.Downstream)
	}},
}

var v1Dialer = ws.Dialer{Protocols: []string{"clu-ws.v1"}}

// dial connects some clients to any bridge. One that is refused is left out.
func (r *run) dial(ctx context.Context, count int) (conns []*testkit.WebSocket) {
	b := r.anyBridge()
	for range count {
		if conn, err := testkit.OpenWebSocket(ctx, v1Dialer, "ws://"+b.addr+"/"); err == nil {
			conns = append(conns, conn)
		}
	}
	return conns
}

// flood sends what a bridge refuses, and what costs it work.
func (r *run) flood(conn *testkit.WebSocket) {
	texts := []string{
		"ping", "{", `{"op": "nothing", "id": "1"}`, `{"op": "subscribe", "id": "a", "filter": {"keyword": "*"}}`, `{"op": "unsubscribe", "id": "a"}`,
		`{"op": "problems", "id": "p"}`, `{"op": "history", "id": "h", "keywords": ["weather.slow"]}`, `{"op": "subscribe", "id": 5}`,
		`{"consumer": "dome"}`, `{"op": "log", "id": "l", "limit": 20}`, "[]", `{"op": "actors", "id": "x"}`,
	}
	for range 2000 {
		if wsutil.WriteClientText(conn, []byte(texts[r.rng.IntN(len(texts))])) != nil {
			return // the bridge has closed it
		}
	}
}

func discard(conn net.Conn) (n int, err error) {
	buf := make([]byte, 16<<10)
	for err == nil {
		var read int
		read, err = conn.Read(buf)
		n += read
	}
	return n, err
}

// goneNetwork is the network of clients that vanish.
func (r *run) goneNetwork() *testkit.ChaosProxy {
	if r.gone == nil {
		r.gone = testkit.StartChaosProxy(r.t, r.bridges[0].addr, 0)
		r.gone.Calm()
	}
	return r.gone
}
