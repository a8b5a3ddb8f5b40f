package bridge

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// singleParameters returns the URL parameters that may occur only once; those of a filter
// may be repeated.
func singleParameters() []string {
	return []string{"since", "snapshot", "throttle_ms", "batch_ms", "ordered", "silent"}
}

// isParameter reports whether a name is one of the bridge's parameters.
func isParameter(name string) bool {
	return filter.IsField(name) || slices.Contains(singleParameters(), name)
}

// readQuery reads the query of a URL. ours reports whether it has one of the bridge's
// parameters, in upper or lower case: without one the query is ignored, as by CLU. With one,
// every other parameter must be valid, too: silently ignoring one might drop a filter that the
// client relies on. wrong is the first error.
func readQuery(raw string) (values url.Values, ours bool, wrong error) {
	values = url.Values{}
	note := func(format string, args ...any) {
		if wrong == nil {
			wrong = fmt.Errorf(format, args...)
		}
	}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		if strings.Contains(pair, ";") {
			for part := range strings.SplitSeq(pair, ";") {
				ours = ours || namesParameter(part)
			}
			note("%.60q has a semicolon; write & between parameters, and %%3B for a semicolon in a value", pair)
			continue
		}
		ours = ours || namesParameter(pair)
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		switch lower := strings.ToLower(name); {
		case err != nil || err2 != nil:
			note("%.60q has a percent sign that begins no escape; write %%25 for it", pair)
		case !isParameter(name) && isParameter(lower):
			note("there is no parameter %.60q; write %s", name, lower)
		case !isParameter(name):
			note("there is no parameter %.60q; there are %s", name, strings.Join(append(filter.Fields(), singleParameters()...), ", "))
		case values.Has(name) && slices.Contains(singleParameters(), name):
			note("%s is there twice; give it once", name)
		}
		values[name] = append(values[name], value)
	}
	return values, ours, wrong
}

// namesParameter reports whether a part of a query names one of the bridge's parameters.
func namesParameter(part string) bool {
	name, _, _ := strings.Cut(part, "=")
	if decoded, err := url.QueryUnescape(name); err == nil {
		name = decoded
	}
	return isParameter(strings.ToLower(name))
}
