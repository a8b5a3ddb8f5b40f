package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// Parse parses a filter in JSON; the package documentation has the form. An empty text, null and {}
// select everything. An error is a whole sentence for the author of the filter.
func Parse(raw json.RawMessage) (*Filter, error) {
	given := make(map[string][]string)
	if len(raw) > 0 && !bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		fields, err := readFields(raw)
		if err != nil {
			return nil, err
		}
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			if given[field], err = readValues(field, fields[field]); err != nil {
				return nil, err
			}
		}
	}
	return build(given)
}

// readFields finds the fields of an untrusted filter, and stops at the first unknown one. Of
// duplicate fields, the last one counts.
func readFields(raw []byte) (map[string]json.RawMessage, error) {
	members := jsonscan.MembersOf(raw)
	if ok, _ := jsonscan.Valid(raw); !ok || bytes.TrimLeft(raw, " \t\r\n")[0] != '{' {
		return nil, errors.New(`the filter is not a JSON object: write one such as {"sender": ["lvmecp", "lvm.*"], "message_code": [":", "f"]}`)
	}
	fields := make(map[string]json.RawMessage)
	for {
		field, value, ok := members.Next()
		if !ok {
			return fields, nil
		}
		if !slices.Contains(fieldNames(), string(field)) {
			return nil, fmt.Errorf("the filter has an unknown field %s: write some of %s", quote.Text(string(field)), strings.Join(fieldNames(), ", "))
		}
		fields[string(field)] = value
	}
}

// readValues reads a value or a list of values. Beyond the bound they are only counted. Null is the
// same as no field.
func readValues(field string, raw json.RawMessage) ([]string, error) {
	switch {
	case string(raw) == "null":
		return nil, nil
	case raw[0] != '[':
		value, err := readText(field, raw)
		return []string{value}, err
	}
	var values []string
	n := 0
	for element := range jsonscan.Elements(raw) {
		if n++; n > maxValues {
			continue
		}
		value, err := readText(field, element)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	switch {
	case n == 0:
		return nil, fmt.Errorf("the filter field %q is an empty list, which selects nothing: name a value, or leave the field out to select all", field)
	case n > maxValues:
		return nil, tooManyValues(field, n)
	}
	return values, nil
}

// readText reads one value; a boolean becomes its text.
func readText(field string, raw json.RawMessage) (text string, err error) {
	if field == "internal" {
		if text = string(raw); text != "true" && text != "false" {
			return "", wrongValue(field, quote.Short(text), "is not a boolean: write true or false, without quotes")
		}
		return text, nil
	}
	// Unmarshal would read null as an empty string.
	if raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return "", wrongValue(field, quote.Short(string(raw)), "is not a string: write one text in quotes, or a list of them")
	}
	return text, nil
}
