package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/dialect/catalog"
	"github.com/clu-ws/clu-ws/bridge/listen"
	"github.com/clu-ws/clu-ws/internal/configfile"
	"github.com/clu-ws/clu-ws/internal/eventlog"
)

// settings are what the command line, the environment and the file of --config mean together.
type settings struct {
	file      *configFile // nil if there is none
	listeners listeners
	level     slog.Level
	format    eventlog.Format
	bridge    bridge.Config
	admin     *listen.Address // nil if there is none
	audit     auditSettings
	access    *access.Config // nil: everyone may do everything
	secrets   []string       // files with secrets
	flags     []flagState

	args    []string // the command line
	readers []settingsReader
}

// flagState is the value of a flag, and where it is from.
type flagState struct {
	name   string
	value  string // may be secret
	source string // such as the command line or clu-ws.yaml:3; "" is the default
}

// shown returns the value, unless it is secret.
func (s flagState) shown() string {
	switch {
	case secretFlags[s.name] && !configfile.IsReference(s.value):
		return configfile.Hidden
	case s.name == "source":
		return redactLogin(s.value)
	}
	return s.value
}

// settingsReader reads flags into the settings.
type settingsReader func(*cli.Context, *settings) error

// readSettings reads the file of --config, and then all flags. The error has everything that is
// wrong; what is wrong with a value of the file has its place there.
func readSettings(c *cli.Context, readers ...settingsReader) (*settings, error) {
	s := &settings{}
	s.args, _ = c.App.Metadata[argsKey].([]string)
	s.readers = readers
	var err error
	if s.file, err = withFile(c); err != nil && s.file == nil {
		return nil, err
	}
	all := []error{err}
	for _, read := range slices.Concat([]settingsReader{readCommon}, readers) {
		if err := read(c, s); err != nil {
			all = append(all, s.file.place(err))
		}
	}
	if s.file != nil {
		s.access = s.file.Access
		var err error
		if s.bridge.Dialects, err = catalog.Mounts(s.file.Dialects); err != nil {
			all = append(all, s.file.place(err))
		}
		if s.file.Site != nil { // the demo has one of its own
			s.bridge.Site = s.file.Site
		}
	}
	s.secrets = slices.Concat(secretFiles(c), s.accessSecrets(), s.dialectSecrets())
	s.flags = flagStates(c, s.args, s.file)
	if s.file != nil && s.hasSecret() {
		s.secrets = append(s.secrets, s.file.Path)
	}
	return s, errors.Join(all...)
}

// hasSecret reports whether the file of --config has a secret itself, rather than naming a file
// with it.
func (s *settings) hasSecret() bool {
	for _, f := range s.flags {
		if _, byFile := s.file.set[f.name]; byFile && f.shown() != f.value {
			return true
		}
	}
	has := func(value string) bool { return value != "" && !configfile.IsReference(value) }
	if slices.ContainsFunc(s.file.Dialects, func(d catalog.Config) bool { return d.Reddit != nil && has(d.Reddit.AdminToken) }) {
		return true
	}
	if s.access == nil {
		return false
	}
	return slices.ContainsFunc(s.access.JWT, func(jwt access.JWTConfig) bool { return has(jwt.Secret) }) ||
		s.access.Callback != nil && has(s.access.Callback.Secret)
}

// readCommon reads the flags that every bridge has.
func readCommon(c *cli.Context, s *settings) (err error) {
	if c.Args().Present() && c.Command.ArgsUsage == "" {
		return fmt.Errorf(notUnderstood, c.Args().First(), c.Command.HelpName)
	}
	var levelErr, formatErr error
	s.listeners, err = readListeners(c)
	s.level, levelErr = logLevel(c)
	s.format, formatErr = logFormat(c)
	return errors.Join(err, levelErr, formatErr)
}

// readWebsocket reads the flags of clu-ws websocket.
func readWebsocket(c *cli.Context, s *settings) (err error) {
	var all [4]error
	s.bridge, all[0] = bridgeConfig(c)
	all[1] = readAdmin(c, s)
	s.audit, all[2] = readAudit(c)
	all[3] = checkDistinct(s.listeners, s.admin)
	return errors.Join(all[:]...)
}

// flagValues returns the values of a flag.
func flagValues(c *cli.Context, name string) []string {
	if list, ok := c.Value(name).(cli.StringSlice); ok {
		return list.Value()
	}
	return []string{fmt.Sprint(c.Value(name))}
}

// flagStates returns the values of all flags.
func flagStates(c *cli.Context, args []string, file *configFile) (all []flagState) {
	for _, f := range c.Command.Flags {
		name := f.Names()[0]
		if !isVisible(f) {
			continue
		}
		state := flagState{name: name, value: strings.Join(flagValues(c, name), " ")}
		if c.IsSet(name) {
			state.source = flagSource(f, args, file)
		}
		all = append(all, state)
	}
	return all
}

// flagSource returns where a flag that is set has its value from.
func flagSource(f cli.Flag, args []string, file *configFile) string {
	if file != nil {
		if s, ok := file.set[f.Names()[0]]; ok {
			return fmt.Sprintf("%s:%d", file.Path, s.Line())
		}
	}
	if onCommandLine(f, args) {
		return "the command line"
	}
	return variable(f.Names()[0])
}

// onCommandLine reports whether a flag is given on the command line.
func onCommandLine(f cli.Flag, args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		given, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return strings.HasPrefix(arg, "-") && slices.Contains(f.Names(), given)
	})
}
