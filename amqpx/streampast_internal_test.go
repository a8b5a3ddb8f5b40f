package amqpx

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// pastReader is a StreamPast that reports what it gets.
type pastReader struct {
	*StreamPast
	got []string
}

func newPastReader() *pastReader {
	r := &pastReader{}
	r.StreamPast = &StreamPast{
		Deliver: func(d *Delivery) { r.got = append(r.got, string(d.Body)) },
		OnGap: func(g Gap) {
			r.got = append(r.got, fmt.Sprintf("gap of %v, replayed %v", g.To.Sub(g.From), g.Replayed))
		},
	}
	return r
}

// read takes numbered messages from an offset up to another, of a past that ends at end.
func (r *pastReader) read(from, to, end int) (done bool) {
	for at := from; at < to && !done; at++ {
		done = r.deliver(&amqp.Delivery{Exchange: "x", Body: fmt.Append(nil, at), Headers: amqp.Table{offsetHeader: int64(at)}}, uint64(end), "s")
	}
	return done
}

func TestThePastOfAStreamEndsWhereTheLinkBegins(t *testing.T) {
	for name, to := range map[string]int{"with its last message": 5, "with one behind it": 9} {
		r := newPastReader()
		if !r.read(2, to, 5) {
			t.Errorf("%s: it goes on", name)
		}
		if want := []string{"2", "3", "4"}; !slices.Equal(r.got, want) {
			t.Errorf("%s: got %v, want %v", name, r.got, want)
		}
	}
}

func TestAfterAnErrorThePastIsReadFromWhereItWas(t *testing.T) {
	r := newPastReader()
	if r.read(0, 3, 6) {
		t.Fatal("it has ended")
	}
	if !r.read(1, 6, 6) { // the broker begins with a whole chunk
		t.Error("it goes on")
	}
	if want := []string{"0", "1", "2", "3", "4", "5"}; !slices.Equal(r.got, want) {
		t.Errorf("got %v, want %v", r.got, want)
	}
}

func TestThePastHasTheGapsOfLinksAndNoMarkers(t *testing.T) {
	r := newPastReader()
	for i, m := range []amqp.Delivery{
		{Type: placeType}, {Type: beginType}, {Type: endType, Body: []byte(`{"from": "2026-01-01T12:00:00Z", "to": "2026-01-01T12:01:00Z"}`)},
		{Type: endType, Body: []byte(`no JSON`)},
	} {
		m.RoutingKey, m.Headers = "s", amqp.Table{offsetHeader: int64(i)}
		r.deliver(&m, 9, "s")
	}
	r.deliver(&amqp.Delivery{Exchange: "x", Headers: amqp.Table{offsetHeader: int64(4), poisonHeader: "too deep"}}, 9, "s")
	r.deliver(&amqp.Delivery{Exchange: "x", Body: []byte("no offset"), Headers: amqp.Table{}}, 9, "s")
	if want := []string{"gap of 1m0s, replayed true"}; !slices.Equal(r.got, want) {
		t.Errorf("got %v, want %v", r.got, want)
	}
}

func TestALinkWithoutAStreamHasNoPast(t *testing.T) {
	l, err := New(Config{URLs: []string{"amqp://127.0.0.1:1/"}, Exchange: "x", Queues: []Queue{{Name: "q", Deliver: func(*Delivery) {}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.ReadPast(t.Context(), newPastReader().StreamPast); err == nil {
		t.Error("there is no error")
	}
	if _, err := l.ReadRange(t.Context(), StreamRange{Until: 9}); !errors.Is(err, errNoStream) {
		t.Errorf("a range of it: %v", err)
	}
}
