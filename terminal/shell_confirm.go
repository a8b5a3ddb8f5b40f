package terminal

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/shlex"
)

// confirmation is a command that the observatory calls dangerous, before it is sent.
type confirmation struct{ actor, command string }

// siteTimeout bounds the question which commands are dangerous, which is asked before each.
const siteTimeout = 300 * time.Millisecond

// isDangerous reports whether the observatory wants a command to be asked about. The rules are those of now; if the bridge
// does not answer, those that it told last.
func (s *shell) isDangerous(actor, command string) bool {
	ctx, stop := context.WithTimeout(s.ctx, siteTimeout)
	defer stop()
	var answer struct{ Dangerous []site.Dangerous }
	raw, err := s.link.Ask(ctx, "site", nil)
	if err == nil && json.Unmarshal(raw, &answer) == nil {
		if rules, err := site.Compile(&site.Config{Dangerous: answer.Dangerous}); err == nil {
			s.rules = rules
		}
	}
	if s.rules == nil {
		return false
	}
	// CLU unquotes before it looks for the command: "op"en is open. A command to dome.x reaches dome.
	words, _ := shlex.Split(command)
	verbs := words[:1]
	if strings.HasPrefix(words[0], "-") { // after an option, the command is one of the other words
		verbs = words
	}
	consumers := []string{actor}
	for i, r := range actor {
		if r == '.' {
			consumers = append(consumers, actor[:i])
		}
	}
	return slices.ContainsFunc(consumers, func(consumer string) bool {
		return slices.ContainsFunc(verbs, func(verb string) bool { return s.rules.Dangerous(consumer, verb) })
	})
}

// confirm asks whether a command is to be sent.
func (s *shell) confirm(actor, command string) {
	s.asked = &confirmation{actor, command}
	s.prompt.SetPrompt("dangerous: send " + visible(command) + " to " + visible(actor) + "? (yes/no) ")
}

// confirmed takes the answer. Whatever is not yes is no.
func (s *shell) confirmed(line string) error {
	c := s.asked
	s.asked = nil
	s.showPrompt()
	if !slices.Contains([]string{"y", "yes"}, strings.ToLower(line)) {
		s.env.note("not sent: %s", c.command)
		return nil
	}
	return s.run(c.actor, c.command)
}
