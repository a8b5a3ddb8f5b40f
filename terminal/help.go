package terminal

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/model"
)

// actorModel is what an actor tells of itself, as the bridge answers.
type actorModel struct {
	State    string                     `json:"state"`
	Commands []model.Command            `json:"commands"`
	Keywords map[string]model.Keyword   `json:"keywords"`
	Problem  *string                    `json:"problem"`
	Raw      map[string]json.RawMessage `json:"-"`
}

// askModel asks for the model of an actor.
func askModel(ctx context.Context, e *Env, link Link, actor string) (*actorModel, error) {
	raw, err := link.Ask(ctx, "model", map[string]any{"actor": actor})
	m := &actorModel{}
	if err == nil {
		err = json.Unmarshal(raw, m)
	}
	if err == nil {
		err = json.Unmarshal(raw, &m.Raw)
	}
	if err != nil {
		return nil, orInterrupted(ctx, err)
	}
	if m.State == string(model.None) || m.State == string(model.Asking) && len(m.Commands)+len(m.Keywords) == 0 {
		why := "it does not answer"
		if m.Problem != nil {
			why = *m.Problem
		}
		return nil, exit(ExitNobody, "nothing is known of %s: %s", actor, why)
	}
	if m.State != string(model.Known) && m.Problem != nil {
		e.note("not all is known of %s: %s", actor, *m.Problem)
	}
	return m, nil
}

// modelOf connects, and returns what the actor of a subcommand tells of itself.
func modelOf(ctx context.Context, e *Env, actor, subcommand string) (*actorModel, error) {
	if actor == "" {
		return nil, Usage("name an ACTOR, as in clu-ws %s dome", subcommand)
	}
	link, err := e.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer link.Close()
	return askModel(ctx, e, link, actor)
}

// Help prints the commands of an actor, or the parameters of one.
func Help(ctx context.Context, e *Env, actor string, command []string) error {
	m, err := modelOf(ctx, e, actor, "help")
	if err != nil {
		return err
	}
	commands, found := m.Commands, (*model.Command)(nil)
	for _, name := range command {
		i := slices.IndexFunc(commands, func(c model.Command) bool { return c.Name == name })
		if i < 0 {
			return Usage("%s has no command %q; clu-ws help %s lists them", actor, strings.Join(command, " "), actor)
		}
		found, commands = &commands[i], commands[i].Commands
	}
	if found != nil {
		if e.JSON {
			return e.json(found)
		}
		return e.helpOf(actor, command, found)
	}
	if e.JSON {
		for _, c := range commands {
			if err := e.json(c); err != nil {
				return err
			}
		}
		return nil
	}
	return e.listCommands(commands)
}

// listCommands prints commands with the first sentence of their help.
func (e *Env) listCommands(commands []model.Command) error {
	rows := [][]string{{"COMMAND", "HELP"}}
	for _, c := range commands {
		if !c.Hidden {
			help, _, _ := strings.Cut(c.Help, "\n")
			rows = append(rows, []string{visible(c.Name), visible(help)})
		}
	}
	if len(rows) == 1 {
		e.note("it tells of no commands")
		return nil
	}
	return e.table(rows)
}

// helpOf prints how a command is written and what its parameters are.
func (e *Env) helpOf(actor string, path []string, c *model.Command) error {
	usage := "clu-ws send " + actor + " " + strings.Join(path, " ")
	rows := [][]string{{"PARAMETER", "TYPE", "HELP"}}
	for _, p := range c.Params {
		if p.Hidden {
			continue
		}
		usage += " " + usageOf(p)
		rows = append(rows, []string{visible(strings.Join(append(slices.Clone(p.Opts), p.OffOpts...), ", ")), typeOf(p), visible(p.Help)})
	}
	if len(c.Commands) > 0 {
		usage += " COMMAND"
	}
	text := visible(usage) + "\n"
	if c.Help != "" {
		text += "\n"
		for line := range strings.Lines(c.Help) {
			text += visible(strings.TrimRight(line, "\n")) + "\n"
		}
	}
	if c.Deprecated {
		text += "\nIt is deprecated.\n"
	}
	if c.Unread {
		text += "\nNot all of its parameters are known.\n"
	}
	if err := e.line(strings.TrimSuffix(text, "\n")); err != nil {
		return err
	}
	if len(rows) > 1 {
		if err := e.line(""); err != nil {
			return err
		}
		if err := e.table(rows); err != nil {
			return err
		}
	}
	if len(c.Commands) > 0 {
		if err := e.line(""); err != nil {
			return err
		}
		return e.listCommands(c.Commands)
	}
	return nil
}

// usageOf writes a parameter as in the usage of a command.
func usageOf(p model.Param) string {
	name := strings.ToUpper(p.Name)
	if len(p.Opts) > 0 {
		name = p.Opts[0]
		if p.Kind == model.Option && !p.Flag && !p.Count {
			name += " " + strings.ToUpper(p.Name)
		}
	}
	if p.Nargs == -1 || p.Multiple {
		name += "..."
	}
	if !p.Required {
		name = "[" + name + "]"
	}
	return name
}

// typeOf writes what a parameter may be.
func typeOf(p model.Param) string {
	var parts []string
	switch {
	case p.Flag:
		return "flag"
	case len(p.Choices) > 0:
		parts = append(parts, visible(strings.Join(p.Choices, "|")))
	default:
		parts = append(parts, p.Type)
	}
	low, high := ">=", "<="
	if p.MinOpen {
		low = ">"
	}
	if p.MaxOpen {
		high = "<"
	}
	if p.Min != nil {
		parts = append(parts, low+" "+p.Min.String())
	}
	if p.Max != nil {
		parts = append(parts, high+" "+p.Max.String())
	}
	if p.Unit != "" {
		parts = append(parts, visible(p.Unit))
	}
	if len(p.Default) > 0 && string(p.Default) != "null" {
		parts = append(parts, "default "+plain(p.Default))
	}
	return strings.Join(parts, ", ")
}

// Schema prints what an actor tells of its keywords.
func Schema(ctx context.Context, e *Env, actor string) error {
	m, err := modelOf(ctx, e, actor, "schema")
	if err != nil {
		return err
	}
	if e.JSON {
		return e.line(string(m.Raw["keywords"]))
	}
	rows := [][]string{{"KEYWORD", "TYPE", "UNIT", "VALUES", "DESCRIPTION"}}
	for _, name := range slices.Sorted(maps.Keys(m.Keywords)) {
		k := m.Keywords[name]
		rows = append(rows, []string{visible(name), k.Type, visible(k.Unit), valuesOf(k), visible(k.Description)})
	}
	if len(rows) == 1 {
		e.note("%s tells of no keywords", actor)
		return nil
	}
	return e.table(rows)
}

// valuesOf writes what a keyword may be.
func valuesOf(k model.Keyword) string {
	if len(k.Enum) > 0 {
		var all []string
		for _, v := range k.Enum {
			all = append(all, plain(v))
		}
		return strings.Join(all, "|")
	}
	switch {
	case k.Min != nil && k.Max != nil:
		return fmt.Sprintf("%s to %s", *k.Min, *k.Max)
	case k.Min != nil:
		return ">= " + k.Min.String()
	case k.Max != nil:
		return "<= " + k.Max.String()
	}
	return ""
}
