package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/shlex"
)

// ShellOptions are the options of [Shell].
type ShellOptions struct {
	Actor   string // to which lines go; "": each line begins with its actor
	History string // the file of earlier lines; "": they are not kept
	Prompt  Prompt
}

// Prompt is where the lines of a shell come from, and where everything is printed. Its methods may be called at once.
type Prompt interface {
	// ReadLine returns the next line. The error is [io.EOF] at the end, [ErrInterrupt] for Ctrl-C and [ErrPasted]
	// for a line whose end was pasted.
	ReadLine() (string, error)
	// Write prints whole lines, above what is being typed.
	io.Writer
	// SetPrompt sets what stands before the line.
	SetPrompt(string)
	// Interactive reports whether somebody types the lines. If not, each command is waited for.
	Interactive() bool
}

// The errors of [Prompt.ReadLine].
var (
	ErrInterrupt = errors.New("interrupted")
	ErrPasted    = errors.New("the end of the line was pasted")
)

// shell is a session.
type shell struct {
	env    Env // prints to the prompt
	link   Link
	prompt Prompt
	ctx    context.Context

	mu      sync.Mutex // guards the following fields
	actor   string
	up      bool
	running map[string]*runningCommand // by id
	mine    map[string]bool            // the ids of all commands of this session
	models  map[string]*shellModel
	actors  []string
	code    int // with which the shell exits: the last command's

	heard heardReplies
	rules *site.Site    // of dangerous commands, as told last; nil if none were
	asked *confirmation // what the next line answers, or nil
}

// Shell reads lines and sends them as commands, until they end.
func Shell(ctx context.Context, e *Env, o ShellOptions) error {
	link, err := e.dial(ctx)
	if err != nil {
		return err
	}
	defer link.Close()
	ctx, stop := context.WithCancel(ctx)
	s := &shell{
		env: *e, link: link, prompt: o.Prompt, ctx: ctx, actor: o.Actor, up: true,
		running: map[string]*runningCommand{}, mine: map[string]bool{}, models: map[string]*shellModel{},
	}
	s.env.Stdout = o.Prompt
	if o.Prompt.Interactive() { // what went to the terminal would break the line
		s.env.Stderr = o.Prompt
	}
	s.env.Dial = func(context.Context) (Link, error) { return sharedLink{link}, nil }
	if c, ok := o.Prompt.(interface{ setCompleter(completer) }); ok {
		c.setCompleter(s.complete)
	}
	s.showPrompt()
	s.heard.start(s, nil)
	defer s.heard.stop()
	defer stop()
	if o.Prompt.Interactive() {
		name := link.Hello().Name
		if e.Fresh {
			name = e.Server
		}
		s.env.note("connected to %s; .help says what there is, Ctrl-D leaves", name)
		s.prefetch()
	}
	return s.loop()
}

// sharedLink is the link of the session, which none of its commands closes.
type sharedLink struct{ Link }

func (sharedLink) Close() error { return nil }

// errLeave ends the session.
var errLeave = errors.New("leave")

// loop handles lines until the last one.
func (s *shell) loop() error {
	interrupts := 0 // in a row
	for {
		line, err := s.readLine()
		if errors.Is(err, ErrInterrupt) {
			if interrupts++; s.interrupt(interrupts) {
				continue
			}
			return s.leave(ExitInterrupted)
		}
		interrupts = 0
		switch {
		case errors.Is(err, ErrPasted):
			if strings.TrimSpace(line) != "" {
				s.env.note("not sent, since its end was pasted: %s; the up key brings it back", strings.TrimSpace(line))
			}
			continue
		case s.ctx.Err() != nil:
			return s.leave(ExitInterrupted)
		case errors.Is(err, io.EOF):
			return s.leave(s.exitCode())
		case err != nil:
			return errors.Join(err, s.leave(ExitDone))
		}
		if err := s.line(strings.TrimSpace(line)); errors.Is(err, errLeave) {
			return s.leave(s.exitCode())
		} else if err != nil {
			s.env.note("%v", err)
			s.setCode(ExitCode(err))
		}
	}
}

// readLine waits for a line, or for the end of the context.
func (s *shell) readLine() (line string, err error) {
	type read struct {
		line string
		err  error
	}
	got := make(chan read, 1)
	go func() {
		line, err := s.prompt.ReadLine()
		got <- read{line, err}
	}()
	select {
	case r := <-got:
		return r.line, r.err
	case <-s.ctx.Done(): // the reader stays until the program ends
		return "", s.ctx.Err()
	}
}

// line does what a line says.
func (s *shell) line(line string) error {
	switch {
	case s.asked != nil:
		return s.confirmed(line)
	case line == "":
		return nil
	case strings.HasPrefix(line, "."):
		return s.dot(line)
	}
	actor, command := s.currentActor(), line
	if actor == "" {
		actor, command, _ = strings.Cut(line, " ")
	}
	return s.send(actor, strings.TrimSpace(command))
}

// send sends a command. What is not whole is not sent.
func (s *shell) send(actor, command string) error {
	if actor == "" || command == "" {
		return Usage("not sent: write the command after the actor, as in dome open")
	}
	switch _, open := shlex.Lex(command); open {
	case 0:
	case '\\':
		return Usage("not sent: the line ends with a backslash; write two for one")
	default:
		return Usage("not sent: a quotation is open; close it with another %c", open)
	}
	if s.prompt.Interactive() && s.isDangerous(actor, command) {
		s.confirm(actor, command)
		return nil
	}
	return s.run(actor, command)
}

// interrupt handles Ctrl-C, the nth in a row, and reports whether the session goes on.
func (s *shell) interrupt(nth int) bool {
	if s.asked != nil {
		_ = s.confirmed("no") // it is not sent, so there is no error
		return true
	}
	if s.stopWaiting() {
		return true
	}
	if nth > 1 {
		return false
	}
	s.env.note("Ctrl-C again, or Ctrl-D, leaves")
	return true
}

// leave names what goes on, and returns how the program exits.
func (s *shell) leave(code int) error {
	still := s.stillRunning()
	for _, c := range still {
		s.env.note("%s goes on with %q (id %s); ask it for its status", c.actor, c.command, c.id)
	}
	if len(still) > 0 && code == ExitDone {
		code = ExitUnknown
	}
	if code == ExitDone {
		return nil
	}
	return &ExitError{code, ErrTold}
}

// ErrTold is an error of which the user was told when it happened.
var ErrTold = errors.New("it was told already")

func (s *shell) currentActor() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.actor
}

func (s *shell) exitCode() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code
}

func (s *shell) setCode(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code = code
}

// showPrompt shows the actor, whether the bridge is there, and how many commands run.
func (s *shell) showPrompt() {
	s.mu.Lock()
	name, up, n := s.actor, s.up, len(s.running)
	s.mu.Unlock()
	if name == "" {
		name = "clu-ws"
	}
	if !up {
		name += " (not connected)"
	}
	if n > 0 {
		name += fmt.Sprintf(" (%d running)", n)
	}
	s.prompt.SetPrompt(visible(name) + "> ")
}
