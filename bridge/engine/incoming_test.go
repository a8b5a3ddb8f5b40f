package engine

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// listenWith adds a port to a server.
func (s *server) listenWith(t *testing.T, options ListenOptions) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	options.TLS = s.tls
	if err := s.ListenWith(ln, options); err != nil {
		t.Fatal(err)
	}
}

const (
	line4   = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"
	binary4 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb"
	local   = "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
)

func TestAProxyHeaderNamesTheClient(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		from := make(chan netip.AddrPort, 10)
		s := start(Config{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })}, func(s *server) {
			s.accept = func(r *Request) (Accepted, error) {
				from <- r.RemoteAddr()
				return Accepted{Log: s.log}, nil
			}
		})
		s.listenWith(t, ListenOptions{Proxy: true})
		client := netip.MustParseAddrPort("192.0.2.1:56324")
		for _, header := range []string{line4, binary4} {
			c := s.dialRaw(t)
			for _, b := range split([]byte(header)) {
				c.send(b)
			}
			c.startTLS(s)
			for _, b := range split([]byte(upgradeRequest)) {
				c.send(b)
			}
			c.send(text("hello"))
			if resp := c.response(); resp.StatusCode != 101 {
				t.Fatalf("%q: answered %s", header, resp.Status)
			}
			if got := testkit.Receive(t, from); got != client {
				t.Errorf("%q: the client is %v", header, got)
			}
			if got := testkit.Receive(t, s.messages); got != "hello" {
				t.Errorf("%q: the response is %q", header, got)
			}
			c = s.dialRaw(t)
			c.send([]byte(header))
			c.startTLS(s)
			c.send([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
			if body, _ := io.ReadAll(c.response().Body); string(body) != client.String() {
				t.Errorf("%q: net/http sees %q", header, body)
			}
		}
		c := s.dialRaw(t)
		c.send([]byte(local))
		c.startTLS(s)
		c.send([]byte(upgradeRequest))
		if c.response(); testkit.Receive(t, from).String() != c.LocalAddr().String() {
			t.Error("a LOCAL proxy has another address")
		}
	})
}

func TestAnUnexpectedOrMissingProxyHeaderIsRejected(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		rejected := make(chan string, 10)
		s := start(Config{ProxyAdvice: "see --proxy-protocol", Rejected: func(r *RejectError, _ netip.AddrPort) { rejected <- r.Kind }})
		dial := s.dialTCP
		expectRejected := func(request, words string) {
			t.Helper()
			c := dial(t)
			c.send([]byte(request))
			resp := c.response()
			if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 400 || !strings.Contains(string(body), words) {
				t.Errorf("%.20q is answered %s %q", request, resp.Status, body)
			}
			if kind := testkit.Receive(t, rejected); kind != KindProxyHeader {
				t.Errorf("it is reported as %q", kind)
			}
		}
		expectRejected(line4+upgradeRequest, "see --proxy-protocol")
		expectRejected(binary4+upgradeRequest, "see --proxy-protocol")
		s.listenWith(t, ListenOptions{Proxy: true})
		dial = s.dialRaw // the header comes before TLS
		expectRejected(upgradeRequest, "does not begin with a PROXY protocol header")
		expectRejected("PROXY TCP4 a b c d\r\n"+upgradeRequest, "malformed")
	})
}

func TestPlainDataOnATLSPortIsReportedByKind(t *testing.T) {
	rejected := make(chan *RejectError, 1)
	s := start(t, Config{ProxyAdvice: "see --proxy-protocol", Rejected: func(r *RejectError, _ netip.AddrPort) { rejected <- r }}, overTLS)
	for sent, want := range map[string]RejectError{
		upgradeRequest: {Kind: KindNoTLS, Reason: "https:// or wss://"}, line4: {Kind: KindProxyHeader, Reason: "see --proxy-protocol"}, binary4: {Kind: KindProxyHeader, Reason: "see --proxy-protocol"},
	} {
		c := s.dialRaw(t)
		c.send([]byte(sent))
		if body, _ := io.ReadAll(c.response().Body); !strings.Contains(string(body), want.Reason) {
			t.Errorf("%.12q is answered %q", sent, body)
		}
		if got := testkit.Receive(t, rejected); got.Kind != want.Kind || !strings.Contains(got.Reason, want.Reason) {
			t.Errorf("%.12q is reported as %s: %s", sent, got.Kind, got.Reason)
		}
	}
}

func TestRequestsHaveTheirListenersTag(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		tags := make(chan any, 10)
		page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tags <- TagFromContext(r.Context()) })
		s := start(Config{HTTP: page}, func(s *server) {
			s.accept = func(r *Request) (Accepted, error) {
				tags <- r.Tag()
				return Accepted{}, nil
			}
		})
		for _, tag := range []string{"one", "two"} {
			s.listenWith(t, ListenOptions{Tag: tag})
			c := s.dialTCP(t)
			c.upgrade("/")
			if got := testkit.Receive(t, tags); got != tag {
				t.Errorf("an upgrade comes by %v, want %v", got, tag)
			}
			c = s.dialTCP(t)
			c.send([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
			c.response()
			if got := testkit.Receive(t, tags); got != tag {
				t.Errorf("a page is asked for by %v, want %v", got, tag)
			}
		}
		if TagFromContext(context.Background()) != nil {
			t.Error("there is a tag where there is no listener")
		}
	})
}

func TestRejectionsAreReportedByKind(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		rejected := make(chan string, 10)
		s := start(Config{Limits: Limits{MaxConnections: 1}, Rejected: func(r *RejectError, client netip.AddrPort) {
			if !client.Addr().IsLoopback() {
				t.Errorf("the client is %v", client)
			}
			rejected <- r.Kind
		}}, func(s *server) {
			s.accept = func(r *Request) (Accepted, error) {
				if r.Target() == "/no" {
					return Accepted{}, &RejectError{Status: 403, Reason: "you may not"}
				}
				return Accepted{}, nil
			}
		})
		for _, c := range []struct{ request, kind string }{
			{with("GET / ", "GET /no "), "Forbidden"},
			{"GET /" + strings.Repeat("x", 9000), KindLongHead},
			{plus("Content-Length: 1\r\n"), KindMalformed},
			{with("Upgrade: websocket\r\n", ""), KindNoUpgrade},
			{upgradeRequest, ""},
			{upgradeRequest, KindFull},
		} {
			conn := s.dialTCP(t)
			conn.send([]byte(c.request))
			conn.response()
			if c.kind == "" {
				continue
			}
			if got := testkit.Receive(t, rejected); got != c.kind {
				t.Errorf("%.20q is reported as %q, want %q", c.request, got, c.kind)
			}
		}
		if n := s.Stats().Rejected; n != 1 {
			t.Errorf("%d are counted as too many", n)
		}
	})
}
