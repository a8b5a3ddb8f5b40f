package bridge_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
)

// packed returns a message with a compressed body.
func packed(t *testing.T, body string) amqp.Publishing {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return amqp.Publishing{ContentEncoding: "gzip", Headers: amqp.Table{"message_code": "i"}, Body: b.Bytes()}
}

// broken returns a message that cannot be decompressed.
func broken(t *testing.T) amqp.Publishing {
	m := packed(t, `{"never": 1}`)
	m.Body = m.Body[:len(m.Body)-1]
	return m
}

func TestACompressedReplyIsDecompressed(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url)
		c := dial(t, b.addr)
		p := newPeer(t, url)
		p.publish("reply.broadcast", broken(t))
		p.publish("reply.broadcast", packed(t, `{"packed": 1}`))
		equal(t, "the body", fmt.Sprint(c.next()["body"]), "map[packed:1]")
		if want := fmt.Sprintf("cluws_replies_dropped_total{reason=%q} 1", actor.ErrNotDecoded); !strings.Contains(b.metrics(t), want) {
			t.Errorf("the metrics have no %s", want)
		}
	})
}

func TestACompressedMessageForARoomIsDecompressed(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url, withSources("exchange=live"))
		b.awaitSources(t, 1)
		c := dialWith(t, b.addr, "/live/x")
		p := newBroadcaster(t, url)
		for _, m := range []amqp.Publishing{broken(t), packed(t, "text")} {
			if err := p.ch.Publish("live", "/live/x", false, false, m); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "the text", string(c.text()), "text")
		if want := fmt.Sprintf("cluws_room_messages_dropped_total{reason=%q} 1", actor.ErrNotDecoded); !strings.Contains(b.metrics(t), want) {
			t.Errorf("the metrics have no %s", want)
		}
	})
}

func TestASenderThatIsBytesHasOneNameEverywhere(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	c := dialWith(t, b.addr, "/?sender=%2F%2F4%3D")
	for op := any(nil); op != "ok"; { // what is said before that is not for it
		op = parseEnvelope(t, c.text())["op"]
	}
	newPeer(t, url).publish("reply.broadcast", amqp.Publishing{Headers: amqp.Table{"message_code": "i", "sender": "\xff\xfe"}, Body: []byte("{}")})
	text := c.text()
	headers, ok := parseEnvelope(t, text)["headers"].(map[string]any)
	if !ok {
		t.Fatalf("%s", text)
	}
	equal(t, "the sender", headers["sender"], any("//4="))
}
