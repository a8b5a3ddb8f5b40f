package bridge

import "github.com/clu-ws/clu-ws/bridge/hub"

// observers returns the function that hands each reply to those parts of the bridge that follow what
// actors say. It runs on the goroutine that delivers, so none of them may wait for a client or for the broker.
func (b *Bridge) observers() func(*hub.Observed) {
	all := []func(*hub.Observed){b.observeModel, b.noteProblems}
	if b.keywordHistory != nil {
		all = append(all, b.noteValues)
	}
	return func(o *hub.Observed) {
		for _, observe := range all {
			observe(o)
		}
	}
}

// caughtUp is called once the past of a stream has been read.
func (b *Bridge) caughtUp() {
	b.problems.Live() // first: requests for problems wait for the hub
	b.refill.began = b.hub.Time()
	b.hub.Live()
	close(b.refill.live)
}
