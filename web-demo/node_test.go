package webdemo_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The package is published with the program: its version is that of cmd/clu-ws.
func TestTheNPMPackageHasTheVersionOfTheProgram(t *testing.T) {
	t.Parallel()
	program, err := os.ReadFile("../cmd/clu-ws/version.go")
	if err != nil {
		t.Fatal(err)
	}
	release := regexp.MustCompile(`const release\w* = "(.+)"`).FindSubmatch(program)
	if release == nil {
		t.Fatal("cmd/clu-ws/version.go has no release")
	}
	text, err := os.ReadFile("client/package.json")
	if err != nil {
		t.Fatal(err)
	}
	var pkg struct{ Version string }
	if err := json.Unmarshal(text, &pkg); err != nil || pkg.Version != string(release[1]) {
		t.Errorf("the package has version %q (%v), the program %q", pkg.Version, err, release[1])
	}
}

func TestTheModulesPassTheirOwnTests(t *testing.T) {
	t.Parallel() // they need no broker
	node := testkit.NodeJS(t)
	out, err := exec.CommandContext(t.Context(), node, "--test").CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if count := regexp.MustCompile(`(?:# |ℹ )tests (\d+)`).FindSubmatch(out); count == nil || len(count[1]) < 2 {
		t.Errorf("fewer than ten tests ran:\n%s", out)
	} else {
		t.Logf("%s tests", count[1])
	}
}
