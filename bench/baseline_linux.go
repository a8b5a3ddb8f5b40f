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

// joinSize is how many bytes the joined floor gives to one write(2).
const joinSize = 32 << 10

// upgradeResponse is what the bare loop answers to every request.
const upgradeResponse = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Accept: " + handshakeAnswer + "\r\n\r\n"

// baseline is the bare loop: it accepts sockets, answers whatever they ask, and
// writes frames to them. It checks nothing, queues nothing and knows no
// WebSocket; nothing can do the same work with much less.
type baseline struct {
	epoll, listener int
	sockets         map[int]*bareSocket
	upgraded        []*bareSocket // those that were answered
	request         []byte        // one read, reused

	writes  [][]byte // what to write next, one write(2) each
	pending int      // sockets that do not have all of it

	mu       sync.Mutex // guards the following fields
	wake     int        // an eventfd; -1 when the loop has ended
	commands []string
	stopped  bool
}

// bareSocket is a client of the bare loop.
type bareSocket struct {
	fd      int
	at, off int  // the next write, and the bytes of it that are done
	blocked bool // full: epoll will tell when it has room
}

// Baseline is the bare loop as a process of its own. It prints where it listens,
// takes commands from stdin, one a line, and answers each with a line:
//
//	prepare FIRST COUNT JOINED   make the frames from number FIRST on; JOINED is
//	                             true for writes of 32 KiB, false for one write a frame
//	play EVERY                   do one write to each socket each EVERY ("50ms"), or
//	                             all at once ("0s"); answered when all is written
//
// It ends with stdin, or with the context.
func Baseline(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return serveBare(ctx, stdin, stdout, (*baseline).execute)
}

// serveBare accepts clients and has commands obeyed.
func serveBare(ctx context.Context, stdin io.Reader, stdout io.Writer, obey func(f *baseline, command string) error) error {
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
	f, err := newBaseline(file)
	if err != nil {
		return err
	}
	defer f.close()
	stop := context.AfterFunc(ctx, f.stop)
	defer stop()
	fmt.Fprintf(stdout, "listens at ws://%s\n", ln.Addr())
	go f.listen(stdin)
	for {
		command, over := f.next()
		if over {
			return nil
		}
		if command == "" {
			f.poll(-1)
			continue
		}
		if err := obey(f, command); err != nil {
			return fmt.Errorf("%q: %w", command, err)
		}
		fmt.Fprintln(stdout, "done")
	}
}

func newBaseline(listener *os.File) (*baseline, error) {
	f := &baseline{listener: int(listener.Fd()), wake: -1, sockets: map[int]*bareSocket{}, request: make([]byte, 4096)}
	var err error
	if err = unix.SetNonblock(f.listener, true); err != nil {
		return nil, err
	}
	if err = unix.SetsockoptInt(f.listener, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return nil, err
	}
	if f.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if f.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err == nil {
		err = errors.Join(f.register(f.wake, unix.EPOLLIN), f.register(f.listener, unix.EPOLLIN))
	}
	if err != nil {
		f.close()
	}
	return f, err
}

func (f *baseline) close() {
	for fd := range f.sockets {
		unix.Close(fd)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	unix.Close(f.wake)
	unix.Close(f.epoll)
	f.stopped, f.wake = true, -1
}

func (f *baseline) register(fd int, events uint32) error {
	return unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

// listen takes commands until their end.
func (f *baseline) listen(stdin io.Reader) {
	for scan := bufio.NewScanner(stdin); scan.Scan(); {
		f.interrupt(func() { f.commands = append(f.commands, scan.Text()) })
	}
	f.stop()
}

func (f *baseline) stop() { f.interrupt(func() { f.stopped = true }) }

// interrupt changes what mu guards and has the loop look at it.
func (f *baseline) interrupt(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	if f.wake >= 0 {
		_, _ = unix.Write(f.wake, binary.NativeEndian.AppendUint64(nil, 1))
	}
}

// next is the next command, if there is one.
func (f *baseline) next() (command string, over bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.commands) > 0 {
		command, f.commands = f.commands[0], f.commands[1:]
	}
	return command, f.stopped
}

// poll waits for events, at most so many milliseconds, and handles them.
func (f *baseline) poll(timeout int) {
	var events [256]unix.EpollEvent
	n, _ := unix.EpollWait(f.epoll, events[:], timeout)
	for _, ev := range events[:max(n, 0)] {
		switch fd := int(ev.Fd); fd {
		case f.wake:
			var count [8]byte
			_, _ = unix.Read(f.wake, count[:])
		case f.listener:
			f.accept()
		default:
			f.socket(f.sockets[fd], ev.Events)
		}
	}
}

// accept takes all the connections that wait.
func (f *baseline) accept() {
	for {
		fd, _, err := unix.Accept4(f.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		if err := f.register(fd, clientEvents); err != nil {
			unix.Close(fd)
			continue
		}
		f.sockets[fd] = &bareSocket{fd: fd}
	}
}

// socket handles what happened to a client.
func (f *baseline) socket(s *bareSocket, events uint32) {
	if s == nil {
		return
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		n, err := unix.Read(s.fd, f.request)
		switch {
		case err == unix.EAGAIN:
		case err != nil || n == 0:
			f.drop(s)
			return
		case bytes.HasSuffix(f.request[:n], []byte("\r\n\r\n")):
			_, _ = unix.Write(s.fd, []byte(upgradeResponse))
			f.upgraded = append(f.upgraded, s)
		}
	}
	if events&unix.EPOLLOUT != 0 && s.blocked {
		s.blocked = false
		f.write(s, len(f.writes))
	}
}

func (f *baseline) drop(s *bareSocket) {
	delete(f.sockets, s.fd)
	unix.Close(s.fd)
	for i, other := range f.upgraded {
		if other == s {
			f.upgraded[i] = f.upgraded[len(f.upgraded)-1]
			f.upgraded = f.upgraded[:len(f.upgraded)-1]
			break
		}
	}
	if s.at < len(f.writes) {
		f.pending--
	}
}

// execute does what a command says.
func (f *baseline) execute(command string) error {
	return executeCommand(command, f.prepare, func(interval time.Duration) error {
		f.writeAll(interval)
		return nil
	})
}

// executeCommand does what a command for a bare loop says: prepare frames, or play them.
func executeCommand(command string, prepare func(first uint64, count int, joined bool) error, play func(time.Duration) error) error {
	var first uint64
	var count int
	var joined bool
	if n, _ := fmt.Sscanf(command, "prepare %d %d %t", &first, &count, &joined); n == 3 {
		return prepare(first, count, joined)
	}
	var every string
	if _, err := fmt.Sscanf(command, "play %s", &every); err != nil {
		return err
	}
	interval, err := time.ParseDuration(every)
	if err != nil {
		return err
	}
	return play(interval)
}
