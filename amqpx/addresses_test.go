package amqpx

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx/broker"
)

func TestEveryAddressOfANameIsTried(t *testing.T) {
	for name, c := range map[string]struct {
		first  func(context.Context) (net.Conn, error)
		within time.Duration
		words  string
	}{
		"the first refuses":                    {refuses, 100 * time.Millisecond, "nothing listens at amqp://broker:5672/"},
		"the first does not answer":            {blackHole, nextAddressAfter + 100*time.Millisecond, ""},
		"the first accepts and hangs up":       {accepts(hangsUp), 100 * time.Millisecond, "hung up"},
		"the first accepts and does not speak": {accepts(mute), dialTimeout + 100*time.Millisecond, "does not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
				n.set("[2001:db8::1]:5672", c.first)
				n.set("192.0.2.1:5672", brokerAt(b))
				l := linkTo(t, n, []string{"2001:db8::1", "192.0.2.1"}, "amqp://guest:guest@broker/")
				if took := l.up(); took > c.within {
					t.Errorf("it took %v", took)
				}
				l.stop()
				text := l.log.String()
				if !strings.Contains(text, "address=192.0.2.1") || strings.Contains(text, "level=ERROR") {
					t.Errorf("the log is %s", text)
				}
				if c.words != "" && !(strings.Contains(text, c.words) && strings.Contains(text, "(at 2001:db8::1)")) {
					t.Errorf("the log does not say %q at 2001:db8::1: %s", c.words, text)
				}
			})
		})
	}
}

func TestAnUnresponsiveAddressIsTriedLastInTheNextRound(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
		n.set("192.0.2.1:5672", accepts(mute))
		n.set("192.0.2.2:5672", brokerAt(b))
		l := linkTo(t, n, []string{"192.0.2.1", "192.0.2.2"}, "amqp://guest:guest@broker/")
		l.up()
		for range 3 {
			pass(2 * stableAfter)
			b.DropConnections()
			if took := l.up(); took > time.Second {
				t.Errorf("again after %v", took)
			}
		}
		if n.tried("192.0.2.1:5672") != 1 {
			t.Errorf("it was tried %d times", n.tried("192.0.2.1:5672"))
		}
	})
}

func TestNoURLHidesTheNext(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
		n.set("10.0.0.1:5672", blackHole)
		n.set("10.0.0.2:5672", blackHole)
		n.set("192.0.2.1:5672", accepts(hangsUp))
		n.set("192.0.2.2:5673", brokerAt(b))
		l := linkTo(t, n, []string{"192.0.2.1"}, "amqp://10.0.0.1/", "amqp://nowhere/", "amqp://10.0.0.2/", "amqp://broker/", "amqp://192.0.2.2:5673/")
		if took := l.up(); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestBothConnectionsAreToTheSameAddress(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
		other := broker.New(broker.Config{})
		t.Cleanup(func() { _ = other.Close() })
		n.set("192.0.2.1:5672", brokerAt(b))
		n.set("192.0.2.2:5672", brokerAt(other))
		l := linkTo(t, n, []string{"192.0.2.1", "192.0.2.2"}, "amqp://guest:guest@broker/")
		l.up()
		if first, second := n.tried("192.0.2.1:5672"), n.tried("192.0.2.2:5672"); first != 2 || second != 0 {
			t.Errorf("%d and %d connections", first, second)
		}
		b.DropConnections()
		l.up() // at the other one: the first has just failed
		if second := n.tried("192.0.2.2:5672"); second != 2 {
			t.Errorf("then %d connections", second)
		}
	})
}

func TestALinkIsMadeWithinTwoSecondsOfTheBrokersReturn(t *testing.T) {
	for name, away := range map[string]func(context.Context) (net.Conn, error){
		"nothing listened":        refuses,
		"a load balancer hung up": accepts(hangsUp),
	} {
		for name, other := range map[string]func(context.Context) (net.Conn, error){
			name + ", and at the other address":                         away,
			name + ", and the other address does not answer":            blackHole,
			name + ", and the other address accepts and does not speak": accepts(mute),
		} {
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
					n.set("192.0.2.1:5672", away)
					n.set("192.0.2.2:5672", other)
					l := linkTo(t, n, nil, "amqp://guest:guest@192.0.2.1/", "amqp://guest:guest@192.0.2.2/")
					var longest time.Duration
					for range 30 {
						pass(29 * time.Second)
						n.set("192.0.2.1:5672", brokerAt(b))
						longest = max(longest, l.up())
						pass(2 * stableAfter)
						n.set("192.0.2.1:5672", away)
						b.DropConnections()
					}
					// A target that says nothing keeps the handshake for a while.
					limit := lastPause
					if strings.HasSuffix(name, "speak") {
						limit += yieldAfter
					}
					if longest > limit {
						t.Errorf("the link was back after %v", longest)
					}
				})
			})
		}
	}
}

