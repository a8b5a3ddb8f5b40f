package bridge_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Escaped, a client's text may be many times as long in an error, so only its beginning is
// shown.
func TestNoErrorIsLongerThanWhatWasSent(t *testing.T) {
	b := linked(t, embeddedBroker(t), withSources("exchange=live"))
	long := strings.Repeat(`\u0001`, 20_000)
	c, _ := dialV1(t, b.addr, "/")
	for _, message := range []string{
		`{"op": "` + long + `"}`,
		`{"op": "ping", "` + long + `": 1}`,
		`{"op": "subscribe", "since": {"` + long + `": 1}}`,
		`{"op": "subscribe", "filter": {"` + long + `": 1}}`,
		`{"op": "subscribe", "filter": {"sender": "` + long + `"}}`,
		`{"op": "subscribe", "rooms": ["` + long + `"]}`,
		`{"op": "subscribe", "rooms": ["/` + long + `"]}`,
		`{"op": "unsubscribe", "id": "` + long + `"}`,
		`{"op": "command", "consumer": "` + long + `", "command_string": "x"}`,
		`{"consumer": "dome", "command_string": "x", "command_id": "` + long + `"}`,
	} {
		c.say(message)
		if answer := c.text(); len(answer) > 1000 {
			t.Errorf("%.60s is answered with %d bytes: %.200s", message, len(answer), answer)
		}
	}
	text := url.QueryEscape(strings.Repeat("\x01", 20_000))
	for _, request := range []struct{ path, body string }{
		{"/api/publish", `{"` + long + `": 1}`},
		{"/api/publish", `{"path": "` + long + `", "body": 1}`},
		{"/api/publish", `{"path": "/live/x", "exchange": "` + long + `", "body": 1}`},
		{"/api/command?" + text + "=1", `{}`},
		{"/api/command?wait=" + text, `{}`},
		{"/api/command?wait=1&timeout_ms=" + text, `{}`},
		{"/api/command?" + strings.Repeat("%25", 20_000) + "%zz", `{}`},
	} {
		r := httptest.NewRequest(http.MethodPost, request.path, strings.NewReader(request.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		b.Admin().ServeHTTP(w, r)
		if answer := w.Body.String(); w.Code < 400 || len(answer) > 1000 {
			t.Errorf("%.40s is answered %d with %d bytes: %.200s", request.path, w.Code, len(answer), answer)
		}
	}
}
