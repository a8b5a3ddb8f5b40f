package bench

import (
	"syscall"
	"time"
	"unsafe"
)

// prepare makes the frames from a number on, and joins them if it is told to.
func (f *baseline) prepare(first uint64, count int, joined bool) error {
	f.writes = nil
	var join []byte
	for i := range uint64(count) {
		frame, err := replyFrame(first + i)
		if err != nil {
			return err
		}
		if !joined {
			f.writes = append(f.writes, frame)
			continue
		}
		if len(join) > 0 && len(join)+len(frame) > joinSize {
			f.writes, join = append(f.writes, join), nil
		}
		join = append(join, frame...)
	}
	if len(join) > 0 {
		f.writes = append(f.writes, join)
	}
	return nil
}

// writeAll brings what was prepared to all sockets, one write after the other to
// each of them in turn. A socket that is full is left out until it has room.
func (f *baseline) writeAll(every time.Duration) {
	start := time.Now()
	f.pending = len(f.upgraded)
	for _, s := range f.upgraded {
		s.at, s.off, s.blocked = 0, 0, false
	}
	for i := range f.writes {
		f.sleep(start.Add(time.Duration(i) * every))
		for _, s := range f.upgraded {
			f.write(s, i+1)
		}
		f.poll(0)
	}
	for f.pending > 0 {
		f.poll(-1)
	}
}

// sleep serves events until it is time.
func (f *baseline) sleep(until time.Time) {
	for wait := time.Until(until); wait > 0; wait = time.Until(until) {
		f.poll(int(wait/time.Millisecond) + 1)
	}
}

// write brings a socket up to the write before limit.
func (f *baseline) write(s *bareSocket, limit int) {
	for s.at < limit && !s.blocked {
		buf := f.writes[s.at][s.off:]
		// Not unix.Write: the bare loop does without Go's scheduler too.
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(s.fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
		switch {
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN:
			s.blocked = true
		case errno != 0:
			s.at = len(f.writes) // it broke; reading will tell
			f.pending--
		case int(n) < len(buf):
			s.off += int(n)
			s.blocked = true
		default:
			s.off = 0
			if s.at++; s.at == len(f.writes) {
				f.pending--
			}
		}
	}
}
