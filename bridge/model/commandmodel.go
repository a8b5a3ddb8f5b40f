package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// clickCommand is a command as click describes it (click.Command.to_info_dict), which CLU answers
// to get-command-model. Only what is used is decoded.
type clickCommand struct {
	Name       *string                    `json:"name"`
	Params     []json.RawMessage          `json:"params"`
	Help       *string                    `json:"help"`
	ShortHelp  *string                    `json:"short_help"`
	Hidden     bool                       `json:"hidden"`
	Deprecated json.RawMessage            `json:"deprecated"` // a text since click 8.2
	Commands   map[string]json.RawMessage `json:"commands"`
}

// clickParam is a parameter as click describes it.
type clickParam struct {
	Name          *string         `json:"name"`
	ParamType     string          `json:"param_type_name"`
	Opts          []string        `json:"opts"`
	SecondaryOpts []string        `json:"secondary_opts"`
	Type          json.RawMessage `json:"type"`
	Required      bool            `json:"required"`
	Nargs         int             `json:"nargs"`
	Multiple      bool            `json:"multiple"`
	Default       json.RawMessage `json:"default"`
	Help          *string         `json:"help"`
	IsFlag        bool            `json:"is_flag"`
	Count         bool            `json:"count"`
	Hidden        bool            `json:"hidden"`
}

// clickType is the type of a parameter.
type clickType struct {
	ParamType string            `json:"param_type"`
	Choices   []json.RawMessage `json:"choices"`
	Min       json.RawMessage   `json:"min"`
	Max       json.RawMessage   `json:"max"`
	MinOpen   bool              `json:"min_open"`
	MaxOpen   bool              `json:"max_open"`
}

// types are click's types in the words of [Param.Type]; the rest are other.
var types = map[string]string{
	"String": "text", "Int": "int", "IntRange": "int", "Float": "float", "FloatRange": "float", "Bool": "bool",
	"Choice": "choice", "Path": "path", "File": "path", "DateTime": "datetime", "UUID": "uuid",
}

// ParseCommandModel reads the keyword command_model of an answer to get-command-model: the
// description of all commands, or of one. Legacy actors answer with a string that holds it. left
// says in a sentence what was too much, or is "".
func ParseCommandModel(raw json.RawMessage) (commands []Command, left string, err error) {
	raw, err = unquote(raw)
	if err != nil {
		return nil, "", fmt.Errorf("the command model %w", err)
	}
	var top clickCommand
	b := &bounded{left: maxCommands}
	// What is wrong beside the commands loses none of them.
	switch err := json.Unmarshal(raw, &top); {
	case err != nil && top.Commands == nil:
		return nil, "", fmt.Errorf("the command model is not what click makes of commands: %s", reasonOf(err))
	case top.Commands == nil && top.Name == nil:
		return nil, "", errors.New("the command model has neither commands nor a name")
	}
	if top.Commands != nil {
		commands = b.commands(top.Commands, 0)
	} else {
		commands = []Command{b.command(*top.Name, &top, 0)}
	}
	return commands, b.problem("command model"), nil
}

// reasonOf says for people why JSON was not decoded; encoding/json names types of Go.
func reasonOf(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		what := strings.NewReplacer("array", "a list", "object", "an object", "string", "a text", "bool", "true or false", "number", "a number").Replace(wrong.Value)
		if wrong.Field != "" {
			return text(wrong.Field, maxWordBytes) + " is " + what
		}
		return "it is " + what
	}
	return err.Error()
}

// unquote returns the JSON that a string holds, or the value itself if it is no string.
func unquote(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) > maxAnswer {
		return nil, fmt.Errorf("is %d bytes long; at most %d are read", len(raw), maxAnswer)
	}
	raw = bytes.TrimSpace(bytes.ToValidUTF8(raw, []byte("\ufffd")))
	if len(raw) == 0 || raw[0] != '"' {
		return raw, nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("is a string that cannot be read: %w", err)
	}
	return json.RawMessage(s), nil
}

// commands returns the commands of a group, sorted by name. One that cannot be read, or not in all,
// is there by its name, and costs no other one.
func (b *bounded) commands(all map[string]json.RawMessage, depth int) []Command {
	commands := make([]Command, 0, min(len(all), maxCommands))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if depth >= maxDepth || !b.take() {
			b.drop("commands beyond the first %d, or deeper than %d groups", maxCommands, maxDepth)
			break
		}
		var c clickCommand
		wrong := json.Unmarshal(all[name], &c)
		got := b.command(name, &c, depth)
		if wrong != nil { // what is right in it was read
			b.drop("parameters of commands that cannot be read")
			got.Unread = true
		}
		commands = append(commands, got)
	}
	return commands
}

