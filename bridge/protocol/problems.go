package protocol

// Problem is something that is wrong with an actor.
type Problem struct {
	Actor   string  `json:"actor"`
	Key     string  `json:"key"`  // identifies it among the actor's problems
	Kind    string  `json:"kind"` // broadcast, condition or silent
	Level   string  `json:"level"`
	Code    *string `json:"code"` // of a broadcast
	Text    string  `json:"text"`
	Keyword *string `json:"keyword"` // of a condition
	Began   string  `json:"began"`
	Time    string  `json:"time"` // when it was last said
	Count   int     `json:"count"`
	Seq     *uint64 `json:"seq"`    // of the reply that said it last, or raised it
	Active  *bool   `json:"active"` // whether it still holds; null for a broadcast
	Acked   *Acked  `json:"acked"`
}

// Acked is who acknowledged a problem, and when.
type Acked struct {
	By   *string `json:"by"` // null if that is not known
	Time string  `json:"time"`
}

// ActorProblems is the notice that an actor's problems have changed: all that there are now.
type ActorProblems struct {
	Op       string    `json:"op"` // problem
	Actor    string    `json:"actor"`
	Problems []Problem `json:"problems"`
	Omitted  Omitted   `json:"omitted,omitempty"`
}

// AllProblems answers the request problems.
type AllProblems struct {
	Op       string    `json:"op"` // problems
	ID       *string   `json:"id"`
	Problems []Problem `json:"problems"`
	Omitted  Omitted   `json:"omitted,omitempty"`
}

// SiteChanged is the notice that what the operator configured has changed.
type SiteChanged struct {
	Op    string `json:"op"` // site
	State string `json:"state"`
}

// Omitted is how many replies told of problems that are not listed because there are too many, by actor;
// under "", those of actors for which there was no space.
type Omitted map[string]uint64

// Add adds replies of an actor.
func (o *Omitted) Add(actor string, n uint64) {
	if n == 0 {
		return
	}
	if *o == nil {
		*o = Omitted{}
	}
	(*o)[actor] += n
}
