package bridge

import (
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Unhurried gives a bridge time for its commands, and its clients time for their pongs: on a
// crowded machine, what is only a test's to see may take longer than people would wait. It is the
// default of the bridges of tests; see [Hurried].
func Unhurried(c *Config) {
	Within(c, 15*time.Second)
	c.Limits.LateAfter = time.Hour
	c.Limits.PongTimeout = testkit.PongTimeout
}

// Hurried gives a bridge back the limits for commands that it really has, for the tests of them.
func Hurried(c *Config) {
	Within(c, 0)
	c.Limits.LateAfter = 0
}

// Within sets how long a command may take to be sent, and its confirm to come; 0 is as long as
// without a test.
func Within(c *Config, d time.Duration) { c.within = d }
