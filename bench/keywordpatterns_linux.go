package bench

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/clu-ws/clu-ws/actor"
)

const (
	keywordReplies  = 9_000
	keywordsOfReply = 42
)

// keywordName returns a name like those of instruments.
func keywordName(i int) string {
	return fmt.Sprintf("spectrograph_sp%d_camera_%c%d_temperature_%03d", 1+i%3, "brz"[i%3], 1+i%4, i)
}

// keywordPatterns returns the patterns of a page that shows some values of such an instrument. None matches: a failing
// match costs the most.
func keywordPatterns(end string) []string {
	patterns := make([]string, maxPatterns)
	for i := range patterns {
		patterns[i] = fmt.Sprintf("*_camera_%c%d_*_pressure_%02d%s", "brz"[i%3], 1+i%4, i, end)
	}
	return patterns
}

// keywordBody returns an object with a number of keywords.
func keywordBody(count int) json.RawMessage {
	values := make(map[string]any, count)
	for i := range count {
		values[keywordName(i)] = 12.34 + float64(i)
	}
	return jsonOf(values)
}

// publishKeywords publishes replies with many keywords.
func (t *testbed) publishKeywords(ctx context.Context) error {
	body := keywordBody(keywordsOfReply)
	if err := t.publish(ctx, t.scaled(keywordReplies), func(int) actor.Reply {
		return actor.Reply{Code: actor.Info, Sender: defaultSender, Body: body}
	}); err != nil {
		return err
	}
	return t.awaitDelivered(ctx)
}

func (t *testbed) resumeByKeywords(ctx context.Context) error {
	return t.resumeAll(ctx, map[string]any{"keyword": keywordPatterns("")})
}

const (
	snapshotActors   = 200
	snapshotKeywords = 200
)

// publishActors publishes the content of a snapshot.
func (t *testbed) publishActors(ctx context.Context) error {
	body := keywordBody(t.scaled(snapshotKeywords))
	if err := t.publish(ctx, t.scaled(snapshotActors), func(i int) actor.Reply {
		return actor.Reply{Code: actor.Info, Sender: senderOf(i), Body: body}
	}); err != nil {
		return err
	}
	return t.awaitDelivered(ctx)
}

func (t *testbed) snapshotByKeywords(ctx context.Context) error {
	return t.neighbours(ctx, 1, dialOptions{path: "/?silent=1"}, func(_ int, n *neighbour) error {
		if err := n.write(snapshotFrame(map[string]any{"keyword": keywordPatterns("")})); err != nil {
			return err
		}
		_, err := n.readOp("snapshot")
		return err
	})
}
