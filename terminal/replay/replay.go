package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/terminal/recording"
)

// Options says what to replay.
type Options struct {
	Speed float64 // how many seconds of the recording pass in a second; 0 is one
	From  string  // where to begin: a span after the first reply, such as 10m, or a time; "" is the beginning
	To    string  // where to end
}

// Report is what was replayed.
type Report struct {
	Published int
	Left      int // lines that are no replies, or not whole
	Gaps      int // places where the recording may miss replies
	Torn      bool
}

// Check returns what is wrong with the options, as far as it is known without the recording.
func (o Options) Check() error {
	_, err := o.parse(time.Time{})
	if errors.Is(err, errOrder) { // a span and a time cannot be compared yet
		return nil
	}
	return err
}

// errOrder is the error of an end that is not after the beginning.
var errOrder = errors.New("the end is not after the beginning")

// minSpeed is the least speed: slower, and the times of a long recording overflow.
const minSpeed = 0.001

// parsed is Options as numbers.
type parsed struct {
	speed    float64
	from, to time.Time // zero: no bound
}

// parse returns the options for a recording that begins then.
func (o Options) parse(start time.Time) (p parsed, err error) {
	if p.speed = o.Speed; p.speed == 0 {
		p.speed = 1
	}
	if !(p.speed >= minSpeed) {
		return p, fmt.Errorf("the speed %v is less than %v", o.Speed, minSpeed)
	}
	if p.from, err = moment(o.From, start); err != nil {
		return p, err
	}
	if p.to, err = moment(o.To, start); err != nil {
		return p, err
	}
	if !p.to.IsZero() && !p.from.Before(p.to) {
		return p, fmt.Errorf("%w: %s, %s", errOrder, p.to.UTC().Format(time.RFC3339), p.from.UTC().Format(time.RFC3339))
	}
	return p, nil
}

// moment returns a time in a recording: a span after its start, or a time.
func moment(text string, start time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && !strings.HasPrefix(text, "-") {
		return start.Add(d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q is neither a span such as 10m nor a time such as 2026-11-21T03:38:40Z", text)
	}
	return at, nil
}

// Run publishes the replies of a recording until its end or that of the context, which is no error. publish is called in
// their order; it returns once the broker has the message, or cannot have it.
func Run(ctx context.Context, r *recording.Reader, o Options, publish func(context.Context, amqpx.Message) error) (Report, error) {
	var report Report
	var options parsed
	var first, began time.Time // of the recording, and by the clock
	last := r.Header.Start     // when the line before was heard
	for opened := false; ; {
		e, err := report.next(r)
		if errors.Is(err, io.EOF) {
			report.Torn = r.Torn()
			return report, nil
		}
		if err != nil {
			return report, err
		}
		if e.Heard.IsZero() {
			e.Heard = last
		}
		last = e.Heard
		if !opened {
			if options, err = o.parse(e.Heard); err != nil {
				return report, err
			}
			opened = true
		}
		if !options.to.IsZero() && e.Heard.After(options.to) {
			return report, nil
		}
		if e.Heard.Before(options.from) {
			continue
		}
		if e.Envelope == nil {
			if e.Note.Op == recording.OpGap || e.Note.Op == recording.OpDropped {
				report.Gaps++
			}
			continue
		}
		message, err := messageOf(e.Envelope)
		if err != nil {
			report.Left++
			continue
		}
		if began.IsZero() {
			first, began = e.Heard, time.Now()
		}
		due := began.Add(time.Duration(float64(e.Heard.Sub(first)) / options.speed))
		if !wait(ctx, time.Until(due)) {
			return report, nil
		}
		if err := publish(ctx, message); err != nil {
			if ctx.Err() != nil {
				return report, nil
			}
			return report, err
		}
		report.Published++
	}
}

// next returns the next line that can be read. Behind one that cannot, such as the torn line of a recorder that was killed,
// another recording may go on.
func (r *Report) next(lines *recording.Reader) (recording.Entry, error) {
	for {
		e, err := lines.Next()
		if _, unreadable := errors.AsType[*recording.LineError](err); !unreadable {
			return e, err
		}
		r.Left++
	}
}

// wait waits for a time, and reports whether it has passed before the context ended.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
