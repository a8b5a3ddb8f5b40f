package bridge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
)

// A bridge inside another program, as WebsocketServer is used in Python: it serves
// WebSocket clients on a port until the context ends.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	node := startDome(ctx) // a broker and an actor, in place of real ones
	defer cancel()

	b, err := bridge.New(bridge.Config{Broker: []string{node.url}, Dial: node.dial, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0") // a program would have a fixed port
	if err != nil {
		log.Fatal(err)
	}
	if err := b.Listen(ln); err != nil {
		log.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.Run(ctx); err != nil {
			log.Print(err)
		}
	})

	if err := b.Ready(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(openDome("ws://" + ln.Addr().String() + "/"))
	cancel()
	running.Wait()
	node.stop()
	// Output: [> i :] open
}

// openDome is a WebSocket client: it sends a command, and returns the codes of the replies and
// the state of the dome.
func openDome(url string) (codes []string, state any) {
	conn, _, _, err := ws.Dial(context.Background(), url)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	command := `{"consumer": "dome", "command_string": "open", "command_id": "1"}`
	if err := wsutil.WriteClientText(conn, []byte(command)); err != nil {
		log.Fatal(err)
	}
	for {
		text, err := wsutil.ReadServerText(conn)
		if err != nil {
			log.Fatal(err)
		}
		var reply struct {
			Headers struct {
				Code actor.Code `json:"message_code"`
			} `json:"headers"`
			Body map[string]any `json:"body"`
		}
		if err := json.Unmarshal(text, &reply); err != nil {
			log.Fatal(err)
		}
		codes = append(codes, string(reply.Headers.Code))
		if s, ok := reply.Body["state"]; ok {
			state = s
		}
		if reply.Headers.Code.Ends() {
			return codes, state
		}
	}
}

// embedded is a broker within the process, on which an actor runs.
type embedded struct {
	url  string
	dial func(network, addr string) (net.Conn, error)
	stop func()
}

// startDome starts an embedded broker and an actor that has the command open.
func startDome(ctx context.Context) embedded {
	b := broker.New(broker.Config{})
	const url = "amqp://guest:guest@embedded/"
	dome, err := actor.New(actor.Config{Name: "dome", Link: amqpx.Config{URLs: []string{url}, Dial: b.Dial, Logger: slog.New(slog.DiscardHandler)}})
	if err != nil {
		log.Fatal(err)
	}
	dome.Handle("open", "Opens the dome.", func(_ context.Context, c *actor.Call) error {
		c.Info(actor.Keywords{"state": "open"})
		return nil
	})
	var running sync.WaitGroup
	running.Go(func() {
		if err := dome.Run(ctx); err != nil {
			log.Print(err)
		}
	})
	if err := dome.Ready(ctx); err != nil {
		log.Fatal(err)
	}
	return embedded{url: url, dial: b.Dial, stop: func() {
		running.Wait()
		if err := b.Close(); err != nil {
			log.Print(err)
		}
	}}
}
