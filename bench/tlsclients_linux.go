package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
)

// maxHandshakes is how many TLS handshakes run at the same time.
const maxHandshakes = 16

// connectTLS adds n clients that connect over TLS. Each has a goroutine, which reads and decrypts, and passes the bytes to
// the loop's thread.
func (set *clientSet) connectTLS(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, fmt.Errorf("not all of %d TLS clients were connected within %v", n, connectTimeout))
	defer cancel()
	var (
		dialing sync.WaitGroup
		slots   = make(chan struct{}, maxHandshakes)
		failed  = make(chan error, n)
	)
	for range n {
		slots <- struct{}{}
		dialing.Go(func() {
			defer func() { <-slots }()
			if err := set.connectOneTLS(ctx); err != nil {
				failed <- err
				cancel()
			}
		})
	}
	dialing.Wait()
	select {
	case err := <-failed:
		return fmt.Errorf("a client could not connect: %w", err)
	default:
		return nil
	}
}

func (set *clientSet) connectOneTLS(ctx context.Context) error {
	// The certificate is the run's own, and the connection is on loopback.
	dialer := tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(ctx, "tcp", set.dial.to.String())
	if err != nil {
		return err
	}
	buf := make([]byte, 32<<10)
	answered, rest, err := upgrade(conn, set.requests[0], buf)
	if err != nil || !answered {
		conn.Close()
		return fmt.Errorf("answered %q: %w", rest, err)
	}
	c := &client{set: set, conn: conn, state: stateOpen, fd: -1}
	set.loop.call(func() {
		set.clients = append(set.clients, c)
		set.inFlight++
		set.opened(c)
		if len(rest) > 0 {
			c.receive(rest)
		}
	})
	set.readers.Go(func() { c.readTLS(buf) })
	return nil
}

// upgrade sends the upgrade request, and returns the bytes after the response. If the response is no upgrade, it returns
// that response.
func upgrade(conn net.Conn, request, buf []byte) (ok bool, rest []byte, err error) {
	if _, err := conn.Write(request); err != nil {
		return false, nil, err
	}
	for n := 0; n < len(buf); {
		m, err := conn.Read(buf[n:])
		if err != nil {
			return false, buf[:n], err
		}
		n += m
		if end := bytes.Index(buf[:n], []byte("\r\n\r\n")); end >= 0 {
			if !bytes.HasPrefix(buf, []byte("HTTP/1.1 101 ")) {
				return false, buf[:end], nil
			}
			return true, buf[end+4 : n], nil
		}
	}
	return false, buf, nil
}

// readTLS reads until the connection ends.
func (c *client) readTLS(buf []byte) {
	for {
		n, err := c.conn.Read(buf)
		over := false
		c.set.loop.call(func() {
			if n > 0 && c.state != stateGone {
				c.receive(buf[:n])
			}
			if err != nil && c.state != stateGone {
				c.fail("the connection broke: " + err.Error())
			}
			over = c.state == stateGone
		})
		if over {
			return
		}
	}
}
