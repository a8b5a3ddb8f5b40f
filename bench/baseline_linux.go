package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// coalesceSize is the size of a write(2) of the coalesced baseline.
const coalesceSize = 32 << 10

// upgradeResponse is the baseline's response to every request.
const upgradeResponse = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Accept: " + handshakeAnswer + "\r\n\r\n"

// baseline is a bare loop: it accepts sockets, responds to any request with an upgrade, and writes frames. It checks and
// queues nothing and does not parse WebSocket, so nothing can do the same work with much less.
type baseline struct {
	epoll, listener int
	sockets         map[int]*bareSocket
	upgraded        []*bareSocket // in order of their requests
	request         []byte        // read buffer

	topics  uint64   // over which clients and frames are spread; 0 and 1 are one
	first   uint64   // the number of the first frame
	writes  [][]byte // what to write, one write(2) each
	pending int      // sockets that do not have all of it

	mu       sync.Mutex // guards the following fields
	wake     int        // an eventfd; -1 when the loop has ended
	commands []string
	stopped  bool
}

// bareSocket is a client of the baseline.
type bareSocket struct {
	fd      int
	at, off int  // the next write, and how many bytes of it are written
	blocked bool // full: epoll reports when it has room
}

// Baseline runs a bare loop as a process of its own. It prints its address, reads commands from stdin, one a line, and
// answers each with a line:
//
//	topics N                        from now on the i-th client gets only the frames of numbers with the remainder i mod N
//	prepare FIRST COUNT COALESCED   make the frames from number FIRST on; COALESCED is true for
//	                                writes of 32 KiB, false for one write a frame
//	write EVERY                     do one write to each socket each EVERY ("50ms"), or all at once
//	                                ("0s"); answered when everything is written
//
// It ends with stdin, or with the context.
func Baseline(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return serveBare(ctx, stdin, stdout, (*baseline).execute)
}

// serveBare accepts clients and executes commands.
func serveBare(ctx context.Context, stdin io.Reader, stdout io.Writer, obey func(b *baseline, command string) error) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	defer file.Close()
	b, err := newBaseline(file)
	if err != nil {
		return err
	}
	defer b.close()
	stop := context.AfterFunc(ctx, b.stop)
	defer stop()
	fmt.Fprintf(stdout, "listens at ws://%s\n", ln.Addr())
	go b.listen(stdin)
	for {
		command, over := b.next()
		if over {
			return nil
		}
		if command == "" {
			b.poll(-1)
			continue
		}
		if err := obey(b, command); err != nil {
			return fmt.Errorf("%q: %w", command, err)
		}
		fmt.Fprintln(stdout, "done")
	}
}

func newBaseline(listener *os.File) (*baseline, error) {
	b := &baseline{listener: int(listener.Fd()), wake: -1, sockets: map[int]*bareSocket{}, request: make([]byte, 4096)}
	var err error
	if err = unix.SetNonblock(b.listener, true); err != nil {
		return nil, err
	}
	if err = unix.SetsockoptInt(b.listener, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return nil, err
	}
	if b.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if b.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err == nil {
		err = errors.Join(b.register(b.wake, unix.EPOLLIN), b.register(b.listener, unix.EPOLLIN))
	}
	if err != nil {
		b.close()
	}
	return b, err
}

func (b *baseline) close() {
	for fd := range b.sockets {
		unix.Close(fd)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	unix.Close(b.wake)
	unix.Close(b.epoll)
	b.stopped, b.wake = true, -1
}

func (b *baseline) register(fd int, events uint32) error {
	return unix.EpollCtl(b.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

// listen reads commands until stdin ends.
func (b *baseline) listen(stdin io.Reader) {
	for scan := bufio.NewScanner(stdin); scan.Scan(); {
		b.interrupt(func() { b.commands = append(b.commands, scan.Text()) })
	}
	b.stop()
}

func (b *baseline) stop() { b.interrupt(func() { b.stopped = true }) }

// interrupt applies a change to what mu guards and wakes the loop.
func (b *baseline) interrupt(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
	if b.wake >= 0 {
		_, _ = unix.Write(b.wake, binary.NativeEndian.AppendUint64(nil, 1))
	}
}

// next returns the next command, if there is one.
func (b *baseline) next() (command string, over bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.commands) > 0 {
		command, b.commands = b.commands[0], b.commands[1:]
	}
	return command, b.stopped
}

// poll waits for events, for at most timeout milliseconds, and handles them.
func (b *baseline) poll(timeout int) {
	var events [256]unix.EpollEvent
	n, _ := unix.EpollWait(b.epoll, events[:], timeout)
	for _, ev := range events[:max(n, 0)] {
		switch fd := int(ev.Fd); fd {
		case b.wake:
			var count [8]byte
			_, _ = unix.Read(b.wake, count[:])
		case b.listener:
			b.accept()
		default:
			b.socket(b.sockets[fd], ev.Events)
		}
	}
}

// accept accepts all connections that wait.
func (b *baseline) accept() {
	for {
		fd, _, err := unix.Accept4(b.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		if err := b.register(fd, clientEvents); err != nil {
			unix.Close(fd)
			continue
		}
		b.sockets[fd] = &bareSocket{fd: fd}
	}
}

// socket handles the events of a client.
func (b *baseline) socket(s *bareSocket, events uint32) {
	if s == nil {
		return
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		n, err := unix.Read(s.fd, b.request)
		switch {
		case err == unix.EAGAIN:
		case err != nil || n == 0:
			b.drop(s)
			return
		case bytes.HasSuffix(b.request[:n], []byte("\r\n\r\n")):
			_, _ = unix.Write(s.fd, []byte(upgradeResponse))
			b.upgraded = append(b.upgraded, s)
		}
	}
	if events&unix.EPOLLOUT != 0 && s.blocked {
		s.blocked = false
		b.write(s, len(b.writes))
	}
}

func (b *baseline) drop(s *bareSocket) {
	delete(b.sockets, s.fd)
	unix.Close(s.fd)
	for i, other := range b.upgraded {
		if other == s {
			b.upgraded[i] = b.upgraded[len(b.upgraded)-1]
			b.upgraded = b.upgraded[:len(b.upgraded)-1]
			break
		}
	}
	if s.at < len(b.writes) {
		b.pending--
	}
}

// execute executes a command.
func (b *baseline) execute(command string) error {
	if n, _ := fmt.Sscanf(command, "topics %d", &b.topics); n == 1 {
		return nil
	}
	return executeCommand(command, b.prepare, func(interval time.Duration) error {
		b.writeAll(interval)
		return nil
	})
}

// executeCommand parses a command for a baseline and executes it.
func executeCommand(command string, prepare func(first uint64, count int, coalesced bool) error, write func(time.Duration) error) error {
	var first uint64
	var count int
	var coalesced bool
	if n, _ := fmt.Sscanf(command, "prepare %d %d %t", &first, &count, &coalesced); n == 3 {
		return prepare(first, count, coalesced)
	}
	var every string
	if _, err := fmt.Sscanf(command, "write %s", &every); err != nil {
		return err
	}
	interval, err := time.ParseDuration(every)
	if err != nil {
		return err
	}
	return write(interval)
}
