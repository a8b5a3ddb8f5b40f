package terminal

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/internal/shlex"
)

// SendOptions are the options of [Send].
type SendOptions struct {
	Consumer string
	Words    []string // see CommandString
	ID       string
	Timeout  time.Duration
	Expires  time.Duration
	Quiet    bool   // do not print the replies
	Get      string // print only the value that this keyword had last in the replies
	// FlagsAfter are the flags that stood after the command, such as --timeout. If the command has an option of that
	// name, it is not known whose was meant, and nothing is sent.
	FlagsAfter []string
}

// Send sends a command and waits for its end. It is sent once; if it is in doubt whether the actor has it, that is
// said, and it is not sent again.
func Send(ctx context.Context, e *Env, o SendOptions) error {
	switch {
	case o.Consumer == "" || len(o.Words) == 0:
		return Usage("a command needs an ACTOR and what it shall do, as in clu-ws send dome open")
	case o.Timeout < 0 || o.Expires < 0:
		return Usage("a time must not be negative")
	}
	began := time.Now()
	link, err := e.dial(ctx)
	if err != nil {
		return err
	}
	defer link.Close()
	if err := checkFlags(ctx, link, o); err != nil {
		return err
	}
	if err := o.spend(began); err != nil {
		return err
	}
	return send(ctx, e, link, o)
}

// spend takes the time since the user gave the command off that within which it is sent: it takes time to connect, and
// the program may have been stopped, or the computer asleep, for longer than its own clock has counted.
func (o *SendOptions) spend(began time.Time) error {
	within := cmp.Or(o.Expires, defaultExpires)
	if o.Timeout > 0 {
		within = min(within, o.Timeout) // nobody waits for it later
	}
	spent := max(time.Since(began), time.Now().Round(0).Sub(began.Round(0)))
	if o.Expires = within - spent; o.Expires <= 0 {
		return exit(ExitNotSent, "not sent: it took %v to come to that, and it is sent within %v or not at all", spent.Round(10*time.Millisecond), within)
	}
	return nil
}

// modelPatience is how long the model of the actor is waited for, to see whose a flag is.
const modelPatience = time.Second

// checkFlags returns an error if the command has an option with the name of a flag that stood after it. If the actor
// does not tell of its commands, the flags are those of this program.
func checkFlags(ctx context.Context, link Link, o SendOptions) error {
	if len(o.FlagsAfter) == 0 {
		return nil
	}
	within, stop := context.WithTimeout(ctx, modelPatience)
	defer stop()
	raw, err := link.Ask(within, "model", map[string]any{"actor": o.Consumer})
	var m actorModel
	if err != nil || json.Unmarshal(raw, &m) != nil {
		return nil
	}
	words, _ := shlex.Split(CommandString(o.Words))
	commands := m.Commands
	for _, word := range words {
		i := slices.IndexFunc(commands, func(c model.Command) bool { return c.Name == word })
		if i < 0 {
			return nil
		}
		for _, p := range commands[i].Params {
			for _, flag := range o.FlagsAfter {
				if slices.Contains(p.Opts, flag) || slices.Contains(p.OffOpts, flag) {
					return Usage("nothing was sent: %s of %s has an option %s, too; write clu-ws's before the actor, and the command after --", word, o.Consumer, flag)
				}
			}
		}
		commands = commands[i].Commands
	}
	return nil
}

func send(ctx context.Context, e *Env, link Link, o SendOptions) error {
	command := Command{Consumer: o.Consumer, String: CommandString(o.Words), ID: o.ID, Timeout: o.Timeout, Expires: o.Expires, Told: e.noteEvent}
	var found json.RawMessage
	keyword, path, _ := strings.Cut(o.Get, ".")
	out := newLineWriter(e.Stdout)
	defer out.Close()
	var broken error
	ended := link.Send(ctx, command, func(id string) {
		if !o.Quiet {
			e.note("sending %q to %s, with the id %s", command.String, o.Consumer, id)
		}
	}, func(r *Reply) {
		if value := keywordIn(r.Body, keyword); value != nil {
			found = json.RawMessage(strings.Clone(string(value)))
		}
		if o.Quiet || o.Get != "" || broken != nil {
			return
		}
		// A reader that has gone, such as head, does not end the wait for the end of the command.
		broken = errors.Join(out.Line(func(w *bufio.Writer) { writeReply(w, r, e.JSON, e.Color) }), out.Flush())
	})
	if o.Get != "" {
		if path != "" {
			found = member(found, strings.Split(path, "."))
		}
		if found != nil {
			broken = errors.Join(out.Line(func(w *bufio.Writer) { w.WriteString(e.value(found)) }), out.Flush())
		}
	}
	if broken != nil && !errors.Is(broken, syscall.EPIPE) {
		e.note("what it replied could not be written: %v", broken)
	}
	if err := outcomeError(ctx, o.Consumer, command.String, ended); err != nil {
		return err
	}
	switch {
	case o.Get != "" && broken != nil:
		return exit(ExitHere, "%s has done it, but the value of %s could not be written", o.Consumer, o.Get)
	case o.Get != "" && found == nil:
		return exit(ExitTime, "%s has done it, but none of its replies had %s", o.Consumer, o.Get)
	}
	return nil
}

// value returns a value as it is printed.
func (e *Env) value(raw json.RawMessage) string {
	if e.JSON {
		return visible(oneLine(raw))
	}
	return plain(raw)
}

// outcomeError returns how a command ended as an error, nil if it is done.
func outcomeError(ctx context.Context, consumer, command string, o Outcome) error {
	ask := "ask " + consumer + " for its status before you send it again"
	switch o.State {
	case StateDone:
		return nil
	case StateFailed:
		if o.Message == "" {
			o.Message = "it gives no reason"
		}
		return exit(ExitFailed, "%s failed: %s", consumer, o.Message)
	case StateRejected:
		return exit(ExitNotSent, "not sent: %s", o.Message)
	case StateNobody:
		return exit(ExitNobody, "nobody listens to %s: %s", consumer, o.Message)
	case StateTimeout:
		return exit(ExitTime, "the time ran out, but %q (id %s) may still run: %s", command, o.ID, ask)
	}
	if ctx.Err() != nil {
		return exit(ExitInterrupted, "%q to %s (id %s) was not stopped and may still run: %s", command, consumer, o.ID, ask)
	}
	return exit(ExitUnknown, "it is not known how %q to %s (id %s) ended: %s; %s", command, consumer, o.ID, strings.TrimPrefix(o.Message, "unknown: "), ask)
}
