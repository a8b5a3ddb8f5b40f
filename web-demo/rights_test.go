package webdemo_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// reload replaces the configuration of who may do what.
func (o *observatory) reload(t *testing.T, change func(*access.Config), users *accounts) {
	t.Helper()
	cfg := users.Config
	cfg.Tokens = slices.Clone(cfg.Tokens)
	change(&cfg)
	if err := o.bridge.Reload(bridge.Reload{Access: &cfg}); err != nil {
		t.Fatal(err)
	}
}

func TestThePageFollowsRightsThatChange(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	users := newAccounts()
	token := users.token("ana", "observer", time.Time{})
	o := startGuarded(t, users.authority(t))
	p := o.publisher(t)
	for range 3 {
		p.next()
	}
	do(t, ctx, chromedp.EmulateViewport(390, 844), chromedp.Navigate("http://"+o.addr+"/"), chromedp.WaitVisible(`#login`))
	screenshot(t, ctx, "login-phone")
	do(t, ctx, chromedp.SendKeys("#login-token", token+"\r"), chromedp.WaitVisible(`#who[data-name="ana"]`), chromedp.EmulateViewport(1440, 900))
	until(t, ctx, "ana may command", `!document.querySelector("#command-input").disabled`)

	o.reload(t, func(cfg *access.Config) { cfg.Tokens[0].Role = "viewer" }, users)
	until(t, ctx, "the page greys out commands", `document.querySelector("#command-input").disabled`)
	until(t, ctx, "what ana hears no longer is marked, and dimmed", `document.querySelectorAll("[data-unheard]").length === 1 && document.querySelector('[data-actor="weather"][data-unheard] .seen')?.textContent.startsWith("not heard")`)
	screenshot(t, ctx, "login-unheard")
	until(t, ctx, "it says what has changed", `document.querySelector("#notice").textContent.includes("What you may do has changed: command")`)

	o.reload(t, func(cfg *access.Config) { cfg.Tokens[0].Role = "observer" }, users)
	until(t, ctx, "ana may command again", `!document.querySelector("#command-input").disabled`)
	until(t, ctx, "ana hears everything again", `document.querySelector("[data-unheard]") === null && !document.querySelector('[data-actor="weather"] .seen').textContent.startsWith("not heard")`)
	until(t, ctx, "the connection stayed", `document.querySelector("#link-state").dataset.state === "open"`)

	o.reload(t, func(cfg *access.Config) { cfg.Revoked = []access.Revocation{{Name: "ana"}} }, users)
	do(t, ctx, chromedp.WaitVisible("#login"))
	until(t, ctx, "the form says why", `document.querySelector("#login-reason").textContent.includes("revoked")`)
	if stored := evaluate[string](t, ctx, `JSON.stringify(sessionStorage)`); strings.Contains(stored, token) {
		t.Error("a revoked token is kept")
	}
	screenshot(t, ctx, "login-revoked")
	testkit.NoConsoleErrors(t, ctx)
}

func TestNothingOfOneUserStaysInThePageForAnother(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	users := newAccounts()
	ana, bob := users.token("ana", "observer", time.Time{}), users.token("bob", "viewer", time.Time{})
	o := startGuarded(t, users.authority(t))
	p := o.publisher(t)
	for range 3 {
		p.next()
	}
	do(t, ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate("http://"+o.addr+"/"), chromedp.WaitVisible(`#login`),
		chromedp.SendKeys("#login-token", ana+"\r"), chromedp.WaitVisible(`[data-actor="weather"]`))
	o.reload(t, func(cfg *access.Config) { cfg.Revoked = []access.Revocation{{Name: "ana"}} }, users)
	do(t, ctx, chromedp.WaitVisible(`#login`), chromedp.Click("#login-once"), chromedp.SendKeys("#login-token", bob+"\r"),
		chromedp.WaitVisible(`#who[data-name="bob"]`), chromedp.WaitVisible(`[data-actor="dome"]`))
	if evaluate[bool](t, ctx, `document.querySelector('[data-actor="weather"]') !== null`) {
		t.Error("bob sees what is hidden from him")
	}
	if stored := evaluate[string](t, ctx, `JSON.stringify(sessionStorage)`); strings.Contains(stored, bob) || strings.Contains(stored, ana) {
		t.Error("a ticket is kept")
	}
}

