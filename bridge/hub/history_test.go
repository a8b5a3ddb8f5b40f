package hub

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

func kept(replies, bytes int, age time.Duration) *replyHistory {
	return &replyHistory{History: History{Replies: replies, Bytes: bytes, Age: age}}
}

func (h *replyHistory) reply(seq uint64, at time.Time) {
	h.add(entry{seq: seq, at: at, frame: engine.Text(fmt.Sprint(seq)), reply: &Reply{}})
}

// texts returns the entries between two numbers.
func (h *replyHistory) texts(from, to uint64) (all []string, ok bool) {
	if from < h.floor {
		return nil, false
	}
	for at := h.after(from); at < h.head && h.at(at).seq <= to; at++ {
		all = append(all, string(h.at(at).frame[2:]))
	}
	return all, true
}

func TestHistoryForgetsWhatIsBeyondAnyOfItsBounds(t *testing.T) {
	now := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		h     *replyHistory
		first uint64 // of the 100 replies that is still kept
	}{
		"count": {kept(10, 1<<20, time.Hour), 91},
		"bytes": {kept(1000, 5*(entryCost+4)+entryCost, time.Hour), 96},
		"exact": {kept(1000, 5*(entryCost+4)+1, time.Hour), 96},
		"age":   {kept(1000, 1<<20, 20*time.Second), 80},
		"none":  {kept(0, 1<<20, time.Hour), 101},
	} {
		for seq := range uint64(100) {
			c.h.reply(seq+1, now.Add(time.Duration(seq+1)*time.Second))
		}
		if _, ok := c.h.texts(c.first-2, 100); ok {
			t.Errorf("%s: what follows %d is given although a part is forgotten", name, c.first-2)
		}
		got, ok := c.h.texts(c.first-1, 100)
		if !ok || len(got) != int(101-c.first) {
			t.Errorf("%s: behind %d there are %v, %v", name, c.first-1, got, ok)
		}
	}
}

func TestHistoryAgainstAListOfEverything(t *testing.T) {
	type item struct {
		seq  uint64
		gap  bool
		text string
	}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		limit := 1 + random.IntN(50)
		h := kept(limit, 1<<20, time.Hour)
		var all []item
		var seq uint64
		for range random.IntN(300) {
			it := item{seq: seq, gap: seq > 0 && random.IntN(5) == 0}
			if !it.gap {
				seq += 1 + random.Uint64N(3)*random.Uint64N(2) // a stream has holes
				it.seq = seq
			}
			it.text = fmt.Sprintf("%d%v", len(all), it.gap)
			all = append(all, it)
			e := entry{seq: it.seq, at: time.Unix(0, 0), frame: engine.Text(it.text)}
			if !it.gap {
				e.reply = &Reply{}
			}
			h.add(e)
		}
		for from := range seq + 2 {
			to := from + random.Uint64N(seq+2-from)
			var want []string
			complete := true
			for i, it := range all {
				lies := it.gap && it.seq < from // in the gap, as no reply behind it is nearer
				for k := i + 1; k < len(all) && lies; k++ {
					lies = all[k].gap || all[k].seq > from+1
					if !all[k].gap {
						break
					}
				}
				if it.seq > from && it.seq <= to || it.seq == from && it.gap || lies {
					want = append(want, it.text)
					complete = complete && i >= len(all)-limit
				}
			}
			got, ok := h.texts(from, to)
			if ok && !slices.Equal(got, want) {
				t.Fatalf("seed %d: between %d and %d there are %v, want %v", seed, from, to, got, want)
			}
			if ok && !complete {
				t.Fatalf("seed %d: it gives what it has forgotten", seed)
			}
			if !ok && len(all) <= limit {
				t.Fatalf("seed %d: it has everything and does not give it", seed)
			}
		}
	}
}

func TestTheBoundsOfAHistoryHaveDefaults(t *testing.T) {
	for given, want := range map[History]History{
		{}:                     {Bytes: 64 << 20, Age: 10 * time.Minute},
		{5, 6, time.Second}:    {5, 6, time.Second},
		{Replies: 5, Bytes: 6}: {5, 6, 10 * time.Minute},
	} {
		h := given
		if h.SetDefaults(); h != want {
			t.Errorf("%+v became %+v", given, h)
		}
	}
}

func TestAHistoryGrowsWhereverItBegins(t *testing.T) {
	start, h := time.Unix(1000, 0), kept(100, 1<<20, time.Second)
	for seq := range uint64(50) {
		at := start
		if seq >= 10 { // the first ten have expired by then
			at = start.Add(2 * time.Second)
		}
		h.reply(seq+1, at)
	}
	if got, ok := h.texts(10, 50); !ok || len(got) != 40 || got[0] != "11" || got[39] != "50" {
		t.Errorf("it has %v, %v", got, ok)
	}
}

func TestTheMemoryOfABurstIsReleasedWhenItHasExpired(t *testing.T) {
	start := time.Unix(1000, 0)
	for burst, stays := range map[int]bool{1024: true, 1025: false} {
		h := kept(10_000, 1<<30, time.Second)
		for seq := range burst {
			h.reply(uint64(seq+1), start)
		}
		h.expire(start.Add(time.Second))
		if h.len() != burst {
			t.Errorf("of %d replies %d are left in time", burst, h.len())
		}
		h.expire(start.Add(time.Second + 1))
		if h.len() != 0 || h.bytes != 0 || (h.entries != nil) != stays {
			t.Errorf("of %d replies %d are left, in a ring of %d", burst, h.len(), len(h.entries))
		}
	}
}

// A bridge that has not read a stream so far when replies are lost has clients resume from numbers that it has never had:
// they are in the gap.
func TestWhoResumesFromANumberInAGapIsToldOfIt(t *testing.T) {
	now := time.Unix(1000, 0)
	gap := func(h *replyHistory, after uint64) {
		h.add(entry{seq: after, at: now, frame: engine.Text("gap"), gap: 1})
	}
	h := kept(10, 1<<20, time.Hour)
	h.reply(4, now)
	h.reply(5, now)
	gap(h, 5)
	told := func(from uint64, want string) {
		t.Helper()
		got, ok := h.texts(from, 1000)
		if text := fmt.Sprint(got, ok); text != want {
			t.Errorf("behind %d there are %s, want %s", from, text, want)
		}
	}
	told(7, "[gap] true") // nothing has come behind the gap yet
	h.reply(100, now)
	h.reply(101, now)
	told(4, "[5 gap 100 101] true")
	told(5, "[gap 100 101] true")
	told(7, "[gap 100 101] true")
	told(98, "[gap 100 101] true")
	told(99, "[100 101] true") // nothing is missing behind it
	told(100, "[101] true")
	for h.len() > 2 {
		h.forget()
	}
	told(7, "[] false")
	told(98, "[] false")
	told(99, "[100 101] true")

	h = kept(10, 1<<20, time.Hour)
	h.reply(5, now)
	gap(h, 5)
	for h.len() > 0 {
		h.forget()
	}
	h.reply(100, now)
	told(98, "[] false")
	told(99, "[100] true")
}
