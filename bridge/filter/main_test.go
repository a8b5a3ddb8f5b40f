package filter_test

import (
	"encoding/json"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// parse reads a filter that must be good.
func parse(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse(json.RawMessage(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}
