package bench

import (
	"syscall"
	"time"
	"unsafe"
)

// prepare makes the frames from number first on, and coalesces them if requested.
func (b *baseline) prepare(first uint64, count int, coalesced bool) error {
	b.writes, b.first = nil, first
	var join []byte
	for i := range uint64(count) {
		frame, err := replyFrame(first + i)
		if err != nil {
			return err
		}
		if !coalesced {
			b.writes = append(b.writes, frame)
			continue
		}
		if len(join) > 0 && len(join)+len(frame) > coalesceSize {
			b.writes, join = append(b.writes, join), nil
		}
		join = append(join, frame...)
	}
	if len(join) > 0 {
		b.writes = append(b.writes, join)
	}
	return nil
}

// writeAll writes what was prepared to all sockets of its topic, one write after the other to each of them in turn. A full socket is
// skipped until it has room.
func (b *baseline) writeAll(every time.Duration) {
	start, topics := time.Now(), max(b.topics, 1)
	b.pending = 0
	for k, s := range b.upgraded {
		s.at, s.off, s.blocked = int((uint64(k)%topics+topics-b.first%topics)%topics), 0, false
		if s.at < len(b.writes) {
			b.pending++
		}
	}
	for i := range b.writes {
		b.sleep(start.Add(time.Duration(i) * every))
		for k := int((b.first + uint64(i)) % topics); k < len(b.upgraded); k += int(topics) {
			b.write(b.upgraded[k], i+1)
		}
		b.poll(0)
	}
	for b.pending > 0 {
		b.poll(-1)
	}
}

// sleep serves events until the time.
func (b *baseline) sleep(until time.Time) {
	for wait := time.Until(until); wait > 0; wait = time.Until(until) {
		b.poll(int(wait/time.Millisecond) + 1)
	}
}

// write writes to a socket up to the write before limit.
func (b *baseline) write(s *bareSocket, limit int) {
	for s.at < limit && !s.blocked {
		buf := b.writes[s.at][s.off:]
		// Not unix.Write: the baseline does not call Go's scheduler either.
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(s.fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
		switch {
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN:
			s.blocked = true
		case errno != 0:
			s.at = len(b.writes) // it is broken; the next read shows it
			b.pending--
		case int(n) < len(buf):
			s.off += int(n)
			s.blocked = true
		default:
			s.off = 0
			if s.at += int(max(b.topics, 1)); s.at >= len(b.writes) {
				b.pending--
			}
		}
	}
}
