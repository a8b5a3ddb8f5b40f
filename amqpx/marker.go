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
	return s.mark(ctx, stream, amqp.Publishing{Type: endType, ContentType: "application/json", Body: text}, markerTimeout)
}

// mark writes a marker, and waits until the broker has it. It uses the publishing connection: a
// broker that is short of memory stops reading from every connection that has published.
func (s *session) mark(ctx context.Context, queue string, msg amqp.Publishing, patience time.Duration) error {
	_, err := s.markReturned(ctx, queue, msg, patience)
	return err
}

// markReturned writes a marker, and reports whether it came back because there is no such queue.
func (s *session) markReturned(ctx context.Context, queue string, msg amqp.Publishing, patience time.Duration) (returned bool, err error) {
	for len(s.returned) > 0 {
		<-s.returned // left by an earlier marker
	}
	const mandatory, immediate = true, false
	confirm, err := s.markers.PublishWithDeferredConfirm("", queue, mandatory, immediate, msg)
	if errors.Is(err, amqp.ErrClosed) && !s.publishing.IsClosed() {
		return false, errNoMarker // an earlier marker closed the channel
	}
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if acked, err := confirm.WaitContext(ctx); err != nil || !acked {
		return false, errNoMarker
	}
	// The library hands over a return before the confirm.
	return len(s.returned) > 0, nil
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
	timeout := time.NewTimer(markerTimeout)
	defer timeout.Stop()
	if err := s.mark(ctx, name, amqp.Publishing{Type: placeType}, 0); err != nil && !errors.Is(err, errNoMarker) {
		return 0, false, err
	}
	select {
	case d, ok := <-next:
		if !ok {
			return 0, false, amqp.ErrClosed
		}
		offset, ok := TakeStreamOffset(&d)
		return offset, ok, nil
	case <-timeout.C:
		s.link.log.Warn("the broker accepts no marker into the stream: reading starts with the next message, and no gap is written", "stream", name, "error", s.whyNoMarker())
		return 0, false, nil
	case <-ctx.Done():
		return 0, false, ctx.Err()
	}
}
