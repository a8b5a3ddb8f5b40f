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

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// members is a Handler whose clients must be known to another program.
type members struct {
	know func(ctx context.Context, name string) (bool, error)
}

func (m members) Accept(r *engine.Request) (engine.Accepted, error) {
	name := r.Header("X-Name") // the request is gone when Later runs
	return engine.Accepted{Later: func(ctx context.Context) engine.Decision {
		known, err := m.know(ctx, name)
		return func() (engine.Accepted, error) {
			switch {
			case err != nil:
				return engine.Accepted{}, &engine.RejectError{Status: http.StatusServiceUnavailable, Reason: "try again later", RetryAfter: time.Minute}
			case !known:
				return engine.Accepted{}, &engine.RejectError{Status: http.StatusForbidden, Reason: "this name is not known"}
			}
			return engine.Accepted{Session: name}, nil
		}
	}}, nil
}

func (members) Open(c engine.Conn, session any) {
	c.Send(engine.Text(fmt.Sprintf("hello, %v", session)))
}
func (members) Message(engine.Conn, any, engine.Message) {}
func (members) Closing(c engine.Conn, _ any)             { c.Finish() }
func (members) Closed(engine.Conn, any, int, string)     {}

// While another program is asked who a client is, its connection is parked, and the loops
// serve the others.
func Example_parked() {
	e, err := engine.New(engine.Config{Handler: members{func(_ context.Context, name string) (bool, error) {
		return name == "ann", nil // a request to the other program, bounded by the context
	}}})
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
	ann, err := connectAs(ln.Addr(), "ann")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ann.read())
	ann.close()
	var refused ws.StatusError
	_, err = connectAs(ln.Addr(), "eve")
	fmt.Println(errors.As(err, &refused), int(refused))
	if err := e.Shutdown(context.Background(), "done"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// hello, ann
	// true 403
}
