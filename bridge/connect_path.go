package bridge

import (
	"net/http"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// pathOf returns the path in the target of an upgrade request, percent-decoded once. If there
// are rooms, a path that a proxy with access rules might read as a different path is an
// error.
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
