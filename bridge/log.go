package bridge

import (
	"errors"
	"fmt"

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
