package webdemo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// command is what npx runs, in a project.
var command = filepath.Join("node_modules", ".bin", "clu-ws")

// installed makes an empty project in which npm installs the package, and ws unless it is left out.
func installed(t *testing.T, withWS bool) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private": true, "type": "module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	packages := []string{packed(t)}
	if withWS {
		packages = append(packages, filepath.Join(testkit.NPMApps(t), "ws"))
	}
	run(t, dir, "npm", append([]string{"install", "--no-audit", "--no-fund", "--loglevel=error"}, packages...)...)
	return dir
}

// A program in a terminal of a newcomer: what it prints, and its exit status.
func TestTheCommandTypesWritesWhatTheActorsOfABridgeTell(t *testing.T) {
	dir, o := installed(t, true), startDemo(t)
	written := run(t, dir, "npx", "clu-ws", "types", "ws://"+o.addr+"/", "--actor", "weather", "--actor", "dome")
	kept, err := os.ReadFile(filepath.Join("client", "examples", "react", "src", "site.d.ts"))
	if err != nil {
		t.Fatal(err)
	}
	if written != string(kept) {
		t.Errorf("the demo's types are no longer those of client/examples/react/src/site.d.ts, but\n%s", written)
	}
	if all := run(t, dir, command, "types", "http://"+o.addr); !strings.Contains(all, "  spectrograph: {\n") || all != run(t, dir, command, "types", "http://"+o.addr) {
		t.Errorf("all actors are\n%s", all)
	}
	for _, c := range []struct {
		args   string
		status int
		words  string
	}{
		{"types", 2, "The URL of the bridge is missing."},
		{"", 2, "Say what to do."},
		{"tpyes ws://x/", 2, `no command "tpyes"`},
		{"types localhost:9876", 2, "is no URL of a bridge"},
		{"types ws://x/ y", 2, `"y" is not understood`},
		{"types ws://x/ --timeout soon", 2, "--timeout soon"},
		{"types ws://x/ --wait 3", 2, "--wait"},
		{"types ws://" + o.addr + " --actor nobody", 1, "has heard no actor nobody; there are camera, dome"},
		{"types ws://127.0.0.1:1/", 3, "There is no connection to ws://127.0.0.1:1/"},
	} {
		out, words, err := tryRun(t, dir, command, strings.Fields(c.args)...)
		if status := exitStatus(t, err); status != c.status || !strings.Contains(words, c.words) || out != "" {
			t.Errorf("clu-ws %s: %d %q %q, want %d and words of %q", c.args, status, out, words, c.status, c.words)
		}
	}
	file := filepath.Join(dir, "site.d.ts")
	run(t, dir, command, "types", "ws://"+o.addr, "--actor", "weather", "--actor", "dome", "--output", file)
	_, _, failed := tryRun(t, dir, command, "types", "ws://127.0.0.1:1/", "--output", file)
	if stays, err := os.ReadFile(file); err != nil || failed == nil || string(stays) != written {
		t.Errorf("after an attempt that failed (%v), the file is (%v)\n%s", failed, err, stays)
	}
	if help := run(t, dir, command, "--help"); !strings.HasPrefix(help, "Usage: npx clu-ws types URL") {
		t.Errorf("--help prints %s", help)
	}
}

func TestTheCommandTypesSaysWhyItCannotAsk(t *testing.T) {
	dir, users := installed(t, true), newAccounts()
	token := users.token("ana", "observer", time.Time{})
	o := startGuarded(t, users.authority(t))
	startSimulated(t, o.url)
	mute := listen(t) // accepts connections, and says nothing
	t.Cleanup(func() { mute.Close() })
	port := testkit.FreePort(t)
	testkit.CLU(t).StartWebSocketServer(t, port, o.url)
	for _, c := range []struct {
		args   []string
		status int
		words  string
	}{
		{[]string{"ws://" + o.addr}, 3, "does not let this program in"},
		{[]string{"ws://" + o.addr, "--token", "nonsense"}, 3, "does not let this program in"},
		{[]string{"ws://" + mute.Addr().String(), "--timeout", "0.5"}, 6, "within 0.5 s"},
		{[]string{fmt.Sprintf("ws://127.0.0.1:%d", port)}, 1, "CLU's own server"},
	} {
		out, words, err := tryRun(t, dir, command, append([]string{"types"}, c.args...)...)
		if status := exitStatus(t, err); status != c.status || !strings.Contains(words, c.words) || out != "" {
			t.Errorf("%v: %d %q %q, want %d and words of %q", c.args, status, out, words, c.status, c.words)
		}
	}
	types := run(t, dir, command, "types", "ws://"+o.addr, "--actor", "dome", "--token", token)
	if !strings.Contains(types, `"close" | `) {
		t.Errorf("with a token it writes\n%s", types)
	}
}

func TestTheCommandTypesSaysWhatIsMissingInAnOldNode(t *testing.T) {
	dir, node := installed(t, false), testkit.NodeJS(t)
	// As in node 20, which newer ones can be made to be like.
	_, words, err := tryRun(t, dir, node, "--import", "data:text/javascript,delete globalThis.WebSocket", filepath.Join("node_modules", "clu-ws", "bin", "clu-ws.js"), "types", "ws://127.0.0.1:1/")
	if status := exitStatus(t, err); status != 3 || !strings.Contains(words, "npm install ws") {
		t.Errorf("%d %s", status, words)
	}
}
