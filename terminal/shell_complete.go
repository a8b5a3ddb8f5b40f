package terminal

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/terminal/complete"
)

// shellModel is what is known of an actor's commands.
type shellModel struct {
	commands []model.Command
	asking   bool
	asked    time.Time
}

// modelStays is how long a model is used until it is asked for again. Nobody waits for that.
const modelStays = time.Minute

// completer completes a line, at its end.
type completer func(line string) complete.Completion

// complete completes a line with what is known now, and asks for what is not.
func (s *shell) complete(line string) complete.Completion {
	s.mu.Lock()
	actor, actors := s.actor, s.actors
	s.mu.Unlock()
	source := complete.Source{Actors: actors, Commands: s.commandsOf}
	if rest, ok := strings.CutPrefix(line, ".send "); ok {
		return shifted(complete.Line(rest, source), len(line)-len(rest))
	}
	if strings.HasPrefix(line, ".") {
		return s.completeDot(line, source)
	}
	if actor == "" {
		return complete.Line(line, source)
	}
	return complete.Command(line, s.commandsOf(actor))
}

// completeDot completes a command of the shell.
func (s *shell) completeDot(line string, source complete.Source) complete.Completion {
	name, rest, hasArgs := strings.Cut(line, " ")
	if hasArgs {
		if name != ".actor" && name != ".model" && name != ".listen" && name != ".get" || strings.Contains(rest, " ") && name != ".model" {
			return complete.Completion{From: len(line)}
		}
		return shifted(complete.Line(rest, source), len(line)-len(rest))
	}
	c := complete.Completion{Typed: line}
	for _, one := range dotCommands() {
		if strings.HasPrefix(one.name, line) {
			c.Candidates = append(c.Candidates, complete.Candidate{Text: one.name, Detail: one.help})
		}
	}
	return c
}

func shifted(c complete.Completion, by int) complete.Completion {
	c.From += by
	return c
}

// commandsOf returns the commands of an actor as far as they are known, and asks for them if they are not or old.
func (s *shell) commandsOf(actor string) []model.Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.models[actor]
	if m == nil {
		m = &shellModel{}
		s.models[actor] = m
	}
	if !m.asking && time.Since(m.asked) > modelStays {
		m.asking = true
		go s.askModel(actor, m)
	}
	return m.commands
}

// askTimeout bounds a question for a completion.
const askTimeout = 10 * time.Second

func (s *shell) askModel(actor string, m *shellModel) {
	ctx, stop := context.WithTimeout(s.ctx, askTimeout)
	defer stop()
	var answer struct{ Commands []model.Command }
	raw, err := s.link.Ask(ctx, "model", map[string]any{"actor": actor})
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.asking = false
	if err == nil { // else what was known stays, and it is asked again
		m.commands, m.asked = answer.Commands, time.Now()
	}
}

// prefetch asks for what the first completion needs.
func (s *shell) prefetch() {
	if actor := s.currentActor(); actor != "" {
		s.commandsOf(actor)
	}
	go func() {
		ctx, stop := context.WithTimeout(s.ctx, askTimeout)
		defer stop()
		if names, err := actorNames(ctx, s.link); err == nil {
			s.mu.Lock()
			s.actors = names
			s.mu.Unlock()
		}
	}()
}

// actorNames returns the names of the actors that the bridge knows.
func actorNames(ctx context.Context, link Link) ([]string, error) {
	raw, err := link.Ask(ctx, "actors", nil)
	if err != nil {
		return nil, err
	}
	return readActorNames(raw)
}

// readActorNames reads the answer to actors. A name with a blank cannot be typed as one word, and is no consumer.
func readActorNames(raw json.RawMessage) (names []string, err error) {
	var answer struct{ Actors []struct{ Name string } }
	err = json.Unmarshal(raw, &answer)
	for _, a := range answer.Actors {
		if a.Name != "" && !strings.ContainsAny(a.Name, " \t\r\n") {
			names = append(names, a.Name)
		}
	}
	return names, err
}

// completed returns a line with its completion, and what to print if there are several.
func completed(line string, c complete.Completion) (next, list string) {
	next = line
	switch common, whole := c.Common(); {
	case whole:
		return line[:c.From] + common + " ", ""
	case len(common) > len(line)-c.From:
		next = line[:c.From] + common
	}
	var b strings.Builder
	if c.Hint != "" {
		fmt.Fprintf(&b, "  %s\n", visible(c.Hint))
	}
	const most = 40 // fit on a screen
	for i, one := range c.Candidates {
		if i == most {
			fmt.Fprintf(&b, "  and %d more\n", len(c.Candidates)-most)
			break
		}
		fmt.Fprintf(&b, "  %s\n", strings.TrimRight(fmt.Sprintf("%-16s %s", visible(one.Text), visible(one.Detail)), " "))
	}
	return next, b.String()
}
