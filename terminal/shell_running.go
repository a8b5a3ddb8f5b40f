package terminal

import (
	"bufio"
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// runningCommand is a command without an end.
type runningCommand struct {
	id, actor, command string
	order              int
	stop               context.CancelFunc // stops waiting, not the actor
}

// defaultExpires is after which time a command is not sent any more.
const defaultExpires = 5 * time.Second

// run sends a command, and prints its replies and its end. Typed commands run while the next ones are typed.
func (s *shell) run(actor, command string) error {
	ctx, stop := context.WithCancel(s.ctx)
	c := &runningCommand{id: uuid.NewString(), actor: actor, command: command, stop: stop}
	s.mu.Lock()
	c.order = len(s.mine)
	s.running[c.id], s.mine[c.id] = c, true
	s.mu.Unlock()
	s.showPrompt()
	if !s.prompt.Interactive() {
		err := s.wait(ctx, c)
		s.setCode(ExitCode(err)) // of the last command, whatever the ones before did
		return err
	}
	go func() {
		err := s.wait(ctx, c)
		s.setCode(ExitCode(err))
		if err != nil {
			s.env.note("%v", err)
		}
	}()
	return nil
}

// wait sends a command and waits for its end.
func (s *shell) wait(ctx context.Context, c *runningCommand) error {
	defer c.stop()
	outcome := s.link.Send(ctx, Command{Consumer: c.actor, String: c.command, ID: c.id, Expires: defaultExpires}, func(string) {}, s.printReply)
	s.mu.Lock()
	delete(s.running, c.id)
	s.mu.Unlock()
	s.showPrompt()
	return outcomeError(ctx, c.actor, c.command, outcome)
}

// printReply prints a reply as one line.
func (s *shell) printReply(r *Reply) {
	var line bytes.Buffer
	w := bufio.NewWriter(&line)
	writeReply(w, r, s.env.JSON, s.env.Color)
	_ = w.WriteByte('\n')
	_ = w.Flush()
	_, _ = s.prompt.Write(line.Bytes()) // a terminal that has gone ends the input, too
}

// stillRunning returns the commands without an end, in the order in which they were sent.
func (s *shell) stillRunning() []*runningCommand {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*runningCommand, 0, len(s.running))
	for _, c := range s.running {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *runningCommand) int { return a.order - b.order })
	return all
}

// stopWaiting stops waiting for all commands, and reports whether there was one. Their actors go on, as each of them
// says at its end.
func (s *shell) stopWaiting() bool {
	all := s.stillRunning()
	for _, c := range all {
		c.stop()
		s.env.note("no longer waiting for %q: %s goes on with it", c.command, c.actor)
	}
	return len(all) > 0
}

// isMine reports whether a reply answers a command of this session, whose replies are printed anyway.
func (s *shell) isMine(r *Reply) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mine[strings.TrimSpace(r.CommandID)]
}
