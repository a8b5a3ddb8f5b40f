package catalog_test

import (
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/dialect/catalog"
	"github.com/clu-ws/clu-ws/internal/configfile"
)

func TestTheBackendsOfAConfigurationAreFound(t *testing.T) {
	t.Parallel()
	f := configfile.Parse("clu-ws.yaml", []byte(`
dialects:
  - path: /a
    socketshark:
      authentication: {ticket: {validation-url: "https://u:p@a.example/x"}}
      services:
        one: {authorizer: "http://b.example:81/", on-heartbeat: "https://a.example/y"}
        two: {on-message: "http://[::1]/"}
  - path: /b/
    high-templar: {api-url: "http://c.example/api/"}
  - path: /c/
    high-templar: {api-url: "http://c.example/api/", api-socket: /run/s}
  - path: /d
    reddit: {secrets: s}
  - path: /e
    reddit: {secrets: s, status-exchange: y}
  - path: /f
    reddit: {secrets: s, status-exchange: x}
  - path: /g
    reddit: {secrets: s, status-exchange: y}
`))
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	want := []string{"/run/s", "[::1]:80", "a.example:443", "b.example:81", "c.example:80"}
	if got := catalog.Backends(f.Dialects); !slices.Equal(got, want) {
		t.Errorf("they are %q, want %q", got, want)
	}
	if got := catalog.StatusExchanges(f.Dialects); !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("the exchanges that are told of clients are %q", got)
	}
}
