package engine

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// with returns the upgrade request with a text replaced.
func with(old, new string) string {
	if !strings.Contains(upgradeRequest, old) {
		panic("the upgrade request has no " + old)
	}
	return strings.Replace(upgradeRequest, old, new, 1)
}

// plus returns the upgrade request with more lines.
func plus(lines string) string { return with("Sec-WebSocket-Version", lines+"Sec-WebSocket-Version") }

func TestAmbiguousHeadsAreRejected(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.Error("net/http gets the request") })})
		frame := string(text("a command in the body"))
		for name, request := range map[string]string{
			"a body":                        plus("Content-Length: 7\r\n") + frame,
			"two lengths":                   plus("Content-Length: 0\r\nContent-Length: 0\r\n"),
			"a list of lengths":             plus("Content-Length: 0, 0\r\n"),
			"chunks":                        plus("Transfer-Encoding: chunked\r\n") + "1\r\nx\r\n0\r\n\r\n",
			"an encoding of another name":   plus("transfer-encoding: identity\r\n"),
			"two hosts":                     plus("Host: evil.example\r\n"),
			"two equal hosts":               plus("host: localhost\r\n"),
			"an empty host":                 with("Host: localhost", "Host: "),
			"a host that is a port":         with("Host: localhost", "Host: :9876"),
			"a host that is a dot":          with("Host: localhost", "Host: .:9876"),
			"a host with a path":            with("Host: localhost", "Host: localhost/x"),
			"a host with a user":            with("Host: localhost", "Host: a@localhost"),
			"two hosts in one":              with("Host: localhost", "Host: localhost, evil.example"),
			"no host":                       with("Host: localhost\r\n", ""),
			"a NUL in a value":              plus("Cookie: a\x00b\r\n"),
			"a bare CR in a value":          plus("Cookie: a\rContent-Length: 5\r\n"),
			"an escape in a value":          plus("Cookie: \x1b[31m\r\n"),
			"a DEL in a value":              plus("Cookie: a\x7f\r\n"),
			"a folded line":                 plus("Cookie: a\r\n b\r\n"),
			"a folded first line":           with("Host:", " Host:"),
			"a blank before the colon":      with("Host:", "Host :"),
			"a blank in a name":             plus("Content Length: 5\r\n"),
			"a control character in a name": plus("Cook\x0bie: a\r\n"),
			"no colon":                      plus("Content-Length\r\n"),
			"an empty name":                 plus(": a\r\n"),
			"a name that is not ASCII":      plus("Ho\u017ft: localhost\r\n"),
			"an absolute target":            with("GET / ", "GET http://evil.example/live/x "),
			"an authority":                  with("GET / ", "GET evil.example:80 "),
			"an asterisk":                   with("GET / ", "GET * "),
			"a fragment":                    with("GET / ", "GET /live/x#y "),
			"a tab in the target":           with("GET / ", "GET /live\tx "),
			"a NUL in the target":           with("GET / ", "GET /live\x00x "),
			"two blanks":                    with("GET / ", "GET  / "),
			"a fourth word":                 with("HTTP/1.1", "HTTP/1.1 x"),
			"an empty line first":           "\r\n" + upgradeRequest,
			"an invalid method":             with("GET ", "GE(T "),
			"a page by an absolute target":  "GET http://localhost/page HTTP/1.1\r\nHost: localhost\r\n\r\n",
			"a page with two hosts":         "GET /page HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
		} {
			c := s.dialTCP(t)
			c.send([]byte(request))
			resp := c.response()
			if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusBadRequest || len(body) < 20 {
				t.Errorf("%s: answered %s %q", name, resp.Status, body)
			}
		}
		if n := len(s.messages); n > 0 {
			t.Errorf("%d messages came of it", n)
		}
	})
}

func TestWhatRealClientsSendIsAccepted(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		for name, request := range map[string]string{
			"Connection on two lines, as Tcl sends it": with("Connection: Upgrade\r\n", "Connection: keep-alive\r\nConnection: Upgrade\r\n"),
			"Connection with keep-alive":               with("Connection: Upgrade", "Connection: keep-alive, Upgrade"),
			"other case":                               with("Upgrade: websocket\r\nConnection: Upgrade", "upgrade: WebSocket\r\nconnection: upgrade"),
			"Upgrade as a list":                        with("Upgrade: websocket", "Upgrade: h2c, websocket"),
			"a length of no body":                      plus("Content-Length: 0\r\n"),
			"a tab around a value":                     with("Host: localhost", "Host:\tlocalhost\t"),
			"UTF-8 in a value":                         plus("Cookie: name=\u00fcber\r\n"),
			"no blank after the colon":                 with("Host: localhost", "Host:localhost:80"),
			"an IPv6 host":                             with("Host: localhost", "Host: [::1]:9876"),
		} {
			c := s.dialTCP(t)
			c.send([]byte(request))
			if resp := c.response(); resp.StatusCode != http.StatusSwitchingProtocols {
				body, _ := io.ReadAll(resp.Body)
				t.Errorf("%s: answered %s %q", name, resp.Status, body)
			}
		}
	})
}

