package engine

import (
	"bufio"
	"bytes"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"
)

func TestKindsListsEveryKind(t *testing.T) {
	source, err := os.ReadFile("rejecterror.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\tKind\w+\s+= "(.*)"$`).FindAllStringSubmatch(string(source), -1)
	if len(declared) == 0 {
		t.Fatal("no kind is declared")
	}
	for _, d := range declared {
		if !slices.Contains(Kinds, d[1]) {
			t.Errorf("%q is not among them", d[1])
		}
	}
}

func TestARefusalSaysWhatTheClientMayDo(t *testing.T) {
	for _, c := range []struct {
		refusal RejectError
		want    http.Header
	}{
		{RejectError{Status: 401}, http.Header{"Www-Authenticate": {"Bearer"}}},
		{RejectError{Status: 401, Challenge: `Basic realm="clu-ws"`}, http.Header{"Www-Authenticate": {`Basic realm="clu-ws"`}}},
		{RejectError{Status: 401, Challenge: "Bearer\r\nSet-Cookie: a=b"}, http.Header{"Www-Authenticate": {"Bearer"}}},
		{RejectError{Status: 403, Challenge: "Bearer"}, http.Header{}},
		{RejectError{Status: 429, RetryAfter: time.Minute}, http.Header{"Retry-After": {"60"}}},
		{RejectError{Status: 503, RetryAfter: 1001 * time.Millisecond}, http.Header{"Retry-After": {"2"}}},
		{RejectError{Status: 503, RetryAfter: -time.Second}, http.Header{}},
		{RejectError{Status: 405}, http.Header{"Allow": {"GET"}}},
		{RejectError{Status: 426, RetryAfter: time.Second}, http.Header{"Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Retry-After": {"1"}}},
	} {
		got, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(c.refusal.response())), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d may be stored", c.refusal.Status)
		}
		for _, always := range []string{"Cache-Control", "Content-Type", "Content-Length", "Connection"} {
			got.Header.Del(always)
		}
		if !reflect.DeepEqual(got.Header, c.want) {
			t.Errorf("%+v: %v, want %v", c.refusal, got.Header, c.want)
		}
	}
}
