package webdemo_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// letters are all single keys that are shortcuts.
const letters = "a/pc?olgb"

// nothingHappened fails if a letter of what was typed was taken for a shortcut.
func nothingHappened(t *testing.T, ctx context.Context, what, view string) {
	t.Helper()
	if got := evaluate[string](t, ctx, `JSON.stringify([document.querySelector("#arm").ariaPressed, document.querySelector("#drawer").hidden, document.querySelector("#help").open, document.querySelector("#view").dataset.view])`); got != `["false",true,false,"`+view+`"]` {
		t.Errorf("%s: armed, no drawer, help and view are %s", what, got)
	}
}

// typed returns the keys of a text, each as a key of its own.
func typed(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	for _, letter := range text {
		key(t, ctx, string(letter))
	}
}

func TestWhoIsTypingDuringAReconnectGoesOnTyping(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	for _, at := range []struct{ field, hash, view string }{
		{"#command-input", "#/", "overview"}, {"#search", "#/", "overview"}, {"#item-text", "#/board", "board"}, {"#log-text", "#/log", "log"},
	} {
		field := at.field
		visit(t, ctx, o.addr, at.hash, sizes[0])
		do(t, ctx, chromedp.SendKeys(field, "dome close"))
		o.stopBridge()
		until(t, ctx, field+": the link is lost", `document.body.dataset.link !== "open"`)
		if field == "#command-input" {
			key(t, ctx, kb.Enter)
			until(t, ctx, "the line is refused", `document.querySelector("#command-why").dataset.kind === "held"`)
		}
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.activeElement.setSelectionRange(2, 4); void 0`))
		o.startBridge(t, listenAgain(t, o.addr))
		until(t, ctx, field+": the page is connected, as it has said", `/Connected\.$|may be missing\.$/.test(document.querySelector("#notice").textContent) && document.querySelector("#link-state").dataset.state === "open"`)
		if got := evaluate[string](t, ctx, `["#" + document.activeElement.id, document.activeElement.selectionStart, document.activeElement.selectionEnd].join()`); got != field+",2,4" {
			t.Errorf("the focus and the selection are %s", got)
		}
		typed(t, ctx, letters)
		if got := evaluate[string](t, ctx, `document.activeElement.value`); got != "do"+letters+" close" {
			t.Errorf("%s: what was typed is in %q", field, got)
		}
		nothingHappened(t, ctx, field, at.view)
	}
	testkit.NoErrorsButOfTheNetwork(t, ctx)
}

func TestALoginFormThatSomebodyHasOpenedStaysOverAReconnect(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	users := newAccounts()
	users.Anonymous = "viewer"
	o := startGuarded(t, users.authority(t))
	proxy := startFaultProxy(t, o.addr)
	openPage(t, ctx, proxy.addr)
	do(t, ctx, chromedp.WaitVisible("#who summary"), chromedp.Click("#who summary"), chromedp.WaitVisible("#who-login"), chromedp.Click("#who-login"),
		chromedp.SendKeys("#login-token", "secr"), chromedp.Evaluate[chromedp.Void](noteLoss))
	proxy.cut()
	until(t, ctx, "the connection is lost", `window.lost`)
	until(t, ctx, "it is back", `document.querySelector("#link-state").dataset.state === "open" && document.body.dataset.link === "open"`)
	typed(t, ctx, "a")
	until(t, ctx, "what was typed goes on", `document.activeElement.id === "login-token" && document.activeElement.value === "secra"`)
	nothingHappened(t, ctx, "the form", "overview")
	testkit.NoErrorsButOfTheNetwork(t, ctx)
}

func TestALetterForAFieldThatHasLostTheFocusIsNoShortcut(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	visit(t, ctx, o.addr, "#/", sizes[0])
	do(t, ctx, chromedp.SendKeys("#search", "d"), chromedp.Evaluate[chromedp.Void](`document.querySelector("#search").blur(); void 0`))
	typed(t, ctx, "a")
	until(t, ctx, "it goes back into the field", `document.activeElement.id === "search" && document.activeElement.value === "da"`)
	nothingHappened(t, ctx, "a field that is there", "overview")

	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#search").disabled = true; void 0`))
	typed(t, ctx, letters)
	until(t, ctx, "it is told that nothing was typed", `/^[\d:]+ Not typed/.test(document.querySelector("#notice").textContent)`)
	nothingHappened(t, ctx, "a field that is closed", "overview")
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#search").remove(); void 0`))
	typed(t, ctx, letters)
	nothingHappened(t, ctx, "a field that is gone", "overview")

	key(t, ctx, kb.Escape)
	key(t, ctx, "a")
	until(t, ctx, "who leaves the field by hand has the shortcuts again", `document.querySelector("#arm").ariaPressed === "true"`)
	testkit.NoConsoleErrors(t, ctx)
}

func TestTheFocusStaysAtAProblemThatMoves(t *testing.T) {
	t.Parallel()
	ctx := inStorm(t)
	const at = `document.activeElement.dataset.problem?.startsWith("dome ")`
	do(t, ctx, chromedp.Click("#worst"), chromedp.WaitVisible(`#drawer [data-actor="dome"]`), chromedp.Focus(`#drawer li[data-actor="dome"]`))
	place := `[...document.querySelectorAll("#drawer [data-problem]")].findIndex((row) => row.dataset.actor === "dome")`
	before := evaluate[int](t, ctx, place)
	// Those above are acknowledged elsewhere, and go below it.
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`for (const button of document.querySelectorAll('#drawer :is([data-actor="camera"], [data-actor="weather"]) .ack')) button.click(); void 0`))
	until(t, ctx, "the problem is the first", place+` === 0`)
	if before == 0 {
		t.Fatal("the problem did not move")
	}
	until(t, ctx, "and has the focus", at)

	do(t, ctx, chromedp.Focus(`#drawer li[data-actor="dome"] .ack`))
	key(t, ctx, kb.Enter)
	until(t, ctx, "the button goes when it is pressed, and its row has the focus", `document.querySelector("#worst").dataset.count === "0" && document.activeElement.matches("li") && `+at)
	do(t, ctx, chromedp.Focus("#drawer-close"))
	key(t, ctx, "a")
	until(t, ctx, "beside the list the key that acknowledges does nothing", `document.querySelector("#notice").textContent.includes("no problem has the focus") && document.querySelector("#arm").ariaPressed === "false"`)
	testkit.NoConsoleErrors(t, ctx)
}

func TestEnterThatTakesAFieldAwayLeavesIt(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	visit(t, ctx, o.addr, "#/", sizes[0])
	key(t, ctx, "k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	until(t, ctx, "the palette is open", `document.activeElement.id === "palette-input"`)
	key(t, ctx, "Overview")
	key(t, ctx, kb.Enter)
	until(t, ctx, "the palette is closed", `!document.querySelector("#palette").open`)
	key(t, ctx, "a")
	until(t, ctx, "letters are shortcuts", `document.querySelector("#arm").ariaPressed === "true"`)

	goTo(t, ctx, "#/board", `document.querySelector("#item-text") !== null`)
	do(t, ctx, chromedp.SendKeys("#item-text", "weather.n\r"))
	until(t, ctx, "the board is made anew, and its field has the focus", `document.querySelector(".board .item") !== null && document.activeElement.matches("#item-text") && document.activeElement.value === ""`)
	testkit.NoConsoleErrors(t, ctx)
}
