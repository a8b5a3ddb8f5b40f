package webdemo_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestThePageAsksWhoOneIsAndKeepsTheTokenInItsTab(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	users := newAccounts()
	token := users.token("ana", "observer", time.Time{})
	o := startGuarded(t, users.authority(t))
	p := o.publisher(t)
	p.next() // of dome
	p.next() // of roof
	p.next() // of weather

	do(t, ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate("http://"+o.addr+"/"), chromedp.WaitVisible(`#login`))
	until(t, ctx, "the form says why", `document.querySelector("#login-reason").textContent.includes("asks for a login")`)
	until(t, ctx, "the form has the focus", `document.activeElement.id === "login-token"`)
	screenshot(t, ctx, "login")
	do(t, ctx, chromedp.SendKeys("#login-token", "nonsense\r"))
	until(t, ctx, "the form says what is wrong", `document.querySelector("#login-reason").textContent.includes("not valid")`)
	if stored := evaluate[string](t, ctx, `JSON.stringify(sessionStorage)`); strings.Contains(stored, "nonsense") {
		t.Errorf("a refused token is kept: %s", stored)
	}
	screenshot(t, ctx, "login-refused")

	do(t, ctx, chromedp.SendKeys("#login-token", token+"\r"), chromedp.WaitVisible(`#link-state[data-state="open"]`))
	for _, visit := range []string{"first", "reloaded"} {
		until(t, ctx, visit+": the page says who one is", `document.querySelector("#who").dataset.name === "ana" && document.querySelector("#login").hidden`)
		until(t, ctx, visit+": values arrive", `document.querySelector('[data-actor="dome"] [data-keyword="n"] .value') !== null`)
		do(t, ctx, chromedp.Reload(), chromedp.WaitVisible(`#link-state[data-state="open"]`))
	}
	if page := evaluate[string](t, ctx, `JSON.stringify([location.href, document.body.innerHTML, performance.getEntries().map(({name}) => name), localStorage, document.cookie])`); strings.Contains(page, token) {
		t.Error("the token is in the page or in a URL")
	}

	do(t, ctx, chromedp.Click("#who summary"), chromedp.WaitVisible("#who-logout"))
	screenshot(t, ctx, "login-who")
	do(t, ctx, chromedp.Click("#who-logout"), chromedp.WaitVisible("#login"))
	if stored := evaluate[string](t, ctx, `JSON.stringify(sessionStorage)`); strings.Contains(stored, token) {
		t.Error("the token is kept after a logout")
	}
}

// clearLine empties the command line.
var clearLine = chromedp.Evaluate[chromedp.Void](`document.querySelector("#command-input").value = ""; void 0`)

func TestThePageShowsWhatOneMayNotDoBeforeOneTries(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	users := newAccounts()
	users.Anonymous = "viewer"
	token := users.token("ana", "observer", time.Time{})
	o := startGuarded(t, users.authority(t))
	commands := o.commands(t)
	p := o.publisher(t)
	for range 3 {
		p.next()
	}

	openPage(t, ctx, o.addr)
	do(t, ctx, chromedp.WaitVisible(`#who[data-name=""]`))
	until(t, ctx, "a viewer cannot write commands", `document.querySelector("#command-input").disabled && document.querySelector("#command-send").disabled`)
	until(t, ctx, "the page says why", `document.querySelector("#command-why").textContent === "You are not logged in, and may only look."`)
	until(t, ctx, "every actor is marked", `document.querySelectorAll("[data-actor]").length === 2 && document.querySelectorAll("[data-actor][data-denied]").length === 2`)
	if evaluate[bool](t, ctx, `document.querySelector('[data-actor="weather"]') !== null`) {
		t.Error("a viewer sees what is hidden")
	}
	screenshot(t, ctx, "login-viewer")

	do(t, ctx, chromedp.Click("#who summary"), chromedp.WaitVisible("#who-login"), chromedp.Click("#who-login"), chromedp.WaitVisible("#login"),
		chromedp.SendKeys("#login-token", token+"\r"), chromedp.WaitVisible(`#who[data-name="ana"]`))
	until(t, ctx, "weather is marked", `document.querySelector('[data-actor="weather"][data-denied]') !== null && document.querySelector('[data-actor="dome"]:not([data-denied])') !== null`)
	for line, why := range map[string]string{
		"mirror open":    "You may not command mirror; you may command dome, roof.",
		"dome close":     `You may not send "close" to dome; you may send open, status.`,
		"dome shutdown":  `You may not send "shutdown" to dome.`,
		`dome "op"en`:    `"op"en" does not begin with a plain word`,
		"dome.x status ": "You may not command dome.x",
	} {
		do(t, ctx, clearLine, chromedp.SendKeys("#command-input", line))
		text := evaluate[string](t, ctx, `document.querySelector("#command-why").textContent`)
		if !strings.Contains(text, why) || !evaluate[bool](t, ctx, `document.querySelector("#command-send").disabled`) {
			t.Errorf("%s: the page says %q", line, text)
		}
		do(t, ctx, chromedp.SendKeys("#command-input", "\r"))
	}
	do(t, ctx, clearLine, chromedp.SendKeys("#command-input", "mirror open"))
	screenshot(t, ctx, "login-denied")
	arm(t, ctx)
	do(t, ctx, clearLine, chromedp.SendKeys("#command-input", "dome open now\r"))
	if body := nextCommand(t, ctx, commands); body != `{"command_string":"open now"}` {
		t.Errorf("%s was sent", body)
	}
	testkit.NoConsoleErrors(t, ctx)
}

