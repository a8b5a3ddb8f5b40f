package bridge

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A backend in Python signs URLs with baseplate's own code, as that of reddit does, and the bridge opens them.
func TestURLsThatBaseplateSignsOpenTheirRoom(t *testing.T) {
	secrets := filepath.Join(t.TempDir(), "secrets.json")
	const file = `{"secrets": {"secret/websockets/authorization_key": {"type": "versioned", "encoding": "base64",
		"current": "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU2Nzg5", "previous": "cHJldmlvdXMta2V5LTAxMjM0NTY3ODlhYmNkZWZnaGlq"}},
		"vault": {"url": "", "token": ""}}`
	if err := os.WriteFile(secrets, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	sign := func(path, seconds string) string {
		return testkit.BaseplateSign(t, secrets, "secret/websockets/authorization_key", path, seconds)
	}
	live, root, late, umlaut := sign("/live/x", "600"), sign("/", "600"), sign("/live/x", "-5"), sign("/live/é ü", "600")
	h := &accessHarness{logged: new(logBuffer)}
	h.bridgeHarness = newHarnessWith(t, func(cfg *Config, _ *testkit.Clock) {
		a, err := access.New(access.Config{Roles: testRoles, Signed: &access.SignedConfig{Secrets: secrets, Name: "secret/websockets/authorization_key", Role: "viewer"}},
			access.Options{Secret: os.ReadFile})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Access, cfg.Sources = a, []rooms.Source{{Exchange: "live"}}
	})
	for target, want := range map[string]int{
		"/live/x?m=" + live:                  101,
		"/live/x?m=" + live + "=":            101,
		"/?m=" + root:                        101,
		"/live/%C3%A9%20%C3%BC?m=" + umlaut:  101,
		"/live/x?m=" + url.QueryEscape(late): 403,
		"/live/y?m=" + live:                  403,
		"/live/x/?m=" + live:                 403,
		"/live?m=" + live:                    403,
		"/live/x?m=" + root:                  403,
		"/live/x":                            401,
		"/live/x?m=":                         403,
		"/live/x?m=" + strings.ToLower(live): 403,
	} {
		if status, reason := h.status(target, nil); status != want {
			t.Errorf("%s: status %d, %s, want %d", access.RedactTarget(target), status, reason, want)
		}
	}
}
