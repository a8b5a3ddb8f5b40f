package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/clu-ws/clu-ws/internal/configfile"
)

const notUnderstood = "%q is not understood; see %s --help"

// Errors of the library: of a value on the command line, of one in a variable, and of an unknown flag.
var (
	wrongValue    = regexp.MustCompile(`^invalid (?:boolean )?value "(.*)" for -?(?:flag -)?([a-z-]+): `)
	wrongVariable = regexp.MustCompile(`^could not parse "(.*)" as \w+ value from environment variable "(\w+)" for flag ([a-z-]+): `)
	unknownFlag   = regexp.MustCompile(`^flag provided but not defined: -([\w-]+)$`)
)

// usageError returns what is wrong with a flag, and how to write it. It does not print the help, which
// would scroll the error off the screen.
func usageError(c *cli.Context, err error, _ bool) error {
	text := err.Error()
	if found := wrongValue.FindStringSubmatch(text); found != nil {
		if f := flagOf(c, found[2]); f != nil {
			err = fmt.Errorf("--%s %s", found[2], notOfType(f, found[1]))
		}
	} else if found := wrongVariable.FindStringSubmatch(text); found != nil {
		if f := flagOf(c, found[3]); f != nil {
			err = fmt.Errorf("%s: %s", found[2], notOfType(f, found[1]))
		}
	} else if found := unknownFlag.FindStringSubmatch(text); found != nil {
		err = fmt.Errorf("there is no flag --%s%s", found[1], didYouMean("--", configfile.Similar(found[1], namesOf(c.Command.Flags))))
	}
	return fmt.Errorf("%w; see %s --help", err, c.Command.HelpName)
}

// notOfType returns why a value is not one of a flag, as the flag and the variable say it alike.
func notOfType(f cli.Flag, value string) string {
	switch f.(type) {
	case *cli.DurationFlag:
		return notATime(value)
	case *cli.IntFlag:
		return fmt.Sprintf("%q is not a whole number", value)
	case *cli.BoolFlag:
		return fmt.Sprintf("%q is not true or false", value)
	}
	return fmt.Sprintf("%q is not understood", value)
}

// number is a time whose unit was forgotten.
var number = regexp.MustCompile(`^\d+$`)

// notATime returns how to write a time.
func notATime(value string) string {
	if number.MatchString(value) {
		return fmt.Sprintf("%q is not a time; write a number with a unit, such as %ss for seconds, 10m or 1h30m", value, value)
	}
	return fmt.Sprintf("%q is not a time; write a number with a unit, such as 20s, 10m or 1h30m", value)
}

// didYouMean returns a question about the name that may be meant; "" if there is none.
func didYouMean(prefix, name string) string {
	if name == "" {
		return ""
	}
	return "; did you mean " + prefix + name + "?"
}

// flagOf returns the flag with a name of the subcommand, or nil.
func flagOf(c *cli.Context, name string) cli.Flag {
	i := slices.IndexFunc(c.Command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if i < 0 || name == "help" || name == "h" {
		return nil
	}
	return c.Command.Flags[i]
}

// noCommand is the error for a subcommand that does not exist.
func noCommand(c *cli.Context, name string) error {
	var names []string
	for _, command := range c.App.VisibleCommands() {
		names = append(names, command.Name)
	}
	return fmt.Errorf("there is no command %q%s; see clu-ws --help", name, didYouMean("clu-ws ", configfile.Similar(strings.ToLower(name), names)))
}
