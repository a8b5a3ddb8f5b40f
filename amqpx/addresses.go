package amqpx

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A host name may have several addresses: both families of localhost, or the nodes of a cluster.
// The link tries each of them, as it tries each URL (round.go). The library, and net.Dialer below
// it, try the next address only when TCP fails: an address that accepts connections without
// speaking AMQP would hide all others.

// target is one address to connect to.
type target struct {
	url       string
	address   string // host:port with an IP address; "" for the host of the URL
	addresses int    // how many addresses the name has
	err       error  // why the name could not be resolved
}

// key identifies the target from round to round.
func (t target) key() string { return t.url + " " + t.address }

// host returns the IP address, for logs.
func (t target) host() string {
	host, _, _ := net.SplitHostPort(t.address)
	return host
}

// resolve returns the addresses of all URLs, in the order in which to try them.
func (l *Link) resolve(ctx context.Context) []target {
	ctx, cancel := context.WithTimeout(ctx, connectTimeoutOf(len(l.cfg.URLs)))
	defer cancel()
	found := make([][]target, len(l.cfg.URLs))
	var lookups sync.WaitGroup
	for i, url := range l.cfg.URLs {
		lookups.Go(func() { found[i] = l.resolveURL(ctx, url) })
	}
	lookups.Wait()
	return slices.Concat(found...)
}

func (l *Link) resolveURL(ctx context.Context, url string) []target {
	whole := []target{{url: url, addresses: 1}}
	uri, err := amqp.ParseURI(url)
	if err != nil || l.cfg.Lookup == nil {
		return whole
	}
	if _, err := netip.ParseAddr(uri.Host); err == nil {
		return whole
	}
	addresses, err := l.cfg.Lookup(ctx, uri.Host)
	if err != nil {
		whole[0].err = &handshakeError{err: err}
		return whole
	}
	var targets []target
	for _, a := range interleave(addresses) {
		targets = append(targets, target{url: url, address: net.JoinHostPort(a.String(), strconv.Itoa(uri.Port)), addresses: len(addresses)})
	}
	if len(targets) == 0 {
		whole[0].err = &handshakeError{err: &net.DNSError{Err: "no addresses", Name: uri.Host}}
		return whole
	}
	return targets
}

func lookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// interleave alternates between IPv6 and IPv4, starting with the family of the first address,
// so that a network where one of them does not work delays a link only once.
func interleave(addresses []netip.Addr) []netip.Addr {
	var first, other []netip.Addr
	for _, a := range addresses {
		a = a.Unmap()
		if len(first) == 0 || a.Is4() == first[0].Is4() {
			first = append(first, a)
		} else {
			other = append(other, a)
		}
	}
	mixed := make([]netip.Addr, 0, len(addresses))
	for i := range max(len(first), len(other)) {
		if i < len(first) {
			mixed = append(mixed, first[i])
		}
		if i < len(other) {
			mixed = append(mixed, other[i])
		}
	}
	return mixed
}

// connectTimeout bounds a TCP connection to one of several targets.
const connectTimeout = 3 * time.Second

func connectTimeoutOf(among int) time.Duration {
	if among > 1 {
		return connectTimeout
	}
	return dialTimeout
}

func (l *Link) dialTarget(ctx context.Context, t target, among int) (net.Conn, error) {
	if t.err != nil {
		return nil, t.err
	}
	address := t.address
	if address == "" {
		uri, err := amqp.ParseURI(t.url)
		if err != nil {
			return nil, err
		}
		address = net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port))
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeoutOf(among))
	defer cancel()
	conn, err := l.dialTCP(ctx, "tcp", address)
	if err != nil {
		return nil, &handshakeError{err: err}
	}
	return conn, nil
}

func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: 15 * time.Second}
	return d.DialContext(ctx, network, address)
}

// currentTarget is the target that the link is connected to, or is connecting to.
type currentTarget struct {
	target
	// conn is a connection to the target that is not used yet; nil if there is none.
	conn *heardConn
}

// take returns the unused connection, or nil.
func (p *currentTarget) take() net.Conn {
	if p.conn == nil {
		return nil
	}
	conn := p.conn
	p.conn = nil
	return conn
}

// discard closes the unused connection.
func (p *currentTarget) discard() {
	if conn := p.take(); conn != nil {
		conn.Close()
	}
}

// heardConn is a connection that knows whether anything came from the other end.
type heardConn struct {
	net.Conn
	heard atomic.Bool
}

func (c *heardConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(true)
	}
	return n, err
}

// addressErrors are the failures of the addresses of one URL.
type addressErrors struct {
	text string
	errs []error
}

func (e *addressErrors) Error() string   { return e.text }
func (e *addressErrors) Unwrap() []error { return e.errs }

// failure is why the link could not be made to a target.
type failure struct {
	target target
	err    error // explained
}

// joinFailures combines the failures of a URL's addresses into one error. Its text does not
// depend on their order, which a resolver may change at every lookup.
func joinFailures(failures []failure) error {
	if len(failures) == 0 {
		return nil
	}
	if len(failures) == 1 && failures[0].target.addresses < 2 {
		return failures[0].err
	}
	failures = slices.SortedFunc(slices.Values(failures), func(a, b failure) int {
		return cmp.Or(cmp.Compare(a.err.Error(), b.err.Error()), cmp.Compare(a.target.address, b.target.address))
	})
	e := &addressErrors{}
	var parts []string
	for i := 0; i < len(failures); {
		text := failures[i].err.Error()
		var hosts []string
		for ; i < len(failures) && failures[i].err.Error() == text; i++ {
			hosts = append(hosts, failures[i].target.host())
			e.errs = append(e.errs, failures[i].err)
		}
		parts = append(parts, fmt.Sprintf("%s (at %s)", text, strings.Join(hosts, ", ")))
	}
	e.text = strings.Join(parts, "; ")
	return e
}
