package webdemo_test

import (
	"os/exec"
	"regexp"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestTheModulesPassTheirOwnTests(t *testing.T) {
	t.Parallel() // they need no broker
	node, err := exec.LookPath("node")
	if err != nil {
		testkit.Missing(t, "node", "run scripts/setup-test.sh, or install nodejs")
	}
	out, err := exec.CommandContext(t.Context(), node, "--test", "client", "page").CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if count := regexp.MustCompile(`(?:# |ℹ )tests (\d+)`).FindSubmatch(out); count == nil || len(count[1]) < 2 {
		t.Errorf("hardly any test was found:\n%s", out)
	} else {
		t.Logf("%s tests", count[1])
	}
}
