package amqpx

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A marker is a message that a link writes into a stream for all who read it. It
// comes through the default exchange, where no actor's message comes from, and no
// link delivers it.
//
// Whoever binds a stream anew writes one before the binding, where messages are
// missing, and one after it, which says since when and until when. Whoever reads
// keeps what is between the two for after the gap. A link reads only once the witness
// stands, and that is made last: the second marker is in the stream by then.
const (
	beginType = "clu-ws.gap-begins"
	endType   = "clu-ws.gap"
	placeType = "clu-ws.place" // makes the stream move, so that its end is known; also a probe
)

const (
	// markerTimeout is how long the broker may take to take a marker, and to show the
	// end of a stream. A broker that is short of memory takes none at all.
	markerTimeout = time.Second
	// markerPatience is how long the first marker of a gap holds up the binding.
	markerPatience = 100 * time.Millisecond
)

var errNoMarker = errors.New("the broker takes no marker")

// whyNoMarker is why the channel for markers was closed, or that it was not.
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

// markerBody is the JSON of a gap; from is missing when it is not known.
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

// markGap writes the end of a gap.
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

// mark writes a marker, and waits until the broker has it. It goes over the
// publishing connection: a broker that is short of memory stops reading from every
// connection that has published.
func (s *session) mark(ctx context.Context, queue string, msg amqp.Publishing, patience time.Duration) error {
	_, err := s.markReturned(ctx, queue, msg, patience)
	return err
}

// markReturned writes a marker, and reports whether it came back because there is no
// such queue.
func (s *session) markReturned(ctx context.Context, queue string, msg amqp.Publishing, patience time.Duration) (returned bool, err error) {
	for len(s.returned) > 0 {
		<-s.returned // of one that was not waited for
	}
	const mandatory, immediate = true, false
	confirm, err := s.markers.PublishWithDeferredConfirm("", queue, mandatory, immediate, msg)
	if errors.Is(err, amqp.ErrClosed) && !s.publishing.IsClosed() {
		return false, errNoMarker // over an earlier one
	}
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if acked, err := confirm.WaitContext(ctx); err != nil || !acked {
		return false, errNoMarker
	}
	// The library hands a return over before the confirm.
	return len(s.returned) > 0, nil
}

// openMarkers opens the channel for markers, before anything is published: later
// a broker that is short of memory would not answer.
func (s *session) openMarkers() (err error) {
	if s.markers, err = s.publishing.Channel(); err != nil {
		return err
	}
	s.markersClosed = s.markers.NotifyClose(make(chan *amqp.Error, 1))
	s.returned = s.markers.NotifyReturn(make(chan amqp.Return, 64))
	return s.markers.Confirm(false)
}

// dropReturned takes what probes have come back on the channel for markers, until that is closed.
func (s *session) dropReturned() {
	for range s.returned {
		continue
	}
}

// streamEnd finds the first offset that the stream did not have when it was
// called. It is not known of a broker that takes no marker into a quiet stream.
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
		s.link.log.Warn("the broker takes no marker into the stream: it is read from its next message on, and no gap is written into it", "stream", name, "error", s.whyNoMarker())
		return 0, false, nil
	case <-ctx.Done():
		return 0, false, ctx.Err()
	}
}
