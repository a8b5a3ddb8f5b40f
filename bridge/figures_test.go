package bridge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// A slow loop can hold the hub's lock for long.
func TestMetricsAndHealthAnswerWhileTheHubIsBusy(t *testing.T) {
	s := newHarness(t)
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	busy, free := make(chan struct{}), make(chan struct{})
	defer close(free)
	s.hub.Greet(busyConn{busy, free}, hub.NewSession("x", ""), &hub.ConnectRequest{}, protocol.Hello{})
	<-busy
	for path, words := range map[string]string{"/metrics": "cluws_seq 2", "/healthz": `"broker":"down"`} {
		w := httptest.NewRecorder()
		s.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if !strings.Contains(w.Body.String(), words) {
			t.Errorf("%s is %.300s", path, w.Body)
		}
	}
}

// busyConn blocks the hub in a call, while it holds its lock.
type busyConn struct{ busy, free chan struct{} }

func (c busyConn) Follow(hub.Log, ...engine.Frame) { close(c.busy); <-c.free }
func (c busyConn) SendInOrder(...engine.Frame)     {}
func (c busyConn) Send(engine.Frame)               {}
func (c busyConn) Close(int, string)               {}
