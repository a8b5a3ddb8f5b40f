package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/history"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// Bounds of a request for history. The answer has about 60 bytes for each point.
const (
	maxHistoryKeywords = 200
	maxHistoryPoints   = 5000
	maxHistoryAnswer   = 60_000 // points of all keywords
	maxHistoryName     = 512    // bytes of a keyword's name
	defaultPoints      = 600
	defaultHistorySpan = time.Hour
)

// newKeywordHistory makes the history of keywords, unless there is to be none.
func (b *Bridge) newKeywordHistory() {
	if b.cfg.KeywordHistory <= 0 {
		return
	}
	b.keywordHistory = history.New(history.Limits{Bytes: b.cfg.KeywordHistory, Origins: b.cfg.Access != nil})
	if b.cfg.Durable.Stream != nil {
		b.refill.past = b.keywordHistory.Past()
	}
}

// noteValues keeps what a reply says of its actor's keywords. Internal replies are not meant for
// people, and one whose time is not known has no place.
func (b *Bridge) noteValues(o *hub.Observed) {
	if o.Internal || o.Aside || o.Unroutable || o.Heard.Unix() <= 0 {
		return
	}
	b.keywordHistory.Note(historyReply(o.Reply, o.Heard), o.Keywords)
}

func historyReply(r *filter.Reply, heard time.Time) *history.Reply {
	return &history.Reply{
		Actor: r.Sender, Time: heard, Broadcast: hub.IsBroadcast(r),
		Code: r.Code, RoutingKey: r.RoutingKey, CommandID: r.CommandID, Commander: r.Commander,
	}
}

// history answers with what keywords were.
func (b *Bridge) history(s *hub.Session, r request) error {
	if b.keywordHistory == nil {
		return errors.New("this bridge keeps no history of keywords; start it with --values-bytes 64MiB")
	}
	q, err := b.readHistory(r.fields)
	if err != nil {
		return err
	}
	return b.hub.InTurns(hubConn{r.conn}, s, func(v *filter.View) func() engine.Frame {
		q := q
		if v != nil {
			q.Visible = func(o *history.Origin) bool { return certainlyHears(v, o) }
		}
		answer := b.keywordHistory.Ask(q)
		return func() engine.Frame {
			if !answer.Step() {
				return nil
			}
			buf := append(make([]byte, engine.MaxHeaderSize, 4096), `{"op": "history", "id": `...)
			buf = append(append(buf, protocol.JSON(r.id)...), ", "...)
			return engine.Must(engine.NewText(append(answer.Append(buf), '}')))
		}
	})
}

// certainlyHears reports whether a view selects every reply of an origin.
func certainlyHears(v *filter.View, o *history.Origin) bool {
	switch {
	case v.SelectsAllOf(o.Actor):
		return true
	case o.Others, o.Command && v.TestsCommandID():
		return false
	}
	return v.Match(&filter.Reply{Sender: o.Actor, Code: o.Code, RoutingKey: o.RoutingKey, Commander: o.Commander, Keywords: o.Keywords})
}

// readHistory reads a request for history.
func (b *Bridge) readHistory(f protocol.Fields) (q history.Query, err error) {
	if q.Keywords, err = historyKeywords(f["keywords"]); err != nil {
		return q, err
	}
	now := b.hub.Time()
	from, err := f.Instant("from", now, now.Add(-defaultHistorySpan))
	if err != nil {
		return q, err
	}
	to, err := f.Instant("to", now, now)
	if err != nil {
		return q, err
	}
	if to.After(now) {
		to = now
	}
	if !from.Before(to) {
		return q, errors.New(`"from" must be before "to", and before now by the bridge's clock (the time in hello)`)
	}
	q.From, q.To, q.Points = from.UnixMilli(), to.UnixMilli(), defaultPoints
	if err := protocol.Optional(f, "points", "a whole number", &q.Points); err != nil {
		return q, err
	}
	most := min(maxHistoryPoints, maxHistoryAnswer/len(q.Keywords))
	if q.Points < 1 || q.Points > most {
		return q, fmt.Errorf(`"points" is %d, but must be from 1 to %d for %d keywords; ask for fewer, or for fewer keywords at a time`, q.Points, most, len(q.Keywords))
	}
	return q, nil
}

// historyKeywords reads the names of keywords.
func historyKeywords(raw json.RawMessage) (names []string, err error) {
	const form = `write {"keywords": ["weather.wind_speed"]}, each as actor.keyword`
	if len(raw) > maxHistoryKeywords*(maxHistoryName+4) {
		return nil, fmt.Errorf(`"keywords" is %d bytes long, which is too much; ask for fewer at a time`, len(raw))
	}
	if raw == nil {
		return nil, fmt.Errorf(`"keywords" is missing; %s`, form)
	}
	if json.Unmarshal(raw, &names) != nil && protocol.Kind(raw) == "a list" {
		return nil, fmt.Errorf(`"keywords" is a list with other things than names; %s`, form)
	}
	if names == nil {
		return nil, fmt.Errorf(`"keywords" is %s, but must be a list of names; %s`, protocol.Kind(raw), form)
	}
	if len(names) == 0 || len(names) > maxHistoryKeywords {
		return nil, fmt.Errorf(`"keywords" has %d names, but must have from 1 to %d; %s`, len(names), maxHistoryKeywords, form)
	}
	for _, name := range names {
		if len(name) > maxHistoryName {
			return nil, fmt.Errorf(`"keywords" has the name %s, which is %d bytes long, but may have %d`, quote.Text(name), len(name), maxHistoryName)
		}
	}
	return names, nil
}
