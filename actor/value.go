package actor

import (
	"fmt"
	"strconv"
	"strings"
)

// Arg returns an argument or an option's value by its name in the usage line, such as "RA"
// or "--exposure", and whether the commander gave it. Otherwise the value is the default of the
// usage line, or "". Arg panics on a name that is not in the usage line, which is a programming
// error and is logged as one.
func (c *Call) Arg(name string) (value string, given bool) {
	for i, p := range c.usage.params {
		if p.name == name {
			if i >= len(c.Args) {
				return p.is.byDefault(), false
			}
			return c.Args[i], true
		}
	}
	o := c.usage.option(name)
	if o == nil || o.value == "" {
		panic(fmt.Sprintf("actor: the usage of the command %s has no argument and no option with a value named %q", c.usage.name, name))
	}
	if value, given = c.options[name]; !given {
		return o.is.byDefault(), false
	}
	return value, true
}

// byDefault returns the default, or "".
func (t *valueType) byDefault() string {
	if t.fallback == nil {
		return ""
	}
	return *t.fallback
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

// Float returns an argument or an option's value that is a finite number. The
// error is a [UsageError] in click's words, also where it is missing; return it
// from the handler as it is. Of one that may be left out and has no default, ask [Call.Arg] first
// whether it was given. Float panics where Call.Arg does. A value whose type is in the usage line
// was checked before the handler was called.
func (c *Call) Float(name string) (float64, error) {
	text, err := c.required(name)
	if err != nil {
		return 0, err
	}
	f, ok := (&valueType{kind: "float"}).number(text)
	if !ok {
		return 0, c.badValue(name, text, "float")
	}
	return f, nil
}

// Int is [Call.Float] for a decimal integer.
func (c *Call) Int(name string) (int, error) {
	text, err := c.required(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0, c.badValue(name, text, "integer")
	}
	return n, nil
}

// required returns a value, or click's error if there is none.
func (c *Call) required(name string) (string, error) {
	text, given := c.Arg(name)
	if given || text != "" {
		return text, nil
	}
	what := "argument"
	if c.usage.option(name) != nil {
		what = "option"
	}
	return "", &UsageError{"MissingParameter", "Missing " + what + " " + pythonRepr(name) + "."}
}

func (c *Call) badValue(name, text, kind string) error {
	return &UsageError{"BadParameter", fmt.Sprintf("Invalid value for '%s': %s is not a valid %s.", c.usage.shown(name), pythonRepr(text), kind)}
}

// shown returns an argument or an option as click's errors show it.
func (u *usage) shown(name string) string {
	for i := range u.params {
		if u.params[i].name == name {
			return u.params[i].metavar()
		}
	}
	return name
}
