package actor

import (
	"fmt"
	"strings"
)

// UsageError is the error of a command string that does not match the command's usage. A
// handler may return one: the command then fails as a mistyped command does in CLU, with a
// helpful warning and CLU's own sentence.
type UsageError struct {
	// Kind is the name of click's exception: UsageError, MissingParameter,
	// BadParameter, BadOptionUsage, NoSuchCommand or NoSuchOption.
	Kind string
	// Message is meant for people.
	Message string
}

func (e *UsageError) Error() string { return e.Kind + ": " + e.Message }

// arguments are the words of a command string after the command's name, sorted
// by the command's usage.
type arguments struct {
	positional []string
	options    map[string]string // by name with hyphens; "" for a flag
}

// parse sorts words as click does for a CLU command: options may appear anywhere before a
// "--", and an option that the command does not have is an argument, so that a negative
// number needs no quotes. The error is a [UsageError] in click's words.
func (u *usage) parse(words []string) (args arguments, err error) {
	args.options = make(map[string]string)
	args.positional = make([]string, 0, len(words))
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if word == "--" {
			args.positional = append(args.positional, words...)
			break
		}
		name, value, hasValue := strings.Cut(word, "=")
		o := u.option(name)
		switch {
		case o == nil:
			args.positional = append(args.positional, word)
			continue
		case o.value == "" && hasValue:
			return args, &UsageError{"BadOptionUsage", "Option " + pythonRepr(name) + " does not take a value."}
		case o.value != "" && !hasValue:
			if len(words) == 0 {
				return args, &UsageError{"BadOptionUsage", "Option " + pythonRepr(name) + " requires an argument."}
			}
			value, words = words[0], words[1:]
		}
		args.options[name] = value
	}
	return args, u.check(args)
}

// check returns an error for missing and superfluous arguments.
func (u *usage) check(args arguments) error {
	variadic := false
	for i, p := range u.params {
		if i >= len(args.positional) && !p.optional {
			return &UsageError{"MissingParameter", "Missing argument " + pythonRepr(p.metavar()) + "." + p.is.choose()}
		}
		variadic = p.variadic
	}
	for _, o := range u.options {
		if _, given := args.options[o.name]; o.required && !given {
			return &UsageError{"MissingParameter", "Missing option " + pythonRepr(o.name) + "." + o.is.choose()}
		}
	}
	if err := u.checkValues(args); err != nil {
		return err
	}
	if variadic || len(args.positional) <= len(u.params) {
		return nil
	}
	extra := args.positional[len(u.params):]
	noun := "argument"
	if len(extra) > 1 {
		noun = "arguments"
	}
	return &UsageError{"UsageError", fmt.Sprintf("Got unexpected extra %s (%s)", noun, strings.Join(extra, " "))}
}

// checkValues returns an error for a value that is not of its type.
func (u *usage) checkValues(args arguments) error {
	for i, value := range args.positional {
		if len(u.params) == 0 || i >= len(u.params) && !u.params[len(u.params)-1].variadic {
			break
		}
		p := &u.params[min(i, len(u.params)-1)]
		if wrong := p.is.check(value); wrong != "" {
			return &UsageError{"BadParameter", "Invalid value for '" + p.metavar() + "': " + wrong}
		}
	}
	for i := range u.options {
		o := &u.options[i]
		value, given := args.options[o.name]
		if wrong := o.is.check(value); given && o.value != "" && wrong != "" {
			return &UsageError{"BadParameter", "Invalid value for " + pythonRepr(o.name) + ": " + wrong}
		}
	}
	return nil
}

// choose returns what click adds to the error for a missing value of which there are choices.
func (t *valueType) choose() string {
	if t.kind != "choice" {
		return ""
	}
	return " Choose from:\n\t" + strings.Join(t.choices, ",\n\t")
}
