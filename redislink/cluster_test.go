package redislink

import (
	"strconv"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A node without its slots says cluster_state:fail, as one does that is cut off from the others: what is
// published there does not come.
func TestANodeThatIsCutOffFromItsClusterIsLeft(t *testing.T) {
	t.Parallel()
	start := func() *testkit.Redis {
		return testkit.StartRedis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "100", "--cluster-port", strconv.Itoa(testkit.FreePort(t)))
	}
	first, second := start(), start()
	second.Do("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
	state := func(r *testkit.Redis) string {
		return string(r.Do("CLUSTER", "INFO").([]byte))[:len("cluster_state:ok")]
	}
	testkit.WaitUntil(t, "the second node is one of a cluster", func() bool { return state(second) == "cluster_state:ok" })
	r := record(t, second, func(c *Config) {
		askPatiently(c)
		c.URL = first.URL() + "?addr=" + second.Addr()
	}, "c")
	r.awaitUp()
	r.publish("c", "1")
	r.await("c:1")

	// It stays where it is while no other node is better.
	second.Do("CLUSTER", "DELSLOTSRANGE", 0, 16383)
	testkit.WaitUntil(t, "it is cut off", func() bool { return state(second) != "cluster_state:ok" })
	lost := time.Now()
	r.awaitPings()
	r.publish("c", "2")
	r.await("c:2")
	first.Do("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
	r.awaitGap(lost)
	r.redis = first
	r.publish("c", "3")
	r.await("c:3")
}

// A node that takes connections without an answer, or that refuses the subscriptions, keeps the link from no other.
func TestAClusterIsReachedThroughAnyOfItsNodes(t *testing.T) {
	t.Parallel()
	ends := startAnswerer(t, func(string) string { return "" })
	refuses, redis := testkit.StartRedis(t), testkit.StartRedis(t)
	refuses.Do("ACL", "SETUSER", "default", "resetchannels")
	r := record(t, redis, func(c *Config) { c.URL = ends.url() + "?addr=" + refuses.Addr() + "&addr=" + redis.Addr() }, "c")
	r.awaitDown("NOPERM")
	r.awaitUp()
	r.publish("c", "1")
	r.await("gap", "c:1")
}
