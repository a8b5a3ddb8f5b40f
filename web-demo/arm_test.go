package webdemo_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// dangerousDome is a site that marks what opens and closes a dome.
func dangerousDome() *site.Config {
	return &site.Config{Title: "Example Observatory", Dangerous: []site.Dangerous{{Consumer: []string{"dome"}, Verb: []string{"open", "close"}}}}
}

// typeLine writes into the command line.
func typeLine(line string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys("#command-input", line)
}

// nextCommand returns the body of the next command that somebody has sent. The bridge's own questions are left out.
func nextCommand(t *testing.T, ctx context.Context, commands <-chan amqp.Delivery) string {
	t.Helper()
	return string(nextOf(t, ctx, commands, func(d amqp.Delivery) bool {
		id, _ := d.Headers["command_id"].(string)
		return !strings.HasPrefix(id, "model-")
	}).Body)
}

// nextRun returns what an actor runs next.
func nextRun(t *testing.T, ctx context.Context, ran <-chan string) string {
	t.Helper()
	return nextOf(t, ctx, ran, func(string) bool { return true })
}

// nextOf returns the next of what comes of a command that was entered. On a busy machine the page may say that it could not
// send what is in the command line: then Enter is pressed again.
func nextOf[T any](t *testing.T, ctx context.Context, all <-chan T, wanted func(T) bool) T {
	t.Helper()
	again := time.NewTicker(2 * time.Second)
	defer again.Stop()
	for late := time.After(testkit.Patience); ; {
		select {
		case next := <-all:
			if wanted(next) {
				return next
			}
		case <-again.C:
			if evaluate[bool](t, ctx, `document.querySelector("#command-why")?.dataset.kind === "held"`) {
				do(t, ctx, typeLine("\r"))
			}
		case <-late:
			t.Fatal("no command was sent; the page says: " + evaluate[string](t, ctx, `document.querySelector("#command-why").textContent`))
		}
	}
}

func TestADisarmedPageSendsOnlyWhatReads(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	commands := o.commands(t)
	openPage(t, ctx, o.addr)
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height), clearLine, typeLine("dome open\r"))
		until(t, ctx, size.name+": the page says why not", `(document.querySelector("#notice").textContent + document.querySelector("#command-why").textContent).includes("disarmed") && document.querySelector("#command-input").value === "dome open"`)
		do(t, ctx, clearLine, typeLine("dome status\r"))
		if body := nextCommand(t, ctx, commands); body != `{"command_string":"status"}` {
			t.Errorf("%s: %s was sent", size.name, body)
		}
	}
	do(t, ctx, chromedp.Reload(), chromedp.WaitVisible(`#link-state[data-state="open"]`), chromedp.Click("#arm"), typeLine("dome open\r"))
	if body := nextCommand(t, ctx, commands); body != `{"command_string":"open"}` {
		t.Errorf("%s was sent", body)
	}
	do(t, ctx, chromedp.Reload(), chromedp.WaitVisible(`#arm[aria-pressed="true"]`))
	testkit.NoConsoleErrors(t, ctx)
}

func TestADangerousCommandIsSentOnlyAfterASecondThought(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startConfigured(t, func(cfg *bridge.Config) { cfg.Site = dangerousDome() })
	proxy := startFaultProxy(t, o.addr)
	commands := o.commands(t)
	openPage(t, ctx, proxy.addr)
	until(t, ctx, "the site is known", `document.title.endsWith("Example Observatory")`)
	arm(t, ctx)
	do(t, ctx, typeLine("dome close\r"))
	until(t, ctx, "it asks, and the harmless answer has the focus", `document.querySelector("#confirm").open && document.activeElement.id === "confirm-cancel" && document.querySelector("#confirm code").textContent === "dome close"`)
	testkit.Accessible(t, ctx, "the question")
	screenshot(t, ctx, "arm-confirm")
	key(t, ctx, kb.Enter)
	until(t, ctx, "Enter does not send", `!document.querySelector("#confirm").open && document.querySelector("#notice").textContent.includes("not confirmed")`)

	do(t, ctx, clearLine, typeLine("dome close\r"))
	until(t, ctx, "it asks again", `document.querySelector("#confirm").open`)
	proxy.cut()
	until(t, ctx, "a connection that breaks is a no", `!document.querySelector("#confirm").open && /the connection was lost/i.test(document.querySelector("#notice").title + document.querySelector("#command-why").textContent + document.querySelector("#notice").textContent)`)
	// The bar is a quarter of a second behind the link, so its state may be that of the connection before.
	until(t, ctx, "the connection is back", `document.querySelector("#notice").textContent.endsWith("Connected.") && document.querySelector("#link-state").dataset.state === "open"`)
	until(t, ctx, "the field has the focus again", commandFocused)
	do(t, ctx, enterTwice)
	if evaluate[bool](t, ctx, `document.querySelector("#confirm").open`) {
		t.Error("after a reconnect Enter asks to send what was meant before")
	}

	do(t, ctx, clearLine, typeLine("dome close now\r"), chromedp.WaitVisible("#confirm-send"))
	key(t, ctx, kb.Tab)
	key(t, ctx, kb.Enter)
	if body := nextCommand(t, ctx, commands); body != `{"command_string":"close now"}` {
		t.Errorf("%s was sent", body)
	}
	testkit.NoErrorsButOfTheNetwork(t, ctx)
}