func TestAStrippedUpgradeIsAnsweredWithTheProxySettings(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.Error("it gets the page") })})
		for name, request := range map[string]string{
			"neither Upgrade nor Connection": with("Upgrade: websocket\r\nConnection: Upgrade\r\n", ""),
			"no Upgrade":                     with("Upgrade: websocket\r\n", ""),
			"no Connection":                  with("Connection: Upgrade\r\n", ""),
			"nginx without Connection":       with("Connection: Upgrade", "Connection: close"),
			"nginx with HTTP/1.0":            with("HTTP/1.1", "HTTP/1.0"),
			"the version alone":              "GET / HTTP/1.1\r\nHost: localhost\r\nSec-WebSocket-Version: 13\r\n\r\n",
		} {
			c := s.dialTCP(t)
			c.send([]byte(request))
			resp := c.response()
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != http.StatusUpgradeRequired || !strings.Contains(string(body), "proxy_set_header Upgrade $http_upgrade") {
				t.Errorf("%s: answered %s %q", name, resp.Status, body)
			}
			if resp.Header.Get("Upgrade") != "websocket" || resp.Header.Get("Sec-WebSocket-Version") != "13" {
				t.Errorf("%s: the response's header is %v", name, resp.Header)
			}
		}
	})
}

func TestAnHTTP10ClientMayRequestAPage(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })})
		for _, request := range []string{
			"OPTIONS /healthz HTTP/1.0\r\n\r\n", // as in HAProxy's health checks
			"POST /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
		} {
			c := s.dialTCP(t)
			c.send([]byte(request))
			if resp := c.response(); resp.StatusCode != http.StatusTeapot {
				t.Errorf("%q is answered %s", request, resp.Status)
			}
		}
	})
}

// A body that does not arrive would keep net/http waiting after its response, and soon
// block everybody's requests, including health checks.
func TestARequestWithABodyIsNotWaitedFor(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{
			HTTP:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.Error("net/http gets the request") }),
			Vital: func(*Request) bool { return true },
		})
		for _, field := range []string{"Content-Length: 4", "Content-Length: 0\r\nContent-Length: 0", "Transfer-Encoding: chunked", "Expect: 100-continue\r\nContent-Length: 4"} {
			c := s.dialTCP(t)
			c.send([]byte("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + field + "\r\n\r\n"))
			resp := c.response()
			if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%q is answered %s %q", field, resp.Status, body)
			}
		}
	})
}

func TestAClientThatSpeaksTLSToAPlainPortIsNotKeptWaiting(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		rejected := make(chan string, 1)
		s := start(Config{Limits: Limits{HeadTimeout: time.Hour}, Rejected: func(r *RejectError, _ netip.AddrPort) { rejected <- r.Reason }})
		c := s.dialTCP(t)
		c.send([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))
		if reason := testkit.Receive(t, rejected); !strings.Contains(reason, "ws://") {
			t.Errorf("it is rejected with %q", reason)
		}
	})
}

func TestLinesAreCheckedHoweverTheyAreSplit(t *testing.T) {
	for _, c := range []struct {
		data string
		bad  bool
	}{
		{"GET / HTTP/1.1\r\nHost: a\r\n", false}, {"\n", true}, {"a\r\n\n", true}, {"a\nb\r\n", true}, {"a\r", false},
	} {
		for cut := range len(c.data) {
			first := checkLines([]byte(c.data[:cut]), 0)
			if got := first != nil || checkLines([]byte(c.data), max(0, cut-1)) != nil; got != c.bad {
				t.Errorf("%q split at %d: rejected: %v", c.data, cut, got)
			}
		}
	}
}

func TestACloneOfARequestStaysValid(t *testing.T) {
	clones := make(chan *Request, 1)
	s := start(t, Config{}, func(s *server) {
		s.accept = func(r *Request) (Accepted, error) {
			clones <- r.Clone()
			return Accepted{Session: s}, nil
		}
	})
	s.dialTCP(t).send([]byte(strings.Replace(plus("Cookie: a\r\nCookie: b\r\n"), "GET / ", "GET /live?x=1 ", 1)))
	clone := testkit.Receive(t, clones)
	testkit.Receive(t, s.opened)
	for range 3 { // other requests use the loops' memory
		s.dialTCP(t).upgrade("/another/path")
		testkit.Receive(t, clones)
	}
	if got := clone.Target(); got != "/live?x=1" {
		t.Errorf("the target is %q", got)
	}
	if got := clone.Header("Cookie"); got != "a, b" || len(clone.Values("Host")) != 1 || clone.TLS() != nil {
		t.Errorf("the cookies are %q", got)
	}
}

func TestOnlyTheChosenSubprotocolIsNamed(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{}, func(s *server) {
			s.accept = func(r *Request) (Accepted, error) {
				accepted := Accepted{Session: s, Subprotocol: "clu-ws.v1"}
				if r.Target() == "/later" {
					return Accepted{Later: func(context.Context) Decision { return func() (Accepted, error) { return accepted, nil } }}, nil
				}
				return accepted, nil
			}
		})
		offers := plus("Sec-WebSocket-Protocol: bearer.secret, clu-ws.v1\r\nSec-WebSocket-Protocol: clu\r\n")
		for _, path := range []string{"/", "/later"} {
			c := s.dialTCP(t)
			c.send([]byte(strings.Replace(offers, "GET / ", "GET "+path+" ", 1)))
			if got := c.response().Header.Values("Sec-WebSocket-Protocol"); len(got) != 1 || got[0] != "clu-ws.v1" {
				t.Errorf("%s: the response names %q", path, got)
			}
		}
	})
}
