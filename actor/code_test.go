package actor_test

import (
	"testing"

	"github.com/clu-ws/clu-ws/actor"
)

func TestCodesMeanWhatCLUSaysTheyMean(t *testing.T) {
	for _, test := range []struct {
		code        actor.Code
		word        string
		ends, fails bool
	}{
		{">", "running", false, false},
		{"i", "info", false, false},
		{"d", "debug", false, false},
		{"w", "warning", false, false},
		{"e", "error", false, false},
		{":", "done", true, false},
		{"f", "failed", true, true},
		{"!", "critical", true, true},
		{"zz", "unknown", false, false},
		{"", "unknown", false, false},
	} {
		if got := test.code.Word(); got != test.word {
			t.Errorf("%q is called %q, not %q", test.code, got, test.word)
		}
		if test.code.Ends() != test.ends || test.code.Fails() != test.fails {
			t.Errorf("%q: ends %v, fails %v", test.code, test.code.Ends(), test.code.Fails())
		}
	}
}
