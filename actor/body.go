package actor

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"

	"github.com/clu-ws/clu-ws/amqpx"
)

// MaxBody bounds the decoded length of a compressed body, in bytes. It is the
// longest message that RabbitMQ 4 accepts by default.
const MaxBody = 16 << 20

// DecodeBody returns the body of a message, decompressed if its content encoding is
// gzip or deflate. Any other encoding is ignored: many clients write "utf-8". The
// error is [ErrNotDecoded] or [ErrTooLong].
func DecodeBody(d *amqpx.Delivery) ([]byte, error) {
	if d.ContentEncoding == "" {
		return d.Body, nil
	}
	var decode func(io.Reader) (io.ReadCloser, error)
	switch strings.ToLower(d.ContentEncoding) {
	case "gzip", "x-gzip":
		decode = func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }
	case "deflate":
		decode = zlib.NewReader
	default:
		return d.Body, nil
	}
	r, err := decode(bytes.NewReader(d.Body))
	if err != nil {
		return nil, ErrNotDecoded
	}
	body, err := io.ReadAll(io.LimitReader(r, MaxBody+1))
	if err != nil {
		return nil, ErrNotDecoded
	}
	if len(body) > MaxBody {
		return nil, ErrTooLong
	}
	return body, nil
}

// jsonBody appends the JSON of a reply's body to dst, or returns why that is impossible.
func jsonBody(dst []byte, d *amqpx.Delivery, nan NaNMode) ([]byte, error) {
	body, err := DecodeBody(d)
	if err != nil {
		return dst, err
	}
	dst, err = appendBody(dst, body, nan)
	if errors.Is(err, ErrNotJSON) || errors.Is(err, ErrNotUTF8) {
		switch amqpx.UndecodedBody(d) {
		case "value":
			return dst, ErrNotString
		case "sequence":
			return dst, ErrSequence
		}
	}
	return dst, err
}
