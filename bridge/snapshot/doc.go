// Package snapshot keeps the last value of every keyword of every actor, so that a page that is
// opened later need not ask each actor for its status. It knows replies and JSON, and nothing of
// AMQP, sockets or clocks.
//
//	Reply ──► Store.Note ──► actor ──► keyword: its value, and the reply that brought it
//	                           │
//	                           └─────► the last reply, whatever its body
//	Encoder, Store.Actors ◄── all of this, as JSON
//
// # What is merged
//
// A reply whose body is an object sets each of its top-level keys to the whole value: nested
// objects are not merged. Any other body only updates the actor's last reply. A reply without a
// sender is ignored.
//
// Internal replies are not meant for people, but their values are valid, and a filter may select
// them. So their keywords are kept in addition to the public ones: an internal ra never hides
// the public ra. If a filter selects both, the newer one is written.
//
// # What is evicted
//
// Everything is bounded by [Limits], and no actor can use up a bound at the cost of the others:
//
//   - One actor too many: the actor whose last reply is the oldest is evicted, with its keywords.
//   - One keyword of an actor too many: the actor's keyword that was updated least recently is
//     evicted. Of a body with more keywords than the limit the last ones count; the others are
//     evicted at once.
//   - Too many bytes: the actor that takes most memory loses its keyword that was updated least
//     recently, until everything fits. So an actor with few keywords loses nothing to one with
//     many.
//   - A value that is too large is not kept, and replaces the one before it, which is out of date.
//     Its keyword stays, with the size of the value.
//
// Evictions are reported in the actor's "evicted" and counted by [Store.Evicted]. Setting or
// evicting a keyword takes constant time; finding the actor that takes most memory takes time
// logarithmic in the number of actors.
//
// # What is visible
//
// A Visible (names.go) says which replies someone may know of. A value is visible if the whole reply
// that set it is, which may depend on its other keywords: Store.KeepNames remembers their names,
// once for all replies of an actor with the same keywords. What is told of an actor is then that of
// its last visible reply.
//
// # Memory
//
// No body is retained. A value is copied into its keyword's own buffer, which the next value of
// about the same length reuses. The properties of a reply are kept once for all keywords that it
// set, and their memory is reused when the last of these has a newer value. So a reply with known
// keywords allocates nothing, and an old keyword retains only its own memory.
//
// # Views
//
// A snapshot of everything may be 30 MiB long, and a filter may have to test every keyword: neither
// is done with the store's lock held. [Encoder.Start] and [Store.Actors] only copy pointers. A
// keyword that may be in a view is immutable: the next reply that changes it copies it, at most
// once for each view.
package snapshot
