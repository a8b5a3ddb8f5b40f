package bridge_test

import (
	"io"
	"strings"
	"testing"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestACompressedReplyHasTheSameText(t *testing.T) {
	url := embeddedBroker(t)
	r := linked(t, url, func(c *bridge.Config) { c.Compress = true })
	plain := dial(t, r.addr)
	d := ws.Dialer{Extensions: []httphead.Option{wsflate.DefaultParameters.Option()}}
	conn := testkit.DialWebSocketWith(t, d, "ws://"+r.addr+"/")
	if accepted := conn.Handshake.Extensions; len(accepted) != 1 {
		t.Fatalf("the extensions are %v", accepted)
	}

	// A compressed command is answered. The answer is for a single client, so it is not
	// compressed.
	f, err := wsflate.CompressFrame(ws.NewTextFrame([]byte(`{"consumer": "", "command_string": "x", "command_id": "mine"}`)))
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.WriteFrame(conn, ws.MaskFrame(f)); err != nil {
		t.Fatal(err)
	}
	answer := conn.Receive()
	if e := parseEnvelope(t, answer); e.header("command_id") != "mine" || e.code() != "f" {
		t.Errorf("the answer is %s", answer)
	}

	newPeer(t, url).reply(`{"text": "` + strings.Repeat("clear sky ", 50) + `"}`)
	want := plain.text()
	h, err := ws.ReadHeader(conn)
	if err != nil || h.Rsv == 0 || h.Length >= int64(len(want)) {
		t.Fatalf("got %+v, %v, for %d bytes", h, err, len(want))
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(conn, payload); err != nil {
		t.Fatal(err)
	}
	if f, err = wsflate.DecompressFrame(ws.Frame{Header: h, Payload: payload}); err != nil {
		t.Fatal(err)
	}
	equal(t, "the reply", string(f.Payload), string(want))
}
