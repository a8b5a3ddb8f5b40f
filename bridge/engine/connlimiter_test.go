package engine

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// newIncoming returns an incoming connection from an address, numbered by slot.
func newIncoming(slot int32, addr string) *incoming {
	in := &incoming{conn: Conn{connRef: connRef{slot: slot}}, options: &ListenOptions{}}
	if addr != "" {
		in.client = netip.AddrPortFrom(netip.MustParseAddr(addr), 1)
	}
	return in
}

func TestOneAddressCannotUseUpTheLimit(t *testing.T) {
	c := connLimiter{max: 100, perAddress: 2, exempt: func(a netip.Addr) bool { return a.String() == "10.0.0.1" }}
	slot := int32(0)
	var gone []int32
	gaveWay := func(evicted Conn) {
		if evicted != (Conn{}) {
			gone = append(gone, evicted.slot)
		}
	}
	open := func(addr string) (*incoming, string) {
		slot++
		in := newIncoming(slot, addr)
		gaveWay(c.enter(in))
		evicted, rejectErr := c.admit(in, in.client.Addr())
		if gaveWay(evicted); rejectErr != nil {
			return in, rejectErr.Reason
		}
		return in, ""
	}
	first, _ := open("192.0.2.1")
	open("192.0.2.1")
	third, reason := open("192.0.2.1")
	if !strings.Contains(reason, "192.0.2.1") {
		t.Errorf("the third gets %q", reason)
	}
	c.removeIncoming(third)
	if _, reason := open("192.0.2.2"); reason != "" {
		t.Errorf("another address gets %q", reason)
	}
	for _, proxy := range []string{"127.0.0.1", "10.0.0.1", ""} {
		for range 10 {
			if _, reason := open(proxy); reason != "" {
				t.Errorf("the proxy %s gets %q", proxy, reason)
			}
		}
	}
	c.removeAdmitted(first.addrCount)
	if _, reason := open("192.0.2.1"); reason != "" {
		t.Errorf("after one left, the next gets %q", reason)
	}
	if len(c.addresses) != 2 || c.total != 33 || len(gone) > 0 {
		t.Errorf("%d addresses and %d connections are counted, %v was evicted", len(c.addresses), c.total, gone)
	}
}

func TestAClientOfAProxyIsCountedByItsOwnAddress(t *testing.T) {
	c := connLimiter{max: 100, perAddress: 1}
	client := netip.MustParseAddr("192.0.2.1")
	for i, want := range []bool{true, false} {
		in := newIncoming(int32(i), "127.0.0.1")
		c.enter(in)
		if _, rejectErr := c.admit(in, client); (rejectErr == nil) != want {
			t.Errorf("connection %d: %v", i, rejectErr)
		}
	}
	if c.addresses[client].count != 1 || c.total != 1 || c.reserved != 1 {
		t.Errorf("%+v", &c)
	}
}

func TestTheOldestConnectionWithoutARequestIsEvicted(t *testing.T) {
	c := connLimiter{max: 3}
	var gone []int32
	enter := func(slot int32) *incoming {
		in := newIncoming(slot, "")
		if evicted := c.enter(in); evicted != (Conn{}) {
			gone = append(gone, evicted.slot)
		}
		return in
	}
	honest, trickled, later := enter(1), enter(2), enter(3)
	if _, rejectErr := c.admit(honest, netip.Addr{}); rejectErr != nil {
		t.Fatal(rejectErr)
	}
	if enter(4); fmt.Sprint(gone) != "[2]" {
		t.Errorf("%v was evicted, want the oldest that had sent no request", gone)
	}
	if _, rejectErr := c.admit(trickled, netip.Addr{}); rejectErr == nil {
		t.Error("an evicted one is admitted")
	}
	if _, rejectErr := c.admit(later, netip.Addr{}); rejectErr != nil {
		t.Errorf("one that did not gets %v", rejectErr)
	}
	if enter(5); fmt.Sprint(gone) != "[2 4]" {
		t.Errorf("%v was evicted", gone)
	}
}

func TestTheLimiterAgreesWithAModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	c := connLimiter{max: 20, perAddress: 6}
	pending, open := map[*incoming]bool{}, map[*incoming]bool{}
	for step := range 5_000 {
		switch rng.IntN(4) {
		case 0, 1:
			in := newIncoming(int32(step), fmt.Sprintf("192.0.2.%d", rng.IntN(5)))
			c.enter(in)
			pending[in] = true
		case 2:
			for in := range pending {
				if _, rejectErr := c.admit(in, netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", rng.IntN(5)))); rejectErr == nil {
					delete(pending, in)
					open[in] = true
				}
				break
			}
		case 3:
			if rng.IntN(2) == 0 {
				for in := range pending {
					c.removeIncoming(in)
					delete(pending, in)
					break
				}
				continue
			}
			for in := range open {
				c.removeAdmitted(in.addrCount)
				delete(open, in)
				break
			}
		}
		total, reserved, counts := len(open), 0, map[netip.Addr]int{}
		for in := range open {
			counts[in.addr]++
		}
		for in := range pending {
			switch in.admission {
			case admissionEvictable:
				total++
				counts[in.addr]++
			case admissionReserve:
				reserved++
			}
		}
		if c.total != total || c.reserved != reserved || total > c.max || reserved > maxReserve || len(counts) != len(c.addresses) {
			t.Fatalf("step %d: %d of %d places and %d of %d in the reserve are counted; %d addresses of %d",
				step, c.total, total, c.reserved, reserved, len(c.addresses), len(counts))
		}
		for addr, n := range counts {
			if c.addresses[addr].count != n || n > c.perAddress {
				t.Fatalf("step %d: %v has %d, counted as %d", step, addr, n, c.addresses[addr].count)
			}
		}
	}
}

func TestSlowRequestHeadsLockNoClientOut(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		const places, trickled, honest = 300, 330, 84
		s := start(Config{Limits: Limits{MaxConnections: places, HeadTimeout: time.Minute, PingAfter: time.Hour}})
		for range trickled {
			c := s.dialTCP(t)
			c.send([]byte(upgradeRequest[:20]))
		}
		for range honest { // each of which stays open
			s.dial(t)
		}
		for range places - honest {
			s.dial(t)
		}
		c := s.dialTCP(t)
		c.send([]byte(upgradeRequest))
		if resp := c.response(); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("beyond the limit: %s", resp.Status)
		}
	})
}

func TestAVitalRequestIsServedAtTheConnectionLimit(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{
			Limits: Limits{MaxConnections: 2, HeadTimeout: time.Minute},
			Vital:  func(r *Request) bool { return r.Target() == "/healthz" },
			HTTP:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }),
		})
		s.dial(t)
		s.dial(t)
		for range 2 * maxReserve { // silent clients are no obstacle
			s.dialTCP(t)
		}
		for path, want := range map[string]int{"/healthz": 200, "/": 503} {
			c := s.dialTCP(t)
			c.send([]byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"))
			resp := c.response()
			if body, _ := io.ReadAll(resp.Body); resp.StatusCode != want {
				t.Errorf("%s is answered %s %q", path, resp.Status, body)
			}
		}
	})
}

func TestSlowHTTPClientsAreBoundedAndDoNotBlockVitalRequests(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		release, asked := make(chan struct{}), make(chan struct{}, maxHTTPRequests)
		s := start(Config{
			Vital: func(r *Request) bool { return r.Target() == "/healthz" },
			HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					asked <- struct{}{}
					<-release
				}
			}),
		})
		t.Cleanup(func() { close(release) })
		request := func(path string) *client {
			c := s.dialTCP(t)
			c.send([]byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"))
			return c
		}
		for range maxHTTPRequests {
			request("/slow")
			testkit.Receive(t, asked)
		}
		for path, want := range map[string]int{"/slow": 503, "/healthz": 200} {
			if resp := request(path).response(); resp.StatusCode != want {
				t.Errorf("%s is answered %s", path, resp.Status)
			}
		}
	})
}
