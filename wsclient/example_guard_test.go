package wsclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/clu-ws/clu-ws/wsclient"
)

// guard closes the dome when the weather is not safe. It asks once a second for the value and its age: so it makes no
// difference whether the actor, the broker, the bridge or the network is silent.
func guard(ctx context.Context, client *wsclient.Client, say func(string)) {
	closed := false
	for ticker := time.NewTicker(time.Second); ctx.Err() == nil; {
		safe, err := isSafe(ctx, client)
		switch {
		case err != nil:
			say("it is not known whether the weather is safe: " + err.Error())
		case safe:
			closed = false
		case !closed:
			_, err := client.Send(ctx, "dome", "close", wsclient.SendOptions{Timeout: 2 * time.Minute}).Wait(ctx)
			if closed = err == nil; closed {
				say("the weather is not safe: the dome is closed")
			} else { // it is tried again
				say("the dome DID NOT CLOSE, as far as is known: " + err.Error())
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// isSafe reports whether the weather is safe. A value that is older than 15 s is an error.
func isSafe(ctx context.Context, client *wsclient.Client) (safe bool, err error) {
	value, err := client.Value(ctx, "weather", "is_safe")
	if err != nil {
		return false, err
	}
	if age := client.Age(value.Heard); age > 15*time.Second {
		return false, fmt.Errorf("the last value, %v, is %v old", value, age.Round(time.Second))
	}
	if value.Outdated {
		return false, errors.New("the bridge may have missed a newer value")
	}
	return safe, value.Decode(&safe)
}

// A program closes the dome when the weather is not safe, and says so if it does not know.
func Example_guard() {
	url, stop := startObservatory() // a broker, two actors and a bridge, in place of real ones
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	client, err := wsclient.Dial(ctx, wsclient.Config{URL: url})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	insist(ctx, client, "weather", "storm")
	guard(ctx, client, func(what string) {
		fmt.Println(what)
		cancel() // in place of a night
	})
	// Output:
	// the weather is not safe: the dome is closed
}
