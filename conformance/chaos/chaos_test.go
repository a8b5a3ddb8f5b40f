package chaos_test

import (
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/conformance/chaos"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestCluJSLosesNothingInChaos(t *testing.T) {
	d, err := conformance.Process(t.Context(), "env", "CLU_WS_TEST_WEBSOCKET="+testkit.NodeWebSocket(t), testkit.NodeJS(t), "../../web-demo/client/tests/driver.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range []uint64{1, 2, 3} {
		chaos.Run(t, d, seed)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
