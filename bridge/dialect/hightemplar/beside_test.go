package hightemplar

import (
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// High-templar itself does what was recorded of it, with the same moves of clients and of the backend.
// So it and the bridge do the same, except where differs has something.
func TestHighTemplarItselfDoesWhatWasRecorded(t *testing.T) {
	t.Parallel()
	server, channel := newBroker(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(ln); !errors.Is(err, broker.ErrClosed) {
			t.Error(err)
		}
	})
	t.Cleanup(func() { server.Close(); serving.Wait() })
	a := newAPI(t)
	var instances [2]*harness
	for i := range instances {
		instances[i] = &harness{api: a, amqp: channel, notifies: i == 1, addr: testkit.StartHighTemplar(t, a.URL+"/api/", ln.Addr().String(), i == 1)}
		instances[i].awaitSource(t)
	}
	for _, c := range recorded(t, false) {
		t.Run(c.Case, func(t *testing.T) { replayCase(t, instances, &c) })
	}
}
