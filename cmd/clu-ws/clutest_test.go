package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// cluTests are the tests of CLU's tests/test_websocket.py.
var cluTests = []string{
	"test_websocket_client",
	"test_websocket_client_send_bad_command1",
	"test_websocket_client_send_bad_command2",
	"test_websocket_client_send_command",
}

// CLU's own file is run as well if testkit.CLUSourceVariable names a checkout of CLU.
func TestCLUsTestOfItsServerPassesWithTheProgramInItsPlace(t *testing.T) {
	clu := testkit.CLU(t)
	url := testkit.RabbitMQ(t).NewVHost(t)
	p := start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--url", url, "--clu-strict")
	env := []string{"CLU_WS_BROKER=" + url, "CLU_WS_SERVER=ws://" + p.address(t) + "/"}
	files := map[string]string{"rewritten": "testdata/clu/test_websocket.py"}
	if source := os.Getenv(testkit.CLUSourceVariable); source != "" {
		files["CLU's"] = filepath.Join(source, "tests", "test_websocket.py")
	}
	p.log.await(t, `msg="linked to the broker"`)
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			if ran := clu.Pytest(t, file, "testdata/clu/clu_ws_fixtures.py", env...); !slices.Equal(ran, cluTests) {
				t.Errorf("ran %q, want %q", ran, cluTests)
			}
		})
	}
}
