package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/bridge/rooms"
)

func TestEveryDoorAsksWhetherAClientMayDoIt(t *testing.T) {
	s := newHarness(t, rooms.Source{Exchange: "live"})
	var asked []string
	s.allow = func(c *client, a action) error {
		switch {
		case a.command != nil:
			asked = append(asked, "command to "+a.command.Consumer)
		case a.publish != nil:
			asked = append(asked, "publish to "+a.publish.path)
		case a.listClients:
			asked = append(asked, "list clients")
		}
		if c.Remote() == "" {
			t.Error("the client has no address")
		}
		return errors.New("not you")
	}
	l := s.connect()
	forbidden := func(op string, m map[string]any) {
		t.Helper()
		if m["code"] != "forbidden" || m["message"] != "not you" {
			t.Errorf("%s is answered with %v", op, m)
		}
	}
	for _, request := range []string{
		`{"consumer": "a", "command_string": "open"}`,
		`{"op": "command", "consumer": "b", "command_string": "open"}`,
		`{"op": "clients"}`,
	} {
		s.tell(l, request)
		forbidden(request, s.await(l, "error"))
	}
	plain, err := s.dialPlain("/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { plain.Close() })
	if err := wsutil.WriteClientText(plain, []byte(`{"consumer": "c", "command_string": "open"}`)); err != nil {
		t.Fatal(err)
	}
	if text, err := wsutil.ReadServerText(plain); err != nil || !strings.Contains(string(text), "not you") {
		t.Errorf("the plain client is told %q (%v)", text, err)
	}
	for path, body := range map[string]string{
		"/api/command": `{"consumer": "d", "command_string": "open"}`,
		"/api/publish": `{"path": "/live/x", "text": "e"}`,
	} {
		status, m := s.post(path, body)
		forbidden(path, map[string]any{"code": m["code"], "message": m["error"]})
		if status != 403 {
			t.Errorf("%s has the status %d", path, status)
		}
	}
	const want = "command to a,command to b,list clients,command to c"
	if got := strings.Join(asked[:4], ","); got != want || len(asked) != 6 {
		t.Errorf("it was asked for %q", asked)
	}
}

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
