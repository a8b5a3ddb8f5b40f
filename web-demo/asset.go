package webdemo

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// asset is a file as it is served: whole or compressed, with a tag for each that tells its content.
type asset struct {
	contentType string
	content     []byte
	compressed  []byte // gzip; nil if that saves nothing
	hash        string
}

// newAsset compresses a content, once for all requests.
func newAsset(contentType string, content []byte) *asset {
	a := &asset{contentType: contentType, content: content, hash: contentHash(content)}
	var b bytes.Buffer
	zip, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	_, _ = zip.Write(content)                               // a buffer takes everything
	_ = zip.Close()
	if b.Len() < len(content) {
		a.compressed = bytes.Clone(b.Bytes())
	}
	return a
}

// ServeHTTP answers with 304 if the client has this content (RFC 9110, 13.1.2), else with the content, compressed if the
// client accepts that.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	content, tag := a.content, `"`+a.hash+`"`
	if a.compressed != nil && acceptsGzip(r.Header.Values("Accept-Encoding")) {
		content, tag = a.compressed, `"`+a.hash+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	if matchesTag(r.Header.Values("If-None-Match"), a.hash) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", a.contentType)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // an error means that the client is gone
	}
}

// acceptsGzip reports whether gzip is among the encodings that a client accepts, and not with the weight 0
// (RFC 9110, 12.5.3).
func acceptsGzip(fields []string) bool {
	any := false
	for coding := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "gzip" && name != "x-gzip" && name != "*" {
			continue
		}
		accepted := true
		if key, weight, found := strings.Cut(parameters, "="); found && strings.EqualFold(strings.TrimSpace(key), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
			accepted = err == nil && q > 0
		}
		if name != "*" {
			return accepted
		}
		any = accepted
	}
	return any
}

// matchesTag reports whether one of the tags that a client has is of this content, compressed or not. They are compared
// weakly, since proxies that compress make them weak.
func matchesTag(fields []string, hash string) bool {
	for tag := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == `"`+hash+`"` || tag == `"`+hash+`-gzip"` {
			return true
		}
	}
	return false
}
