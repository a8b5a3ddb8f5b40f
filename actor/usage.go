package actor

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// UsageError is a command that the actor cannot make sense of. A handler may
// return one: the command then fails as CLU lets a mistyped command fail, with a
// warning that helps and CLU's own sentence.
type UsageError struct {
	// Kind is the name of click's exception: UsageError, MissingParameter,
	// BadParameter, NoSuchCommand, NoSuchOption.
	Kind string
	// Message is for people.
	Message string
}

func (e *UsageError) Error() string { return e.Kind + ": " + e.Message }

// usage is how a command is called: its name and its arguments.
type usage struct {
	name   string
	params []param
}

// param is one argument as the usage line shows it: NAME, [NAME] or NAME...
type param struct {
	name     string
	optional bool
	many     bool
}

func parseUsage(line string) usage {
	fields := strings.Fields(line)
	if len(fields) == 0 || strings.HasPrefix(fields[0], "-") {
		panic(fmt.Sprintf("actor: the usage %q does not start with a command's name", line))
	}
	u := usage{name: fields[0]}
	for _, f := range fields[1:] {
		var p param
		p.name, p.many = strings.CutSuffix(f, "...")
		if inner, ok := strings.CutPrefix(p.name, "["); ok {
			p.name, p.optional = strings.TrimSuffix(inner, "]"), true
		}
		u.params = append(u.params, p)
	}
	return u
}

// line is the usage in click's layout, behind "Usage: ".
func (u usage) line(actor string) string {
	var b strings.Builder
	b.WriteString(actor + " " + u.name + " [OPTIONS]")
	for _, p := range u.params {
		name := p.name
		if p.optional {
			name = "[" + name + "]"
		}
		if p.many {
			name += "..."
		}
		b.WriteString(" " + name)
	}
	return b.String()
}

// check counts the arguments, with click's words for too few and too many.
func (u usage) check(args []string) error {
	for i, p := range u.params {
		if i >= len(args) && !p.optional {
			return &UsageError{"MissingParameter", "Missing argument " + pythonRepr(p.name) + "."}
		}
		if p.many {
			return nil
		}
	}
	if len(args) <= len(u.params) {
		return nil
	}
	extra := args[len(u.params):]
	noun := "argument"
	if len(extra) > 1 {
		noun = "arguments"
	}
	return &UsageError{"UsageError", fmt.Sprintf("Got unexpected extra %s (%s)", noun, strings.Join(extra, " "))}
}

// Arg is the argument that the usage line calls by that name, and whether it
// was given.
func (c *Call) Arg(name string) (string, bool) {
	for i, p := range c.usage.params {
		if p.name == name && i < len(c.Args) {
			return c.Args[i], true
		}
	}
	return "", false
}

// Float is an argument that is a finite number. The error is a [UsageError] in
// click's words.
func (c *Call) Float(name string) (float64, error) {
	text, ok := c.Arg(name)
	if !ok {
		return 0, &UsageError{"MissingParameter", "Missing argument " + pythonRepr(name) + "."}
	}
	f, err := strconv.ParseFloat(text, 64)
	// CLU lets NaN through; no telescope can go there.
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, &UsageError{"BadParameter", fmt.Sprintf("Invalid value for %s: %s is not a valid float.", pythonRepr(name), pythonRepr(text))}
	}
	return f, nil
}
