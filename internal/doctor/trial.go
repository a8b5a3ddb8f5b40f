package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// skew is how far the clocks of actors may differ from this machine's. The times of replies have whole seconds.
const skew = 3 * time.Second

// leastProbe is how long the trial's queue may be silent before it is probed, at least.
const leastProbe = 50 * time.Millisecond

// surelyDown is how long it takes to find out that a queue takes no messages: half of it passes before it is probed, and a
// quarter until the broker should have answered.
const surelyDown = 6 * time.Second

var errBroken = errors.New("it broke at once")

// trial links as a bridge does, and listens. The names of its queues begin like the bridge's own, so that the same
// permissions are needed.
func (r *Report) trial(ctx context.Context, cfg Config, broker string, i *amqpx.Inspection) {
	heard := &listener{senders: map[string]time.Duration{}}
	link := cfg.link(broker)
	link.ProbeAfter = max(cfg.Listen/5, leastProbe) // a broker says that it blocks publishers only to those that publish
	queue := actor.RepliesQueue(cfg.own())
	if cfg.Stream != nil {
		queue = cfg.Stream.Name + "_doctor"
	}
	link.Queues = []amqpx.Queue{{Name: queue, Bindings: []string{"reply.#"}, Deliver: heard.deliver}}
	state, warnings, err := try(ctx, link, cfg.Listen)
	if err == nil && state.QueueDown != "" {
		// The broker may only be slower than such a short trial allows.
		link.ProbeAfter = surelyDown / 2
		state, warnings, err = try(ctx, link, surelyDown)
	}
	if err == nil && !state.Up {
		err = cmp.Or(state.Err, errBroken)
	}
	if err != nil {
		r.Fail("broker.link", permissionsPage, "a link as the bridge makes it fails: %v", cfg.Advise(err))
		return
	}
	r.OK("broker.link", "a link as the bridge makes it works: the user may configure, write and read what it needs")
	for _, line := range warnings {
		r.Warn("broker.link", line.advice, "%s", line.text)
	}
	if state.Blocked != "" {
		r.Fail("broker.blocked", "give the broker memory or disk; rabbitmqctl list_queues name messages memory says what takes it", "the broker takes no commands: %s", state.Blocked)
	}
	if state.QueueDown != "" {
		r.Fail("broker.blocked", "", "the broker brings no replies: %s", state.QueueDown)
	}
	r.actors(cfg, heard, i)
}

// linkWithin bounds the making of the trial's link.
const linkWithin = 30 * time.Second

// permissionsPage is where the permissions are.
const permissionsPage = "docs/operating.md lists the permissions that a bridge needs"

// try runs a link until it has been up for some time, and returns its last state and what it logged.
func try(ctx context.Context, cfg amqpx.Config, listen time.Duration) (state amqpx.State, warnings []logLine, err error) {
	collected := &collector{}
	up := make(chan struct{})
	var once sync.Once
	cfg.Logger = slog.New(collected)
	cfg.OnState = func(s amqpx.State) {
		if s.Up {
			once.Do(func() { close(up) })
		}
	}
	l, err := amqpx.New(cfg)
	if err != nil {
		return state, nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	timer := time.NewTimer(linkWithin)
	defer timer.Stop()
	select {
	case <-up:
		listenFor(ctx, listen)
		state = l.State()
	case err := <-ended:
		return state, nil, cmp.Or(err, ctx.Err())
	case <-timer.C:
		err = fmt.Errorf("it is not made within %v", linkWithin)
	}
	interrupted := ctx.Err()
	stop()
	err = cmp.Or(err, <-ended, interrupted)
	return state, collected.warnings(), err
}

func listenFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// actors says who was heard, and whether each takes commands.
func (r *Report) actors(cfg Config, heard *listener, i *amqpx.Inspection) {
	heard.mu.Lock()
	defer heard.mu.Unlock()
	if len(heard.senders) == 0 {
		r.Warn("broker.actors", "listen longer with --for 60s; actors that say nothing are not heard", "no actor was heard within %v", cfg.Listen)
		return
	}
	var takes, deaf, unknown []string
	for _, name := range slices.Sorted(maps.Keys(heard.senders)) {
		switch i.Queue(actor.CommandsQueue(name)) {
		case amqpx.NoQueue, amqpx.Unused:
			deaf = append(deaf, name)
		case amqpx.InUse:
			takes = append(takes, name)
		default: // RabbitMQ 4.3 tells only a user who may configure the queue
			unknown = append(unknown, name)
		}
		if off := heard.senders[name]; off > skew || off < -skew {
			r.Warn("broker.clock", "let an NTP service set the clocks of both machines", "the clock of %s differs from this machine's by %v", name, off.Round(time.Second))
		}
	}
	if len(takes) > 0 {
		r.OK("broker.actors", "heard within %v, and they take commands: %s", cfg.Listen, strings.Join(takes, ", "))
	}
	if len(unknown) > 0 {
		r.OK("broker.actors", "heard within %v; whether they take commands the broker does not tell this user: %s", cfg.Listen, strings.Join(unknown, ", "))
	}
	if len(deaf) > 0 {
		r.Warn("broker.actors", "restart these actors, if they should take commands", "heard, but nothing takes their commands: %s", strings.Join(deaf, ", "))
	}
}

// listener notes who replies, and how far each clock differs from this machine's.
type listener struct {
	mu      sync.Mutex
	senders map[string]time.Duration
}

func (l *listener) deliver(d *amqpx.Delivery) {
	name, _ := d.Headers["sender"].(string)
	if name == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	off := time.Duration(0)
	if !d.Timestamp.IsZero() {
		off = time.Until(d.Timestamp)
	}
	l.senders[name] = off
}

// collector is the log of the trial's link.
type collector struct {
	mu    sync.Mutex
	lines []logLine
}

type logLine struct{ text, advice string }

// linked is the line of a link that works.
const linked = "linked to the broker"

func (c *collector) warnings() []logLine {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lines)
}

// Enabled implements [slog.Handler].
func (c *collector) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle notes a line.
func (c *collector) Handle(_ context.Context, record slog.Record) error {
	if record.Message == linked {
		return nil
	}
	line := logLine{text: record.Message}
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "advice":
			line.advice = a.Value.String()
		case "error":
			line.text += fmt.Sprintf(" (%v)", a.Value)
		}
		return true
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
	return nil
}

// WithAttrs implements [slog.Handler].
func (c *collector) WithAttrs([]slog.Attr) slog.Handler { return c }

// WithGroup implements [slog.Handler].
func (c *collector) WithGroup(string) slog.Handler { return c }
