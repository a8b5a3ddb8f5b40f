// Package filter selects replies for a subscription. It knows neither sockets nor AMQP: it is given
// the few facts of a reply that a filter may ask for.
//
//	JSON of "subscribe" ──► Parse ─────┐
//	                                   ├──► Filter ──► Match, MatchMine: is this reply wanted?
//	query of the URL ─────► FromQuery ─┘          └──► Key, Senders: which subscriptions are alike, and where to look for them
//
// # What a filter says
//
//	{"sender": ["lvmecp", "lvm.*"], "message_code": [":", "f"], "internal": false}
//
// A reply must pass every field that is there, and passes a field by one of its values. A value may
// stand without its list. A field that is absent or null lets everything pass; an empty list, which
// would let nothing pass, is an error. In a URL the same is sender=lvmecp,lvm.*&message_code=:,f&internal=false,
// also with a parameter for each value. There a comma always separates, # must be written %23 (a
// browser keeps what follows a bare # to itself), and a value cannot be empty.
//
//	sender, command_id, commander   globs against that header; commander is the header commander_id
//	keyword                         globs, of which one must match one of the body's top-level keys
//	routing_key                     patterns of package topic: reply.*, reply.#
//	message_code                    among > i d w e : f !
//	internal                        true or false
//
// A glob is matched against the whole value: * is any text, ? one character, [abc], [a-z] and [^a]
// one character that is, or is not, among those. For *, ? and [ themselves write [*], [?] and [[].
// Every other character stands for itself, / and \ included.
//
// The commander "me" is no name: it means the replies to the commands of the subscribing connection,
// which only the caller knows (see [Filter.MatchMine]).
//
// # What is absent
//
// A header that a reply does not have is the empty text. So "" selects replies without it (command_id
// "": what actors say unasked), and "*", which matches the empty text, selects all. A list with "*"
// is therefore no constraint, as if its field were absent, and so is a routing_key list with "#". For
// keywords this includes replies that have none; "?*" selects those that have one. Both values of
// internal are no constraint either. All eight codes are one: they leave out replies of other codes.
//
// # Adding a field
//
// Tests of this package name whatever is missing of the first four.
//
//   - Reply, Filter, MatchMine and Globs (filter.go), and Match of [Memo] (memo.go), which evaluates the
//     same rule with memory of earlier texts
//   - fieldNames and set (build.go); from these, Parse and FromQuery know the field
//   - docs/protocol.md, and clu.js: FIELDS and factsOf in filter.js, PARAMETERS in url.js
//   - the second opinions: model_test.go, and testdata/cases.json, which clu.js reads too
//   - where replies come from: newReply in package bridge reads the field from a delivery
//   - snapshots, which are filtered by the reply that brought each value: package snapshot keeps the field
//     with the value (Reply, Entry; Hub.record hands it over), and cachedSnapshot in package hub gives it back
//     to the filter
package filter
