package hightemplar

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/engine"
)

// forwarded are the header fields that the backend always gets, if the client gives their values,
// unless the configuration has the same name, in small letters as here.
var forwarded = map[string]Header{
	"cookie":        {Header: "Cookie"},
	"user-agent":    {Header: "User-Agent"},
	"x-real-ip":     {Header: "X-Real-IP"},
	"x-csrftoken":   {Cookie: "csrftoken"},
	"authorization": {Param: "token", Format: "Token {}"},
}

// ownFields are header fields by which the two ends of a connection agree.
var ownFields = []string{"Accept-Encoding", "Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// maxFields is how many bytes of header fields are forwarded.
const maxFields = 16 << 10

// forward returns the header fields of requests to the backend about a client.
func (d *service) forward(r *dialect.Request) (http.Header, *engine.RejectError) {
	fields := http.Header{"Accept": {"*/*"}, "User-Agent": {"clu-ws"}}
	query, _ := url.ParseQuery(r.Query) // what can be read of it
	size := 0
	for i, all := range []map[string]Header{forwarded, d.cfg.ConnectionHeaders} {
		for name, h := range all {
			if _, replaced := d.cfg.ConnectionHeaders[name]; replaced && i == 0 {
				continue
			}
			value := h.value(r, query)
			if value == "" {
				continue
			}
			if size += len(name) + len(value); size > maxFields || !validValue(value) {
				return nil, &engine.RejectError{Status: http.StatusBadRequest, Reason: "the header field " + name + " for the backend is too long or has a control character"}
			}
			fields.Set(name, value)
		}
	}
	return fields, nil
}

// value returns the value of a header field; "" for none.
func (h Header) value(r *dialect.Request, query url.Values) (value string) {
	switch {
	case h.Header == "Cookie":
		value = strings.Join(r.Values("Cookie"), "; ") // RFC 9113, 8.2.3
	case h.Header != "":
		value = strings.Clone(r.Header(h.Header))
	case h.Param != "":
		value = query.Get(h.Param)
	case h.Cookie != "":
		head := http.Request{Header: http.Header{"Cookie": r.Values("Cookie")}}
		if c, err := head.Cookie(h.Cookie); err == nil {
			value = c.Value
		}
	default:
		value = h.Fixed
	}
	if value == "" {
		return ""
	}
	return strings.ReplaceAll(cmp.Or(h.Format, "{}"), "{}", value)
}
