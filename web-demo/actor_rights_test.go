package webdemo_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestCommandsThatAreDangerousOrNotGrantedSaySo(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	users := newAccounts()
	token := users.token("ana", "observer", time.Time{})
	authority := users.authority(t)
	o := startConfigured(t, func(cfg *bridge.Config) {
		cfg.Access = authority
		cfg.Site = &site.Config{Dangerous: []site.Dangerous{{Consumer: []string{"dome"}, Verb: []string{"open"}}}}
	})
	dome := startSimulated(t, o.url)
	dome.Broadcast("i", nil)
	do(t, ctx, chromedp.EmulateViewport(1400, 860), chromedp.Navigate("http://"+o.addr+"/#/actor/dome"), chromedp.WaitVisible(`#login`),
		chromedp.SendKeys("#login-token", token+"\r"), chromedp.WaitVisible(`#who[data-name="ana"]`))
	arm(t, ctx)
	command := func(name string) string {
		return `document.querySelector('.form-commands [data-command="` + name + `"]')`
	}
	why := `document.querySelector(".form-why").textContent`
	send := `document.querySelector(".form-send")`
	until(t, ctx, "a command that is not granted is marked, with the reason", command("close")+`?.matches("[data-denied]") && `+command("close")+`.querySelector(".mark").title.includes('you may not send "close" to dome')`)
	until(t, ctx, "a dangerous one is, too", command("open")+`.matches("[data-dangerous]") && `+command("open")+`.textContent.includes("dangerous")`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](command("close")+`.querySelector("button").click()`))
	until(t, ctx, "its form says why it cannot be sent", why+`.startsWith('You may not send "close" to dome') && `+send+`.disabled`)
	do(t, ctx, chromedp.SendKeys("#command-input", "dome close"))
	until(t, ctx, "and so does the command line", `document.querySelector("#command-send").disabled && document.querySelector("#command-why").textContent.startsWith('You may not send "close" to dome')`)

	do(t, ctx, chromedp.Evaluate[chromedp.Void](command("open")+`.querySelector("button").click()`), chromedp.Evaluate[chromedp.Void](send+`.click()`))
	until(t, ctx, "a dangerous command is asked about", `document.querySelector("#confirm").open`)
	screenshot(t, ctx, "actor-dangerous")
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#confirm-cancel").click()`))
	until(t, ctx, "and is not sent if one says no", why+`.startsWith("Not sent:")`)
	if len(dome.ran) > 0 {
		t.Fatal("the actor ran a command that was not confirmed")
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](send+`.click()`))
	until(t, ctx, "what was not sent is not sent by the next press", why+`.includes("send it again if it is still wanted")`)
	until(t, ctx, "a press that is not in haste is asked about again", `(document.querySelector("#confirm").open || `+send+`.click(), document.querySelector("#confirm").open)`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#confirm-send").click()`))
	if ran := nextRun(t, ctx, dome.ran); ran != "open" {
		t.Errorf("the actor ran %s", ran)
	}
	testkit.NoConsoleErrors(t, ctx)
}

// Keys alone: a form is found, filled in and sent, and its answer read.
func TestAFormIsFilledInAndSentByKeyboardAlone(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	dome := startSimulated(t, o.url)
	dome.Broadcast("i", nil)
	openActor(t, ctx, o.addr, "dome", sizes[0])
	do(t, ctx, chromedp.WaitReady(`.form-commands [data-command="open"]`), chromedp.Evaluate[chromedp.Void](`document.querySelector("#view").focus(); void 0`))
	tabTo := func(what, there string) {
		t.Helper()
		for range 60 {
			if evaluate[bool](t, ctx, `document.activeElement?.matches(`+"`"+there+"`"+`) ?? false`) {
				return
			}
			key(t, ctx, "\t")
		}
		t.Fatalf("%s is not reached by Tab; the focus is at %s", what, evaluate[string](t, ctx, `document.activeElement.outerHTML.slice(0, 200)`))
	}
	tabTo("the command", `[data-command="open"] > button`)
	key(t, ctx, "\r")
	until(t, ctx, "its form is open, and has the focus", `document.activeElement.matches(".form-line") && `+formLine+` === "open"`)
	key(t, ctx, "\r")
	if ran := nextRun(t, ctx, dome.ran); ran != "open" {
		t.Errorf("the actor ran %s", ran)
	}
	until(t, ctx, "it is done", `document.querySelector(".actor-sent .commands > li")?.dataset.state === "done"`)
	tabTo("the command's answers", ".actor-sent .summary")
	key(t, ctx, "\r")
	until(t, ctx, "the answers are open", `[...document.querySelectorAll(".actor-sent .answers .body")].at(-1).textContent === '{"dome_shutter":"open"}'`)
	testkit.NoConsoleErrors(t, ctx)
}
