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

// maxUnpacked is how long a body may be that comes compressed, in bytes. It is the longest that
// RabbitMQ 4 takes, if nobody tells it otherwise.
const maxUnpacked = 16 << 20

// DecodeBody gives the body of a message, unpacked if its content encoding is gzip or deflate. Any other encoding
// is no business of ours: many clients write "utf-8". The error is [ErrNotDecoded] or [ErrTooLong].
func DecodeBody(d *amqpx.Delivery) ([]byte, error) {
	if d.ContentEncoding == "" {
		return d.Body, nil
	}
	var unpack func(io.Reader) (io.ReadCloser, error)
	switch strings.ToLower(d.ContentEncoding) {
	case "gzip", "x-gzip":
		unpack = func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }
	case "deflate":
		unpack = zlib.NewReader
	default:
		return d.Body, nil
	}
	r, err := unpack(bytes.NewReader(d.Body))
	if err != nil {
		return nil, ErrNotDecoded
	}
	body, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if err != nil {
		return nil, ErrNotDecoded
	}
	if len(body) > maxUnpacked {
		return nil, ErrTooLong
	}
	return body, nil
}

// jsonBody splices the JSON of a reply's body behind dst, or says why there is none.
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
