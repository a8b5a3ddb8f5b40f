package bridge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// The hub's lock is held as long as a loop lags.
func TestMetricsAndHealthAnswerWhileTheHubIsBusy(t *testing.T) {
	s := newStage(t)
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for path, words := range map[string]string{"/metrics": "cluws_seq 2", "/healthz": `"broker":"down"`} {
		w := httptest.NewRecorder()
		s.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if !strings.Contains(w.Body.String(), words) {
			t.Errorf("%s is %.300s", path, w.Body)
		}
	}
}
