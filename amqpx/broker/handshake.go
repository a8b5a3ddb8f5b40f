package broker

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"io"
	"time"
)

// protocolHeader opens every AMQP 0-9-1 connection.
const protocolHeader = "AMQP\x00\x00\x09\x01"

// errHandshake ends a connection whose handshake failed.
var errHandshake = errors.New("handshake failed")

// handshake performs the handshake, from the first byte to connection.open-ok:
//
//	client               broker
//	protocol header  ->
//	                 <-  start
//	start-ok         ->
//	                 <-  tune
//	tune-ok, open    ->
//	                 <-  open-ok
func (c *conn) handshake() error {
	_ = c.nc.SetDeadline(time.Now().Add(c.b.cfg.HandshakeTimeout))
	var header [len(protocolHeader)]byte
	if _, err := io.ReadFull(c.in.r, header[:]); err != nil {
		return err
	}
	if string(header[:]) != protocolHeader {
		// The answer to another protocol is the header of the one spoken here (section 2.2.4).
		c.out.commit(append(c.out.begin(), protocolHeader...))
		c.out.finish()
		<-c.out.done
		return errHandshake
	}
	c.sendStart()
	if err := c.login(); err != nil {
		return err
	}
	c.sendTune()
	if err := c.tuneOk(); err != nil {
		return err
	}
	if err := c.openVhost(); err != nil {
		return err
	}
	_ = c.nc.SetReadDeadline(time.Time{})
	c.out.setHeartbeat(c.heartbeat)
	return nil
}

// expect reads frames until the method that must come next.
func (c *conn) expect(want methodID) (args, error) {
	for {
		fr, err := c.in.next()
		if err != nil {
			return args{}, err
		}
		if fr.kind == frameHeartbeat {
			continue
		}
		a := args{b: fr.payload}
		if fr.kind != frameMethod || fr.channel != 0 {
			return args{}, errorf(unexpectedFrame, "the connection is not open yet")
		}
		if id := methodID(a.u32()); id == connectionClose { // the client gives up
			c.sendPlain(0, connectionCloseOk)
			return args{}, io.EOF
		} else if id != want || a.bad {
			return args{}, errorf(commandInvalid, "the connection is not open yet").during(id)
		}
		return a, nil
	}
}

func (c *conn) sendStart() {
	var caps []byte
	for _, name := range []string{
		"publisher_confirms", "basic.nack", "consumer_cancel_notify", "connection.blocked",
		"authentication_failure_close", "per_consumer_qos",
	} {
		caps = appendBool(caps, name, true)
	}
	caps = appendBool(caps, "exchange_exchange_bindings", false)

	props := appendString(nil, "product", "clu-ws embedded broker")
	props = appendString(props, "platform", "Go")
	props = appendString(props, "information", "for development, demonstration and tests")
	props = appendLong(append(appendShort(props, "capabilities"), 'F'), string(caps))

	buf, mark := beginMethod(c.out.begin(), 0, connectionStart)
	buf = append(buf, 0, 9) // protocol version
	buf = appendLong(buf, string(props))
	buf = appendLong(buf, "PLAIN")
	buf = appendLong(buf, "en_US")
	c.out.commit(endFrame(buf, mark))
}

// login reads start-ok and checks the credentials.
func (c *conn) login() error {
	a, err := c.expect(connectionStartOk)
	if err != nil {
		return err
	}
	props := a.table()
	mechanism := a.name()
	response := a.long()
	_ = a.short() // locale
	if err := a.end(); err != nil {
		return err
	}
	caps := props.table("capabilities")
	c.caps = capabilities{
		cancelNotify:     caps.is("consumer_cancel_notify"),
		blocked:          caps.is("connection.blocked"),
		authFailureClose: caps.is("authentication_failure_close"),
	}
	if mechanism != "PLAIN" {
		return errorf(commandInvalid, "unknown authentication mechanism '%s'", mechanism).during(connectionStartOk)
	}
	// authorization identity, NUL, user, NUL, password (RFC 4616)
	parts := bytes.SplitN(response, []byte{0}, 3)
	if len(parts) == 3 && c.b.authenticates(string(parts[1]), parts[2]) {
		return nil
	}
	c.log.Warn("login refused")
	if !c.caps.authFailureClose {
		return errHandshake // the specification has the broker hang up
	}
	return errorf(accessRefused, "Login was refused using authentication mechanism PLAIN. "+
		"For details see the broker logfile.")
}

func (b *Broker) authenticates(user string, password []byte) bool {
	want, ok := b.cfg.Users[user]
	return subtle.ConstantTimeCompare([]byte(want), password) == 1 && ok
}

func (c *conn) sendTune() {
	buf, mark := beginMethod(c.out.begin(), 0, connectionTune)
	n, f, h := c.b.cfg.ChannelMax, c.b.cfg.FrameMax, int(c.b.cfg.Heartbeat/time.Second)
	buf = append(buf, byte(n>>8), byte(n))
	buf = append(buf, byte(f>>24), byte(f>>16), byte(f>>8), byte(f))
	buf = append(buf, byte(h>>8), byte(h))
	c.out.commit(endFrame(buf, mark))
}

// tuneOk reads the client's answer to the proposal. 0 means that the client sets no limit.
func (c *conn) tuneOk() error {
	a, err := c.expect(connectionTuneOk)
	if err != nil {
		return err
	}
	channelMax, frameMax, heartbeat := int(a.u16()), int(a.u32()), a.u16()
	if err := a.end(); err != nil {
		return err
	}
	if channelMax == 0 {
		channelMax = c.b.cfg.ChannelMax
	}
	if frameMax == 0 {
		frameMax = c.b.cfg.FrameMax
	}
	refuse := func(what string, got int, bound string, limit int) error {
		return errorf(notAllowed, "negotiated %s = %d is %s allowed value (%d)", what, got, bound, limit).
			during(connectionTuneOk)
	}
	switch {
	case channelMax > c.b.cfg.ChannelMax:
		return refuse("channel_max", channelMax, "higher than the maximum", c.b.cfg.ChannelMax)
	case frameMax > c.b.cfg.FrameMax:
		return refuse("frame_max", frameMax, "higher than the maximum", c.b.cfg.FrameMax)
	case frameMax < frameMinMax:
		return refuse("frame_max", frameMax, "lower than the minimum", frameMinMax)
	}
	c.channelMax, c.frameMax, c.in.max = channelMax, frameMax, frameMax
	c.heartbeat = time.Duration(heartbeat) * time.Second
	return nil
}

func (c *conn) openVhost() error {
	a, err := c.expect(connectionOpen)
	if err != nil {
		return err
	}
	vhost := a.name()
	if err := a.end(); err != nil {
		return err
	}
	if vhost != "/" {
		return errorf(notAllowed, "vhost %s not found", vhost).during(connectionOpen)
	}
	buf, mark := beginMethod(c.out.begin(), 0, connectionOpenOk)
	c.out.commit(endFrame(append(buf, 0), mark)) // one reserved short string
	return nil
}
