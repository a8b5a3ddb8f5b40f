package actor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// A command with an argument and two options.
func ExampleActor_Handle() {
	link, stopBroker := startBroker()
	defer stopBroker()
	camera, err := actor.New(actor.Config{Name: "camera", Link: link})
	if err != nil {
		fmt.Println(err)
		return
	}
	help := `Takes images.

		--dark     Keeps the shutter closed.
		--count    Number of images.`
	camera.Handle("expose SECONDS [--dark] [--count N]", help, func(_ context.Context, c *actor.Call) error {
		seconds, err := c.Float("SECONDS")
		if err != nil {
			return err
		}
		if seconds < 0 {
			return fmt.Errorf("SECONDS is %g; it must be at least 0", seconds)
		}
		count := 1
		if _, given := c.Arg("--count"); given {
			if count, err = c.Int("--count"); err != nil {
				return err
			}
		}
		for n := range count {
			c.Info(actor.Keywords{"image": n + 1, "dark": c.Flag("--dark")})
		}
		return nil // the command is done
	})
	client, stop := runWith(link, camera)
	defer stop()

	send(client, "camera", "expose 2.5 --count 2 --dark", "expose -1", "expose", "help expose")
	// Output:
	// expose 2.5 --count 2 --dark
	//   > {}
	//   i {"dark":true,"image":1}
	//   i {"dark":true,"image":2}
	//   : {}
	// expose -1
	//   > {}
	//   f {"error":"SECONDS is -1; it must be at least 0"}
	// expose
	//   > {}
	//   w {"help":["MissingParameter: Missing argument 'SECONDS'."]}
	//   f {"error":"Command 'expose' does not exist or cannot be parsed."}
	// help expose
	//   > {}
	//   : {"help":["Usage: camera expose [OPTIONS] SECONDS","","  Takes images.","","Options:","  --dark     Keeps the shutter closed.","  --count N  Number of images.","  --help     Show this message and exit."]}
}

// A command whose arguments have types, choices and ranges: these are checked before the handler is
// called, and are part of the help and of the answer to get-command-model.
func ExampleActor_Handle_types() {
	link, stopBroker := startBroker()
	defer stopBroker()
	dome, err := actor.New(actor.Config{Name: "dome", Link: link})
	if err != nil {
		fmt.Println(err)
		return
	}
	help := `Rotates the opening.

		AZ       Azimuth from north through east. [deg]
		--speed  How fast. [deg/s]`
	dome.Handle("rotate AZ:float(0..<360) [--speed RATE:float(0<..)=6]", help, func(_ context.Context, c *actor.Call) error {
		az, err := c.Float("AZ")
		if err != nil {
			return err
		}
		speed, err := c.Float("--speed")
		if err != nil {
			return err
		}
		c.Finish(actor.Keywords{"dome_az_deg": az, "dome_speed_deg": speed})
		return nil
	})
	client, stop := runWith(link, dome)
	defer stop()

	send(client, "dome", "rotate 90", "rotate 360", "help rotate")
	// Output:
	// rotate 90
	//   > {}
	//   : {"dome_az_deg":90,"dome_speed_deg":6}
	// rotate 360
	//   > {}
	//   w {"help":["BadParameter: Invalid value for 'AZ': 360.0 is not in the range 0<=x<360."]}
	//   f {"error":"Command 'rotate 360' does not exist or cannot be parsed."}
	// help rotate
	//   > {}
	//   : {"help":["Usage: dome rotate [OPTIONS] AZ","","  Rotates the opening.","","Positional arguments:","  AZ  Azimuth from north through east. [deg]","","Options:","  --speed RATE  How fast. [deg/s]  [default: 6; x>0]","  --help        Show this message and exit."]}
}

