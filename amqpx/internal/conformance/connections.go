package conformance

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

var connectionTests = []test{
	{"the broker announces its capabilities", func(s *session) {
		conn := s.connect()
		caps, _ := conn.Properties["capabilities"].(amqp.Table)
		for _, name := range []string{
			"publisher_confirms", "basic.nack", "consumer_cancel_notify", "connection.blocked", "authentication_failure_close",
		} {
			if caps[name] != true {
				s.Errorf("capability %s is %v", name, caps[name])
			}
		}
	}},
	{"another protocol is answered with a protocol header of the broker", func(s *session) {
		for _, hello := range []string{"AMQP\x00\x00\x09\x00", "GET / HT"} {
			nc, err := s.to.dial("tcp", s.addr())
			if err != nil {
				s.Fatal(err)
			}
			_ = nc.SetDeadline(time.Now().Add(patience))
			if _, err := nc.Write([]byte(hello)); err != nil {
				s.Fatal(err)
			}
			got, _ := io.ReadAll(nc)
			// RabbitMQ 4 speaks AMQP 1.0, too.
			if string(got) != "AMQP\x00\x00\x09\x01" && (hello[0] == 'A' || string(got) != "AMQP\x03\x01\x00\x00") {
				s.Errorf("the answer to %q is %q", hello, got)
			}
			_ = nc.Close()
		}
	}},
	{"a wrong password is refused", func(s *session) {
		_, err := s.dial(strings.Replace(s.to.url, "guest:guest@", "guest:wrong@", 1))
		wantCode(s.T, err, amqp.AccessRefused)
		_, err = s.dial(strings.Replace(s.to.url, "guest:guest@", "nobody:guest@", 1))
		wantCode(s.T, err, amqp.AccessRefused)
	}},
	{"an unknown virtual host is refused", func(s *session) {
		uri, err := amqp.ParseURI(s.to.url)
		if err != nil {
			s.Fatal(err)
		}
		uri.Vhost = "nowhere"
		_, err = s.dial(uri.String())
		if err == nil {
			s.Fatal("connected to a virtual host that does not exist")
		}
	}},
	{"a connection has many channels", func(s *session) {
		conn := s.connect()
		queue := s.channelOn(conn).queue()
		var channels []*channel
		for range 300 {
			channels = append(channels, s.channelOn(conn).confirming())
		}
		for i, ch := range channels {
			ch.send("", queue, fmt.Sprint(i))
		}
		if n := channels[0].ready(queue); n != 300 {
			s.Errorf("%d messages arrived", n)
		}
	}},
	{"a channel's number is free again after it was closed", func(s *session) {
		conn := s.connect()
		for range 50 {
			ch := s.channelOn(conn)
			ch.must(ch.Close())
			ch = s.channelOn(conn)
			_, err := ch.QueueDeclarePassive("conformance.nowhere", false, false, false, false, nil)
			wantCode(s.T, err, amqp.NotFound)
		}
	}},
	{"channel.flow may be active, not inactive", func(s *session) {
		ch := s.channel()
		ch.must(ch.Flow(true))
		wantCode(s.T, ch.Flow(false), amqp.NotImplemented)
	}},
	{"a new secret is accepted while the connection is in use", func(s *session) {
		conn := s.connect()
		ch := s.channelOn(conn).confirming()
		queue := ch.queue()
		for _, secret := range []string{"guest", "another one"} { // a login by password does not expire
			ch.must(conn.UpdateSecret(secret, "renewed"))
			ch.send("", queue, secret)
		}
		s.equal("the queue", ch.take(queue), []string{"guest", "another one"})
	}},
	{"heartbeats keep an idle connection alive", func(s *session) {
		if testing.Short() {
			s.Skip("takes three seconds")
		}
		s.Parallel()
		// A machine that stands still for a second and a half ends a connection, too, but not each.
		for range 3 {
			if s.staysAlive() {
				return
			}
		}
		s.Error("no connection stayed open")
	}},
	{"a silent client is disconnected after two heartbeat intervals", func(s *session) {
		if testing.Short() {
			s.Skip("takes two seconds")
		}
		s.Parallel()
		r := s.rawHeartbeat(1)
		_ = r.nc.SetReadDeadline(time.Now().Add(patience))
		beats, err := io.ReadAll(r.in)
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			s.Fatal("the connection was not dropped")
		}
		if !bytes.HasPrefix(beats, []byte("\x08\x00\x00\x00\x00\x00\x00\xce")) {
			s.Errorf("before the end the broker sent %q, want heartbeats", beats)
		}
	}},
}

// staysAlive reports whether an idle connection is open after it has needed several heartbeats.
func (s *session) staysAlive() bool {
	s.Helper()
	conn, err := amqp.DialConfig(s.to.url+"?heartbeat=1", amqp.Config{Dial: s.to.dial, Locale: "en_US"})
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
	select {
	case err := <-closed:
		s.Logf("the connection closed: %v", err)
		return false
	case <-time.After(3500 * time.Millisecond):
	}
	ch := s.channelOn(conn).confirming()
	ch.send("", ch.queue(), "still here")
	return true
}

// breakable opens a connection that can be cut without a word.
func (s *session) breakable() (conn *amqp.Connection, cut func()) {
	s.Helper()
	var raw net.Conn
	conn, err := amqp.DialConfig(s.to.url, amqp.Config{
		Locale: "en_US",
		Dial: func(network, addr string) (net.Conn, error) {
			nc, err := s.to.dial(network, addr)
			raw = nc
			return nc, err
		},
	})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	return conn, func() { _ = raw.Close() }
}
