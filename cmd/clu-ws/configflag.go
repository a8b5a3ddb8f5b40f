package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/configfile"
)

func configFlag() cli.Flag {
	return &cli.PathFlag{Name: "config", EnvVars: env("config"), Category: catFile, Usage: "`FILE` with settings in YAML: each flag by its name, who may do what (access), and the paths of other systems (dialects). It is read again when it changes, and on SIGHUP"}
}

// configFile is the file of --config; nil if there is none.
type configFile struct {
	*configfile.File
	set map[string]configfile.Setting // the flags that are set by the file
}

// withFile reads the file of --config, and sets the flags that neither the command line nor the
// environment sets. The error has all that is wrong with keys and types. Even with an error, the
// file is returned if it could be read.
func withFile(c *cli.Context) (*configFile, error) {
	path := c.Path("config")
	if path == "" {
		return nil, nil
	}
	read, err := configfile.Read(path)
	if read == nil {
		return nil, err
	}
	f := &configFile{read, map[string]configfile.Setting{}}
	flags := settableFlags(c)
	for _, s := range read.Settings {
		at := slices.IndexFunc(flags, func(f cli.Flag) bool { return f.Names()[0] == s.Name })
		if at < 0 {
			s.Unknown(namesOf(flags))
			continue
		}
		values, ok := settingValues(flags[at], s)
		if !ok || c.IsSet(s.Name) && !isEmptied(c, flags[at]) {
			continue
		}
		f.set[s.Name] = s
		for _, value := range values {
			if err := f.apply(c, flags[at], value); err != nil {
				s.Wrong(fmt.Errorf("%s: %w", s.Name, err))
				break
			}
		}
	}
	return f, f.Err()
}

// apply sets a flag to a value of the file.
func (f *configFile) apply(c *cli.Context, flag cli.Flag, value string) error {
	value, err := f.absolute(flag, value)
	if err != nil {
		return err // which has at most the name of a file
	}
	name := flag.Names()[0]
	if err := c.Set(name, value); err != nil {
		if _, isTime := flag.(*cli.DurationFlag); isTime {
			return errors.New(notATime(value))
		}
		return hideValue(name, err)
	}
	return nil
}

// isEmptied reports whether a flag is set by a variable that is empty, and not by the command
// line. As a shell or a container passes variables on that nobody has set, such a variable does
// not win over the file: an empty CLU_WS_HOST would open a bridge that the file keeps on loopback.
func isEmptied(c *cli.Context, flag cli.Flag) bool {
	value, found := os.LookupEnv(variable(flag.Names()[0]))
	args, _ := c.App.Metadata[argsKey].([]string)
	return found && value == "" && !onCommandLine(flag, args)
}

// settableFlags returns the flags that a file may set.
func settableFlags(c *cli.Context) (flags []cli.Flag) {
	for _, f := range c.Command.Flags {
		if isVisible(f) && f.Names()[0] != "config" {
			flags = append(flags, f)
		}
	}
	return flags
}

func namesOf(flags []cli.Flag) (names []string) {
	for _, f := range flags {
		names = append(names, f.Names()[0])
	}
	return names
}

// nullWords are the flags for which null is a word.
var nullWords = map[string]bool{"nan": true, "origin": true}

// settingValues returns the values of a setting as the flag takes them. It adds an error to the
// file if they have the wrong type.
func settingValues(flag cli.Flag, s configfile.Setting) (values []string, ok bool) {
	var text string
	switch flag.(type) {
	case *cli.BoolFlag:
		text, ok = s.Bool()
	case *cli.IntFlag:
		text, ok = s.Int()
	case *cli.StringSliceFlag:
		return s.Texts(nullWords[s.Name])
	default:
		text, ok = s.Text(nullWords[s.Name])
	}
	return []string{text}, ok
}

// absolute returns a value whose relative paths are relative to the file's folder.
func (f *configFile) absolute(flag cli.Flag, value string) (string, error) {
	name := flag.Names()[0]
	_, isPath := flag.(*cli.PathFlag)
	switch {
	case isPath, name == "audit" && !auditWords[value]:
		return configfile.FilePath(value, f.Dir())
	case secretFlags[name] && configfile.IsReference(value):
		return configfile.Reference(value, f.Dir())
	case name == "source":
		return f.absoluteSource(value)
	}
	return value, nil
}

// absoluteSource is absolute for a source, whose URL may be in a file.
func (f *configFile) absoluteSource(value string) (string, error) {
	parts := strings.Split(value, ",")
	for i, part := range parts {
		if url, ok := strings.CutPrefix(part, "redis="); ok && configfile.IsReference(url) {
			absolute, err := configfile.Reference(url, f.Dir())
			if err != nil {
				return "", err
			}
			parts[i] = "redis=" + absolute
		}
	}
	return strings.Join(parts, ","), nil
}

// mention is a flag in an error.
var mention = regexp.MustCompile(`--([a-z][a-z-]*)`)

// place completes errors about flags that the file sets: each gets the place in the file instead
// of the dashes, and joined errors are joined again.
func (f *configFile) place(err error) error {
	if f == nil || err == nil {
		return err
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range several.Unwrap() {
			all = append(all, f.place(e))
		}
		return errors.Join(all...)
	}
	if wrong, ok := errors.AsType[*access.PathError](err); ok {
		return f.At("access."+wrong.Path, wrong.Err)
	}
	if wrong, ok := errors.AsType[*dialect.PathError](err); ok {
		return f.At("dialects"+wrong.Path, wrong.Err)
	}
	if wrong, ok := errors.AsType[*site.PathError](err); ok {
		return f.At("site."+wrong.Path, wrong.Err)
	}
	for _, found := range mention.FindAllStringSubmatch(err.Error(), -1) {
		if _, ok := f.set[found[1]]; ok {
			text := mention.ReplaceAllStringFunc(err.Error(), func(m string) string {
				if _, ok := f.set[strings.TrimPrefix(m, "--")]; ok {
					return strings.TrimPrefix(m, "--")
				}
				return m
			})
			return f.At(found[1], errors.New(text))
		}
	}
	return err
}
