package bridge

import (
	"io"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/dialect"
)

// Who configures no dialect has none: nothing is made, run, routed, delivered or counted for one.
func TestWithoutDialectsNothingOfThemRuns(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	if h.dialects != nil || h.dialectLinks != nil {
		t.Errorf("there are %d dialects, which publish by %d links", len(h.dialects), len(h.dialectLinks))
	}
	if h.dialectFor(nil) != nil || h.dialectOf("/a") != nil { // it would fail if it looked at the request
		t.Error("a request is a dialect's")
	}
	h.deliverToDialects(nil)
	h.gapForDialects(nil, h.clock.Now(), h.clock.Now())
	if patterns := h.clientRoutes(nil).patterns; !slices.Equal(patterns, []string{"GET /healthz", "GET /readyz", "GET /api/", "/"}) {
		t.Errorf("the routes are %q", patterns)
	}
	w := httptest.NewRecorder()
	h.Admin().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text, _ := io.ReadAll(w.Body)
	dialect.NewMetrics(h.metrics.registry) // it panics if they are registered
	if !strings.Contains(string(text), "cluws_clients") || strings.Contains(string(text), "dialect") {
		t.Errorf("the metrics are\n%s", text)
	}
}

// The bridge knows the interface of dialects, and none of them. They know its parts, and not the bridge.
func TestTheBridgeAndTheDialectsDoNotKnowEachOther(t *testing.T) {
	t.Parallel()
	const module, below = "github.com/clu-ws/clu-ws/", "bridge/dialect/"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}}{{range .Imports}} {{.}}{{end}}", "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(out), module, "")) {
		names := strings.Fields(line)
		for _, imported := range names[1:] {
			switch {
			case strings.HasPrefix(imported, below) && names[0] != below+"catalog" &&
				imported != below+"catalog":
				t.Errorf("%s imports %s; only the catalog knows dialects", names[0], imported)
			case strings.HasPrefix(names[0], below) && (imported == "bridge" || imported == "redislink" || imported == "amqpx"):
				t.Errorf("%s imports %s; a dialect knows the bridge by bridge/dialect only", names[0], imported)
			}
		}
	}
}
