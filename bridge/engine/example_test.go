package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// echo answers every message with the same.
type echo struct{}

func (echo) Accept(*engine.Request) (engine.Accepted, error) { return engine.Accepted{}, nil }
func (echo) Open(engine.Conn, any)                           {}

func (echo) Message(c engine.Conn, _ any, m engine.Message) {
	if m.Binary {
		c.Send(engine.Binary(m.Payload))
		return
	}
	c.Send(engine.Text(string(m.Payload)))
}

func (echo) Closing(c engine.Conn, _ any)         { c.Finish() } // all is answered
func (echo) Closed(engine.Conn, any, int, string) {}

// A server that answers each message with the same message.
func Example_echo() {
	e, err := engine.New(engine.Config{Handler: echo{}})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Listen(ln); err != nil { // it returns at once
		log.Fatal(err)
	}

	c := dial(ln.Addr())
	c.write("hello")
	fmt.Println(c.read())

	shutdown(e)
	// Output: hello
}

// chat says what one client says to all of them.
type chat struct {
	// all is what every client follows.
	all *engine.Log
}

// Accept takes whoever names a nick.
func (s *chat) Accept(r *engine.Request) (engine.Accepted, error) {
	u, err := r.URL()
	if err != nil {
		return engine.Accepted{}, err
	}
	nick := u.Query().Get("nick")
	if nick == "" {
		return engine.Accepted{}, &engine.RejectError{Status: http.StatusBadRequest, Reason: "say who you are: /?nick=..."}
	}
	return engine.Accepted{Log: s.all, Session: nick}, nil
}

func (s *chat) Open(c engine.Conn, nick any) { c.Send(engine.Text("welcome, " + nick.(string))) }

// Message appends to the log that all clients follow, its own sender among them. Append
// does not wait: if the clients together say more than the engine can bring to all of
// them, it reads from them more slowly.
func (s *chat) Message(_ engine.Conn, nick any, m engine.Message) {
	s.all.Append(engine.Text(fmt.Sprintf("%s: %s", nick, m.Payload)))
}

func (s *chat) Closing(c engine.Conn, _ any) { c.Finish() }

func (s *chat) Closed(_ engine.Conn, nick any, _ int, _ string) {
	s.all.Append(engine.Text(nick.(string) + " left"))
}

// A server that brings what one client says to all clients, and the time, which is a
// source beside the handler.
func Example_broadcast() {
	s := &chat{}
	e, err := engine.New(engine.Config{Handler: s})
	if err != nil {
		log.Fatal(err)
	}
	s.all = e.NewLog() // before anybody can connect
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := e.Listen(ln); err != nil {
		log.Fatal(err)
	}

	ada := dial(ln.Addr(), "/?nick=ada")
	fmt.Println("ada hears", ada.read())
	bob := dial(ln.Addr(), "/?nick=bob")
	fmt.Println("bob hears", bob.read())
	ada.write("is anybody here?")
	fmt.Println("ada hears", ada.read())
	fmt.Println("bob hears", bob.read())

	// A source of its own waits while the engine has more to do than its share, before
	// each frame that it appends; it never waits for a client.
	for hour := 1; hour <= 2; hour++ {
		if err := e.AwaitCapacity(context.Background()); err != nil {
			log.Fatal(err)
		}
		s.all.Append(engine.Text(fmt.Sprintf("it is %d o'clock", hour)))
	}
	fmt.Println("bob hears", bob.read())
	fmt.Println("bob hears", bob.read())

	shutdown(e)
	// Output:
	// ada hears welcome, ada
	// bob hears welcome, bob
	// ada hears ada: is anybody here?
	// bob hears ada: is anybody here?
	// bob hears it is 1 o'clock
	// bob hears it is 2 o'clock
}

// shutdown ends an engine whose clients do not answer the close frame.
func shutdown(e *engine.Engine) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := e.Shutdown(ctx, "the example is over"); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		log.Fatal(err)
	}
}

// browser stands for a page that has opened a WebSocket.
type browser struct{ net.Conn }

func dial(addr net.Addr, path ...string) browser {
	url := "ws://" + addr.String()
	for _, p := range path {
		url += p
	}
	conn, buffered, _, err := ws.Dial(context.Background(), url)
	if err != nil {
		log.Fatal(err)
	}
	if buffered != nil { // frames came right behind the answer
		return browser{&replay{conn, buffered.Read}}
	}
	return browser{conn}
}

// replay is a connection of which some bytes were read already.
type replay struct {
	net.Conn
	read func([]byte) (int, error)
}

func (r *replay) Read(p []byte) (int, error) { return r.read(p) }

func (b browser) write(text string) {
	if err := wsutil.WriteClientText(b, []byte(text)); err != nil {
		log.Fatal(err)
	}
}

func (b browser) read() string {
	text, err := wsutil.ReadServerText(b)
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}
