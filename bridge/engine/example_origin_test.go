package engine_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"slices"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// console is a server for the pages of certain sites.
type console struct {
	echo
	sites []string
}

// Accept refuses the pages of other sites. Browsers always send an Origin, and no page can
// choose it; programs may leave it out. A server of an address that is not public compares
// it with a list like this one, not with Host: a page may have its own name lead there.
func (s *console) Accept(r *engine.Request) (engine.Accepted, error) {
	for _, origin := range r.Values("Origin") {
		if !slices.Contains(s.sites, origin) {
			return engine.Accepted{}, &engine.RejectError{Status: http.StatusForbidden, Kind: "foreign page",
				Reason: "pages of " + origin + " may not connect"}
		}
	}
	return engine.Accepted{}, nil
}

// A server that lets only pages of its own site connect.
func ExampleHandler_checkOrigin() {
	e, err := engine.New(engine.Config{Handler: &console{sites: []string{"https://console.example"}}})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Listen(ln); err != nil {
		log.Fatal(err)
	}

	for _, page := range []string{"https://console.example", "https://elsewhere.example"} {
		browser := ws.Dialer{Header: ws.HandshakeHeaderHTTP{"Origin": {page}}}
		conn, _, _, err := browser.Dial(context.Background(), "ws://"+ln.Addr().String())
		if err != nil {
			fmt.Println(page, "is refused:", err)
			continue
		}
		fmt.Println(page, "connects")
		conn.Close()
	}

	shutdown(e)
	// Output:
	// https://console.example connects
	// https://elsewhere.example is refused: unexpected HTTP response status: 403
}
