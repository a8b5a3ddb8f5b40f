package engine

import (
	"net/http"
	"net/netip"
	"testing"
)

// fromBrowser returns an upgrade request as a browser sends it.
func fromBrowser() string {
	return plus("Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n" +
		"Origin: http://localhost:9876\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n" +
		"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
}

// upgrades returns a function that turns a request's bytes into the response.
func upgrades(t testing.TB) func(data []byte) {
	e := &Engine{cfg: Config{Handler: &asking{}}, limiter: connLimiter{max: 10}}
	e.cfg.Limits.setDefaults()
	in, r, options := &incoming{}, &Request{}, &ListenOptions{}
	return func(data []byte) {
		*in = incoming{options: options, client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), 4711)}
		e.limiter.enter(in)
		if _, whole, rejectErr := e.examine(in, r, data); rejectErr != nil || !whole {
			t.Fatal("it is rejected", rejectErr)
		}
		if u, w, rejectErr := e.decide(in, r); rejectErr != nil || len(u.response(w.Subprotocol)) < 100 {
			t.Fatal("it is rejected", rejectErr)
		}
		e.limiter.removeIncoming(in)
	}
}

// asking is a handler that reads what the bridge reads of a request.
type asking struct{ Handler }

func (*asking) Accept(r *Request) (Accepted, error) {
	if r.Target() == "" || len(r.Values("Origin")) > 1 || r.Header("Host") == "" || r.Header("Sec-WebSocket-Protocol") != "" {
		return Accepted{}, &RejectError{Status: http.StatusForbidden}
	}
	return Accepted{}, nil
}

// When a bridge restarts, all its clients reconnect at once.
func TestAnUpgradeAllocatesOnlyItsResponseAndTheHandlersValues(t *testing.T) {
	upgrade := upgrades(t)
	for name, c := range map[string]struct {
		head string
		most float64
	}{"a program": {upgradeRequest, 2}, "a browser": {fromBrowser(), 4}} {
		data := []byte(c.head)
		if n := testing.AllocsPerRun(100, func() { upgrade(data) }); n > c.most {
			t.Errorf("%s: %v allocations, want %v", name, n, c.most)
		}
	}
}

func BenchmarkUpgrade(b *testing.B) {
	for name, head := range map[string]string{"program": upgradeRequest, "browser": fromBrowser()} {
		b.Run(name, func(b *testing.B) {
			upgrade, data := upgrades(b), []byte(head)
			b.ReportAllocs()
			for b.Loop() {
				upgrade(data)
			}
		})
	}
}
