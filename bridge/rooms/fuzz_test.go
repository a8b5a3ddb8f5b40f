package rooms

import "testing"

// A source that can be read is complete, and stays the same if it is completed again.
func FuzzParseSource(f *testing.F) {
	for _, seed := range []string{"exchange=live", "exchange=live,type=fanout,path=/x", "exchange=a,binding=x.#,path=/", "exchange=", "type=topic", "exchange=a,exchange=b", "exchange=a,path=x", "exchange=a,path=//"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSource(text)
		if err != nil {
			return
		}
		again := s
		if err := again.Complete(); err != nil || again != s || s.Exchange == "" || s.Path == "" || s.Path[0] != '/' {
			t.Errorf("%q is read as %+v, and then as %+v, %v", text, s, again, err)
		}
	})
}
