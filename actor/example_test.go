package actor_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// An actor with one command of its own, and a client that sends it.
func Example() {
	b := broker.New(broker.Config{})
	defer b.Close()
	link := amqpx.Config{
		URLs:   []string{"amqp://guest:guest@localhost:5672/"},
		Dial:   b.Dial, // without it, the network is used
		Logger: slog.New(slog.DiscardHandler),
	}
	dome, err := actor.New(actor.Config{Name: "dome", Link: link})
	if err != nil {
		panic(err)
	}
	dome.Handle("rotate AZ", "Rotates to an azimuth in degrees.", func(_ context.Context, c *actor.Call) error {
		az, err := c.Float("AZ")
		if err != nil {
			return err
		}
		if az < 0 || az >= 360 {
			return fmt.Errorf("AZ is %g; it must be at least 0 and below 360", az)
		}
		c.Info(actor.Keywords{"dome_moving": true})
		c.Finish(actor.Keywords{"dome_az_deg": az})
		return nil
	})
	client, err := actor.NewClient(actor.Config{Link: link})
	if err != nil {
		panic(err)
	}

	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = dome.Run(ctx) })
	running.Go(func() { _ = client.Run(ctx) })
	if dome.Ready(ctx) != nil || client.Ready(ctx) != nil {
		return
	}

	for _, command := range []string{"rotate 90", "rotate 400"} {
		p, err := client.Send(ctx, "dome", command, actor.SendOptions{})
		if err != nil {
			panic(err)
		}
		for r := range p.Replies(ctx) {
			fmt.Printf("%s %s\n", r.Code, r.Body)
		}
		if _, err := p.Wait(ctx); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// > {}
	// i {"dome_moving":true}
	// : {"dome_az_deg":90}
	// > {}
	// f {"error":"AZ is 400; it must be at least 0 and below 360"}
	// dome rotate 400: AZ is 400; it must be at least 0 and below 360
}
