package testkit

import (
	_ "embed"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

//go:embed baseplate.py
var baseplateScript string

// BaseplateSign returns the signature that baseplate's own code makes for a path with a versioned secret, valid for some
// seconds. secrets is the name of its secrets file.
func BaseplateSign(t testing.TB, secrets, name, path, seconds string) string {
	t.Helper()
	need(t, "baseplate")
	modules, err := cache.Baseplate()
	if err != nil {
		Missing(t, "baseplate", "cannot install it: "+err.Error())
	}
	cmd := CLU(t).Command(t, baseplateScript, secrets, name, path, seconds)
	cmd.Env = append(cmd.Env, "PYTHONPATH="+modules)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("baseplate does not sign: %v\n%s", err, out)
	}
	lines := strings.Fields(string(out))
	if len(lines) == 0 {
		t.Fatal("baseplate signs nothing")
	}
	return lines[len(lines)-1] // warnings come before it
}
