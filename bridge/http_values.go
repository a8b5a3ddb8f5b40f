package bridge

import (
	"net/http"
	"strconv"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

const (
	valuesPath = "/api/values"
	// maxValueAge is the longest max_age_ms.
	maxValueAge = 365 * 24 * time.Hour
)

// apiValues serves the last values of keywords, for a program that looks now and then. A client gets
// those that it may hear.
func (b *Bridge) apiValues(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		onlyMethod(http.MethodGet)(w, r)
		return
	}
	from := b.identifyAPI(w, r)
	if from == nil {
		return
	}
	f, all, wrong := parseValues(r)
	if wrong != nil {
		wrong.write(w)
		return
	}
	all.now = b.hub.Time()
	b.hub.EachKeyword(f, b.viewerNow(from), all.keyword)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(shortAnswerTimeout)) // an error means that there is no socket
	all.gapAfter = b.hub.GapAfter()                                                        // after the values: what is in doubt meanwhile is said to be
	writeAPI(w, http.StatusOK, all.json(b.hub.Epoch, brokerWord(b.link.State())))
}

// parseValues parses the parameters of a request for values: those of a filter, and max_age_ms.
func parseValues(r *http.Request) (*filter.Filter, *lastValues, *apiError) {
	const age = "max_age_ms"
	query, wrong := parseRepeated(r, append(filter.Fields(), age)...)
	if wrong != nil {
		return nil, nil, wrong
	}
	f, _, err := filter.FromQuery(query)
	if err != nil {
		return nil, nil, apiErrorf(http.StatusBadRequest, "%v", err)
	}
	if f.Mine() {
		return nil, nil, apiErrorf(http.StatusBadRequest, `the commander "me" is for WebSockets: over HTTP there are no replies to commands of this client`)
	}
	maxAge, err := parseMilliseconds(query, age, maxValueAge)
	if err != nil || len(query[age]) > 1 || query.Has(age) && maxAge == 0 {
		return nil, nil, apiErrorf(http.StatusBadRequest, "%s: write it once, as a number of milliseconds from 1 to %d", age, maxValueAge/time.Millisecond)
	}
	return f, &lastValues{maxAge: maxAge, internal: query.Has("internal")}, nil
}

// lastValues are the values of an answer.
type lastValues struct {
	now      time.Time
	maxAge   time.Duration // 0 is any
	internal bool          // whether those of internal replies are asked for
	gapAfter uint64        // values up to this number may be outdated

	actors []actorValues // in the order of their names
}

type actorValues struct {
	name     string
	keywords []lastValue // in the order of their names
}

type lastValue struct {
	snapshot.Entry
	value []byte
}

// keyword adds a keyword. A name that both public and internal replies have set is there twice, one
// after the other: the newer one stays.
func (v *lastValues) keyword(e snapshot.Entry, value []byte) bool {
	if e.Internal && !v.internal || v.maxAge > 0 && v.now.Sub(e.Time) > v.maxAge {
		return true
	}
	if n := len(v.actors); n == 0 || v.actors[n-1].name != e.Actor {
		v.actors = append(v.actors, actorValues{name: e.Actor})
	}
	a := &v.actors[len(v.actors)-1]
	if n := len(a.keywords); n > 0 && a.keywords[n-1].Keyword == e.Keyword {
		if a.keywords[n-1].Seq < e.Seq {
			a.keywords[n-1] = lastValue{e, value}
		}
		return true
	}
	a.keywords = append(a.keywords, lastValue{e, value})
	return true
}

// json returns the answer. An age is rounded up: no value is older than it says.
func (v *lastValues) json(epoch, broker string) []byte {
	buf := append([]byte(`{"time":"`), encodeTime(v.now)...)
	buf = append(append(buf, `","broker":"`...), broker...)
	buf = append(append(buf, `","epoch":`...), protocol.JSON(epoch)...)
	buf = append(buf, `,"values":{`...)
	for i, a := range v.actors {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(append(buf, protocol.JSON(a.name)...), `:{`...)
		for j, k := range a.keywords {
			if j > 0 {
				buf = append(buf, ',')
			}
			buf = append(append(buf, protocol.JSON(k.Keyword)...), ':')
			buf = k.append(buf, v.now, v.gapAfter)
		}
		buf = append(buf, '}')
	}
	return append(buf, `}}`...)
}

// append writes a value.
func (k *lastValue) append(buf []byte, now time.Time, gapAfter uint64) []byte {
	if k.TooLarge > 0 {
		buf = strconv.AppendInt(append(buf, `{"too_large":`...), int64(k.TooLarge), 10)
	} else {
		buf = append(append(buf, `{"value":`...), k.value...)
	}
	buf = append(append(buf, `,"time":"`...), encodeTime(k.Time)...)
	buf = append(buf, `","age_ms":`...)
	age := max(0, now.Sub(k.Time)) + time.Millisecond - 1
	buf = strconv.AppendInt(buf, age.Milliseconds(), 10)
	buf = append(append(buf, `,"code":`...), protocol.JSON(k.Code)...)
	buf = strconv.AppendUint(append(buf, `,"seq":`...), k.Seq, 10)
	if k.Internal {
		buf = append(buf, `,"internal":true`...)
	}
	if k.Seq <= gapAfter {
		buf = append(buf, `,"outdated":true`...)
	}
	return append(buf, '}')
}
