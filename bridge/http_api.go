package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/quote"
)

const (
	// maxAPIBody is the longest request body of the API, in bytes.
	maxAPIBody = 1 << 20
	// apiReadTimeout is how long the body of a request to the admin port may take to arrive.
	apiReadTimeout = 30 * time.Second
)

// onlyMethod returns a handler for the other methods of a path that has one.
func onlyMethod(method string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", method)
		writeAPI(w, http.StatusMethodNotAllowed, protocol.JSON(apiError{Error: "only " + method + " is allowed here"}))
	}
}

// apiError is the answer to a request that failed.
type apiError struct {
	Status    int    `json:"-"`
	Error     string `json:"error"`
	Code      string `json:"code,omitempty"`
	CommandID string `json:"command_id,omitempty"`

	retryAfter time.Duration // 0 is not said
}

func apiErrorf(status int, format string, args ...any) *apiError {
	return &apiError{Status: status, Error: fmt.Sprintf(format, args...)}
}

// apiHandler returns a handler that identifies the client, reads the request's body and writes
// the status and JSON that do returns, or its error. do decides whether the client may do it.
func (b *Bridge) apiHandler(do func(r *http.Request, from *client, payload []byte) (int, []byte, *apiError)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := b.identifyAPI(w, r)
		if from == nil {
			return
		}
		var status int
		var answer []byte
		payload, wrong := readBody(w, r)
		if wrong == nil {
			status, answer, wrong = do(r, from, payload)
		}
		if wrong != nil {
			wrong.write(w)
			return
		}
		writeAPI(w, status, answer)
	}
}

// identifyAPI returns the client that sends a request to the admin port. It returns nil if it has
// answered, because the client may send none.
func (b *Bridge) identifyAPI(w http.ResponseWriter, r *http.Request) *client {
	var generation uint64
	if b.access != nil {
		generation = b.access.generation.Load()
	}
	p, refusal := b.identifyHTTP(r)
	if refusal != nil {
		b.refuseHTTP(w, r, refusal)
		return nil
	}
	from := b.httpClient(r, p, generation)
	if no, ok := errors.AsType[*protocol.Rejection](b.takeMessage(from)); ok {
		b.metrics.refused.Inc()
		(&apiError{Status: http.StatusTooManyRequests, Error: no.Message, Code: no.Code, retryAfter: no.RetryAfter}).write(w)
		return nil
	}
	return from
}

// write answers a request with the error.
func (e *apiError) write(w http.ResponseWriter) {
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.retryAfter.Seconds()))))
	}
	writeAPI(w, e.Status, protocol.JSON(e))
}

// forbid returns the answer to a request that a decision refuses, and records it.
func (b *Bridge) forbid(from *client, door, path string, d access.Decision) *apiError {
	b.noteRefused(from, door, path, d)
	return &apiError{Status: http.StatusForbidden, Error: d.Reason, Code: protocol.CodeForbidden}
}

// forAdmins serves a handler to clients that may administer the bridge.
func (b *Bridge) forAdmins(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := b.identifyAPI(w, r)
		if from == nil {
			return
		}
		if d := b.decide(from, access.Request{Door: access.Administer}); !d.Allowed {
			b.forbid(from, "admin", r.URL.Path, d).write(w)
			return
		}
		next(w, r)
	}
}

func writeAPI(w http.ResponseWriter, status int, answer []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(answer, '\n')) // an error means that the client is gone
}

// readBody reads a request's body. The Content-Type must be JSON: a browser lets any page post
// other types to any address.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *apiError) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, apiErrorf(http.StatusUnsupportedMediaType, "the Content-Type is %s; send application/json", quote.Text(r.Header.Get("Content-Type")))
	}
	// Only the body has a deadline: waiting for a command's end may take longer. An error
	// means that there is no socket.
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(apiReadTimeout))
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAPIBody))
	_ = rc.SetReadDeadline(time.Time{})
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		return nil, apiErrorf(http.StatusRequestEntityTooLarge, "the request is longer than %d bytes", maxAPIBody)
	}
	if err != nil {
		return nil, apiErrorf(http.StatusBadRequest, "the request did not arrive completely: %v", err)
	}
	if !utf8.Valid(payload) { // decoding it would change the command, perhaps into another valid one
		return nil, apiErrorf(http.StatusBadRequest, "the request is not UTF-8, as JSON is")
	}
	return payload, nil
}

// readFields reads a JSON object that may have only the named fields.
func readFields(payload []byte, form string, names ...string) (protocol.Fields, *apiError) {
	var f protocol.Fields
	if err := json.Unmarshal(payload, &f); err != nil || f == nil {
		return nil, apiErrorf(http.StatusBadRequest, "the request is no JSON object; send %s", form)
	}
	for _, name := range f.Names() {
		if !slices.Contains(names, name) {
			return nil, apiErrorf(http.StatusBadRequest, "there is no field %s; send %s", quote.Text(name), form)
		}
	}
	return f, nil
}

// parseParameters parses the parameters of a URL. Only the named ones are allowed, each once.
func parseParameters(r *http.Request, names ...string) (url.Values, *apiError) {
	query, wrong := parseRepeated(r, names...)
	if wrong != nil {
		return nil, wrong
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if n := len(query[name]); n > 1 {
			return nil, apiErrorf(http.StatusBadRequest, "the parameter %q is there %d times; give it once", name, n)
		}
	}
	return query, nil
}

// parseRepeated is parseParameters for parameters that may be repeated.
func parseRepeated(r *http.Request, names ...string) (url.Values, *apiError) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, apiErrorf(http.StatusBadRequest, "the parameters %s are not understood: %s", quote.Text(r.URL.RawQuery), quote.Short(err.Error()))
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch {
		case len(names) == 0:
			return nil, apiErrorf(http.StatusBadRequest, "there is no parameter %s; this path takes none", quote.Text(name))
		case !slices.Contains(names, name):
			return nil, apiErrorf(http.StatusBadRequest, "there is no parameter %s; there are %s", quote.Text(name), strings.Join(names, " and "))
		}
	}
	return query, nil
}

// parseWait parses ?wait=1&timeout_ms=. It returns how long to wait for the command's end, or 0
// not to wait.
func parseWait(r *http.Request) (time.Duration, *apiError) {
	query, wrong := parseParameters(r, "wait", "timeout_ms")
	if wrong != nil {
		return 0, wrong
	}
	wait, err := strconv.ParseBool(strings.TrimSpace(query.Get("wait")))
	switch {
	case query.Has("wait") && err != nil:
		return 0, apiErrorf(http.StatusBadRequest, "wait=%s: write wait=1", quote.Short(query.Get("wait")))
	case !wait && query.Has("timeout_ms"):
		return 0, apiErrorf(http.StatusBadRequest, "timeout_ms needs wait=1")
	case !wait:
		return 0, nil
	case !query.Has("timeout_ms"):
		return hub.MaxWait, nil
	}
	ms, err := strconv.Atoi(query.Get("timeout_ms"))
	if err != nil || ms < 1 || ms > int(hub.MaxWait/time.Millisecond) {
		return 0, apiErrorf(http.StatusBadRequest, "timeout_ms=%s: write a number of milliseconds from 1 to %d", quote.Short(query.Get("timeout_ms")), hub.MaxWait/time.Millisecond)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// compactJSON returns a JSON text without white space.
func compactJSON(text []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return text
	}
	return b.Bytes()
}
