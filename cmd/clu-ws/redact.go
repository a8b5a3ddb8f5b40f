package main

import (
	"slices"
	"strings"
)

// redactArgs returns a command line in which the password, and the credentials in
// URLs, are hidden.
func redactArgs(args []string) []string {
	args = slices.Clone(args)
	secret := false // the next argument is the password
	for i, arg := range args {
		name, value, given := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		isPassword := strings.HasPrefix(arg, "-") && name == "password"
		switch {
		case secret:
			args[i] = redacted
		case isPassword && given:
			args[i] = arg[:len(arg)-len(value)] + redacted
		case strings.Contains(arg, "://"):
			args[i] = redactLogin(arg)
		}
		secret = isPassword && !given
	}
	return args
}

// redacted stands for what is hidden.
const redacted = "(hidden)"

// redactLogin hides the credentials of the URLs in an argument, even of malformed ones.
func redactLogin(arg string) string {
	parts := strings.Fields(arg)
	for i, part := range parts {
		scheme, rest, ok := strings.Cut(part, "://")
		if at := strings.LastIndexByte(rest, '@'); ok && at >= 0 {
			parts[i] = scheme + "://" + redacted + rest[at:]
		}
	}
	return strings.Join(parts, " ")
}
