package webdemo_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// ticketOf gets a ticket of a login service for a user.
func ticketOf(t *testing.T, service, user string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, service+"/tickets", strings.NewReader(user))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Ticket string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Ticket == "" {
		t.Fatalf("the service answers %d: %v", response.StatusCode, err)
	}
	return answer.Ticket
}

func TestATicketOpensThePageOnce(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	service, _ := testkit.LoginFastAPI(t)
	users := newAccounts()
	users.Callback = &access.CallbackConfig{URL: service + "/ws-login", Style: "post"}
	o := startGuarded(t, users.authority(t))
	ticket := ticketOf(t, service, `{"name": "ada", "role": "observer"}`)

	do(t, ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate("http://"+o.addr+"/"), chromedp.WaitVisible(`#login`),
		chromedp.Click("#login-once"), chromedp.SendKeys("#login-token", ticket+"\r"), chromedp.WaitVisible(`#who[data-name="ada"]`))
	until(t, ctx, "ada may command", `document.querySelector("#link-state").dataset.state === "open" && !document.querySelector("#command-input").disabled`)

	do(t, ctx, chromedp.Reload(), chromedp.WaitVisible(`#login`),
		chromedp.Click("#login-once"), chromedp.SendKeys("#login-token", ticket+"\r"))
	until(t, ctx, "the service says that it was used", `document.querySelector("#login-reason").textContent.includes("This ticket was used")`)
	screenshot(t, ctx, "login-ticket")
}