// command returns one command, and those of its group.
func (b *bounded) command(name string, c *clickCommand, depth int) Command {
	got := Command{Name: text(name, maxWordBytes), Help: helpText(c.Help, c.ShortHelp), Hidden: c.Hidden, Params: []Param{}}
	deprecated := string(c.Deprecated)
	got.Deprecated = deprecated != "" && deprecated != "false" && deprecated != "null" && deprecated != `""`
	for _, raw := range c.Params {
		if len(got.Params) == maxParams {
			b.drop("parameters beyond the first %d", maxParams)
			break
		}
		var p clickParam
		switch {
		case json.Unmarshal(raw, &p) != nil || p.Name == nil:
			b.drop("parameters that cannot be read")
			got.Unread = true // a form without it would make another command
		case slices.Contains(p.Opts, "--help"): // every command has it
		default:
			got.Params = append(got.Params, b.param(&p))
		}
	}
	if c.Commands != nil {
		got.Commands = b.commands(c.Commands, depth+1)
	}
	return got
}

// helpText returns a help text without the indentation of the docstring that it comes from, and without
// click's marks in it: a line with \b before a paragraph that is not wrapped, and \f before what is not
// part of the help.
func helpText(texts ...*string) string {
	for _, t := range texts {
		if t == nil {
			continue
		}
		shown, _, _ := strings.Cut(text(*t, maxTextBytes), "\f")
		lines := slices.DeleteFunc(strings.Split(shown, "\n"), func(line string) bool { return strings.TrimSpace(line) == "\b" })
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		if s := strings.TrimSpace(strings.Join(lines, "\n")); s != "" {
			return s
		}
	}
	return ""
}

// param returns a parameter.
func (b *bounded) param(p *clickParam) Param {
	got := Param{
		Name: text(*p.Name, maxWordBytes), Kind: Option, Opts: b.words(p.Opts), OffOpts: b.words(p.SecondaryOpts),
		Required: p.Required, Nargs: p.Nargs, Multiple: p.Multiple, Default: json.RawMessage("null"),
		Flag: p.IsFlag, Count: p.Count, Hidden: p.Hidden, Help: helpText(p.Help), Type: "other",
	}
	if p.ParamType == Argument {
		got.Kind = Argument
	}
	if got.Opts == nil {
		got.Opts = []string{}
	}
	if len(p.Default) > maxValueBytes {
		b.drop("defaults longer than %d bytes", maxValueBytes)
	} else if len(p.Default) > 0 {
		got.Default = p.Default
	}
	b.setType(&got, p.Type)
	got.takeUnit()
	return got
}

// unitText matches a unit at the end of a help text. It has no spaces, and is none of what click
// writes there.
var unitText = regexp.MustCompile(`\s*\[([^\[\]\s=<>]{1,16})\]$`)

// takeUnit takes the unit out of the help of a number.
func (p *Param) takeUnit() {
	m := unitText.FindStringSubmatch(p.Help)
	if m == nil || p.Type != "float" && p.Type != "int" && p.Type != "other" && p.Type != "text" || m[1] == "required" {
		return
	}
	p.Help, p.Unit = strings.TrimSuffix(p.Help, m[0]), m[1]
}

// setType sets the type of a parameter, its choices and its range. A type that cannot be read is
// other, so that the rest of the command is still known.
func (b *bounded) setType(p *Param, raw json.RawMessage) {
	var t clickType
	if json.Unmarshal(raw, &t) != nil {
		return
	}
	if known, ok := types[t.ParamType]; ok {
		p.Type = known
	}
	p.Min, p.Max = number(t.Min), number(t.Max)
	if p.Count { // click describes it as an integer of at least 0, but it takes no value
		p.Min, p.Max = nil, nil
	}
	p.MinOpen, p.MaxOpen = p.Min != nil && t.MinOpen, p.Max != nil && t.MaxOpen
	var choices []string
	for _, raw := range t.Choices {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw) // a number, as it is written
		}
		choices = append(choices, s)
	}
	p.Choices = b.words(choices)
}

// words returns at most maxWords words. One that is too long is left out, since it could not be
// sent as it is shown.
func (b *bounded) words(all []string) (words []string) {
	for _, w := range all {
		if len(words) == maxWords || len(w) > maxWordBytes {
			b.drop("choices and names beyond %d, or longer than %d bytes", maxWords, maxWordBytes)
			continue
		}
		words = append(words, text(w, maxWordBytes))
	}
	return words
}

// number returns a JSON number as it is written, or nil.
func number(raw json.RawMessage) *json.Number {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || len(raw) > maxWordBytes || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return nil
	}
	if !json.Valid(raw) { // it may be of a help text
		return nil
	}
	n := json.Number(raw)
	return &n
}
