package engine

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// offering returns an upgrade request with Sec-WebSocket-Extensions fields.
func offering(extensions ...string) []byte {
	var fields strings.Builder
	for _, e := range extensions {
		fields.WriteString("Sec-WebSocket-Extensions: " + e + "\r\n")
	}
	return []byte(strings.TrimSuffix(upgradeRequest, "\r\n") + fields.String() + "\r\n")
}

// negotiateOffers answers a request with these extensions, and returns those of the
// response.
func negotiateOffers(t *testing.T, e *Engine, extensions string) (answer []string, w Accepted, rejectErr *RejectError) {
	t.Helper()
	r := &Request{}
	if rejectErr := r.read(offering(extensions)); rejectErr != nil {
		return nil, w, rejectErr
	}
	e.limiter.max = 1
	in := &incoming{options: &ListenOptions{}}
	e.limiter.enter(in)
	defer e.limiter.removeIncoming(in)
	u, w, rejectErr := e.decide(in, r)
	if rejectErr != nil {
		return nil, w, rejectErr
	}
	got, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(u.response(""))), nil)
	if err != nil {
		t.Fatal(err)
	}
	return got.Header.Values("Sec-WebSocket-Extensions"), w, nil
}

func TestTheFirstOfferThatCanBeHonoredIsAccepted(t *testing.T) {
	const yes = "permessage-deflate;server_no_context_takeover;client_no_context_takeover"
	for _, c := range []struct{ name, offer, answer string }{
		{"what Chromium offers", "permessage-deflate; client_max_window_bits", yes},
		{"no parameters", "permessage-deflate", yes},
		{"every parameter", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=10; server_max_window_bits=15", yes + ";server_max_window_bits=15"},
		{"a quoted value", `permessage-deflate; server_max_window_bits="15"`, yes + ";server_max_window_bits=15"},
		{"a window that is too small for us", "permessage-deflate; server_max_window_bits=14", ""},
		{"a small window, or another offer", "permessage-deflate; server_max_window_bits=10, permessage-deflate; client_max_window_bits", yes},
		{"two good offers", "permessage-deflate, permessage-deflate; server_max_window_bits=15", yes},
		{"another extension first", "x-webkit-deflate-frame, permessage-deflate", yes},
		{"another extension only", "permessage-bzip2", ""},
		{"an unknown parameter", "permessage-deflate; dictionary=clu", ""},
		{"a repeated parameter", "permessage-deflate; server_no_context_takeover; server_no_context_takeover", ""},
		{"a repeated window", "permessage-deflate; client_max_window_bits; client_max_window_bits=15", ""},
		{"a value where none belongs", "permessage-deflate; client_no_context_takeover=1", ""},
		{"no value where one belongs", "permessage-deflate; server_max_window_bits", ""},
		{"a window of 7 bits", "permessage-deflate; client_max_window_bits=7", ""},
		{"a window of 16 bits", "permessage-deflate; client_max_window_bits=16", ""},
		{"a leading zero", "permessage-deflate; client_max_window_bits=09", ""},
		{"a window in words", "permessage-deflate; client_max_window_bits=ten", ""},
		{"another case", "Permessage-Deflate", ""},
		{"more parameters than fit", "permessage-deflate" + strings.Repeat("; x", 20) + ", permessage-deflate", yes},
	} {
		e := &Engine{cfg: Config{Limits: Limits{MaxHead: 8 << 10}, Handler: &server{}}, deflate: newDeflate(1)}
		got, accepted, rejectErr := negotiateOffers(t, e, c.offer)
		if rejectErr != nil {
			t.Errorf("%s: rejected with %v", c.name, rejectErr)
			continue
		}
		if strings.ReplaceAll(strings.Join(got, ","), " ", "") != c.answer || len(got) > 1 {
			t.Errorf("%s: the answer is %q, want %q", c.name, got, c.answer)
		}
		if accepted.deflate != (c.answer != "") {
			t.Errorf("%s: the connection compresses: %v", c.name, accepted.deflate)
		}
	}
}

func TestOffersInSeveralFieldsAreOneList(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Compress: true})
		c := s.dialTCP(t)
		c.send(offering("permessage-deflate; server_max_window_bits=9", "x-other", "permessage-deflate", "permessage-deflate"))
		got := c.response().Header.Values("Sec-WebSocket-Extensions")
		if len(got) != 1 || strings.Count(got[0], permessageDeflate) != 1 {
			t.Fatalf("the answer is %q", got)
		}
	})
}

func TestAMalformedOfferIsABadRequest(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Compress: true})
		for _, garbage := range []string{"permessage-deflate; =1", ";;;", "permessage-deflate; a=\"", "\x01"} {
			c := s.dialTCP(t)
			c.send(offering(garbage))
			if got := c.response().StatusCode; got != http.StatusBadRequest {
				t.Errorf("%q: answered %d", garbage, got)
			}
		}
	})
}

func TestNothingIsNegotiatedWithoutCompression(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{})
		c := s.dialTCP(t)
		c.send(offering("permessage-deflate"))
		resp := c.response()
		if got, ok := resp.Header["Sec-Websocket-Extensions"]; resp.StatusCode != 101 || ok {
			t.Fatalf("answered %s with %q", resp.Status, got)
		}
		c.send(deflated(true, "x"))
		c.expectClose(1002)
	})
}

func FuzzOffers(f *testing.F) {
	for _, s := range []string{"permessage-deflate; client_max_window_bits", `permessage-deflate; server_max_window_bits="15", x; y=z`, ";;=,\"", "permessage-deflate\r\nSec-WebSocket-Extensions: permessage-deflate"} {
		f.Add(s)
	}
	e := &Engine{cfg: Config{Limits: Limits{MaxHead: 8 << 10}, Handler: &server{}}, deflate: newDeflate(1)}
	f.Fuzz(func(t *testing.T, extensions string) {
		got, accepted, rejectErr := negotiateOffers(t, e, extensions)
		if taken := len(got) == 1 && strings.HasPrefix(got[0], permessageDeflate); rejectErr == nil && (taken != accepted.deflate || len(got) > 1) {
			t.Fatalf("answered %q; the connection compresses: %v", got, accepted.deflate)
		}
	})
}
