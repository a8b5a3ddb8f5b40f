package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// defaultLogLimit is how many replies a page of the log has if the request does not say.
const defaultLogLimit = 500

// logPage answers with a page of the kept replies.
func (b *Bridge) logPage(s *hub.Session, r request) (err error) {
	d := hub.LogRequest{ID: r.id}
	if err := readLog(r.fields, &d); err != nil {
		return err
	}
	raw := r.fields["filter"]
	if len(raw) > shortFilter {
		return b.hub.Log(hubConn{r.conn}, s, d, raw)
	}
	if d.Filter, err = filter.Parse(raw); err != nil {
		return err
	}
	return b.hub.Log(hubConn{r.conn}, s, d, nil)
}

// readLog reads the fields of the request other than its filter.
func readLog(f protocol.Fields, d *hub.LogRequest) (err error) {
	if d.Before, err = f.Number("before"); err != nil {
		return err
	}
	if d.After, err = f.Number("after"); err != nil {
		return err
	}
	if d.Before != nil && d.After != nil {
		return errors.New(`the page is either before a reply or after one; leave out "before" or "after"`)
	}
	d.Limit = defaultLogLimit
	if err := protocol.Optional(f, "limit", "a whole number of replies", &d.Limit); err != nil {
		return err
	}
	if d.Limit < 1 || d.Limit > hub.MaxLogLimit {
		return fmt.Errorf("limit is %d; it may be from 1 to %d", d.Limit, hub.MaxLogLimit)
	}
	return protocol.Optional(f, "epoch", "a text, the epoch of the numbers", &d.Epoch)
}

// olderTimeout is how long the stream is read at once for a page of the log.
const olderTimeout = 5 * time.Second

// olderReader returns the function that reads what the stream has and memory has not; nil without a stream.
func (b *Bridge) olderReader() hub.OlderReader {
	if b.cfg.Durable.Stream == nil {
		return nil
	}
	return func(from, until uint64, reply func(uint64, *hub.Reply), gap func(uint64, time.Time, time.Time)) (oldest uint64, err error) {
		ctx, cancel := context.WithTimeout(b.running, olderTimeout)
		defer cancel()
		oldest, err = b.link.ReadRange(ctx, amqpx.StreamRange{
			From: from, Until: until,
			Deliver: func(offset uint64, d *amqpx.Delivery) {
				if r, err := b.readReply(d); err == nil { // otherwise it was counted when it came
					reply(offset, r)
				}
			},
			OnGap: func(offset uint64, g amqpx.Gap) { gap(offset, g.From, g.To) },
		})
		if err != nil {
			b.log.Debug("the stream was not read for a page of the log", "error", err)
			return 0, errors.New("the replies before those that the bridge keeps are in the stream, which cannot be read now; ask again later")
		}
		return oldest, nil
	}
}
