package rooms

import (
	"testing"

	"github.com/gobwas/ws"
)

func TestAMessageIsTextIfItIsUTF8(t *testing.T) {
	for body, want := range map[string]ws.OpCode{"": ws.OpText, "été": ws.OpText, "\xff": ws.OpBinary} {
		frame := Frame([]byte(body))
		if op := ws.OpCode(frame[0] & 0x0f); op != want || string(frame[2:]) != body {
			t.Errorf("%q became a frame %v of %q", body, op, frame[2:])
		}
	}
}
