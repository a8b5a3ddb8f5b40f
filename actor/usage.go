package actor

import (
	"fmt"
	"strings"
)

// usage is a parsed usage line: how a command is called.
type usage struct {
	name    string
	params  []param
	options []option
}

// param is one positional argument: NAME, [NAME] or NAME..., perhaps with a type, as NAME:float.
type param struct {
	name     string
	optional bool
	variadic bool
	is       valueType
}

// option is one option: [--name], [--name VALUE] or --name VALUE, whose value may have a type.
type option struct {
	name     string // with its hyphens
	value    string // the value's name; "" for a flag
	required bool
	is       valueType
}

// parseUsage parses a usage line. Its error says what is wrong.
func parseUsage(line string) (usage, error) {
	fields := usageFields(line)
	if len(fields) == 0 || strings.HasPrefix(fields[0], "-") || strings.HasPrefix(fields[0], "[") {
		return usage{}, fmt.Errorf("the usage %q does not start with a command's name", line)
	}
	u := usage{name: fields[0]}
	for fields = fields[1:]; len(fields) > 0; {
		var err error
		if strings.HasPrefix(fields[0], "-") || strings.HasPrefix(fields[0], "[-") {
			fields, err = u.addOption(fields)
		} else {
			err = u.addParam(fields[0])
			fields = fields[1:]
		}
		if err != nil {
			return usage{}, fmt.Errorf("the usage %q %w", line, err)
		}
	}
	return u, nil
}

// usageFields splits a usage line at its spaces, and an option such as --name=VALUE
// at the equals sign, too. In an argument that sign is a part of the name.
func usageFields(line string) (fields []string) {
	for _, field := range strings.Fields(line) {
		option, value, ok := strings.Cut(field, "=")
		if ok && strings.HasPrefix(strings.TrimPrefix(field, "["), "-") {
			fields = append(fields, option)
			field = value
		}
		fields = append(fields, field)
	}
	return fields
}

// addParam adds the positional argument that a word of the usage line describes.
func (u *usage) addParam(field string) error {
	var p param
	p.name, p.variadic = strings.CutSuffix(field, "...")
	if strings.HasPrefix(p.name, "[") && strings.HasSuffix(p.name, "]") {
		p.name, p.optional = p.name[1:len(p.name)-1], true
		if inner, ok := strings.CutSuffix(p.name, "..."); ok {
			p.name, p.variadic = inner, true
		}
	}
	var err error
	if p.name, p.is, err = parseType(p.name); err != nil {
		return err
	}
	switch last := len(u.params) - 1; {
	case p.is.fallback != nil && (!p.optional || p.variadic):
		return fmt.Errorf("has a default for %s, which is not a single argument in brackets", p.name)
	case p.name == "" || strings.ContainsAny(p.name, "[]"):
		return fmt.Errorf("has an argument %q; write NAME, NAME... or [NAME]", field)
	case u.has(p.name):
		return fmt.Errorf("names %s twice", p.name)
	case last >= 0 && u.params[last].variadic:
		return fmt.Errorf("has %s after %s..., which takes all arguments that are left", p.name, u.params[last].name)
	case last >= 0 && u.params[last].optional && !p.optional:
		return fmt.Errorf("has %s, which is required, after %s, which is not", p.name, u.params[last].name)
	}
	u.params = append(u.params, p)
	return nil
}

// addOption adds the option that the first one or two words describe, and
// returns the words after it.
func (u *usage) addOption(fields []string) (rest []string, err error) {
	name, bracketed := strings.CutPrefix(fields[0], "[")
	rest = fields[1:]
	o := option{required: !bracketed}
	flag := false
	if bracketed {
		name, flag = strings.CutSuffix(name, "]")
	}
	o.name = name
	if !flag {
		if len(rest) == 0 {
			return nil, fmt.Errorf("has no value for %s; a flag stands in brackets, as [%s]", name, name)
		}
		o.value = rest[0]
		rest = rest[1:]
		if bracketed {
			var closed bool
			if o.value, closed = strings.CutSuffix(o.value, "]"); !closed {
				return nil, fmt.Errorf("has no ] after [%s %s", name, o.value)
			}
		}
	}
	switch {
	case !strings.HasPrefix(name, "--") || len(name) < 3 || strings.ContainsAny(name+o.value, "[]"):
		return nil, fmt.Errorf("has an option %q; write [--name], [--name VALUE] or --name VALUE", fields[0])
	case !flag && (o.value == "" || strings.HasPrefix(o.value, "-")):
		return nil, fmt.Errorf("has no value for %s; a flag stands in brackets, as [%s]", name, name)
	case name == "--help" || u.has(name):
		return nil, fmt.Errorf("names %s, which is taken", name)
	}
	if !flag {
		if o.value, o.is, err = parseType(o.value); err != nil {
			return nil, err
		}
		if o.required && o.is.fallback != nil {
			return nil, fmt.Errorf("has a default for %s, which is required", name)
		}
	}
	u.options = append(u.options, o)
	return rest, nil
}

// has reports whether an argument or option has that name.
func (u *usage) has(name string) bool {
	for _, p := range u.params {
		if p.name == name {
			return true
		}
	}
	return u.option(name) != nil
}

// option returns the option of that name, or nil.
func (u *usage) option(name string) *option {
	for i := range u.options {
		if u.options[i].name == name {
			return &u.options[i]
		}
	}
	return nil
}

// metavar returns an argument as click shows it, in usages and in errors.
func (p *param) metavar() string {
	name := strings.ToUpper(strings.ReplaceAll(p.name, "-", "_"))
	if p.is.kind == "choice" {
		name = "{" + strings.Join(p.is.choices, "|") + "}"
		if p.optional {
			name = "[" + strings.Join(p.is.choices, "|") + "]"
		}
	} else if p.optional {
		name = "[" + name + "]"
	}
	if p.variadic {
		name += "..."
	}
	return name
}

// line returns the usage in click's layout, after "Usage: ".
func (u *usage) line(actor string) string {
	var b strings.Builder
	b.WriteString(actor + " " + u.name + " [OPTIONS]")
	for i := range u.params {
		b.WriteString(" " + u.params[i].metavar())
	}
	return b.String()
}
