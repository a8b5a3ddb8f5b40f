package catalog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/dialect/hightemplar"
	"github.com/clu-ws/clu-ws/bridge/dialect/jararaca"
	"github.com/clu-ws/clu-ws/bridge/dialect/reddit"
	"github.com/clu-ws/clu-ws/bridge/dialect/socketshark"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// Config is an element of the section "dialects" of the configuration file. The keys are given by the
// tags. It has one of the dialects.
type Config struct {
	// Path is the path of the clients' requests.
	Path string `json:"path"`
	// Rooms is the path at and below which the rooms are; "" is that of the clients' requests.
	Rooms       string              `json:"rooms"`
	SocketShark *socketshark.Config `json:"socketshark"`
	HighTemplar *hightemplar.Config `json:"high-templar"`
	Reddit      *reddit.Config      `json:"reddit"`
	Jararaca    *jararaca.Config    `json:"jararaca"`
}

// Mounts returns the dialects of a configuration. Its errors are [*dialect.PathError], joined, with
// paths such as [0].path.
func Mounts(all []Config) (mounts []dialect.Mount, err error) {
	var wrong []error
	for i := range all {
		place := fmt.Sprintf("[%d]", i)
		m, err := all[i].mount()
		if err != nil {
			wrong = append(wrong, below(place, err))
			continue
		}
		made := m.New
		m.New = func(h dialect.Host) (dialect.Dialect, error) {
			d, err := made(h)
			return d, below(place, err)
		}
		mounts = append(mounts, m)
	}
	return mounts, errors.Join(wrong...)
}

// mount returns the dialect of an element.
func (c *Config) mount() (m dialect.Mount, err error) {
	if !strings.HasPrefix(c.Path, "/") {
		return m, &dialect.PathError{Path: "path", Err: errors.New("must begin with /, as in /ws/")}
	}
	m.Path, m.Rooms = c.Path, c.Rooms
	if m.Rooms == "" {
		m.Rooms = c.Path
	}
	if m.Rooms, err = rooms.CleanPath(m.Rooms); err != nil {
		return m, &dialect.PathError{Path: "rooms", Err: err}
	}
	var named []string
	if c.SocketShark != nil {
		named = append(named, "socketshark")
		m.New = func(h dialect.Host) (dialect.Dialect, error) { return socketshark.New(c.SocketShark, m.Place, h) }
	}
	if c.HighTemplar != nil {
		named = append(named, "high-templar")
		m.New = func(h dialect.Host) (dialect.Dialect, error) { return hightemplar.New(c.HighTemplar, m.Place, h) }
	}
	if c.Reddit != nil {
		named = append(named, "reddit")
		m.New = func(h dialect.Host) (dialect.Dialect, error) { return reddit.New(c.Reddit, m.Place, h) }
	}
	if c.Jararaca != nil {
		named = append(named, "jararaca")
		m.New = func(h dialect.Host) (dialect.Dialect, error) { return jararaca.New(c.Jararaca, m.Place, h) }
	}
	if len(named) != 1 {
		return m, &dialect.PathError{Path: "path", Err: fmt.Errorf("names %d dialects; give one of socketshark, high-templar, reddit and jararaca", len(named))}
	}
	made := m.New
	m.New = func(h dialect.Host) (dialect.Dialect, error) {
		d, err := made(h)
		return d, below(named[0], err)
	}
	return m, nil
}

// below puts a key before the paths of errors.
func below(key string, err error) error {
	if err == nil {
		return nil
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var placed []error
		for _, e := range all.Unwrap() {
			placed = append(placed, below(key, e))
		}
		return errors.Join(placed...)
	}
	if at, ok := errors.AsType[*dialect.PathError](err); ok {
		return &dialect.PathError{Path: key + "." + at.Path, Err: at.Err}
	}
	return &dialect.PathError{Path: key, Err: err}
}
