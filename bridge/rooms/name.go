package rooms

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxName is the length of the longest name of a room in a path, in bytes. What would be longer is
// hashed.
const maxName = 128

// EscapeName returns a name as one part of a path. Different names have different parts.
func EscapeName(name string) string {
	switch name {
	case "":
		return "%"
	case ".", "..":
		return strings.ReplaceAll(name, ".", "%2E")
	}
	return fit(url.PathEscape(name))
}

// fit returns a part of a path, or its hash if it is too long. No other part begins as a hash does.
func fit(part string) string {
	if len(part) <= maxName {
		return part
	}
	sum := sha256.Sum256([]byte(part))
	return "%~" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// DictName returns a room that is a JSON object as one part of a path, as in animal=$penguin&zoo=1.
// The order of the keys and the way in which a value is written do not matter, but 1, 1.0, true and
// "1" are different. It fails with [ErrForm] or [ErrNotJSON].
func DictName(object []byte) (string, error) {
	read := json.NewDecoder(bytes.NewReader(object))
	read.UseNumber()
	var dict map[string]any
	if err := read.Decode(&dict); err != nil && !json.Valid(object) {
		return "", ErrNotJSON
	}
	if dict == nil { // another kind of value
		return "", ErrForm
	}
	b, ok := appendDict(nil, dict)
	if !ok {
		return "", ErrForm
	}
	return fit(cmp.Or(string(b), "%")), nil
}

// appendDict appends an object. It returns false if a text in it is not Unicode: two such texts look
// the same once they are decoded.
func appendDict(b []byte, dict map[string]any) (_ []byte, ok bool) {
	for i, key := range slices.Sorted(maps.Keys(dict)) {
		if i > 0 {
			b = append(b, '&')
		}
		if b, ok = appendText(b, key); !ok {
			return b, false
		}
		if b, ok = appendValue(append(b, '='), dict[key]); !ok {
			return b, false
		}
	}
	return b, true
}

func appendValue(b []byte, value any) (_ []byte, ok bool) {
	switch v := value.(type) {
	case string:
		return appendText(append(b, '$'), v)
	case json.Number:
		return appendNumber(b, string(v)), true
	case bool:
		return strconv.AppendBool(b, v), true
	case map[string]any:
		if b, ok = appendDict(append(b, '('), v); !ok {
			return b, false
		}
		return append(b, ')'), true
	case []any:
		b = append(b, '[')
		for i, element := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, ok = appendValue(b, element); !ok {
				return b, false
			}
		}
		return append(b, ']'), true
	}
	return append(b, "null"...), true
}

// appendText appends a text, of which letters, digits and -_.~ stay as they are.
func appendText(b []byte, text string) (_ []byte, ok bool) {
	if strings.ContainsRune(text, '\uFFFD') { // what half of a surrogate pair is decoded as
		return b, false
	}
	return append(b, strings.ReplaceAll(url.QueryEscape(text), "+", "%20")...), true
}

// appendNumber appends a number: whole ones as they are, others with an exponent.
func appendNumber(b []byte, text string) []byte {
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" {
			text = "0"
		}
		return append(b, text...)
	}
	f, _ := strconv.ParseFloat(text, 64) // too large is infinite
	if math.IsInf(f, 0) {
		return strconv.AppendFloat(b, f, 'g', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'e', -1, 64)
}
