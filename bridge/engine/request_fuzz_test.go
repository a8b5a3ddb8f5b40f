package engine

import (
	"bufio"
	"bytes"
	"net/http"
	"testing"
)

// FuzzReadHead compares with net/http: a head that it accepts, too, must mean the same.
func FuzzReadHead(f *testing.F) {
	for _, head := range []string{
		upgradeRequest, "GET /x?y HTTP/1.0\r\n\r\n", plus("Cookie:\ta\r\n"), plus("Host : b\r\n"), plus(" folded\r\n"), plus("A: b\rC: d\r\n"),
		with("GET / ", "GET //evil.example/x "), with("GET / ", "GET /\\x "), with("Host: localhost", "Host: [::1]:80"), plus("content-length: 5\r\n"),
	} {
		f.Add([]byte(head))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		end := headEnd(data, 0)
		ours := &Request{}
		if end == 0 || ours.read(data[:end]) != nil {
			return
		}
		head := data[:end]
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			return // net/http is stricter, and answers 400
		}
		if r.Method != string(ours.method) || r.RequestURI != ours.Target() {
			t.Fatalf("%q: %s %q for net/http, %s %q for us", head, r.Method, r.RequestURI, ours.method, ours.target)
		}
		if hosts := ours.Values("Host"); len(hosts) > 1 || len(hosts) == 1 && r.Host != hosts[0] {
			t.Fatalf("%q: the Host is %q for net/http, %q for us", head, r.Host, hosts)
		}
		for _, name := range []string{"Origin", "Upgrade", "X-Forwarded-For", "Sec-Websocket-Key"} {
			ours, theirs := ours.Values(name), r.Header.Values(name)
			if len(ours) != len(theirs) {
				t.Fatalf("%q: %s is %q for net/http, %q for us", head, name, theirs, ours)
			}
			for i := range ours {
				if ours[i] != theirs[i] {
					t.Fatalf("%q: %s is %q for net/http, %q for us", head, name, theirs, ours)
				}
			}
		}
	})
}
