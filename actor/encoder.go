package actor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"reflect"
	"slices"
	"sync"
)

const (
	// maxWarnedKeywords bounds the keywords for which an encoder remembers a warning.
	maxWarnedKeywords = 1000
	// maxValueDepth is the depth in a value down to which numbers that are not finite are
	// replaced.
	maxValueDepth = 32
)

// encoder writes the keywords of an actor's replies as JSON.
type encoder struct {
	log *slog.Logger
	nan bool // numbers that are not finite are written as Python does, instead of null

	mu     sync.Mutex // guards the following field
	warned map[string]bool
}

func newEncoder(log *slog.Logger) *encoder {
	return &encoder{log: log, warned: make(map[string]bool)}
}

// encode returns keywords as JSON, "{}" for none. Attrs identify the command in the log. It
// returns an error if JSON cannot hold a value; the body then has the other keywords.
func (e *encoder) encode(k Keywords, attrs ...any) (json.RawMessage, error) {
	if len(k) == 0 {
		return json.RawMessage("{}"), nil
	}
	if b, err := marshalValue(map[string]any(k)); err == nil {
		return b, nil
	}
	body := make(map[string]json.RawMessage, len(k))
	var failed error
	for _, name := range slices.Sorted(maps.Keys(k)) {
		raw, err := marshalValue(k[name])
		if notFinite(err) {
			raw, err = e.encodeNotFinite(name, k[name], err, attrs)
		}
		if err != nil {
			err = fmt.Errorf("keyword %s: %w", name, err)
			e.log.Error("a keyword's value cannot be written as JSON", append([]any{"keyword", name, "error", err}, attrs...)...)
			failed = errors.Join(failed, err)
			continue
		}
		body[name] = raw
	}
	return e.withTokens(marshal(body)), failed
}

// encodeNotFinite returns the JSON of a value with numbers that are not finite: null for them, or
// strings that withTokens replaces.
func (e *encoder) encodeNotFinite(name string, value any, err error, attrs []any) (json.RawMessage, error) {
	if !e.nan {
		e.warn(name, err, attrs)
	}
	return marshalValue(e.finite(reflect.ValueOf(value), maxValueDepth))
}

// tokenMark begins a string that stands for a number that is not finite, up to the end of the
// encoding. No keyword has such a text.
const tokenMark = "\x00clu-ws\x00"

// withTokens writes NaN, Infinity and -Infinity, which are not JSON, as Python does.
func (e *encoder) withTokens(body json.RawMessage) json.RawMessage {
	if !e.nan {
		return body
	}
	for _, token := range []string{"NaN", "Infinity", "-Infinity"} {
		body = bytes.ReplaceAll(body, marshal(tokenMark+token), []byte(token))
	}
	return body
}

// token returns what stands for a number that is not finite.
func (e *encoder) token(v reflect.Value) any {
	if !e.nan || !v.CanFloat() {
		return nil
	}
	switch f := v.Float(); {
	case math.IsNaN(f):
		return tokenMark + "NaN"
	case f > 0:
		return tokenMark + "Infinity"
	}
	return tokenMark + "-Infinity"
}

// warn logs that a keyword's value is not finite, once for each keyword: an instrument that
// reports NaN may report it every second.
func (e *encoder) warn(name string, err error, attrs []any) {
	e.mu.Lock()
	known := e.warned[name]
	if !known && len(e.warned) < maxWarnedKeywords {
		e.warned[name] = true
	}
	e.mu.Unlock()
	if !known {
		e.log.Warn("a keyword is not a finite number; null is sent, here and from now on", append([]any{"keyword", name, "error", err}, attrs...)...)
	}
}

// notFinite reports whether JSON refused a value because of NaN or Infinity.
func notFinite(err error) bool {
	var unsupported *json.UnsupportedValueError
	return errors.As(err, &unsupported) && unsupported.Value.CanFloat()
}

// finite returns a copy of a value in which null, or a token, replaces numbers that are not finite. It
// descends into lists, maps and pointers; a struct with such a number, and a value below
// the depth bound, become null as a whole.
func (e *encoder) finite(v reflect.Value, depth int) any {
	if !v.IsValid() || depth == 0 {
		return nil
	}
	if v.CanInterface() {
		if _, err := marshalValue(v.Interface()); !notFinite(err) {
			return v.Interface()
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return e.finite(v.Elem(), depth-1)
	case reflect.Slice, reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = e.finite(v.Index(i), depth-1)
		}
		return list
	case reflect.Map:
		copied := reflect.MakeMapWithSize(reflect.MapOf(v.Type().Key(), reflect.TypeFor[any]()), v.Len())
		for key, value := range v.Seq2() {
			element := reflect.New(reflect.TypeFor[any]()).Elem()
			if clean := e.finite(value, depth-1); clean != nil {
				element.Set(reflect.ValueOf(clean))
			}
			copied.SetMapIndex(key, element)
		}
		return copied.Interface()
	}
	return e.token(v)
}
