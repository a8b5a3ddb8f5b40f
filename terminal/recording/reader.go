package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds a line. A bridge relays bodies of up to 16 MiB.
const maxLine = 64 << 20

// Reader reads a recording.
type Reader struct {
	Header Header
	r      *bufio.Reader
	line   int
	torn   bool
}

// NewReader reads the first line.
func NewReader(r io.Reader) (*Reader, error) {
	reader := &Reader{r: bufio.NewReaderSize(r, 256<<10)}
	line, err := reader.next()
	if err == io.EOF {
		return nil, errors.New("this is no recording of clu-ws: it has no whole line")
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(line, &reader.Header); err != nil || reader.Header.Version == 0 {
		return nil, errors.New("this is no recording of clu-ws: its first line does not say so")
	}
	if reader.Header.Version > Version {
		return nil, fmt.Errorf("the recording has version %d of the format; this program reads version %d", reader.Header.Version, Version)
	}
	return reader, nil
}

// next returns the next whole line.
func (r *Reader) next() ([]byte, error) {
	var line []byte
	for {
		part, err := r.r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == bufio.ErrBufferFull && len(line) <= maxLine:
			continue
		case err == bufio.ErrBufferFull:
			return nil, fmt.Errorf("line %d is longer than %d bytes", r.line+1, maxLine)
		case err == io.EOF:
			r.torn = len(bytes.Trim(line, "\x00 \r\n\t")) > 0 // zeros are what a crash of the machine leaves
			return nil, io.EOF
		case err != nil:
			return nil, err
		}
		r.line++
		return line[:len(line)-1], nil
	}
}

// Next returns the next entry, or [io.EOF].
func (r *Reader) Next() (Entry, error) {
	line, err := r.next()
	if err != nil {
		return Entry{}, err
	}
	e, err := entryOf(line)
	if err != nil {
		return Entry{}, &LineError{r.line, err}
	}
	return e, nil
}

// LineError is the error of a line that cannot be read. Those behind it can.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d is not JSON: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// Torn reports whether the last line has no end and was left out. It is known after [io.EOF].
func (r *Reader) Torn() bool { return r.torn }
