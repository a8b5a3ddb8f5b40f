package webdemo_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// inSight is an expression for whether a node is wholly within the window, and not covered.
func inSight(selector string) string {
	return fmt.Sprintf(`(() => {
		const { top, bottom, left, right, width, height } = document.querySelector(%q).getBoundingClientRect();
		const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
		return width > 0 && height > 0 && top >= 0 && bottom <= innerHeight + 1 && document.querySelector(%q).contains(there);
	})()`, selector, selector)
}

func TestALesserProblemDoesNotHideAWorseOne(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	p.text("camera", "!", "coolant leak")
	p.text("camera", "w", "disk 80 % full")
	for _, size := range sizes {
		openPage(t, ctx, o.addr)
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		until(t, ctx, size.name+": the row is critical", `document.querySelector('#actors [data-actor="camera"]')?.dataset.level === "critical"`)
		until(t, ctx, size.name+": the bar too", `document.querySelector("#worst").dataset.level === "critical" && document.querySelector("#worst").dataset.count === "2"`)
		until(t, ctx, size.name+": it names the leak", `document.querySelector("#worst").textContent.includes("coolant leak") && document.querySelector('[data-actor="camera"] .problem').textContent.includes("coolant leak")`)
		if !evaluate[bool](t, ctx, inSight("#worst")) {
			t.Errorf("%s: the worst problem is out of sight", size.name)
		}
		screenshot(t, ctx, "alarm-worst-"+size.name)
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestAReloadNeitherClearsAlarmsNorRevivesAcknowledgedOnes(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	storm(p)
	openPage(t, ctx, o.addr)
	until(t, ctx, "all are open", `document.querySelector("#worst").dataset.count === "4"`)
	do(t, ctx, chromedp.Click("#worst"), chromedp.WaitVisible(`#drawer [data-actor="dome"] .ack`), chromedp.Click(`#drawer [data-actor="dome"] .ack`))
	until(t, ctx, "one is acknowledged", `document.querySelector("#worst").dataset.count === "3"`)
	do(t, ctx, chromedp.Click(`#drawer [data-ack-actor="camera"]:not([hidden])`))
	until(t, ctx, "all of an actor are", `document.querySelector("#worst").dataset.count === "1" && document.querySelectorAll('#drawer [data-acked]').length === 3`)
	screenshot(t, ctx, "alarm-drawer")
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height), chromedp.Reload(), chromedp.WaitReady(`#link-state[data-state="open"]`))
		until(t, ctx, size.name+": after a reload it is the same", `document.querySelector("#worst").dataset.count === "1" && document.querySelector('#actors [data-actor="weather"]')?.dataset.level === "error"`)
		until(t, ctx, size.name+": what was acknowledged stays so", `document.querySelector('#actors [data-actor="dome"]').dataset.level === "ok" && document.querySelector('#actors [data-actor="camera"]').dataset.level === "ok"`)
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestADeadBridgeIsSeenOnEveryViewHoweverFarOneHasScrolled(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	for n := range 120 {
		p.publish(fmt.Sprintf("actor%d", n), "i", false, []byte(`{"n": 1}`))
	}
	openPage(t, ctx, o.addr)
	until(t, ctx, "the actors are there", `document.querySelector("#actors-count").textContent.startsWith("120 actors")`)
	until(t, ctx, "the other views have been loaded", `performance.getEntriesByType("resource").some(({ name }) => /\/help-/.test(name))`)
	do(t, ctx, chromedp.EmulateViewport(420, 860), chromedp.Evaluate[chromedp.Void](`document.querySelector("#view").scrollTop = 1e6; void 0`))
	until(t, ctx, "the page is scrolled", `document.querySelector("#view").scrollTop > 1000`)
	o.stopBridge()
	until(t, ctx, "calm is not claimed", `document.querySelector("#worst").textContent.includes("not known")`)
	until(t, ctx, "the page looks dead", `document.body.dataset.dead === "link" && document.title.startsWith("✕") && document.querySelector("#icon").dataset.level === "dead"`)
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		for _, view := range []string{"#/", "#/actor/actor7", "#/log", "#/plot?s=actor1.n&r=1h", "#/board?actor=actor3"} {
			goTo(t, ctx, view, `document.querySelector("#view .view") !== null`)
			do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#view").scrollTop = 1e6; void 0`))
			for _, selector := range []string{"#link-state", "#dead"} {
				if !evaluate[bool](t, ctx, inSight(selector)) {
					t.Errorf("%s, %s: %s is out of sight", size.name, view, selector)
				}
			}
		}
		screenshot(t, ctx, "alarm-dead-"+size.name)
	}
	until(t, ctx, "it says since when", `/What is shown is as of \d\d:\d\d:\d\d UTC/.test(document.querySelector("#dead").textContent)`)
}

