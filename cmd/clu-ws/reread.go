package main

import (
	"context"
	"errors"
	"io"
	"reflect"

	"github.com/urfave/cli/v2"
)

// Keys of an app's metadata.
const (
	argsKey      = "args"      // the command line
	rereadingKey = "rereading" // set if it is not read for the first time
)

// rereading reports whether the flags of a running bridge are read again. Files with
// certificates are then not read: they are reloaded by themselves, or not at all.
func rereading(c *cli.Context) bool { return c.App.Metadata[rereadingKey] != nil }

// reread reads the same command line and environment again, with the file of --config as it is
// now.
func reread(ctx context.Context, args []string, readers ...settingsReader) (s *settings, err error) {
	app := newApp(io.Discard, io.Discard)
	app.Metadata = map[string]any{argsKey: args, rereadingKey: true}
	for _, command := range app.Commands {
		command.Action = func(c *cli.Context) (err error) {
			if _, err := flagsAfterArguments(c, false); err != nil {
				return err
			}
			s, err = readSettings(c, readers...)
			return err
		}
	}
	if err := app.RunContext(ctx, args); err != nil {
		return nil, err
	}
	if s == nil {
		return nil, errors.New("the command line cannot be read again")
	}
	return s, nil
}

// liveFlags are the flags that a running bridge can change.
var liveFlags = map[string]bool{
	"log-level": true, "log-commands": true, "origin": true, "trusted-proxy": true, "shed-rate": true, "drain-delay": true, "drain-timeout": true,
}

// difference returns what differs between settings and later ones: what a running bridge can
// change, and what it cannot.
func (s *settings) difference(later *settings) (changed, kept []string) {
	for i, f := range s.flags {
		switch {
		case f.value == later.flags[i].value:
		case liveFlags[f.name]:
			changed = append(changed, f.name)
		default:
			kept = append(kept, f.name)
		}
	}
	switch {
	case (s.access == nil) != (later.access == nil):
		kept = append(kept, "access")
	case !reflect.DeepEqual(s.access, later.access):
		changed = append(changed, "access")
	}
	if s.file != nil && later.file != nil && !reflect.DeepEqual(s.file.Dialects, later.file.Dialects) {
		kept = append(kept, "dialects")
	}
	if s.file != nil && later.file != nil && !reflect.DeepEqual(s.file.Site, later.file.Site) {
		changed = append(changed, "site")
	}
	return changed, kept
}
