//go:build brokers

package bridge_test

import (
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestWhatTheOperatingPageSaysOfQpid(t *testing.T) {
	checkAbilities(t, "Qpid Broker-J", testkit.Version{}, testkit.StartQpid(t).URL())
}
