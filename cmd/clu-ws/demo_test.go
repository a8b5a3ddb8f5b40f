package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// startDemo starts the demo. Nothing happens in it by itself.
func startDemo(t *testing.T, flags ...string) (address string) {
	t.Helper()
	p := start(t, append([]string{"demo", "--night=false", "--port", "0", "--rabbitmq-port", freePort(t)}, flags...)...)
	address = p.address(t)
	for _, name := range []string{"mount", "dome", "camera", "weather", "spectrograph"} {
		p.log.await(t, "name="+name)
	}
	return address
}

func TestThePageShowsTheDemoAndOpensTheDome(t *testing.T) {
	ctx := testkit.Browser(t)
	address := startDemo(t)
	do := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			screenshot(t, ctx, "failed")
			t.Fatalf("%s: %v", what, err)
		}
	}
	until := func(what, expression string) {
		t.Helper()
		if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression)); err != nil {
			screenshot(t, ctx, "failed")
			t.Fatalf("%s: %v", what, err)
		}
	}
	do("the page opens", chromedp.EmulateViewport(1440, 900), chromedp.Navigate("http://"+address+"/#/"),
		chromedp.WaitVisible(`#link-state[data-state="open"]`))

	wind := `#actors [data-actor="weather"] .pin[data-keyword="wind_speed_ms"] .value`
	until("the weather is pinned", fmt.Sprintf(`document.querySelector(%q)?.textContent.includes("m/s")`, wind))
	before, err := chromedp.Run(ctx, chromedp.TextContent(wind))
	if err != nil {
		t.Fatal(err)
	}
	until("a keyword changes", fmt.Sprintf(`document.querySelector(%q).textContent !== %q`, wind, before))
	screenshot(t, ctx, "overview")

	do("commands are armed", chromedp.Evaluate[chromedp.Void](`if (document.querySelector("#arm").getAttribute("aria-pressed") !== "true") document.querySelector("#arm").click(); void 0`))
	do("a command that the site calls dangerous is confirmed", chromedp.SendKeys("#command-input", "dome open\r"),
		chromedp.WaitVisible("#confirm-send"), chromedp.Click("#confirm-send"))
	until("the command runs", `document.querySelector('#commands [data-consumer="dome"][data-state="running"]') !== null`)
	until("the command is done", `document.querySelector('#commands [data-consumer="dome"][data-state="done"]') !== null`)
	until("the dome is open", `document.querySelector('#actors [data-actor="dome"] .pin[data-keyword="dome_shutter"] .value')?.textContent.includes("open")`)
	do("a command is sent to nobody", chromedp.SendKeys("#command-input", "nobody ping\r"))
	until("a command to nobody fails", `document.querySelector('#commands [data-consumer="nobody"][data-state="failed"]') !== null`)
	screenshot(t, ctx, "done")
	testkit.NoConsoleErrors(t, ctx)
}

func TestTheDemoStartsWithoutAWarning(t *testing.T) {
	p := start(t, "demo", "--port", "0", "--rabbitmq-port", freePort(t))
	for _, name := range []string{"amqp-client-", "mount", "dome", "camera", "weather", "spectrograph"} {
		p.log.await(t, "exchange=sdss_exchange name="+name)
	}
	for line := range strings.Lines(p.log.String()) {
		if paused := strings.Contains(line, `msg="the process was paused: `); !paused && (strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR")) {
			t.Errorf("the log says %s", line)
		}
	}
}

func TestTheDemoHasAnAdminServerWithItsKeywordsAndItsAPI(t *testing.T) {
	p := start(t, "demo", "--night=false", "--port", "0", "--rabbitmq-port", freePort(t), "--admin", "127.0.0.1:"+freePort(t), "--dome-guard=false")
	admin := field(p.log.await(t, "metrics and health"), "address=")
	for _, name := range []string{"amqp-client-", "dome", "weather"} { // the bridge has a link of its own
		p.log.await(t, "exchange=sdss_exchange name="+name)
	}
	if got := inTime(t, func() string { return postCommandTo(admin, "weather", "simulate storm", "", "?wait=1") }); !strings.Contains(got, `"status":"done"`) {
		t.Fatalf("the storm is answered with %s", got)
	}
	if got := inTime(t, func() string { return postCommandTo(admin, "dome", "open", "", "?wait=1") }); !strings.Contains(got, `"status":"done"`) {
		t.Errorf("the dome without its guard answers %s", got)
	}
	keywords, err := get(t, &http.Transport{}, "http://"+admin+"/metrics/keywords")
	if err != nil || !strings.Contains(keywords, `cluws_keyword{actor="weather",keyword="is_safe"} 0`) {
		t.Errorf("the keywords are %s, %v", keywords, err)
	}
}

func TestTheDemoLogsCommandsToo(t *testing.T) {
	p := start(t, "demo", "--port", "0", "--rabbitmq-port", freePort(t))
	_, conn := startRecording(t, "sender", ws.Dialer{}, "ws://"+p.address(t))
	if err := wsutil.WriteClientText(conn, []byte(`{"consumer": "nobody", "command_string": "go there", "command_id": "7"}`)); err != nil {
		t.Fatal(err)
	}
	p.log.await(t, "msg=command consumer=nobody command_id=7 client="+conn.LocalAddr().String()+" verb=go outcome=")
}

func TestTheREADMEsSnippetWorksOnAPageOfAnotherOrigin(t *testing.T) {
	ctx := testkit.Browser(t)
	address := startDemo(t)
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(readme), "```html\n")
	snippet, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("the README has no snippet in HTML")
	}
	page := `<!doctype html><script>console.log = (...what) => { document.title += what.map(String).join(" ") + "; "; };</script>` +
		strings.ReplaceAll(snippet, "localhost:9876", address)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, page)
	}))
	defer elsewhere.Close()
	if err := chromedp.Do(ctx, chromedp.Navigate(elsewhere.URL)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.title.includes("the dome is open") && /the wind is [\d.]+ m\/s/.test(document.title)`)); err != nil {
		title, _ := chromedp.Run(ctx, chromedp.Title())
		t.Fatalf("%v; it said %q", err, title)
	}
	testkit.NoConsoleErrors(t, ctx)
}

// screenshot saves a picture of the page, for inspection.
func screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Logf("no screenshot: %v", err)
		return
	}
	dir := filepath.Join("..", "..", ".cache", "screenshots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWscatSendsAPastedCommand(t *testing.T) {
	wscat := testkit.Wscat(t)
	address := startDemo(t)
	cmd := exec.CommandContext(t.Context(), wscat[0], append(wscat[1:], "-c", "ws://"+address)...)
	stdin, typing := io.Pipe()
	cmd.Stdin = stdin
	process := testkit.StartProcess(t, cmd)
	t.Cleanup(func() { typing.Close() })
	process.Output.WaitFor(t, testkit.Patience, `"sender": "weather"`)
	paste := func(line string) {
		if _, err := io.WriteString(typing, line+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	paste(`{"consumer": "dome", "command_string": "ping", "command_id": "from-wscat"}`)
	if line := process.Output.WaitFor(t, testkit.Patience, "Pong."); !strings.Contains(line, "from-wscat") {
		t.Errorf("the answer is %s", line)
	}
	paste(`consumer: dome`)
	process.Output.WaitFor(t, testkit.Patience, "the message is not JSON")
}
