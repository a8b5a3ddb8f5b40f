package wsclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/wsclient"
)

// A program opens the dome, and then waits until it is open.
func Example() {
	url, stop := startObservatory() // a broker, an actor and a bridge, in place of real ones
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	client, err := wsclient.Dial(ctx, wsclient.Config{URL: url})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	result, err := client.Send(ctx, "dome", "open", wsclient.SendOptions{Timeout: time.Minute}).Wait(ctx)
	switch {
	case errors.Is(err, wsclient.ErrUnknown):
		log.Fatal("the dome may be open, or still opening: ", err)
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println("the command ended with", result.Reply.Code)

	value, err := client.WaitFor(ctx, "dome", "shutter", func(v wsclient.Value) bool {
		return v.String() == "open" && client.Age(v.Heard) < 30*time.Second
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the shutter is", value)
	// Output:
	// the command ended with :
	// the shutter is open
}

// A subscription brings replies, and says where some may be missing.
func ExampleClient_Subscribe() {
	url, stop := startObservatory()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := wsclient.Dial(ctx, wsclient.Config{URL: url})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	sub, err := client.Subscribe(ctx, wsclient.SubscribeOptions{Filter: wsclient.Filter{Keyword: []string{"shutter"}}})
	if err != nil {
		log.Fatal(err)
	}
	client.Send(ctx, "dome", "open", wsclient.SendOptions{})
	for event, err := range sub.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch e := event.(type) {
		case *wsclient.Reply:
			fmt.Printf("%s says %s\n", e.Sender, e.Body)
			return
		case wsclient.Gap:
			fmt.Println("replies may be missing from", e.From, "to", e.To)
		case wsclient.Dropped:
			fmt.Println("this program was too slow for", e.Count, "replies")
		}
	}
	// Output: dome says {"shutter":"open"}
}

// A value has an age, by the bridge's clock.
func ExampleClient_Value() {
	url, stop := startObservatory()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := wsclient.Dial(ctx, wsclient.Config{URL: url})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	_, err = client.Value(ctx, "dome", "shutter")
	fmt.Println("before the command:", err)

	insist(ctx, client, "dome", "open")
	value, err := client.Value(ctx, "dome", "shutter")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the shutter is", value, "and that is known for less than a minute:", client.Age(value.Heard) < time.Minute)
	// Output:
	// before the command: dome.shutter: the bridge has no value of this keyword
	// the shutter is open and that is known for less than a minute: true
}

// An error says whether the actor has the command.
func ExampleCommandError() {
	url, stop := startObservatory()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := wsclient.Dial(ctx, wsclient.Config{URL: url})
	if err != nil {
		log.Fatal(err)
	}
	send := func(consumer string) {
		_, err := client.Send(ctx, consumer, "open", wsclient.SendOptions{}).Wait(ctx)
		switch {
		case err == nil:
			fmt.Println(consumer, "is open")
		case errors.Is(err, wsclient.ErrNobody):
			fmt.Println(consumer, "is no actor that runs")
		case errors.Is(err, wsclient.ErrRejected):
			fmt.Println(consumer, "has not got the command:", err)
		case errors.Is(err, wsclient.ErrUnknown):
			fmt.Println(consumer, "may have got the command; its status says more:", err)
		default:
			fmt.Println(consumer, "has failed:", err)
		}
	}
	send("dome")
	send("roof")
	client.Close()
	send("dome")
	// Output:
	// dome is open
	// roof is no actor that runs
	// dome has not got the command: The command was not sent and will not be sent later: there is no connection to the bridge.
}

// The replies to a command come while it runs.
func ExampleCommand_Replies() {
	url, stop := startObservatory()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := wsclient.Dial(ctx, wsclient.Config{URL: url})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	command := client.Send(ctx, "dome", "open", wsclient.SendOptions{})
	for reply := range command.Replies(ctx) {
		fmt.Println(reply.Code, string(reply.Body))
	}
	fmt.Println(command.State())
	// Output:
	// > {}
	// i {"shutter":"open"}
	// : {}
	// done
}

// Replies that were stored as they came are read again.
func ExampleParseReply() {
	r, err := wsclient.ParseReply([]byte(`{"headers": {"message_code": "i", "sender": "dome"}, "body": {"azimuth": 101.50}, "seq": 42, "epoch": "5f0c"}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d: %s says azimuth=%s\n", r.Seq, r.Sender, r.Keywords()["azimuth"])
	// Output: 42: dome says azimuth=101.50
}

// insist sends a command that may be done twice, until it is done.
func insist(ctx context.Context, client *wsclient.Client, consumer, command string) {
	for {
		_, err := client.Send(ctx, consumer, command, wsclient.SendOptions{}).Wait(ctx)
		switch {
		case err == nil:
			return
		case ctx.Err() != nil || !errors.Is(err, wsclient.ErrUnknown) && !errors.Is(err, wsclient.ErrRejected):
			log.Fatal(err)
		}
	}
}

// startObservatory starts a bridge, an actor dome with the commands open and close, and an actor weather with the command storm.
func startObservatory() (url string, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	node := broker.New(broker.Config{})
	link := amqpx.Config{URLs: []string{"amqp://guest:guest@embedded/"}, Dial: node.Dial, Logger: slog.New(slog.DiscardHandler)}
	dome, err := actor.New(actor.Config{Name: "dome", Link: link})
	if err != nil {
		log.Fatal(err)
	}
	dome.Handle("open", "Opens the dome.", func(_ context.Context, c *actor.Call) error {
		c.Info(actor.Keywords{"shutter": "open"})
		return nil
	})
	dome.Handle("close", "Closes the dome.", func(_ context.Context, c *actor.Call) error {
		c.Finish(actor.Keywords{"shutter": "closed"})
		return nil
	})
	weather, err := actor.New(actor.Config{Name: "weather", Link: link})
	if err != nil {
		log.Fatal(err)
	}
	weather.Handle("storm", "Begins a storm.", func(_ context.Context, c *actor.Call) error {
		c.Finish(actor.Keywords{"is_safe": false})
		return nil
	})
	b, err := bridge.New(bridge.Config{Broker: link.URLs, Dial: node.Dial, Logger: link.Logger})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := b.Listen(ln); err != nil {
		log.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = dome.Run(ctx) })
	running.Go(func() { _ = weather.Run(ctx) })
	running.Go(func() { _ = b.Run(ctx) })
	if err := errors.Join(dome.Ready(ctx), weather.Ready(ctx), b.Ready(ctx)); err != nil {
		log.Fatal(err)
	}
	return "ws://" + ln.Addr().String(), func() {
		cancel()
		running.Wait()
		if err := node.Close(); err != nil {
			log.Print(err)
		}
	}
}
