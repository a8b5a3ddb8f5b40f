package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestCompressionIsNegotiatedIfItIsTurnedOn(t *testing.T) {
	for _, on := range []string{"true", "false"} {
		t.Setenv("CLU_WS_COMPRESS", on)
		p := start(t, "websocket", "--host", "127.0.0.1", "--port", "0", "-P", "1")
		d := ws.Dialer{Extensions: []httphead.Option{wsflate.DefaultParameters.Option()}}
		conn, _, hs, err := d.Dial(t.Context(), "ws://"+p.address(t)+"/")
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if got := len(hs.Extensions) == 1; fmt.Sprint(got) != on {
			t.Errorf("with CLU_WS_COMPRESS=%s: negotiated %v", on, hs.Extensions)
		}
	}
}

func TestAPageUsesACompressingBridge(t *testing.T) {
	ctx := testkit.Browser(t)
	address := startDemo(t, "--compress")
	if err := chromedp.Do(ctx, chromedp.Navigate("http://"+address+"/"), chromedp.WaitVisible(`#link-state[data-state="open"]`)); err != nil {
		t.Fatal(err)
	}
	// The browser compresses all that it sends, and the bridge a reply with such an id.
	const ask = `new Promise((resolve, reject) => {
		const id = "x".repeat(200);
		const socket = new WebSocket("ws://" + location.host + "/");
		socket.onopen = () => socket.send(JSON.stringify({consumer: "dome", command_string: "status", command_id: id}));
		socket.onclose = (e) => reject(new Error("closed with " + e.code + " " + e.reason));
		socket.onmessage = ({data}) => {
			const {headers} = JSON.parse(data);
			if (headers.command_id === id && headers.message_code === ":") resolve(socket.extensions);
		};
	})`
	extensions, err := chromedp.Run(ctx, chromedp.Evaluate[string](ask, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(extensions, "permessage-deflate") {
		t.Errorf("the extensions are %q", extensions)
	}
	if err := chromedp.Do(ctx, chromedp.Click("#arm"), chromedp.SendKeys("#command-input", "dome close\r"),
		chromedp.WaitVisible(`#commands [data-consumer="dome"][data-state="done"]`)); err != nil {
		t.Fatal(err)
	}
	testkit.NoConsoleErrors(t, ctx)
}
