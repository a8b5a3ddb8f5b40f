package listen

import "testing"

// An address of TCP that can be read means the same if its network is written.
func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"127.0.0.1:80", ":0", "tcp:[::1]:9876", "unix:/run/clu-ws/web.sock", "unix:", "unix:@x", "tcp:tcp:80", "host:port", "proxy::1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAddress(text)
		if err != nil || a.Network != "tcp" {
			return
		}
		if again, err := ParseAddress("tcp:" + a.Name); err != nil || again != a {
			t.Errorf("%q is %+v, and with its network %+v, %v", text, a, again, err)
		}
	})
}
