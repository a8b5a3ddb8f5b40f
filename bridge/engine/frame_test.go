package engine

import (
	"bytes"
	"strings"
	"testing"
	"unsafe"

	"github.com/gobwas/ws"
)

func TestNewTextWritesTheHeaderThatTheLengthNeeds(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 1 << 20} {
		payload := strings.Repeat("x", n)
		want := ws.MustCompileFrame(ws.NewTextFrame([]byte(payload)))
		if got := Text(payload); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: the frame starts with % x, want % x", n, got[:min(12, len(got))], want[:min(12, len(want))])
		}
	}
}

func TestACloseReasonIsCutAtARune(t *testing.T) {
	f := closeFrame(1008, strings.Repeat("ü", 100))
	if len(f) != 2+2+122 || !bytes.HasSuffix(f, []byte("ü")) {
		t.Fatalf("the frame has %d bytes and ends with %q", len(f), f[len(f)-3:])
	}
	if f := closeFrame(ws.StatusNoStatusRcvd, ""); !bytes.Equal(f, []byte{0x88, 0}) {
		t.Fatalf("a close without a code is % x", f)
	}
}

func TestAnIdleConnectionIsSmall(t *testing.T) {
	const ours = 128 // bytes, including its links in the timing wheel
	if n := unsafe.Sizeof(conn{}); n > ours {
		t.Errorf("an idle connection takes %d bytes", n)
	}
}
