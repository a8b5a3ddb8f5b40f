package terminal

import (
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/internal/shlex"
)

// dotCommand is a command of the shell itself.
type dotCommand struct {
	name, args, help string
	do               func(s *shell, args []string, line string) error
}

// dotCommands returns the commands of the shell, in the order in which the help has them.
func dotCommands() []dotCommand {
	return []dotCommand{
		{".actor", "[ACTOR]", "sends the next lines to this actor; without one, each line begins with its actor", (*shell).setActor},
		{".send", "ACTOR COMMAND", "sends a single command to another actor", (*shell).sendTo},
		{".actors", "", "lists the actors", func(s *shell, _ []string, _ string) error { return Actors(s.ctx, &s.env) }},
		{".model", "[ACTOR] [COMMAND]", "lists the commands of an actor, or describes one", (*shell).model},
		{".get", "ACTOR.KEYWORD ...", "prints values, such as weather.is_safe", func(s *shell, args []string, _ string) error {
			return Get(s.ctx, &s.env, GetOptions{Patterns: args})
		}},
		{".listen", "[PATTERN ...]", "prints all replies, or those of an actor or a keyword, such as weather.wind_*", (*shell).listenTo},
		{".mute", "", "prints only the replies to commands of this shell", func(s *shell, _ []string, _ string) error {
			s.heard.start(s, nil)
			return nil
		}},
		{".running", "", "lists the commands of this shell that run", (*shell).listRunning},
		{".help", "", "prints this", (*shell).help},
		{".quit", "", "leaves, as Ctrl-D does", func(*shell, []string, string) error { return errLeave }},
	}
}

// dot runs a command of the shell.
func (s *shell) dot(line string) error {
	words, open := shlex.Split(line)
	if open != 0 {
		return Usage("a quotation is open")
	}
	all := dotCommands()
	i := slices.IndexFunc(all, func(c dotCommand) bool { return c.name == words[0] })
	if i < 0 {
		return Usage("there is no command %s; see .help", words[0])
	}
	return all[i].do(s, words[1:], line)
}

func (s *shell) setActor(args []string, _ string) error {
	actor := ""
	if len(args) > 0 {
		actor = args[0]
	}
	s.mu.Lock()
	s.actor = actor
	s.mu.Unlock()
	s.showPrompt()
	s.prefetch()
	return nil
}

// sendTo sends the rest of the line as it is: its quotes are the actor's.
func (s *shell) sendTo(_ []string, line string) error {
	rest := strings.TrimSpace(strings.TrimPrefix(line, ".send"))
	actor, command, _ := strings.Cut(rest, " ")
	return s.send(actor, strings.TrimSpace(command))
}

func (s *shell) model(args []string, _ string) error {
	if len(args) == 0 && s.currentActor() != "" {
		args = []string{s.currentActor()}
	}
	if len(args) == 0 {
		return Usage("name an actor, as in .model dome")
	}
	return Help(s.ctx, &s.env, args[0], args[1:])
}

func (s *shell) listenTo(args []string, _ string) error {
	if _, err := (ListenOptions{Patterns: args}).selectionsOn(s.ctx, s.link); err != nil {
		return err
	}
	if args == nil {
		args = []string{}
	}
	s.heard.start(s, args)
	return nil
}

func (s *shell) listRunning([]string, string) error {
	rows := [][]string{}
	for _, c := range s.stillRunning() {
		rows = append(rows, []string{c.actor, c.command, c.id})
	}
	if len(rows) == 0 {
		return s.env.line("no command of this shell runs")
	}
	return s.env.table(rows)
}

func (s *shell) help([]string, string) error {
	rows := [][]string{}
	for _, c := range dotCommands() {
		rows = append(rows, []string{strings.TrimSpace(c.name + " " + c.args), c.help})
	}
	return s.env.table(rows)
}
