package redislink

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

// Bounds of what is read. Longer texts are passed over; the rest is no Redis.
const (
	lineBuffer = 64 << 10  // also the longest error
	maxFields  = 16        // of a list
	maxName    = 64 << 10  // of a channel, and of all fields of a list but the last
	maxLength  = 1<<31 - 1 // of what is passed over; an int on each machine
)

// errNotRedis ends a connection to something else.
var errNotRedis error = &advisedError{"what answers does not speak the protocol of Redis", "check the host and the port in the URL"}

// serverError is an error that Redis answers, such as "NOAUTH Authentication required."
type serverError string

func (e serverError) Error() string { return string(e) }

// field is a text or a number that Redis sends.
type field struct {
	text    []byte
	size    int
	tooLong bool // text was passed over
}

// reader reads what Redis sends, in version 2 of its protocol. Libraries make room for whatever length
// a server announces, before it comes; what this one holds is bounded.
type reader struct {
	br      *bufio.Reader
	maxBody int // of the last field of a list

	// Of the reply that was read last.
	fields []field
	names  []byte
}

// next returns the fields of a list, or one field, or none for null. They hold until the next call, but
// the text of the last one may be kept. An error of Redis is a serverError, after which it may be called again.
func (r *reader) next() ([]field, error) {
	line, err := r.line()
	if err != nil {
		return nil, err
	}
	r.fields, r.names = r.fields[:0], r.names[:0]
	n := 1
	switch line[0] {
	case '-':
		return nil, serverError(line[1:])
	case '*':
		if n, err = length(line); err != nil || n > maxFields {
			return nil, errNotRedis
		}
		line = nil
	}
	for i := range n {
		if line == nil || i > 0 {
			if line, err = r.line(); err != nil {
				return nil, err
			}
		}
		f, err := r.field(line, i == n-1)
		if err != nil {
			return nil, err
		}
		r.fields = append(r.fields, f)
	}
	return r.fields, nil
}

// field reads what a line begins.
func (r *reader) field(line []byte, last bool) (field, error) {
	switch line[0] {
	case '+', ':':
		f := field{size: len(line) - 1, text: line[1:]}
		switch {
		case !last:
			f.text = r.name(f.text)
		case f.size > r.maxBody:
			f.text, f.tooLong = nil, true
		default:
			f.text = bytes.Clone(f.text)
		}
		return f, nil
	case '$':
	default:
		return field{}, errNotRedis
	}
	n, err := length(line)
	switch {
	case err != nil:
		return field{}, err
	case n < 0:
		return field{}, nil
	}
	limit := maxName
	if last {
		limit = r.maxBody
	}
	f := field{size: n, tooLong: n > limit}
	switch {
	case f.tooLong:
		_, err = r.br.Discard(n)
	case last:
		f.text = make([]byte, n)
		_, err = io.ReadFull(r.br, f.text)
	default:
		var text []byte
		if text, err = r.br.Peek(n); err == nil {
			f.text = r.name(text)
			_, err = r.br.Discard(n)
		}
	}
	if err != nil {
		return field{}, err
	}
	end, err := r.br.Peek(2)
	if err == nil && string(end) != "\r\n" {
		err = errNotRedis
	}
	_, _ = r.br.Discard(len(end))
	return f, err
}

// name returns a copy of a short text.
func (r *reader) name(text []byte) []byte {
	start := len(r.names)
	r.names = append(r.names, text...)
	return r.names[start:]
}

// line reads a line that has at least one byte, without its end.
func (r *reader) line() ([]byte, error) {
	line, err := r.br.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || err == nil && (len(line) < 3 || line[len(line)-2] != '\r') {
		return nil, errNotRedis
	}
	if err != nil {
		return nil, err
	}
	return line[:len(line)-2], nil
}

// length returns the length that a line has behind its first byte; -1 is null.
func length(line []byte) (int, error) {
	n, err := strconv.ParseInt(string(line[1:]), 10, 64)
	if err != nil || n < -1 || n > maxLength {
		return 0, errNotRedis
	}
	return int(n), nil
}

// command returns a command as it is sent.
func command(args ...string) []byte {
	b := append(strconv.AppendInt([]byte{'*'}, int64(len(args)), 10), "\r\n"...)
	for _, arg := range args {
		b = append(strconv.AppendInt(append(b, '$'), int64(len(arg)), 10), "\r\n"...)
		b = append(append(b, arg...), "\r\n"...)
	}
	return b
}
