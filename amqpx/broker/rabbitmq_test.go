package broker_test

import (
	"testing"

	"github.com/clu-ws/clu-ws/amqpx/internal/conformance"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The suite describes RabbitMQ only as long as RabbitMQ passes it.
func TestRabbitMQConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, testkit.RabbitMQ(t).URL())
}
