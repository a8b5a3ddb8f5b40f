package catalog

import (
	"errors"
	"fmt"

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
		key := fmt.Sprintf("[%d]", i)
		m, err := all[i].mount()
		if err == nil {
			err = checkDistinct(m, mounts)
		}
		if err != nil {
			wrong = append(wrong, below(key, err))
			continue
		}
		made := m.New
		m.Key = key
		m.New = func(h dialect.Host) (dialect.Dialect, error) {
			d, err := made(h)
			return d, below(key, err)
		}
		mounts = append(mounts, m)
	}
	return mounts, errors.Join(wrong...)
}

// mount returns the dialect of an element.
func (c *Config) mount() (m dialect.Mount, err error) {
	m.Path, m.Rooms = c.Path, c.Rooms
	if err := checkPath(m.Path); err != nil {
		return m, &dialect.PathError{Path: "path", Err: err}
	}
	if m.Rooms == "" {
		m.Rooms = c.Path
	}
	if m.Rooms, err = rooms.CleanPath(m.Rooms); err != nil {
		return m, &dialect.PathError{Path: "rooms", Err: err}
	}
	var feed source
	var named []string
	for _, s := range c.spoken(&m) {
		if s.given {
			named = append(named, s.name)
			m.Name, m.New, feed = s.name, s.new, s.feed
		}
	}
	if len(named) != 1 {
		return m, &dialect.PathError{Err: fmt.Errorf("this element has %d dialects; give it one of socketshark, high-templar, reddit and jararaca", len(named))}
	}
	made := m.New
	m.New = func(h dialect.Host) (dialect.Dialect, error) {
		d, err := made(h)
		return d, errors.Join(below(m.Name, err), feed.check(h.Sources, m.Place))
	}
	return m, nil
}

// spoken is a dialect, and whether an element has it.
type spoken struct {
	name  string
	given bool
	new   func(h dialect.Host) (dialect.Dialect, error)
	feed  source
}

// spoken returns all dialects. What they are at is complete when they are made.
func (c *Config) spoken(m *dialect.Mount) []spoken {
	return []spoken{
		{"socketshark", c.SocketShark != nil, func(h dialect.Host) (dialect.Dialect, error) {
			return socketshark.New(c.SocketShark, m.Place, h)
		}, source{rooms.FormatSocketShark, "redis=redis://localhost:6379/0,format=socketshark,path="}},
		{"high-templar", c.HighTemplar != nil, func(h dialect.Host) (dialect.Dialect, error) {
			return hightemplar.New(c.HighTemplar, m.Place, h)
		}, source{rooms.FormatHighTemplar, "exchange=hightemplar,type=direct,format=hightemplar,path="}},
		{"reddit", c.Reddit != nil, func(h dialect.Host) (dialect.Dialect, error) {
			return reddit.New(c.Reddit, m.Place, h)
		}, source{rooms.FormatRaw, "exchange=sutro,type=fanout,path="}},
		{"jararaca", c.Jararaca != nil, func(h dialect.Host) (dialect.Dialect, error) {
			return jararaca.New(c.Jararaca, m.Place, h)
		}, source{rooms.FormatJararaca, "redis=redis://localhost:6379/0,format=jararaca,path="}},
	}
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
	if at, ok := errors.AsType[*dialect.PathError](err); ok && at.Path == "" {
		return &dialect.PathError{Path: key, Err: at.Err}
	} else if ok {
		return &dialect.PathError{Path: key + "." + at.Path, Err: at.Err}
	}
	return &dialect.PathError{Path: key, Err: err}
}
