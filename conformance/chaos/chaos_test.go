package chaos_test

import (
	"context"
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/conformance/chaos"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestCluJSLosesNothingInChaos(t *testing.T) {
	argv := []string{"env", "CLU_WS_TEST_WEBSOCKET=" + testkit.NodeWebSocket(t), testkit.NodeJS(t), "../../web-demo/client/tests/driver.js"}
	chaos.Drive(t, func(t *testing.T) *conformance.Driver {
		d, err := conformance.Process(context.WithoutCancel(t.Context()), argv...)
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}
