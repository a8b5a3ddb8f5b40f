package engine_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// echoServer sends every message back to its sender.
type echoServer struct {
	origin string // whose pages may connect
}

// Accept rejects pages of other sites. Browsers always send Origin, and no page can choose
// its value; other programs need not send one.
func (s echoServer) Accept(r *engine.Request) (engine.Accepted, error) {
	if o := r.Header("Origin"); o != "" && o != s.origin {
		return engine.Accepted{}, &engine.RejectError{Status: http.StatusForbidden, Reason: "pages of " + o + " may not connect"}
	}
	return engine.Accepted{}, nil
}

func (s echoServer) Open(engine.Conn, any) {}

// Message copies the payload into a frame, because it is valid only during the call.
func (s echoServer) Message(c engine.Conn, _ any, m engine.Message) {
	if m.Binary {
		c.Send(engine.Binary(m.Payload))
		return
	}
	c.Send(engine.Text(string(m.Payload)))
}

// Closing has nothing left to answer.
func (s echoServer) Closing(c engine.Conn, _ any) { c.Finish() }

func (s echoServer) Closed(engine.Conn, any, int, string) {}

// A server that sends every message back to its sender, and admits only pages of its own
// site.
func Example_echo() {
	e, err := engine.New(engine.Config{Handler: echoServer{origin: "https://console.example"}})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Listen(ln); err != nil { // returns at once
		log.Fatal(err)
	}

	page := dial(ln.Addr(), "/", "https://console.example")
	page.write("hello")
	fmt.Println(page.read())
	page.close()

	fmt.Println(dialError(ln.Addr(), "https://elsewhere.example"))

	// A real program waits for a signal here.
	if err := e.Shutdown(context.Background(), "restarting"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// hello
	// unexpected HTTP response status: 403
}
