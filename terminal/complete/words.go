package complete

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/model"
)

// wordsOf returns how many words a value has; -1 is any number.
func wordsOf(param *model.Param) int {
	if param.Nargs == 0 {
		return 1
	}
	return param.Nargs
}

// label returns how a usage line names a parameter.
func label(param *model.Param) string {
	name := param.Name
	if len(param.Opts) > 0 {
		name = param.Opts[0]
	}
	if param.Kind == model.Argument {
		return strings.ToUpper(name)
	}
	if long := slices.IndexFunc(param.Opts, func(opt string) bool { return strings.HasPrefix(opt, "--") }); long >= 0 {
		return param.Opts[long]
	}
	return name
}

// describe returns what a parameter takes: "a number from 0 to 90".
func describe(param *model.Param) string {
	switch {
	case param.Flag:
		return "on or off"
	case param.Count:
		return "how often it is given"
	}
	what := "a text"
	switch param.Type {
	case "choice":
		what = "one of " + strings.Join(param.Choices, ", ")
	case "float":
		what = "a number"
	case "int":
		what = "a whole number"
	case "bool":
		what = "true or false"
	case "path":
		what = "the name of a file"
	case "datetime":
		what = "a date, 2026-11-21, or with the time, 2026-11-21T03:38:40"
	case "uuid":
		what = "a UUID"
	}
	what += describeRange(param)
	if n := wordsOf(param); n < 0 {
		what += ", any number of them"
	} else if n > 1 {
		what += fmt.Sprintf(", %d of them", n)
	}
	if param.Multiple {
		what += ", may be repeated"
	}
	return what
}

// describeRange returns the range of a parameter, to be put after what it takes, or "".
func describeRange(param *model.Param) string {
	if param.Min != nil && param.Max != nil && !param.MinOpen && !param.MaxOpen {
		return fmt.Sprintf(" from %s to %s", *param.Min, *param.Max)
	}
	var parts []string
	add := func(bound *json.Number, open bool, beyond, at string) {
		if bound != nil && open {
			parts = append(parts, beyond+" "+string(*bound))
		} else if bound != nil {
			parts = append(parts, at+" "+string(*bound))
		}
	}
	add(param.Min, param.MinOpen, "more than", "at least")
	add(param.Max, param.MaxOpen, "less than", "at most")
	if len(parts) == 0 {
		return ""
	}
	return ", " + strings.Join(parts, " and ")
}

var (
	paragraphEnd = regexp.MustCompile(`\n\s*\n`)
	sentence     = regexp.MustCompile(`^(.*?[.!?])(?:\s|$)`)
)

// firstSentence returns the first sentence of a help text, in one line.
func firstSentence(help string) string {
	line := strings.Join(strings.Fields(paragraphEnd.Split(strings.TrimSpace(help), 2)[0]), " ")
	if m := sentence.FindStringSubmatch(line); m != nil {
		return strings.TrimSuffix(m[1], ".")
	}
	return line
}
