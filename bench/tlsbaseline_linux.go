package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// coalesceFrames is how many frames the coalesced baseline of TLS gives to one write.
const coalesceFrames = 64

// tlsBaseline is the baseline over TLS: a tls.Conn for each socket, and one goroutine that writes frames to them in turn.
type tlsBaseline struct {
	config *tls.Config
	writes [][]byte

	mu    sync.Mutex // guards the following field
	conns []*tls.Conn
}

// TLSBaseline runs the baseline over TLS as a process of its own. It has the commands of [Baseline], except that coalesced
// writes have 64 frames each.
func TLSBaseline(ctx context.Context, certFile, keyFile string, stdin io.Reader, stdout io.Writer) error {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return err
	}
	b := &tlsBaseline{config: &tls.Config{Certificates: []tls.Certificate{cert}}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// Goroutines that still read end with the process.
	defer ln.Close()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	go b.accept(ln)
	fmt.Fprintf(stdout, "listens at wss://%s\n", ln.Addr())
	for scan := bufio.NewScanner(stdin); scan.Scan(); {
		if err := b.execute(scan.Text()); err != nil {
			return fmt.Errorf("%q: %w", scan.Text(), err)
		}
		fmt.Fprintln(stdout, "done")
	}
	return nil
}

// accept accepts connections until the listener is closed.
func (b *tlsBaseline) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go b.answer(tls.Server(conn, b.config))
	}
}

// answer responds to one request. No goroutine stays with the connection.
func (b *tlsBaseline) answer(conn *tls.Conn) {
	request := make([]byte, 4096)
	for n := 0; !bytes.HasSuffix(request[:n], []byte("\r\n\r\n")); {
		m, err := conn.Read(request[n:])
		if err != nil {
			conn.Close()
			return
		}
		n += m
	}
	// The response must be written first, so the connection is not in the list before.
	if _, err := conn.Write([]byte(upgradeResponse)); err != nil {
		conn.Close()
		return
	}
	b.mu.Lock()
	b.conns = append(b.conns, conn)
	b.mu.Unlock()
}

func (b *tlsBaseline) execute(command string) error {
	return executeCommand(command, b.prepare, b.writeAll)
}

func (b *tlsBaseline) prepare(first uint64, count int, coalesced bool) error {
	b.writes = nil
	for i := range count {
		frame, err := replyFrame(first + uint64(i))
		if err != nil {
			return err
		}
		if coalesced && i%coalesceFrames > 0 {
			last := &b.writes[len(b.writes)-1]
			*last = append(*last, frame...)
			continue
		}
		b.writes = append(b.writes, frame)
	}
	return nil
}

func (b *tlsBaseline) writeAll(every time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	start := time.Now()
	for i, write := range b.writes {
		time.Sleep(time.Until(start.Add(time.Duration(i) * every)))
		for _, conn := range b.conns {
			if _, err := conn.Write(write); err != nil {
				return err
			}
		}
	}
	return nil
}
