package amqpx

import (
	"strconv"
	"strings"
)

// closesOverRefusals reports whether the broker closes the connection, and not only the channel, over a
// request that it refuses. Qpid Broker-J does so over an argument that it does not know and over a queue that
// is another connection's: it is not asked what may be refused and can be done without.
func (c *connection) closesOverRefusals() bool {
	return strings.Contains(c.product(), "Qpid")
}

// neverRemoves reports whether the broker is known to remove no message from a queue by itself, as the
// embedded one, which has neither policies nor expirations. It need not be asked for dead letters.
func (c *connection) neverRemoves() bool {
	return c.product() == "clu-ws embedded broker"
}

// product is what the broker calls itself.
func (c *connection) product() string {
	product, _ := c.Properties["product"].(string)
	return product
}

// mayHaveKhepri reports whether the broker may keep its queues and bindings in Khepri, which RabbitMQ has from
// version 4 on.
func (c *connection) mayHaveKhepri() bool {
	version, _ := c.Properties["version"].(string)
	major, err := strconv.Atoi(strings.SplitN(version, ".", 2)[0])
	return c.product() == "RabbitMQ" && err == nil && major >= 4
}
