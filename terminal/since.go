package terminal

import (
	"context"
	"encoding/json"
	"time"
)

// logPage is what is needed of a page of the log.
type logPage struct {
	Epoch   string            `json:"epoch"`
	Oldest  *uint64           `json:"oldest"`
	More    bool              `json:"more"`
	Next    uint64            `json:"next"`
	Entries []json.RawMessage `json:"entries"`
}

// beginBefore makes selections begin with the replies of the time before now. The gap, if there is one, is what the bridge does
// not have of that time.
func beginBefore(ctx context.Context, link Link, selections []Selection, ago time.Duration) (*Gap, error) {
	if ago <= 0 {
		return nil, nil
	}
	from := link.Now().Add(-ago)
	since, oldest, err := sinceTime(ctx, link, from)
	if err != nil {
		return nil, orInterrupted(ctx, err)
	}
	for i := range selections {
		selections[i].Since = since
	}
	switch {
	case oldest.IsZero():
		return &Gap{Reason: "the bridge keeps none of that time"}, nil
	case oldest.After(from):
		seconds := oldest.Sub(from).Seconds()
		return &Gap{Seconds: &seconds, Reason: "the bridge keeps none from before " + oldest.UTC().Format("2006-01-02 15:04:05")}, nil
	}
	return nil, nil
}

// sinceTime returns after which number the replies begin that the bridge has heard since a time, and when the oldest reply was
// heard that it has, or an earlier time than that. It searches the log by halves, so that of a long history only a few replies are
// read.
func sinceTime(ctx context.Context, link Link, from time.Time) (since *Since, oldest time.Time, err error) {
	page, err := askLog(ctx, link, map[string]any{"limit": 1})
	if err != nil {
		return nil, oldest, err
	}
	since = &Since{Epoch: page.Epoch}
	if page.Oldest == nil || *page.Oldest == 0 {
		if hello := link.Hello(); hello.Seq != nil {
			since.Seq = *hello.Seq
		}
		if since.Epoch == "" {
			since.Epoch = link.Hello().Epoch
		}
		if page.Oldest == nil {
			return since, oldest, nil
		}
	}
	low, high := *page.Oldest, *page.Oldest // the first reply since that time is in [low, high]
	if hello := link.Hello(); hello.Seq != nil {
		high = max(high, *hello.Seq+1)
	}
	for low < high {
		middle := low + (high-low)/2
		seq, heard, ok, err := firstFrom(ctx, link, middle)
		switch {
		case err != nil:
			return nil, oldest, err
		case !ok || !heard.Before(from):
			high, oldest = middle, heard
		default:
			low = seq + 1
		}
	}
	since.Seq = max(low, 1) - 1
	if low > *page.Oldest {
		oldest = from // there are older ones
	}
	return since, oldest, nil
}

// firstFrom returns the first reply with a number of at least that.
func firstFrom(ctx context.Context, link Link, seq uint64) (found uint64, heard time.Time, ok bool, err error) {
	after := max(seq, 1) - 1
	for {
		page, err := askLog(ctx, link, map[string]any{"after": after, "limit": 1})
		if err != nil {
			return 0, time.Time{}, false, err
		}
		for _, raw := range page.Entries {
			var r struct {
				Seq   uint64
				Heard int64 // microseconds since 1970
			}
			if json.Unmarshal(raw, &r) == nil && r.Seq > 0 { // a gap has no number
				return r.Seq, time.UnixMicro(r.Heard), true, nil
			}
		}
		if !page.More || page.Next <= after {
			return 0, time.Time{}, false, nil
		}
		after = page.Next
	}
}

func askLog(ctx context.Context, link Link, fields map[string]any) (page logPage, err error) {
	raw, err := link.Ask(ctx, "log", fields)
	if err == nil {
		err = json.Unmarshal(raw, &page)
	}
	return page, err
}