// keepArmedFor opens the page as a tab that was armed eight hours ago, less the time that is left.
func keepArmedFor(t *testing.T, ctx context.Context, left string) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`sessionStorage.setItem("clu-ws.armed", String(Date.now() + `+left+`)); void 0`),
		chromedp.Reload(), chromedp.WaitReady(`#link-state[data-state="open"]`))
}

func TestATabThatDisarmsItselfSaysSoBeforeAndAfter(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	commands := o.commands(t)
	openPage(t, ctx, o.addr)
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		keepArmedFor(t, ctx, "55_000")
		do(t, ctx, typeLine("dome op"))
		until(t, ctx, size.name+": it is told a minute before", `/disarms itself within a minute/.test(document.querySelector('#arm-note [role="alert"]')?.textContent) && document.querySelector("#arm-stay").checkVisibility() && document.querySelector("#arm").ariaPressed === "true"`)
		until(t, ctx, size.name+": and takes the focus from nobody", commandFocused)
		testkit.Accessible(t, ctx, "the note, "+size.name)
		screenshot(t, ctx, "arm-note-"+size.name)
		do(t, ctx, chromedp.Click("#arm-stay"))
		until(t, ctx, size.name+": the tab stays armed", `document.querySelector("#arm-note").hidden && document.querySelector("#arm").ariaPressed === "true" && Number(sessionStorage.getItem("clu-ws.armed")) > Date.now() + 7 * 3_600_000`)

		keepArmedFor(t, ctx, "3_000")
		do(t, ctx, typeLine("dome op"))
		until(t, ctx, size.name+": the end is told", `/has disarmed itself/.test(document.querySelector('#arm-note [role="alert"]')?.textContent) && document.querySelector("#arm").ariaPressed === "false"`)
		until(t, ctx, size.name+": and takes the focus from nobody", commandFocused)
		do(t, ctx, typeLine("en\r"))
		until(t, ctx, size.name+": a command is refused, with the reason", `/disarmed itself after eight hours/.test(document.querySelector("#command-why").textContent) && `+commandInput+`.value === "dome open"`)
		screenshot(t, ctx, "arm-ended-"+size.name)
		arm(t, ctx)
		until(t, ctx, size.name+": the note goes when the tab is armed", `document.querySelector("#arm-note").hidden`)
		// On a busy machine the connection may accept no data for a moment, and then the line is kept.
		testkit.Eventually(t, testkit.Patience, size.name+": the command is sent", func() error {
			do(t, ctx, typeLine("\r"))
			if evaluate[string](t, ctx, commandInput+`.value`) != "" {
				return errors.New(evaluate[string](t, ctx, `document.querySelector("#command-why").textContent`))
			}
			return nil
		})
		if body := nextCommand(t, ctx, commands); body != `{"command_string":"open"}` {
			t.Errorf("%s: %s was sent", size.name, body)
		}
	}
	testkit.NoConsoleErrors(t, ctx)
}

// A tab that another one opens, as one that is a duplicate, begins with a copy of what that one keeps.
func TestATabThatAnArmedOneOpensIsDisarmed(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	openPage(t, ctx, o.addr)
	arm(t, ctx)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`(() => {
		const open = document.createElement("button");
		open.id = "open-another";
		open.style = "position: fixed; inset: 0; z-index: 99999";
		open.addEventListener("click", () => { window.another = window.open(location.href); open.remove(); });
		document.body.append(open);
	})()`), chromedp.Click("#open-another"))
	// A page that another tab covers draws nothing, and until waits for its frames.
	testkit.Eventually(t, testkit.Patience, "the other tab is there", func() error {
		if !evaluate[bool](t, ctx, `Boolean(window.another?.document.querySelector('#link-state[data-state="open"]'))`) {
			return errors.New("it is not connected")
		}
		return nil
	})
	if got := evaluate[string](t, ctx, `another.document.querySelector("#arm").textContent + ", and this one " + document.querySelector("#arm").textContent`); got != "disarmed, and this one armed" {
		t.Errorf("the other tab is %s", got)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`another.close()`))
}