// An actor with a schema describes its keywords.
func ExampleNew() {
	link, stopBroker := startBroker()
	defer stopBroker()
	camera, err := actor.New(actor.Config{
		Name:    "camera",
		Version: "1.0.0",
		Link:    link,
		Schema: json.RawMessage(`{
			"type": "object",
			"properties": {"filename": {"type": "string", "description": "the image's file"}}
		}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, stop := runWith(link, camera)
	defer stop()

	send(client, "camera", "version", "keyword filename")
	// Output:
	// version
	//   > {}
	//   : {"version":"1.0.0"}
	// keyword filename
	//   > {}
	//   i {"text":"filename = {                       "}
	//   i {"text":"  type: string,                    "}
	//   i {"text":"  description: the image's file    "}
	//   i {"text":"}                                  "}
	//   : {}
}

// A client sends a command and follows it to its end: as it replies, and then as a
// whole.
func ExampleClient_Send() {
	link, stopBroker := startBroker()
	defer stopBroker()
	client, stop := runWith(link, newDome(link))
	defer stop()

	ctx := context.Background()
	for _, consumer := range []string{"dome", "mirror"} {
		p, err := client.Send(ctx, consumer, "rotate 90", actor.SendOptions{})
		if err != nil {
			fmt.Println(err) // it was not sent
			return
		}
		for r := range p.Replies(ctx) {
			fmt.Printf("%s %s\n", r.Code, r.Body)
		}
		result, err := p.Wait(ctx)
		fmt.Printf("%s: %v, %d replies, error: %v\n", consumer, result.Status, len(result.Replies), err)
	}
	// Output:
	// > {}
	// i {"dome_moving":true}
	// : {"dome_az_deg":90}
	// dome: done, 3 replies, error: <nil>
	// f {"error":"Failed routing message to consumer 'mirror'."}
	// mirror: unroutable, 1 replies, error: mirror rotate 90: Failed routing message to consumer 'mirror'.
}

// A client that receives every reply on the exchange: replies to other clients, and
// broadcasts.
func ExampleConfig_onReply() {
	link, stopBroker := startBroker()
	defer stopBroker()

	received := make(chan actor.Reply, 100)
	listener, err := actor.NewClient(actor.Config{Link: link, OnReply: func(r actor.Reply) { received <- r }})
	if err != nil {
		fmt.Println(err)
		return
	}
	dome := newDome(link)
	client, stop := runWith(link, dome, listener)
	defer stop()

	ctx := context.Background()
	dome.Broadcast(actor.Info, actor.Keywords{"dome_open": false})
	if _, err := client.Send(ctx, "dome", "rotate 90", actor.SendOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	for range 4 {
		r := <-received
		fmt.Printf("%s %s %s, a broadcast: %v\n", r.Sender, r.Code, r.Body, r.CommanderID == "")
	}
	// Output:
	// dome i {"dome_open":false}, a broadcast: true
	// dome > {}, a broadcast: false
	// dome i {"dome_moving":true}, a broadcast: false
	// dome : {"dome_az_deg":90}, a broadcast: false
}

// A Delivery becomes what a browser receives; a message that CLU would not hand on
// is dropped.
func ExampleEnvelope() {
	d := &amqpx.Delivery{
		Exchange:   actor.Exchange,
		RoutingKey: "reply.broadcast",
		Headers:    amqpx.Table{"message_code": "i", "sender": "dome", "command_id": nil, "commander_id": nil, "internal": false},
		Body:       []byte(`{"temperature": NaN}`),
	}
	text, err := actor.Envelope{}.Append(nil, d)
	fmt.Println(strings.ReplaceAll(string(text), `, "`, ",\n \""), err)
	d.Body = nil
	_, err = actor.Envelope{}.Append(nil, d)
	fmt.Println("dropped:", err)
	// Output:
	// {"headers": {"command_id": null,
	//  "commander_id": null,
	//  "internal": false,
	//  "message_code": "i",
	//  "sender": "dome"},
	//  "exchange": "sdss_exchange",
	//  "message_id": null,
	//  "routing_key": "reply.broadcast",
	//  "timestamp": null,
	//  "body": {"temperature": null}} <nil>
	// dropped: empty body
}

// send sends commands one after another, and prints the replies.
func send(client *actor.Client, consumer string, commands ...string) {
	ctx := context.Background()
	for _, command := range commands {
		p, err := client.Send(ctx, consumer, command, actor.SendOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(command)
		for r := range p.Replies(ctx) {
			fmt.Printf("  %s %s\n", r.Code, r.Body)
		}
	}
}

// startBroker starts an embedded broker for an example. A program leaves Dial out
// and names a real broker.
func startBroker() (link amqpx.Config, stop func()) {
	b := broker.New(broker.Config{})
	return amqpx.Config{
		URLs:   []string{"amqp://guest:guest@localhost:5672/"},
		Dial:   b.Dial,
		Logger: slog.New(slog.DiscardHandler),
	}, func() { b.Close() }
}

// newDome returns an actor with the command rotate.
func newDome(link amqpx.Config) *actor.Actor {
	dome, err := actor.New(actor.Config{Name: "dome", Link: link})
	if err != nil {
		panic(err)
	}
	dome.Handle("rotate AZ", "Rotates to an azimuth in degrees.", func(_ context.Context, c *actor.Call) error {
		az, err := c.Float("AZ")
		if err != nil {
			return err
		}
		c.Info(actor.Keywords{"dome_moving": true})
		c.Finish(actor.Keywords{"dome_az_deg": az})
		return nil
	})
	return dome
}

// runWith runs actors and clients, and one client more, until it is told to stop.
// It returns once all of them are linked.
func runWith(link amqpx.Config, others ...runner) (client *actor.Client, stop func()) {
	client, err := actor.NewClient(actor.Config{Link: link})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, r := range append(others, client) {
		running.Go(func() { _ = r.Run(ctx) }) // without FailFast there is no error
		if err := r.Ready(ctx); err != nil {
			panic(err)
		}
	}
	return client, func() {
		cancel()
		running.Wait()
	}
}