// pageWithATokenThatExpires connects with the tokens of a list, one after the other, and records what happens.
const pageWithATokenThatExpires = `(async () => {
	const { Clu } = await import("/clu.js");
	const record = window.record = { events: [], expires: [] };
	const clu = new Clu(".", { token: () => TOKENS.shift() });
	clu.on("open", () => record.events.push("open"));
	clu.on("close", ({ code }) => record.events.push("close " + code));
	clu.on("expiring", () => record.events.push("expiring"));
	clu.on("access", ({ access }) => record.expires.push(access.expires?.getTime() ?? null));
	clu.on("unauthorized", ({ status }) => record.events.push("unauthorized " + status));
	clu.connect().catch(() => {});
})(); void 0`

// soon makes the first token of a bridge that is running expire.
func (o *observatory) soon(t *testing.T, users *accounts, after time.Duration) {
	t.Helper()
	o.reload(t, func(cfg *access.Config) {
		cfg.Tokens[0].Expires = time.Now().Add(after).UTC().Format(time.RFC3339Nano)
	}, users)
}

// openForeignPage opens a page whose origin is not listed, since a token makes that irrelevant. It connects with the tokens.
func (o *observatory) openForeignPage(t *testing.T, ctx context.Context, tokens string) {
	t.Helper()
	site := servePage(t, `<!doctype html><link rel=icon href=data:,><title>a page</title>`)
	script := strings.NewReplacer("TOKENS.shift()", tokens, `new Clu(".",`, `new Clu("ws://`+o.addr+`/",`).Replace(pageWithATokenThatExpires)
	do(t, ctx, chromedp.Navigate(site), chromedp.Evaluate[chromedp.Void](script))
	until(t, ctx, "the page is connected", `window.record?.expires.length === 1`)
}

func TestATokenIsRenewedOnTheOpenConnection(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	users := newAccounts()
	first := users.token("ana", "observer", time.Time{})
	second := users.token("ana", "observer", time.Now().Add(time.Hour))
	o := startGuarded(t, users.authority(t))
	o.openForeignPage(t, ctx, `(window.tokens ??= ["`+first+`","`+second+`"]).shift()`)
	o.soon(t, users, 12*time.Second) // it has half of it for the renewal
	until(t, ctx, "the token is renewed", `record.expires.length === 2 && record.expires[1] > Date.now() + 1_000_000`)
	if got := evaluate[string](t, ctx, `record.events.join()`); got != "open,expiring" {
		t.Errorf("until the renewal: %s", got)
	}
}

func TestAPageWhoseTokenHasExpiredStops(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	users := newAccounts()
	token := users.token("ana", "observer", time.Time{})
	o := startGuarded(t, users.authority(t))
	o.openForeignPage(t, ctx, `"`+token+`"`)
	o.soon(t, users, 2*time.Second)
	until(t, ctx, "the page stops", `record.events.some((event) => event.startsWith("unauthorized"))`)
	got := evaluate[string](t, ctx, `record.events.join()`)
	if want := `^open,(expiring,)?close 3000(,close 1006){2,5},unauthorized 401$`; !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("%s, want %s", got, want)
	}
}
