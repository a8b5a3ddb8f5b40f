package testkit

import (
	"context"
	"fmt"
	"io"
)

// RunRabbitMQ starts a node for a program other than a test, writes its URL to stdout as one line, and discards the node
// when stdin or the context ends. The error says what is missing, or why the node did not start or ended early.
func RunRabbitMQ(ctx context.Context, stdin io.Reader, stdout io.Writer, options ...RabbitOption) error {
	bin, err := findRabbitMQ()
	if err != nil {
		return fmt.Errorf("RabbitMQ is not installed: %w", err)
	}
	var o rabbitOptions
	for _, option := range options {
		option(&o)
	}
	n, err := newNode(bin, o)
	if err != nil {
		return err
	}
	defer n.discard()
	fmt.Fprintln(stdout, n.URL())
	inputEnded := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		close(inputEnded)
	}()
	select {
	case <-inputEnded:
	case <-ctx.Done():
	case <-n.proc.Done():
		return fmt.Errorf("RabbitMQ has ended; its log ends:\n%s", n.proc.Output.Tail())
	}
	return nil
}
