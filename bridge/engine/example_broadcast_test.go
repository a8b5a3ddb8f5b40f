package engine_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// chatServer sends what one client says to all clients.
type chatServer struct {
	all *engine.Log // followed by every client
}

// Accept rejects browsers' pages, which always send Origin, and clients without a name.
// The name becomes the session, which comes back with every call for the connection.
func (s *chatServer) Accept(r *engine.Request) (engine.Accepted, error) {
	if r.Header("Origin") != "" {
		return engine.Accepted{}, &engine.RejectError{Status: http.StatusForbidden, Reason: "pages may not connect"}
	}
	u, err := r.URL()
	if err != nil || u.Query().Get("name") == "" {
		return engine.Accepted{}, &engine.RejectError{Status: http.StatusBadRequest, Reason: "give your name: /?name=..."}
	}
	return engine.Accepted{Log: s.all, Session: u.Query().Get("name")}, nil
}

func (s *chatServer) Open(c engine.Conn, name any) {
	c.Send(engine.Text("welcome, " + name.(string))) // to this client only
}

// Message appends to the log that all clients follow, including the sender. Append never
// waits: if the clients send more than the engine can distribute, it reads from them more
// slowly.
func (s *chatServer) Message(_ engine.Conn, name any, m engine.Message) {
	s.all.Append(engine.Text(fmt.Sprintf("%s: %s", name, m.Payload)))
}

func (s *chatServer) Closing(c engine.Conn, _ any) { c.Finish() }

func (s *chatServer) Closed(_ engine.Conn, name any, _ int, _ string) {
	s.all.Append(engine.Text(name.(string) + " left"))
}

// A server that sends what one client says to all clients, and the time, which comes from
// outside the handler.
func Example_broadcast() {
	s := &chatServer{}
	e, err := engine.New(engine.Config{Handler: s})
	if err != nil {
		log.Fatal(err)
	}
	s.all = e.NewLog() // before the first client can connect
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Listen(ln); err != nil {
		log.Fatal(err)
	}

	ada := dial(ln.Addr(), "/?name=ada", "")
	fmt.Println("ada gets:", ada.read())
	bob := dial(ln.Addr(), "/?name=bob", "")
	fmt.Println("bob gets:", bob.read())
	ada.write("is anybody here?")
	fmt.Println("ada gets:", ada.read())
	fmt.Println("bob gets:", bob.read())

	// A source that can be faster than the engine waits for it before each frame.
	for hour := 1; hour <= 2; hour++ {
		if err := e.AwaitCapacity(context.Background()); err != nil {
			log.Fatal(err)
		}
		s.all.Append(engine.Text(fmt.Sprintf("it is %d o'clock", hour)))
	}
	fmt.Println("bob gets:", bob.read())
	fmt.Println("bob gets:", bob.read())
	ada.close()
	fmt.Println("bob gets:", bob.read())
	bob.close()

	if err := e.Shutdown(context.Background(), "restarting"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ada gets: welcome, ada
	// bob gets: welcome, bob
	// ada gets: ada: is anybody here?
	// bob gets: ada: is anybody here?
	// bob gets: it is 1 o'clock
	// bob gets: it is 2 o'clock
	// bob gets: ada left
}
