package filter

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/amqpx/topic"
	"github.com/clu-ws/clu-ws/internal/quote"
)

const (
	maxValues = 256 // of one field
	maxLength = 255 // of a value, in bytes; no AMQP name is longer
	maxGlobs  = 64  // of all fields: each is tried on every reply

	codes = ">idwe:f!" // CLU's message codes
	me    = "me"       // the commander that stands for the subscribing connection
)

// fieldNames are the fields of a filter, in the order in which errors list them.
func fieldNames() []string {
	return []string{"sender", "routing_key", "message_code", "keyword", "command_id", "commander", "internal"}
}

// build makes a filter from the values of each field; booleans are strings here. All names are
// valid, and no list is empty.
func build(given map[string][]string) (*Filter, error) {
	f := &Filter{}
	canonical := make(map[string]any) // the values of each field that is a constraint
	for _, field := range fieldNames() {
		values := given[field]
		if len(values) == 0 {
			continue
		}
		if err := checkBounds(field, values); err != nil {
			return nil, err
		}
		if err := f.set(field, values, canonical); err != nil {
			return nil, err
		}
	}
	var key bytes.Buffer
	enc := json.NewEncoder(&key) // it sorts the fields by name
	enc.SetEscapeHTML(false)
	if err := enc.Encode(canonical); err != nil {
		return nil, fmt.Errorf("the filter cannot be written as JSON: %w", err)
	}
	f.key = strings.TrimSpace(key.String())
	f.id = shortID(f.key)
	if n := f.Globs(); n > maxGlobs {
		return nil, fmt.Errorf("the filter has %d patterns, but may have %d: name what you want, or ask for more and select in your page", n, maxGlobs)
	}
	return f, nil
}

// shortID returns a key, or its SHA-256 if it is long. No key has the form of a hash.
func shortID(key string) string {
	const long = 200
	if len(key) <= long {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func checkBounds(field string, values []string) error {
	if len(values) > maxValues {
		return tooManyValues(field, len(values))
	}
	for _, v := range values {
		if len(v) > maxLength {
			return wrongValue(field, quote.Text(v), "is %d bytes long, but may have %d: shorten it with a pattern", len(v), maxLength)
		}
		if !utf8.ValidString(v) {
			return wrongValue(field, quote.Text(v), "is not UTF-8 text: encode it as UTF-8 before you escape it for the URL")
		}
	}
	return nil
}

func tooManyValues(field string, n int) error {
	return fmt.Errorf("the filter field %q has %d values, but may have %d: let a pattern stand for many, or leave the field out and select in your page", field, n, maxValues)
}

// set sets one field of the filter, and adds its canonical form unless it is no constraint.
func (f *Filter) set(field string, values []string, canonical map[string]any) (err error) {
	switch field {
	case "sender":
		f.sender, err = setList(field, values, readGlob, canonical)
	case "keyword":
		f.keyword, err = setList(field, values, readGlob, canonical)
	case "command_id":
		f.commandID, err = setList(field, values, readGlob, canonical)
	case "routing_key":
		f.routing, err = setList(field, values, readTopic, canonical)
	case "commander":
		if f.commander, err = setList(field, values, readGlob, canonical); f.commander != nil {
			_, f.mine = f.commander.names[me]
			delete(f.commander.names, me)
		}
	case "message_code":
		err = f.setCodes(values, canonical)
	case "internal":
		err = f.setInternal(values, canonical)
	}
	return err
}

func setList(field string, values []string, read func(string) (value, error), canonical map[string]any) (*list, error) {
	l, spellings, err := readList(values, func(text string) (value, error) {
		v, err := read(text)
		if err != nil {
			err = wrongValue(field, quote.Text(text), "is not a pattern: %w", err)
		}
		return v, err
	})
	if l != nil {
		canonical[field] = spellings
	}
	return l, err
}

// readTopic parses a pattern of routing keys. In AMQP a word such as "lvm*" is an ordinary word,
// but that is never what its author means.
func readTopic(text string) (value, error) {
	for word := range strings.SplitSeq(text, ".") {
		if len(word) > 1 && strings.ContainsAny(word, "*#") {
			return value{}, fmt.Errorf("* and # must be whole words between dots, but %s mixes them with other characters; write reply.* or reply.#", quote.Text(word))
		}
	}
	p := topic.Compile(text)
	v := value{spelling: p.String(), name: text}
	if !p.Literal() {
		v.pattern, v.all = p, v.spelling == "#"
	}
	return v, nil
}

func (f *Filter) setCodes(values []string, canonical map[string]any) error {
	for _, v := range values {
		if len(v) != 1 || !strings.Contains(codes, v) {
			return wrongValue("message_code", quote.Text(v), "is not a message code: write some of > i d w e : f !, or leave the field out to select all")
		}
	}
	values = slices.Compact(slices.Sorted(slices.Values(values)))
	f.codes = strings.Join(values, "")
	canonical["message_code"] = values
	return nil
}

func (f *Filter) setInternal(values []string, canonical map[string]any) error {
	both := false
	for _, v := range values {
		if v != "true" && v != "false" {
			return wrongValue("internal", quote.Text(v), "is neither true nor false: write one of them")
		}
		both = both || v != values[0]
	}
	if !both {
		internal := values[0] == "true"
		f.internal = &internal
		canonical["internal"] = []bool{internal}
	}
	return nil
}

// wrongValue returns an error about a value of a field. shown is the value as it appears in
// the error.
func wrongValue(field, shown, format string, args ...any) error {
	return fmt.Errorf("the value %s of the filter field %q "+format, append([]any{shown, field}, args...)...)
}
