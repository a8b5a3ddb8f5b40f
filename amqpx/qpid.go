package amqpx

import "strings"

// closesOverRefusals reports whether the broker closes the connection, and not only the channel, over a
// request that it refuses. Qpid Broker-J does so over an argument that it does not know and over a queue that
// is another connection's: it is not asked what may be refused and can be done without.
func (c *connection) closesOverRefusals() bool {
	product, _ := c.Properties["product"].(string)
	return strings.Contains(product, "Qpid")
}