// countTones counts the tones that the page plays, without a sound.
const countTones = `
	window.tones = 0;
	window.AudioContext = class extends EventTarget {
		state = "running";
		currentTime = 0;
		destination = {};
		resume() { return Promise.resolve(); }
		createGain() { return { gain: { setValueAtTime() {}, linearRampToValueAtTime() {} }, connect: (next) => next }; }
		createOscillator() { return { frequency: {}, connect: (next) => next, start() { window.tones += 1; }, stop() {} }; }
	}; void 0`

func TestAnAlarmIsAnnouncedToWhoDoesNotLook(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	p.next()
	openPage(t, ctx, o.addr)
	until(t, ctx, "it is calm", `document.title.startsWith("Overview") && document.querySelector("#icon").dataset.level === "ok"`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](countTones),
		chromedp.Evaluate[chromedp.Void](`document.querySelector("#menu").open = true; document.querySelector("#sound").click(); document.querySelector("#menu").open = false; void 0`))

	p.text("weather", "w", "The wind rises.")
	until(t, ctx, "the title counts it", `document.title.startsWith("▲1 weather: The wind rises.")`)
	until(t, ctx, "so does the icon", `document.querySelector("#icon").dataset.level === "warn" && document.querySelector("#icon").dataset.count === "1"`)
	until(t, ctx, "screen readers hear it, politely", `document.querySelector("#say[aria-live=polite]").textContent === "Warning, weather: The wind rises."`)
	until(t, ctx, "it sounds", `window.tones === 1`)
	p.text("camera", "!", "coolant leak")
	until(t, ctx, "what is critical interrupts", `document.querySelector("#say-now[aria-live=assertive]").textContent === "Critical, camera: coolant leak." && document.title.startsWith("✖2 camera: coolant leak")`)
	until(t, ctx, "it sounds otherwise", `window.tones === 5`)

	for n := range 40 {
		p.text("camera", "!", fmt.Sprintf("leak %d", n))
	}
	until(t, ctx, "a storm is one announcement", `/^40 new problems|^\d+ new problems\. The worst: Critical/.test(document.querySelector("#say-now").textContent)`)
	if tones := evaluate[int](t, ctx, `window.tones`); tones > 13 {
		t.Errorf("%d tones", tones)
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestAnActorThatDiedBeforeThePageWasLoadedLooksDead(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	stop := p.run() // weather, dome and roof, each thirty times a second
	openPage(t, ctx, o.addr)
	until(t, ctx, "it is alive", `document.querySelectorAll("#actors [data-actor]:not([data-quiet])").length === 3`)
	until(t, ctx, "its rhythm is known", `document.querySelectorAll('#actors .seen[title*="usually one in"]').length === 3`)
	stop()
	until(t, ctx, "it is silent", `document.querySelectorAll("#actors [data-quiet]").length === 3`)
	// A page that knows no rhythm needs 5 s to find one.
	do(t, ctx, onNewDocument(`addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
		if (document.body.dataset.link === "open") window.openAt ??= performance.now();
		if (document.querySelectorAll("#actors [data-quiet]").length === 3) window.quietAt ??= performance.now();
	}).observe(document.body, { subtree: true, childList: true, attributes: true }));`))
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height), chromedp.Reload(), chromedp.WaitVisible(`#actors [data-actor="dome"]`))
		until(t, ctx, size.name+": it is silent from the start", `window.quietAt !== undefined`)
		if took := evaluate[float64](t, ctx, `quietAt - (window.openAt ?? quietAt)`); took > 5000 {
			t.Errorf("%s: it is silent after %.0f ms", size.name, took)
		}
		if words := evaluate[string](t, ctx, `document.querySelector('[data-actor="dome"] .seen').textContent`); words == "0s" {
			t.Errorf("%s: the age is %s", size.name, words)
		}
		screenshot(t, ctx, "alarm-silent-"+size.name)
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestAWrongClockOfThisComputerIsSaid(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	addr, _ := refusingBridge(t) // its clock is an hour ahead
	openPage(t, ctx, addr)
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		until(t, ctx, size.name+": it is said", `!document.querySelector("#clock-wrong").hidden && document.querySelector("#clock-wrong").textContent === "this computer's clock is 60 min slow"`)
		until(t, ctx, size.name+": the time is the bridge's", `Math.abs(Date.parse(document.querySelector("#clock").textContent.replace(" UTC", "Z").replace(" ", "T")) - Date.now() - 3_600_000) < 5_000`)
	}
}

