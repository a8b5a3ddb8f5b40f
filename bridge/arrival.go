package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// What a client may ask for in the URL of its request: a subscription from the
// first moment on, of the id "url".
const urlSubscription = "url"

// namesSubprotocol tells whether a client offers v1 among its subprotocols.
func namesSubprotocol(offered string) bool {
	for name := range strings.SplitSeq(offered, ",") {
		if strings.TrimSpace(name) == Subprotocol {
			return true
		}
	}
	return false
}

// arrivalOf reads the query of a request's target. given reports whether there is
// anything of ours in it. On an error there is nothing to ask for, and the client is told.
// Who is silent has no demand, and neither has who only says how long replies may wait:
// it gets what everybody gets.
func arrivalOf(target string) (a arrival, given bool) {
	_, query, _ := strings.Cut(target, "?")
	values, ours, err := readQuery(query)
	if !ours {
		return a, false
	}
	id := urlSubscription
	d := &demand{id: &id}
	found := false
	for name := range values {
		found = found || name != "silent" && name != "batch_ms"
	}
	if err == nil {
		d.wish.filter, _, err = filter.FromQuery(values)
	}
	if err == nil {
		a.silent, err = d.readParameters(values)
	}
	if a.silent && found && err == nil {
		err = errors.New("silent=1 asks for nothing, but other parameters ask for something; leave out one or the other")
	}
	if err != nil {
		return arrival{wrong: fmt.Errorf("the URL is not understood: %w", err)}, true
	}
	a.batch = d.wish.batch
	if found {
		a.demand = d
	}
	return a, true
}

func (d *demand) readParameters(values url.Values) (silent bool, err error) {
	if text := values.Get("since"); values.Has("since") {
		epoch, number, ok := cutLast(text, ":")
		seq, err := strconv.ParseUint(number, 10, 64)
		if !ok || err != nil || epoch == "" {
			return false, fmt.Errorf("since=%s: write since=EPOCH:SEQ with the epoch and seq of the last reply that you had", quote.Short(text))
		}
		d.since = &since{epoch, seq}
	}
	if d.wish.throttle, err = millisecondsOf(values, "throttle_ms", maxThrottle); err != nil {
		return false, err
	}
	if d.wish.batch, err = millisecondsOf(values, "batch_ms", maxBatch); err != nil {
		return false, err
	}
	for parameter, to := range map[string]*bool{"snapshot": &d.snapshot, "ordered": &d.wish.ordered, "silent": &silent} {
		if text := values.Get(parameter); values.Has(parameter) {
			if *to, err = strconv.ParseBool(text); err != nil {
				return false, fmt.Errorf("%s=%s: write %s=1 or %s=0", parameter, quote.Short(text), parameter, parameter)
			}
		}
	}
	return silent, nil
}

// millisecondsOf reads a parameter that is a time; without it the time is 0.
func millisecondsOf(values url.Values, name string, most time.Duration) (time.Duration, error) {
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

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

// checkMilliseconds checks a time that a client has given.
func checkMilliseconds(name string, ms int, most time.Duration) (time.Duration, error) {
	if ms < 0 || ms > int(most/time.Millisecond) {
		return 0, fmt.Errorf("%s is %d; it may be from 0 to %d", name, ms, most/time.Millisecond)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// all is the filter that selects everything.
func all() *filter.Filter {
	f, err := filter.Parse(nil)
	if err != nil {
		panic("bridge: the empty filter is wrong: " + err.Error())
	}
	return f
}

// since names the last reply that a client has had.
type since struct {
	Epoch string
	Seq   uint64
}

// read reads {"epoch": "...", "seq": 1}.
func (s *since) read(raw json.RawMessage) error {
	const form = `write {"epoch": "<text>", "seq": <number>} of the last reply that you had`
	if kind(raw) != "an object" {
		return fmt.Errorf(`"since" is %s; %s`, kind(raw), form)
	}
	f, many := fieldsOf(raw)
	if many {
		return fmt.Errorf(`"since" has more than %d fields; %s`, maxFields, form)
	}
	for name := range f {
		if name != "epoch" && name != "seq" {
			return fmt.Errorf(`"since" has no field %s; %s`, quote.Text(name), form)
		}
	}
	if f["epoch"] == nil || json.Unmarshal(f["epoch"], &s.Epoch) != nil || s.Epoch == "" {
		return fmt.Errorf(`"since" needs an "epoch"; %s`, form)
	}
	if f["seq"] == nil || string(f["seq"]) == "null" {
		return fmt.Errorf(`"since" needs a "seq"; %s`, form)
	}
	if readUint(f["seq"], &s.Seq) != nil {
		return fmt.Errorf(`the "seq" in "since" is %s, but must be a whole number; %s`, shown(f["seq"]), form)
	}
	return nil
}
