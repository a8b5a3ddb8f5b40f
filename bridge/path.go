package bridge

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// pathOf is the path in the target of an upgrade request, percent-decoded once. Where there are
// rooms, it is an error if a proxy that lets some paths through and not others might
// take it for another one.
func (b *Bridge) pathOf(target string) (string, error) {
	raw, _, _ := strings.Cut(target, "?")
	path, err := decodePath(raw)
	switch {
	case err == nil:
		return path, nil
	case len(b.cfg.Sources) == 0: // any path will do, as with CLU
		return "/", nil
	}
	return "", &engine.Refusal{Status: http.StatusBadRequest, Kind: pathKind, Reason: err.Error()}
}

// decodePath decodes a path. An encoded slash would separate segments that the sender
// did not, and only some parsers resolve dot segments (RFC 3986, 3.3 and 5.2.4; section
// 7.3 forbids decoding twice).
func decodePath(raw string) (string, error) {
	lower := strings.ToLower(raw)
	if strings.Contains(lower, "%2f") || strings.Contains(lower, "%5c") || strings.Contains(raw, `\`) {
		return "", fmt.Errorf("the path %.60q has an encoded slash or a backslash; write / between the parts of a room's path", raw)
	}
	path, err := url.PathUnescape(raw)
	if err != nil {
		return "", fmt.Errorf("the path %.60q has a percent sign that is not an escape; write %%25 for it", raw)
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fmt.Errorf("the path %.60q has a control character; leave it out", raw)
	}
	return path, checkDots(path)
}

// checkDots refuses a path with a segment . or ..
func checkDots(path string) error {
	for part := range strings.SplitSeq(path, "/") {
		if part == "." || part == ".." {
			return errors.New("a part of the path is . or ..; write the path of the room in full")
		}
	}
	return nil
}
