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

// trials try the keys that the help lists, by the text of the help.
var trials = map[string]func(t *testing.T, ctx context.Context){
	"Ctrl K": func(t *testing.T, ctx context.Context) {
		key(t, ctx, "k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
		until(t, ctx, "Ctrl K", `document.activeElement.id === "palette-input"`)
	},
	"c": func(t *testing.T, ctx context.Context) {
		key(t, ctx, "c")
		until(t, ctx, "c", commandFocused)
	},
	"/": func(t *testing.T, ctx context.Context) {
		for view, field := range map[string]string{"#/": "#search", "#/log": "#log-text", "#/plot": "#plot-add", "#/actor/dome": ".keyword-filter"} {
			goTo(t, ctx, view, fmt.Sprintf(`document.querySelector(%q) !== null && !document.activeElement.matches("input")`, field))
			key(t, ctx, "/")
			until(t, ctx, "/ in "+view, fmt.Sprintf(`document.activeElement.matches(%q)`, field))
			key(t, ctx, kb.Escape)
		}
	},
	"p": func(t *testing.T, ctx context.Context) {
		key(t, ctx, "p")
		until(t, ctx, "p", `!document.querySelector("#drawer").hidden`)
		key(t, ctx, "p")
		until(t, ctx, "p again", `document.querySelector("#drawer").hidden`)
	},
	"o l g b": func(t *testing.T, ctx context.Context) {
		for letter, view := range map[string]string{"l": "log", "g": "plot", "b": "board"} {
			key(t, ctx, letter)
			until(t, ctx, letter, fmt.Sprintf(`document.querySelector("#view").dataset.view === %q`, view))
			key(t, ctx, "o")
			until(t, ctx, "o", `document.querySelector("#view").dataset.view === "overview"`)
		}
	},
	"a": func(t *testing.T, ctx context.Context) {
		for _, armed := range []string{"true", "false"} {
			key(t, ctx, "a")
			until(t, ctx, "a", fmt.Sprintf(`document.querySelector("#arm").ariaPressed === %q`, armed))
		}
	},
	"?": func(t *testing.T, ctx context.Context) {
		key(t, ctx, "?")
		until(t, ctx, "?", `document.querySelector("#help").open`)
	},
	"Esc": func(t *testing.T, ctx context.Context) {
		for field, there := range map[string]string{"#command-input": "#/", "#search": "#/", "#log-text": "#/log", "#plot-add": "#/plot", ".keyword-filter": "#/actor/dome", ".form-line": "#/actor/dome", "#item-text": "#/board"} {
			goTo(t, ctx, there, fmt.Sprintf(`document.querySelector(%q)?.checkVisibility()`, field))
			do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%q).value = ""; void 0`, field)), chromedp.SendKeys(field, "zz"))
			key(t, ctx, kb.Escape)
			key(t, ctx, kb.Escape) // the first may close a list
			until(t, ctx, "Esc leaves "+field, fmt.Sprintf(`!document.activeElement.matches(%q) && document.querySelector(%q).value === "zz"`, field, field))
		}
	},
	"arrows, Home, End": func(t *testing.T, ctx context.Context) {
		until(t, ctx, "the actors", `document.querySelectorAll("#actors [data-actor]").length > 2`)
		tabTo(t, ctx, "#actors a")
		for _, step := range []struct{ key, at string }{{kb.End, "last"}, {kb.Home, "first"}, {kb.ArrowDown, "second"}, {kb.ArrowUp, "first"}} {
			key(t, ctx, step.key)
			until(t, ctx, step.at, fmt.Sprintf(`[...document.querySelectorAll("#actors [data-actor] a")].filter((link) => link.matches(":first-of-type")).indexOf(document.activeElement) === { first: 0, second: 1, last: document.querySelectorAll("#actors [data-actor]").length - 1 }[%q]`, step.at))
		}
		key(t, ctx, kb.Enter)
		until(t, ctx, "Enter opens", `document.querySelector("#view").dataset.view === "actor"`)
	},
	"in Problems: a, A": func(t *testing.T, ctx context.Context) {
		key(t, ctx, "p")
		until(t, ctx, "the first problem", `document.activeElement.matches("#drawer li")`)
		do(t, ctx, chromedp.Focus(`#drawer li[data-actor="dome"]`))
		key(t, ctx, "a")
		until(t, ctx, "a acknowledges one", `document.querySelector("#worst").dataset.count === "3"`)
		do(t, ctx, chromedp.Focus(`#drawer li[data-actor="camera"]`))
		key(t, ctx, "A")
		until(t, ctx, "A acknowledges all of the actor", `document.querySelector("#worst").dataset.count === "1"`)
		until(t, ctx, "and neither arms", `document.querySelector("#arm").ariaPressed === "false"`)
	},
}

func TestEachKeyOfTheHelpDoesWhatItSays(t *testing.T) {
	t.Parallel()
	ctx := inStorm(t)
	key(t, ctx, "?")
	until(t, ctx, "the help", `document.querySelector("#help").open`)
	listed := evaluate[[]string](t, ctx, `[...document.querySelectorAll("#help kbd")].map(({ textContent }) => textContent)`)
	key(t, ctx, kb.Escape)
	var tried []string
	for name := range trials {
		tried = append(tried, name)
	}
	slices.Sort(tried)
	if sorted := slices.Sorted(slices.Values(listed)); !slices.Equal(sorted, tried) {
		t.Fatalf("the help lists %q, and this test tries %q", sorted, tried)
	}
	for _, name := range listed {
		goTo(t, ctx, "#/", views[0].there)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#view").focus(); void 0`))
		trials[name](t, ctx)
		key(t, ctx, kb.Escape)
		key(t, ctx, kb.Escape) // the first may close a list of completions
		until(t, ctx, strings.TrimSpace(name)+": Esc goes back", `document.querySelector("dialog[open]") === null && document.querySelector("#drawer").hidden && !document.activeElement.matches("input")`)
	}
	testkit.NoConsoleErrors(t, ctx)
}
