package bridge

import (
	"net/http"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// pathOf is the path in the target of an upgrade request, percent-decoded once. Where there are
// rooms, it is an error if a proxy that lets some paths through and not others might
// take it for another one.
func (b *Bridge) pathOf(target string) (string, error) {
	raw, _, _ := strings.Cut(target, "?")
	path, err := rooms.DecodePath(raw)
	switch {
	case err == nil:
		return path, nil
	case len(b.cfg.Sources) == 0: // any path will do, as with CLU
		return "/", nil
	}
	return "", &engine.RejectError{Status: http.StatusBadRequest, Kind: pathKind, Reason: err.Error()}
}
