package webdemo_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

const (
	commandInput   = `document.querySelector("#command-input")`
	commandFocused = `document.activeElement?.id === "command-input"`
)

// enterTwice presses Enter in the command line twice, in haste.
var enterTwice = chromedp.Evaluate[chromedp.Void](`{
	const form = document.querySelector("#command-form");
	form.requestSubmit();
	form.requestSubmit();
} void 0`)

// waitOutHaste waits until an Enter counts again, after one that was only told that it does not send.
func waitOutHaste(t *testing.T, ctx context.Context) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.told = performance.now(); void 0`))
	until(t, ctx, "what was told has been read", `performance.now() - window.told > 1_000`)
}

// openAt opens the overview at a size, armed, as a new page of the tab.
func openAt(t *testing.T, ctx context.Context, addr string, size viewport) {
	t.Helper()
	visit(t, ctx, addr, "", size)
	arm(t, ctx)
}

// Fault 10: after a reconnect a refused line was selected in the focused field, one Enter from being sent.
func TestARefusedLineIsNotOneKeyAwayFromBeingSentAfterAReconnect(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	dome := startSimulated(t, o.url)
	for _, size := range sizes {
		name := size.name
		openAt(t, ctx, o.addr, size)
		o.stopBridge()
		until(t, ctx, name+": the link is lost", `document.body.dataset.link !== "open"`)
		do(t, ctx, chromedp.SendKeys("#command-input", "dome close\r"))
		until(t, ctx, name+": the refusal is told", `document.querySelector("#command-why").textContent.startsWith("Not sent:")`)
		o.startBridge(t, listenAgain(t, o.addr))
		until(t, ctx, name+": the link is back", `document.body.dataset.link === "open"`)
		until(t, ctx, name+": the focus stays where it was", commandFocused)
		if line := evaluate[string](t, ctx, commandInput+`.value`); line != "dome close" {
			t.Errorf("%s: the field has %q", name, line)
		}
		if evaluate[bool](t, ctx, commandInput+`.selectionStart !== `+commandInput+`.selectionEnd`) {
			t.Errorf("%s: the line is selected", name)
		}
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.whys = []; new MutationObserver(() => whys.push(document.querySelector("#command-why").textContent))
			.observe(document.querySelector("#command-why"), { childList: true, characterData: true, subtree: true }); void 0`), enterTwice)
		until(t, ctx, name+": an Enter in haste only says what it was", `whys.some((why) => /"dome close" was not sent .+ ago/.test(why))`)
		waitOutHaste(t, ctx)
		select {
		case ran := <-dome.ran:
			t.Fatalf("%s: the actor ran %s", name, ran)
		default:
		}
		key(t, ctx, kb.Enter)
		if ran := nextRun(t, ctx, dome.ran); ran != "close" {
			t.Errorf("%s: the actor ran %s", name, ran)
		}
		until(t, ctx, name+": the field is empty", commandInput+`.value === ""`)
		screenshot(t, ctx, "commandline-"+name)
	}
}

// Fault 12: Esc wiped the draft, and the keys of shortcuts went on typing.
func TestEscapeLeavesTheFieldAndKeepsTheLine(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	startSimulated(t, o.url).Broadcast("i", nil)
	for _, size := range sizes {
		name := size.name
		openAt(t, ctx, o.addr, size)
		until(t, ctx, "dome is known", `document.querySelector('[data-actor="dome"]') !== null`)
		do(t, ctx, chromedp.SendKeys("#command-input", "dome op"))
		until(t, ctx, name+": completions are offered", `document.querySelector("#command-hints [role=option]") !== null && `+commandInput+`.getAttribute("aria-expanded") === "true"`)
		key(t, ctx, kb.Escape)
		until(t, ctx, name+": the list is closed first", commandInput+`.getAttribute("aria-expanded") === "false" && `+commandFocused)
		key(t, ctx, kb.Escape)
		until(t, ctx, name+": then the field is left", `!(`+commandFocused+`)`)
		key(t, ctx, "l")
		if line := evaluate[string](t, ctx, commandInput+`.value`); line != "dome op" {
			t.Errorf("%s: the field has %q", name, line)
		}
	}
	testkit.NoConsoleErrors(t, ctx)
}

