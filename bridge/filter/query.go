package filter

import (
	"net/url"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/quote"
)

// Fields returns the names of a filter's fields, which are also its URL parameters.
func Fields() []string { return fieldNames() }

// IsField reports whether a filter has a field with the given name.
func IsField(name string) bool { return slices.Contains(fieldNames(), name) }

// FromQuery parses a filter from the parameters of a URL; the package documentation has the form.
// Other parameters are ignored. found reports whether there is a parameter of the filter; without
// one it selects everything.
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

// checkParameter rejects values that are almost certainly mistakes in a URL, although they may
// be intended in JSON.
func checkParameter(field, text string) error {
	if text == "" {
		return wrongValue(field, `""`, `is empty: name a value, with commas between several; to select replies without one, write "" in the filter of a subscribe message`)
	}
	if field == "routing_key" && strings.HasSuffix(text, ".") {
		return wrongValue(field, quote.Text(text), "ends with a dot: in a URL write %%23 for #, or the browser keeps it")
	}
	return nil
}
