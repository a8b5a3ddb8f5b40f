package audit

import (
	"slices"
)

// write writes what is queued until nothing is left.
func (l *Log) write() {
	for {
		rows, overflowed := l.take()
		if rows == nil {
			return
		}
		l.replaceSink()
		l.untold += overflowed
		l.failures.overflowed(overflowed)
		rows = slices.DeleteFunc(rows, func(r row) bool { return r.wait.gone() })
		written, lost := l.writeRows(rows)
		l.count(written, lost)
	}
}

// take returns the queue and how many rows did not fit into it; nil if it is empty.
func (l *Log) take() (rows []row, overflowed uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rows, l.pending, l.bytes = l.pending, nil, 0
	overflowed, l.overflowed = l.overflowed, 0
	if rows == nil {
		close(l.written)
		l.written = nil
	}
	return rows, overflowed
}

// replaceSink replaces the sink if it was opened anew. Since this is after the queue was taken,
// what is recorded after that is written to the new one.
func (l *Log) replaceSink() {
	l.mu.Lock()
	next := l.next
	l.next = nil
	l.mu.Unlock()
	if next != nil {
		l.sink.Close()
		l.sink, l.torn = next, next.torn()
	}
}

// count adds to the figures.
func (l *Log) count(written, lost uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Written += written
	l.stats.Lost += lost
	l.stats.Failing = l.failures.failing
}

// maxWrite is about how many bytes are written at once.
const maxWrite = 64 << 10

// writeRows writes rows in their order, and calls the functions of commands.
func (l *Log) writeRows(rows []row) (written, lost uint64) {
	for len(rows) > 0 {
		n, size := 0, 0
		for n < len(rows) && (n == 0 || l.sink.joins() && size+len(rows[n].text) <= maxWrite) {
			size += len(rows[n].text)
			n++
		}
		w, x := l.writeSome(rows[:n])
		written, lost = written+w, lost+x
		rows = rows[n:]
	}
	return written, lost
}

// writeSome writes rows in one go. Of a write that fails, some may be written whole.
func (l *Log) writeSome(rows []row) (written, lost uint64) {
	var text []byte
	if l.torn {
		text = append(text, '\n') // so that the next row begins a line
	}
	whole := make([]int, len(rows)) // length of the text with this row
	for i, r := range rows {
		text = append(text, r.text...)
		whole[i] = len(text)
	}
	n, err := l.sink.Write(text)
	if n > 0 {
		l.torn = text[n-1] != '\n'
	}
	for i, r := range rows {
		if whole[i] <= n {
			written++
			r.wait.end(nil)
			continue
		}
		lost++
		r.wait.end(errUnwritten)
	}
	l.untold += lost
	l.failures.wrote(err, lost)
	if err == nil && l.untold > 0 {
		l.tellLost()
	}
	return written, lost
}

// tellLost writes a row with the number of lost ones.
func (l *Log) tellLost() {
	text := encode(l.cfg.Now(), "lost", struct {
		Count uint64 `json:"count"`
	}{l.untold})
	n, err := l.sink.Write(text)
	l.torn = n > 0 && n < len(text)
	if err == nil {
		l.untold = 0
	}
}
