package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The backends of High-templar publish to an exchange. High-templar itself has this one, and the bridge another, which
// the same backend would not need.
const (
	templarExchange       = "hightemplar"
	templarBridgeExchange = "hightemplar_bridge"
)

// startHighTemplar starts High-templar itself. Its backend opens all rooms to all clients.
func (r *peersRun) startHighTemplar(ctx context.Context) (*runningPeer, error) {
	if len(r.cfg.HighTemplar) == 0 {
		return nil, errMissing("it is not installed; run scripts/setup-test.sh")
	}
	uri, err := amqp.ParseURI(r.amqpURL())
	if err != nil {
		return nil, err
	}
	api, stop, err := startTemplarBackend()
	if err != nil {
		return nil, err
	}
	p, _, err := r.serverProcess(ctx, "High-templar", 1, func(_ string, ports []int) ([]string, error) {
		return append(append([]string{}, r.cfg.HighTemplar...), fmt.Sprintf("127.0.0.1:%d", ports[0]), api, net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port))), nil
	})
	if err != nil {
		stop()
		return nil, err
	}
	p.path, p.dialect, p.window = "/ws/", templar, 64
	return r.templarPeer(p, templarExchange, stop)
}

const templarBridgeConfig = `
source:
  - exchange=` + templarBridgeExchange + `,type=direct,format=hightemplar,path=/ws
dialects:
  - path: /ws/
    high-templar:
      api-url: %s
`

// startTemplarBridge starts the bridge in its place.
func (r *peersRun) startTemplarBridge(ctx context.Context) (*runningPeer, error) {
	api, stop, err := startTemplarBackend()
	if err != nil {
		return nil, err
	}
	p, err := r.dialectBridge(ctx, "/ws/", templar, templarBridgeConfig, api)
	if err != nil {
		stop()
		return nil, err
	}
	return r.templarPeer(p, templarBridgeExchange, stop)
}

// templarPeer gives a peer its source, and ends its backend with it.
func (r *peersRun) templarPeer(p *runningPeer, exchange string, stopBackend func()) (*runningPeer, error) {
	end := p.end
	p.end = func() { end(); stopBackend() }
	publisher, err := newPublisher(r.amqpURL(), exchange)
	if err != nil {
		p.end()
		return nil, err
	}
	p.source = viaTemplar{viaBroker{publisher, r.loop.clock}, p}
	return p, nil
}

// viaTemplar publishes the replies of a peer's topics as backends of High-templar do.
type viaTemplar struct {
	viaBroker
	peer *runningPeer
}

func (v viaTemplar) prepare(_ context.Context, first uint64, count int) error {
	v.keys, v.replies = v.keys[:0], v.replies[:0]
	for number := first; number < first+uint64(count); number++ {
		payload, err := peerPayload(number)
		if err != nil {
			return err
		}
		v.keys = append(v.keys, "*")
		v.replies = append(v.replies, amqp.Publishing{Body: templarMessage(v.peer.topicOf(number), payload)})
	}
	return nil
}

// startTemplarBackend starts a backend that opens all rooms, and returns the URL of its API.
func startTemplarBackend() (api string, stop func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"allowed_rooms":[%s]}`, templarRoom("*"))
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(ln) // it ends with stop
	}()
	return "http://" + ln.Addr().String() + "/api/", func() { server.Close(); <-ended }, nil
}

// Channels of Jararaca.
const (
	jararacaSend, jararacaBroadcast             = "jararaca:send", "jararaca:broadcast"
	jararacaBridgeSend, jararacaBridgeBroadcast = "bridge:jararaca:send", "bridge:jararaca:broadcast"
)

// startJararaca starts an application of Jararaca.
func (r *peersRun) startJararaca(ctx context.Context) (*runningPeer, error) {
	addr, err := r.startRedis(ctx)
	if err != nil {
		return nil, err
	}
	if len(r.cfg.Jararaca) == 0 {
		return nil, errMissing("it is not installed; run scripts/setup-test.sh")
	}
	p, _, err := r.serverProcess(ctx, "Jararaca", 1, func(_ string, ports []int) ([]string, error) {
		return append(append([]string{}, r.cfg.Jararaca...), strconv.Itoa(ports[0]), "redis://"+addr+"/0", jararacaBroadcast, jararacaSend), nil
	})
	if err != nil {
		return nil, err
	}
	p.window = 64
	return r.jararacaPeer(ctx, p, jararacaSend)
}

const jararacaBridgeConfig = `
source:
  - redis=redis://%s/0,channel=` + jararacaBridgeSend + `,broadcast=` + jararacaBridgeBroadcast + `,format=jararaca,path=/chat
dialects:
  - path: /chat
    jararaca:
      routes:
        - path: /chat/ws
          join: ["{?rooms}"]
          split: "|"
`

// startJararacaBridge starts the bridge in its place.
func (r *peersRun) startJararacaBridge(ctx context.Context) (*runningPeer, error) {
	addr, err := r.startRedis(ctx)
	if err != nil {
		return nil, err
	}
	p, err := r.dialectBridge(ctx, "", nil, jararacaBridgeConfig, addr)
	if err != nil {
		return nil, err
	}
	return r.jararacaPeer(ctx, p, jararacaBridgeSend)
}

// jararacaPeer gives a peer its source, once it listens to Redis.
func (r *peersRun) jararacaPeer(ctx context.Context, p *runningPeer, send string) (*runningPeer, error) {
	p.room = func(topic string) string { return "/chat/ws?rooms=" + topic }
	p.source = r.publishes(func(number uint64, payload []byte) (string, []byte) {
		return send, append([]byte(p.topicOf(number)+"\x00"), payload...)
	})
	return p, p.unless(listensToRedis(ctx, r.redis.addr.String(), "PUBSUB NUMSUB "+send))
}