// Fault 12: hints ended after 60.
func TestEveryActorIsOfferedAndTheLineIsWrittenByKeyboardAlone(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	for n := range 150 {
		p.publish(fmt.Sprintf("actor%03d", n), "i", false, []byte(`{"x": 1}`))
	}
	dome := startSimulated(t, o.url)
	dome.Broadcast("i", nil)
	openAt(t, ctx, o.addr, sizes[0])
	until(t, ctx, "all actors are known", `document.querySelector("#actors-count").textContent.includes("151")`)
	do(t, ctx, chromedp.SendKeys("#command-input", "actor"))
	until(t, ctx, "all of them are offered", `document.querySelectorAll("#command-hints [role=option]").length === 150`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`(() => { const i = `+commandInput+`; i.value = ""; })()`), chromedp.SendKeys("#command-input", "do"))
	key(t, ctx, kb.ArrowDown)
	until(t, ctx, "the list is at dome", `document.getElementById(`+commandInput+`.getAttribute("aria-activedescendant"))?.querySelector(".text").textContent === "dome"`)
	key(t, ctx, kb.Enter)
	until(t, ctx, "Enter takes it, and sends nothing", commandInput+`.value === "dome "`)
	until(t, ctx, "its commands come from its model", `[...document.querySelectorAll("#command-hints .text")].some((node) => node.textContent === "open")`)
	key(t, ctx, "op")
	key(t, ctx, kb.Tab)
	until(t, ctx, "Tab completes", commandInput+`.value === "dome open "`)
	key(t, ctx, kb.Enter)
	if ran := nextRun(t, ctx, dome.ran); ran != "open" {
		t.Errorf("the actor ran %s", ran)
	}
	until(t, ctx, "the command is listed", `document.querySelector('#commands > li[data-own="true"][data-state="done"]') !== null`)
	key(t, ctx, kb.ArrowUp)
	until(t, ctx, "arrow up recalls the line", commandInput+`.value === "dome open"`)
	testkit.NoConsoleErrors(t, ctx)
}

func TestALineIsSentOnceAndSeveralLinesAreNotPasted(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	dome := startSimulated(t, o.url)
	openAt(t, ctx, o.addr, sizes[0])
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`(() => {
		const data = new DataTransfer();
		data.setData("text", "dome open\ndome close");
		`+commandInput+`.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
	})()`))
	until(t, ctx, "a paste of two lines is refused", `document.querySelector("#command-why").textContent.includes("2 lines are 2 commands") && `+commandInput+`.value === ""`)
	do(t, ctx, chromedp.SendKeys("#command-input", "dome open"))
	// A key that is held down arrives as one that repeats; and who presses twice presses again before the answer.
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`(() => {
		const form = document.querySelector("#command-form");
		for (let n = 0; n < 5; n += 1) {
			if (`+commandInput+`.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", repeat: n > 0, bubbles: true, cancelable: true }))) form.requestSubmit();
		}
		form.requestSubmit();
	})()`))
	if ran := nextRun(t, ctx, dome.ran); ran != "open" {
		t.Errorf("the actor ran %s", ran)
	}
	until(t, ctx, "it is done", `document.querySelector('#commands > li[data-state="done"]') !== null`)
	if n := evaluate[int](t, ctx, `document.querySelectorAll("#commands > li[data-own=true]").length`); n != 1 || len(dome.ran) > 0 {
		t.Errorf("%d commands were sent, and %d ran after the first", n, len(dome.ran))
	}
	testkit.NoConsoleErrors(t, ctx)
}

// Fault 9: an operator's own typo painted the actor red.
func TestATypoIsToldAtTheCommandAndPaintsNoActorRed(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	dome := startSimulated(t, o.url)
	dome.Broadcast("i", nil)
	for _, size := range sizes {
		name := size.name
		openAt(t, ctx, o.addr, size)
		until(t, ctx, "dome is known", `document.querySelector('[data-actor="dome"]') !== null`)
		do(t, ctx, chromedp.SendKeys("#command-input", "dome opne\r"))
		until(t, ctx, name+": the command has failed, and says why", `(({ dataset, textContent }) => dataset?.state === "failed" && textContent.includes("opne"))(document.querySelector("#commands > li[data-own=true]") ?? { textContent: "" })`)
		said := evaluate[string](t, ctx, `document.querySelector("#commands > li[data-own=true] .said").textContent`)
		if !strings.Contains(said, "does not exist or cannot be parsed") {
			t.Errorf("%s: the command says %q", name, said)
		}
		dome.Broadcast("i", nil)
		states := evaluate[[]string](t, ctx, `[document.querySelector('[data-actor="dome"]').dataset.level, document.querySelector("#worst").dataset.count]`)
		if !slices.Equal(states, []string{"ok", "0"}) {
			t.Errorf("%s: the level of dome and the number of problems are %q", name, states)
		}
		screenshot(t, ctx, "typo-"+name)
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestALineThatAwaitsArmingIsSentByTheFirstEnterAfterIt(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	dome := startSimulated(t, o.url)
	do(t, ctx, chromedp.EmulateViewport(1400, 860), chromedp.Navigate("http://"+o.addr+"/"), chromedp.WaitReady(`#link-state[data-state="open"]`),
		chromedp.SendKeys("#command-input", "dome ping\r"))
	until(t, ctx, "what reads is sent", `document.querySelector('#commands > li[data-own="true"]')?.dataset.state === "done"`)
	do(t, ctx, chromedp.SendKeys("#command-input", "dome open\r"))
	until(t, ctx, "what moves something is not, and the line is kept", `document.querySelector("#command-why").textContent.includes("this tab is disarmed") && `+commandInput+`.value === "dome open"`)
	if len(dome.ran) > 0 {
		t.Fatal("a disarmed page has moved the dome")
	}
	arm(t, ctx)
	do(t, ctx, chromedp.Focus("#command-input"))
	key(t, ctx, kb.Enter)
	if ran := nextRun(t, ctx, dome.ran); ran != "open" {
		t.Errorf("the actor ran %s", ran)
	}
	testkit.NoConsoleErrors(t, ctx)
}
