// Package snapshot remembers the last value of every keyword of every actor, so
// that a page that comes late need not ask each actor for its status. It knows
// replies and JSON; it knows nothing of AMQP, of sockets or of clocks.
//
//	Reply ──► Store.Note ──► actor ──► keyword: value, and the reply it came by
//	                           │
//	                           └─────► the last reply, whatever it held
//	Encoder, Store.Actors ◄── what is known, as JSON
//
// # What is merged
//
// A reply's body that is an object sets each of its top-level keys to its value,
// whole: objects inside it are not merged. Any other body only says that the
// actor was heard. A reply without a sender says nothing of any actor.
//
// Internal replies are not meant for people, but they are true, and a filter may
// ask for them. So their keywords are kept beside those of the others, not in
// their place: an internal ra never hides the ra that everybody heard. Where a
// filter lets both through, the newer one is written.
//
// # What is forgotten
//
// All is bounded by [Limits], and no bound can be used up by one at the cost of
// all others:
//
//   - One actor too many: the one that was not heard for the longest time is
//     forgotten, with its keywords.
//   - One keyword of an actor too many: the actor's keyword that was not updated
//     for the longest time is forgotten. Of a body that has more of them than may be
//     known the last ones count; the others are forgotten at once.
//   - Too many bytes: the actor that costs most forgets the keyword that it did
//     not update for the longest time, until all fits. Who says little loses
//     nothing to one that says much.
//   - A value that is too large is not kept, and neither is the one before it,
//     which is not true any more; its keyword is, and says how large the value is.
//
// What was forgotten is said where it is missed, as "evicted" of the actor, and
// counted by [Store.Evicted]. A keyword that is noted or forgotten takes constant
// time; finding the actor that costs most takes the logarithm of the actors.
//
// # Memory
//
// Nothing of a body is held. A value is copied into its keyword's own buffer,
// which the next value of about the same length takes over. What is known of a
// reply is kept once for all keywords that came by it, and is used again when
// the last of them has a newer value. So a reply whose keywords are known costs
// no allocation, and an old keyword holds no more than itself.
//
// # Views
//
// A snapshot of everything may be 30 MiB long, and a filter may have to read every
// keyword: neither is done with the store's lock held. [Encoder.Start] and
// [Store.Actors] only take pointers. A keyword that may be in a view is immutable: the
// next reply that changes it copies it, at most once for each view.
package snapshot
