package bridge

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// urlSubscription is the id of the subscription that a URL asks for.
const urlSubscription = "url"

// plainSubprotocol is what a plain client offers beside a token (access.OffersToken): a browser
// closes the connection unless one of the subprotocols that it offers is named back, and the token
// is not.
const plainSubprotocol = "clu"

// offersSubprotocol reports whether a client offers a subprotocol.
func offersSubprotocol(offered, wanted string) bool {
	for name := range strings.SplitSeq(offered, ",") {
		if strings.TrimSpace(name) == wanted {
			return true
		}
	}
	return false
}

// parseConnect parses the query of a request's target. given reports whether it has one of the
// bridge's parameters. An error in the query is in r.Err. Such a client gets every reply, like one
// that gives only a batch time.
func parseConnect(target string) (r hub.ConnectRequest, given bool) {
	_, query, _ := strings.Cut(target, "?")
	values, ours, err := readQuery(query)
	if !ours {
		return r, false
	}
	id := urlSubscription
	d := &hub.SubscribeRequest{ID: &id}
	subscribes := false
	for name := range values {
		subscribes = subscribes || name != "silent" && name != "batch_ms"
	}
	if err == nil {
		d.Spec.Filter, _, err = filter.FromQuery(values)
	}
	if err == nil {
		r.Silent, err = readParameters(d, values)
	}
	if r.Silent && subscribes && err == nil {
		err = errors.New("silent=1 asks for nothing, but other parameters ask for something; leave out one or the other")
	}
	if err != nil {
		return hub.ConnectRequest{Err: fmt.Errorf("the URL is not understood: %w", err)}, true
	}
	r.Batch = d.Spec.Batch
	if subscribes {
		r.Subscribe = d
	}
	return r, true
}

// readParameters reads the parameters that are not fields of a filter. Its error is about
// the first wrong one, in the order of the code.
func readParameters(d *hub.SubscribeRequest, values url.Values) (silent bool, err error) {
	if text := values.Get("since"); values.Has("since") {
		epoch, number, ok := cutLast(text, ":")
		seq, err := strconv.ParseUint(number, 10, 64)
		if !ok || err != nil || epoch == "" {
			return false, fmt.Errorf("since=%s: write since=EPOCH:SEQ with the epoch and seq of the last reply that you had", quote.Short(text))
		}
		d.Since = &protocol.Since{Epoch: epoch, Seq: seq}
	}
	if d.Spec.Throttle, err = parseMilliseconds(values, "throttle_ms", hub.MaxThrottle); err != nil {
		return false, err
	}
	if d.Spec.Batch, err = parseMilliseconds(values, "batch_ms", hub.MaxBatch); err != nil {
		return false, err
	}
	if d.Snapshot, err = parseFlag(values, "snapshot"); err != nil {
		return false, err
	}
	if d.Spec.Ordered, err = parseFlag(values, "ordered"); err != nil {
		return false, err
	}
	return parseFlag(values, "silent")
}

// parseFlag parses a parameter that is 1 or 0; without it the flag is false.
func parseFlag(values url.Values, name string) (bool, error) {
	if !values.Has(name) {
		return false, nil
	}
	flag, err := strconv.ParseBool(values.Get(name))
	if err != nil {
		return false, fmt.Errorf("%s=%s: write %s=1 or %s=0", name, quote.Short(values.Get(name)), name, name)
	}
	return flag, nil
}

// parseMilliseconds parses a parameter in milliseconds; without it the time is 0.
func parseMilliseconds(values url.Values, name string, most time.Duration) (time.Duration, error) {
	if !values.Has(name) {
		return 0, nil
	}
	text := values.Get(name)
	ms, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s=%s is no number of milliseconds; it may be from 0 to %d", name, quote.Short(text), most/time.Millisecond)
	}
	return checkMilliseconds(name, ms, most)
}

// cutLast is [strings.Cut] at the last separator.
func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

// checkMilliseconds checks a time in milliseconds against its bound.
func checkMilliseconds(name string, ms int, most time.Duration) (time.Duration, error) {
	if ms < 0 || ms > int(most/time.Millisecond) {
		return 0, fmt.Errorf("%s is %d; it may be from 0 to %d", name, ms, most/time.Millisecond)
	}
	return time.Duration(ms) * time.Millisecond, nil
}
