package actor

import (
	"context"
	"encoding/json"
	"strings"
)

// commandInfo describes a command, or all of an actor, as click does (click.Command.to_info_dict).
type commandInfo struct {
	Name       string                 `json:"name"`
	Params     []paramInfo            `json:"params"`
	Help       *string                `json:"help"`
	Epilog     *string                `json:"epilog"`
	ShortHelp  *string                `json:"short_help"`
	Hidden     bool                   `json:"hidden"`
	Deprecated bool                   `json:"deprecated"`
	Commands   map[string]commandInfo `json:"commands,omitempty"` // of a group
	Chain      *bool                  `json:"chain,omitempty"`    // of a group
}

// paramInfo describes a parameter.
type paramInfo struct {
	Name          string   `json:"name"`
	ParamTypeName string   `json:"param_type_name"`
	Opts          []string `json:"opts"`
	SecondaryOpts []string `json:"secondary_opts"`
	Type          any      `json:"type"`
	Required      bool     `json:"required"`
	Nargs         int      `json:"nargs"`
	Multiple      bool     `json:"multiple"`
	Default       any      `json:"default"`
	Envvar        *string  `json:"envvar"`
	Help          *string  `json:"help"`
	*optionInfo            // nil for an argument
}

// optionInfo is what only options have.
type optionInfo struct {
	Prompt    *string `json:"prompt"`
	IsFlag    bool    `json:"is_flag"`
	FlagValue *bool   `json:"flag_value"`
	Count     bool    `json:"count"`
	Hidden    bool    `json:"hidden"`
}

// plainType, rangeType and choiceType are the types of parameters.
type plainType struct {
	ParamType string `json:"param_type"`
	Name      string `json:"name"`
}

type rangeType struct {
	plainType
	Min     *json.Number `json:"min"`
	Max     *json.Number `json:"max"`
	MinOpen bool         `json:"min_open"`
	MaxOpen bool         `json:"max_open"`
	Clamp   bool         `json:"clamp"`
}

type choiceType struct {
	plainType
	Choices       []string `json:"choices"`
	CaseSensitive bool     `json:"case_sensitive"`
}

// getCommandModel answers get-command-model, in CLU's words. Its replies are internal.
func (a *Actor) getCommandModel(_ context.Context, c *Call) error {
	name, given := c.Arg("COMMAND-NAME")
	h, ok := a.handlers[name]
	switch {
	case !given:
		c.reply(Done, Keywords{"command_model": a.groupInfo()}, true)
	case !ok:
		c.reply(Failed, Keywords{"error": "Cannot find command " + name + "."}, true)
	default:
		c.reply(Done, Keywords{"command_model": h.info()}, true)
	}
	return nil
}

// groupInfo describes all commands.
func (a *Actor) groupInfo() commandInfo {
	chain := false
	// CLU's group of commands has this name, and no help.
	all := commandInfo{Name: "command-parser", Params: []paramInfo{helpInfo()}, Commands: map[string]commandInfo{}, Chain: &chain}
	for name, h := range a.handlers {
		all.Commands[name] = h.info()
	}
	return all
}

// info describes a command.
func (h *handler) info() commandInfo {
	c := commandInfo{Name: h.usage.name, Help: orNull(h.help.text())}
	for i := range h.usage.params {
		p := &h.usage.params[i]
		nargs := 1
		if p.variadic {
			nargs = -1
		}
		c.Params = append(c.Params, paramInfo{
			Name: pythonName(p.name), ParamTypeName: "argument", Opts: []string{p.name}, SecondaryOpts: []string{}, Type: p.is.info(),
			Required: !p.optional, Nargs: nargs, Default: p.is.defaultInfo(), Help: orNull(strings.Join(h.help.options[p.name], " ")),
		})
	}
	for i := range h.usage.options {
		c.Params = append(c.Params, h.optionInfo(&h.usage.options[i]))
	}
	c.Params = append(c.Params, helpInfo())
	return c
}

// optionInfo describes an option.
func (h *handler) optionInfo(o *option) paramInfo {
	p := paramInfo{
		Name: pythonName(strings.TrimLeft(o.name, "-")), ParamTypeName: "option", Opts: []string{o.name}, SecondaryOpts: []string{},
		Type: o.is.info(), Required: o.required, Nargs: 1, Default: o.is.defaultInfo(),
		Help: orNull(strings.Join(h.help.options[o.name], " ")), optionInfo: &optionInfo{},
	}
	if o.value == "" {
		p.setFlag()
	}
	return p
}

// setFlag makes an option one without a value.
func (p *paramInfo) setFlag() {
	on := true
	p.Type, p.Default, p.IsFlag, p.FlagValue = plainType{"Bool", "boolean"}, false, true, &on
}

// helpInfo describes the option --help, which every command has.
func helpInfo() paramInfo {
	p := paramInfo{
		Name: "_click_default_help", ParamTypeName: "option", Opts: []string{"--help"}, SecondaryOpts: []string{}, Nargs: 1,
		Help: orNull("Show this message and exit."), optionInfo: &optionInfo{},
	}
	p.setFlag()
	return p
}

// pythonName returns the name by which click hands a parameter to its function.
func pythonName(name string) string { return strings.ToLower(strings.ReplaceAll(name, "-", "_")) }

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// info describes a type.
func (t *valueType) info() any {
	classes := map[string]string{"float": "Float", "int": "Int", "choice": "Choice"}
	plain := plainType{classes[t.kind], t.clickName()}
	switch {
	case t.kind == "choice":
		return choiceType{plain, t.choices, true}
	case t.ranged():
		plain.ParamType += "Range"
		return rangeType{plainType: plain, Min: t.numberOrNull(t.min), Max: t.numberOrNull(t.max), MinOpen: t.minOpen, MaxOpen: t.maxOpen}
	case plain.ParamType == "":
		plain.ParamType = "String"
	}
	return plain
}

// defaultInfo returns the default as JSON, or nil.
func (t *valueType) defaultInfo() any {
	switch {
	case t.fallback == nil:
		return nil
	case t.kind == "float" || t.kind == "int":
		return t.numberOrNull(*t.fallback)
	}
	return *t.fallback
}

// numberOrNull returns a number of this type as it is written, if that is JSON: Go also reads .5 and +1.
func (t *valueType) numberOrNull(written string) *json.Number {
	if written == "" {
		return nil
	}
	n := json.Number(written)
	if !json.Valid([]byte(n)) {
		n = json.Number(t.pythonNumber(written))
	}
	return &n
}
