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

// Body gives the body of a message, unpacked if its content encoding is gzip or deflate. Any other encoding
// is no business of ours: many clients write "utf-8". The error is [NotUnpacked] or [TooLong].
func Body(d *amqpx.Delivery) ([]byte, error) {
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
		return nil, NotUnpacked
	}
	body, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if err != nil {
		return nil, NotUnpacked
	}
	if len(body) > maxUnpacked {
		return nil, TooLong
	}
	return body, nil
}

// jsonBody splices the JSON of a reply's body behind dst, or says why there is none.
func jsonBody(dst []byte, d *amqpx.Delivery, nan NaN) ([]byte, error) {
	body, err := Body(d)
	if err != nil {
		return dst, err
	}
	dst, err = appendBody(dst, body, nan)
	if errors.Is(err, NotJSON) || errors.Is(err, NotUTF8) {
		switch amqpx.UndecodedBody(d) {
		case "value":
			return dst, NotText
		case "sequence":
			return dst, Sequence
		}
	}
	return dst, err
}
