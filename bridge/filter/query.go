package filter

import (
	"net/url"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/quote"
)

// Fields returns the names of a filter's fields, which are also its URL parameters.
func Fields() []string { return fieldNames() }

// IsField reports whether a name is a field's.
func IsField(name string) bool { return slices.Contains(fieldNames(), name) }

// FromQuery reads a filter from the parameters of a URL; doc.go tells their form. Parameters that
// are not fields of a filter are ignored. It reports whether there was one that is; without any the
// filter selects everything.
func FromQuery(query url.Values) (f *Filter, found bool, err error) {
	given := make(map[string][]string)
	for _, field := range fieldNames() {
		for _, parameter := range query[field] {
			found = true
			for text := range strings.SplitSeq(parameter, ",") {
				if err := checkParameter(field, text); err != nil {
					return nil, true, err
				}
				given[field] = append(given[field], text)
			}
		}
	}
	f, err = build(given)
	return f, found, err
}

// checkParameter refuses what is a slip of the pen in a URL, though it might be meant in JSON.
func checkParameter(field, text string) error {
	if text == "" {
		return wrongValue(field, `""`, `is empty: name a value, with commas between several; to select replies without one, write "" in the filter of a subscribe message`)
	}
	if field == "routing_key" && strings.HasSuffix(text, ".") {
		return wrongValue(field, quote.Text(text), "ends with a dot: in a URL write %%23 for #, or the browser keeps it")
	}
	return nil
}
