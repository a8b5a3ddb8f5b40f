package conventions

import "testing"

// pending are places that are being rewritten: what they break is logged, and does not fail. The list gets shorter
// only.
var pending = []string{
	"actor", "amqpx", "bench", "bridge", "cmd", "demo", "internal/jsonscan",
	"internal/quote", "internal/unordered", "web-demo",
}

// report fails the test, unless the path is pending.
func report(t *testing.T, path, format string, args ...any) {
	t.Helper()
	if within(path, pending) {
		t.Logf("pending: "+format, args...)
		return
	}
	t.Errorf(format, args...)
}
