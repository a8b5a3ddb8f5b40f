package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/gobwas/ws"
)

// The topics of the peers that have topics.
const (
	repliesTopic  = "bench"
	commandsTopic = "ask"
	answersTopic  = "answer"
)

// topicNames returns the names of topics. A reply is for the one whose index is the remainder of its number.
func topicNames(n int) []string {
	if n <= 1 {
		return []string{repliesTopic}
	}
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%d", repliesTopic, i)
	}
	return names
}

// dialect is what the clients of a peer say inside WebSocket. Servers that send plain messages after the handshake need
// none.
type dialect struct {
	protocol string // the WebSocket subprotocol; "" is none
	op       ws.OpCode
	ping     string // what a server sends alone, or before or after other messages, and wants pong for; "" is nothing
	pong     string
	refusal  string                                    // is in an answer that rejects a step, and in no other; "" if the server hangs up
	steps    func(topic string) []step                 // until the client has subscribed to the topic
	publish  func(topic string, payload []byte) []byte // a message to the topic; nil if clients do not publish
}

// step is a message, and a text in the answer after which the next step comes.
type step struct {
	send  string
	until string
}

// done reports whether an answer ends the step.
func (s step) done(answer []byte) bool { return bytes.Contains(answer, []byte(s.until)) }

// refused reports whether an answer rejects a step.
func (d *dialect) refused(answer []byte) bool {
	return d.refusal != "" && bytes.Contains(answer, []byte(d.refusal))
}

// pings reports whether a frame has a ping.
func (d *dialect) pings(payload []byte) bool {
	return d != nil && d.ping != "" && (bytes.HasPrefix(payload, []byte(d.ping)) || bytes.HasSuffix(payload, []byte(d.ping)))
}

// frame returns a message as a frame of a client, with masking key 0.
func (d *dialect) frame(message []byte) []byte {
	frame := ws.MaskFrameInPlaceWith(ws.NewFrame(d.op, true, message), [4]byte{})
	return ws.MustCompileFrame(frame)
}

// stomp is STOMP 1.2, as of RabbitMQ's Web STOMP. Topics are those of amq.topic.
var stomp = &dialect{
	protocol: "v12.stomp",
	refusal:  "ERROR\n",
	op:       ws.OpText,
	steps: func(topic string) []step {
		return []step{
			{"CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\nheart-beat:0,0\n\n\x00", "CONNECTED\n"},
			{"SUBSCRIBE\nid:0\ndestination:/topic/" + topic + "\nack:auto\nreceipt:0\n\n\x00", "RECEIPT\n"},
		}
	},
	publish: func(topic string, payload []byte) []byte {
		return fmt.Appendf(nil, "SEND\ndestination:/topic/%s\n\n%s\x00", topic, payload)
	},
}

// mqtt is MQTT 3.1.1 with QoS 0.
var mqtt = &dialect{
	protocol: "mqtt",
	op:       ws.OpBinary,
	steps: func(topic string) []step {
		// MQTT 3.1.1, 3.8: packet 1, one filter with QoS 0.
		subscribe := append([]byte{0, 1}, mqttText(topic)...)
		return []step{{mqttConnect, mqttAccepted}, {string(mqttPacket(0x82, append(subscribe, 0))), "\x90"}}
	},
	publish: mqttPublish,
}

// mqttConnect asks for a clean session without keep-alive (MQTT 3.1.1, 3.1), and mqttAccepted accepts it.
var (
	mqttConnect  = string(mqttPacket(0x10, []byte("\x00\x04MQTT\x04\x02\x00\x00\x00\x00")))
	mqttAccepted = "\x20\x02\x00\x00"
)

func mqttPublish(topic string, payload []byte) []byte {
	return mqttPacket(0x30, append(mqttText(topic), payload...))
}

func mqttText(text string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(text))), text...)
}

// mqttPacket adds the fixed header with the length, seven bits a byte (MQTT 3.1.1, 2.2.3), which is that of an unsigned
// varint.
func mqttPacket(kind byte, rest []byte) []byte {
	return append(binary.AppendUvarint([]byte{kind}, uint64(len(rest))), rest...)
}

// nats is NATS's protocol.
var nats = &dialect{
	op:      ws.OpBinary,
	refusal: "-ERR '",
	ping:    "PING\r\n",
	pong:    "PONG\r\n",
	steps: func(topic string) []step {
		return []step{{natsConnect + "SUB " + topic + " 1\r\nPING\r\n", "PONG\r\n"}}
	},
	publish: natsPublish,
}

const natsConnect = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n"

func natsPublish(topic string, payload []byte) []byte {
	return fmt.Appendf(nil, "PUB %s %d\r\n%s\r\n", topic, len(payload), payload)
}

// shark is SocketShark's protocol.
var shark = &dialect{
	op:      ws.OpText,
	refusal: `"error"`,
	steps: func(topic string) []step {
		return []step{{`{"event":"subscribe","subscription":"` + sharkService + topic + `"}`, `"ok"`}}
	},
}

// sharkService is before the topics of SocketShark.
const sharkService = "bench."

// sharkMessage returns what a backend of SocketShark publishes.
func sharkMessage(topic string, payload []byte) []byte {
	return fmt.Appendf(nil, `{"subscription":"%s%s","data":%s}`, sharkService, topic, payload)
}

// centrifugo is the JSON protocol of Centrifugo's clients.
var centrifugo = &dialect{
	op:      ws.OpText,
	refusal: `"error":{`,
	ping:    "{}",
	pong:    "{}",
	steps: func(topic string) []step {
		return []step{
			{`{"id":1,"connect":{}}`, `"connect"`},
			{`{"id":2,"subscribe":{"channel":"` + topic + `"}}`, `"subscribe"`},
		}
	},
}
