package reddit

import (
	"net/url"
	"strings"
)

// maxSignature is longer than every signature.
const maxSignature = 64

// standardAlphabet has the characters of the standard alphabet of base64 that the URL-safe one
// replaces. Python's decoder takes both, so backends may send either.
var standardAlphabet = strings.NewReplacer("+", "-", "/", "_")

// signatureIn returns the first m of a query that is not empty, in the URL-safe alphabet. As with the
// strict parser of reddit's service, each part of the query must have an equals sign.
func signatureIn(query string) (m string, ok bool) {
	for part := range strings.SplitSeq(query, "&") {
		key, value, found := strings.Cut(part, "=")
		if !found {
			return "", false
		}
		if key != "m" || m != "" || len(value) > 3*maxSignature {
			continue
		}
		if text, err := url.PathUnescape(value); err == nil {
			m = standardAlphabet.Replace(text)
		}
	}
	return m, m != ""
}
