package catalog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// checkPath checks the path of the clients' requests, which may end with a slash.
func checkPath(path string) error {
	switch {
	case path == "":
		return errors.New("is missing; give the path of the clients' requests, such as /ws/")
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("%q must begin with /, as in /ws/", path)
	case strings.ContainsAny(path, "?#%{}") || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return fmt.Errorf("%q is not a path alone; leave out spaces, parameters and the characters ? # %% { }", path)
	}
	_, err := rooms.CleanPath(path)
	return err
}

// checkDistinct checks that no other dialect has the path.
func checkDistinct(m dialect.Mount, others []dialect.Mount) error {
	for _, other := range others {
		if strings.TrimSuffix(m.Path, "/") == strings.TrimSuffix(other.Path, "/") {
			return &dialect.PathError{Path: "path", Err: fmt.Errorf("the path %s is that of the dialect %s, too; give each its own", m.Path, other.Name)}
		}
	}
	return nil
}

// source is what the messages of a dialect come by.
type source struct {
	format  string
	example string // without its path
}

// check checks that a source feeds a dialect's rooms.
func (s source) check(all []rooms.Source, at dialect.Place) error {
	other := ""
	for i := range all {
		within := s.format == rooms.FormatRaw && all[i].Covers(at.Rooms) // the other formats have names of rooms
		if all[i].Path != at.Rooms && !within {
			continue
		}
		if all[i].Format == s.format {
			return nil
		}
		other = fmt.Sprintf("; that of %s has the format %s", all[i].Name(), all[i].Format)
	}
	return &dialect.PathError{Path: "path", Err: fmt.Errorf("no source has the rooms of %s in the format %s%s; add one, such as source: %s%s", at.Rooms, s.format, other, s.example, at.Rooms)}
}
