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
	first := open(t, Address{Network: "tcp", Name: "127.0.0.1:0"}, share)
	same := Address{Network: "tcp", Name: first.Addr().String()}
	if _, err := net.Listen("tcp", same.Name); err == nil {
		t.Error("the port is shared without ReusePort")
	}
	open(t, same, share)
}

func TestTheModeAndGroupOfASocketAreInItsAddress(t *testing.T) {
	for in, want := range map[string]File{
		"unix:/x":                         {},
		"unix:/x?mode=0600":               {Mode: 0o600},
		"unix:/x?group=12":                {Group: "12", gid: 12},
		"unix:/x?group=root&mode=660":     {Mode: 0o660, Group: "root"},
		"unix:/x?mode=0660&group=%72oot":  {Mode: 0o660, Group: "root"},
		"unix:/x?mode=0660&group=1234567": {Mode: 0o660, Group: "1234567", gid: 1234567},
	} {
		a, err := ParseAddress(in)
		if err != nil || a.File != want || a.Name != "/x" {
			t.Errorf("%s is read as %+v, %v", in, a, err)
		}
		if again, err := ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("%s is written as %s, and that is read as %+v, %v", in, a, again, err)
		}
	}
	for in, words := range map[string]string{
		"unix:/x?modus=0660":              `a socket has no "modus"; write unix:/path?mode=0660&group=www-data`,
		"unix:/x?mode=0660,group=root":    `"0660,group=root" is not a mode`,
		"unix:/x?mode=rw":                 `"rw" is not a mode; write it in octal`,
		"unix:/x?mode=1777":               "is not a mode",
		"unix:/x?mode=0444":               "lets nobody connect",
		"unix:/x?mode=":                   "mode must have one value",
		"unix:/x?mode=0600&mode=0660":     "mode must have one value",
		"unix:/x?group=%":                 "write unix:/path?mode=0660&group=www-data",
		"unix:/x?group=no-such-group":     `no group "no-such-group" in /etc/group; create it with groupadd`,
		"unix:?mode=0660":                 "has no path",
		"unix:/x?group=99999999999999999": `no group "99999999999999999"`,
	} {
		if a, err := ParseAddress(in); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s is read as %+v, %v", in, a, err)
		}
	}
}
