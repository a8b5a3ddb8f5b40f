package complete

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/internal/shlex"
)

// place is where in a command its words have got to.
type place struct {
	pending  *model.Param   // an option that takes the next words
	left     int            // how many
	given    []*model.Param // the options that were given
	args     int            // how many words were arguments
	onlyArgs bool           // after --
}

// follow follows the words to the command that they name, and returns what it takes next.
func follow(commands []model.Command, words []string, typed string) (candidates []Candidate, hint string) {
	siblings := commands
	var command *model.Command
	var path []string
	var at place
	for _, word := range words {
		if len(siblings) > 0 && at.pending == nil && !strings.HasPrefix(word, "-") {
			n := slices.IndexFunc(siblings, func(c model.Command) bool { return c.Name == word })
			if n < 0 {
				return nil, noCommand(path, word)
			}
			command, at = &siblings[n], place{}
			path, siblings = append(path, word), command.Commands
		} else if command != nil {
			at = at.step(command, word)
		}
	}
	if at.pending != nil {
		return values(at.pending)
	}
	candidates = commandCandidates(siblings)
	if command == nil {
		return candidates, ""
	}
	if len(siblings) == 0 && !strings.HasPrefix(typed, "-") {
		if arg := at.argument(command); arg != nil {
			var offered []Candidate
			offered, hint = values(arg)
			candidates = append(candidates, offered...)
		}
	}
	if !at.onlyArgs {
		candidates = append(candidates, optionCandidates(command, at.given)...)
	}
	return candidates, hint
}

func noCommand(path []string, word string) string {
	if len(path) == 0 {
		return "this actor has no command " + word
	}
	return strings.Join(path, " ") + " has no command " + word
}

// step goes one word further: an option, the value of one, or an argument.
func (p place) step(command *model.Command, word string) place {
	if p.pending != nil {
		if p.left--; p.left == 0 {
			p.pending = nil
		}
		return p
	}
	if word == "--" && !p.onlyArgs {
		p.onlyArgs = true
		return p
	}
	name, _, attached := strings.Cut(word, "=")
	option := optionOf(command, name)
	if p.onlyArgs || option == nil {
		p.args++
		return p
	}
	p.given = append(p.given, option)
	if !option.Flag && !option.Count && !attached {
		p.pending, p.left = option, max(1, wordsOf(option))
	}
	return p
}

// optionOf returns the option of a command with this name, or nil.
func optionOf(command *model.Command, name string) *model.Param {
	for i := range command.Params {
		param := &command.Params[i]
		if param.Kind == model.Option && (slices.Contains(param.Opts, name) || slices.Contains(param.OffOpts, name)) {
			return param
		}
	}
	return nil
}

// argument returns the argument that the next word belongs to, or nil.
func (p place) argument(command *model.Command) *model.Param {
	left := p.args
	for i := range command.Params {
		param := &command.Params[i]
		if param.Kind != model.Argument {
			continue
		}
		if n := wordsOf(param); n < 0 || left < n {
			return param
		}
		left -= wordsOf(param)
	}
	return nil
}

// values returns the values of a parameter, and what it takes in words.
func values(param *model.Param) (candidates []Candidate, hint string) {
	choices := param.Choices
	if param.Type == "bool" && !param.Flag {
		choices = []string{"true", "false"}
	} else if param.Type != "choice" {
		choices = nil
	}
	for _, value := range choices {
		candidates = append(candidates, Candidate{shlex.Quote(value), label(param)})
	}
	hint = label(param) + ": " + describe(param)
	if !param.Required && param.Kind == model.Argument {
		hint += ", may be left out"
	}
	if param.Help != "" {
		hint += ". " + firstSentence(param.Help)
	}
	return candidates, hint
}

// commandCandidates returns the commands of a level, those about an actor itself last.
func commandCandidates(commands []model.Command) (candidates []Candidate) {
	for _, last := range []bool{false, true} {
		for _, c := range commands {
			if c.Hidden || isHousekeeping(c.Name) != last {
				continue
			}
			detail := firstSentence(c.Help)
			if detail == "" && len(c.Commands) > 0 {
				detail = fmt.Sprintf("%d commands", len(c.Commands))
			}
			if c.Deprecated {
				detail = strings.TrimSuffix("deprecated. "+detail, ". ")
			}
			candidates = append(candidates, Candidate{shlex.Quote(c.Name), detail})
		}
	}
	return candidates
}

// isHousekeeping reports whether every actor has the command.
func isHousekeeping(name string) bool {
	return slices.Contains([]string{"ping", "version", "help", "keyword", "get_schema", "get-command-model", "get-schema"}, name) ||
		strings.HasPrefix(name, "__")
}

// optionCandidates returns the options that may still be given.
func optionCandidates(command *model.Command, given []*model.Param) (candidates []Candidate) {
	for i := range command.Params {
		param := &command.Params[i]
		if param.Kind != model.Option || param.Hidden || !param.Multiple && !param.Count && slices.Contains(given, param) {
			continue
		}
		detail := firstSentence(param.Help)
		if !param.Flag {
			detail = strings.TrimSuffix(describe(param)+". "+detail, ". ")
		}
		candidates = append(candidates, Candidate{label(param), detail})
		if len(param.OffOpts) > 0 {
			candidates = append(candidates, Candidate{param.OffOpts[0], detail})
		}
	}
	return candidates
}
