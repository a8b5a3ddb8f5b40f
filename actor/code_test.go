package actor_test

import (
	"testing"

	"github.com/clu-ws/clu-ws/actor"
)

func TestCodesEndAndFailCommandsAsInCLU(t *testing.T) {
	for _, test := range []struct {
		code        actor.Code
		ends, fails bool
	}{
		{">", false, false},
		{"i", false, false},
		{"d", false, false},
		{"w", false, false},
		{"e", false, false},
		{":", true, false},
		{"f", true, true},
		{"!", true, true},
		{"zz", false, false},
		{"", false, false},
	} {
		if test.code.Ends() != test.ends || test.code.Fails() != test.fails {
			t.Errorf("%q: ends %v, fails %v", test.code, test.code.Ends(), test.code.Fails())
		}
	}
}
