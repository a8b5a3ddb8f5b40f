package amqpx

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A marker is a message that a link writes into a stream for all its readers. It is published
// through the default exchange, which publishers to the link's exchange do not use, and no link
// delivers it to its receiver.
//
// A link that binds a stream again writes one marker before the binding, where messages are
// missing, and one after it with the start and the end of the gap. A reader holds back the
// messages between the two until it has reported the gap. A link reads only once the restart
// sentinel exists; that is declared last, so the second marker is in the stream by then.
const (
	beginType = "clu-ws.gap-begins"
	endType   = "clu-ws.gap"
	placeType = "clu-ws.place" // moves the stream, so that its end is known; also a probe and a watermark
)

const (
	// markerTimeout is how long the broker may take to accept a marker, and to show the end of a
	// stream. A broker that is short of memory accepts none at all.
	markerTimeout = time.Second
	// slowMarker is the same for a broker that does not say why it accepts none. One that is short of
	// processor time takes seconds, and without the marker a link does not know where the stream's past ends.
	slowMarker = 10 * time.Second
	// markerPatience is how long the first marker of a gap may delay the binding.
	markerPatience = 100 * time.Millisecond
)

var errNoMarker = errors.New("the broker accepts no marker")

// whyNoMarker returns why the channel for markers was closed, or that there was no answer.
func (s *session) whyNoMarker() error {
	select {
	case e := <-s.markersClosed:
		if e != nil {
			s.noMarker = e
		}
	default:
	}
	if s.noMarker == nil {
		return errors.New("it did not answer in time")
	}
	return withoutPermission(s.noMarker, s.link.cfg.Exchange)
}

// markerBody is a gap as JSON; from is missing if it is unknown.
type markerBody struct {
	From *time.Time `json:"from,omitempty"`
	To   time.Time  `json:"to"`
}

func isMarker(d *amqp.Delivery, stream string) bool {
	return d.Exchange == "" && d.RoutingKey == stream &&
		(d.Type == beginType || d.Type == endType || d.Type == placeType)
}

func readGap(d *amqp.Delivery) (Gap, bool) {
	var body markerBody
	if json.Unmarshal(d.Body, &body) != nil {
		return Gap{}, false
	}
	gap := Gap{To: body.To}
	if body.From != nil {
		gap.From = *body.From
	}
	return gap, true
}

// markGap writes the marker that ends a gap.
func (s *session) markGap(ctx context.Context, stream string, gap Gap) error {
	body := markerBody{To: gap.To}
	if !gap.From.IsZero() {
		body.From = &gap.From
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return s.mark(ctx, stream, amqp.Publishing{Type: endType, ContentType: "application/json", Body: text}, slowMarker)
}

// mark writes a marker, and waits until the broker has it. It uses the publishing connection: a
// broker that is short of memory stops reading from every connection that has published.
func (s *session) mark(ctx context.Context, queue string, msg amqp.Publishing, patience time.Duration) error {
	_, err := s.markReturned(ctx, queue, msg, patience)
	return err
}

// markReturned writes a marker, and reports whether it came back because there is no such queue. An earlier one, whose
// patience had ended, may come back meanwhile.
func (s *session) markReturned(ctx context.Context, queue string, msg amqp.Publishing, patience time.Duration) (returned bool, err error) {
	msg.CorrelationId = suffix()
	const mandatory, immediate = true, false
	confirm, err := s.markers.PublishWithDeferredConfirm("", queue, mandatory, immediate, msg)
	if errors.Is(err, amqp.ErrClosed) && !s.publishing.IsClosed() {
		return false, errNoMarker // an earlier marker closed the channel
	}
	if err != nil {
		return false, err
	}
	if _, _, came := awaitMarker(ctx, s, confirm.Done(), patience); !came || !confirm.Acked() {
		return false, errNoMarker
	}
	for len(s.returned) > 0 { // the library hands over a return before the confirm
		if r := <-s.returned; r.CorrelationId == msg.CorrelationId {
			returned = true
		}
	}
	return returned, nil
}

// awaitMarker waits for a sign of a marker, and reports whether it came. Its patience is cut short if the broker says that it
// accepts none.
func awaitMarker[T any](ctx context.Context, s *session, sign <-chan T, patience time.Duration) (v T, open, came bool) {
	for end := time.Now().Add(patience); ; {
		look := time.NewTimer(min(time.Until(end), markerTimeout))
		select {
		case v, open = <-sign:
			look.Stop()
			return v, open, true
		case <-ctx.Done():
			look.Stop()
			return v, false, false
		case <-look.C:
			if !time.Now().Before(end) || s.acceptsNoMarkers() {
				return v, false, false
			}
		}
	}
}

// acceptsNoMarkers reports whether the broker has said so: it has closed the channel, or reads no publishes.
func (s *session) acceptsNoMarkers() bool {
	blocked := len(s.blocking)%2 == 1 // it says by turns that it blocks and that it does not; followBlocking is to read it
	return s.markers.IsClosed() || blocked
}

// openMarkers opens the channel for markers before anything is published: later, a broker that is
// short of memory would not answer.
func (s *session) openMarkers() (err error) {
	if s.markers, err = s.publishing.Channel(); err != nil {
		return err
	}
	s.markersClosed = s.markers.NotifyClose(make(chan *amqp.Error, 1))
	s.returned = s.markers.NotifyReturn(make(chan amqp.Return, 64))
	return s.markers.Confirm(false)
}

// dropReturned drops the probes that come back on the channel for markers until it is closed.
func (s *session) dropReturned() {
	for range s.returned {
		continue
	}
}

// streamEnd returns the offset after the stream's last message. known is false if the broker
// accepts no marker and nothing else arrives.
func (s *session) streamEnd(ctx context.Context, cs *consumerState) (end uint64, known bool, err error) {
	name := cs.queue.Stream.Name
	ch, err := s.consuming.Channel()
	if err != nil {
		return 0, false, err
	}
	defer ch.Close()
	if err := ch.Qos(1, 0, false); err != nil {
		return 0, false, err
	}
	const autoAck, exclusive, noLocal, noWait = false, false, false, false
	next, err := ch.Consume(name, "end", autoAck, exclusive, noLocal, noWait, amqp.Table{offsetHeader: "next"})
	if err != nil {
		return 0, false, topology("stream", name, err)
	}
	if err := s.mark(ctx, name, amqp.Publishing{Type: placeType}, 0); err != nil && !errors.Is(err, errNoMarker) {
		return 0, false, err
	}
	first, open, came := awaitMarker(ctx, s, next, slowMarker)
	switch {
	case came && !open:
		return 0, false, amqp.ErrClosed
	case came:
		offset, ok := TakeStreamOffset(&first)
		return offset, ok, nil
	case ctx.Err() != nil:
		return 0, false, ctx.Err()
	}
	s.link.log.Warn("the broker accepts no marker into the stream: reading starts with the next message, and no gap is written", "stream", name, "error", s.whyNoMarker())
	return 0, false, nil
}
