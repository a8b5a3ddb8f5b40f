// Command rabbitmq starts a throw-away RabbitMQ on a free port of 127.0.0.1, prints its URL, and keeps
// it until stdin ends. Nothing of it is left then.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := testkit.LendRabbitMQ(ctx, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
