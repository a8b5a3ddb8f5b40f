package bridge_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// segment returns texts and a close frame for a single write.
func segment(t *testing.T, compress bool, texts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, text := range texts {
		f := ws.NewTextFrame([]byte(text))
		if compress {
			var err error
			if f, err = wsflate.CompressFrame(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := ws.WriteFrame(&b, ws.MaskFrame(f)); err != nil {
			t.Fatal(err)
		}
	}
	if err := ws.WriteFrame(&b, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "")))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// untilClose reads the texts up to a close frame.
func (c *client) untilClose() (texts []envelope) {
	c.t.Helper()
	for {
		text, err := wsutil.ReadServerText(c)
		if _, closed := errors.AsType[wsutil.ClosedError](err); closed {
			return texts
		}
		if err != nil {
			c.t.Fatalf("after %v: %v", texts, err)
		}
		texts = append(texts, parseEnvelope(c.t, text))
	}
}

func TestMessagesThatComeWithACloseFrameAreAnsweredBeforeTheClose(t *testing.T) {
	r := linked(t, embeddedBroker(t), func(c *bridge.Config) { c.Compress = true })
	const nobody = `{"consumer": "nobody", "command_string": "go", "command_id": "lost"}`
	lost := func(e envelope) bool { return e.header("command_id") == "lost" && e.code() == "f" }
	for name, test := range map[string]struct {
		v1, compress bool
		texts        []string
		want         []func(envelope) bool
	}{
		"a plain client's mistake": {texts: []string{`{"consumer": ""}`}, want: []func(envelope) bool{
			func(e envelope) bool { return e.code() == "f" }}},
		"a plain client's command to nobody": {texts: []string{nobody}, want: []func(envelope) bool{lost}},
		"a compressed mistake": {compress: true, texts: []string{`{"consumer": ""}`}, want: []func(envelope) bool{
			func(e envelope) bool { return e.code() == "f" }}},
		"a v1 client's requests": {v1: true, texts: []string{
			`{"op": "ping", "id": "1"}`, `{"op": "subscribe", "id": "2"}`, `{"op": "snapshot", "id": "3"}`, `{"op": "bogus", "id": "4"}`},
			want: []func(envelope) bool{answersTo("pong", "1"), answersTo("ok", "2"), answersTo("snapshot", "3"), answersTo("error", "4")}},
		"a first request": {texts: []string{`{"op": "ping", "id": "1"}`}, want: []func(envelope) bool{
			func(e envelope) bool { return e["op"] == "hello" }, answersTo("pong", "1")}},
	} {
		t.Run(name, func(t *testing.T) {
			dialer, target := ws.Dialer{}, "/"
			if test.v1 {
				dialer.Protocols, target = []string{bridge.Subprotocol}, "/?silent=1"
			}
			if test.compress {
				dialer.Extensions = []httphead.Option{wsflate.DefaultParameters.Option()}
			}
			c := &client{t, testkit.DialWebSocketWith(t, dialer, "ws://"+r.addr+target)}
			if test.v1 {
				c.next()
			}
			if _, err := c.Write(segment(t, test.compress, test.texts...)); err != nil {
				t.Fatal(err)
			}
			all := c.untilClose()
			got := all
			for _, want := range test.want {
				for len(got) > 0 && !want(got[0]) {
					got = got[1:]
				}
				if len(got) == 0 {
					t.Fatalf("an answer is missing before the close frame, which came behind %v", all)
				}
			}
		})
	}
}

// answersTo returns a function that reports whether a message answers the request with an id.
func answersTo(name, id string) func(envelope) bool {
	return func(e envelope) bool { return e["op"] == name && e["id"] == id }
}
