package access

import "testing"

func TestACredentialThatNoBrowserAddsIsABearers(t *testing.T) {
	for _, c := range []struct {
		query, field string
		want         bool
	}{
		{"", "Authorization: Bearer x", true}, {"", "Authorization:  bearer x", true},
		{"", "Authorization: Basic eDp5", false}, {"", "Authorization: Digest x", false},
		{"", "Sec-WebSocket-Protocol: clu, bearer.x", true}, {"", "Sec-WebSocket-Protocol: clu, Bearer.x", true},
		{"", "Sec-WebSocket-Protocol: clu, bearer", false}, {"", "Cookie: token=x", false},
		{"m=x", "", true}, {"a=1&ticket=x", "", true}, {"%74oken=x", "", true}, {"tokens=x", "", false},
	} {
		ap := approach(c.query)
		if c.field != "" {
			ap = approach(c.query, c.field)
		}
		if got := ap.ShowsBearer(); got != c.want {
			t.Errorf("%q %q: %v", c.query, c.field, got)
		}
	}
}
