package actor

import (
	"fmt"
	"math"
	"strconv"
)

// Arg returns an argument or an option's value by its name in the usage line, such as "RA"
// or "--exposure", and whether the commander gave it. It panics on a name that is not in
// the usage line, which is a programming error and is logged as one.
func (c *Call) Arg(name string) (value string, given bool) {
	for i, p := range c.usage.params {
		if p.name == name {
			if i >= len(c.Args) {
				return "", false
			}
			return c.Args[i], true
		}
	}
	o := c.usage.option(name)
	if o == nil || o.value == "" {
		panic(fmt.Sprintf("actor: the usage of the command %s has no argument and no option with a value named %q", c.usage.name, name))
	}
	value, given = c.options[name]
	return value, given
}

// Flag reports whether the commander gave an option without a value, such as "--fast". It
// panics on a name that is not a flag in the usage line.
func (c *Call) Flag(name string) bool {
	o := c.usage.option(name)
	if o == nil || o.value != "" {
		panic(fmt.Sprintf("actor: the usage of the command %s has no flag %q", c.usage.name, name))
	}
	_, given := c.options[name]
	return given
}

// Float returns an argument or an option's value that is a finite number. The error, also
// for a missing value, is a [UsageError] in click's words; return it from the handler
// unchanged. Float panics where [Call.Arg] does.
func (c *Call) Float(name string) (float64, error) {
	text, err := c.required(name)
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(text, 64)
	// CLU lets NaN through, but no instrument can act on it.
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, badValue(name, text, "float")
	}
	return f, nil
}

// Int is [Call.Float] for a decimal integer.
func (c *Call) Int(name string) (int, error) {
	text, err := c.required(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, badValue(name, text, "integer")
	}
	return n, nil
}

// required returns a value, or click's error if there is none.
func (c *Call) required(name string) (string, error) {
	text, given := c.Arg(name)
	if given {
		return text, nil
	}
	what := "argument"
	if c.usage.option(name) != nil {
		what = "option"
	}
	return "", &UsageError{"MissingParameter", "Missing " + what + " " + pythonRepr(name) + "."}
}

func badValue(name, text, kind string) error {
	return &UsageError{"BadParameter", fmt.Sprintf("Invalid value for %s: %s is not a valid %s.", pythonRepr(name), pythonRepr(text), kind)}
}
