package access

import "testing"

// What a loop does itself when a client connects must take microseconds.
func BenchmarkIdentify(b *testing.B) {
	token, hash := NewToken()
	tokens := newAuthority(b, Config{Anonymous: "viewer", Tokens: []TokenConfig{{Name: "a", Hash: hash, Role: "viewer"}}})
	signed := signedAuthority(b, secretsFile(b, "previous", testKey, "next"), 1700000000, nil)
	for _, c := range []struct {
		name string
		a    *Authority
		ap   *Approach
	}{
		{"token", tokens, approach("", "Authorization: Bearer "+token)},
		{"signed", signed, signedApproach("/live/t3_abc123", signedLive)},
		{"anonymous", tokens, approach("")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c.a.Identify(c.ap).Principal == nil {
					b.Fatal("it may not enter")
				}
			}
		})
	}
}

func BenchmarkDecide(b *testing.B) {
	p := &Principal{Role: "observer", Grants: parse(b, observer)}
	for name, r := range map[string]Request{
		"allowed": {Consumer: "lvm.sci.pwi", CommandString: "status now"},
		"refused": {Consumer: "mirror", CommandString: "shutdown"},
		"room":    {Door: EnterRoom, Room: "/live/x"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Decide(r)
			}
		})
	}
}
