package listen

import (
	"net"
	"strings"
	"testing"
)

func TestAnAddressIsParsedAsItIsFormatted(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:9876":        "127.0.0.1:9876",
		"tcp:127.0.0.1:0":       "127.0.0.1:0",
		"tcp:[::1]:9876":        "[::1]:9876",
		":9876":                 ":9876",
		"unix:/run/clu-ws.sock": "unix:/run/clu-ws.sock",
		"unix:clu-ws.sock":      "unix:clu-ws.sock",
	} {
		if a, err := ParseAddress(in); err != nil || a.String() != want {
			t.Errorf("%q is read as %q, %v; want %q", in, a, err, want)
		}
	}
}

func TestAnInvalidAddressIsExplained(t *testing.T) {
	for in, words := range map[string]string{
		"":                                  "write host:port",
		"localhost":                         "write host:port",
		"/run/clu-ws.sock":                  "unix:/path",
		"http://localhost:80":               "write host:port",
		"localhost:http":                    "has no port",
		"localhost:65536":                   "has no port",
		"unix:":                             "has no path",
		"unix:@clu-ws":                      "without file permissions",
		"unix:/" + strings.Repeat("x", 110): "choose a shorter one",
	} {
		if a, err := ParseAddress(in); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q is read as %v, %v; want an error with %q", in, a, err, words)
		}
	}
}

func TestOnlyTCPBeyondLoopbackIsOpenToOthers(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:0": false, "0.0.0.0:0": true, "unix:" + t.TempDir() + "/socket": false} {
		a, err := ParseAddress(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := BeyondLoopback(open(t, a, Options{Mode: 0o600})); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
}

func TestAPortIsSharedOnlyIfAllAgree(t *testing.T) {
	share := Options{ReusePort: true}
	first := open(t, Address{"tcp", "127.0.0.1:0"}, share)
	same := Address{"tcp", first.Addr().String()}
	if _, err := net.Listen("tcp", same.Name); err == nil {
		t.Error("the port is shared without ReusePort")
	}
	open(t, same, share)
}
