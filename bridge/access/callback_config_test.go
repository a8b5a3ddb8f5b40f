package access

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAMistakeInTheConfigurationOfTheCallbackIsNamed(t *testing.T) {
	for want, cfg := range map[string]CallbackConfig{
		"":                                       {Secret: "planted"},
		"callback.url: must be a URL":            {URL: "ftp://app/planted"},
		"callback.url: must not have":            {URL: "https://app/#planted"},
		`callback.style: "get" is`:               {Style: "get"},
		"callback.headers: are for":              {Headers: []string{"Cookie"}},
		"callback.headers: Connection is about":  {Style: "proxy", Headers: []string{"connection"}},
		"callback.headers: Sec-Websocket-Key is": {Style: "proxy", Headers: []string{"Sec-WebSocket-Key"}},
		`callback.headers: "a b" is not`:         {Style: "proxy", Headers: []string{"a b"}},
		`callback.headers: "cookie:" is not`:     {Style: "proxy", Headers: []string{"cookie:"}},
		"callback.headers: has cookie and":       {Style: "proxy", Headers: []string{"cookie", "cookie:session"}},
		"callback.secret: no such file":          {Secret: "file:gone"},
		"callback.secret: has a character":       {Secret: "planted\nsecret"},
		"callback.secret: goes into":             {Style: "proxy", Secret: "planted"},
		`callback.ask: "publish" is not one of`:  {Ask: []string{"publish"}},
		`callback.events: "connect" is not one`:  {Events: []string{"connect"}},
		`callback.role: there is no role "king"`: {Role: "king"},
		"callback.timeout: must not be negative": {Timeout: -time.Second},
		"callback.grace: must not be negative":   {Grace: -time.Second},
		"callback.in-flight: must be 1":          {InFlight: -1},
	} {
		if cfg.URL == "" {
			cfg.URL = "https://app.example/login"
		}
		o := testOptions(&testClock{}, nil)
		o.Secret = func(string) ([]byte, error) { return nil, errors.New("no such file") }
		_, err := newCallback(&cfg, parsedRoles(t), o)
		var at *PathError
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.HasPrefix(err.Error(), want) || !errors.As(err, &at)):
			t.Errorf("%q: %v", want, err)
		case err != nil && strings.Contains(err.Error(), "planted"):
			t.Errorf("a secret is in %v", err)
		}
	}
}

func TestRequestsThatOthersCanReadAreWarnedOf(t *testing.T) {
	for url, want := range map[string]bool{
		"https://app.example/": false, "http://app.example/": true, "http://127.0.0.1:8000/": false, "http://[::1]/": false, "http://localhost/": false, "http://10.0.0.1/": true,
	} {
		u, err := checkURL(url)
		if err != nil || overPlainNetwork(u) != want {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func FuzzAnswersNeverPanic(f *testing.F) {
	for _, text := range []string{
		`{"status":"ok","name":"ada","role":"observer","expires_in":1e300,"renew_in":0.1,"data":null}`, `{"allowed_rooms":[{"a":1,"b":"*"},"/x/**",{"a":{}}]}`,
		`{"status":"ok","grants":{"hear":[{}],"rooms":["/users/${name}"]},"name":"*"}`, `{"status":"error","error":"` + strings.Repeat("é", 200) + `"}`, `[]`, `{"status":"ok","status":"no"}`,
	} {
		f.Add([]byte(text))
	}
	c, err := newCallback(&CallbackConfig{URL: "https://app.example/", Style: "proxy"}, map[string]*Grants{}, testOptions(&testClock{}, nil))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, wrong := c.classify(question{method: "GET"}, 200, nil, body)
		if r.outcome != yes {
			return
		}
		if wrong != nil || r.answer.status != "ok" && r.answer.status != "" {
			t.Fatalf("yes, although: %v, %q", wrong, r.answer.status)
		}
		p, refusal := c.principal(r.answer, &renewal{})
		if (p == nil) == (refusal == nil) {
			t.Fatalf("%+v, %+v", p, refusal)
		}
		if p != nil && (p.Grants == nil || !p.Expires.IsZero() && !p.Expires.After(testNow)) {
			t.Fatalf("%+v", p)
		}
	})
}
