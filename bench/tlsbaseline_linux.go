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

// joinFrames is how many frames the joined baseline of TLS gives to one write.
const joinFrames = 64

// tlsBaseline is the bare loop over TLS: one tls.Conn for each socket, to which one
// goroutine writes frames in turn.
type tlsBaseline struct {
	config *tls.Config
	writes [][]byte

	mu    sync.Mutex // guards the following field
	conns []*tls.Conn
}

// TLSBaseline is the bare loop over TLS as a process of its own. It obeys the commands
// of [Baseline], except that joined writes have 64 frames each.
func TLSBaseline(ctx context.Context, certFile, keyFile string, stdin io.Reader, stdout io.Writer) error {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return err
	}
	f := &tlsBaseline{config: &tls.Config{Certificates: []tls.Certificate{cert}}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// Whatever still reads ends with the process.
	defer ln.Close()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	go f.accept(ln)
	fmt.Fprintf(stdout, "listens at wss://%s\n", ln.Addr())
	for scan := bufio.NewScanner(stdin); scan.Scan(); {
		if err := f.execute(scan.Text()); err != nil {
			return fmt.Errorf("%q: %w", scan.Text(), err)
		}
		fmt.Fprintln(stdout, "done")
	}
	return nil
}

// accept takes connections until the listener ends.
func (f *tlsBaseline) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go f.answer(tls.Server(conn, f.config))
	}
}

// answer answers one request. No goroutine stays with the connection.
func (f *tlsBaseline) answer(conn *tls.Conn) {
	request := make([]byte, 4096)
	for n := 0; !bytes.HasSuffix(request[:n], []byte("\r\n\r\n")); {
		m, err := conn.Read(request[n:])
		if err != nil {
			conn.Close()
			return
		}
		n += m
	}
	// The answer must be the first that is written: it is in no list until then.
	if _, err := conn.Write([]byte(upgradeResponse)); err != nil {
		conn.Close()
		return
	}
	f.mu.Lock()
	f.conns = append(f.conns, conn)
	f.mu.Unlock()
}

func (f *tlsBaseline) execute(command string) error {
	return executeCommand(command, f.prepare, f.writeAll)
}

func (f *tlsBaseline) prepare(first uint64, count int, joined bool) error {
	f.writes = nil
	for i := range count {
		frame, err := replyFrame(first + uint64(i))
		if err != nil {
			return err
		}
		if joined && i%joinFrames > 0 {
			last := &f.writes[len(f.writes)-1]
			*last = append(*last, frame...)
			continue
		}
		f.writes = append(f.writes, frame)
	}
	return nil
}

func (f *tlsBaseline) writeAll(every time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	start := time.Now()
	for i, write := range f.writes {
		time.Sleep(time.Until(start.Add(time.Duration(i) * every)))
		for _, conn := range f.conns {
			if _, err := conn.Write(write); err != nil {
				return err
			}
		}
	}
	return nil
}
