package webdemo_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

// refusingBridge serves the page, and stands in for a bridge whose clock is an hour ahead. It refuses each command with its
// command string as the error code, and sends to expiries when the command would have expired, in seconds from its
// arrival. A command to "broker" makes it report its command string as the state of the broker.
func refusingBridge(t *testing.T) (addr string, expiries <-chan float64) {
	t.Helper()
	left := make(chan float64, 16)
	clock := func() time.Time { return time.Now().Add(time.Hour) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			webdemo.Handler().ServeHTTP(w, r)
			return
		}
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		say := func(format string, args ...any) {
			_ = wsutil.WriteServerText(conn, fmt.Appendf(nil, format, args...)) // the page may have disconnected
		}
		say(`{"op": "hello", "session": "fake-1", "name": "fake", "time": %q, "epoch": "e", "seq": 0, "broker": "up"}`, clock().UTC().Format(time.RFC3339Nano))
		for {
			text, err := wsutil.ReadClientText(conn)
			if err != nil {
				return
			}
			var m struct {
				Op, ID, Consumer string
				CommandID        string  `json:"command_id"`
				Command          string  `json:"command_string"`
				ExpiresAt        float64 `json:"expires_at"`
			}
			switch err := json.Unmarshal(text, &m); {
			case err != nil: // the probe of a page before the hello
			case m.Op == "ping":
				say(`{"op": "pong", "id": %q, "epoch": "e", "seq": 0, "time": %q}`, m.ID, clock().UTC().Format(time.RFC3339Nano))
			case m.Op == "subscribe":
				say(`{"op": "ok", "id": %q}`, m.ID)
			case m.Consumer == "broker":
				say(`{"op": "broker", "state": %q, "reason": "the test says so"}`, m.Command)
			case m.Consumer != "":
				left <- m.ExpiresAt - float64(clock().UnixMilli())/1000
				say(`{"op": "error", "id": null, "command_id": %q, "code": %q, "message": "Because of %s."}`, m.CommandID, m.Command, m.Command)
			}
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), left
}

func TestThePageDistinguishesUnsentFailedAndUnknownCommands(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	addr, expiries := refusingBridge(t)
	openPage(t, ctx, addr)
	arm(t, ctx)
	for _, c := range []struct{ code, state, said string }{
		{"expired", "rejected", "Because of expired."},
		{"in_use", "rejected", "Because of in_use."},
		{"full", "rejected", "Because of full."},
		{"returned", "failed", "Because of returned."},
		{"unknown", "unknown", "unknown: Because of unknown."},
		{"refused", "unknown", "unknown: Because of refused."},
	} {
		do(t, ctx, clearLine, chromedp.SendKeys("#command-input", "dome "+c.code+"\r"))
		until(t, ctx, c.code, fmt.Sprintf(`(({ dataset, textContent }) => dataset.state === %q && textContent.includes("dome %s") && textContent.includes(%q))(document.querySelector("#commands > li") ?? { dataset: {} })`, c.state, c.code, c.said))
		if left := <-expiries; left > 5 || left < 5-testkit.Patience.Seconds() {
			t.Errorf("%s expires in %.3f s by the bridge's clock, and not 5 s after it was sent", c.code, left)
		}
	}
	screenshot(t, ctx, "page-refusals")
	testkit.NoConsoleErrors(t, ctx)
}

func TestThePageShowsThatNoRepliesComeFromTheBroker(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	addr, _ := refusingBridge(t)
	openPage(t, ctx, addr)
	arm(t, ctx)
	do(t, ctx, chromedp.SendKeys("#command-input", "broker no_replies\r"), chromedp.WaitVisible(`#broker-state[data-state="no_replies"]`))
	until(t, ctx, "the header and the notice say so", `document.querySelector("#broker-state").textContent.startsWith("no replies") && document.querySelector("#notice").textContent.endsWith("No replies come from the broker: the test says so.")`)
	until(t, ctx, "the whole page looks dead", `document.body.dataset.dead === "broker" && document.querySelector("#dead").textContent.includes("nothing here is current")`)
	until(t, ctx, "neither calm nor a lag of zero is claimed", `document.querySelector("#worst").dataset.level === "unknown" && document.querySelector("#lag").textContent === "lag ?"`)
	do(t, ctx, chromedp.SendKeys("#command-input", "broker up\r"))
	until(t, ctx, "it is alive again", `document.querySelector("#broker-state").dataset.state === "up" && document.body.dataset.dead === undefined`)
	testkit.NoConsoleErrors(t, ctx)
}
