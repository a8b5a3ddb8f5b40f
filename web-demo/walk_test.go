package webdemo_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// watchFocus notes where the focus goes, and what is wrong with each place when it comes there.
const watchFocus = `if (!window.walked) {
	const name = (node) => node.getAttribute("aria-label") || (node.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim()
		|| [...node.labels ?? []].map((label) => label.textContent).join(" ").trim() || node.textContent.trim() || node.title;
	const place = (node) => {
		const { left, right, top, bottom } = node.getBoundingClientRect();
		const scroller = node.closest(".scroll, .rows, #view");
		const by = scroller && scroller !== node ? scroller.scrollTop : 0;
		return { region: node.closest("#bar, #view, #drawer, #dock, dialog, #login")?.id, left, right, top: top + by, bottom: bottom + by };
	};
	// One reads a row from left to right, and then the next one; or a column, and then the one to its right.
	const backwards = (a, b) => a && a.region === b.region && (b.bottom <= a.top + 1 ? b.left < a.right - 1 : b.top < a.bottom - 1 && b.right <= a.left + 1);
	const wrong = (node) => {
		// A row is outlined whole when what is in it has the focus.
		const outlined = [node, node.closest("li")].filter(Boolean).map((one) => getComputedStyle(one))
			.some(({ outlineStyle, outlineWidth, outlineColor }) => outlineStyle !== "none" && parseFloat(outlineWidth) >= 1 && !/, 0\)$/.test(outlineColor));
		const { left, right, top, bottom } = node.getBoundingClientRect();
		const all = [];
		if (name(node) === "") all.push("has no name");
		if (!outlined) all.push("does not show the focus");
		if (right <= 0 || bottom <= 0 || left >= innerWidth || top >= innerHeight || right - left < 2 || bottom - top < 2) all.push("is out of sight, at " + [left, top, right, bottom].map(Math.round));
		else {
			const over = document.elementFromPoint(Math.max(0, Math.min(innerWidth - 1, (Math.max(left, 0) + Math.min(right, innerWidth)) / 2)), Math.max(0, Math.min(innerHeight - 1, (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2)));
			if (over && !node.contains(over) && !over.contains(node) && node.closest("label") !== over) all.push("is covered by " + over.outerHTML.slice(0, 80));
		}
		return all;
	};
	window.walked = [];
	const numbers = new WeakMap();
	let last = null;
	let count = 0;
	const note = (target) => {
		if (document.activeElement !== target) return;
		if (!numbers.has(target)) numbers.set(target, count++);
		const here = place(target);
		const wrongs = wrong(target);
		if (backwards(last, here) && !walked.some(({ number }) => number === numbers.get(target))) wrongs.push("comes after " + last.what + ", which is below or to its right");
		const what = target.outerHTML.slice(0, 90);
		last = { ...here, what };
		walked.push({ number: numbers.get(target), what, wrongs, is: (selector) => target.matches(selector) });
	};
	// The focus has moved when its place is scrolled into sight.
	let began = 0;  // how often the walk has begun: what the frames of an earlier one are late to note does not count
	document.addEventListener("focusin", ({ target }) => {
		const walk = began;
		requestAnimationFrame(() => requestAnimationFrame(() => { if (walk === began) note(target); }));
	});
	window.restart = () => {
		began += 1;
		walked.length = 0;
		last = null;
		if (document.activeElement !== document.body && document.activeElement.id !== "view") note(document.activeElement);
	};
} restart(); void 0`

// walk presses Tab until the focus has been at each place, and returns what is wrong with them. It must come back to
// where it began: else there is a trap.
func walk(t *testing.T, ctx context.Context, what string) (places int) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](watchFocus))
	const most = 150
	for range most {
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.steps = walked.length; window.was = document.activeElement; void 0`))
		key(t, ctx, kb.Tab)
		until(t, ctx, what+": Tab moves the focus", `walked.length > steps || document.activeElement === document.body || document.activeElement === was`)
		if evaluate[bool](t, ctx, `document.activeElement !== document.body && document.activeElement === was`) {
			t.Errorf("%s: Tab does not leave %s", what, evaluate[string](t, ctx, `was.outerHTML.slice(0, 120)`))
			return 0
		}
		if evaluate[bool](t, ctx, `new Set(walked.map(({ number }) => number)).size < walked.length`) {
			break
		}
	}
	if !evaluate[bool](t, ctx, `new Set(walked.map(({ number }) => number)).size < walked.length`) {
		t.Errorf("%s: Tab does not come back to where it began", what)
	}
	tellWrongs(t, ctx, what)
	return evaluate[int](t, ctx, `walked.length - 1`)
}

// tellWrongs fails for what is wrong with the places where the focus has been.
func tellWrongs(t *testing.T, ctx context.Context, what string) {
	t.Helper()
	for _, wrong := range evaluate[[]string](t, ctx, `walked.flatMap(({ what, wrongs }) => wrongs.map((wrong) => what + " " + wrong))`) {
		t.Errorf("%s: %s", what, wrong)
	}
}

// walkSizes are those of a console, a tablet and a phone.
var walkSizes = []viewport{sizes[0], {"tablet", 900, 700}, sizes[1]}

func TestTheWholePageIsWalkedByTab(t *testing.T) {
	t.Parallel()
	ctx := inStorm(t)
	for _, size := range walkSizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		for _, view := range views {
			goTo(t, ctx, view.hash, view.there)
			// Worst, four views, the palette, the switch, the settings, the command line: no view has less.
			if places := walk(t, ctx, view.name+", "+size.name); places < 10 {
				t.Errorf("%s, %s: there are %d places", view.name, size.name, places)
			}
		}
		goTo(t, ctx, "#/", views[0].there)
		for _, over := range []struct{ name, open, there, end string }{
			{"drawer", "p", `document.activeElement.matches("#drawer li")`, `document.querySelector("#drawer").hidden`},
			{"help", "?", `document.querySelector("#help").open`, `!document.querySelector("#help").open`},
			{"palette", "/palette", `document.activeElement.id === "palette-input"`, `!document.querySelector("#palette").open`},
			{"settings", "/settings", `document.querySelector("#menu").open`, `!document.querySelector("#menu").open`},
		} {
			do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#view").focus(); void 0`))
			switch over.open {
			case "/palette":
				key(t, ctx, "k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
			case "/settings":
				tabTo(t, ctx, "#menu summary")
				key(t, ctx, kb.Enter)
			default:
				key(t, ctx, over.open)
			}
			until(t, ctx, over.name, over.there)
			if over.name == "settings" { // they close when the focus leaves them
				do(t, ctx, chromedp.Evaluate[chromedp.Void](watchFocus))
				for _, place := range []string{"#theme", "#sound", "#sound-test", "#help-open"} {
					key(t, ctx, kb.Tab)
					until(t, ctx, place, fmt.Sprintf(`walked.at(-1)?.is(%q) && document.activeElement.matches(%q)`, place, place))
				}
				tellWrongs(t, ctx, over.name+", "+size.name)
			} else {
				walk(t, ctx, over.name+", "+size.name)
			}
			key(t, ctx, kb.Escape)
			until(t, ctx, over.name+": Esc goes back", over.end)
		}
	}
	testkit.NoConsoleErrors(t, ctx)
}
