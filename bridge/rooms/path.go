package rooms

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/quote"
)

// Bounds of a room's path. Each part takes a place in an index.
const (
	maxRoomPath  = 255 // bytes
	maxRoomParts = 16
)

// CleanPath returns the path of a room in its canonical form, without a slash at the end. It fails
// if no room can have the path.
func CleanPath(path string) (string, error) {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "", fmt.Errorf("%s is not the path of a room; begin it with /, as in /live/x", quote.Text(path))
	case len(path) > maxRoomPath:
		return "", fmt.Errorf("the path %s is %d bytes long; a room's may have %d", quote.Text(path), len(path), maxRoomPath)
	case !utf8.ValidString(path):
		return "", fmt.Errorf("the path %s is not UTF-8", quote.Text(path))
	case path == "/":
		return path, nil
	}
	if err := checkDots(path); err != nil {
		return "", err
	}
	path = strings.TrimSuffix(path, "/")
	if strings.Contains(path, "//") || strings.HasSuffix(path, "/") {
		return "", fmt.Errorf("the path %s has an empty part; write one slash between its parts", quote.Text(path))
	}
	if n := strings.Count(path, "/"); n > maxRoomParts {
		return "", fmt.Errorf("the path %s has %d parts; a room's may have %d", quote.Text(path), n, maxRoomParts)
	}
	return path, nil
}

// DecodePath decodes a path. An encoded slash would separate segments that the sender
// did not, and only some parsers resolve dot segments (RFC 3986, 3.3 and 5.2.4; section
// 7.3 forbids decoding twice).
func DecodePath(raw string) (string, error) {
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

// checkDots rejects a path with a segment . or ..
func checkDots(path string) error {
	for part := range strings.SplitSeq(path, "/") {
		if part == "." || part == ".." {
			return errors.New("a part of the path is . or ..; write the path of the room in full")
		}
	}
	return nil
}
