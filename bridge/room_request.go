package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// maxRoomsPerRequest is how many rooms a subscription may name.
const maxRoomsPerRequest = 64

// readRooms reads the rooms of a subscription, all of which the client may hear.
func (b *Bridge) readRooms(c *client, f protocol.Fields, d *hub.SubscribeRequest) error {
	raw, ok := f["rooms"]
	if !ok || string(raw) == "null" {
		return nil
	}
	paths, err := readPaths(raw)
	if err != nil {
		return err
	}
	for _, p := range paths {
		path, err := b.checkRoom(p)
		if err != nil {
			return err
		}
		if may := b.mayEnter(c, path); !may.Allowed {
			b.noteRefused(c, "room", path, may)
			return forbidden(may)
		}
		d.Spec.Rooms = append(d.Spec.Rooms, path)
	}
	slices.Sort(d.Spec.Rooms)
	d.Spec.Rooms = slices.Compact(d.Spec.Rooms)
	return nil
}

// readPaths reads a list of rooms. Those beyond the bound are counted but not decoded.
func readPaths(raw json.RawMessage) (paths []string, err error) {
	if raw[0] != '[' {
		return nil, fmt.Errorf(`"rooms" is %s, but must be a list of paths`, protocol.Kind(raw))
	}
	n := 0
	for element := range jsonscan.Elements(raw) {
		if n++; n > maxRoomsPerRequest {
			continue
		}
		var path string
		if element[0] != '"' || json.Unmarshal(element, &path) != nil {
			return nil, fmt.Errorf(`"rooms" has %s in it, but must be a list of paths`, protocol.Kind(element))
		}
		paths = append(paths, path)
	}
	if n == 0 || n > maxRoomsPerRequest {
		return nil, fmt.Errorf(`"rooms" names %d rooms; name 1 to %d`, n, maxRoomsPerRequest)
	}
	return paths, nil
}

// checkRoom returns the clean path of a room, if there is such a room.
func (b *Bridge) checkRoom(path string) (string, error) {
	if len(b.cfg.Sources) == 0 {
		return "", errors.New("this bridge has no rooms; start it with --source")
	}
	path, err := rooms.CleanPath(path)
	if err != nil {
		return "", err
	}
	if rooms.Find(b.cfg.Sources, path) == nil {
		return "", fmt.Errorf("there is no room %s; there are those at and below %s", quote.Text(path), b.roomRoots())
	}
	return path, nil
}
