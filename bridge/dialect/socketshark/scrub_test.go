package socketshark

import "testing"

func TestNoSecretOfAURLIsLogged(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://u:p@h.example:1/a/b?key=secret#x": "https://h.example:1/a/b",
		"http://h.example/?a=b@c":                  "http://h.example/",
		"http://h.example":                         "http://h.example/",
	} {
		if got := scrub(url); got != want {
			t.Errorf("%s is logged as %s, want %s", url, got, want)
		}
	}
}
