package conformance_test

import (
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// driverOfCluJS returns the command line of the driver. Node before version 22 has no WebSocket, so it gets one.
func driverOfCluJS(t *testing.T) []string {
	t.Helper()
	return []string{"env", "CLU_WS_TEST_WEBSOCKET=" + testkit.NodeWebSocket(t), testkit.NodeJS(t), "../web-demo/client/tests/driver.js"}
}

func TestCluJSPassesEveryCase(t *testing.T) {
	d, err := conformance.Process(t.Context(), driverOfCluJS(t)...)
	if err != nil {
		t.Fatal(err)
	}
	played, err := conformance.Run(d, conformance.Options{Patience: testkit.Patience, Most: 3, Out: t.Output()})
	if err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if played < 80 {
		t.Errorf("%d cases were played", played)
	}
}
