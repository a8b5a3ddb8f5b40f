package chaos_test

import (
	"context"
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/conformance/chaos"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func cluJS(t *testing.T) *conformance.Driver {
	t.Helper()
	argv := []string{"env", "CLU_WS_TEST_WEBSOCKET=" + testkit.NodeWebSocket(t), testkit.NodeJS(t), "../../web-demo/client/tests/driver.js"}
	d, err := conformance.Process(context.WithoutCancel(t.Context()), argv...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCluJSLosesNothingInChaos(t *testing.T) { chaos.Drive(t, cluJS) }

func TestCluJSCatchesUpThoughNoConnectionLastsForIt(t *testing.T) {
	t.Parallel()
	d := cluJS(t)
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	chaos.CatchUp(t, d)
}
