package broker_test

import (
	"testing"

	"github.com/clu-ws/clu-ws/amqpx/internal/conformance"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The suite is only worth something as long as RabbitMQ itself passes it.
func TestRabbitMQBehavesAsTheSuiteSays(t *testing.T) {
	t.Parallel()
	conformance.Run(t, testkit.RabbitMQ(t).URL())
}