// clearSearch empties the search field of the overview.
var clearSearch = chromedp.Evaluate[chromedp.Void](`document.querySelector("#search").value = ""; void 0`)

func TestNothingThatIsTypedIsLostOrTakenForAShortcut(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	for range 3 {
		p.next()
	}
	openPage(t, ctx, o.addr)
	until(t, ctx, "the actors are there", `document.querySelectorAll("#actors [data-actor]").length === 3`)
	key(t, ctx, "/")
	until(t, ctx, "the search has the focus", `document.activeElement.id === "search"`)
	do(t, ctx, clearSearch) // chromedp also types the letter of a shortcut
	key(t, ctx, "pcol?a/")
	key(t, ctx, kb.Escape)
	until(t, ctx, "Esc leaves the field, and what was typed stays", `document.activeElement.id !== "search" && document.querySelector("#search").value === "pcol?a/"`)
	if !evaluate[bool](t, ctx, `location.hash.startsWith("#/?q=") && document.querySelector("#drawer").hidden && document.querySelector("#arm").ariaPressed === "false" && !document.querySelector("#help").open`) {
		t.Error("letters that were typed into a field did something else")
	}
	key(t, ctx, "c")
	until(t, ctx, "the command line has the focus", `document.activeElement.id === "command-input"`)
	do(t, ctx, clearLine)
	key(t, ctx, "dome p")
	key(t, ctx, kb.Escape)
	key(t, ctx, kb.Escape)
	until(t, ctx, "the line stays", `document.querySelector("#command-input").value === "dome p" && document.activeElement.id !== "command-input"`)
	key(t, ctx, "k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	until(t, ctx, "the palette is open", `document.activeElement.id === "palette-input"`)
	key(t, ctx, "dom.n")
	key(t, ctx, kb.Escape)
	until(t, ctx, "the palette is closed", `!document.querySelector("#palette").open`)
	key(t, ctx, "k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	until(t, ctx, "what was written there is still there", `document.querySelector("#palette-input").value === "dom.n" && document.querySelector("#palette").open`)
	key(t, ctx, kb.Enter)
	until(t, ctx, "it goes to the keyword", `location.hash === "#/actor/dome?f=n"`)

	key(t, ctx, "?")
	until(t, ctx, "the help lists the keys", `document.querySelector("#help").open`)
	do(t, ctx, chromedp.Click("#letters"))
	key(t, ctx, kb.Escape)
	key(t, ctx, "p")
	until(t, ctx, "letters can be switched off", `document.querySelector("#drawer").hidden && !document.querySelector("#help").open`)
	testkit.NoConsoleErrors(t, ctx)
}
