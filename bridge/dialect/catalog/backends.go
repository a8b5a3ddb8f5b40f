package catalog

import (
	"net"
	"net/url"
	"slices"

	"github.com/clu-ws/clu-ws/bridge/dialect/socketshark"
)

// Backends returns the addresses of the backends that dialects ask, sorted: host:port, or the path of a
// Unix socket.
func Backends(all []Config) (addresses []string) {
	for _, c := range all {
		if c.SocketShark != nil {
			for _, u := range callbacks(c.SocketShark) {
				addresses = append(addresses, addressOf(u))
			}
		}
		switch t := c.HighTemplar; {
		case t == nil:
		case t.APISocket != "":
			addresses = append(addresses, t.APISocket)
		default:
			addresses = append(addresses, addressOf(t.APIURL))
		}
	}
	slices.Sort(addresses)
	return slices.DeleteFunc(slices.Compact(addresses), func(a string) bool { return a == "" })
}

// StatusExchanges returns the exchanges that dialects tell of their clients, sorted.
func StatusExchanges(all []Config) (exchanges []string) {
	for _, c := range all {
		if c.Reddit != nil && c.Reddit.StatusExchange != "" {
			exchanges = append(exchanges, c.Reddit.StatusExchange)
		}
	}
	slices.Sort(exchanges)
	return slices.Compact(exchanges)
}

// callbacks returns the URLs of SocketShark's callbacks; those that are not given are "".
func callbacks(c *socketshark.Config) (urls []string) {
	if t := c.Authentication.Ticket; t != nil {
		urls = append(urls, t.ValidationURL)
	}
	for _, s := range c.Services {
		urls = append(urls, s.Authorizer, s.OnAuthorizationChange, s.BeforeSubscribe, s.OnSubscribe, s.OnMessage,
			s.BeforeUnsubscribe, s.OnUnsubscribe, s.OnHeartbeat)
	}
	return urls
}

// addressOf returns the address of a URL's host; "" if there is none.
func addressOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
