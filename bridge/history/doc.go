// Package history keeps what the keywords of all actors were in the last 24 hours, for plots. It knows
// replies and JSON, and nothing of AMQP, sockets or clocks.
//
//	Reply ──► Store.Note ──► actor ──► node (a keyword, member or item) ──► series ──► columns of chunks
//	a stream's past ──► Past.Note, JoinOne ──────────────────────────────────┘
//	Query ──► Store.Ask ──► Answer.Step ... Append: points or buckets, as JSON
//
// # What is kept
//
// A value that is said again changes nothing but the time until which it held. Of a number, each change
// is kept for 15 minutes, and the min, max, last and count of each minute in which it changed for 24
// hours. Of other values, each change is kept for 24 hours. The last value before that time is kept,
// too: it held when the time began.
//
// Members of objects and items of lists are keywords of their own. A keyword that is a number now and a
// text then has a series of each kind: the one is null while it is the other, and both are while it is an
// object or a list. A member is null from when its object is said without it (nested.go).
//
// Numbers are decimals with all the digits that the actor wrote (decimal.go), up to 18 and some of 19.
// A longer one is kept as a state, that is as text. NaN and the infinities are marks among the numbers.
//
// # Memory
//
// A column is a list of chunks of 256 bytes, which have no pointers (arena.go): differences of times and
// values, as bits in an adaptive Rice code (bits.go). A chunk can be decoded on its own, so the oldest
// one of a column can be dropped, and that of a stream's past can be put in front (past.go).
//
// A numeric keyword takes about 0.8 kB, and each column at least one chunk. One that changes each second, with
// two decimals and some noise, takes 2.4 kB for its last 15 minutes and 0.3 kB for each hour before: 10 kB
// for a day. So 10,000 of them have about 12 hours in 64 MiB, and a whole day in 100 MiB; those that
// change each ten seconds have a day in 64 MiB. A test measures this.
//
// Everything is bounded by [Limits.Bytes]. If that is reached, the actor that takes most loses the oldest
// chunk of the keywords that take most of it (evict.go), so that an actor with few keywords loses nothing
// to one with many. A column has 1,024 chunks at most, and an actor or an object 10,000 members: new ones
// replace those that were heard least recently. Answers say so, and [Store.Figures] counts it. Of a keyword or
// an actor that was evicted as a whole nothing is left, so what is not known from before the last of these may
// have been evicted.
//
// # Time
//
// Noting a value takes about 0.1 µs, and allocates nothing for a known keyword. A query copies the chunks
// of a keyword with the store's lock held, which takes some microseconds, and decodes them without it, in
// steps.
//
// Times may run backwards: a clock is set, or a reply comes late. A value is put where its time belongs,
// and `last` is the one that was noted last of those in a bucket.
//
// # Access
//
// Whether a client may hear a reply depends on its other properties, too. With [Limits.Origins], a keyword has
// a series for each combination of them (origin.go), and a query takes those that its asker may hear. If a
// keyword changes between two of them, both have all that is needed: a value is recorded whenever the one
// before it was from another series, even if it is the same. A keyword with very many origins has one
// series for the rest, for those who may hear everything of the actor.
package history
