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
// link delivers it. A marker with a gap says that messages are missing before it:
// whoever made the bindings again knows, and the others could not. The few messages
// that came between the binding and the marker are after the gap and stand before
// it. A marker without one only makes the stream move, so that its end is known.
const (
	markerType = "clu-ws.gap"
	placeType  = "clu-ws.place"
)

// markerTimeout is how long the broker may take to take a marker, and to show the
// end of a stream. A broker that is short of memory takes none at all.
const markerTimeout = time.Second

var errNoMarker = errors.New("the broker takes no marker")

// markerBody is the JSON of a gap; from is missing when it is not known.
type markerBody struct {
	From *time.Time `json:"from,omitempty"`
	To   time.Time  `json:"to"`
}

func isMarker(d *amqp.Delivery, stream string) bool {
	return d.Exchange == "" && d.RoutingKey == stream && (d.Type == markerType || d.Type == placeType)
}

func readMarker(d *amqp.Delivery) (Gap, bool) {
	var body markerBody
	if d.Type != markerType || json.Unmarshal(d.Body, &body) != nil {
		return Gap{}, false
	}
	gap := Gap{To: body.To}
	if body.From != nil {
		gap.From = *body.From
	}
	return gap, true
}

// mark writes a marker, nil for one without a gap, and waits until the broker has
// it. It goes over the publishing connection: a broker that is short of memory
// stops reading from every connection that has published.
func (s *session) mark(ctx context.Context, stream string, gap *Gap) error {
	msg := amqp.Publishing{Type: placeType, DeliveryMode: amqp.Persistent}
	if gap != nil {
		body := markerBody{To: gap.To}
		if !gap.From.IsZero() {
			body.From = &gap.From
		}
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		msg.Type, msg.ContentType, msg.Body = markerType, "application/json", text
	}
	if s.markers == nil {
		return errNoMarker
	}
	confirm, err := s.markers.PublishWithDeferredConfirm("", stream, false, false, msg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, markerTimeout)
	defer cancel()
	if acked, err := confirm.WaitContext(ctx); err != nil || !acked {
		s.markers = nil // it is not asked again
		return errNoMarker
	}
	return nil
}

// openMarkers opens the channel for markers, before anything is published: later
// a broker that is short of memory would not answer.
func (s *session) openMarkers() (err error) {
	if s.markers, err = s.publishing.Channel(); err != nil {
		return err
	}
	return s.markers.Confirm(false)
}

// streamEnd finds the first offset that the stream did not have when it was
// called. It is not known of a broker that takes no marker into a quiet stream.
func (s *session) streamEnd(ctx context.Context, in *intake) (end uint64, known bool, err error) {
	name := in.queue.Stream.Name
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
	if err := s.mark(ctx, name, nil); err != nil && !errors.Is(err, errNoMarker) {
		return 0, false, err
	}
	timeout := time.NewTimer(markerTimeout)
	defer timeout.Stop()
	select {
	case d, ok := <-next:
		if !ok {
			return 0, false, amqp.ErrClosed
		}
		offset, ok := TakeOffset(&d)
		return offset, ok, nil
	case <-timeout.C:
		s.link.log.Warn("the broker takes no marker into the stream: it is read from now on", "stream", name)
		return 0, false, nil
	case <-ctx.Done():
		return 0, false, ctx.Err()
	}
}
