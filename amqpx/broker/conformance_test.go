package broker_test

import (
	"errors"
	"net"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/amqpx/internal/conformance"
)

func TestTheEmbeddedBrokerConformsOverTCP(t *testing.T) {
	t.Parallel()
	_, url := serve(t, broker.Config{})
	conformance.Run(t, url)
}

func TestTheEmbeddedBrokerConformsOverAPipe(t *testing.T) {
	t.Parallel()
	b := broker.New(broker.Config{})
	t.Cleanup(func() { _ = b.Close() })
	conformance.Run(t, "amqp://guest:guest@localhost:5672/", conformance.WithDial(b.Dial))
}

// serve runs a broker on a free port of the loopback for the duration of the test.
func serve(t testing.TB, cfg broker.Config) (b *broker.Broker, url string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b = broker.New(cfg)
	served := make(chan error, 1)
	go func() { served <- b.Serve(ln) }()
	t.Cleanup(func() {
		_ = b.Close()
		if err := <-served; !errors.Is(err, broker.ErrClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return b, "amqp://guest:guest@" + ln.Addr().String() + "/"
}