func TestALoginThatEndsIsRenewedInTheForm(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	users := newAccounts()
	first := users.token("ana", "observer", time.Now().Add(9*time.Minute))
	second := users.token("ana", "observer", time.Now().Add(time.Hour))
	o := startGuarded(t, users.authority(t))
	do(t, ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate("http://"+o.addr+"/"), chromedp.WaitVisible(`#login`),
		chromedp.SendKeys("#login-token", first+"\r"), chromedp.WaitVisible(`#who-left`),
		chromedp.Click("#who summary"), chromedp.WaitVisible("#who-login"))
	screenshot(t, ctx, "login-ends")
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.sameDocument = true; void 0`),
		chromedp.Click("#who-login"), chromedp.WaitVisible("#login"), chromedp.SendKeys("#login-token", second+"\r"))
	until(t, ctx, "the login lasts", `document.querySelector("#who-left").hidden && document.querySelector("#login").hidden`)
	if !evaluate[bool](t, ctx, `window.sameDocument === true && document.querySelector("#link-state").dataset.state === "open"`) {
		t.Error("the page did not stay connected")
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestWhoLogsInAgainGoesOnAndAnotherUserBeginsAnew(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	users := newAccounts()
	first := users.token("ana", "observer", time.Time{})
	second, bob := users.token("ana", "observer", time.Time{}), users.token("bob", "observer", time.Time{})
	o := startGuarded(t, users.authority(t))
	armed := `document.querySelector("#arm").textContent === "armed"`
	draft := `document.querySelector("#command-input").value`
	logIn := func(token string) {
		do(t, ctx, chromedp.WaitVisible("#login"), chromedp.SendKeys("#login-token", token+"\r"))
	}
	do(t, ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate("http://"+o.addr+"/"))
	logIn(first)
	do(t, ctx, chromedp.WaitVisible(`#who[data-name="ana"]`), typeLine("dome open soon"))
	arm(t, ctx)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.sameDocument = true; void 0`))
	o.soon(t, users, 2*time.Second)
	until(t, ctx, "the login has ended", `document.querySelector("#link-state").dataset.state !== "open" && !document.querySelector("#login").hidden`)
	logIn("nonsense")
	until(t, ctx, "a token that is none is refused", `document.querySelector("#login-reason").textContent.includes("not valid")`)
	logIn(second)
	until(t, ctx, "ana goes on", `document.querySelector("#link-state").dataset.state === "open" && document.querySelector("#who").dataset.name === "ana" && document.querySelector("#login").hidden`)
	if !evaluate[bool](t, ctx, `window.sameDocument === true && `+armed+` && `+draft+` === "dome open soon"`) {
		t.Errorf("what ana wrote is lost: %s", evaluate[string](t, ctx, draft))
	}
	o.reload(t, func(cfg *access.Config) { cfg.Revoked = []access.Revocation{{Name: "ana"}} }, users)
	until(t, ctx, "ana may not go on", `!document.querySelector("#login").hidden`)
	logIn(bob)
	do(t, ctx, chromedp.WaitVisible(`#who[data-name="bob"]`))
	if evaluate[bool](t, ctx, `window.sameDocument === true || `+armed+` || `+draft+` !== ""`) {
		t.Error("the tab is armed for bob, or has what ana wrote")
	}
}

func TestNoCalmIsClaimedAboutWhatOneMayNotHear(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	users := newAccounts()
	users.Anonymous = "viewer" // from whom the weather is hidden
	o := startGuarded(t, users.authority(t))
	p := o.publisher(t)
	p.text("weather", "!", "a storm")
	openPage(t, ctx, o.addr)
	words := `document.querySelector("#worst .words").textContent`
	until(t, ctx, "the bar says whose problems these are", words+` === "no problems that you may hear of"`)
	do(t, ctx, chromedp.Click("#worst"), chromedp.WaitVisible("#drawer"))
	until(t, ctx, "and so does the drawer", `document.querySelector("#drawer .nothing").textContent === "There may be problems of which you may not hear. Nobody has reported a problem."`)
	goTo(t, ctx, "#/actor/weather", `document.querySelector(".liveness")?.textContent === "you may not hear weather"`)
	screenshot(t, ctx, "rights-calm")

	o.reload(t, func(cfg *access.Config) {
		cfg.Roles = maps.Clone(cfg.Roles)
		cfg.Roles["viewer"] = json.RawMessage(`{"command": [{}]}`)
	}, users)
	until(t, ctx, "who hears nothing knows of no calm", words+` === "problems are not known" && document.querySelector("#worst").dataset.level === "unknown"`)
	until(t, ctx, "the drawer says so, too", `document.querySelector("#drawer .nothing").textContent.startsWith("You may not hear what actors say")`)
	testkit.NoConsoleErrors(t, ctx)
}
