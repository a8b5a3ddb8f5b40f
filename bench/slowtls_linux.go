package bench

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/clu-ws/clu-ws/actor"
)

const (
	slowClients = 60
	slowReplies = 24_000 // of a kilobyte each
)

// tellThoseWhoDoNotRead publishes replies for clients that do not read. All want every
// reply, each by a subscription of its own.
func (t *testbed) tellThoseWhoDoNotRead(ctx context.Context) error {
	err := t.neighbours(ctx, t.fewer(slowClients), manner{path: "/?silent=1", receive: 16 << 10}, func(i int, n *neighbour) error {
		filter := map[string]any{"sender": []string{theSender, senderOf(i)}}
		if err := n.write(subscribeFrame("s", map[string]any{"filter": filter})); err != nil {
			return err
		}
		_, err := n.hearOp("ok")
		return err
	})
	if err != nil {
		return err
	}
	if err := t.tellMuch(ctx); err != nil {
		return err
	}
	return t.settle(ctx)
}

// tellMuch publishes 24 MB of replies.
func (t *testbed) tellMuch(ctx context.Context) error {
	body := json.RawMessage(`{"text":"` + strings.Repeat("x", 600) + `"}`) // 1 KB with its envelope
	return t.tell(ctx, t.fewer(slowReplies), func(int) actor.Reply {
		return actor.Reply{Code: actor.Info, Sender: theSender, Body: body}
	})
}
