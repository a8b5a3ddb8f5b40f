package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// Broker runs the embedded broker as a process of its own, so that its work is in no other figure. It prints its URL, and
// ends with the context or with stdin.
func Broker(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b := broker.New(broker.Config{})
	stop := context.AfterFunc(ctx, func() { b.Close() })
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		b.Close()
	}()
	fmt.Fprintf(stdout, "listens at amqp://guest:guest@%s/\n", ln.Addr())
	if err := b.Serve(ln); !errors.Is(err, broker.ErrClosed) {
		return err
	}
	return nil
}