func TestALinkIsMadeSoonAfterTheBrokerAnswersAgain(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
		n.set("192.0.2.1:5672", blackHole)
		n.set("192.0.2.2:5672", blackHole)
		l := linkTo(t, n, nil, "amqp://guest:guest@192.0.2.1/", "amqp://guest:guest@192.0.2.2/")
		for range 30 {
			pass(29 * time.Second)
			n.set("192.0.2.1:5672", brokerAt(b))
			if took := l.up(); took > connectTimeout+lastPause+nextURLAfter {
				t.Errorf("the link was back after %v", took)
			}
			pass(2 * stableAfter)
			n.set("192.0.2.1:5672", blackHole)
			b.DropConnections()
		}
	})
}

func TestAPermanentErrorHoldsUpNoOtherAddress(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
		n.set("192.0.2.1:5672", brokerAt(b))
		l := linkTo(t, n, nil, "amqp://guest:wrong@192.0.2.1/", "amqp://guest:guest@192.0.2.2/")
		pass(time.Minute)
		if tries := n.tried("192.0.2.1:5672"); tries < 5 || tries > 13 {
			t.Errorf("the wrong password was tried %d times in a minute", tries)
		}
		if tries := n.tried("192.0.2.2:5672"); tries < 30 || tries > 70 {
			t.Errorf("the other address was tried %d times in a minute", tries)
		}
		n.set("192.0.2.2:5672", brokerAt(b))
		if took := l.up(); took > lastPause {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAHundredLinksDoNotComeBackInStep(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, _ *broker.Broker) {
		for range 100 {
			linkTo(t, n, nil, "amqp://192.0.2.1/")
		}
		pass(30 * time.Second)
		const span = 100 * time.Millisecond
		most, before, began := 0, n.tried("192.0.2.1:5672"), n.tried("192.0.2.1:5672")
		for range 200 {
			pass(span)
			now := n.tried("192.0.2.1:5672")
			most, before = max(most, now-before), now
		}
		// Two thirds of them try in a second.
		if all := before - began; all < 1000 || all > 2000 || most > 25 {
			t.Errorf("%d attempts in 20 s, and up to %d in %v", all, most, span)
		}
	})
}

func TestFailFastTriesEveryAddressOnce(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, _ *broker.Broker) {
		l, err := New(Config{URLs: []string{"amqp://broker/", "amqp://192.0.2.9/"}, Exchange: "test", FailFast: true, Logger: slog.New(slog.DiscardHandler),
			Lookup: func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:192.0.2.2")}, nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		l.dialTCP = n.dial
		if err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "192.0.2.9") {
			t.Errorf("it ended with %v", err)
		}
		for _, address := range []string{"192.0.2.1:5672", "192.0.2.2:5672", "192.0.2.9:5672"} {
			if n.tried(address) != 1 {
				t.Errorf("%s was tried %d times", address, n.tried(address))
			}
		}
	})
}

func TestTheLogIsTheSameInWhateverOrderTheAddressesCome(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, _ *broker.Broker) {
		addresses := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}
		n.set("192.0.2.2:5672", accepts(hangsUp))
		l := linkTo(t, n, addresses, "amqp://broker/")
		first := (<-l.states).Err.Error()
		const want = "amqp://broker:5672/ hung up; is it an AMQP 0-9-1 broker, and does it expect TLS? (at 192.0.2.2); nothing listens at amqp://broker:5672/; is the broker running? (at 192.0.2.1, 192.0.2.3)"
		if first != want {
			t.Errorf("%s, want %s", first, want)
		}
		l.stop()
		turned := linkTo(t, n, []string{"192.0.2.3", "192.0.2.2", "192.0.2.1"}, "amqp://broker/")
		for range 5 {
			if again := (<-turned.states).Err.Error(); again != want {
				t.Errorf("then %s", again)
			}
		}
		turned.stop()
		if lines := strings.Count(turned.log.String(), "\n"); lines != 1 {
			t.Errorf("the log is %s", turned.log)
		}
	})
}

func TestAddressesOfBothFamiliesAlternate(t *testing.T) {
	parse := func(list string) (addresses []netip.Addr) {
		for a := range strings.FieldsSeq(list) {
			addresses = append(addresses, netip.MustParseAddr(a))
		}
		return addresses
	}
	for given, want := range map[string]string{
		"":                              "",
		"::1 127.0.0.1":                 "::1 127.0.0.1",
		"::1 ::2 ::3 10.0.0.1 10.0.0.2": "::1 10.0.0.1 ::2 10.0.0.2 ::3",
		"10.0.0.1 10.0.0.2 ::1":         "10.0.0.1 ::1 10.0.0.2",
		"::ffff:10.0.0.1 ::1":           "10.0.0.1 ::1",
	} {
		got := interleave(parse(given))
		var texts []string
		for _, a := range got {
			texts = append(texts, a.String())
		}
		if strings.Join(texts, " ") != want {
			t.Errorf("%s becomes %v", given, got)
		}
	}
}

func TestAnErrorOfOneAddressAmongSeveralIsStillMisconfigured(t *testing.T) {
	url := "amqp://broker/"
	err := joinFailures([]failure{
		{target{url: url, address: "192.0.2.1:5672", addresses: 2}, errors.New("nothing")},
		{target{url: url, address: "192.0.2.2:5672", addresses: 2}, newError(LoginRefused, "a wrong password")},
	})
	if !misconfigured(err) {
		t.Errorf("%v is not", err)
	}
}
