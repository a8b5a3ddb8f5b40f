package bridge

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
)

// post sends a request to the API.
func (s *bridgeHarness) post(path, body string) (status int, answer map[string]any) {
	s.t.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.Admin().ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		s.t.Fatal(err)
	}
	return w.Code, answer
}

// Go iterates over maps in random order, which must not choose the error.
func TestOfSeveralErrorsTheSameOneIsAlwaysReported(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	for range 20 {
		s.tell(l, `{"op": "ping", "z": 1, "y": 2, "x": 3, "w": 4}`)
		if m := s.await(l, "error"); !strings.Contains(fmt.Sprint(m["message"]), `no field "w"`) {
			t.Fatalf("a request with unknown fields is answered with %v", m["message"])
		}
		if r, _ := parseConnect("/?snapshot=a&ordered=b&silent=c"); !strings.Contains(r.Err.Error(), "snapshot=") {
			t.Fatalf("a URL with wrong flags is answered with %v", r.Err)
		}
		if _, m := s.post("/api/command?b=1&a=2&c=3", `{}`); !strings.Contains(fmt.Sprint(m["error"]), `parameter "a"`) {
			t.Fatalf("unknown parameters are answered with %v", m["error"])
		}
		if _, m := s.post("/api/command", `{"z": 1, "y": 2, "x": 3}`); !strings.Contains(fmt.Sprint(m["error"]), `field "x"`) {
			t.Fatalf("unknown fields over HTTP are answered with %v", m["error"])
		}
	}
}
