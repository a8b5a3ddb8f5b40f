package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/quote"
)

// Parse reads a filter from JSON; doc.go tells its form. Nothing, null and {} select everything. An
// error is a whole sentence for the developer of a page.
func Parse(raw json.RawMessage) (*Filter, error) {
	var object map[string]json.RawMessage
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &object); err != nil {
			return nil, errors.New(`the filter is not a JSON object: write one such as {"sender": ["lvmecp", "lvm.*"], "message_code": [":", "f"]}`)
		}
	}
	given := make(map[string][]string)
	for _, field := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(fieldNames(), field) {
			return nil, fmt.Errorf("the filter has a field %s, which there is not: write some of %s", quote.Text(field), strings.Join(fieldNames(), ", "))
		}
		values, err := readValues(field, object[field])
		if err != nil {
			return nil, err
		}
		given[field] = values
	}
	return build(given)
}

// readValues reads one value or a list of them. Null is the same as no field.
func readValues(field string, raw json.RawMessage) ([]string, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	list := []json.RawMessage{raw}
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, fmt.Errorf("the filter field %q cannot be read: %w", field, err)
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("the filter field %q is an empty list, which selects nothing: name a value, or leave the field out to select all", field)
		}
	}
	values := make([]string, len(list))
	for i, element := range list {
		var err error
		if values[i], err = readText(field, element); err != nil {
			return nil, err
		}
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
	// A null would be read as an empty text.
	if raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return "", wrongValue(field, quote.Short(string(raw)), "is not a string: write one text in quotes, or a list of them")
	}
	return text, nil
}
